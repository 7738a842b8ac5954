#include "flow/sparse_mask.h"

namespace ovs::flow {

SparseMask SparseMask::of(const Mask& mask) {
  Mask fields = mask;
  fields.bits.cold_parts = 0;
  SparseMask sparse;
  for (std::size_t stage = 0; stage < stage_count; stage++) {
    for (std::size_t word = 0; word < key_words; word++) {
      if (stage_of_word(word) != static_cast<Stage>(stage)) continue;
      if (const std::uint64_t bits = key_word(fields.bits, word)) sparse.words.push_back({word, bits});
    }
    sparse.stage_end[stage] = sparse.words.size();
  }
  return sparse;
}

std::size_t SparseMask::hash() const {
  std::uint64_t hash = 0;
  for (const Word& word : words) hash = hash_step(hash_step(hash, word.index), word.bits);
  return finish_hash(hash);
}

}  // namespace ovs::flow
