#include "ovsdb_client/names.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace ovs::utilities::ovsdb_client {

Result<const ovsdb::TableSchema*> find_table(const ovsdb::DatabaseSchema& schema, std::string_view name) {
  if (const auto* table = schema.find(name)) return table;
  std::string text = fmt::format("{} does not have a table named \"{}\"", schema.name, name);
  std::vector<std::string_view> names;
  for (const auto& [known, table] : schema.tables) names.push_back(known);
  if (const auto near = nearest(name, names)) text += fmt::format("; did you mean {}?", *near);
  return unexpected(std::move(text));
}

Result<const ovsdb::ColumnSchema*> find_column(const ovsdb::DatabaseSchema& schema,
                                               const ovsdb::TableSchema& table, std::string_view name) {
  if (const auto* column = table.find(name)) return column;
  std::string text =
      fmt::format("table \"{}\" in {} does not have a column named \"{}\"", table.name, schema.name, name);
  std::vector<std::string_view> names;
  for (const auto& column : table.columns) names.push_back(column.name);
  if (const auto near = nearest(name, names)) text += fmt::format("; did you mean {}?", *near);
  return unexpected(std::move(text));
}

}  // namespace ovs::utilities::ovsdb_client
