#include <algorithm>
#include <memory>
#include <new>

#include "base/check.h"
#include "dbclient/replica.h"

namespace ovs::dbclient {

using ovsdb::ColumnType;
using ovsdb::Datum;

std::size_t TableDecl::slot(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); i++)
    if (columns[i].name == column) return i;
  OVS_CHECK(false, "a column that is not declared");
}

namespace {

std::string_view kind_of(const ColumnType& type) {
  if (type.is_map()) return "a map";
  if (type.is_scalar()) return "a single value";
  if (type.is_optional()) return "an optional value";
  return "a set";
}

}  // namespace

Result<void> check_declaration(const TableDecl& declaration, const ovsdb::DatabaseSchema& schema) {
  const ovsdb::TableSchema* table = schema.find(declaration.name);
  if (!table) return unexpected("the schema has no table " + declaration.name);
  for (const ColumnDecl& c : declaration.columns) {
    const ovsdb::ColumnSchema* column = table->find(c.name);
    std::string name = declaration.name + "." + c.name;
    if (!column) return unexpected("the schema has no column " + name);
    const ColumnType& type = column->type;
    if (type.key.type != c.type.key.type || type.value.type != c.type.value.type)
      return unexpected(name + " is a " + type.text() + ", not of " +
                        std::string(to_text(c.type.key.type)));
    if (kind_of(type) != kind_of(c.type))
      return unexpected(name + " is " + std::string(kind_of(type)) + ", not " +
                        std::string(kind_of(c.type)));
  }
  return {};
}

ReplicaTable::ReplicaTable(TableDecl declaration) : declaration_(std::move(declaration)) {
  OVS_CHECK(declaration_.columns.size() <= 64, "a replica's table has at most 64 columns");
  for (const ColumnDecl& c : declaration_.columns) defaults_.push_back(Datum::default_of(c.type));
}

ReplicaTable::~ReplicaTable() {
  for (auto& [uuid, row] : rows_) destroy(row);
  for (ReplicaRow* row : dead_) destroy(row);
}

ReplicaTable::ReplicaTable(ReplicaTable&& other) noexcept
    : declaration_(std::move(other.declaration_)),
      defaults_(std::move(other.defaults_)),
      present_(other.present_),
      on_server_(other.on_server_),
      edits_(other.edits_),
      rows_(std::exchange(other.rows_, {})),
      changes_(std::move(other.changes_)),
      dead_(std::exchange(other.dead_, {})) {}

ReplicaRow* ReplicaTable::make(const Uuid& uuid) {
  void* memory = ::operator new(sizeof(ReplicaRow) + defaults_.size() * sizeof(Datum));
  auto* row = new (memory) ReplicaRow(uuid);
  std::uninitialized_copy(defaults_.begin(), defaults_.end(), row->values());
  return row;
}

void ReplicaTable::destroy(ReplicaRow* row) {
  std::destroy_n(row->values(), defaults_.size());
  row->~ReplicaRow();
  ::operator delete(row);
}

void ReplicaTable::list(ReplicaRow* row) {
  if (row->flags_ & ReplicaRow::listed) return;
  row->flags_ |= ReplicaRow::listed;
  changes_.push_back(row);
}

void ReplicaTable::put(ReplicaRow* row, std::size_t slot, Datum value) {
  Datum& old = row->values()[slot];
  if (old == value) return;
  edits_++;
  old = std::move(value);
  if (row->flags_ & ReplicaRow::was_inserted) return;
  row->changed_ |= std::uint64_t{1} << slot;
  list(row);
}

std::optional<std::size_t> ReplicaTable::slot_of(std::string_view column) const {
  const auto& columns = declaration_.columns;
  for (std::size_t i = 0; i < columns.size(); i++)
    if (columns[i].name == column) return i;
  return std::nullopt;
}

namespace {

Result<Datum> parse(const ReplicaTable& table, std::size_t slot, const json::value& v) {
  const ColumnDecl& column = table.declaration().columns[slot];
  auto datum = Datum::from_json(column.type, v, nullptr, false);
  if (!datum)
    return unexpected(table.declaration().name + "." + column.name + ": " + datum.error().to_string());
  return std::move(*datum);
}

}  // namespace

Result<void> ReplicaTable::apply_insert(const Uuid& uuid, const NamedValues& columns) {
  auto [it, created] = rows_.try_emplace(uuid, nullptr);
  if (created) {
    it->second = make(uuid);
    it->second->flags_ |= ReplicaRow::was_inserted;
    edits_++;
    list(it->second);
  }
  ReplicaRow* row = it->second;
  row->flags_ |= ReplicaRow::seen;
  for (std::size_t slot = 0; slot < defaults_.size(); slot++) {
    const json::value* v = columns.if_contains(declaration_.columns[slot].name);
    if (!v) {
      put(row, slot, defaults_[slot]);
      continue;
    }
    OVS_TRY(Datum datum, parse(*this, slot, *v));
    put(row, slot, std::move(datum));
  }
  return {};
}

Result<void> ReplicaTable::apply_replace(const Uuid& uuid, const NamedValues& columns) {
  auto it = rows_.find(uuid);
  if (it == rows_.end()) return apply_insert(uuid, columns);
  for (const auto& [name, value] : columns) {
    auto slot = slot_of(name);
    if (!slot) continue;
    OVS_TRY(Datum datum, parse(*this, *slot, value));
    put(it->second, *slot, std::move(datum));
  }
  return {};
}

Result<void> ReplicaTable::apply_diff(const Uuid& uuid, const NamedValues& columns) {
  auto it = rows_.find(uuid);
  if (it == rows_.end())
    return unexpected("a change of " + declaration_.name + " " + uuid.to_string() +
                      ", which is not there");
  for (const auto& [name, value] : columns) {
    auto slot = slot_of(name);
    if (!slot) continue;
    OVS_TRY(Datum diff, parse(*this, *slot, value));
    auto applied = (*it->second)[*slot].apply_diff(diff, declaration_.columns[*slot].type);
    if (!applied)
      return unexpected(declaration_.name + "." + std::string(name) + ": " + applied.error().to_string());
    put(it->second, *slot, std::move(*applied));
  }
  return {};
}

void ReplicaTable::remove(ReplicaRow* row) {
  rows_.erase(row->uuid_);
  edits_++;
  if (row->flags_ & ReplicaRow::was_inserted) {
    // Nobody has seen it: it never was.  It is among the latest as a rule.
    auto it = std::find(changes_.rbegin(), changes_.rend(), row);
    *it = changes_.back();
    changes_.pop_back();
    destroy(row);
    return;
  }
  row->flags_ |= ReplicaRow::was_deleted;
  row->changed_ = 0;
  list(row);
  dead_.push_back(row);
}

void ReplicaTable::apply_delete(const Uuid& uuid) {
  auto it = rows_.find(uuid);
  if (it != rows_.end()) remove(it->second);
}

void ReplicaTable::begin_content() {
  for (auto& [uuid, row] : rows_) row->flags_ &= static_cast<std::uint8_t>(~ReplicaRow::seen);
}

void ReplicaTable::end_content() {
  std::vector<ReplicaRow*> gone;
  for (auto& [uuid, row] : rows_)
    if (!(row->flags_ & ReplicaRow::seen)) gone.push_back(row);
  for (ReplicaRow* row : gone) remove(row);
}

void ReplicaTable::forget_changes() {
  for (const ReplicaRow* r : changes_) {
    auto* row = const_cast<ReplicaRow*>(r);
    row->changed_ = 0;
    row->flags_ &= ReplicaRow::seen;
  }
  changes_.clear();
  for (ReplicaRow* row : dead_) destroy(row);
  dead_.clear();
}

void ReplicaTable::adopt(const ovsdb::TableSchema* table) {
  on_server_ = table != nullptr;
  present_ = 0;
  if (!table) return;
  for (std::size_t i = 0; i < declaration_.columns.size(); i++) {
    ColumnDecl& mine = declaration_.columns[i];
    const ovsdb::ColumnSchema* theirs = table->find(mine.name);
    if (!theirs || theirs->type.key.type != mine.type.key.type ||
        theirs->type.value.type != mine.type.value.type)
      continue;
    present_ |= std::uint64_t{1} << i;
    // How a column's changes are written depends on how many elements the server's may have.
    mine.type.min = theirs->type.min;
    mine.type.max = theirs->type.max;
  }
}

}  // namespace ovs::dbclient
