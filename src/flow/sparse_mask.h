// SparseMask: the words of a mask that have a bit set, in the order in which they are looked at.
//
// A FlowKey is some eighty words of eight bytes; a mask that somebody writes uses a handful of them.
// Words are ordered by stage (metadata, then L2, L3, L4), so that a look-up that fails at a stage has
// looked at nothing that comes after it.
//
// Thread safety: a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "flow/flow_key.h"
#include "flow/match.h"

namespace ovs::flow {

// The stages of a look-up.  What tells most packets apart while few rules ask for it comes last: a packet
// that fails before it leaves it wildcarded.
enum class Stage : std::uint8_t { metadata, l2, l3, l4 };
inline constexpr std::size_t stage_count = 4;

static_assert(offsetof(FlowKey, eth_dst) % 8 == 0 && offsetof(FlowKey, nw_src) % 8 == 0);
static_assert(offsetof(FlowKey, tp_src) % 8 == 0 && offsetof(FlowKey, mpls_lse) % 8 == 0);
static_assert(offsetof(FlowKey, arp_sha) % 8 == 0);

constexpr Stage stage_of_word(std::size_t word) {
  const std::size_t offset = 8 * word;
  if (offset < offsetof(FlowKey, eth_dst)) return Stage::metadata;
  if (offset < offsetof(FlowKey, nw_src)) return Stage::l2;
  if (offset < offsetof(FlowKey, tp_src)) return Stage::l3;
  if (offset < hot_bytes) return Stage::l4;
  if (offset < offsetof(FlowKey, mpls_lse)) return Stage::metadata;  // tunnel, registers, conntrack
  if (offset < offsetof(FlowKey, arp_sha)) return Stage::l3;         // labels, NSH
  return Stage::l4;                                                  // ARP's and ND's addresses
}

inline std::uint64_t key_word(const FlowKey& key, std::size_t word) {
  std::uint64_t x;
  std::memcpy(&x, reinterpret_cast<const std::uint8_t*>(&key) + 8 * word, sizeof x);
  return x;
}

inline void set_key_word(FlowKey& key, std::size_t word, std::uint64_t x) {
  std::memcpy(reinterpret_cast<std::uint8_t*>(&key) + 8 * word, &x, sizeof x);
}

struct SparseMask {
  struct Word {
    std::size_t index;   // in the key
    std::uint64_t bits;  // never 0
    friend bool operator==(const Word&, const Word&) = default;
  };
  std::vector<Word> words;
  std::array<std::size_t, stage_count> stage_end{};  // one past the stage's last in `words`

  // Without FlowKey::cold_parts, which is not a field.
  static SparseMask of(const Mask& mask);

  std::size_t hash() const;
  // Sets the bits of the first `n` words in `mask`.
  void add_to(Mask& mask, std::size_t n) const {
    for (std::size_t i = 0; i < n; i++) {
      set_key_word(mask.bits, words[i].index, key_word(mask.bits, words[i].index) | words[i].bits);
    }
  }
  Mask expanded() const {
    Mask mask;
    add_to(mask, words.size());
    return mask;
  }

  friend bool operator==(const SparseMask& a, const SparseMask& b) { return a.words == b.words; }
};

// One step of a hash over words of 64 bits; finish_hash() makes 32 good bits of the result.
constexpr std::uint64_t hash_step(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  return hash ^ hash >> 32;
}
constexpr std::uint32_t finish_hash(std::uint64_t hash) {
  hash *= 0xbb67ae8584caa73b;
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace ovs::flow
