#include "flow/sparse_mask.h"

namespace ovs::flow {

SparseMask SparseMask::of(const Mask& mask) {
  Mask matched = mask;
  matched.bits.cold_parts = 0;
  std::array<Word, key_words> found;
  std::size_t count = 0;
  for (std::size_t word = 0; word < key_words; word++) {
    if (const std::uint64_t bits = key_word(matched.bits, word)) found[count++] = {word, bits};
  }
  SparseMask sparse;
  sparse.words.reserve(count);
  for (std::size_t stage = 0; stage < stage_count; stage++) {
    for (std::size_t i = 0; i < count; i++) {
      if (stage_of_word(found[i].index) == static_cast<Stage>(stage)) sparse.words.push_back(found[i]);
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
