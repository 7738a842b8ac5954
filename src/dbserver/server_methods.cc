// The methods of JSON-RPC that clients call (RFC 7047 section 4.1, ovsdb-server(7)).

#include <fmt/format.h>

#include "base/check.h"
#include "base/coverage.h"
#include "base/log.h"
#include "dbserver/server.h"

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_jsonrpc_server"};
Coverage unknown_methods{"ovsdb_unknown_method"};

std::string error_object(std::string_view tag, std::string details, const json::value* syntax = nullptr) {
  return to_text(json::value(
      ovsdb::DbError{std::string(tag), std::move(details), syntax ? to_text(*syntax) : std::string()}.to_json()));
}

std::string text_of(const ovsdb::DbError& error) { return to_text(json::value(error.to_json())); }

// The text behind which a monitor's id is found again: equal values have equal texts.
std::string id_key(const json::value& v) { return to_text(sorted(v)); }

}  // namespace

void Server::handle(Client& client, rpc::Message&& message) {
  if (message.kind == rpc::Message::Kind::notification) {
    if (message.method == "cancel") {
      const json::array* params = message.params.if_array();
      if (params && params->size() == 1) cancel(client, (*params)[0]);
    }
    return;
  }
  std::string id_text = to_text(message.id);
  if (message.method == "transact") {
    transact(client, std::move(message.params), std::move(id_text));
    return;
  }
  static const std::map<std::string_view, Method> methods = {
      {"list_dbs", &Server::list_dbs},
      {"get_schema", &Server::get_schema},
      {"get_server_id", &Server::get_server_id},
      {"set_db_change_aware", &Server::set_db_change_aware},
      {"echo", &Server::echo},
      {"lock", &Server::lock},
      {"steal", &Server::steal},
      {"unlock", &Server::unlock},
      {"monitor", &Server::monitor},
      {"monitor_cond", &Server::monitor_cond},
      {"monitor_cond_since", &Server::monitor_cond_since},
      {"monitor_cond_change", &Server::monitor_cond_change},
      {"monitor_cancel", &Server::monitor_cancel},
      {"convert", &Server::convert},
  };
  // What these answer must agree with what was answered before.
  flush_batch();
  auto method = methods.find(message.method);
  if (method == methods.end()) {
    unknown_methods.add();
    client.error(id_text, "\"unknown method\"");
    return;
  }
  (this->*method->second)(client, message.params, id_text);
}

Hosted* Server::database_of(Client& client, std::string_view method, const json::value& params,
                            const std::string& id_text) {
  const json::array* array = params.if_array();
  if (!array || array->empty() || !array->front().is_string()) {
    flush_batch();  // the replies to earlier transactions go first
    client.error(id_text, error_object("syntax error",
                                       fmt::format("{} request params must begin with <db-name>", method), &params));
    return nullptr;
  }
  const std::string_view name = array->front().get_string();
  Hosted* hosted = find_database(name);
  if (!hosted) {
    flush_batch();
    client.error(id_text, error_object("unknown database",
                                       fmt::format("{} request specifies unknown database {}", method, name), &params));
  }
  return hosted;
}

void Server::list_dbs(Client& client, const json::value&, const std::string& id_text) {
  json::array names;
  for (const auto& [name, hosted] : databases_) names.emplace_back(name);
  client.reply(id_text, to_text(names));
}

void Server::get_schema(Client& client, const json::value& params, const std::string& id_text) {
  if (Hosted* hosted = database_of(client, "get_schema", params, id_text)) client.reply(id_text, hosted->schema_text());
}

void Server::get_server_id(Client& client, const json::value&, const std::string& id_text) {
  client.reply(id_text, "\"" + id_.to_string() + "\"");
}

void Server::set_db_change_aware(Client& client, const json::value& params, const std::string& id_text) {
  const json::array* array = params.if_array();
  if (!array || array->size() != 1 || !array->front().is_bool()) {
    client.error(id_text,
                 error_object("syntax error", "set_db_change_aware: true or false parameter expected", &params));
    return;
  }
  client.db_change_aware = array->front().get_bool();
  client.reply(id_text, "{}");
}

void Server::echo(Client& client, const json::value& params, const std::string& id_text) {
  client.reply(id_text, to_text(params));
}

void Server::request_lock(Client& client, bool by_force, const json::value& params, const std::string& id_text) {
  const std::string_view method = by_force ? "steal" : "lock";
  const json::array* array = params.if_array();
  if (!array || array->size() != 1 || !array->front().is_string() ||
      !ovsdb::is_id(std::string_view(array->front().get_string()))) {
    client.error(id_text, error_object("syntax error", fmt::format("{} request params must be <id>", method), &params));
    return;
  }
  const std::string name(std::string_view(array->front().get_string()));
  if (locks_.asked(client.id(), name)) {
    client.error(id_text, error_object("syntax error",
                                       fmt::format("must issue \"unlock\" before new \"{}\"", method), &params));
    return;
  }
  if (by_force) {
    const auto victim = locks_.steal(client.id(), name);
    client.reply(id_text, R"({"locked":true})");
    if (victim) notify_lock(*victim, "stolen", name);
  } else {
    client.reply(id_text, locks_.lock(client.id(), name) ? R"({"locked":true})" : R"({"locked":false})");
  }
}

void Server::lock(Client& client, const json::value& params, const std::string& id_text) {
  request_lock(client, false, params, id_text);
}

void Server::steal(Client& client, const json::value& params, const std::string& id_text) {
  request_lock(client, true, params, id_text);
}

void Server::unlock(Client& client, const json::value& params, const std::string& id_text) {
  const json::array* array = params.if_array();
  if (!array || array->size() != 1 || !array->front().is_string() ||
      !ovsdb::is_id(std::string_view(array->front().get_string()))) {
    client.error(id_text, error_object("syntax error", "unlock request params must be <id>", &params));
    return;
  }
  const std::string name(std::string_view(array->front().get_string()));
  if (!locks_.asked(client.id(), name)) {
    client.error(id_text, error_object("syntax error", "\"unlock\" without \"lock\" or \"steal\"", &params));
    return;
  }
  const auto next = locks_.unlock(client.id(), name);
  client.locks_lost.erase(name);
  client.reply(id_text, "{}");
  if (next) notify_lock(*next, "locked", name);
}

void Server::add_monitor(Client& client, MonitorVersion version, std::string_view method, const json::value& params,
                         const std::string& id_text) {
  Hosted* hosted = database_of(client, method, params, id_text);
  if (!hosted) return;
  const json::array& array = params.get_array();
  const std::size_t wanted = version == MonitorVersion::since ? 4 : 3;
  if (array.size() != wanted) {
    client.error(id_text, error_object("syntax error", "invalid parameters", &params));
    return;
  }
  std::optional<Uuid> last_id;
  if (version == MonitorVersion::since) {
    if (const json::string* text = array[3].if_string()) last_id = Uuid::parse(std::string_view(*text));
    if (!last_id) {
      client.error(id_text, error_object("syntax error", "last-txn-id must be UUID format.", &array[3]));
      return;
    }
  }
  std::string id = id_key(array[1]);
  if (client.monitors().contains(id)) {
    client.error(id_text, error_object("syntax error", "duplicate monitor ID", &array[1]));
    return;
  }
  auto shape = MonitorShape::parse(*hosted->database, array[2], version);
  if (!shape) {
    client.error(id_text, text_of(shape.error()));
    return;
  }
  client.catch_up();
  auto monitor = std::make_unique<ActiveMonitor>(ActiveMonitor{&client, hosted, std::move(id), nullptr});
  monitor->shape = hosted->share(*std::move(shape));
  const MonitorShape& shared = monitor->shape->shape;
  if (version == MonitorVersion::since) {
    const auto missed = hosted->since(*last_id);
    std::string updates = missed ? shared.update(*missed) : shared.initial();
    if (updates.empty()) updates = "{}";
    client.reply(id_text, fmt::format("[{},\"{}\",{}]", missed.has_value(), hosted->last_id().to_string(), updates));
  } else {
    client.reply(id_text, shared.initial());
  }
  client.add_monitor(std::move(monitor));
}

void Server::monitor(Client& client, const json::value& params, const std::string& id_text) {
  add_monitor(client, MonitorVersion::plain, "monitor", params, id_text);
}

void Server::monitor_cond(Client& client, const json::value& params, const std::string& id_text) {
  add_monitor(client, MonitorVersion::conditional, "monitor_cond", params, id_text);
}

void Server::monitor_cond_since(Client& client, const json::value& params, const std::string& id_text) {
  add_monitor(client, MonitorVersion::since, "monitor_cond_since", params, id_text);
}

void Server::monitor_cond_change(Client& client, const json::value& params, const std::string& id_text) {
  const json::array* array = params.if_array();
  if (!array || array->size() != 3) {
    client.error(id_text, error_object("syntax error", "invalid parameters", &params));
    return;
  }
  auto it = client.monitors().find(id_key((*array)[0]));
  if (it == client.monitors().end()) {
    client.error(id_text, error_object("syntax error", "unknown monitor session", &(*array)[0]));
    return;
  }
  std::string new_id = id_key((*array)[1]);
  if (new_id != it->first && client.monitors().contains(new_id)) {
    client.error(id_text, error_object("syntax error", "duplicate monitor ID", &(*array)[1]));
    return;
  }
  if (it->second->shape->shape.version() == MonitorVersion::plain) {
    client.error(id_text, error_object("syntax error",
                                       "the monitor has no conditions: it was not made by monitor_cond or "
                                       "monitor_cond_since",
                                       &(*array)[0]));
    return;
  }
  client.catch_up();
  Hosted& hosted = *it->second->hosted;
  const std::shared_ptr<SharedShape> before = it->second->shape;
  auto shape = before->shape.with_conditions((*array)[2]);
  if (!shape) {
    client.error(id_text, text_of(shape.error()));
    return;
  }
  auto monitor = std::make_unique<ActiveMonitor>(ActiveMonitor{&client, &hosted, std::move(new_id), nullptr});
  monitor->shape = hosted.share(*std::move(shape));
  const MonitorShape& shared = monitor->shape->shape;
  const std::string updates = shared.condition_change(before->shape);
  if (!updates.empty()) {
    client.send(update_message(shared.version(), monitor->id_text, hosted.last_id(), updates));
  }
  client.remove_monitor(it->first);
  client.add_monitor(std::move(monitor));
  client.reply(id_text, "{}");
}

void Server::monitor_cancel(Client& client, const json::value& params, const std::string& id_text) {
  const json::array* array = params.if_array();
  if (!array || array->size() != 1) {
    client.error(id_text, "\"invalid parameters\"");
    return;
  }
  const std::string id = id_key(array->front());
  if (!client.monitors().contains(id)) {
    client.error(id_text, "\"unknown monitor\"");
    return;
  }
  client.catch_up();
  client.remove_monitor(id);
  client.reply(id_text, "{}");
}

void Server::cancel(Client& client, const json::value& id) {
  const std::string id_text = to_text(id);
  for (const auto& [name, hosted] : databases_) {
    for (auto it = hosted->waiting.begin(); it != hosted->waiting.end(); ++it) {
      if (it->account.client().get() != &client || it->id_text != id_text) continue;
      hosted->waiting.erase(it);
      client.error(id_text, "\"canceled\"");
      return;
    }
  }
}

void Server::convert(Client& client, const json::value& params, const std::string& id_text) {
  Hosted* hosted = database_of(client, "convert", params, id_text);
  if (!hosted) return;
  const json::array& array = params.get_array();
  if (array.size() != 2) {
    client.error(id_text, error_object("syntax error", "invalid parameters", &params));
    return;
  }
  auto schema = ovsdb::DatabaseSchema::from_json(array[1]);
  if (!schema) {
    client.error(id_text, text_of(schema.error()));
    return;
  }
  if (!hosted->storage || client.options().read_only) {
    client.error(id_text, error_object("not allowed",
                                       fmt::format("the database {} cannot be converted here", hosted->name())));
    return;
  }
  if ((*schema)->name != hosted->name()) {
    client.error(id_text, error_object("invalid parameters", fmt::format("the schema is of database {}, not of {}",
                                                                         (*schema)->name, hosted->name())));
    return;
  }
  auto converted = dbserver::convert(*hosted->database, *std::move(schema));
  if (!converted) {
    client.error(id_text, text_of(converted.error()));
    return;
  }
  if (auto stored = hosted->storage->replace((*converted)->snapshot(), "converted by ovsdb-server"); !stored) {
    client.error(id_text, error_object("I/O error", stored.error().message));
    return;
  }
  const std::shared_ptr<Hosted> kept = databases_.find(hosted->name())->second;
  withdraw(*hosted);
  flush_batch();
  hosted->replace(*std::move(converted));
  describe(*hosted);
  flush_batch();
  log.info("{}: converted to schema version {}", hosted->name(), hosted->database->schema().version);
  client.reply(id_text, "{}");
  hosted->changed = true;
  schedule_end();
  for (const auto& [id, other] : clients_) {
    if (!other->db_change_aware) other->finish();
  }
}

}  // namespace ovs::dbserver
