// Names of tables, columns and records as users of ovs-vsctl write them, and the columns that
// the commands know by themselves.
//
// Thread safety: pure functions; the known schema is built once.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dbclient/replica.h"
#include "ovsdb/schema.h"

namespace ovs::vsctl {

// The version of the schema that the commands are written for.
inline constexpr std::string_view known_schema_version = "8.3.1";

// The columns that the commands for bridges, ports, controllers, ... use: these commands need not
// ask the server for its schema.
const std::vector<dbclient::TableDecl>& known_tables();
std::shared_ptr<const ovsdb::DatabaseSchema> known_schema();

// A table or column by its name, without regard to case, '-' for '_', or by a beginning that fits
// no other.
Result<const ovsdb::TableSchema*> find_table(const ovsdb::DatabaseSchema& schema, std::string_view name);
Result<const ovsdb::ColumnSchema*> find_column(const ovsdb::TableSchema& table, std::string_view name);

// How a row may be called other than by its UUID.
struct RecordName {
  std::string_view table;
  // Where the name stands: "" for the only row of the table, written ".".
  std::string_view name_table, name_column;
  // The column of name_table that refers to the row; "" where name_table is the table itself.
  std::string_view via;
};
std::span<const RecordName> record_names();

}  // namespace ovs::vsctl
