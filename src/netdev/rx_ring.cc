#include "netdev/rx_ring.h"

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "netdev/packet_socket.h"
#include "netdev/vnet_header.h"

namespace ovs::netdev {
namespace {

constexpr std::size_t frame_bytes = 2048;  // with the headers before it; an Ethernet frame of the usual size fits
constexpr std::size_t frame_count = 1024;
constexpr std::size_t block_bytes = 65536;
constexpr std::size_t ring_bytes = frame_bytes * frame_count;
constexpr int most_rings = 32;

std::atomic<int> rings{0};

tpacket2_hdr* header_of(std::uint8_t* frame) { return reinterpret_cast<tpacket2_hdr*>(frame); }

}  // namespace

bool RxRing::prepare(int fd) {
  const int version = TPACKET_V2, one = 1;
  // Frames longer than the ring's are put into the socket's queue whole.
  return ::setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) == 0 &&
         ::setsockopt(fd, SOL_PACKET, PACKET_COPY_THRESH, &one, sizeof one) == 0;
}

bool RxRing::is_left() { return rings.load(std::memory_order_relaxed) < most_rings; }

std::unique_ptr<RxRing> RxRing::set_up(int fd) {
  if (rings.fetch_add(1, std::memory_order_relaxed) >= most_rings) {
    rings.fetch_sub(1, std::memory_order_relaxed);
    return nullptr;
  }
  tpacket_req request{};
  request.tp_block_size = block_bytes;
  request.tp_block_nr = ring_bytes / block_bytes;
  request.tp_frame_size = frame_bytes;
  request.tp_frame_nr = frame_count;
  if (::setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0) {
    void* memory = ::mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory != MAP_FAILED) return std::unique_ptr<RxRing>(new RxRing(static_cast<std::uint8_t*>(memory)));
    request = {};  // no ring: the kernel goes back to the queue
    (void)::setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request);
  }
  rings.fetch_sub(1, std::memory_order_relaxed);
  return nullptr;
}

RxRing::~RxRing() {
  ::munmap(memory_, ring_bytes);
  rings.fetch_sub(1, std::memory_order_relaxed);
}

bool RxRing::take(int fd, std::uint32_t status, std::uint8_t* frame, flow::Packet& packet) {
  if (status & TP_STATUS_COPY) return receive_queued(fd, packet);
  const tpacket2_hdr& header = *header_of(frame);
  if (header.tp_snaplen != header.tp_len) return false;  // too long, and the queue was full
  const std::uint8_t* data = frame + header.tp_mac;
  VnetHeader offload;
  std::memcpy(&offload, data - vnet_header_bytes, sizeof offload);
  if (!read_vnet_header(offload, header.tp_snaplen, packet.offload)) return false;
  packet.set_size(header.tp_snaplen);
  std::memcpy(packet.data(), data, header.tp_snaplen);
  if (status & TP_STATUS_VLAN_VALID) {
    tpacket_auxdata beside{};
    beside.tp_status = status;
    beside.tp_vlan_tci = header.tp_vlan_tci;
    beside.tp_vlan_tpid = header.tp_vlan_tpid;
    restore_vlan_tag(packet, beside);
  }
  return true;
}

std::size_t RxRing::receive(int fd, std::span<flow::Packet> slots, std::atomic<std::uint64_t>& bad) {
  std::size_t taken = 0;
  while (taken < slots.size()) {
    std::uint8_t* frame = memory_ + next_ * frame_bytes;
    std::atomic_ref<std::uint32_t> shared(header_of(frame)->tp_status);
    const std::uint32_t status = shared.load(std::memory_order_acquire);
    if (!(status & TP_STATUS_USER)) break;
    if (take(fd, status, frame, slots[taken])) {
      ++taken;
    } else {
      bad.fetch_add(1, std::memory_order_relaxed);
    }
    shared.store(TP_STATUS_KERNEL, std::memory_order_release);
    next_ = (next_ + 1) % frame_count;
  }
  if (taken == 0) {
    // That the device went down is told as an error, which makes the socket ready until somebody asks for it.
    int error;
    socklen_t size = sizeof error;
    (void)::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  return taken;
}

}  // namespace ovs::netdev
