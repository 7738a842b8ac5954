// Database: a schema and the rows that it describes, in memory.
//
// This is the engine under ovsdb-server and under ovsdb-tool's query, transact, convert and
// compact: it knows no file and no socket.  Transactions (dbserver/transaction.h) change it; a log
// is read into it record by record with replay(), then finish_loading() once.
//
// Thread safety: belongs to one thread; a snapshot() may be read in another.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/json.h"
#include "dbserver/change.h"
#include "dbserver/table.h"
#include "ovsdb/schema.h"
#include "ovsdb/transaction_record.h"

namespace ovs::dbserver {

// A weak reference that a row of `source` holds to the row `target` in some table.
struct WeakRef {
  Uuid target;
  std::uint32_t target_table;
  std::uint32_t source_table;
  std::uint32_t column;
  Uuid source;

  friend auto operator<=>(const WeakRef& a, const WeakRef& b) {
    return std::tie(a.target, a.target_table, a.source_table, a.column, a.source) <=>
           std::tie(b.target, b.target_table, b.source_table, b.column, b.source);
  }
  friend bool operator==(const WeakRef&, const WeakRef&) = default;
};

// One consistent version of all rows, cheap to take: it shares them.
struct Snapshot {
  std::shared_ptr<const ovsdb::DatabaseSchema> schema;
  struct OfTable {
    const ovsdb::TableSchema* schema;
    std::vector<RowPtr> rows;
  };
  std::vector<OfTable> tables;
};

class Database {
 public:
  explicit Database(std::shared_ptr<const ovsdb::DatabaseSchema> schema);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& name() const { return schema_->name; }
  const ovsdb::DatabaseSchema& schema() const { return *schema_; }
  const std::shared_ptr<const ovsdb::DatabaseSchema>& shared_schema() const { return schema_; }

  Table* find_table(std::string_view name) const;
  const std::vector<std::unique_ptr<Table>>& tables() const { return tables_; }

  // Applies one record of a log.  The rules of the schema that span rows (references, indexes) are
  // not looked at, because the record holds all that follows from them.
  ovsdb::DbResult<ovsdb::RecordInfo> replay(const json::value& record);
  // Counts references and fills the indexes; an error if the rows break the schema's rules.
  ovsdb::DbResult<void> finish_loading();

  Snapshot snapshot() const;
  std::size_t rows() const;
  std::size_t cells() const;  // values of declared columns
  std::size_t atoms() const;  // elements of all values; walks all rows
  std::size_t weak_refs() const { return weak_refs_.size(); }

  // For transactions.
  std::set<WeakRef>& weak_ref_set() { return weak_refs_; }

 private:
  ovsdb::DbResult<void> load_row(Table& table, const Uuid& uuid, const json::object* columns, bool is_diff);

  std::shared_ptr<const ovsdb::DatabaseSchema> schema_;
  std::vector<std::unique_ptr<Table>> tables_;  // by name
  std::set<WeakRef> weak_refs_;
  Table* loading_ = nullptr;  // of the last row that was replayed
};

// Calls f(target, target_table) for each weak reference in `datum`, a value of `column`; the same
// one may come more than once.
template <class F>
void for_each_weak_ref(const Table& table, std::size_t column, const Datum& datum, F f) {
  const Table::RefTargets& to = table.targets(column);
  for (std::size_t i = 0; i < datum.size(); i++) {
    if (to.weak_key) f(datum.key(i).uuid(), *to.weak_key);
    if (to.weak_value) f(datum.value(i).uuid(), *to.weak_value);
  }
}

template <class F>
void for_each_strong_ref(const Table& table, std::size_t column, const Datum& datum, F f) {
  const Table::RefTargets& to = table.targets(column);
  for (std::size_t i = 0; i < datum.size(); i++) {
    if (to.strong_key) f(datum.key(i).uuid(), *to.strong_key);
    if (to.strong_value) f(datum.value(i).uuid(), *to.strong_value);
  }
}

// A snapshot as one record of a log.
std::string snapshot_record(const Snapshot& snapshot, std::int64_t date_ms, std::string_view comment);

// The rows of `from` under another schema (ovsdb-server(7) section 4.1.19): tables and columns
// that it does not have are left out, new ones are at their defaults, and all its rules hold.
ovsdb::DbResult<std::unique_ptr<Database>> convert(const Database& from,
                                                   std::shared_ptr<const ovsdb::DatabaseSchema> to);

}  // namespace ovs::dbserver
