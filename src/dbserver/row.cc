#include "dbserver/row.h"

#include <new>

namespace ovs::dbserver {

static_assert(sizeof(Row) % alignof(Datum) == 0, "the values lie behind the row");

RowPtr Row::allocate(const Uuid& uuid, std::uint32_t columns) {
  void* memory = ::operator new(sizeof(Row) + columns * sizeof(Datum));
  return RowPtr(new (memory) Row(uuid, columns));
}

RowPtr Row::create(const ovsdb::TableSchema& schema, const Uuid& uuid) {
  const auto columns = static_cast<std::uint32_t>(schema.columns.size() - ovsdb::first_column);
  RowPtr row = allocate(uuid, columns);
  for (std::uint32_t i = 0; i < columns; i++) {
    new (row->data() + i) Datum(Datum::default_of(schema.columns[i + ovsdb::first_column].type));
  }
  return row;
}

RowPtr Row::clone() const {
  RowPtr copy = allocate(uuid_, columns_);
  for (std::uint32_t i = 0; i < columns_; i++) new (copy->data() + i) Datum(data()[i]);
  copy->version = version;
  copy->strong_refs = strong_refs;
  return copy;
}

Row::~Row() {
  for (std::uint32_t i = 0; i < columns_; i++) data()[i].~Datum();
}

void Row::destroy(const Row* row) {
  row->~Row();
  ::operator delete(const_cast<Row*>(row));
}

Datum Row::read(std::size_t column) const {
  if (column == ovsdb::uuid_column) return Datum(ovsdb::Atom(uuid_));
  if (column == ovsdb::version_column) return Datum(ovsdb::Atom(version));
  return datum(column);
}

void Row::append_json(std::string& out, std::size_t column) const {
  if (column >= ovsdb::first_column) {
    datum(column).append_json(out);
    return;
  }
  out += "[\"uuid\",\"";
  (column == ovsdb::uuid_column ? uuid_ : version).append_to(out);
  out += "\"]";
}

std::size_t Row::heap_bytes() const {
  std::size_t bytes = sizeof(Row) + columns_ * sizeof(Datum);
  for (std::uint32_t i = 0; i < columns_; i++) bytes += data()[i].heap_bytes();
  return bytes;
}

}  // namespace ovs::dbserver
