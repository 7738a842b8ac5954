// Packet: one frame in memory, with room before it for headers, and with the work that its sender
// left to the hardware.
//
// Offloads.  A guest hands over TCP segments of up to 64 kB and unfinished checksums, and describes
// them as struct virtio_net_hdr does (virtio 1.2, section 5.1.6).  They travel through the switch
// as they are; where a port cannot take them, flow/offload.h finishes the checksum or cuts the
// frame into segments.  What changes the frame's length in front of `checksum_start` moves that
// offset too: push() and pull() do.
//
// A packet owns its buffer.  A thread that receives reuses its packets, so that nothing is
// allocated for a packet that only passes through; headroom is `packet_headroom` at least after
// reset().  What a new buffer contains is indeterminate: nobody pays for bytes that a frame will
// overwrite.
//
// Thread safety: one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/check.h"

namespace ovs::flow {

// Enough for the outer headers of a tunnel: Ethernet, IPv6, UDP, Geneve with options.
inline constexpr std::size_t packet_headroom = 256;
// The largest frame: 64 kB of IP with the link layer's header and two tags before it.
inline constexpr std::size_t max_frame_bytes = 65535 + 14 + 8;

enum class Gso : std::uint8_t { none, tcp4, tcp6, udp };

struct Offload {
  bool needs_checksum = false;  // from checksum_start on, to be put at checksum_start + checksum_offset
  bool checksum_good = false;   // verified by the device: no one need look again
  Gso gso = Gso::none;
  bool gso_ecn = false;              // CWR on the first segment only
  std::uint16_t segment_bytes = 0;   // payload of each segment
  std::uint16_t checksum_start = 0;  // offset from the frame's first byte
  std::uint16_t checksum_offset = 0;

  bool any() const { return needs_checksum || gso != Gso::none; }
  // SCTP's, a CRC (RFC 9260, appendix A), at an offset where no other protocol has its checksum.  struct
  // virtio_net_hdr cannot say so: a device that got it like this would write an Internet checksum.
  bool needs_crc() const { return needs_checksum && checksum_offset == 8; }
};

inline constexpr std::uint16_t no_offset = 0xffff;

class Packet {
 public:
  Packet() = default;  // without a buffer; size() == 0
  // Room for a frame of `capacity` bytes behind the headroom.
  explicit Packet(std::size_t capacity);
  Packet(Packet&& other) noexcept { swap(other); }
  Packet& operator=(Packet&& other) noexcept {
    Packet taken(std::move(other));
    swap(taken);
    return *this;
  }

  static Packet copy_of(std::span<const std::uint8_t> frame);
  // A copy with headroom of its own; offload and offsets as they are here.
  Packet clone() const;

  std::uint8_t* data() { return data_; }
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

  // Empties the packet for the next reception: the frame starts behind `packet_headroom` again,
  // offload and offsets are forgotten, the bytes stay.
  void reset() {
    data_ = buffer_.get() + (buffer_ ? packet_headroom : 0);
    size_ = 0;
    offload = {};
    l2_5_offset = l3_offset = l4_offset = no_offset;
  }
  // Bytes that the frame may have where it starts now.
  std::size_t capacity() const { return allocated_ - headroom(); }
  std::size_t headroom() const { return static_cast<std::size_t>(data_ - buffer_.get()); }
  void set_size(std::size_t size) {
    OVS_CHECK(size <= capacity(), "a frame larger than its packet");
    size_ = static_cast<std::uint32_t>(size);
  }

  // Takes `n` bytes of headroom for a new header (growing the buffer if there is not enough), or
  // gives the first `n` bytes back.  Offsets and checksum_start follow.
  std::uint8_t* push(std::size_t n) { return insert(0, n); }
  void pull(std::size_t n) { remove(0, n); }
  // The same in the middle: `n` bytes at offset `at` come or go, what stands before them moves.
  // The offset of a header that began within the removed bytes becomes no_offset.
  std::uint8_t* insert(std::size_t at, std::size_t n);
  void remove(std::size_t at, std::size_t n);

  Offload offload;
  // Where the headers begin, set by parse(); no_offset where there is none.
  std::uint16_t l2_5_offset = no_offset;  // MPLS
  std::uint16_t l3_offset = no_offset;
  std::uint16_t l4_offset = no_offset;

 private:
  struct Free {
    void operator()(std::uint8_t* p) const;
  };
  void swap(Packet& other) noexcept;
  void grow_headroom(std::size_t wanted);

  std::unique_ptr<std::uint8_t, Free> buffer_;
  std::uint8_t* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t allocated_ = 0;
};

// What is received and forwarded together.
inline constexpr std::size_t batch_size = 32;

// Borrowed packets, in order.
struct PacketBatch {
  std::array<Packet*, batch_size> packets;
  std::size_t count = 0;

  void add(Packet& packet) { packets[count++] = &packet; }
  bool full() const { return count == batch_size; }
  Packet** begin() { return packets.data(); }
  Packet** end() { return packets.data() + count; }
};

}  // namespace ovs::flow
