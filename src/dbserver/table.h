// Table: the present rows of one table, by UUID and by the indexes that its schema declares.
//
// The rows are those of the transaction under way, so that its operations see what earlier ones
// did.  The indexes are those of the last commit: two rows may hold the same key until a
// transaction's end, so Transaction::matching() corrects what an index says by what it touched.
//
// Thread safety: belongs to the database's thread.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "dbserver/row.h"

namespace ovs::dbserver {

// One declared index: finds a row by the values of the index's columns.
class Index {
 public:
  explicit Index(std::vector<std::size_t> columns);

  const std::vector<std::size_t>& columns() const { return columns_; }

  struct Key {
    std::span<const Datum* const> values;  // in the order of columns()
    std::size_t hash;
  };
  Key key(std::span<const Datum* const> values) const;

  Row* find(const Key& key) const;
  // The row that has the same key as `row`, which may be `row` itself.
  Row* find(const Row& row) const;
  // Returns the row that is in the way, or null if `row` is in the index now.
  Row* insert(Row* row);
  void erase(const Row& row);
  void clear() { rows_.clear(); }

 private:
  struct Hash {
    using is_transparent = void;
    const std::vector<std::size_t>* columns;
    std::size_t operator()(const Row* row) const;
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    const std::vector<std::size_t>* columns;
    bool operator()(const Row* a, const Row* b) const;
    bool operator()(const Key& key, const Row* row) const;
    bool operator()(const Row* row, const Key& key) const { return (*this)(key, row); }
  };

  std::vector<std::size_t> columns_;
  boost::unordered_flat_set<Row*, Hash, Equal> rows_;

 public:
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;
};

class Table {
 public:
  Table(const ovsdb::TableSchema& schema, std::size_t number);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const ovsdb::TableSchema& schema() const { return schema_; }
  std::size_t number() const { return number_; }  // its place in Database::tables()

  std::size_t size() const { return rows_.size(); }
  Row* find(const Uuid& uuid) const {
    auto it = rows_.find(uuid);
    return it == rows_.end() ? nullptr : it->row.get();
  }
  template <class F>
  void for_each(F f) const {
    for (const Slot& slot : rows_) f(*slot.row);
  }
  template <class F>  // until f returns false
  void for_each_while(F f) const {
    for (const Slot& slot : rows_) {
      if (!f(*slot.row)) return;
    }
  }

  // The indexes do not follow these three.
  void insert(RowPtr row);
  void replace(RowPtr row);        // the version with the same UUID
  void remove(const Uuid& uuid);   // which is there
  void reserve(std::size_t rows) { rows_.reserve(rows); }

  std::vector<std::unique_ptr<Index>>& indexes() { return indexes_; }
  const std::vector<std::unique_ptr<Index>>& indexes() const { return indexes_; }

  // Columns that hold references, for the work of a commit.
  const std::vector<std::size_t>& strong_columns() const { return strong_columns_; }
  const std::vector<std::size_t>& weak_columns() const { return weak_columns_; }

  // Where the references of a column lead: Database fills this in.
  struct RefTargets {
    Table* strong_key = nullptr;
    Table* strong_value = nullptr;
    Table* weak_key = nullptr;
    Table* weak_value = nullptr;
  };
  const RefTargets& targets(std::size_t column) const { return targets_[column]; }

 private:
  friend class Database;

  struct Slot {
    mutable RowPtr row;  // another version of the same row takes its place
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(const Slot& slot) const noexcept { return UuidHash{}(slot.row->uuid()); }
    std::size_t operator()(const Uuid& uuid) const noexcept { return UuidHash{}(uuid); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Slot& a, const Slot& b) const { return a.row->uuid() == b.row->uuid(); }
    bool operator()(const Uuid& a, const Slot& b) const { return a == b.row->uuid(); }
    bool operator()(const Slot& a, const Uuid& b) const { return a.row->uuid() == b; }
  };

  const ovsdb::TableSchema& schema_;
  std::size_t number_;
  boost::unordered_flat_set<Slot, Hash, Equal> rows_;
  std::vector<std::unique_ptr<Index>> indexes_;
  std::vector<std::size_t> strong_columns_, weak_columns_;
  std::vector<RefTargets> targets_;  // of each column
};

}  // namespace ovs::dbserver
