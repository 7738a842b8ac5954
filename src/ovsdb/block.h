// Datum::Block: the counted memory of a datum with more than one element, or of a map.
//
// The keys stand in ascending order, one after the other; a map's values follow behind all the
// room for keys, at the same indexes.  How many elements are in use is the datum's to know.
//
// Thread safety: the count is atomic; contents change only while one datum holds the block.
#pragma once

#include <atomic>
#include <cstdint>

#include "ovsdb/datum.h"

namespace ovs::ovsdb {

struct Datum::Block {
  std::atomic<std::uint32_t> count;
  std::uint32_t capacity;  // in elements

  Cell* keys() { return reinterpret_cast<Cell*>(this + 1); }
  Cell* values() { return keys() + capacity; }

  static Block* make(std::size_t capacity, bool is_map);
};

}  // namespace ovs::ovsdb
