#include "datapath/upcall_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace ovs::datapath {
namespace {

Upcall numbered(std::uint32_t port, std::uint32_t number) {
  Upcall upcall{};
  upcall.key.in_port = be32::from_host(port);
  upcall.key.recirc_id = be32::from_host(number);
  return upcall;
}

bool readable(const UpcallQueues& queues) {
  pollfd p{queues.descriptor(), POLLIN, 0};
  return ::poll(&p, 1, 0) == 1;
}

TEST(UpcallQueues, AreTakenFromInTurn) {
  UpcallQueues queues;
  UpcallQueue a(10), b(10);
  for (std::uint32_t i = 0; i < 4; i++) EXPECT_TRUE(queues.put(a, numbered(1, i)));
  for (std::uint32_t i = 0; i < 2; i++) EXPECT_TRUE(queues.put(b, numbered(2, i)));
  std::vector<Upcall> out;
  EXPECT_EQ(queues.take(out, 3), 3u);
  EXPECT_TRUE(readable(queues));
  EXPECT_EQ(queues.take(out, 100), 3u);
  EXPECT_FALSE(readable(queues));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
  for (const Upcall& u : out) order.emplace_back(u.key.in_port.host(), u.key.recirc_id.host());
  EXPECT_EQ(order, (std::vector<std::pair<std::uint32_t, std::uint32_t>>{{1, 0}, {2, 0}, {1, 1}, {2, 1}, {1, 2}, {1, 3}}));
}

TEST(UpcallQueues, RefuseBeyondTheirLimitUntilSomethingIsTaken) {
  UpcallQueues queues;
  UpcallQueue queue(2);
  EXPECT_TRUE(queues.put(queue, numbered(1, 0)));
  EXPECT_FALSE(queue.is_full());
  EXPECT_TRUE(queues.put(queue, numbered(1, 1)));
  EXPECT_TRUE(queue.is_full());
  EXPECT_FALSE(queues.put(queue, numbered(1, 2)));
  std::vector<Upcall> out;
  EXPECT_EQ(queues.take(out, 1), 1u);
  EXPECT_TRUE(queues.put(queue, numbered(1, 3)));
  EXPECT_EQ(queues.take(out, 10), 2u);
  EXPECT_EQ(out.back().key.recirc_id.host(), 3u);
}

TEST(UpcallQueues, TheDescriptorTellsWhetherThereIsOne) {
  UpcallQueues queues;
  UpcallQueue queue(10);
  std::vector<Upcall> out;
  EXPECT_FALSE(readable(queues));
  for (int round = 0; round < 3; round++) {
    queues.put(queue, numbered(1, 0));
    EXPECT_TRUE(readable(queues));
    EXPECT_EQ(queues.take(out, 1), 1u);
    EXPECT_FALSE(readable(queues)) << "all are taken, although as many as were wanted";
    EXPECT_EQ(queues.take(out, 1), 0u);
  }
}

TEST(UpcallQueues, AForgottenQueueIsLeftAlone) {
  UpcallQueues queues;
  UpcallQueue other(10);
  {
    UpcallQueue queue(10);
    queues.put(queue, numbered(1, 0));
    queues.put(other, numbered(2, 0));
    queues.forget(queue);
  }
  std::vector<Upcall> out;
  EXPECT_EQ(queues.take(out, 10), 1u);
  EXPECT_EQ(out.front().key.in_port.host(), 2u);
}

// Several threads put while one takes when it is told to; nothing is lost or stays unseen, and each thread's
// come in order.
TEST(UpcallQueues, NothingIsLostBetweenThreads) {
  constexpr std::uint32_t threads = 3, each = 20000;
  UpcallQueues queues;
  UpcallQueue shared(each * threads), own(each * threads);
  std::vector<std::thread> putters;
  for (std::uint32_t t = 0; t < threads; t++) {
    putters.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < each; i++) {
        EXPECT_TRUE(queues.put(t == 0 ? own : shared, numbered(t, i)));
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  std::vector<std::uint32_t> next(threads, 0);
  std::size_t total = 0;
  std::vector<Upcall> out;
  while (total < threads * each) {
    pollfd p{queues.descriptor(), POLLIN, 0};
    ASSERT_EQ(::poll(&p, 1, 60000), 1) << "there are more, but nothing says so";
    out.clear();
    total += queues.take(out, 50);
    for (const Upcall& u : out) ASSERT_EQ(u.key.recirc_id.host(), next[u.key.in_port.host()]++);
  }
  for (auto& t : putters) t.join();
  EXPECT_FALSE(readable(queues));
}

}  // namespace
}  // namespace ovs::datapath
