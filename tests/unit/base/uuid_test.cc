#include "base/uuid.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

namespace ovs {
namespace {

TEST(Uuid, TextAndBack) {
  const std::string text = "01234567-89ab-cdef-0123-456789abcdef";
  const auto u = Uuid::parse(text);
  ASSERT_TRUE(u);
  EXPECT_EQ(u->to_string(), text);
  EXPECT_EQ(u->bytes[0], 0x01);
  EXPECT_EQ(u->bytes[15], 0xef);
  EXPECT_EQ(Uuid::parse("01234567-89AB-CDEF-0123-456789ABCDEF"), u);
}

TEST(Uuid, AnythingElseIsRefused) {
  for (const char* bad :
       {"", "01234567-89ab-cdef-0123-456789abcde", "01234567-89ab-cdef-0123-456789abcdef0",
        "0123456789ab-cdef-0123-4567-89abcdef", "01234567-89ab-cdef-0123-456789abcdeg",
        "01234567+89ab-cdef-0123-456789abcdef", " 1234567-89ab-cdef-0123-456789abcdef"}) {
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
  }
}

TEST(Uuid, PartialTextMustFitFromTheBeginning) {
  for (const char* good : {"0", "01234567", "01234567-", "01234567-89AB", "01234567-89ab-cdef-0123-456789abcdef"}) {
    EXPECT_TRUE(Uuid::is_partial(good)) << good;
  }
  for (const char* bad : {"", "g", "012345678", "0123-", "01234567-89ab-cdef-0123-456789abcdef0", "br0"}) {
    EXPECT_FALSE(Uuid::is_partial(bad)) << bad;
  }
}

TEST(Uuid, OrderIsThatOfTheText) {
  const auto low = *Uuid::parse("00000000-0000-0000-0000-000000000001");
  const auto high = *Uuid::parse("f0000000-0000-0000-0000-000000000000");
  EXPECT_LT(low, high);
  EXPECT_FALSE(low.is_zero());
  EXPECT_TRUE(Uuid{}.is_zero());
}

TEST(Uuid, RandomOnesAreVersion4AndDiffer) {
  const Uuid a = Uuid::random();
  for (int i = 0; i < 1000; i++) {
    const Uuid b = Uuid::random();
    ASSERT_NE(a, b);
    ASSERT_EQ(b.bytes[6] >> 4, 4);
    ASSERT_EQ(b.bytes[8] >> 6, 2);
  }
}

// A daemon forks after it has drawn random numbers; the child must not repeat its parent's.
TEST(Uuid, AForkedChildDrawsOthers) {
  (void)Uuid::random();
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Uuid u = Uuid::random();
    _exit(write(pipe_fds[1], u.bytes.data(), 16) == 16 ? 0 : 1);
  }
  Uuid of_child;
  ASSERT_EQ(read(pipe_fds[0], of_child.bytes.data(), 16), 16);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(Uuid::random(), of_child);
}

TEST(Uuid, HashesOfSequentialOnesSpread) {
  std::set<std::size_t> low_bits;
  for (unsigned i = 0; i < 256; i++) {
    Uuid u;
    u.bytes[15] = static_cast<std::uint8_t>(i);
    low_bits.insert(UuidHash{}(u) % 4096);
  }
  EXPECT_GT(low_bits.size(), 200U);
}

}  // namespace
}  // namespace ovs
