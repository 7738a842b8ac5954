// The reconnect machine: times and events in, actions out.
#include "rpc/reconnect.h"

#include <gtest/gtest.h>

#include <string>

namespace ovs::rpc {
namespace {

using Action = Reconnect::Action;
using std::chrono::milliseconds;

class ReconnectTest : public testing::Test {
 protected:
  Reconnect& make(Reconnect::Options options = {}, std::size_t remotes = 1) {
    machine.emplace(options, remotes, now);
    return *machine;
  }

  // The action at this time.  Nothing is said twice, but for what waits for disconnected().
  Action act() {
    Action a = machine->run(now);
    EXPECT_EQ(machine->run(now), a == Action::disconnect ? a : Action::none);
    return a;
  }
  // Lets time pass until the machine has something to do; returns how much passed.
  int wait_ms() {
    auto at = machine->deadline();
    if (!at) return -1;
    auto passed = std::max(*at - now, milliseconds(0));
    if (passed > milliseconds(0)) {
      // Not a millisecond earlier.
      now += passed - milliseconds(1);
      EXPECT_EQ(machine->run(now), Action::none);
      now += milliseconds(1);
    }
    return static_cast<int>(passed.count());
  }
  void pass(int ms) { now += milliseconds(ms); }
  std::string state() const { return state_name(machine->state()); }

  Reconnect::TimePoint now{milliseconds(1'000'000)};
  std::optional<Reconnect> machine;
};

TEST_F(ReconnectTest, ConnectsAtOnce) {
  make();
  EXPECT_EQ(state(), "BACKOFF");
  EXPECT_EQ(wait_ms(), 0);
  EXPECT_EQ(act(), Action::connect);
  EXPECT_EQ(state(), "CONNECTING");
  machine->connected(now);
  EXPECT_EQ(state(), "ACTIVE");
  EXPECT_EQ(act(), Action::none);
}

TEST_F(ReconnectTest, BackOffDoublesToItsLimit) {
  make();
  for (int expected : {0, 1000, 2000, 4000, 8000, 8000, 8000}) {
    EXPECT_EQ(wait_ms(), expected);
    ASSERT_EQ(act(), Action::connect);
    pass(3);  // refused
    machine->disconnected(now);
    EXPECT_EQ(state(), "BACKOFF");
  }
}

TEST_F(ReconnectTest, AttemptHasALimit) {
  make({.connect_timeout = milliseconds(5000)});
  ASSERT_EQ(act(), Action::connect);
  EXPECT_EQ(wait_ms(), 5000);
  EXPECT_EQ(act(), Action::disconnect);
}

TEST_F(ReconnectTest, AttemptWithoutALimit) {
  Reconnect m({.connect_timeout = Reconnect::Duration{0}}, 1, Reconnect::TimePoint{});
  EXPECT_EQ(m.run(Reconnect::TimePoint{}), Reconnect::Action::connect);
  EXPECT_FALSE(m.deadline());
  EXPECT_EQ(m.run(Reconnect::TimePoint{} + std::chrono::hours(1)), Reconnect::Action::none);
  EXPECT_EQ(m.state(), Reconnect::State::connecting);
}

TEST_F(ReconnectTest, ProbesAnIdlePeerAndGivesItUp) {
  make();
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  EXPECT_EQ(wait_ms(), 5000);
  EXPECT_EQ(act(), Action::probe);
  EXPECT_EQ(state(), "IDLE");
  EXPECT_EQ(wait_ms(), 5000);
  EXPECT_EQ(act(), Action::disconnect);
  machine->disconnected(now);
  EXPECT_EQ(state(), "BACKOFF");
}

TEST_F(ReconnectTest, AnyBytesAnswerTheProbe) {
  make();
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  wait_ms();
  ASSERT_EQ(act(), Action::probe);
  pass(4999);
  machine->received(now);
  EXPECT_EQ(state(), "ACTIVE");
  EXPECT_EQ(wait_ms(), 5000);
  EXPECT_EQ(act(), Action::probe);
}

TEST_F(ReconnectTest, BytesPutOffTheProbe) {
  make();
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  for (int i = 0; i < 10; i++) {
    pass(4999);
    machine->received(now);
    EXPECT_EQ(act(), Action::none);
  }
}

TEST_F(ReconnectTest, ProbingCanBeOff) {
  make({.probe_interval = milliseconds(0)});
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  EXPECT_EQ(machine->deadline(), std::nullopt);
  pass(1'000'000);
  EXPECT_EQ(act(), Action::none);
}

TEST_F(ReconnectTest, ProbingTurnedOffWhileIdle) {
  make();
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  wait_ms();
  ASSERT_EQ(act(), Action::probe);
  machine->set_probe_interval(milliseconds(0));
  pass(1'000'000);
  EXPECT_EQ(act(), Action::none);
  EXPECT_EQ(state(), "ACTIVE");
}

TEST_F(ReconnectTest, LongConnectionIsMadeAgainAtOnce) {
  make();
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  pass(1000);
  machine->disconnected(now);
  EXPECT_EQ(wait_ms(), 0);
  ASSERT_EQ(act(), Action::connect);
  machine->disconnected(now);
  EXPECT_EQ(wait_ms(), 1000);
}

TEST_F(ReconnectTest, PeerThatDropsUsAtOnceIsNotHammered) {
  make();
  for (int expected : {0, 1000, 2000, 4000, 8000, 8000}) {
    EXPECT_EQ(wait_ms(), expected);
    ASSERT_EQ(act(), Action::connect);
    machine->connected(now);
    pass(10);
    machine->disconnected(now);
  }
}

TEST_F(ReconnectTest, RemotesInTurnWithoutWaiting) {
  make({}, 3);
  std::string order;
  for (int expected : {0, 0, 0, 1000, 0, 0, 2000}) {
    EXPECT_EQ(wait_ms(), expected);
    ASSERT_EQ(act(), Action::connect);
    order += std::to_string(machine->remote());
    machine->disconnected(now);
  }
  EXPECT_EQ(order, "0120120");
}

TEST_F(ReconnectTest, AfterALossTheNextRemoteIsTried) {
  make({}, 2);
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  EXPECT_EQ(machine->remote(), 0u);
  pass(60'000);
  machine->disconnected(now);
  EXPECT_EQ(wait_ms(), 0);
  ASSERT_EQ(act(), Action::connect);
  EXPECT_EQ(machine->remote(), 1u);
}

TEST_F(ReconnectTest, WithoutRetryEachRemoteOnce) {
  make({.retry = false}, 2);
  ASSERT_EQ(act(), Action::connect);
  machine->disconnected(now);
  EXPECT_EQ(wait_ms(), 0);
  ASSERT_EQ(act(), Action::connect);
  machine->disconnected(now);
  EXPECT_EQ(state(), "FAILED");
  EXPECT_EQ(wait_ms(), 0);
  EXPECT_EQ(act(), Action::give_up);
  EXPECT_EQ(machine->deadline(), std::nullopt);
  pass(1'000'000);
  EXPECT_EQ(act(), Action::none);
}

TEST_F(ReconnectTest, WithoutRetryALossIsTheEnd) {
  make({.retry = false}, 2);
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  pass(60'000);
  machine->disconnected(now);
  EXPECT_EQ(act(), Action::give_up);
}

TEST_F(ReconnectTest, OwnerAsksForANewConnection) {
  make();
  ASSERT_EQ(act(), Action::connect);
  machine->connected(now);
  pass(10);
  machine->reconnect_now(now);
  EXPECT_EQ(wait_ms(), 0);
  EXPECT_EQ(machine->run(now), Action::disconnect);
  machine->disconnected(now);
  EXPECT_EQ(wait_ms(), 0);
  EXPECT_EQ(act(), Action::connect);
}

TEST_F(ReconnectTest, OwnerCutsTheWaitShort) {
  make();
  for (int i = 0; i < 4; i++) {
    wait_ms();
    ASSERT_EQ(act(), Action::connect);
    machine->disconnected(now);
  }
  machine->reconnect_now(now);
  EXPECT_EQ(act(), Action::connect);
  machine->disconnected(now);
  EXPECT_EQ(wait_ms(), 1000);
}

TEST_F(ReconnectTest, OwnerRevivesAFailedOne) {
  make({.retry = false});
  ASSERT_EQ(act(), Action::connect);
  machine->disconnected(now);
  ASSERT_EQ(act(), Action::give_up);
  machine->reconnect_now(now);
  EXPECT_EQ(act(), Action::connect);
  machine->disconnected(now);
  EXPECT_EQ(act(), Action::give_up);
}

TEST_F(ReconnectTest, SurplusEventsDoNoHarm) {
  make();
  machine->received(now);
  machine->disconnected(now);
  EXPECT_EQ(state(), "BACKOFF");
  ASSERT_EQ(act(), Action::connect);
  machine->disconnected(now);
  machine->disconnected(now);
  EXPECT_EQ(wait_ms(), 1000);
}

}  // namespace
}  // namespace ovs::rpc
