#include "runtime/loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ovs::runtime {
namespace {

using std::chrono::milliseconds;

constexpr Duration long_time{30'000};

TEST(LoopTest, PostRunsInOrder) {
  Loop loop;
  std::string order;
  loop.post([&] { order += 'a'; });
  loop.post([&] { order += 'b'; });
  loop.post([&] {
    order += 'c';
    loop.stop();
  });
  EXPECT_EQ(order, "");
  loop.run();
  EXPECT_EQ(order, "abc");
}

TEST(LoopTest, PostFromOtherThreads) {
  Loop loop;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; i++) loop.post([&] { count++; });
    });
  }
  EXPECT_TRUE(loop.run_until([&] { return count == 4000; }, long_time));
  for (auto& t : threads) t.join();
}

TEST(LoopTest, RunUntilGivesUp) {
  Loop loop;
  EXPECT_FALSE(loop.run_until([] { return false; }, Duration(5)));
  // The loop is as good as before.
  bool ran = false;
  loop.post([&] { ran = true; });
  EXPECT_TRUE(loop.run_until([&] { return ran; }, long_time));
}

TEST(LoopTest, LoopWithinAHandlerOfAnother) {
  Loop outer;
  bool inner_ran = false, outer_ran = false;
  outer.post([&] {
    Loop inner;
    inner.post([&] { inner_ran = true; });
    inner.run_until([&] { return inner_ran; }, long_time);
    outer_ran = true;
  });
  EXPECT_TRUE(outer.run_until([&] { return outer_ran; }, long_time));
  EXPECT_TRUE(inner_ran);
}

TEST(LoopTest, DeferredWorkRunsOnceAtTheEndOfTheRound) {
  Loop loop;
  std::string order;
  RoundHook hook(loop, [&] { order += 'H'; });
  auto handler = [&] {
    order += 'h';
    hook.schedule();
    loop.defer([&] {
      order += 'd';
      hook.schedule();
    });
  };
  loop.post(handler);
  loop.post(handler);
  EXPECT_TRUE(loop.run_until([&] { return order.find('H') != order.npos; }, long_time));
  // Both handlers were ready, so they are of one round: hooks run after all deferred work, once.
  EXPECT_EQ(order, "hhddH");
}

TEST(LoopTest, DeferredWorkMayDeferMore) {
  Loop loop;
  std::string order;
  bool next = false;
  loop.defer([&] {
    order += '1';
    loop.post([&] { next = true; });
    loop.defer([&] {
      EXPECT_FALSE(next);
      order += '2';
    });
  });
  EXPECT_TRUE(loop.run_until([&] { return next; }, long_time));
  EXPECT_EQ(order, "12");
}

TEST(LoopTest, HookIsTakenBackByItsDestruction) {
  Loop loop;
  bool ran = false;
  auto hook = std::make_unique<RoundHook>(loop, [&] { ran = true; });
  hook->schedule();
  hook.reset();
  bool done = false;
  loop.post([&] { done = true; });
  EXPECT_TRUE(loop.run_until([&] { return done; }, long_time));
  EXPECT_FALSE(ran);
}

TEST(LoopTest, HookMayDestroyItself) {
  Loop loop;
  std::unique_ptr<RoundHook> hook;
  bool ran = false;
  hook = std::make_unique<RoundHook>(loop, [&] {
    hook.reset();
    ran = true;
  });
  hook->schedule();
  EXPECT_TRUE(loop.run_until([&] { return ran; }, long_time));
}

TEST(LoopTest, ManyHooksShareTheLoopWithHandlers) {
  Loop loop;
  int ran = 0, ran_before_handler = -1;
  bool first = false;
  std::vector<std::unique_ptr<RoundHook>> hooks;
  for (int i = 0; i < 100; i++) hooks.push_back(std::make_unique<RoundHook>(loop, [&] { ran++; }));
  RoundHook urgent(loop, [&] {
    first = ran == 0;
    loop.post([&] { ran_before_handler = ran; });
  });
  loop.post([&] {
    for (auto& hook : hooks) hook->schedule();
    urgent.schedule();
    urgent.schedule_first();
  });
  EXPECT_TRUE(loop.run_until([&] { return ran == 100; }, long_time));
  EXPECT_TRUE(first);
  EXPECT_GT(ran_before_handler, 0);
  EXPECT_LT(ran_before_handler, 100);
}

TEST(LoopTest, HooksRunBeforeTheLoopIsLeft) {
  Loop loop;
  int ran = 0;
  bool done = false;
  std::vector<std::unique_ptr<RoundHook>> hooks;
  for (int i = 0; i < 100; i++) hooks.push_back(std::make_unique<RoundHook>(loop, [&] { ran++; }));
  loop.post([&] {
    for (auto& hook : hooks) hook->schedule();
    done = true;
  });
  EXPECT_TRUE(loop.run_until([&] { return done; }, long_time));
  EXPECT_EQ(ran, 100);
}

TEST(LoopTest, SignalsReachTheirHandlers) {
  Loop loop;
  int hups = 0, usr1 = 0;
  loop.on_signal(SIGHUP, [&] { hups += 100; });
  loop.on_signal(SIGHUP, [&] { hups++; });
  loop.on_signal(SIGUSR1, [&] { usr1++; });
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(loop.run_until([&] { return hups == 1; }, long_time));
  ::kill(::getpid(), SIGUSR1);
  EXPECT_TRUE(loop.run_until([&] { return usr1 == 1; }, long_time));
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(loop.run_until([&] { return hups == 2; }, long_time));
}

// ---- timers, in virtual time

class TimerTest : public testing::Test {
 protected:
  TimerTest() { loop.stop_time(); }

  void warp(int ms, int step = 0) {
    bool done = false;
    auto r = loop.warp_time(Duration(ms), [&] { done = true; }, step ? std::optional(Duration(step)) : std::nullopt);
    ASSERT_TRUE(r);
    ASSERT_TRUE(loop.run_until([&] { return done; }, long_time));
  }

  Loop loop;
  std::string order;
};

TEST_F(TimerTest, TimeStandsStill) {
  TimePoint then = loop.now();
  auto wall = loop.wall_now();
  bool fired = false;
  Timer timer(loop, [&] { fired = true; });
  timer.start(Duration(1));
  EXPECT_FALSE(loop.run_until([&] { return fired; }, Duration(20)));
  EXPECT_EQ(loop.now(), then);
  EXPECT_EQ(loop.wall_now(), wall);
  warp(1);
  EXPECT_TRUE(fired);
  EXPECT_EQ(loop.now(), then + Duration(1));
  EXPECT_EQ(loop.wall_now(), wall + Duration(1));
}

TEST_F(TimerTest, OrderIsDeadlineThenStart) {
  Timer a(loop, [&] { order += 'a'; }), b(loop, [&] { order += 'b'; }), c(loop, [&] { order += 'c'; });
  a.start(Duration(20));
  b.start(Duration(10));
  c.start(Duration(20));
  warp(30);
  EXPECT_EQ(order, "bac");
}

TEST_F(TimerTest, RestartingMovesToTheEndOfItsDeadline) {
  Timer a(loop, [&] { order += 'a'; }), b(loop, [&] { order += 'b'; });
  a.start(Duration(10));
  b.start(Duration(10));
  a.start(Duration(10));
  warp(10);
  EXPECT_EQ(order, "ba");
}

TEST_F(TimerTest, CancelAndDestroy) {
  Timer a(loop, [&] { order += 'a'; });
  auto b = std::make_unique<Timer>(loop, [&] { order += 'b'; });
  a.start(Duration(1));
  b->start(Duration(1));
  EXPECT_TRUE(a.running());
  a.cancel();
  EXPECT_FALSE(a.running());
  b.reset();
  warp(10);
  EXPECT_EQ(order, "");
}

TEST_F(TimerTest, ExpiredTimerMayDestroyItselfAndCancelOthers) {
  std::unique_ptr<Timer> a, b;
  a = std::make_unique<Timer>(loop, [&] {
    order += 'a';
    b.reset();
    a.reset();
  });
  b = std::make_unique<Timer>(loop, [&] { order += 'b'; });
  a->start(Duration(1));
  b->start(Duration(1));
  warp(10);
  EXPECT_EQ(order, "a");
}

TEST_F(TimerTest, StartedByAHandlerDoesNotRunInTheSameExpiry) {
  Timer* timer = nullptr;
  Timer again(loop, [&] {
    order += 'a';
    if (order.size() < 3) timer->start(Duration(0));
  });
  timer = &again;
  Timer other(loop, [&] { order += 'o'; });
  again.start(Duration(1));
  other.start(Duration(2));
  warp(5);
  // What is due runs without another warp, though time stands.
  EXPECT_TRUE(loop.run_until([&] { return order.size() == 3; }, long_time));
  EXPECT_EQ(order, "aoa");
}

TEST_F(TimerTest, WarpInStepsRunsAPeriodicTimerEachTime) {
  std::vector<int> at;
  TimePoint start = loop.now();
  Timer* timer = nullptr;
  Timer periodic(loop, [&] {
    at.push_back(static_cast<int>((loop.now() - start).count()));
    timer->start(Duration(100));
  });
  timer = &periodic;
  periodic.start(Duration(100));
  warp(1000, 100);
  EXPECT_EQ(at, (std::vector<int>{100, 200, 300, 400, 500, 600, 700, 800, 900, 1000}));
  at.clear();
  warp(250, 100);  // the last step is the rest
  EXPECT_EQ(at, (std::vector<int>{1100, 1200}));
  EXPECT_EQ(loop.now(), start + Duration(1250));
}

TEST_F(TimerTest, OneWarpAtATime) {
  bool first = false;
  EXPECT_TRUE(loop.warp_time(Duration(10), [&] { first = true; }));
  EXPECT_FALSE(loop.warp_time(Duration(10), nullptr));
  EXPECT_TRUE(loop.run_until([&] { return first; }, long_time));
  EXPECT_TRUE(loop.warp_time(Duration(10), nullptr));
}

TEST_F(TimerTest, Commands) {
  ControlTable table;
  loop.add_commands(table);
  std::optional<std::pair<bool, std::string>> answer;
  auto run = [&](const std::string& command, std::vector<std::string> arguments) {
    answer.reset();
    table.run(command, arguments,
              ControlReply([&](bool ok, std::string text) { answer = {ok, std::move(text)}; }));
    EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }, long_time));
    return *answer;
  };
  TimePoint start = loop.now();
  EXPECT_TRUE(run("time/stop", {}).first);
  EXPECT_EQ(run("time/warp", {"100"}), std::pair(true, std::string("warped")));
  EXPECT_EQ(run("time/warp", {"1000", "10"}), std::pair(true, std::string("warped")));
  EXPECT_EQ(loop.now(), start + Duration(1100));
  for (auto bad : {"0", "-1", "x", "", "99999999999999999999"}) {
    EXPECT_EQ(run("time/warp", {bad}), std::pair(false, std::string("invalid MSECS"))) << bad;
    EXPECT_EQ(run("time/warp", {"5", bad}), std::pair(false, std::string("invalid MSECS"))) << bad;
  }
  EXPECT_FALSE(run("time/warp", {}).first);
  EXPECT_FALSE(run("time/warp", {"1", "2", "3"}).first);
}

TEST(RunningClockTest, WarpMovesARunningClockToo) {
  Loop loop;
  bool fired = false;
  Timer timer(loop, [&] { fired = true; });
  TimePoint start = loop.now();
  timer.start(std::chrono::hours(1));
  EXPECT_TRUE(loop.warp_time(std::chrono::hours(2), nullptr));
  EXPECT_TRUE(loop.run_until([&] { return fired; }, long_time));
  EXPECT_GE(loop.now(), start + std::chrono::hours(2));
}

TEST(RunningClockTest, TimersFireInRealTimeAndNotEarly) {
  Loop loop;
  std::string order;
  TimePoint start = loop.now();
  Timer a(loop, [&] { order += 'a'; }), b(loop, [&] { order += 'b'; });
  a.start(Duration(20));
  b.start(Duration(10));  // becomes the first: the alarm has to move
  EXPECT_TRUE(loop.run_until([&] { return order.size() == 2; }, long_time));
  EXPECT_EQ(order, "ba");
  EXPECT_GE(loop.now() - start, Duration(20));
}

// ---- descriptors

// A peer may ask for any 64-bit number of milliseconds.
TEST(RunningClockTest, NoDeadlineIsTooFarAway) {
  Loop loop;
  int expired = 0;
  bool soon_expired = false;
  Timer most(loop, [&] { expired++; }), last(loop, [&] { expired++; }), nanoseconds_overflow(loop, [&] { expired++; });
  Timer soon(loop, [&] { soon_expired = true; });
  most.start(Duration::max());
  last.start_at(TimePoint::max());
  nanoseconds_overflow.start(Duration(10'000'000'000'000'000));
  soon.start(Duration(5));
  EXPECT_TRUE(loop.run_until([&] { return soon_expired; }, long_time));
  EXPECT_EQ(expired, 0);
  EXPECT_TRUE(most.running() && last.running() && nanoseconds_overflow.running());
}

TEST(FdWatchTest, TwoWatchesOfOneDescriptor) {
  Loop loop;
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  int a = 0, b = 0;
  auto first = std::make_unique<FdWatch>(loop, fds[0], FdWatch::Interest::read, [&] { a++; });
  FdWatch second(loop, fds[0], FdWatch::Interest::read, [&] { b++; });
  EXPECT_FALSE(loop.run_until([&] { return a || b; }, Duration(5)));
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  // Called as long as there is something to read.
  EXPECT_TRUE(loop.run_until([&] { return a >= 3 && b >= 3; }, long_time));
  first.reset();
  int before = a;
  EXPECT_TRUE(loop.run_until([&, more = b + 3] { return b >= more; }, long_time));
  EXPECT_EQ(a, before);
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(FdWatchTest, WriteInterestAndDestructionInTheHandler) {
  Loop loop;
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  std::unique_ptr<FdWatch> watch;
  int calls = 0;
  watch = std::make_unique<FdWatch>(loop, fds[1], FdWatch::Interest::write, [&] {
    calls++;
    watch.reset();
  });
  EXPECT_TRUE(loop.run_until([&] { return calls > 0; }, long_time));
  EXPECT_FALSE(loop.run_until([&] { return calls > 1; }, Duration(5)));
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(ReadinessTest, OneCallForEachRequest) {
  Loop loop;
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  int calls = 0;
  {
    Readiness r(loop, fds[0], [&] { calls++; }, nullptr);
    r.want_read();
    r.want_read();
    EXPECT_TRUE(loop.run_until([&] { return calls == 1; }, long_time));
    EXPECT_FALSE(loop.run_until([&] { return calls > 1; }, Duration(5)));
    r.want_read();  // still readable: told again
    EXPECT_TRUE(loop.run_until([&] { return calls == 2; }, long_time));
  }
  // The descriptor is still open, and free for another.
  Readiness again(loop, fds[0], [&] { calls++; }, nullptr);
  again.want_read();
  EXPECT_TRUE(loop.run_until([&] { return calls == 3; }, long_time));
  ::close(fds[1]);
  again.want_read();
  EXPECT_TRUE(loop.run_until([&] { return calls == 4; }, long_time));
  ::close(fds[0]);
}

}  // namespace
}  // namespace ovs::runtime
