// monitor, monitor-cond and monitor-cond-since: the contents of tables and their changes as they
// come.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"
#include "base/uuid.h"
#include "ovsdb/condition.h"
#include "ovsdb_client/context.h"

namespace ovs::utilities::ovsdb_client {

namespace {

using ovsdb::ColumnSchema;
using ovsdb::DatabaseSchema;
using ovsdb::TableSchema;

enum class Method { monitor, cond, cond_since };

constexpr std::array<std::string_view, 4> kinds{"initial", "insert", "delete", "modify"};

struct MonitoredTable {
  const TableSchema* schema;
  std::vector<const ColumnSchema*> columns;  // in the order in which they are shown
  json::array requests;
};

// Reads the arguments "COLUMN[,COLUMN]..." that follow a table: each is a monitor request of its own.
class RequestReader {
 public:
  RequestReader(const DatabaseSchema& database, const TableSchema& table, const json::array* conditions)
      : database_(database), conditions_(conditions), out_{&table, {}, {}} {}

  Result<void> read(std::span<const std::string> groups) {
    if (groups.empty()) return read_group("");
    for (const auto& group : groups) OVS_TRY_DO(read_group(group));
    return {};
  }
  MonitoredTable take() { return std::move(out_); }

 private:
  Result<void> read_group(std::string_view text) {
    json::object select;
    std::vector<const ColumnSchema*> columns;
    for (std::string_view word : split_any(text, ",")) {
      if (word.starts_with('!')) {
        const std::string_view kind = word.substr(1);
        if (std::ranges::find(kinds, kind) == kinds.end()) {
          return unexpected(
              fmt::format("\"{}\": the changes to leave out are !initial, !insert, !delete and !modify", word));
        }
        select[kind] = false;
        continue;
      }
      OVS_TRY(const auto* column, find_column(database_, *out_.schema, word));
      columns.push_back(column);
    }
    if (columns.empty()) {
      for (const auto& column : out_.schema->columns) {
        if (column.index >= ovsdb::first_column) columns.push_back(&column);
      }
      columns.push_back(&out_.schema->columns[ovsdb::version_column]);
    }
    json::array names;
    for (const auto* column : columns) {
      if (!mentioned_.insert(column).second) {
        return unexpected(fmt::format("column \"{}\" mentioned multiple times", column->name));
      }
      out_.columns.push_back(column);
      names.emplace_back(column->name);
    }
    json::object request{{"columns", std::move(names)}};
    if (conditions_) request["where"] = *conditions_;
    if (!select.empty()) request["select"] = std::move(select);
    out_.requests.push_back(std::move(request));
    return {};
  }

  const DatabaseSchema& database_;
  const json::array* conditions_;
  MonitoredTable out_;
  std::set<const ColumnSchema*> mentioned_;
};

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
        begun = unexpected(fmt::format("{}: \"{}\" failed: {}", context_.server->name(), name, error_text(reply.value)));
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
      RequestReader reader{*schema_, table, conditions ? &*conditions : nullptr};
      OVS_TRY_DO(reader.read(words.subspan(1)));
      tables_.emplace(name, reader.take());
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
    OVS_TRY(const std::string tables, updates_text(updates, false));
    if (!tables.starts_with('\n')) line += '\n';
    return context_.print(line + tables);
  }

  Result<void> print_updates(const json::value& updates, bool initial) {
    OVS_TRY(const std::string text, updates_text(updates, initial));
    if (text.empty()) return {};
    return context_.print(text);
  }

  Result<std::string> updates_text(const json::value& updates, bool initial) {
    const auto* by_table = updates.if_object();
    if (!by_table) return unexpected("an update that is no object: " + to_text(updates));
    std::string text;
    for (const auto& [name, table] : tables_) {
      const auto* v = by_table->if_contains(name);
      if (!v) continue;
      const auto* rows = v->if_object();
      if (!rows) return unexpected("an update of " + name + " that is no object: " + to_text(*v));
      if (rows->empty()) continue;
      Table out{tables_.size() > 1 ? name : std::string{}};
      if (context_.settings.timestamp) out.set_timestamp(context_.loop.wall_now());
      out.add_column("row");
      out.add_column("action");
      for (const auto* column : table.columns) out.add_column(column->name);
      for (const auto& row : *rows) OVS_TRY_DO(add_row(out, table, row.key(), row.value(), initial));
      text += context_.printer.text(out);
    }
    return text;
  }

  Result<void> add_row(Table& out, const MonitoredTable& table, std::string_view uuid, const json::value& v,
                       bool initial) {
    const auto* change = v.if_object();
    if (!change) return unexpected(fmt::format("an update of row {} that is no object", uuid));
    if (method_ != Method::monitor) {
      for (const std::string_view kind : kinds) {
        if (const auto* columns = change->if_contains(kind)) return add_line(out, table, uuid, kind, *columns);
      }
      return unexpected(fmt::format("an update of row {} without its kind: {}", uuid, to_text(v)));
    }
    const auto* before = change->if_contains("old");
    const auto* after = change->if_contains("new");
    if (!before && !after) return unexpected(fmt::format("an update of row {} with neither old nor new", uuid));
    if (!before) return add_line(out, table, uuid, initial ? "initial" : "insert", *after);
    if (!after) return add_line(out, table, uuid, "delete", *before);
    OVS_TRY_DO(add_line(out, table, uuid, "old", *before));
    return add_line(out, table, "", "new", *after);
  }

  Result<void> add_line(Table& out, const MonitoredTable& table, std::string_view uuid, std::string_view action,
                        const json::value& columns) {
    const auto* values = columns.if_object();
    if (!values && !columns.is_null()) return unexpected("the columns of a row are no object: " + to_text(columns));
    out.add_row();
    out.add_cell(std::string(uuid));
    out.add_cell(std::string(action));
    for (const auto* column : table.columns) {
      const auto* v = values ? values->if_contains(column->name) : nullptr;
      if (!v) {
        out.add_empty_cell();
        continue;
      }
      // What changed in a set may be more, or less, than the set may hold.
      auto datum = ovsdb::Datum::from_json(column->type, *v, nullptr, false);
      if (!datum) {
        return unexpected(fmt::format("{}:{}: {}", table.schema->name, column->name, datum.error().to_string()));
      }
      out.add_cell(std::move(*datum), column->type);
    }
    return {};
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
      answer->error(error_text(r.value));
    });
  }

  Result<void> follow(ControlTable& controls) {
    OVS_TRY_DO(stay(context_, controls, [this] { return ended_; }));
    return std::move(result_);
  }

  Context& context_;
  const Method method_;
  std::shared_ptr<const DatabaseSchema> schema_;
  std::map<std::string, MonitoredTable, std::less<>> tables_;
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
