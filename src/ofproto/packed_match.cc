#include "ofproto/packed_match.h"

#include <cstring>

namespace ovs::ofproto {

namespace {

using Words = std::array<std::uint64_t, flow::key_words>;

Words words_of(const flow::FlowKey& key) {
  Words words;
  std::memcpy(words.data(), &key, sizeof words);
  return words;
}

}  // namespace

PackedMatch::PackedMatch(const flow::Match& match) {
  const Words mask = words_of(match.mask.bits), key = words_of(match.key);
  for (std::size_t i = 0; i < mask.size(); i++) {
    if (mask[i] == 0) continue;
    map_[i / 64] |= std::uint64_t{1} << i % 64;
    count_++;
  }
  words_ = std::make_unique<std::uint64_t[]>(std::size_t{2} * count_);
  std::size_t at = 0;
  for (std::size_t i = 0; i < mask.size(); i++) {
    if (mask[i] == 0) continue;
    words_[at] = mask[i];
    words_[count_ + at++] = key[i];
  }
}

flow::Match PackedMatch::unpack() const {
  Words mask{}, key{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < mask.size(); i++) {
    if ((map_[i / 64] >> i % 64 & 1) == 0) continue;
    mask[i] = words_[at];
    key[i] = words_[count_ + at++];
  }
  flow::Match match;
  std::memcpy(&match.mask.bits, mask.data(), sizeof mask);
  std::memcpy(&match.key, key.data(), sizeof key);
  return match;
}

bool PackedMatch::covers(const flow::Mask& mask) const {
  const Words wanted = words_of(mask.bits);
  std::size_t at = 0;
  for (std::size_t i = 0; i < wanted.size(); i++) {
    const bool here = (map_[i / 64] >> i % 64 & 1) != 0;
    if ((wanted[i] & ~(here ? words_[at] : 0)) != 0) return false;
    at += here;
  }
  return true;
}

}  // namespace ovs::ofproto
