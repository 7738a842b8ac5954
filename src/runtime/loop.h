// The event loop: timers, readiness of file descriptors, work from other threads; and the clock
// that all timers of a process obey.
//
// A daemon has one Loop; everything that it owns lives on the Loop's thread.  Only post() and
// stop() may be called from another thread.  A second Loop may be run from within a handler of the
// first one (a blocking call to another program does that); the same Loop may not.
//
// A round.  The loop waits until something is ready, runs the handlers that are ready (at most
// some dozens, so that the end of the round is never far), then the work that was deferred with
// defer(), then the RoundHooks, and waits again.  Work that many handlers cause together (one
// fsync for all commits, one write for all messages to a peer) belongs to the round's end.
//
// Clock.  now() is monotonic, in whole milliseconds.  Expired timers run in the order of
// (deadline, order of starting); one that is started by a handler never runs within the same
// expiry, even with a delay of 0.  `time/stop` and `time/warp MS` (ovs-appctl) freeze and move the
// clock and with it every timer, so that tests of the field can step through a protocol's timers
// in the production binary.
//
// Construction order.  A Loop opens descriptors and belongs to one process: construct it after
// Daemon::start(), which forks.  Timers, watches and hooks must not outlive their Loop.
//
// Handlers must not throw; what a handler captures is destroyed with its owner, or when the
// handler returns if it destroyed its owner itself, which it may.
//
// Asio lives in loop.cc alone.
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

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();  // until stop()
  // Runs until `done` returns true (looked at after every event) or `limit` of real time has
  // passed; returns done().  A stop() meanwhile ends it too.
  bool run_until(const std::function<bool()>& done, std::optional<Duration> limit = {});
  void stop();                            // any thread; ends the present run() after its round
  void post(std::function<void()> work);  // any thread; runs later on the loop's thread, in order

  // Runs once at the end of the present round of events, before the loop sleeps: for batching
  // (one fsync for all commits of a round).  Calls from within a handler of it run in the same
  // round.
  void defer(std::function<void()> work);

  TimePoint now() const;
  std::chrono::system_clock::time_point wall_now() const;  // moved by time/warp as well

  // Freezes the clock; only warp_time() moves it afterwards.
  void stop_time();
  // Moves the clock forward by `by` at once, or in steps of `step` with a round between them, so
  // that what one step causes has happened before the next one.  `done` is called when the timers
  // of the last step have run.  One warp at a time: a second one meanwhile is an error (EBUSY).
  Result<void> warp_time(Duration by, std::function<void()> done, std::optional<Duration> step = {});
  void add_commands(ControlTable& table);  // time/stop, time/warp

  // A handler for a signal such as SIGTERM (clean stop) or SIGHUP (reopen logs), run on the
  // loop's thread.  A second call for the same signal replaces the first.
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
  Timer& operator=(const Timer&) = delete;

  // Not before `after` on the loop's clock; less than 0 counts as 0, more than 100 years as 100 years.
  void start(Duration after);
  void start_at(TimePoint deadline);
  void cancel();
  bool running() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

// Work at the end of a round that its owner can take back by being destroyed: like defer(), but
// after all deferred work, and without an allocation each time.  Streams write to their sockets in
// such a hook, so what deferred work sends still goes out in the same round.
//
// Where many hooks wait, a round runs the first ones only, an eighth, and the loop goes on
// without sleeping: so a reply does not wait until a hundred other clients have their updates, and
// what the next request sends to those goes out together with it.
class RoundHook {
 public:
  RoundHook(Loop& loop, std::function<void()> work);
  ~RoundHook();
  RoundHook(const RoundHook&) = delete;
  RoundHook& operator=(const RoundHook&) = delete;

  void schedule();  // once for the present round, however often it is called
  void schedule_first();  // the same, before all others: for whom somebody waits

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

// Calls `ready` while `fd` is readable (or writable).  Does not own the descriptor, of which there
// may be several watches.  Watching makes a descriptor non-blocking, for everybody who shares it.
class FdWatch {
 public:
  enum class Interest { read, write };
  FdWatch(Loop& loop, int fd, Interest interest, std::function<void()> ready);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Readiness of one descriptor in both directions, asked for one time at a time: what streams are
// built on.  Does not own the descriptor: the caller closes it after the object is gone.  There is
// one such object of a descriptor at a time; the descriptor becomes non-blocking.
class Readiness {
 public:
  Readiness(Loop& loop, int fd, std::function<void()> readable, std::function<void()> writable);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // The next time that the descriptor is readable (writable), its function is called, once.  An
  // error or a hang-up counts as ready.  Asking again before the call changes nothing.
  void want_read();
  void want_write();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ovs::runtime
