#include <fmt/core.h>

#include "base/text.h"
#include "vsctl/handlers.h"
#include "vsctl/schema.h"
#include "vsctl/values.h"

namespace ovs::vsctl {

namespace {

// The table and row of "TABLE RECORD ..."; null without an error where --if-exists excuses it.
Result<Row*> record_argument(Context& context) {
  OVS_TRY(const TableSchema* table, table_argument(context, context.arg(0)));
  return get_record(context, *table, context.arg(1), !context.has("--if-exists"));
}

// A change is meant for the row that was found by its name, and for no other.
void rely_on(Context& context, Row* row) {
  for (const RecordName& r : record_names())
    if (r.table == row->table().name && r.name_table == r.table && r.via.empty())
      context.view().verify(row, r.name_column);
}

Error count_error(std::string_view operation, std::size_t n, const Row* row,
                  const ovsdb::ColumnSchema& column) {
  bool few = n < column.type.min;
  return {fmt::format("\"{}\" operation would put {} {} in column {} of table {} but the {} number is {}",
                      operation, n, column.type.is_map() ? "pairs" : "values", column.name, row->table().name,
                      few ? "minimum" : "maximum", few ? column.type.min : column.type.max)};
}

// The type of an argument that adds to, or takes from, a column: any number of its elements.
ovsdb::ColumnType any_number(ovsdb::ColumnType type) {
  type.min = 1;
  type.max = ovsdb::ColumnType::unlimited;
  return type;
}

}  // namespace

Result<void> run_set(Context& context) {
  OVS_TRY(Row* row, record_argument(context));
  if (!row) return {};
  rely_on(context, row);
  for (const std::string& setting : context.args_from(2)) OVS_TRY_DO(set_column(context, row, context.arg(1), setting));
  return {};
}

Result<void> run_add(Context& context) {
  View& view = context.view();
  OVS_TRY(Row* row, record_argument(context));
  if (!row) return {};
  OVS_TRY(const ovsdb::ColumnSchema* column, find_column(row->table(), context.arg(2)));
  const ValuePlace place{row->table(), context.arg(1), *column, context.arg(2)};
  OVS_TRY_DO(check_mutable(row, *column));
  rely_on(context, row);
  Datum value = view.get(row, column->name);
  for (const std::string& argument : context.args_from(3)) {
    OVS_TRY(Datum added, about(parse_value(context, any_number(column->type), argument), place));
    value.unite(added, true);
    if (value.size() > column->type.max)
      return Unexpected{count_error("add", value.size(), row, *column)};
    if (column->type.is_scalar()) continue;  // it is there already
    view.insert_elements(row, column->name, added);
  }
  return {};
}

Result<void> run_remove(Context& context) {
  View& view = context.view();
  OVS_TRY(Row* row, record_argument(context));
  if (!row) return {};
  OVS_TRY(const ovsdb::ColumnSchema* column, find_column(row->table(), context.arg(2)));
  const ValuePlace place{row->table(), context.arg(1), *column, context.arg(2)};
  OVS_TRY_DO(check_mutable(row, *column));
  rely_on(context, row);
  const ovsdb::ColumnType& type = column->type;
  Datum value = view.get(row, column->name);
  Datum gone(type.key.type);
  for (const std::string& argument : context.args_from(3)) {
    ovsdb::ColumnType keys = any_number(type);
    auto elements = parse_value(context, keys, argument);
    if (!elements && type.is_map()) {
      // Only keys.
      keys.value = {};
      elements = parse_value(context, keys, argument);
    }
    if (!elements) return Unexpected{about(std::move(elements.error()), place)};
    for (std::size_t i = 0; i < elements->size(); i++) {
      auto at = value.find(elements->key(i));
      if (!at || (elements->is_map() && value.value(*at) != elements->value(i))) continue;
      gone.insert(Atom(elements->key(i)));
    }
  }
  std::size_t left = value.size() - gone.size();
  if (left < type.min) return Unexpected{count_error("remove", left, row, *column)};
  if (!gone.empty()) view.erase_elements(row, column->name, gone);
  return {};
}

Result<void> run_clear(Context& context) {
  View& view = context.view();
  OVS_TRY(Row* row, record_argument(context));
  if (!row) return {};
  rely_on(context, row);
  for (const std::string& name : context.args_from(2)) {
    OVS_TRY(const ovsdb::ColumnSchema* column, find_column(row->table(), name));
    OVS_TRY_DO(check_mutable(row, *column));
    if (column->type.min > 0)
      return unexpected(
          fmt::format("\"clear\" operation cannot be applied to column {} of table {}, which is not allowed to "
                      "be empty",
                      column->name, row->table().name));
    view.get(row, column->name);
    view.set(row, column->name, Datum(column->type.key.type, column->type.value.type));
  }
  return {};
}

Result<void> run_create(Context& context) {
  View& view = context.view();
  auto& attempt = context.attempt();
  OVS_TRY(const TableSchema* table, table_argument(context, context.arg(0)));
  auto id = context.invocation().value("--id");
  if (!id && !table->is_root)
    attempt.warnings.push_back(
        fmt::format("applying \"create\" command to table {} without --id option will have no effect",
                    table->name));
  Row* row = nullptr;
  if (!id) {
    row = view.insert(table->name);
  } else if (auto uuid = Uuid::parse(*id)) {
    row = view.insert_chosen(table->name, *uuid);
  } else {
    OVS_TRY(Uuid placeholder, resolve_name(context, *id));
    row = view.insert_as(table->name, placeholder);
    attempt.names[*id] = row;
  }
  for (const std::string& setting : context.args_from(1)) OVS_TRY_DO(set_column(context, row, {}, setting));
  context.print(row->uuid().to_string());
  return {};
}

Result<void> run_destroy(Context& context) {
  View& view = context.view();
  OVS_TRY(const TableSchema* table, table_argument(context, context.arg(0)));
  bool all = context.has("--all");
  std::vector<Row*> rows;
  if (all && context.count() > 1)
    return unexpected("--all and records argument should not be specified together");
  if (all && context.has("--if-exists"))
    return unexpected("--all and --if-exists should not be specified together");
  if (!all && context.count() == 1)
    context.attempt().warnings.push_back("either --all or records argument should be specified");
  if (all) rows = view.find(Query::all(table->name));
  for (const std::string& name : context.args_from(1)) {
    OVS_TRY(Row* row, get_record(context, *table, name, !context.has("--if-exists")));
    if (row) rows.push_back(row);
  }
  // In other tables, a row lives as long as something refers to it.
  if (table->is_root)
    for (Row* row : rows) view.erase(row);
  return {};
}

}  // namespace ovs::vsctl
