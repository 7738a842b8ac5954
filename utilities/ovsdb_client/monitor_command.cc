// monitor, monitor-cond and monitor-cond-since: the contents of tables and their changes as they
// come.
#include <fmt/format.h>

#include <optional>

#include "base/uuid.h"
#include "ovsdb/condition.h"
#include "ovsdb/error.h"
#include "ovsdb_client/context.h"
#include "ovsdb_client/monitored_table.h"

namespace ovs::utilities::ovsdb_client {

namespace {

using ovsdb::DatabaseSchema;

enum class Method { monitor, cond, cond_since };

class Monitor {
 public:
  Monitor(Context& context, Method method) : context_(context), method_(method) {}

  Result<void> run() {
    OVS_TRY(schema_, context_.get_schema());
    OVS_TRY_DO(read_arguments());
    OVS_TRY_DO(context_.set_db_change_aware(true));

    json::object requests;
    for (const auto& [name, table] : tables_) requests[name] = table.requests;
    json::array params{context_.database, id_, std::move(requests)};
    std::string_view name = "monitor";
    if (method_ == Method::cond) name = "monitor_cond";
    if (method_ == Method::cond_since) {
      name = "monitor_cond_since";
      params.emplace_back(last_id_.to_string());
    }
    context_.server->on_message = [this](const rpc::Message& m) { receive(m); };
    // The first contents are printed when the reply comes: an update right behind it must not
    // overtake it.
    std::optional<Result<void>> begun;
    context_.server->request(name, to_text(params), [&](Reply&& reply) {
      if (!reply.ok) {
        begun = unexpected(
            fmt::format("{}: \"{}\" failed: {}", context_.server->name(), name, ovsdb::error_text(reply.value)));
      } else {
        begun = print_initial(reply.value);
      }
    });
    OVS_TRY_DO(context_.server->wait_until(
        [&] { return begun.has_value(); },
        fmt::format("the contents of {} from {}", context_.database, context_.server->name())));
    OVS_TRY_DO(std::move(*begun));

    ControlTable controls;
    add_controls(controls);
    OVS_TRY_DO(follow(controls));
    return {};
  }

 private:
  Result<void> read_arguments() {
    std::span<const std::string> words = context_.arguments;
    if (method_ == Method::cond_since && words.size() > 2) {
      if (const auto id = Uuid::parse(words[0])) {
        last_id_ = *id;
        words = words.subspan(1);
      }
    }
    std::optional<json::array> conditions;
    if (method_ != Method::monitor) {
      auto v = parse_json(words[0]);
      if (!v) return Unexpected{std::move(v).error().in(fmt::format("condition \"{}\"", words[0]))};
      if (!v->is_array()) return unexpected(fmt::format("condition \"{}\": must be a JSON array", words[0]));
      conditions = std::move(v->get_array());
      words = words.subspan(1);
    }
    const bool all = method_ == Method::monitor && words[0] == "ALL" && !schema_->find("ALL");
    for (const auto& [name, table] : schema_->tables) {
      if (!all && name != words[0]) continue;
      if (conditions) {
        if (auto ok = ovsdb::Condition::from_json(table, *conditions, nullptr); !ok) {
          return unexpected(ok.error().to_string());
        }
      }
      OVS_TRY(tables_[name],
              read_monitored_table(*schema_, table, words.subspan(1), conditions ? &*conditions : nullptr));
    }
    if (tables_.empty() && !all) OVS_TRY_DO(find_table(*schema_, words[0]));
    return {};
  }

  // Notifications that come while the loop runs; the first that goes wrong ends the program.
  void receive(const rpc::Message& m) {
    if (!result_) return;
    const auto* params = m.params.if_array();
    const std::size_t n = params ? params->size() : 0;
    if (m.method == "update" && n >= 2) {
      result_ = print_updates((*params)[1], false);
    } else if (m.method == "update2" && n >= 2) {
      result_ = print_updates((*params)[1], false);
    } else if (m.method == "update3" && n >= 3) {
      const auto id = as_string((*params)[1]);
      result_ = print_after_line(fmt::format("\nlast_id: {}", id ? *id : "?"), (*params)[2]);
    } else if (m.method == "monitor_canceled") {
      result_ = unexpected(fmt::format("{}: {} database was removed", context_.server->name(), context_.database));
    }
    if (!result_) ended_ = true;
  }

  Result<void> print_initial(const json::value& reply) {
    if (method_ != Method::cond_since) return print_updates(reply, true);
    const auto* parts = reply.if_array();
    if (!parts || parts->size() != 3) return unexpected("the reply to \"monitor_cond_since\" has no three elements");
    const auto id = as_string((*parts)[1]);
    OVS_TRY_DO(context_.print(fmt::format("found: {}, last_id: {}\n", to_text((*parts)[0]), id ? *id : "?")));
    return print_updates((*parts)[2], true);
  }

  // A line in front of the tables, which begin on a line of their own.
  Result<void> print_after_line(std::string line, const json::value& updates) {
    OVS_TRY(const std::string tables, text_of(updates, false));
    if (!tables.starts_with('\n')) line += '\n';
    return context_.print(line + tables);
  }

  Result<void> print_updates(const json::value& updates, bool initial) {
    OVS_TRY(const std::string text, text_of(updates, initial));
    if (text.empty()) return {};
    return context_.print(text);
  }

  Result<std::string> text_of(const json::value& updates, bool initial) {
    UpdateForm form = UpdateForm::update2;
    if (method_ == Method::monitor) form = initial ? UpdateForm::initial : UpdateForm::update;
    std::optional<std::chrono::system_clock::time_point> now;
    if (context_.settings.timestamp) now = context_.loop.wall_now();
    return updates_text(tables_, updates, form, context_.printer, now);
  }

  void add_controls(ControlTable& controls) {
    controls.add({"ovsdb-client/block", "", "stop reading from the server", "", Access::read_write},
                 [this](std::span<const std::string>) -> Result<std::string> {
                   context_.server->pause(true);
                   return std::string();
                 });
    controls.add({"ovsdb-client/unblock", "", "read from the server again", "", Access::read_write},
                 [this](std::span<const std::string>) -> Result<std::string> {
                   context_.server->pause(false);
                   return std::string();
                 });
    if (method_ == Method::monitor) return;
    controls.add({"ovsdb-client/cond_change", "TABLE CONDITIONS", "change a table's conditions", "",
                  Access::read_write},
                 [this](std::span<const std::string> words, ControlReply reply) {
                   change_condition(words[0], words[1], std::move(reply));
                 });
  }

  void change_condition(const std::string& name, const std::string& text, ControlReply reply) {
    const auto table = tables_.find(name);
    if (table == tables_.end()) return reply.error(fmt::format("table \"{}\" is not monitored", name));
    auto conditions = parse_json(text);
    if (!conditions) return reply.error(conditions.error().message);
    if (auto ok = ovsdb::Condition::from_json(*table->second.schema, *conditions, nullptr); !ok) {
      return reply.error(ok.error().to_string());
    }
    const json::array params{id_, id_, json::object{{name, json::array{json::object{{"where", *conditions}}}}}};
    auto answer = std::make_shared<ControlReply>(std::move(reply));
    context_.server->request("monitor_cond_change", to_text(params), [answer](Reply&& r) {
      if (r.ok) return answer->ok();
      answer->error(ovsdb::error_text(r.value));
    });
  }

  Result<void> follow(ControlTable& controls) {
    OVS_TRY_DO(stay(context_, controls, [this] { return ended_; }));
    return std::move(result_);
  }

  Context& context_;
  const Method method_;
  std::shared_ptr<const DatabaseSchema> schema_;
  MonitoredTables tables_;
  Uuid last_id_;
  json::array id_{"ovsdb-client", context_.database};
  Result<void> result_;
  bool ended_ = false;
};

}  // namespace

Result<void> monitor(Context& context) { return Monitor{context, Method::monitor}.run(); }
Result<void> monitor_cond(Context& context) { return Monitor{context, Method::cond}.run(); }
Result<void> monitor_cond_since(Context& context) { return Monitor{context, Method::cond_since}.run(); }

}  // namespace ovs::utilities::ovsdb_client
