#include "base/sha1.h"

#include <gtest/gtest.h>

#include "base/sha1_blocks.h"


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

// The processor's instructions, where there are any, and the portable code must agree.
TEST(Sha1, TheProcessorsInstructionsGiveTheSame) {
  const Sha1Blocks of_cpu = sha1_blocks_of_cpu();
  if (of_cpu == nullptr) GTEST_SKIP() << "this processor has no SHA instructions";
  std::array<std::uint8_t, 64 * 5> data;
  std::uint32_t x = 1;
  for (std::uint8_t& byte : data) byte = static_cast<std::uint8_t>((x = x * 1664525 + 1013904223) >> 24);
  std::array<std::uint32_t, 5> a{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  auto b = a;
  for (std::size_t count = 0; count <= 5; count++) {
    of_cpu(a.data(), data.data(), count);
    sha1_blocks_portable(b.data(), data.data(), count);
    ASSERT_EQ(a, b) << count;
  }
}

}  // namespace
}  // namespace ovs
