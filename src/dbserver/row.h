// Row: one version of one row, and ColumnSet, a set of a table's columns.
//
// A row's values never change once its transaction has committed: a later transaction replaces the
// whole row by a copy (copying a value is copying 24 bytes or counting a reference).  So whoever
// holds a RowPtr (an update that a slow client has not taken yet, the history of changes, the
// thread that compacts the log) sees one consistent version for as long as it likes.
//
// A row is one block of memory: 48 bytes and 24 bytes for each declared column.
//
// Thread safety: RowPtrs may be copied and destroyed in any thread, and values read in any; the
// bookkeeping members belong to the thread of the database.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

namespace ovs::dbserver {

using ovsdb::Datum;

class Row;
using RowPtr = boost::intrusive_ptr<Row>;

class Row {
 public:
  // A row with every column at its default.
  static RowPtr create(const ovsdb::TableSchema& schema, const Uuid& uuid);
  RowPtr clone() const;

  const Uuid& uuid() const { return uuid_; }

  // `column`: an index into TableSchema::columns, at least first_column.
  const Datum& datum(std::size_t column) const { return data()[column - ovsdb::first_column]; }
  Datum& datum(std::size_t column) { return data()[column - ovsdb::first_column]; }
  // The value of any column, _uuid and _version as well.
  Datum read(std::size_t column) const;
  void append_json(std::string& out, std::size_t column) const;

  // Changes with each change of the row.
  Uuid version;

  // Bookkeeping of the committed state: how many strong references there are to this row.
  std::uint32_t strong_refs = 0;
  // Bookkeeping of the transaction under way: its number for this row, or -1.
  std::int32_t touched = -1;

  std::size_t heap_bytes() const;

 private:
  Row(const Uuid& uuid, std::uint32_t columns) : uuid_(uuid), columns_(columns) {}
  ~Row();
  static RowPtr allocate(const Uuid& uuid, std::uint32_t columns);
  Datum* data() { return reinterpret_cast<Datum*>(this + 1); }
  const Datum* data() const { return reinterpret_cast<const Datum*>(this + 1); }

  friend void intrusive_ptr_add_ref(const Row* row) {
    row->count_.fetch_add(1, std::memory_order_relaxed);
  }
  friend void intrusive_ptr_release(const Row* row) {
    if (row->count_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(row);
  }
  static void destroy(const Row* row);

  Uuid uuid_;
  std::uint32_t columns_;  // declared ones, constructed behind this object
  mutable std::atomic<std::uint32_t> count_{0};
};

class ColumnSet {
 public:
  void add(std::size_t column) {
    if (column < 64) {
      low_ |= std::uint64_t{1} << column;
    } else {
      const std::size_t word = column / 64 - 1;
      if (high_.size() <= word) high_.resize(word + 1);
      high_[word] |= std::uint64_t{1} << (column % 64);
    }
  }
  void remove(std::size_t column) {
    if (column < 64) {
      low_ &= ~(std::uint64_t{1} << column);
    } else if (column / 64 - 1 < high_.size()) {
      high_[column / 64 - 1] &= ~(std::uint64_t{1} << (column % 64));
    }
  }
  bool contains(std::size_t column) const {
    if (column < 64) return (low_ >> column) & 1;
    return column / 64 - 1 < high_.size() && ((high_[column / 64 - 1] >> (column % 64)) & 1);
  }
  bool empty() const {
    if (low_ != 0) return false;
    for (std::uint64_t word : high_) {
      if (word != 0) return false;
    }
    return true;
  }
  void unite(const ColumnSet& other) {
    low_ |= other.low_;
    if (high_.size() < other.high_.size()) high_.resize(other.high_.size());
    for (std::size_t i = 0; i < other.high_.size(); i++) high_[i] |= other.high_[i];
  }

 private:
  std::uint64_t low_ = 0;
  std::vector<std::uint64_t> high_;
};

}  // namespace ovs::dbserver
