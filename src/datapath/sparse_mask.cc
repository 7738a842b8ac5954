#include "datapath/sparse_mask.h"

#include <random>

namespace ovs::datapath {

HashSecret::HashSecret(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::uint64_t& word : words) word = random() | 1;
}

SparseMask::SparseMask(const flow::FlowKey& mask) {
  static_assert(flow::key_words <= 256, "an index is a byte");
  for (std::size_t i = 0; i < flow::key_words; i++) {
    const std::uint64_t word = key_word(mask, i);
    if (word == 0) continue;
    bits_[count_] = word;
    index_[count_] = static_cast<std::uint8_t>(i);
    count_++;
  }
  if (count_ % 2 != 0) {
    bits_[count_] = 0;
    index_[count_] = 0;
    count_++;
  }
}

void SparseMask::copy_to(flow::FlowKey& mask) const {
  mask = {};
  for (std::size_t i = 0; i < count_; i++) {
    if (bits_[i] == 0) continue;
    std::memcpy(reinterpret_cast<std::uint8_t*>(&mask) + 8 * index_[i], &bits_[i], 8);
  }
}

}  // namespace ovs::datapath
