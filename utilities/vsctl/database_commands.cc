#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "vsctl/handlers.h"
#include "vsctl/schema.h"
#include "vsctl/values.h"

namespace ovs::vsctl {

namespace {

// The columns that list and find show: those of --columns, or all.
Result<std::vector<const ovsdb::ColumnSchema*>> shown_columns(Context& context, const TableSchema& table) {
  std::vector<const ovsdb::ColumnSchema*> out;
  auto option = context.invocation().value("--columns");
  if (!option) {
    for (const ovsdb::ColumnSchema& c : table.columns)
      if (c.index != ovsdb::version_column) out.push_back(&c);
    return out;
  }
  for (std::string_view name : split_any(*option, ", ")) {
    OVS_TRY(const ovsdb::ColumnSchema* column, find_column(table, name));
    out.push_back(column);
  }
  if (out.empty()) return unexpected("must specify at least one column name");
  return out;
}

std::vector<std::string> names_of(std::span<const ovsdb::ColumnSchema* const> columns) {
  std::vector<std::string> out;
  for (const auto* c : columns) out.push_back(c->name);
  return out;
}

void begin_table(Context& context, std::span<const ovsdb::ColumnSchema* const> columns) {
  context.table.emplace();
  for (const auto* column : columns) context.table->add_column(column->name);
}

void add_row(Context& context, Row* row, std::span<const ovsdb::ColumnSchema* const> columns) {
  context.table->add_row();
  for (const auto* column : columns)
    context.table->add_cell(context.view().get(row, column->name), column->type);
}

// The columns that conditions look at.
void add_condition_columns(const TableSchema& table, std::span<const std::string> conditions,
                           std::vector<std::string>& columns) {
  for (const std::string& condition : conditions)
    if (auto parts = split_condition(table, condition)) columns.push_back(parts->column->name);
}

}  // namespace

void prepare_record(Context& context) {
  auto table = table_argument(context, context.arg(0));
  if (!table || context.count() < 2) return;
  // What set, get, add, ... name behind the record, as far as it can be understood now.
  std::vector<std::string> columns;
  for (const std::string& argument : context.args_from(2)) {
    auto end = argument.find_first_of(":=, []{}!<>");
    if (auto column = find_column(**table, std::string_view(argument).substr(0, end)))
      columns.push_back((*column)->name);
  }
  fetch_record(context, **table, context.arg(1), columns);
}

void prepare_list(Context& context) {
  auto table = table_argument(context, context.arg(0));
  if (!table) return;
  auto columns = shown_columns(context, **table);
  if (!columns) return;
  if (context.count() == 1) context.fetch(Query::all((*table)->name, names_of(*columns)));
  for (const std::string& record : context.args_from(1)) fetch_record(context, **table, record, names_of(*columns));
}

void prepare_find(Context& context) {
  auto table = table_argument(context, context.arg(0));
  if (!table) return;
  auto shown = shown_columns(context, **table);
  if (!shown) return;
  auto columns = names_of(*shown);
  add_condition_columns(**table, context.args_from(1), columns);
  context.fetch(Query::all((*table)->name, columns));
}

Result<void> run_list(Context& context) {
  OVS_TRY(const TableSchema* table, table_argument(context, context.arg(0)));
  OVS_TRY(auto columns, shown_columns(context, *table));
  begin_table(context, columns);
  if (context.count() == 1) {
    for (Row* row : context.view().find(Query::all(table->name, names_of(columns)))) add_row(context, row, columns);
    return {};
  }
  for (const std::string& name : context.args_from(1)) {
    OVS_TRY(Row* row, get_record(context, *table, name, !context.has("--if-exists")));
    if (row) add_row(context, row, columns);
  }
  return {};
}

Result<void> run_find(Context& context) {
  OVS_TRY(const TableSchema* table, table_argument(context, context.arg(0)));
  OVS_TRY(auto columns, shown_columns(context, *table));
  begin_table(context, columns);
  auto conditions = context.args_from(1);
  // A table without rows does not make a wrong condition right.
  for (const std::string& condition : conditions) OVS_TRY_DO(split_condition(*table, condition));
  for (Row* row : context.view().find(Query::all(table->name, names_of(columns)))) {
    bool matches = true;
    for (const std::string& condition : conditions) {
      OVS_TRY(matches, satisfies(context, row, {}, condition));
      if (!matches) break;
    }
    if (matches) add_row(context, row, columns);
  }
  return {};
}

Result<void> run_get(Context& context) {
  bool must_exist = !context.has("--if-exists");
  auto id = context.invocation().value("--id");
  if (id && !must_exist) return unexpected("--if-exists and --id may not be specified together");
  OVS_TRY(const TableSchema* table, table_argument(context, context.arg(0)));
  OVS_TRY(Row* row, get_record(context, *table, context.arg(1), must_exist));
  if (!row) return {};
  if (id) context.attempt().names[*id] = row;

  for (const std::string& argument : context.args_from(2)) {
    OVS_TRY(ArgumentParts parts, split_argument(*table, argument, {}));
    if (!parts.rest.empty())
      return unexpected(fmt::format("{}: trailing garbage \"{}\" in argument", argument, parts.rest));
    const ovsdb::ColumnSchema* column = parts.column;
    Datum value = context.view().get(row, column->name);
    if (!parts.key) {
      context.print(value.to_text(column->type));
      continue;
    }
    if (!column->type.is_map())
      return unexpected(fmt::format("cannot specify key to get for non-map column {}", column->name));
    OVS_TRY(Atom key, about(key_atom(context, column->type, *parts.key),
                            {*table, context.arg(1), *column, parts.written}));
    if (auto at = value.find(key)) {
      context.print(value.value(*at).to_text());
    } else if (must_exist) {
      return unexpected(fmt::format("no key \"{}\" in {} record \"{}\" column {}", *parts.key, table->name,
                                    context.arg(1), column->name));
    } else {
      context.print("");
    }
  }
  return {};
}

Result<void> run_wait_until(Context& context) {
  OVS_TRY(const TableSchema* table, table_argument(context, context.arg(0)));
  auto conditions = context.args_from(2);
  std::vector<std::string> columns;
  for (const std::string& condition : conditions) {
    OVS_TRY(ArgumentParts parts, split_condition(*table, condition));
    columns.push_back(parts.column->name);
  }
  OVS_TRY(Row* row, find_record(context, *table, context.arg(1)));
  bool matches = row != nullptr;
  for (const std::string& condition : conditions) {
    if (!matches) break;
    OVS_TRY(matches, satisfies(context, row, context.arg(1), condition));
  }
  if (matches) return {};

  // Not yet: the columns that decide it, of the row's table, are watched.
  dbclient::TableDecl watched{table->name, {}};
  json::array condition;
  for (const RecordName& r : record_names()) {
    if (r.table != table->name || r.name_table != table->name) continue;
    columns.emplace_back(r.name_column);
    const ovsdb::ColumnSchema* name = table->find(r.name_column);
    if (!name || name->type.key.type != AtomType::string || Uuid::is_partial(context.arg(1))) continue;
    condition.push_back(json::array{json::value(name->name), "==", json::value(context.arg(1))});
  }
  std::ranges::sort(columns);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  for (const std::string& name : columns)
    if (const auto* c = table->find(name); c->index >= ovsdb::first_column)
      watched.columns.push_back({c->name, c->type});
  context.attempt().waits_for = std::move(watched);
  context.attempt().waits_for_condition = std::move(condition);
  return {};
}

Result<void> run_comment(Context&) {
  // The call, and with it this command's words, are the comment of every transaction.
  return {};
}

}  // namespace ovs::vsctl
