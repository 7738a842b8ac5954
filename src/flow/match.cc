#include "flow/match.h"

#include <array>
#include <bit>

namespace ovs::flow {

namespace {

// Flow keys as words: what compilers turn into vector instructions.
using Words = std::array<std::uint64_t, key_words>;
static_assert(sizeof(Words) == sizeof(FlowKey));

}  // namespace

// The same as setting the field to its exact mask, without a FieldValue in between: translation does it often.
void Mask::look_at(FieldId id) {
  const Place& place = field(id).place;
  auto* at = reinterpret_cast<std::uint8_t*>(&bits) + place.offset;
  if (place.storage > sizeof(std::uint64_t)) {
    std::memset(at, 0xff, place.storage);
    return;
  }
  std::uint64_t ones = (~std::uint64_t{0} >> (64 - place.bits)) << place.shift;
  for (std::size_t i = place.storage; i-- > 0; ones >>= 8) at[i] |= static_cast<std::uint8_t>(ones);
}

void Mask::add(const Mask& more) {
  auto words = std::bit_cast<Words>(bits);
  const auto more_words = std::bit_cast<Words>(more.bits);
  for (std::size_t i = 0; i < key_words; i++) words[i] |= more_words[i];
  bits = std::bit_cast<FlowKey>(words);
}

FlowKey operator&(const FlowKey& key, const Mask& mask) {
  auto words = std::bit_cast<Words>(key);
  const auto mask_words = std::bit_cast<Words>(mask.bits);
  for (std::size_t i = 0; i < key_words; i++) words[i] &= mask_words[i];
  return std::bit_cast<FlowKey>(words);
}

Match Match::of(const FlowKey& key, const Mask& mask) { return {key & mask, mask}; }

bool Match::matches(const FlowKey& packet) const {
  const auto want = std::bit_cast<Words>(key);
  const auto have = std::bit_cast<Words>(packet);
  const auto bits = std::bit_cast<Words>(mask.bits);
  std::uint64_t differences = 0;
  for (std::size_t i = 0; i < key_words; i++) differences |= (have[i] ^ want[i]) & bits[i];
  return differences == 0;
}

}  // namespace ovs::flow
