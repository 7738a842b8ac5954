#include "base/rcu.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

#include "base/check.h"

namespace ovs {

RcuDomain::~RcuDomain() {
  OVS_CHECK(readers_.empty(), "a thread still reads");
  destroy_before(std::numeric_limits<std::uint64_t>::max());
}

RcuDomain::Reader::Reader(RcuDomain& domain) : domain_(domain) {
  {
    std::lock_guard lock(domain_.mutex_);
    domain_.readers_.push_back(this);
  }
  go_online();
}

RcuDomain::Reader::~Reader() {
  std::lock_guard lock(domain_.mutex_);
  std::erase(domain_.readers_, this);
}

// A writer that unpublishes, moves the epoch and then finds 0 here need not wait for us.  Then its
// moving of the epoch stands before our exchange in the single order of sequentially consistent
// operations, so that the load after it sees the new epoch, and with it what was unpublished before.
void RcuDomain::Reader::go_online() {
  seen_.exchange(domain_.epoch_.load(std::memory_order_relaxed), std::memory_order_seq_cst);
  seen_.store(domain_.epoch_.load(std::memory_order_seq_cst), std::memory_order_release);
}

void RcuDomain::retire_raw(void* object, void (*destroy)(void*)) {
  std::lock_guard lock(mutex_);
  retired_.push_back({epoch_.load(std::memory_order_relaxed), object, destroy});
}

void RcuDomain::defer(std::function<void()> function) {
  retire_raw(new std::function<void()>(std::move(function)), [](void* p) {
    std::unique_ptr<std::function<void()>> f(static_cast<std::function<void()>*>(p));
    (*f)();
  });
}

std::uint64_t RcuDomain::oldest_seen() const {
  // Without readers too: what is retired after this look may be in the hands of one that comes online after it.
  std::uint64_t oldest = epoch_.load(std::memory_order_relaxed);
  for (const Reader* reader : readers_) {
    const std::uint64_t seen = reader->seen_.load(std::memory_order_seq_cst);
    if (seen != 0) oldest = std::min(oldest, seen);
  }
  return oldest;
}

void RcuDomain::destroy_before(std::uint64_t epoch) {
  for (;;) {
    Retired next;
    {
      std::lock_guard lock(mutex_);
      if (retired_.empty() || retired_.front().epoch >= epoch) return;
      next = retired_.front();
      retired_.pop_front();
    }
    // Without the mutex: a destructor may retire more.
    next.destroy(next.object);
  }
}

std::size_t RcuDomain::reclaim() {
  std::uint64_t oldest;
  {
    std::lock_guard lock(mutex_);
    if (retired_.empty()) return 0;
    // Readers have to see a later epoch than that of the newest; once is enough.
    if (retired_.back().epoch == epoch_.load(std::memory_order_relaxed)) epoch_.fetch_add(1, std::memory_order_seq_cst);
    oldest = oldest_seen();
  }
  destroy_before(oldest);
  std::lock_guard lock(mutex_);
  return retired_.size();
}

void RcuDomain::synchronize() {
  std::uint64_t target;
  {
    // With the mutex, as in reclaim(): retire_raw() must not note an epoch that is over.
    std::lock_guard lock(mutex_);
    target = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
  }
  const auto all_passed = [&] {
    std::lock_guard lock(mutex_);
    return oldest_seen() >= target;
  };
  // A round of a reader's loop takes microseconds: first look often, then leave it the processor.
  for (int i = 0; !all_passed(); i++) {
    if (i < 100) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
  destroy_before(target);
}

}  // namespace ovs
