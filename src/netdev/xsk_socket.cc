#include "netdev/xsk_socket.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace ovs::netdev {
namespace {

// What the kernel may hold of frames that were sent and not yet delivered.
constexpr int send_buffer_bytes = 8 << 20;
// A call sends 32 frames at most where it copies them (net/xdp/xsk.c).
constexpr unsigned most_kicks = 2 * XskSocket::frames_each_way / 32;

Error socket_error(std::string_view doing, int code) {
  switch (code) {
    case EAFNOSUPPORT: return {"this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)", code};
    case EPERM: return {"AF_XDP needs the capability CAP_NET_RAW", code};
    case ENOBUFS: return {"AF_XDP needs the capability CAP_IPC_LOCK, or more memory than RLIMIT_MEMLOCK allows", code};
    case EBUSY: return {"another program has an AF_XDP socket there", code};
    default: return system_error(doing, code);
  }
}

Result<void> set_option(int fd, int name, const void* value, socklen_t size, std::string_view doing) {
  if (::setsockopt(fd, SOL_XDP, name, value, size) < 0) return Unexpected{socket_error(doing, errno)};
  return {};
}

}  // namespace

Result<std::unique_ptr<XskSocket>> XskSocket::prepare(const Settings& settings) {
  std::unique_ptr<XskSocket> socket(new XskSocket(settings));
  socket->socket_ = Descriptor(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (socket->socket_.get() < 0) return Unexpected{socket_error("cannot open an AF_XDP socket", errno)};
  OVS_TRY_DO(socket->reserve_frames());
  OVS_TRY_DO(socket->map_rings());
  return socket;
}

Result<void> XskSocket::reserve_frames() {
  const std::uint64_t bytes = area_bytes();
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return Unexpected{system_error("no memory for frames", errno)};
  mappings_.push_back({memory, bytes});
  area_ = static_cast<std::uint8_t*>(memory);
  // What it would inherit, a child could only lose.
  (void)::madvise(memory, bytes, MADV_DONTFORK);
  xdp_umem_reg area{};
  area.addr = reinterpret_cast<std::uintptr_t>(memory);
  area.len = bytes;
  area.chunk_size = settings_.frame_bytes;
  OVS_TRY_DO(set_option(socket_.get(), XDP_UMEM_REG, &area, sizeof area, "XDP_UMEM_REG"));
  // The second half is for sending.
  free_.reserve(frames_each_way);
  for (std::uint64_t i = 2 * frames_each_way; i-- > frames_each_way;) free_.push_back(i * settings_.frame_bytes);
  return {};
}

Result<XskRingPlace> XskSocket::map_ring(const xdp_ring_offset& offsets, std::uint64_t at, std::uint32_t entries,
                                         std::size_t entry_bytes) {
  const std::size_t bytes = offsets.desc + entry_bytes * entries;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket_.get(),
                        static_cast<off_t>(at));
  if (memory == MAP_FAILED) return Unexpected{system_error("cannot map a ring of AF_XDP", errno)};
  mappings_.push_back({memory, bytes});
  auto* bytes_of = static_cast<std::uint8_t*>(memory);
  const auto word = [&](std::uint64_t offset) { return reinterpret_cast<std::uint32_t*>(bytes_of + offset); };
  return XskRingPlace{word(offsets.producer), word(offsets.consumer), word(offsets.flags), bytes_of + offsets.desc,
                      entries};
}

Result<void> XskSocket::map_rings() {
  const int fd = socket_.get();
  for (const int ring : {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING, XDP_TX_RING}) {
    const std::uint32_t size = ring == XDP_UMEM_FILL_RING ? fill_entries : frames_each_way;
    OVS_TRY_DO(set_option(fd, ring, &size, sizeof size, "cannot make a ring of AF_XDP"));
  }
  xdp_mmap_offsets offsets{};
  socklen_t length = sizeof offsets;
  if (::getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) < 0)
    return Unexpected{system_error("XDP_MMAP_OFFSETS", errno)};
  // Linux 5.3 and older answer with less, and have no flags.
  if (length != sizeof offsets) return unexpected("AF_XDP needs Linux 5.9 or newer", ENOSYS);
  OVS_TRY(const XskRingPlace fill, map_ring(offsets.fr, XDP_UMEM_PGOFF_FILL_RING, fill_entries, sizeof(std::uint64_t)));
  OVS_TRY(const XskRingPlace done,
          map_ring(offsets.cr, XDP_UMEM_PGOFF_COMPLETION_RING, frames_each_way, sizeof(std::uint64_t)));
  OVS_TRY(const XskRingPlace rx, map_ring(offsets.rx, XDP_PGOFF_RX_RING, frames_each_way, sizeof(xdp_desc)));
  OVS_TRY(const XskRingPlace tx, map_ring(offsets.tx, XDP_PGOFF_TX_RING, frames_each_way, sizeof(xdp_desc)));
  fill_ = XskProducer<std::uint64_t>(fill);
  completed_ = XskConsumer<std::uint64_t>(done);
  rx_ = XskConsumer<xdp_desc>(rx);
  tx_ = XskProducer<xdp_desc>(tx);
  for (std::uint64_t i = 0; i < frames_each_way; ++i) fill_.put(i * settings_.frame_bytes);
  fill_.publish();
  return {};
}

Result<void> XskSocket::bind() {
  if (bound_) return {};
  const int fd = socket_.get();
  // Beyond net.core.wmem_max where this process may, else up to it.
  if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer_bytes, sizeof send_buffer_bytes) < 0)
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_flags = static_cast<std::uint16_t>((settings_.zero_copy ? XDP_ZEROCOPY : XDP_COPY) |
                                                  (settings_.need_wakeup ? XDP_USE_NEED_WAKEUP : 0));
  address.sxdp_ifindex = settings_.ifindex;
  address.sxdp_queue_id = settings_.queue;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return Unexpected{socket_error("cannot bind an AF_XDP socket to queue " + std::to_string(settings_.queue), errno)};
  bound_ = true;
  return {};
}

XskSocket::~XskSocket() {
  for (const Mapping& mapping : mappings_) ::munmap(mapping.memory, mapping.size);
}

std::size_t XskSocket::receive(std::span<flow::Packet> slots) {
  std::size_t taken = 0;
  std::uint64_t bad = 0;
  const std::uint32_t frame_bytes = settings_.frame_bytes;
  std::uint32_t waiting = rx_.filled();
  if (waiting == 0) return 0;
  // What is taken has to be given back.
  waiting = std::min(waiting, fill_.room(static_cast<std::uint32_t>(slots.size())));
  while (taken < slots.size() && waiting-- != 0) {
    const xdp_desc frame = rx_.take();
    if (frame.addr >= area_bytes() || frame.len > frame_bytes - frame.addr % frame_bytes) {
      ++bad;
      continue;
    }
    flow::Packet& packet = slots[taken++];
    packet.set_size(frame.len);
    std::memcpy(packet.data(), area_ + frame.addr, frame.len);
    fill_.put(frame.addr - frame.addr % frame_bytes);
  }
  rx_.release();
  fill_.publish();
  if (bad) rx_bad_.fetch_add(bad, std::memory_order_relaxed);
  // A driver that had no frame left waits to be told that there are some.
  if (fill_.wants_wakeup()) {
    pollfd wake{socket_.get(), POLLIN, 0};
    (void)::poll(&wake, 1, 0);
  }
  return taken;
}

void XskSocket::take_completed() {
  std::uint32_t n = completed_.filled();
  if (n == 0) return;
  while (n-- != 0) free_.push_back(completed_.take());
  completed_.release();
}

std::size_t XskSocket::send(std::span<flow::Packet* const> packets, std::size_t longest) {
  std::size_t put = 0;
  longest = std::min<std::size_t>(longest, settings_.frame_bytes);
  take_completed();
  bool asked = false;
  for (const flow::Packet* packet : packets) {
    if (packet->size() > longest) continue;
    if (free_.empty() && !std::exchange(asked, true)) {
      tx_.publish();
      (void)kick();
      take_completed();
    }
    if (free_.empty() || tx_.room() == 0) continue;
    const std::uint64_t at = free_.back();
    free_.pop_back();
    std::memcpy(area_ + at, packet->data(), packet->size());
    tx_.put({.addr = at, .len = static_cast<std::uint32_t>(packet->size()), .options = 0});
    ++put;
  }
  tx_.publish();
  return put;
}

bool XskSocket::kick() {
  if (settings_.need_wakeup && !tx_.wants_wakeup()) return true;
  std::uint32_t waiting = tx_.waiting();
  for (unsigned i = 0; waiting != 0 && i < most_kicks; ++i) {
    (void)::sendto(socket_.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0);
    // A driver that takes frames by itself goes on with those that it could not take yet.
    if (settings_.zero_copy) return true;
    // Also an error may mean that a call has done as much as one call does (EAGAIN).
    const std::uint32_t left = tx_.waiting();
    if (left >= waiting) return false;
    waiting = left;
  }
  return waiting == 0;
}

XskLosses XskSocket::losses() const {
  XskLosses losses;
  xdp_statistics counters{};
  socklen_t size = sizeof counters;
  if (::getsockopt(socket_.get(), SOL_XDP, XDP_STATISTICS, &counters, &size) == 0) {
    losses.received = counters.rx_dropped + counters.rx_ring_full;
    losses.sent = counters.tx_invalid_descs;
  }
  losses.received += rx_bad_.load(std::memory_order_relaxed);
  return losses;
}

std::size_t XskSocket::frames_outside() {
  take_completed();
  return frames_each_way - free_.size();
}

}  // namespace ovs::netdev
