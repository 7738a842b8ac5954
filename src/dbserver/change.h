// Change: what one committed transaction did, row by row; and MergedChange, what several did
// together.
//
// From a Change come the record in the log and the updates of monitors.  Rows are shared, so
// keeping a change keeps the versions of the rows that it replaced and nothing else.
//
// Thread safety: immutable once committed; a MergedChange belongs to one thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dbserver/row.h"
#include "dbserver/table.h"

namespace ovs::dbserver {

struct RowChange {
  Table* table = nullptr;
  RowPtr before;      // null: inserted
  RowPtr after;       // null: deleted
  ColumnSet columns;  // where both are there: the declared columns that differ

  const Uuid& uuid() const { return after ? after->uuid() : before->uuid(); }
};

struct Change {
  Uuid id;                      // of the transaction
  std::vector<RowChange> rows;  // table by table
  bool empty() const { return rows.empty(); }
  std::size_t bytes() const;  // roughly what keeping this change costs
};

// The record for the log, or empty if nothing is to be stored (a change of ephemeral columns).
// `date_ms`: wall clock, ms since 1970.  `diff`: write changed columns as differences.
std::string record_text(const Change& change, std::int64_t date_ms, std::string_view comment, bool diff);

// Several changes, one after the other, seen as one: a row that came and went leaves no trace.
class MergedChange {
 public:
  void add(const Change& change);
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  void clear() { rows_.clear(); }
  // As one change; its id is that of the last one added.
  Change merged() const;

 private:
  struct Key {
    Table* table;
    Uuid uuid;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    using is_avalanching = void;
    std::size_t operator()(const Key& k) const { return UuidHash{}(k.uuid) ^ k.table->number(); }
  };
  Uuid last_id_;
  boost::unordered_flat_map<Key, RowChange, KeyHash> rows_;
};

}  // namespace ovs::dbserver
