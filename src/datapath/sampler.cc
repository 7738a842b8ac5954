#include "datapath/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace ovs::datapath {

namespace {

constexpr std::size_t round_up(std::size_t n) { return (n + 7) / 8 * 8; }

// Most samples fill no more cache lines than these.
constexpr std::size_t lines_ahead = 3;

// Of a sample, whatever its action allows.
constexpr std::size_t most_frame_bytes = 2048;

}  // namespace

void SkipCounter::set_probability(std::uint32_t probability) {
  probability_ = probability;
  const double p = probability / static_cast<double>(std::numeric_limits<std::uint32_t>::max());
  scale_ = p < 1 ? 1 / std::log1p(-p) : 0;
}

std::uint64_t SkipCounter::draw(std::uint32_t random) const {
  if (scale_ == 0) return 1;
  // Uniform within (0, 1), by whose logarithm the geometric distribution is had.  A probability of 0 never samples.
  const double u = (random + 0.5) / 4294967296.0;
  const double packets = std::log(u) * scale_;
  constexpr double never = 1e18;
  return packets < never ? static_cast<std::uint64_t>(packets) + 1 : static_cast<std::uint64_t>(never);
}

SampleRing::SampleRing(std::size_t bytes)
    : size_(std::bit_ceil(bytes)), bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(size_)) {}

bool SampleRing::put(const flow::Packet& packet, const flow::FlowKey& key, std::span<const std::uint8_t> cookie,
                     std::size_t max_bytes, const Origin& origin) {
  const bool has_key = (key.cold_parts & (flow::cold_tunnel | flow::cold_mpls)) != 0;
  const std::size_t copied = std::min({packet.size(), max_bytes, most_frame_bytes});
  if (cookie.size() > std::numeric_limits<std::uint16_t>::max()) return false;
  const std::size_t need =
      sizeof(Head) + (has_key ? sizeof(flow::FlowKey) : 0) + round_up(cookie.size()) + round_up(copied);

  std::uint64_t at = put_.load(std::memory_order_relaxed);
  const std::size_t to_end = size_ - at % size_;
  const std::size_t padding = to_end < need ? to_end : 0;
  if (at + padding + need - known_taken_ > size_) {
    known_taken_ = taken_.load(std::memory_order_acquire);
    if (at + padding + need - known_taken_ > size_) return false;
  }
  Head head{};
  if (padding >= sizeof head) {
    head.size = static_cast<std::uint32_t>(padding);
    head.is_padding = true;
    std::memcpy(bytes_.get() + at % size_, &head, sizeof head);
  }
  at += padding;

  std::uint8_t* p = bytes_.get() + at % size_;
  head.size = static_cast<std::uint32_t>(need);
  head.frame_bytes = static_cast<std::uint32_t>(packet.size());
  head.in_port = key.in_port;
  head.cookie_bytes = static_cast<std::uint16_t>(cookie.size());
  head.copied_bytes = copied & 0x1fff;
  head.has_key = has_key;
  head.is_padding = false;
  head.origin = origin;
  std::memcpy(p, &head, sizeof head);
  p += sizeof head;
  if (has_key) {
    std::memcpy(p, &key, sizeof key);
    p += sizeof key;
  }
  if (!cookie.empty()) std::memcpy(p, cookie.data(), cookie.size());
  p += round_up(cookie.size());
  std::memcpy(p, packet.data(), copied);
  at += need;
  put_.store(at, std::memory_order_release);
  // The other thread has read what is to be overwritten next: asked for now, it is here in time.
  for (std::size_t line = 0; line < lines_ahead; line++) {
    __builtin_prefetch(bytes_.get() + (at + line * 64) % size_, 1);
  }
  return true;
}

std::size_t SampleRing::take(std::vector<Upcall>& out, std::size_t max) {
  std::size_t count = 0;
  std::uint64_t at = taken_.load(std::memory_order_relaxed);
  const std::uint64_t end = put_.load(std::memory_order_acquire);
  while (at != end && count < max) {
    const std::size_t to_end = size_ - at % size_;
    const std::uint8_t* p = bytes_.get() + at % size_;
    if (to_end < sizeof(Head)) {
      at += to_end;
      continue;
    }
    Head head;
    std::memcpy(&head, p, sizeof head);
    at += head.size;
    if (head.is_padding) continue;
    p += sizeof head;
    Upcall upcall{Upcall::Kind::action, {}, {}, {}};
    if (head.has_key) {
      std::memcpy(static_cast<void*>(&upcall.key), p, sizeof upcall.key);
      p += sizeof upcall.key;
    }
    upcall.key.in_port = head.in_port;
    upcall.cookie.assign(p, p + head.cookie_bytes);
    p += round_up(head.cookie_bytes);
    upcall.packet = flow::Packet::copy_of({p, head.copied_bytes});
    upcall.whole_bytes = head.frame_bytes;
    upcall.sampler = head.origin.sampler;
    upcall.passed = head.origin.passed;
    out.push_back(std::move(upcall));
    count++;
  }
  taken_.store(at, std::memory_order_release);
  return count;
}

}  // namespace ovs::datapath
