// The rings that an AF_XDP socket shares with the kernel (linux/if_xdp.h): one side puts entries, the other takes
// them, without a system call.
//
// An entry that was put is the other side's after publish(); one that was taken may be overwritten after release().
// Both ends count up and wrap at 2^32; the size is a power of two.
//
// Thread safety: one thread at a time on our side, the kernel on the other.
#pragma once

#include <linux/if_xdp.h>

#include <atomic>
#include <cstdint>

#include "base/check.h"

namespace ovs::netdev {

// Where a ring is in memory.
struct XskRingPlace {
  std::uint32_t* producer = nullptr;
  std::uint32_t* consumer = nullptr;
  std::uint32_t* flags = nullptr;
  void* entries = nullptr;
  std::uint32_t size = 0;
};

// Into which we put: the fill ring, the TX ring.
template <class Entry>
class XskProducer {
 public:
  XskProducer() = default;
  explicit XskProducer(const XskRingPlace& place) : place_(place) {}

  // How many entries may be put; asks the other side only if fewer than are wanted may be as far as we know.
  std::uint32_t room(std::uint32_t wanted = 1) {
    if (place_.size - (put_ - taken_) < wanted) taken_ = load(place_.consumer);
    return place_.size - (put_ - taken_);
  }
  void put(const Entry& entry) {
    OVS_CHECK(put_ - taken_ < place_.size, "an entry too many in a ring");
    static_cast<Entry*>(place_.entries)[put_++ & (place_.size - 1)] = entry;
  }
  void publish() { std::atomic_ref(*place_.producer).store(put_, std::memory_order_release); }
  std::uint32_t total() const { return put_; }

  // ---- for any thread
  // How many entries were published that the kernel has not taken yet.
  std::uint32_t waiting() const {
    const std::uint32_t taken = load(place_.consumer);
    return load(place_.producer) - taken;
  }
  // Whether the kernel sleeps and wants to be told of what was published (XDP_USE_NEED_WAKEUP).
  bool wants_wakeup() const {
    // The store of publish() has to be seen by whoever goes to sleep before this looks whether he did.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return std::atomic_ref(*place_.flags).load(std::memory_order_relaxed) & XDP_RING_NEED_WAKEUP;
  }

 private:
  static std::uint32_t load(std::uint32_t* at) { return std::atomic_ref(*at).load(std::memory_order_acquire); }

  XskRingPlace place_;
  std::uint32_t put_ = 0;
  std::uint32_t taken_ = 0;  // as far as we know
};

// From which we take: the RX ring, the completion ring.
template <class Entry>
class XskConsumer {
 public:
  XskConsumer() = default;
  explicit XskConsumer(const XskRingPlace& place) : place_(place) {}

  // How many entries may be taken.
  std::uint32_t filled() {
    if (taken_ == put_) put_ = std::atomic_ref(*place_.producer).load(std::memory_order_acquire);
    return put_ - taken_;
  }
  const Entry& take() {
    OVS_CHECK(taken_ != put_, "an entry that is not there");
    return static_cast<const Entry*>(place_.entries)[taken_++ & (place_.size - 1)];
  }
  void release() { std::atomic_ref(*place_.consumer).store(taken_, std::memory_order_release); }
  std::uint32_t total() const { return taken_; }

 private:
  XskRingPlace place_;
  std::uint32_t taken_ = 0;
  std::uint32_t put_ = 0;  // as far as we know
};

}  // namespace ovs::netdev
