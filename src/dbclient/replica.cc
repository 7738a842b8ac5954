#include "dbclient/replica.h"

#include "base/check.h"
#include "base/log.h"

namespace ovs::dbclient {

namespace {

LogModule log{"replica"};

std::string_view method_name(int method) {
  static constexpr std::string_view names[] = {"monitor_cond_since", "monitor_cond", "monitor"};
  return names[method];
}

// What a server says to a method that it does not have.
bool is_unknown_method(const json::value& error) {
  return ovsdb::error_text(error).find("unknown method") != std::string::npos;
}

}  // namespace

Replica::Replica(Client& client, std::string database, std::vector<TableDecl> tables,
                 std::function<void()> changed, Options options)
    : client_(client),
      database_(std::move(database)),
      changed_(std::move(changed)),
      options_(std::move(options)),
      conditions_(tables.size()),
      condition_sent_(tables.size(), false) {
  tables_.reserve(tables.size());
  for (TableDecl& t : tables) {
    by_name_[t.name] = tables_.size();
    tables_.emplace_back(std::move(t));
  }
  client_.add(this);
}

Replica::~Replica() {
  if (pending_) client_.forget(*pending_);
  if (current_ && client_.is_connected()) {
    std::string params = "[" + monitor_id_text() + "]";
    client_.request("monitor_cancel", params, [](rpc::Response&&) {});
  }
  client_.remove(this);
}

const ReplicaTable* Replica::table(std::string_view name) const {
  auto it = by_name_.find(std::string(name));
  return it == by_name_.end() ? nullptr : &tables_[it->second];
}

void Replica::forget_changes() {
  for (ReplicaTable& t : tables_) t.forget_changes();
}

// Several replicas of one connection tell their updates apart by this id.
std::string Replica::monitor_id_text() const {
  std::string out = "[\"replica\",";
  append_json_string(out, database_);
  out += ',';
  append_json_integer(out, static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(this) >> 3));
  out += ']';
  return out;
}

void Replica::on_connected() {
  current_ = false;
  method_ = Method::monitor_cond_since;
  if (options_.schema) {
    adopt(*options_.schema);
    start_monitor(method_);
    return;
  }
  // The replica may be gone, or connected anew, when the schema is there: a listener that is
  // removed forgets its requests.
  std::string params = "[";
  append_json_string(params, database_);
  params += ']';
  pending_ = client_.request("get_schema", params, [this](rpc::Response&& response) {
    pending_.reset();
    if (!response.ok) {
      if (response.disconnected) return;
      refusal_ = ovsdb::error_text(response.value);
      log.warn("{}: no schema: {}", database_, refusal_);
      if (changed_) changed_();
      return;
    }
    auto schema = ovsdb::DatabaseSchema::from_json(response.value);
    if (!schema) {
      refusal_ = schema.error().to_string();
      log.warn("{}: bad schema: {}", database_, refusal_);
      if (changed_) changed_();
      return;
    }
    adopt(**schema);
    start_monitor(method_);
  });
}

void Replica::adopt(const ovsdb::DatabaseSchema& schema) {
  refusal_.clear();
  for (ReplicaTable& t : tables_) {
    t.adopt(schema.find(t.declaration().name));
    if (!t.on_server()) {
      log.info("{}: the server's schema has no table {}", database_, t.declaration().name);
      continue;
    }
    for (std::size_t i = 0; i < t.declaration().columns.size(); i++)
      if (!t.on_server(i))
        log.info("{}: the server's schema has no column {}.{} of the expected type", database_,
                 t.declaration().name, t.declaration().columns[i].name);
  }
}

std::string Replica::requests_text(Method method) const {
  std::string out = "{";
  for (std::size_t i = 0; i < tables_.size(); i++) {
    const ReplicaTable& t = tables_[i];
    if (!t.on_server()) continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, t.declaration().name);
    out += ":[{\"columns\":[";
    bool first = true;
    for (std::size_t c = 0; c < t.declaration().columns.size(); c++) {
      if (!t.on_server(c)) continue;
      if (!first) out += ',';
      first = false;
      append_json_string(out, t.declaration().columns[c].name);
    }
    out += ']';
    if (method != Method::monitor && !conditions_[i].empty()) {
      out += ",\"where\":";
      append_json(out, conditions_[i]);
    }
    out += "}]";
  }
  out += '}';
  return out;
}

void Replica::start_monitor(Method method) {
  method_ = method;
  std::string params = "[";
  append_json_string(params, database_);
  params += ',';
  params += monitor_id_text();
  params += ',';
  params += requests_text(method);
  if (method == Method::monitor_cond_since) {
    params += ",\"";
    last_id_.append_to(params);
    params += '"';
  }
  params += ']';
  condition_sent_.assign(tables_.size(), true);
  pending_ = client_.request(method_name(static_cast<int>(method)), params,
                             [this, method](rpc::Response&& response) {
                               pending_.reset();
                               take_reply(method, std::move(response));
                             });
}

void Replica::take_reply(Method method, rpc::Response&& response) {
  if (response.disconnected) return;
  if (!response.ok) {
    if (method != Method::monitor && is_unknown_method(response.value)) {
      start_monitor(static_cast<Method>(static_cast<int>(method) + 1));
      return;
    }
    refusal_ = ovsdb::error_text(response.value);
    log.warn("{}: the server does not let us monitor: {}", database_, refusal_);
    if (changed_) changed_();
    return;
  }

  bool found = false;
  const json::value* updates = &response.value;
  Uuid id;
  if (method == Method::monitor_cond_since) {
    const json::array* a = response.value.if_array();
    auto text = a && a->size() == 3 ? as_string((*a)[1]) : std::nullopt;
    if (!text || !(*a)[0].is_bool()) return lost_track("malformed reply to monitor_cond_since");
    found = (*a)[0].get_bool();
    id = Uuid::parse(*text).value_or(Uuid{});
    updates = &(*a)[2];
  }
  if (!found)
    for (ReplicaTable& t : tables_) t.begin_content();
  if (auto r = apply(*updates, method != Method::monitor); !r) {
    if (found) return lost_track(r.error().message);
    // Asking again would bring the same: nothing more happens until the server is another one.
    refusal_ = "the server's rows cannot be read: " + r.error().message;
    log.err("{}: {}", database_, refusal_);
    if (changed_) changed_();
    return;
  }
  if (!found)
    for (ReplicaTable& t : tables_) t.end_content();
  last_id_ = id;
  bool first = !ready_;
  ready_ = current_ = true;
  step_done(first);
  send_condition_changes();
}

Result<void> Replica::apply(const json::value& updates, bool update2) {
  const json::object* tables = updates.if_object();
  if (!tables) return unexpected("updates are no object");
  for (const auto& [name, rows] : *tables) {
    auto it = by_name_.find(std::string(name));
    if (it == by_name_.end() || !rows.is_object()) return unexpected("an update of an unknown table");
    ReplicaTable& table = tables_[it->second];
    for (const auto& [uuid_text, update] : rows.get_object()) {
      auto uuid = Uuid::parse(uuid_text);
      const json::object* o = update.if_object();
      if (!uuid || !o) return unexpected("a malformed row update");
      auto columns = [o](std::string_view member) -> const json::object* {
        const json::value* v = o->if_contains(member);
        return v ? v->if_object() : nullptr;
      };
      if (!update2) {
        if (const json::object* now = columns("new"))
          OVS_TRY_DO(table.apply_insert(*uuid, *now));
        else
          table.apply_delete(*uuid);
      } else if (const json::object* row = columns("initial"); row || (row = columns("insert"))) {
        OVS_TRY_DO(table.apply_insert(*uuid, *row));
      } else if (const json::object* diff = columns("modify")) {
        OVS_TRY_DO(table.apply_diff(*uuid, *diff));
      } else if (o->contains("delete")) {
        table.apply_delete(*uuid);
      } else {
        return unexpected("a row update that says nothing");
      }
    }
  }
  return {};
}

bool Replica::on_notification(const rpc::Message& message) {
  bool update3 = message.method == "update3";
  bool update2 = message.method == "update2";
  if (!update2 && !update3 && message.method != "update") return false;
  const json::array* params = message.params.if_array();
  if (!params || params->size() != (update3 ? 3U : 2U)) return false;
  if (to_text((*params)[0]) != monitor_id_text()) return false;
  if (!current_) return true;

  if (auto r = apply(params->back(), update2 || update3); !r) {
    lost_track(r.error().message);
    return true;
  }
  if (update3)
    if (auto text = as_string((*params)[1])) last_id_ = Uuid::parse(*text).value_or(Uuid{});
  step_done(false);
  return true;
}

void Replica::step_done(bool first) {
  std::uint64_t edits = 0;
  for (const ReplicaTable& t : tables_) edits += t.edits();
  if (edits == edits_seen_ && !first) return;
  edits_seen_ = edits;
  seqno_++;
  if (changed_) changed_();
}

void Replica::on_disconnected() {
  pending_.reset();
  current_ = false;
  // What was missed is asked for under the same conditions; where the server has not been told of
  // one yet, only a fresh content is right.
  for (std::size_t i = 0; i < condition_sent_.size(); i++)
    if (!condition_sent_[i]) last_id_ = Uuid{};
}

void Replica::lost_track(std::string_view why) {
  log.warn("{}: {}: fetching everything again", database_, why);
  last_id_ = Uuid{};
  current_ = false;
  client_.session().force_reconnect("an update that makes no sense");
}

void Replica::set_condition(std::string_view table, json::array clauses) {
  auto it = by_name_.find(std::string(table));
  OVS_CHECK(it != by_name_.end(), "a table that is not declared");
  if (conditions_[it->second] == clauses) return;
  conditions_[it->second] = std::move(clauses);
  condition_sent_[it->second] = false;
  send_condition_changes();
}

void Replica::send_condition_changes() {
  if (!current_ || method_ == Method::monitor) return;
  std::string changes;
  for (std::size_t i = 0; i < tables_.size(); i++) {
    if (condition_sent_[i] || !tables_[i].on_server()) continue;
    condition_sent_[i] = true;
    if (!changes.empty()) changes += ',';
    append_json_string(changes, tables_[i].declaration().name);
    changes += ":[{\"where\":";
    if (conditions_[i].empty())
      changes += "[true]";
    else
      append_json(changes, conditions_[i]);
    changes += "}]";
  }
  if (changes.empty()) return;
  std::string id = monitor_id_text();
  // The server's answer comes before or after the rows that it adds and removes; a connection lost
  // in between makes the next request fetch everything.
  client_.request("monitor_cond_change", "[" + id + "," + id + ",{" + changes + "}]",
                  [this, alive = std::weak_ptr(alive_)](rpc::Response&& response) {
                    if (alive.expired()) return;
                    if (response.disconnected)
                      last_id_ = Uuid{};
                    else if (!response.ok)
                      lost_track("monitor_cond_change: " + ovsdb::error_text(response.value));
                  });
}

void Replica::commit(Transaction transaction, Client::CommitDone done) {
  transaction.drop_noops([this](std::string_view name, const Uuid& uuid,
                                std::string_view column) -> const ovsdb::Datum* {
    const ReplicaTable* t = table(name);
    const ReplicaRow* row = t ? t->find(uuid) : nullptr;
    if (!row) return nullptr;
    const auto& columns = t->declaration().columns;
    for (std::size_t i = 0; i < columns.size(); i++)
      if (columns[i].name == column && t->on_server(i)) return &(*row)[i];
    return nullptr;
  });
  client_.commit(std::move(transaction), std::move(done));
}

}  // namespace ovs::dbclient
