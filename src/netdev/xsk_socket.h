// XskSocket: frames of one receive queue of a Linux interface by an AF_XDP socket (linux/if_xdp.h), and as many that
// leave.
//
// Memory.  A socket has an area (UMEM) of its own, of frames of equal size.  Half of them are for what is received:
// they go around between the fill ring, the kernel and the RX ring, and are given back as soon as a frame was copied
// into its Packet.  The others are for what is sent: a list of those that are free, the TX ring, the kernel, the
// completion ring.  So no frame changes sides, and none can be lost: frames_outside() says how many the kernel has.
//
// Offloads are not known here: a frame is bytes, and complete.
//
// Thread safety: receive() on one thread at a time, send() on one at a time; kick(), losses() on any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "flow/packet.h"
#include "netdev/xsk_ring.h"

namespace ovs::netdev {

// Frames lost at a socket, since it was opened.
struct XskLosses {
  std::uint64_t received = 0;  // what the kernel had no frame or no room in the RX ring for, or what made no sense
  std::uint64_t sent = 0;      // what the kernel found wrong in the TX ring
};

class XskSocket {
 public:
  struct Settings {
    unsigned ifindex = 0;
    unsigned queue = 0;
    std::uint32_t frame_bytes = 2048;  // of the area: 2048 or 4096
    bool zero_copy = false;
    bool need_wakeup = true;
  };
  // A socket with all its memory, which gets and sends nothing before it is bound.
  static Result<std::unique_ptr<XskSocket>> prepare(const Settings& settings);
  // EBUSY: the queue has another socket, or had one a moment ago; this may be called again then, and is cheap.  One that
  // is bound stays so.
  Result<void> bind();
  ~XskSocket();
  XskSocket(const XskSocket&) = delete;
  XskSocket& operator=(const XskSocket&) = delete;

  // The longest frame that is received into frames of `frame_bytes`.
  static constexpr std::uint32_t longest_frame(std::uint32_t frame_bytes) { return frame_bytes - kernel_headroom; }
  static constexpr std::uint32_t frames_each_way = 2048;
  // The kernel may put a frame into the RX ring before it tells that it took it from the fill ring.  Those that it has
  // not told of, and those that it has not taken, are so many at most.
  static constexpr std::uint32_t fill_entries = 2 * frames_each_way;

  int descriptor() const { return socket_.get(); }  // readable when there is something to receive

  std::size_t receive(std::span<flow::Packet> slots);
  // Puts copies into the TX ring, for kick() to have them sent; returns how many.  Others have no room there, or are
  // longer than `longest`.
  std::size_t send(std::span<flow::Packet* const> packets, std::size_t longest);
  // Has the kernel send what is in the TX ring.  False: it cannot now; call again later.
  bool kick();

  XskLosses losses() const;
  // Frames for sending that are not free: in the TX ring, in the kernel, or sent and not yet asked for.  On the thread
  // that sends.
  std::size_t frames_outside();

 private:
  static constexpr std::uint32_t kernel_headroom = 256;  // XDP_PACKET_HEADROOM

  explicit XskSocket(const Settings& settings) : settings_(settings) {}
  Result<void> reserve_frames();
  Result<void> map_rings();
  Result<XskRingPlace> map_ring(const xdp_ring_offset& offsets, std::uint64_t at, std::uint32_t entries,
                                std::size_t entry_bytes);
  void take_completed();
  std::uint64_t area_bytes() const { return std::uint64_t{2} * frames_each_way * settings_.frame_bytes; }

  struct Mapping {
    void* memory;
    std::size_t size;
  };

  const Settings settings_;
  Descriptor socket_;
  bool bound_ = false;
  std::uint8_t* area_ = nullptr;
  std::vector<Mapping> mappings_;
  XskProducer<std::uint64_t> fill_;
  XskConsumer<xdp_desc> rx_;
  XskProducer<xdp_desc> tx_;
  XskConsumer<std::uint64_t> completed_;
  std::vector<std::uint64_t> free_;  // addresses of frames to send in; has room for all of them
  std::atomic<std::uint64_t> rx_bad_{0};
};

}  // namespace ovs::netdev
