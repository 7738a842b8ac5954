#include "ovsdb_client/monitored_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "ovsdb_client/names.h"

namespace ovs::utilities::ovsdb_client {

namespace {

using ovsdb::ColumnSchema;
using ovsdb::DatabaseSchema;
using ovsdb::TableSchema;

constexpr std::array<std::string_view, 4> kinds{"initial", "insert", "delete", "modify"};

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

Result<void> add_row(Table& out, const MonitoredTable& table, std::string_view uuid, const json::value& v,
                     UpdateForm form) {
  const auto* change = v.if_object();
  if (!change) return unexpected(fmt::format("an update of row {} that is no object", uuid));
  if (form == UpdateForm::update2) {
    for (const std::string_view kind : kinds) {
      if (const auto* columns = change->if_contains(kind)) return add_line(out, table, uuid, kind, *columns);
    }
    return unexpected(fmt::format("an update of row {} without its kind: {}", uuid, to_text(v)));
  }
  const auto* before = change->if_contains("old");
  const auto* after = change->if_contains("new");
  if (!before && !after) return unexpected(fmt::format("an update of row {} with neither old nor new", uuid));
  if (!before) return add_line(out, table, uuid, form == UpdateForm::initial ? "initial" : "insert", *after);
  if (!after) return add_line(out, table, uuid, "delete", *before);
  OVS_TRY_DO(add_line(out, table, uuid, "old", *before));
  return add_line(out, table, "", "new", *after);
}

}  // namespace

Result<MonitoredTable> read_monitored_table(const DatabaseSchema& database, const TableSchema& table,
                                            std::span<const std::string> words, const json::array* conditions) {
  RequestReader reader{database, table, conditions};
  OVS_TRY_DO(reader.read(words));
  return reader.take();
}

Result<std::string> updates_text(const MonitoredTables& tables, const json::value& updates, UpdateForm form,
                                 TablePrinter& printer, std::optional<std::chrono::system_clock::time_point> now) {
  const auto* by_table = updates.if_object();
  if (!by_table) return unexpected("an update that is no object: " + to_text(updates));
  std::string text;
  for (const auto& [name, table] : tables) {
    const auto* v = by_table->if_contains(name);
    if (!v) continue;
    const auto* rows = v->if_object();
    if (!rows) return unexpected("an update of " + name + " that is no object: " + to_text(*v));
    if (rows->empty()) continue;
    Table out{tables.size() > 1 ? name : std::string{}};
    if (now) out.set_timestamp(*now);
    out.add_column("row");
    out.add_column("action");
    for (const auto* column : table.columns) out.add_column(column->name);
    for (const auto& row : *rows) OVS_TRY_DO(add_row(out, table, row.key(), row.value(), form));
    text += printer.text(out);
  }
  return text;
}

}  // namespace ovs::utilities::ovsdb_client
