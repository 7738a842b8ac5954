// Monitors: what a client wants to know of a database, and the text of the updates that tell it
// (RFC 7047 sections 4.1.5 and 4.1.6; ovsdb-server(7) sections 4.1.12 to 4.1.16).
//
// A MonitorShape is everything that decides about an update's text but the client's name for the
// monitor.  Clients with equal wishes share one shape, so that a change is turned into text once
// for all of them.
//
// Thread safety: belongs to the database's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "dbserver/change.h"
#include "dbserver/database.h"
#include "ovsdb/condition.h"
#include "ovsdb/error.h"

namespace ovs::dbserver {

enum class MonitorVersion : std::uint8_t {
  plain,        // monitor, update
  conditional,  // monitor_cond, update2
  since,        // monitor_cond_since, update3
};

class MonitorShape {
 public:
  // `requests`: <monitor-requests> or <monitor-cond-requests>.
  static ovsdb::DbResult<MonitorShape> parse(const Database& database, const json::value& requests,
                                             MonitorVersion version);
  // The same with new conditions: <monitor-cond-update-requests>.
  ovsdb::DbResult<MonitorShape> with_conditions(const json::value& requests) const;

  MonitorVersion version() const { return version_; }
  // Equal for equal shapes of one database.
  const std::string& key() const { return key_; }

  // <table-updates> or <table-updates2> about the present rows.
  std::string initial() const;
  // About a change; empty where there is nothing to tell.
  std::string update(const Change& change) const;
  // About the rows that another condition hides or shows; `before` differs only in conditions.
  std::string condition_change(const MonitorShape& before) const;

 private:
  enum Select : std::uint8_t { initial_rows = 1, inserts = 2, deletes = 4, modifications = 8, all = 15 };
  struct Column {
    std::size_t index;
    std::uint8_t select;
  };
  struct OfTable {
    const Table* table;
    std::vector<Column> columns;  // by index
    std::uint8_t select = 0;      // of all requests
    // Any of them shows a row; none: all rows.
    std::vector<ovsdb::Clause> clauses;
    bool shows(const Row& row) const;
  };

  ovsdb::DbResult<void> parse_request(OfTable& to, const json::value& request, bool* unconditional);
  void make_key();
  const OfTable* find(const Table& table) const;
  void append_rows(std::string& out, const OfTable& table, std::uint8_t select, const Row& row) const;
  bool append_change(std::string& out, const OfTable& table, const RowChange& change) const;

  MonitorVersion version_ = MonitorVersion::plain;
  std::vector<OfTable> tables_;  // by the table's number
  std::string key_;
};

// The notification that carries `updates`: {"method":"update","params":[ID,...],"id":null}.
std::string update_message(MonitorVersion version, std::string_view id_text, const Uuid& transaction,
                           std::string_view updates);

}  // namespace ovs::dbserver
