// Database schemas (RFC 7047 section 3.2): <database-schema>, <table-schema>, <column-schema>.
//
// Columns have indexes: 0 is _uuid, 1 is _version, then the declared ones in alphabetical order;
// a row stores the declared ones only, at index - first_column.
//
// Thread safety: immutable once built; shared by pointer.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ovsdb/error.h"
#include "ovsdb/type.h"

namespace ovs::ovsdb {

struct ColumnSchema {
  std::string name;
  ColumnType type;
  bool is_mutable = true;
  bool persistent = true;  // false: "ephemeral", need not be stored
  std::size_t index = 0;
};

inline constexpr std::size_t uuid_column = 0;
inline constexpr std::size_t version_column = 1;
inline constexpr std::size_t first_column = 2;

struct TableSchema {
  std::string name;
  std::vector<ColumnSchema> columns;  // [0] _uuid, [1] _version, then by name
  bool is_root = false;               // as effective: every table is if none says so
  bool declared_root = false;
  std::uint64_t max_rows = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::vector<std::size_t>> indexes;  // of column indexes

  const ColumnSchema* find(std::string_view column) const;
  static DbResult<TableSchema> from_json(std::string_view name, const json::value& v);
  // `default_is_root`: every table of the schema is in the root set, so that none need say so.
  json::object to_json(bool default_is_root) const;
};

struct DatabaseSchema {
  std::string name;
  std::string version;  // "x.y.z"
  std::string cksum;    // "", or "DIGITS DIGITS" as in the file
  std::map<std::string, TableSchema, std::less<>> tables;

  const TableSchema* find(std::string_view table) const;
  // Also checks that references name tables that exist, and names and versions their grammar.
  static DbResult<std::shared_ptr<const DatabaseSchema>> from_json(const json::value& v);
  json::object to_json() const;
};

// "unknown column": COLUMN is not one of the table's; `v` is where it was named.
Unexpected<DbError> unknown_column(const TableSchema& table, std::string_view column, const json::value& v);

// Reads a schema from a file; the message names the file.
Result<std::shared_ptr<const DatabaseSchema>> read_schema_file(const std::string& path);

// Compares two "x.y.z" versions; nothing if one is malformed.
std::optional<std::strong_ordering> compare_versions(std::string_view a, std::string_view b);
bool is_version(std::string_view s);
bool is_id(std::string_view s);  // RFC 7047 <id>

}  // namespace ovs::ovsdb
