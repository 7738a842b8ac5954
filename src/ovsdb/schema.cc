#include "ovsdb/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "base/result.h"
#include "base/text.h"
#include "ovsdb/members.h"

namespace ovs::ovsdb {

namespace {

ColumnSchema internal_column(std::string_view name, std::size_t index) {
  ColumnSchema column;
  column.name = name;
  column.type.key.type = AtomType::uuid;
  column.is_mutable = false;
  column.persistent = false;
  column.index = index;
  return column;
}

DbResult<void> check_name(std::string_view name, std::string_view what, const json::value& v) {
  if (!is_id(name)) return syntax_error(v, fmt::format("name must be a valid id: \"{}\"", name));
  if (name[0] == '_')
    return syntax_error(v, fmt::format("names beginning with \"_\" are reserved: {} \"{}\"", what, name));
  return {};
}

DbResult<ColumnSchema> read_column(std::string_view name, const json::value& v) {
  OVS_TRY(Members m, Members::of(v, fmt::format("schema for column {}", name)));
  ColumnSchema column;
  column.name = name;
  OVS_TRY(auto is_mutable, m.optional_boolean("mutable"));
  OVS_TRY(auto ephemeral, m.optional_boolean("ephemeral"));
  OVS_TRY(const json::value* type, m.required("type"));
  OVS_TRY_DO(m.finish());
  OVS_TRY(column.type, ColumnType::from_json(*type));
  column.persistent = !ephemeral.value_or(false);
  // The server itself removes weak references to deleted rows: such a column cannot be immutable.
  column.is_mutable = is_mutable.value_or(true) || column.type.key.is_weak_ref() || column.type.value.is_weak_ref();
  return column;
}

json::object column_to_json(const ColumnSchema& column) {
  json::object o;
  if (!column.persistent) o["ephemeral"] = true;
  if (!column.is_mutable) o["mutable"] = false;
  o["type"] = column.type.to_json();
  return o;
}

DbResult<std::vector<std::size_t>> read_index(const TableSchema& table, const json::value& v) {
  std::vector<std::size_t> index;
  const json::array* names = v.if_array();
  if (!names || names->empty()) return syntax_error(v, "index must have at least one column");
  for (const json::value& element : *names) {
    auto name = as_string(element);
    const ColumnSchema* column = name ? table.find(*name) : nullptr;
    if (!column || column->index < first_column)
      return syntax_error(v, fmt::format("{} is not a valid column name", name ? *name : "an index's element"));
    if (!column->persistent)
      return syntax_error(v, fmt::format("ephemeral columns (such as {}) may not be indexed", column->name));
    if (std::find(index.begin(), index.end(), column->index) != index.end())
      return syntax_error(v, "array of distinct column names expected");
    index.push_back(column->index);
  }
  return index;
}

DbResult<void> check_reference(const BaseType& type, const ColumnSchema& column, const TableSchema& table,
                               const DatabaseSchema& schema) {
  if (type.is_ref() && !schema.find(type.ref_table))
    return db_error("syntax error", fmt::format("Table {} column {} refers to table {}, which does not exist.",
                                                table.name, column.name, type.ref_table));
  return {};
}

}  // namespace

bool is_id(std::string_view s) {
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (s.empty() || !is_letter(s[0])) return false;
  return std::all_of(s.begin(), s.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

namespace {

std::optional<std::array<std::uint64_t, 3>> parse_version(std::string_view s) {
  auto parts = split(s, '.');
  if (parts.size() != 3) return std::nullopt;
  std::array<std::uint64_t, 3> version{};
  for (std::size_t i = 0; i < 3; ++i) {
    bool digits = !parts[i].empty() && parts[i].find_first_not_of("0123456789") == std::string_view::npos;
    auto n = digits ? parse_integer(parts[i]) : std::nullopt;
    if (!n) return std::nullopt;
    version[i] = static_cast<std::uint64_t>(*n);
  }
  return version;
}

}  // namespace

bool is_version(std::string_view s) { return parse_version(s).has_value(); }

std::optional<std::strong_ordering> compare_versions(std::string_view a, std::string_view b) {
  auto x = parse_version(a), y = parse_version(b);
  if (!x || !y) return std::nullopt;
  return *x <=> *y;
}

Unexpected<DbError> unknown_column(const TableSchema& table, std::string_view column, const json::value& v) {
  return error_about(v, "unknown column", fmt::format("No column {} in table {}.", column, table.name));
}

// --- tables

const ColumnSchema* TableSchema::find(std::string_view column) const {
  if (column == columns[uuid_column].name) return &columns[uuid_column];
  if (column == columns[version_column].name) return &columns[version_column];
  auto first = columns.begin() + first_column;
  auto at = std::lower_bound(first, columns.end(), column,
                             [](const ColumnSchema& c, std::string_view name) { return c.name < name; });
  return at != columns.end() && at->name == column ? &*at : nullptr;
}

DbResult<TableSchema> TableSchema::from_json(std::string_view name, const json::value& v) {
  OVS_TRY_DO(check_name(name, "table", v));
  OVS_TRY(Members m, Members::of(v, fmt::format("table schema for table {}", name)));
  TableSchema table;
  table.name = name;
  table.columns = {internal_column("_uuid", uuid_column), internal_column("_version", version_column)};

  OVS_TRY(const json::object* columns, m.required_object("columns"));
  OVS_TRY(auto is_root, m.optional_boolean("isRoot"));
  OVS_TRY(auto max_rows, m.optional_integer("maxRows"));
  OVS_TRY(const json::array* indexes, m.optional_array("indexes"));
  OVS_TRY(auto tables_mutable, m.optional_boolean("mutable"));
  (void)tables_mutable;  // old schemas say it of whole tables; it never had a meaning
  OVS_TRY_DO(m.finish());

  if (columns->empty()) return syntax_error(v, "table must have at least one column");
  if (max_rows) {
    if (*max_rows <= 0) return syntax_error(v, "maxRows must be at least 1");
    // Peers count rows in 32 bits: what they would hold without a limit is without one here.
    if (*max_rows < std::int64_t{0xffffffff}) table.max_rows = static_cast<std::uint64_t>(*max_rows);
  }
  table.is_root = table.declared_root = is_root.value_or(false);

  for (const auto& member : *columns) {
    std::string_view column_name(member.key().data(), member.key().size());
    OVS_TRY_DO(check_name(column_name, "column", v));
    OVS_TRY(ColumnSchema column, read_column(column_name, member.value()));
    table.columns.push_back(std::move(column));
  }
  std::sort(table.columns.begin() + first_column, table.columns.end(),
            [](const ColumnSchema& a, const ColumnSchema& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].index = i;

  if (indexes) {
    for (const json::value& element : *indexes) {
      OVS_TRY(auto index, read_index(table, element));
      table.indexes.push_back(std::move(index));
    }
  }
  return table;
}

json::object TableSchema::to_json(bool default_is_root) const {
  json::object o;
  json::object columns_json;
  for (std::size_t i = first_column; i < columns.size(); ++i)
    columns_json[columns[i].name] = column_to_json(columns[i]);
  o["columns"] = std::move(columns_json);
  if (!indexes.empty()) {
    json::array all;
    for (const auto& index : indexes) {
      json::array names;
      for (std::size_t column : index) names.push_back(json::value(columns[column].name));
      all.push_back(std::move(names));
    }
    o["indexes"] = std::move(all);
  }
  if (is_root && !default_is_root) o["isRoot"] = true;
  if (max_rows != std::numeric_limits<std::uint64_t>::max()) o["maxRows"] = static_cast<std::int64_t>(max_rows);
  return o;
}

// --- databases

const TableSchema* DatabaseSchema::find(std::string_view table) const {
  auto at = tables.find(table);
  return at == tables.end() ? nullptr : &at->second;
}

DbResult<std::shared_ptr<const DatabaseSchema>> DatabaseSchema::from_json(const json::value& v) {
  OVS_TRY(Members m, Members::of(v, "database schema"));
  auto schema = std::make_shared<DatabaseSchema>();
  OVS_TRY(schema->name, m.required_string("name"));
  if (!is_id(schema->name)) return m.wrong_type("name");
  OVS_TRY(auto version, m.optional_string("version"));
  OVS_TRY(auto cksum, m.optional_string("cksum"));
  OVS_TRY(const json::object* tables, m.required_object("tables"));
  OVS_TRY_DO(m.finish());
  if (version) {
    if (!is_version(*version))
      return syntax_error(v, fmt::format("schema version \"{}\" not in format x.y.z", *version));
    schema->version = *version;
  }
  if (cksum) schema->cksum = *cksum;

  bool any_root = false;
  for (const auto& member : *tables) {
    const std::string_view table_name(member.key().data(), member.key().size());
    OVS_TRY(TableSchema table, TableSchema::from_json(table_name, member.value()));
    any_root |= table.declared_root;
    std::string name = table.name;
    schema->tables.emplace(std::move(name), std::move(table));
  }
  for (auto& [name, table] : schema->tables) {
    if (!any_root) table.is_root = true;
    for (const ColumnSchema& column : table.columns) {
      OVS_TRY_DO(check_reference(column.type.key, column, table, *schema));
      OVS_TRY_DO(check_reference(column.type.value, column, table, *schema));
    }
  }
  return std::shared_ptr<const DatabaseSchema>(std::move(schema));
}

json::object DatabaseSchema::to_json() const {
  bool all_root = std::all_of(tables.begin(), tables.end(), [](const auto& t) { return t.second.is_root; });
  json::object o;
  if (!cksum.empty()) o["cksum"] = cksum;
  o["name"] = name;
  json::object tables_json;
  for (const auto& [table_name, table] : tables) tables_json[table_name] = table.to_json(all_root);
  o["tables"] = std::move(tables_json);
  if (!version.empty()) o["version"] = version;
  return o;
}

Result<std::shared_ptr<const DatabaseSchema>> read_schema_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unexpected{system_error("reading schema " + path, errno ? errno : EIO)};
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return Unexpected{system_error("reading schema " + path, EIO)};
  auto v = parse_json(text.view());
  if (!v) return Unexpected{std::move(v).error().in(path)};
  auto schema = DatabaseSchema::from_json(*v);
  if (!schema) return unexpected(path + ": " + schema.error().to_string());
  return std::move(*schema);
}

}  // namespace ovs::ovsdb
