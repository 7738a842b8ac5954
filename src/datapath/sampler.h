// Sampling: which packets are samples, and how samples get from a forwarding thread to the main one.
//
// Each thread draws, for each sampler, how many packets to let pass before the next sample, from the
// geometric distribution: every packet is a sample with the same probability, whatever came before it, and one that
// is not costs a decrement.  What has passed is counted too, so that it is known exactly how many packets could
// have been samples (Datapath::sampler_stats()).
//
// Samples go into a ring of bytes that each thread has, without an allocation, a lock or a system call.
// The main thread is woken when there are some dozens, and otherwise looks by itself from time to time.  More would
// leave the host as a burst that the sockets of collectors, with the size that they have unless somebody cared, do
// not hold.
//
// Thread safety: SkipCounter: the thread that it belongs to counts; stats may be read by any.  SampleRing:
// one thread puts, one takes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "datapath/datapath.h"
#include "flow/flow_key.h"

namespace ovs::datapath {

// One thread's part of one sampler.
class alignas(64) SkipCounter {
 public:
  // How many packets pass up to the next sample, that one included; `random` gives 32 random bits.
  template <class Random>
  std::uint64_t left(std::uint32_t probability, const Random& random) {
    // What was drawn for another probability says nothing: the process has no memory.
    if (probability != probability_) [[unlikely]] {
      set_probability(probability);
      draw_next(random());
    }
    return next_ - passed();
  }
  // So many passed; at most left().
  void pass(std::uint64_t count) { passed_.store(passed() + count, std::memory_order_relaxed); }
  // After the sample.
  void draw_next(std::uint32_t random) { next_ = passed() + draw(random); }

  void count_lost() { lost_.store(lost() + 1, std::memory_order_relaxed); }
  std::uint64_t passed() const { return passed_.load(std::memory_order_relaxed); }
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  void set_probability(std::uint32_t probability);
  std::uint64_t draw(std::uint32_t random) const;

  std::atomic<std::uint64_t> passed_{0};
  std::uint64_t next_ = 0;
  std::atomic<std::uint64_t> lost_{0};
  double scale_ = 0;  // 1 / ln(1 - p); 0: every packet
  std::uint32_t probability_ = 0;
};

// Bounded; refuses what does not fit.
class SampleRing {
 public:
  explicit SampleRing(std::size_t bytes = default_bytes);

  // Who took a sample, and how many packets had passed the thread's counter by then, that one included.
  struct Origin {
    SamplerId sampler = no_sampler;
    std::uint32_t passed = 0;
  };
  // A packet's first `max_bytes`, where it came in, its tunnel and labels if it has any, and the cookie; false if
  // there is no room.
  bool put(const flow::Packet& packet, const flow::FlowKey& key, std::span<const std::uint8_t> cookie,
           std::size_t max_bytes, const Origin& origin);
  // Whether it is time to wake the taker.
  bool is_filling_up() {
    if (put_.load(std::memory_order_relaxed) - known_taken_ < wake_bytes) return false;
    known_taken_ = taken_.load(std::memory_order_acquire);
    return put_.load(std::memory_order_relaxed) - known_taken_ >= wake_bytes;
  }

  // Up to `max`, as upcalls of the kind `action`, whose `passed` is the thread's counter.
  std::size_t take(std::vector<Upcall>& out, std::size_t max);

 private:
  static constexpr std::size_t default_bytes = std::size_t{1} << 20;
  static constexpr std::size_t wake_bytes = std::size_t{1} << 14;

  // In front of each: the key, the cookie and the frame's first bytes follow.
  struct Head {
    std::uint32_t size;  // with this head, a multiple of 8
    std::uint32_t frame_bytes;
    be32 in_port;
    std::uint16_t cookie_bytes;
    std::uint16_t copied_bytes : 13, has_key : 1, is_padding : 1;  // padding: up to the ring's end
    Origin origin;
  };
  static_assert(sizeof(Head) == 24);

  const std::size_t size_;
  const std::unique_ptr<std::uint8_t[]> bytes_;
  alignas(64) std::atomic<std::uint64_t> put_{0};
  std::uint64_t known_taken_ = 0;  // the putting thread's: at least so much is taken
  alignas(64) std::atomic<std::uint64_t> taken_{0};
};

}  // namespace ovs::datapath
