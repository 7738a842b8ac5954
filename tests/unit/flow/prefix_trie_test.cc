#include "flow/prefix_trie.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ovs::flow {
namespace {

bool same_prefix(const PrefixTrie::Value& a, const PrefixTrie::Value& b, unsigned length) {
  for (unsigned i = 0; i < length; i++) {
    if ((a[i / 32] ^ b[i / 32]) >> (31 - i % 32) & 1) return false;
  }
  return true;
}

struct Prefix {
  PrefixTrie::Value value;
  unsigned length;
};

class TrieTest : public testing::TestWithParam<unsigned> {
 protected:
  // Few different values, so that prefixes nest and branch.
  PrefixTrie::Value value() {
    PrefixTrie::Value v{};
    for (unsigned i = 0; i < GetParam(); i++) {
      const bool bit = i % 7 == 0 ? random_() % 2 : i < GetParam() / 2 ? i % 3 == 0 : random_() % 8 == 0;
      if (bit) v[i / 32] |= 1u << (31 - i % 32);
    }
    return v;
  }

  RcuDomain domain_;
  std::mt19937 random_{GetParam()};
};

TEST_P(TrieTest, FindsWhatIsThereAndSaysWhatSettlesIt) {
  const unsigned bits = GetParam();
  PrefixTrie trie(bits, domain_);
  std::vector<Prefix> prefixes;
  for (int round = 0; round < 3000; round++) {
    if (prefixes.size() < 60 && (prefixes.empty() || random_() % 2)) {
      prefixes.push_back({value(), 1 + static_cast<unsigned>(random_()) % bits});
      trie.insert(prefixes.back().value, prefixes.back().length);
    } else {
      const std::size_t i = random_() % prefixes.size();
      trie.remove(prefixes[i].value, prefixes[i].length);
      prefixes.erase(prefixes.begin() + static_cast<std::ptrdiff_t>(i));
    }
    domain_.reclaim();
    PrefixTrie::Value wanted = value();
    const PrefixTrie::Found found = trie.lookup(wanted);
    std::bitset<PrefixTrie::max_bits + 1> lengths;
    for (const Prefix& p : prefixes) {
      if (same_prefix(p.value, wanted, p.length)) lengths.set(p.length);
    }
    ASSERT_EQ(found.lengths, lengths);
    ASSERT_LE(found.looked_at, bits);
    // Bits behind those that were looked at change nothing.
    for (int i = 0; i < 5; i++) {
      PrefixTrie::Value other = value();
      for (unsigned bit = 0; bit < found.looked_at; bit++) {
        const std::uint32_t one = 1u << (31 - bit % 32);
        other[bit / 32] = (other[bit / 32] & ~one) | (wanted[bit / 32] & one);
      }
      ASSERT_EQ(trie.lookup(other).lengths, lengths);
    }
  }
  for (const Prefix& p : prefixes) trie.remove(p.value, p.length);
  EXPECT_EQ(trie.lookup(value()).looked_at, 0u);
}

INSTANTIATE_TEST_SUITE_P(Bits, TrieTest, testing::Values(1, 16, 32, 33, 128));

TEST(PrefixTrie, OneBitTellsDistantNetworksApart) {
  RcuDomain domain;
  PrefixTrie trie(32, domain);
  trie.insert({0x0a000000}, 8);
  const PrefixTrie::Found found = trie.lookup({0xc0000201});
  EXPECT_TRUE(found.lengths.none());
  EXPECT_EQ(found.looked_at, 1u);
  EXPECT_EQ(trie.lookup({0x0a010203}).looked_at, 8u);
  EXPECT_EQ(trie.lookup({0x0b010203}).looked_at, 8u);
  EXPECT_EQ(trie.lookup({0x08010203}).looked_at, 7u);
}

}  // namespace
}  // namespace ovs::flow
