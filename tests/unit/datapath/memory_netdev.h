// MemoryNetdev: a device whose other end is the test.  Several receive queues, each with a descriptor as a
// real one has; what is sent is kept.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/descriptor.h"
#include "support/bare_netdev.h"

namespace ovs::datapath {

using Frame = std::vector<std::uint8_t>;

class MemoryNetdev final : public test::BareNetdev {
 public:
  explicit MemoryNetdev(std::string name, std::size_t queues = 1) : BareNetdev(std::move(name), "memory"), rx_(queues) {
    for (Rx& rx : rx_) rx.event = Descriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  }
  ~MemoryNetdev() override { closed_ = true; }

  std::vector<int> rx_descriptors() const override {
    std::vector<int> all;
    if (has_descriptors) {
      for (const Rx& rx : rx_) all.push_back(rx.event.get());
    }
    return all;
  }

  std::size_t receive(std::size_t queue, std::span<flow::Packet> slots) override {
    OVS_CHECK(!closed_, "used after its end");
    Rx& rx = rx_.at(queue);
    OVS_CHECK(!rx.busy.exchange(true), "two threads in one queue");
    std::size_t count = 0;
    {
      std::lock_guard lock(rx.mutex);
      for (; count < slots.size() && !rx.frames.empty(); count++) {
        slots[count].reset();
        slots[count].set_size(rx.frames.front().size());
        std::memcpy(slots[count].data(), rx.frames.front().data(), rx.frames.front().size());
        slots[count].offload = rx.offload;
        rx.frames.pop_front();
      }
      if (rx.frames.empty()) {
        std::uint64_t value;
        if (::read(rx.event.get(), &value, sizeof value) < 0) {
          // Was empty.
        }
      }
    }
    rx.busy = false;
    return count;
  }

  void send(std::span<flow::Packet* const> packets) override {
    OVS_CHECK(!closed_, "used after its end");
    EXPECT_LE(packets.size(), flow::batch_size);
    std::lock_guard lock(tx_mutex_);
    calls_++;
    for (const flow::Packet* packet : packets) {
      if (keep) sent_.emplace_back(packet->data(), packet->data() + packet->size());
      offloads_.push_back(packet->offload);
      count_++;
    }
    tx_changed_.notify_all();
  }
  netdev::TxOffloads tx_offloads() const override { return offloads; }

  // ---- the test's end

  void push(const Frame& frame, std::size_t queue = 0, std::size_t times = 1, const flow::Offload& offload = {}) {
    Rx& rx = rx_.at(queue);
    std::lock_guard lock(rx.mutex);
    for (std::size_t i = 0; i < times; i++) rx.frames.push_back(frame);
    rx.offload = offload;
    const std::uint64_t one = 1;
    OVS_CHECK(::write(rx.event.get(), &one, sizeof one) == sizeof one);
  }
  std::size_t waiting(std::size_t queue = 0) {
    std::lock_guard lock(rx_.at(queue).mutex);
    return rx_.at(queue).frames.size();
  }
  // Waits until `count` frames have been sent in all; false after a long time.
  bool wait_sent(std::size_t count) {
    std::unique_lock lock(tx_mutex_);
    return tx_changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ >= count; });
  }
  std::vector<Frame> take_sent() {
    std::lock_guard lock(tx_mutex_);
    return std::exchange(sent_, {});
  }
  std::vector<flow::Offload> take_offloads() {
    std::lock_guard lock(tx_mutex_);
    return std::exchange(offloads_, {});
  }
  std::size_t sent_count() {
    std::lock_guard lock(tx_mutex_);
    return count_;
  }
  std::size_t send_calls() {
    std::lock_guard lock(tx_mutex_);
    return calls_;
  }

  netdev::TxOffloads offloads;
  bool has_descriptors = true;
  bool keep = true;  // what is sent

 private:
  struct Rx {
    Descriptor event;
    std::mutex mutex;
    std::deque<Frame> frames;
    flow::Offload offload;
    std::atomic<bool> busy{false};
  };

  std::deque<Rx> rx_;
  std::atomic<bool> closed_{false};
  std::mutex tx_mutex_;
  std::condition_variable tx_changed_;
  std::vector<Frame> sent_;
  std::vector<flow::Offload> offloads_;
  std::size_t count_ = 0, calls_ = 0;
};

}  // namespace ovs::datapath
