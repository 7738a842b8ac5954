// The memory of atoms: counted strings, and what can be done with a Cell whose type is known.
//
// For the files of src/ovsdb alone; everybody else uses Atom, AtomView and Datum.
//
// A string is one allocation: count, length, bytes.  The empty string is a null pointer, so that a
// Cell of zeroes is the default value of every type.  Copying a string counts; nobody changes one.
//
// Thread safety: the count is atomic, the bytes are immutable.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "base/uuid.h"
#include "ovsdb/datum.h"
#include "ovsdb/type.h"

namespace ovs::ovsdb {

struct SharedText {
  std::atomic<std::uint32_t> count;
  std::uint32_t length;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

  static SharedText* make(std::string_view s) {
    if (s.empty()) return nullptr;
    void* memory = ::operator new(sizeof(SharedText) + s.size());
    auto* text = new (memory) SharedText{1, static_cast<std::uint32_t>(s.size())};
    std::memcpy(text->bytes(), s.data(), s.size());
    return text;
  }
  static void release(SharedText* text) {
    // A count of one belongs to us alone: no other thread can be adding to it.
    if (text && (text->count.load(std::memory_order_acquire) == 1 ||
                 text->count.fetch_sub(1, std::memory_order_acq_rel) == 1))
      ::operator delete(text);
  }
};

inline std::string_view text_of(const Cell& c) {
  return c.text ? std::string_view(c.text->bytes(), c.text->length) : std::string_view();
}

inline Cell zero_cell() {
  Cell c;
  std::memset(&c, 0, sizeof c);
  return c;
}

inline Cell retain(AtomType type, const Cell& c) {
  if (type == AtomType::string && c.text) c.text->count.fetch_add(1, std::memory_order_relaxed);
  return c;
}

inline void release(AtomType type, const Cell& c) {
  if (type == AtomType::string) SharedText::release(c.text);
}

inline Cell cell_of(const Uuid& u) {
  Cell c;
  std::memcpy(c.uuid, u.bytes.data(), 16);
  return c;
}

inline int compare_cells(AtomType type, const Cell& a, const Cell& b) {
  switch (type) {
    case AtomType::none:
      return 0;
    case AtomType::integer:
      return a.integer < b.integer ? -1 : a.integer > b.integer;
    case AtomType::real:
      return a.real < b.real ? -1 : a.real > b.real;
    case AtomType::boolean:
      return int{a.boolean} - int{b.boolean};
    case AtomType::string: {
      if (a.text == b.text) return 0;
      return text_of(a).compare(text_of(b));
    }
    case AtomType::uuid:
      return std::memcmp(a.uuid, b.uuid, 16);
  }
  return 0;
}

// Reads an RFC 7047 <atom> without constraints.  On success the caller owns what *out holds.
DbResult<void> read_cell(AtomType type, const json::value& v, const NamedUuids& names, Cell* out);

}  // namespace ovs::ovsdb
