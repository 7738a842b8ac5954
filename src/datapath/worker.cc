#include "datapath/worker.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/check.h"

namespace ovs::datapath {

namespace {

constexpr std::uint64_t wake_name = ~std::uint64_t{0};
constexpr int max_events = 64;
// While queues are active, epoll is asked once in so many rounds.
constexpr unsigned rounds_between_polls = 8;
// After so many reports that were in vain a queue is left alone for a while.
constexpr unsigned max_vain_reports = 64;
constexpr std::chrono::milliseconds park_time{100};
// How long to look for more before sleeping: waking up takes longer than most answers take to come.  Others may run
// meanwhile; if one of them keeps the processor for so long, there is no lingering for some time.
constexpr std::chrono::microseconds linger{30}, long_yield{200};
constexpr std::chrono::milliseconds patience{200};

}  // namespace

Worker::Worker(int number, RcuDomain& domain, Shared& shared, std::uint64_t seed)
    : number_(number),
      domain_(domain),
      shared_(shared),
      forwarder_(shared, seed),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  OVS_CHECK(epoll_.get() >= 0 && wake_.get() >= 0, "epoll and eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_name;
  OVS_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
}

Worker::~Worker() {
  stop_ = true;
  const std::uint64_t one = 1;
  OVS_CHECK(::write(wake_.get(), &one, sizeof one) == sizeof one);
  if (thread_.joinable()) thread_.join();
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

bool Worker::watch(int descriptor, DpPort port, std::size_t queue) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = std::uint64_t{raw(port)} << 32 | queue;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Worker::unwatch(int descriptor) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr); }

void Worker::run() {
  RcuDomain::Reader reader(domain_);
  unsigned rounds = 0;
  auto served_at = std::chrono::steady_clock::time_point{}, alone_at = served_at;
  while (!stop_.load(std::memory_order_relaxed)) {
    if (!active_.empty()) {
      serve_active();
      reader.quiesce();
      if (++rounds % rounds_between_polls == 0) take_events(0);
      if (active_.empty()) served_at = std::chrono::steady_clock::now();
      continue;
    }
    take_events(0);
    if (!active_.empty()) continue;
    reader.quiesce();
    const auto now = std::chrono::steady_clock::now();
    if (now < served_at + linger && now >= alone_at) {
      sched_yield();
      // Somebody else needs this processor: whoever sleeps gets it back sooner than who yields.
      if (const auto back = std::chrono::steady_clock::now(); back > now + long_yield) alone_at = back + patience;
      continue;
    }
    reader.go_offline();
    epoll_event event;
    epoll_wait(epoll_.get(), &event, 1, parked_.empty() ? -1 : static_cast<int>(park_time.count()));
    // What is ready still is: it is asked for again, now that names may be resolved.
    reader.go_online();
  }
}

RxQueue* Worker::resolve(const QueueName& name, EnginePort** port) const {
  *port = shared_.ports.find(name.port);
  if (*port == nullptr) return nullptr;
  RxQueues* queues = (*port)->queues.load();
  if (queues == nullptr || name.queue >= queues->count) return nullptr;
  RxQueue& queue = queues->queues[name.queue];
  return queue.owner.load(std::memory_order_acquire) == number_ ? &queue : nullptr;
}

void Worker::take_events(int timeout_ms) {
  if (!parked_.empty() && std::chrono::steady_clock::now() >= retry_at_) retry_parked();
  std::array<epoll_event, max_events> events;
  const int count = epoll_wait(epoll_.get(), events.data(), max_events, timeout_ms);
  for (int i = 0; i < count; i++) {
    const std::uint64_t value = events[static_cast<std::size_t>(i)].data.u64;
    if (value == wake_name) {
      std::uint64_t unused;
      if (::read(wake_.get(), &unused, sizeof unused) < 0) {
        // Read already.
      }
      continue;
    }
    const QueueName name{DpPort{static_cast<std::uint32_t>(value >> 32)}, static_cast<std::uint32_t>(value)};
    EnginePort* port;
    RxQueue* queue = resolve(name, &port);
    if (queue == nullptr || queue->active) continue;
    queue->active = true;
    queue->vain_reports++;
    active_.push_back(name);
  }
}

void Worker::serve_active() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < active_.size(); i++) {
    const QueueName name = active_[i];
    EnginePort* port;
    RxQueue* queue = resolve(name, &port);
    if (queue == nullptr) continue;
    const auto slots = forwarder_.slots();
    const std::size_t count = port->device.receive(name.queue, slots);
    if (count == 0) {
      queue->active = false;
      if (queue->vain_reports >= max_vain_reports) park(name, *queue);
      continue;
    }
    queue->vain_reports = 0;
    forwarder_.receive(*port, slots.first(count));
    for (flow::Packet& slot : slots.first(count)) slot.reset();
    active_[kept++] = name;
  }
  active_.resize(kept);
}

void Worker::park(const QueueName& name, const RxQueue& queue) {
  unwatch(queue.descriptor);
  if (parked_.empty()) retry_at_ = std::chrono::steady_clock::now() + park_time;
  parked_.push_back(name);
}

void Worker::retry_parked() {
  std::vector<QueueName> parked;
  parked.swap(parked_);
  for (const QueueName& name : parked) {
    EnginePort* port;
    RxQueue* queue = resolve(name, &port);
    if (queue == nullptr) continue;
    queue->vain_reports = 0;
    (void)watch(queue->descriptor, name.port, name.queue);
  }
}

}  // namespace ovs::datapath
