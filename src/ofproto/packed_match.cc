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

PackedMatch::PackedMatch(const flow::FlowKey& packet, const flow::Mask& which) {
  const Words mask = words_of(which.bits), key = words_of(packet);
  for (std::size_t i = 0; i < mask.size(); i++) {
    if ((mask[i] | key[i]) == 0) continue;
    map_[i / 64] |= std::uint64_t{1} << i % 64;
    count_++;
  }
  words_ = std::make_unique<std::uint64_t[]>(std::size_t{2} * count_);
  std::size_t at = 0;
  for (std::size_t i = 0; i < mask.size(); i++) {
    if ((mask[i] | key[i]) == 0) continue;
    words_[at] = mask[i];
    words_[count_ + at++] = key[i];
  }
}

flow::Match PackedMatch::unpack() const {
  Words mask{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < mask.size(); i++)
    if ((map_[i / 64] >> i % 64 & 1) != 0) mask[i] = words_[at++];
  flow::Mask bits;
  std::memcpy(&bits.bits, mask.data(), sizeof mask);
  return flow::Match::of(packet(), bits);
}

flow::FlowKey PackedMatch::packet() const {
  Words words{};
  std::size_t at = count_;
  for (std::size_t i = 0; i < words.size(); i++)
    if ((map_[i / 64] >> i % 64 & 1) != 0) words[i] = words_[at++];
  flow::FlowKey key;
  std::memcpy(&key, words.data(), sizeof words);
  return key;
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
