// PacketSocket: frames of one Linux interface by packet(7), with their offloads.
//
// Everything that the interface receives comes here, nothing of what the host or this socket sends through it.  VLAN
// tags that the kernel took off are put back.  Frames of up to 64 kB with unfinished checksums
// and segmentation pass both ways.
//
// open() again exchanges the socket under the hands of threads that use it (stable_descriptor.h).
//
// Thread safety: open() and counters on one thread; receive() on one; send() on any number.
#pragma once

#include <linux/if_packet.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "base/result.h"
#include "flow/packet.h"
#include "netdev/rx_ring.h"
#include "netdev/stable_descriptor.h"

namespace ovs::netdev {

class PacketSocket {
 public:
  // Sees the interface `ifindex` from now on.
  Result<void> open(unsigned ifindex);
  int descriptor() const { return fd_.get(); }  // -1 before open(), never readable after close()
  // A ring keeps the old socket alive, and epoll instances go on reporting it, until receive() is called once more.
  void close();

  std::size_t receive(std::span<flow::Packet> slots);
  void send(std::span<flow::Packet* const> packets);

  // Frames lost here, which the interface's own counters do not know of.
  std::uint64_t rx_dropped() const;
  std::uint64_t tx_dropped() const { return tx_dropped_.load(std::memory_order_relaxed); }

 private:
  StableDescriptor fd_;
  std::atomic<std::uint64_t> tx_dropped_{0};
  std::atomic<std::uint64_t> rx_bad_{0};               // what made no sense
  mutable std::atomic<std::uint64_t> rx_overflow_{0};  // what found the socket's buffer full

  // `as_runs`: datagrams of one flow as one (datagram_run.h).
  void send_batch(std::span<flow::Packet* const> packets, bool as_runs);
  // Busy ports get a ring.
  std::size_t receive_queue(int fd, std::span<flow::Packet> slots);
  void watch_load(std::size_t taken, std::size_t room);
  std::uint64_t count_overflow() const;
  std::mutex exchange_;               // of the socket behind fd_
  std::atomic<unsigned> epoch_{0};    // counts the sockets
  std::unique_ptr<RxRing> ring_;      // of the thread that receives, as what follows:
  unsigned ring_epoch_ = 0;           // ... a ring belongs to one socket
  unsigned full_batches_ = 0;         // one after the other
  bool ring_refused_ = false;         // by the kernel: asking again would only lose more frames
};

// The next frame of a packet socket's queue; false if there is none, or it makes no sense.
bool receive_queued(int fd, flow::Packet& packet);
// Puts the tag that the kernel took off, and tells beside the frame, back into it.
void restore_vlan_tag(flow::Packet& packet, const tpacket_auxdata& beside);

}  // namespace ovs::netdev
