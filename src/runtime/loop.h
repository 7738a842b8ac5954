// The event loop: timers, readiness of file descriptors, work from other threads; and the clock
// that all timers of a process obey.
//
// A daemon has one Loop; everything that it owns lives on the Loop's thread.  Only post() may be
// called from another thread.
//
// Clock: monotonic time in a queue ordered by (deadline, order of starting), over one operating
// system timer.  `time/stop` and `time/warp MS` (ovs-appctl) freeze and move it, so that tests of
// the field can step through a protocol's timers in the production binary.
//
// Asio lives in loop.cc and stream.cc alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/command.h"
#include "base/result.h"

namespace ovs::runtime {

using Duration = std::chrono::milliseconds;
// Milliseconds on the loop's monotonic clock; the epoch is arbitrary.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Timer;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;

  void run();                    // until stop()
  // Runs until `done` returns true (looked at after every event) or `limit` has passed; returns done().
  bool run_until(const std::function<bool()>& done, std::optional<Duration> limit = {});
  void stop();                   // any thread
  void post(std::function<void()> work);  // any thread; runs later on the loop's thread, in order

  // Runs once at the end of the present round of events, before the loop sleeps: for batching
  // (one fsync for all commits of a round, one write for all updates).  Calls from within a
  // handler of it run in the same round.
  void defer(std::function<void()> work);

  TimePoint now() const;
  std::chrono::system_clock::time_point wall_now() const;  // moved by time/warp as well

  // time/stop and time/warp.
  void stop_time();
  void warp_time(Duration by, std::function<void()> done);
  void add_commands(ControlTable& table);

  // Handlers for SIGTERM, SIGINT (clean stop), SIGHUP (reopen logs), run on the loop's thread.
  void on_signal(int signal, std::function<void()> handler);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// One deadline.  Restarting moves it; destruction cancels it.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> expired);
  ~Timer();
  Timer(const Timer&) = delete;

  void start(Duration after);
  void start_at(TimePoint deadline);
  void cancel();
  bool running() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Calls `ready` while `fd` is readable (or writable).  Does not own the descriptor.
class FdWatch {
 public:
  enum class Interest { read, write };
  FdWatch(Loop& loop, int fd, Interest interest, std::function<void()> ready);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovs::runtime
