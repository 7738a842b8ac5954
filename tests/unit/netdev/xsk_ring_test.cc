#include "netdev/xsk_ring.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace ovs::netdev {
namespace {

// A ring whose both ends are ours.
struct Ring {
  explicit Ring(std::uint32_t size) : entries(size) {
    const XskRingPlace place{&producer, &consumer, &flags, entries.data(), size};
    in = XskProducer<std::uint64_t>(place);
    out = XskConsumer<std::uint64_t>(place);
  }
  std::uint32_t producer = 0, consumer = 0, flags = 0;
  std::vector<std::uint64_t> entries;
  XskProducer<std::uint64_t> in;
  XskConsumer<std::uint64_t> out;
};

TEST(XskRing, HoldsAsManyAsItsSize) {
  Ring ring(8);
  for (std::uint64_t round = 0; round < 100; ++round) {
    ASSERT_EQ(ring.in.room(), 8u);
    for (std::uint64_t i = 0; i < 8; ++i) ring.in.put(round * 8 + i);
    EXPECT_EQ(ring.in.room(), 0u);
    EXPECT_EQ(ring.out.filled(), 0u) << "nothing is there before it is published";
    ring.in.publish();
    EXPECT_EQ(ring.in.waiting(), 8u);
    ASSERT_EQ(ring.out.filled(), 8u);
    for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(ring.out.take(), round * 8 + i);
    EXPECT_EQ(ring.out.filled(), 0u);
    EXPECT_EQ(ring.in.room(), 0u) << "an entry may still be looked at before it is released";
    ring.out.release();
    EXPECT_EQ(ring.in.waiting(), 0u);
  }
}

TEST(XskRing, TellsThatTheKernelWantsToBeWoken) {
  Ring ring(4);
  EXPECT_FALSE(ring.in.wants_wakeup());
  ring.flags = XDP_RING_NEED_WAKEUP;
  EXPECT_TRUE(ring.in.wants_wakeup());
}

TEST(XskRing, KeepsOrderBetweenThreads) {
  Ring ring(16);
  constexpr std::uint64_t count = 300'000;
  std::thread producer([&] {
    for (std::uint64_t next = 0; next < count;) {
      std::uint32_t room = ring.in.room();
      if (room == 0) std::this_thread::yield();
      for (; room != 0 && next < count; --room) ring.in.put(next++);
      ring.in.publish();
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t next = 0; next < count;) {
    std::uint32_t filled = ring.out.filled();
    if (filled == 0) std::this_thread::yield();
    for (; filled != 0; --filled) wrong += ring.out.take() != next++;
    ring.out.release();
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(ring.in.waiting(), 0u);
}

}  // namespace
}  // namespace ovs::netdev
