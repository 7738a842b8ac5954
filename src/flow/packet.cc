#include "flow/packet.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace ovs::flow {

namespace {

constexpr std::size_t cache_line = 64;

std::uint8_t* allocate(std::size_t bytes) {
  void* p = std::aligned_alloc(cache_line, bytes);
  if (p == nullptr) std::abort();  // out of memory ends the process
  return static_cast<std::uint8_t*>(p);
}

std::size_t round_up(std::size_t bytes) { return (bytes + cache_line - 1) / cache_line * cache_line; }

// Where a header that began at `offset` begins after `n` bytes came or went at `at`.
std::uint16_t after_insert(std::uint16_t offset, std::size_t at, std::size_t n) {
  if (offset == no_offset || offset < at) return offset;
  return static_cast<std::uint16_t>(offset + n);
}

std::uint16_t after_remove(std::uint16_t offset, std::size_t at, std::size_t n) {
  if (offset == no_offset || offset < at) return offset;
  return offset < at + n ? no_offset : static_cast<std::uint16_t>(offset - n);
}

}  // namespace

void Packet::Free::operator()(std::uint8_t* p) const { std::free(p); }

Packet::Packet(std::size_t capacity) {
  const std::size_t bytes = round_up(packet_headroom + capacity);
  buffer_.reset(allocate(bytes));
  data_ = buffer_.get() + packet_headroom;
  allocated_ = static_cast<std::uint32_t>(bytes);
}

Packet Packet::copy_of(std::span<const std::uint8_t> frame) {
  Packet packet(frame.size());
  packet.set_size(frame.size());
  if (!frame.empty()) std::memcpy(packet.data_, frame.data(), frame.size());
  return packet;
}

Packet Packet::clone() const {
  Packet packet = copy_of(bytes());
  packet.offload = offload;
  packet.l2_5_offset = l2_5_offset;
  packet.l3_offset = l3_offset;
  packet.l4_offset = l4_offset;
  return packet;
}

void Packet::swap(Packet& other) noexcept {
  std::swap(buffer_, other.buffer_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(allocated_, other.allocated_);
  std::swap(offload, other.offload);
  std::swap(l2_5_offset, other.l2_5_offset);
  std::swap(l3_offset, other.l3_offset);
  std::swap(l4_offset, other.l4_offset);
}

void Packet::grow_headroom(std::size_t wanted) {
  const std::size_t before = wanted + packet_headroom;
  const std::size_t bytes = round_up(before + capacity());
  std::unique_ptr<std::uint8_t, Free> larger{allocate(bytes)};
  if (size_ != 0) std::memcpy(larger.get() + before, data_, size_);
  buffer_ = std::move(larger);
  data_ = buffer_.get() + before;
  allocated_ = static_cast<std::uint32_t>(bytes);
}

std::uint8_t* Packet::insert(std::size_t at, std::size_t n) {
  OVS_CHECK(at <= size_, "a header outside its packet");
  if (n > headroom()) [[unlikely]] grow_headroom(n);
  std::uint8_t* start = data_ - n;
  if (at != 0) std::memmove(start, data_, at);
  data_ = start;
  size_ += static_cast<std::uint32_t>(n);
  l2_5_offset = after_insert(l2_5_offset, at, n);
  l3_offset = after_insert(l3_offset, at, n);
  l4_offset = after_insert(l4_offset, at, n);
  if (offload.any() && offload.checksum_start >= at) {
    offload.checksum_start = static_cast<std::uint16_t>(offload.checksum_start + n);
  }
  return data_ + at;
}

void Packet::remove(std::size_t at, std::size_t n) {
  OVS_CHECK(at <= size_ && n <= size_ - at, "a header outside its packet");
  if (at != 0) std::memmove(data_ + n, data_, at);
  data_ += n;
  size_ -= static_cast<std::uint32_t>(n);
  l2_5_offset = after_remove(l2_5_offset, at, n);
  l3_offset = after_remove(l3_offset, at, n);
  l4_offset = after_remove(l4_offset, at, n);
  if (offload.any() && offload.checksum_start > at) {
    const std::size_t gone = std::min<std::size_t>(offload.checksum_start - at, n);
    offload.checksum_start = static_cast<std::uint16_t>(offload.checksum_start - gone);
  }
}

}  // namespace ovs::flow
