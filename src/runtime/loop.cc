// The loop over Asio's io_context: rounds, the timer queue and its clock, descriptors, signals.

// ThreadSanitizer does not know the free-standing fences that Asio puts around handlers.  The
// mutex of its queue orders the same things.
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include "runtime/loop.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/tls_config.h"

namespace ovs::runtime {

namespace asio = boost::asio;
namespace intrusive = boost::intrusive;

namespace {

LogModule log{"loop"};

// How many handlers of one round may run before its end.  Larger batches more; smaller makes what
// is to be done at the end (replies, fsync) wait less for other connections' work.
constexpr int round_handlers = 64;

// Of the hooks that wait, the part that runs in one round, and how many at least.
constexpr std::size_t hook_share = 8;
constexpr std::size_t hooks_at_least = 8;

// A deadline that is farther away is moved here, where no clock's arithmetic overflows.
constexpr Duration farthest = std::chrono::hours(24 * 365 * 100);

using WallTime = std::chrono::system_clock::time_point;

TimePoint real_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

// Asio reports failures of start-up (no epoll descriptor left) by exceptions; a loop that cannot
// be built leaves the process nothing to do.
template <class F>
auto or_die(const char* doing, F f) {
  try {
    return f();
  } catch (const std::exception& e) {
    check_failed(__FILE__, __LINE__, doing, e.what());
  }
}

}  // namespace

struct Timer::Impl : intrusive::set_base_hook<> {
  Impl(Loop::Impl& l, std::function<void()> f) : loop(l), expired(std::move(f)) {}
  Loop::Impl& loop;
  std::function<void()> expired;
  TimePoint deadline{};
  std::uint64_t sequence = 0;
  std::weak_ptr<Impl> self;

  friend bool operator<(const Impl& a, const Impl& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.sequence < b.sequence;
  }
};

struct RoundHook::Impl : intrusive::list_base_hook<intrusive::link_mode<intrusive::auto_unlink>> {
  Impl(Loop::Impl& l, std::function<void()> f) : loop(l), work(std::move(f)) {}
  Loop::Impl& loop;
  std::function<void()> work;
  std::weak_ptr<Impl> self;
};

struct Loop::Impl {
  using Timers = intrusive::set<Timer::Impl>;
  using Hooks = intrusive::list<RoundHook::Impl, intrusive::constant_time_size<false>>;

  Impl() : alarm(io), signals(io), work(io.get_executor()) {}

  // A hint of 1 tells Asio that one thread runs the context; posting from others stays safe.
  asio::io_context io{1};
  asio::steady_timer alarm;
  asio::signal_set signals;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::map<int, std::function<void()>> signal_handlers;
  std::shared_ptr<TlsConfig> tls;
  bool signal_waiting = false;

  Timers timers;
  std::uint64_t timer_sequence = 0;
  std::optional<TimePoint> alarm_at;  // on the loop's clock

  std::vector<std::function<void()>> deferred;
  Hooks first_hooks;
  Hooks hooks;
  bool running = false;
  bool stopping = false;

  // now() = base + real time, or `frozen`.
  Duration offset{0};
  std::optional<TimePoint> frozen;
  std::optional<WallTime> frozen_wall;

  struct Warp {
    Duration left;
    Duration step;
    std::function<void()> done;
  };
  std::optional<Warp> warp;

  TimePoint now() const { return frozen ? *frozen : real_now() + offset; }

  void start(Timer::Impl& t, TimePoint deadline) {
    if (t.is_linked()) timers.erase(timers.iterator_to(t));
    t.deadline = std::min(deadline, now() + farthest);
    t.sequence = ++timer_sequence;
    auto at = timers.insert(t).first;
    if (at == timers.begin()) set_alarm();
  }

  // Sets the one timer of the operating system to the first deadline.
  void set_alarm() {
    // Where time stands still, only what is due already will ever be.
    if (timers.empty() || (frozen && timers.begin()->deadline > *frozen)) {
      if (alarm_at) alarm.cancel();
      alarm_at.reset();
      return;
    }
    TimePoint deadline = timers.begin()->deadline;
    if (alarm_at == deadline) return;
    alarm_at = deadline;
    alarm.expires_at(frozen ? real_now() : deadline - offset);
    alarm.async_wait([this, deadline](const boost::system::error_code& error) {
      if (error || alarm_at != deadline) return;
      alarm_at.reset();
      expire();
      set_alarm();
    });
  }

  // Runs the timers that are due now, but none that is started meanwhile.
  void expire() {
    TimePoint until = now();
    std::uint64_t last = timer_sequence;
    for (;;) {
      auto t = timers.begin();
      // Due timers that were started during this expiry stand between the others: step over them.
      while (t != timers.end() && t->deadline <= until && t->sequence > last) ++t;
      if (t == timers.end() || t->deadline > until) return;
      auto keep = t->self.lock();
      timers.erase(t);
      keep->expired();
    }
  }

  void move_clock(Duration by) {
    if (frozen) {
      *frozen += by;
      *frozen_wall += by;
    } else {
      offset += by;
      if (alarm_at) alarm.cancel();
      alarm_at.reset();
    }
    expire();
    set_alarm();
  }

  void warp_step() {
    Duration by = std::min(warp->step, warp->left);
    warp->left -= by;
    move_clock(by);
    // Two rounds on: what the timers' handlers sent and posted has been dealt with by then.
    asio::post(io, [this] {
      asio::post(io, [this] {
        if (warp->left > Duration::zero()) return warp_step();
        auto done = std::move(warp->done);
        warp.reset();
        if (done) done();
      });
    });
  }

  // Runs what was put off to the round's end; `all`: every hook, else a share of them.
  void end_round(bool all) {
    std::optional<std::size_t> left;  // of the hooks that may run
    for (;;) {
      if (!deferred.empty()) {
        std::vector<std::function<void()>> now_due;
        now_due.swap(deferred);
        for (auto& f : now_due) f();
      } else if (!first_hooks.empty()) {
        run_first(first_hooks);
      } else if (!hooks.empty()) {
        if (!left) left = std::max(hooks_at_least, hooks.size() / hook_share);
        if (!all && *left == 0) return;
        if (*left > 0) --*left;
        run_first(hooks);
      } else {
        return;
      }
    }
  }

  static void run_first(Hooks& hooks) {
    auto keep = hooks.front().self.lock();
    hooks.pop_front();
    keep->work();
  }

  // One round: sleeps (unless something is ready, or hooks are left over) until an event, then
  // handles what is ready.  Returns false if `done` became true.
  template <class Done>
  bool round(Done done) {
    // Work may have been deferred before the loop ran.
    end_round(false);
    if (done()) return false;
    hooks.empty() ? io.run_one() : io.poll_one();
    bool end = done();
    for (int i = 1; !end && !stopping && i < round_handlers && io.poll_one(); i++) end = done();
    end_round(false);
    return !end && !done();
  }

  template <class Done>
  void run(Done done) {
    OVS_CHECK(!running, "a Loop was run from one of its own handlers");
    running = true;
    while (!stopping && round(done)) {
    }
    end_round(true);
    stopping = false;
    running = false;
  }

  void wait_for_signal() {
    if (signal_waiting) return;
    signal_waiting = true;
    signals.async_wait([this](const boost::system::error_code& error, int number) {
      signal_waiting = false;
      if (error && error != asio::error::operation_aborted) return;
      wait_for_signal();
      if (error) return;
      // A copy, since the handler may replace itself.
      if (auto handler = signal_handlers.find(number); handler != signal_handlers.end()) {
        auto f = handler->second;
        f();
      }
    });
  }
};

Loop::Loop() : impl_(or_die("event loop", [] { return std::make_unique<Impl>(); })) {}

Loop::~Loop() {
  OVS_CHECK(impl_->timers.empty(), "a running Timer outlives its Loop");
}

void Loop::run() {
  impl_->run([] { return false; });
}

bool Loop::run_until(const std::function<bool()>& done, std::optional<Duration> limit) {
  bool late = false;
  asio::steady_timer timer(impl_->io);
  if (limit) {
    timer.expires_after(*limit);
    timer.async_wait([&late](const boost::system::error_code& error) {
      if (!error) late = true;
    });
  }
  impl_->run([&] { return late || done(); });
  if (limit && !late) {
    // The wait refers to this frame: see it cancelled before leaving.
    bool gone = false;
    timer.cancel();
    asio::post(impl_->io, [&gone] { gone = true; });
    impl_->run([&] { return gone; });
  }
  return done();
}

void Loop::stop() {
  asio::post(impl_->io, [this] { impl_->stopping = true; });
}

void Loop::post(std::function<void()> work) { asio::post(impl_->io, std::move(work)); }

void Loop::defer(std::function<void()> work) { impl_->deferred.push_back(std::move(work)); }

TimePoint Loop::now() const { return impl_->now(); }

std::chrono::system_clock::time_point Loop::wall_now() const {
  if (impl_->frozen_wall) return *impl_->frozen_wall;
  return std::chrono::system_clock::now() + impl_->offset;
}

void Loop::stop_time() {
  if (impl_->frozen) return;
  impl_->frozen_wall = wall_now();
  impl_->frozen = now();
  impl_->set_alarm();
}

Result<void> Loop::warp_time(Duration by, std::function<void()> done, std::optional<Duration> step) {
  if (impl_->warp) return unexpected("an earlier time/warp is still under way", EBUSY);
  OVS_CHECK(by > Duration::zero() && (!step || *step > Duration::zero()));
  impl_->warp = Impl::Warp{by, step.value_or(by), std::move(done)};
  // Not at once: a handler calls this, and timers' handlers do not run inside others.
  post([impl = impl_.get()] { impl->warp_step(); });
  return {};
}

void Loop::add_commands(ControlTable& table) {
  table.add({.name = "time/stop", .synopsis = "", .summary = "Stop the clock of all timers."},
            [this](std::span<const std::string>) -> Result<std::string> {
              stop_time();
              return std::string();
            });
  table.add({.name = "time/warp",
             .synopsis = "[LARGE_MSECS] MSECS",
             .summary = "Move the clock forward, by LARGE_MSECS in steps of MSECS."},
            [this](std::span<const std::string> arguments, ControlReply reply) {
              std::int64_t ms[2] = {0, 0};
              for (std::size_t i = 0; i < arguments.size(); i++) {
                auto n = parse_integer(arguments[i]);
                if (!n || *n <= 0 || *n > INT32_MAX) return reply.error("invalid MSECS");
                ms[i] = *n;
              }
              auto shared = std::make_shared<ControlReply>(std::move(reply));
              auto done = [shared] { shared->ok("warped"); };
              auto step = arguments.size() == 2 ? std::optional<Duration>(ms[1]) : std::nullopt;
              if (auto r = warp_time(Duration(ms[0]), done, step); !r) {
                shared->error(r.error().message);
              }
            });
}

void Loop::on_signal(int number, std::function<void()> handler) {
  boost::system::error_code error;
  impl_->signals.add(number, error);
  if (error) {
    log.err("cannot handle signal {}: {}", number, error.message());
    return;
  }
  impl_->signal_handlers[number] = std::move(handler);
  impl_->wait_for_signal();
}

// ---- Timer

Timer::Timer(Loop& loop, std::function<void()> expired)
    : impl_(std::make_shared<Impl>(loop.impl(), std::move(expired))) {
  impl_->self = impl_;
}

Timer::~Timer() { cancel(); }

void Timer::start(Duration after) {
  start_at(impl_->loop.now() + std::clamp(after, Duration::zero(), farthest));
}

void Timer::start_at(TimePoint deadline) { impl_->loop.start(*impl_, deadline); }

void Timer::cancel() {
  // The alarm stays: a wake-up for nothing is cheaper than moving it at every cancellation.
  if (impl_->is_linked()) impl_->loop.timers.erase(impl_->loop.timers.iterator_to(*impl_));
}

bool Timer::running() const { return impl_->is_linked(); }

// ---- the keys of connections by TLS: kept here, understood elsewhere

void set_tls_config(Loop& loop, std::shared_ptr<TlsConfig> config) { loop.impl().tls = std::move(config); }

const std::shared_ptr<TlsConfig>& tls_config_of(Loop& loop) { return loop.impl().tls; }

// ---- RoundHook

RoundHook::RoundHook(Loop& loop, std::function<void()> work)
    : impl_(std::make_shared<Impl>(loop.impl(), std::move(work))) {
  impl_->self = impl_;
}

RoundHook::~RoundHook() {
  if (impl_->is_linked()) impl_->unlink();
}

void RoundHook::schedule() {
  if (!impl_->is_linked()) impl_->loop.hooks.push_back(*impl_);
}

void RoundHook::schedule_first() {
  if (impl_->is_linked()) impl_->unlink();
  impl_->loop.first_hooks.push_back(*impl_);
}

// ---- descriptors

struct Readiness::Impl : std::enable_shared_from_this<Impl> {
  Impl(Loop& l, int fd, std::function<void()> r, std::function<void()> w)
      : descriptor(l.impl().io), readable(std::move(r)), writable(std::move(w)) {
    boost::system::error_code error;
    descriptor.assign(fd, error);
    if (error) log.err("cannot watch descriptor {}: {}", fd, error.message());
  }

  asio::posix::stream_descriptor descriptor;
  std::function<void()> readable, writable;
  bool waiting_read = false, waiting_write = false;
  bool closed = false;

  void want(asio::posix::descriptor_base::wait_type what, bool Impl::*waiting,
            std::function<void()> Impl::*call) {
    if (this->*waiting) return;
    this->*waiting = true;
    descriptor.async_wait(what, [self = shared_from_this(), waiting, call](
                                    const boost::system::error_code& error) {
      if (self->closed || error == asio::error::operation_aborted) return;
      self.get()->*waiting = false;
      (self.get()->*call)();
    });
  }
};

Readiness::Readiness(Loop& loop, int fd, std::function<void()> readable,
                     std::function<void()> writable)
    : impl_(std::make_shared<Impl>(loop, fd, std::move(readable), std::move(writable))) {}

Readiness::~Readiness() {
  impl_->closed = true;
  // Leaves the descriptor to its owner.
  if (impl_->descriptor.is_open()) impl_->descriptor.release();
}

void Readiness::want_read() {
  impl_->want(asio::posix::descriptor_base::wait_read, &Impl::waiting_read, &Impl::readable);
}

void Readiness::want_write() {
  impl_->want(asio::posix::descriptor_base::wait_write, &Impl::waiting_write, &Impl::writable);
}

struct FdWatch::Impl : std::enable_shared_from_this<Impl> {
  Impl(Loop& loop, int fd, Interest i, std::function<void()> f)
      : interest(i),
        ready(std::move(f)),
        copy{::fcntl(fd, F_DUPFD_CLOEXEC, 3)},
        readiness(loop, copy.fd, [this] { fire(); }, [this] { fire(); }) {}

  struct Copy {
    int fd;
    ~Copy() {
      if (fd >= 0) ::close(fd);
    }
  };

  Interest interest;
  std::function<void()> ready;
  Copy copy;  // so that two watches of one descriptor can both be registered
  Readiness readiness;
  bool closed = false;

  void ask() { interest == Interest::read ? readiness.want_read() : readiness.want_write(); }

  void fire() {
    auto keep = shared_from_this();
    ready();
    if (!closed) ask();
  }
};

FdWatch::FdWatch(Loop& loop, int fd, Interest interest, std::function<void()> ready)
    : impl_(std::make_shared<Impl>(loop, fd, interest, std::move(ready))) {
  impl_->ask();
}

FdWatch::~FdWatch() { impl_->closed = true; }

}  // namespace ovs::runtime
