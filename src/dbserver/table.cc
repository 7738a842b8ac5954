#include "dbserver/table.h"

#include "base/check.h"

namespace ovs::dbserver {

namespace {

std::size_t combine(std::size_t seed, std::size_t hash) {
  std::size_t x = (seed ^ hash) * 0x9e3779b97f4a7c15ULL;
  return x ^ (x >> 29);
}

}  // namespace

Index::Index(std::vector<std::size_t> columns)
    : columns_(std::move(columns)), rows_(0, Hash{&columns_}, Equal{&columns_}) {}

std::size_t Index::Hash::operator()(const Row* row) const {
  std::size_t h = columns->size();
  for (std::size_t column : *columns) h = combine(h, row->datum(column).hash());
  return h;
}

bool Index::Equal::operator()(const Row* a, const Row* b) const {
  if (a == b) return true;
  for (std::size_t column : *columns) {
    if (!(a->datum(column) == b->datum(column))) return false;
  }
  return true;
}

bool Index::Equal::operator()(const Key& key, const Row* row) const {
  for (std::size_t i = 0; i < columns->size(); i++) {
    if (!(*key.values[i] == row->datum((*columns)[i]))) return false;
  }
  return true;
}

Index::Key Index::key(std::span<const Datum* const> values) const {
  std::size_t h = columns_.size();
  for (const Datum* value : values) h = combine(h, value->hash());
  return {values, h};
}

Row* Index::find(const Key& key) const {
  auto it = rows_.find(key);
  return it == rows_.end() ? nullptr : *it;
}

Row* Index::find(const Row& row) const {
  auto it = rows_.find(const_cast<Row*>(&row));
  return it == rows_.end() ? nullptr : *it;
}

Row* Index::insert(Row* row) {
  auto [it, fresh] = rows_.insert(row);
  return fresh ? nullptr : *it;
}

void Index::erase(const Row& row) {
  auto it = rows_.find(const_cast<Row*>(&row));
  OVS_CHECK(it != rows_.end() && *it == &row, "an index has lost a row");
  rows_.erase(it);
}

Table::Table(const ovsdb::TableSchema& schema, std::size_t number)
    : schema_(schema), number_(number), targets_(schema.columns.size()) {
  for (const auto& columns : schema.indexes) indexes_.push_back(std::make_unique<Index>(columns));
  for (std::size_t i = ovsdb::first_column; i < schema.columns.size(); i++) {
    const ovsdb::ColumnType& type = schema.columns[i].type;
    if (type.key.is_strong_ref() || type.value.is_strong_ref()) strong_columns_.push_back(i);
    if (type.key.is_weak_ref() || type.value.is_weak_ref()) weak_columns_.push_back(i);
  }
}

void Table::insert(RowPtr row) {
  const bool fresh = rows_.insert(Slot{std::move(row)}).second;
  OVS_CHECK(fresh, "a row is inserted twice");
}

void Table::replace(RowPtr row) {
  auto it = rows_.find(row->uuid());
  OVS_CHECK(it != rows_.end(), "a row to replace is gone");
  it->row = std::move(row);
}

void Table::remove(const Uuid& uuid) {
  const std::size_t erased = rows_.erase(uuid);
  OVS_CHECK(erased == 1, "a row to remove is gone");
}

}  // namespace ovs::dbserver
