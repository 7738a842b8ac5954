// Loads a database from its log file.
//
// Thread safety: a function; the file belongs to it while it runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "dbserver/database.h"
#include "ovsdb/log_file.h"

namespace ovs::dbserver {

struct LoadedLog {
  std::unique_ptr<Database> database;
  std::uint64_t end = 0;          // of the last good record
  std::uint64_t transactions = 0;
  std::string damage;             // why reading stopped before the file's end; empty if it did not
};

Result<LoadedLog> load_log(ovsdb::File& file);

}  // namespace ovs::dbserver
