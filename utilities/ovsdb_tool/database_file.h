// Database files as ovsdb-tool handles them: reading the schema alone, loading the whole, writing a
// new file that is either complete or not there.
//
// Errors name the file.
//
// Thread safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dbserver/database.h"
#include "dbserver/log_loader.h"
#include "ovsdb/log_file.h"
#include "ovsdb/schema.h"

namespace ovs::utilities::ovsdb_tool {

// How a file is kept; an error if it is no database.
Result<ovsdb::StorageModel> model_of(const std::string& path);

// The schema in the first record of a standalone database.
Result<std::shared_ptr<const ovsdb::DatabaseSchema>> schema_of(const std::string& path);

struct OpenDatabase {
  std::unique_ptr<ovsdb::File> file;
  dbserver::LoadedLog log;
};

// Loads a standalone database.  `for_writing`: takes its lock.  Says on standard error where a
// damaged end was left out.
Result<OpenDatabase> load(const std::string& path, bool for_writing);

// A new file with a database's schema and, unless it is empty, one record with JSON text.
Result<void> write_new_file(const std::string& path, const ovsdb::DatabaseSchema& schema, std::string_view record);

// Puts such a file in the place of `path`, whose lock the caller holds.
Result<void> replace_file(const std::string& path, const ovsdb::DatabaseSchema& schema, std::string_view record);

std::int64_t now_ms();

}  // namespace ovs::utilities::ovsdb_tool
