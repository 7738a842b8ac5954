// Names on the command line: tables and columns, and the nearest one for a name that is not there.
//
// Thread safety: pure functions.
#pragma once

#include <string_view>

#include "base/result.h"
#include "ovsdb/schema.h"

namespace ovs::utilities::ovsdb_client {

Result<const ovsdb::TableSchema*> find_table(const ovsdb::DatabaseSchema& schema, std::string_view name);
Result<const ovsdb::ColumnSchema*> find_column(const ovsdb::DatabaseSchema& schema,
                                               const ovsdb::TableSchema& table, std::string_view name);

}  // namespace ovs::utilities::ovsdb_client
