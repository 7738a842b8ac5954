// SparseMask: the words of a mask that are not zero, and how a key is hashed and compared under it.
//
// Nearly all masks touch a handful of the key's 64-bit words; look-up reads those and no others.
//
// Thread safety: constant after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "flow/flow_key.h"

namespace ovs::datapath {

inline std::uint64_t key_word(const flow::FlowKey& key, std::size_t index) {
  std::uint64_t word;
  std::memcpy(&word, reinterpret_cast<const std::uint8_t*>(&key) + 8 * index, sizeof word);
  return word;
}

// Secret numbers that make hashes unpredictable for who sends packets; one set for each engine.
struct HashSecret {
  // Plain arrays here and below: they are read for each packet, without a check of bounds.
  std::uint64_t words[flow::key_words + 1];
  // From a random seed.
  explicit HashSecret(std::uint64_t seed);
};

class SparseMask {
 public:
  explicit SparseMask(const flow::FlowKey& mask);

  // Always even: words are taken in pairs, the last may be one of no bits.
  std::size_t count() const { return count_; }
  std::size_t index(std::size_t i) const { return index_[i]; }
  std::uint64_t bits(std::size_t i) const { return bits_[i]; }
  std::uint64_t masked(const flow::FlowKey& key, std::size_t i) const { return key_word(key, index_[i]) & bits_[i]; }

  // Equal for keys that are equal under the mask.  All 64 bits are good.
  std::uint64_t hash(const flow::FlowKey& key, const HashSecret& secret) const {
    std::uint64_t sum = secret.words[flow::key_words];
    for (std::size_t i = 0; i < count_; i += 2) {
      sum += multiplied(masked(key, i) ^ secret.words[i], masked(key, i + 1) ^ secret.words[i + 1]);
    }
    return multiplied(sum, 0x9e3779b97f4a7c15);
  }

  void copy_to(flow::FlowKey& mask) const;

 private:
  // Both halves of the product, one upon the other.
  static std::uint64_t multiplied(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::size_t count_ = 0;
  std::uint64_t bits_[flow::key_words + 1];
  std::uint8_t index_[flow::key_words + 1];
};

}  // namespace ovs::datapath
