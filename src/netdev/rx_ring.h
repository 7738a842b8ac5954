// RxRing: the ring of a packet socket (PACKET_RX_RING, packet(7)), into which the kernel puts small
// frames without a system call of ours.
//
// A frame costs the receiving thread a third of what recvmmsg() takes, but the ring takes 2 MB of the kernel's memory and is
// set up with a pause of some milliseconds, in which frames are lost.  So a port gets one when it
// loses frames anyway (PacketSocket), and so many ports at most that no flood takes the memory away.
// Frames that are too long for the ring come through the socket's queue, in order.
//
// Thread safety: the thread that receives.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "flow/packet.h"

namespace ovs::netdev {

class RxRing {
 public:
  // What has to be set before a socket can get a ring; otherwise without effect.  False if the kernel refuses.
  static bool prepare(int fd);
  // Whether there are not too many rings already.
  static bool is_left();
  // Null if there are too many rings, or the kernel refuses.  What waits in the socket's queue is lost.
  static std::unique_ptr<RxRing> set_up(int fd);
  ~RxRing();
  RxRing(const RxRing&) = delete;
  RxRing& operator=(const RxRing&) = delete;

  // As PacketSocket::receive(); adds what made no sense to `bad`.
  std::size_t receive(int fd, std::span<flow::Packet> slots, std::atomic<std::uint64_t>& bad);

 private:
  explicit RxRing(std::uint8_t* memory) : memory_(memory) {}
  bool take(int fd, std::uint32_t status, std::uint8_t* frame, flow::Packet& packet);

  std::uint8_t* const memory_;
  std::size_t next_ = 0;  // the frame to look at
};

}  // namespace ovs::netdev
