// Mask and Match: which bits of a FlowKey matter, and what they must be.
//
// A mask is laid out as the key itself: a 1-bit is matched.  Of a Match always holds
// key & ~mask == 0, so that two matches that mean the same compare equal byte by byte.
//
// Thread safety: values.
#pragma once

#include <cstring>

#include "flow/field_value.h"
#include "flow/flow_key.h"

namespace ovs::flow {

struct Mask {
  FlowKey bits{};

  // All bits of the field that a place is part of; what translation calls when it looks at one.
  void look_at(FieldId id);
  void add(const Mask& more);

  friend bool operator==(const Mask&, const Mask&) = default;
};

struct Match {
  FlowKey key{};
  Mask mask{};

  // The match of `mask` that `key` fulfils: its other bits are cleared.
  static Match of(const FlowKey& key, const Mask& mask);
  bool matches(const FlowKey& packet) const;

  friend bool operator==(const Match&, const Match&) = default;
};

// key & mask, word by word.
FlowKey operator&(const FlowKey& key, const Mask& mask);

}  // namespace ovs::flow
