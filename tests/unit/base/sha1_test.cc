#include "base/sha1.h"

#include <gtest/gtest.h>


namespace ovs {
namespace {

// The answers are those of FIPS 180-4's published examples.
TEST(Sha1, KnownAnswers) {
  EXPECT_EQ(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(sha1_hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(sha1_hex(std::string(1000000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

// Every place where the padding can fall relative to a block, and every way to cut the input.
TEST(Sha1, PiecesGiveTheSameDigestAsTheWhole) {
  for (std::size_t size = 0; size <= 130; size++) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i++) text[i] = static_cast<char>('a' + i % 26);
    Sha1 whole;
    whole.update(text);
    const Sha1::Digest expected = whole.finish();
    for (std::size_t cut = 0; cut <= size; cut++) {
      Sha1 pieces;
      pieces.update(std::string_view(text).substr(0, cut));
      pieces.update({});
      pieces.update(std::string_view(text).substr(cut));
      ASSERT_EQ(pieces.finish(), expected) << size << " bytes cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace ovs
