// MonitoredTable: one table of a monitor, from the words of the command line to its updates' text.
//
// Thread safety: values; a printer belongs to one thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ovsdb/schema.h"
#include "table.h"

namespace ovs::utilities::ovsdb_client {

struct MonitoredTable {
  const ovsdb::TableSchema* schema = nullptr;
  std::vector<const ovsdb::ColumnSchema*> columns;  // in the order in which they are shown
  json::array requests;  // RFC 7047 section 4.1.5, <monitor-request>s; "where" with conditions
};

// Reads the words that follow a table's name: each "COLUMN[,COLUMN]..." is a request of its own,
// with !initial, !insert, !delete and !modify for the changes to leave out.
Result<MonitoredTable> read_monitored_table(const ovsdb::DatabaseSchema& database, const ovsdb::TableSchema& table,
                                            std::span<const std::string> words, const json::array* conditions);

// By name.
using MonitoredTables = std::map<std::string, MonitoredTable, std::less<>>;

enum class UpdateForm {
  initial,      // <table-updates> of a reply to "monitor"
  update,       // <table-updates> of an "update" notification
  update2,      // <table-updates2> of "update2" and "update3" notifications, and of the replies before them
};

// The updates as tables, one after the other; empty where they hold no row.  `now`: what the
// tables are stamped with.
Result<std::string> updates_text(const MonitoredTables& tables, const json::value& updates, UpdateForm form,
                                 TablePrinter& printer, std::optional<std::chrono::system_clock::time_point> now);

}  // namespace ovs::utilities::ovsdb_client
