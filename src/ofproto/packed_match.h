// PackedMatch: a match, and the key of the packet that it is of, without the words that are zero in both.
//
// A FlowKey has several hundred bytes, of which a megaflow matches some fifty, and a packet has little more; who
// remembers every megaflow remembers it like this.
//
// Thread safety: a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "flow/match.h"

namespace ovs::ofproto {

class PackedMatch {
 public:
  PackedMatch(const flow::FlowKey& packet, const flow::Mask& mask);

  flow::Match unpack() const;
  flow::FlowKey packet() const;  // the whole key that it was made from
  // Whether this match looks at every bit that `mask` has.
  bool covers(const flow::Mask& mask) const;

 private:
  static constexpr std::size_t map_words = (flow::key_words + 63) / 64;

  std::array<std::uint64_t, map_words> map_{};  // which words are here
  std::uint16_t count_ = 0;
  std::unique_ptr<std::uint64_t[]> words_;  // of the mask, then as many of the key
};

}  // namespace ovs::ofproto
