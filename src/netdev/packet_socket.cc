#include "netdev/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/descriptor.h"
#include "netdev/datagram_run.h"
#include "netdev/vnet_header.h"

namespace ovs::netdev {
namespace {

using flow::batch_size;

// What may wait for a forwarding thread that is busy.  A small frame takes about 1 kB of it.
constexpr int socket_buffer_bytes = 4 << 20;
constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(tpacket_auxdata));
constexpr std::size_t vlan_tag_at = 12;  // behind the two addresses
constexpr unsigned busy_batches = 64;    // full ones one after the other
constexpr std::size_t most_waiting = 2 * socket_buffer_bytes / 512;  // the kernel doubles the buffer's size

Result<void> set_option(int fd, int level, int name, int value, std::string_view doing) {
  if (::setsockopt(fd, level, name, &value, sizeof value) < 0) return Unexpected{system_error(doing, errno)};
  return {};
}

// Beyond net.core.[rw]mem_max where this process may, else up to it.
void set_buffer(int fd, int force_name, int name) {
  if (::setsockopt(fd, SOL_SOCKET, force_name, &socket_buffer_bytes, sizeof socket_buffer_bytes) < 0)
    ::setsockopt(fd, SOL_SOCKET, name, &socket_buffer_bytes, sizeof socket_buffer_bytes);
}

// Message headers for recvmmsg(), laid out once for each thread.
struct ReceiveBatch {
  std::array<mmsghdr, batch_size> messages{};
  std::array<iovec, batch_size> vectors{};
  struct alignas(cmsghdr) Control {
    char bytes[control_bytes];
  };
  std::array<Control, batch_size> controls{};

  ReceiveBatch() {
    for (std::size_t i = 0; i < batch_size; ++i) {
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = &controls[i];
    }
  }

  void prepare(std::size_t i, flow::Packet& packet) {
    // The virtio header goes into the headroom, right before the frame: one piece of memory for the kernel to fill.
    vectors[i] = {packet.data() - vnet_header_bytes, packet.capacity() + vnet_header_bytes};
    messages[i].msg_hdr.msg_controllen = control_bytes;
  }
};

// Message headers for sendmmsg(): one for each packet, or run of packets.
struct SendBatch {
  std::size_t count = 0;
  std::array<mmsghdr, batch_size> messages;
  std::array<std::span<flow::Packet* const>, batch_size> packets;  // of each message

  // Where find_run() may write; add_run() keeps it.
  DatagramRun& next_run() { return runs[run_count]; }

  void add(flow::Packet* const& packet) {
    headers[count] = make_vnet_header(*packet);
    const std::size_t first = vector_count;
    add_bytes(&headers[count], vnet_header_bytes);
    add_bytes(packet->data(), packet->size());
    finish(first, {&packet, 1});
  }

  void add_run(std::span<flow::Packet* const> all) {
    DatagramRun& run = runs[run_count++];
    const std::size_t first = vector_count;
    add_bytes(&run.offload, vnet_header_bytes);
    add_bytes(run.headers.data(), run.header_bytes);
    for (flow::Packet* packet : all)
      add_bytes(packet->data() + run.header_bytes, packet->size() - run.header_bytes);
    finish(first, all);
  }

 private:
  void add_bytes(void* bytes, std::size_t size) { vectors[vector_count++] = {bytes, size}; }
  void finish(std::size_t first, std::span<flow::Packet* const> all) {
    msghdr& message = messages[count].msg_hdr;
    message = {};
    message.msg_iov = &vectors[first];
    message.msg_iovlen = vector_count - first;
    packets[count++] = all;
  }

  // A run has two packets at least, and two pieces of memory before their payloads.
  std::array<iovec, 2 * batch_size> vectors;
  std::size_t vector_count = 0;
  std::array<VnetHeader, batch_size> headers;
  std::array<DatagramRun, batch_size / 2 + 1> runs;
  std::size_t run_count = 0;
};

// Whether virtio headers of this kernel can ask for UDP segmentation: since Linux 6.2.
bool kernel_cuts_datagrams() {
  static const bool yes = [] {
    utsname name{};
    int major = 0, minor = 0;
    return ::uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor >= 2));
  }();
  return yes;
}

const tpacket_auxdata* find_auxdata(msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
    if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
      return reinterpret_cast<const tpacket_auxdata*>(CMSG_DATA(c));
  return nullptr;
}

// Makes a packet of what prepare() had received into it; false if it makes no sense.
bool finish(msghdr& message, std::size_t bytes, flow::Packet& packet) {
  if (bytes < vnet_header_bytes || message.msg_flags & MSG_TRUNC) return false;
  VnetHeader header;
  std::memcpy(&header, packet.data() - vnet_header_bytes, sizeof header);
  bytes -= vnet_header_bytes;
  if (!read_vnet_header(header, bytes, packet.offload)) return false;
  packet.set_size(bytes);
  if (const tpacket_auxdata* beside = find_auxdata(message)) restore_vlan_tag(packet, *beside);
  return true;
}

}  // namespace

void restore_vlan_tag(flow::Packet& packet, const tpacket_auxdata& beside) {
  if (!(beside.tp_status & TP_STATUS_VLAN_VALID) || packet.size() < vlan_tag_at) return;
  const std::uint16_t tpid = beside.tp_status & TP_STATUS_VLAN_TPID_VALID ? beside.tp_vlan_tpid : ETH_P_8021Q;
  const std::uint16_t tag[2] = {htons(tpid), htons(beside.tp_vlan_tci)};
  std::memcpy(packet.insert(vlan_tag_at, sizeof tag), tag, sizeof tag);
}

Result<void> PacketSocket::open(unsigned ifindex) {
  // Without a protocol, so that nothing is received before everything is set.
  Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return Unexpected{system_error("cannot open a packet socket", errno)};
  const int fd = socket.get();
  OVS_TRY_DO(set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1, "PACKET_VNET_HDR"));
  OVS_TRY_DO(set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA"));
  OVS_TRY_DO(set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING"));
  if (!RxRing::prepare(fd)) return Unexpected{system_error("PACKET_VERSION", errno)};
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
  packet_mreq membership{};
  membership.mr_ifindex = static_cast<int>(ifindex);
  membership.mr_type = PACKET_MR_PROMISC;
  if (::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) < 0)
    return Unexpected{system_error("cannot make the device promiscuous", errno)};
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(ifindex);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return Unexpected{system_error("cannot bind a packet socket", errno)};

  const std::lock_guard lock(exchange_);
  count_overflow();
  OVS_TRY_DO(fd_.put(socket));
  epoch_.fetch_add(1, std::memory_order_release);
  return {};
}

void PacketSocket::close() {
  const std::lock_guard lock(exchange_);
  count_overflow();
  fd_.idle();
  epoch_.fetch_add(1, std::memory_order_release);
}

std::size_t PacketSocket::receive(std::span<flow::Packet> slots) {
  const int fd = descriptor();
  if (fd < 0) return 0;
  const std::span<flow::Packet> room = slots.first(std::min(slots.size(), batch_size));
  if (ring_ && ring_epoch_ != epoch_.load(std::memory_order_acquire)) ring_.reset();
  if (ring_) return ring_->receive(fd, room, rx_bad_);
  const std::size_t taken = receive_queue(fd, room);
  watch_load(taken, room.size());
  return taken;
}

// Gives the port a ring when it has been busy for a while and loses frames.
void PacketSocket::watch_load(std::size_t taken, std::size_t room) {
  if (taken < room || room < batch_size) {
    full_batches_ = 0;
    return;
  }
  if (++full_batches_ < busy_batches) return;
  full_batches_ = 0;
  if (ring_refused_ || !RxRing::is_left() || count_overflow() == 0) return;
  const std::lock_guard lock(exchange_);
  ring_epoch_ = epoch_.load(std::memory_order_relaxed);
  // What waits in the queue will be lost with it, and should be counted.  It may grow as fast as it is read.
  VnetHeader header;
  for (std::size_t i = 0; i < most_waiting && ::recv(descriptor(), &header, sizeof header, MSG_DONTWAIT) >= 0; ++i)
    rx_overflow_.fetch_add(1, std::memory_order_relaxed);
  ring_ = RxRing::set_up(descriptor());
  ring_refused_ = !ring_;
}

std::size_t PacketSocket::receive_queue(int fd, std::span<flow::Packet> slots) {
  static thread_local ReceiveBatch batch;
  for (std::size_t attempt = 0; attempt <= batch_size; ++attempt) {
    for (std::size_t i = 0; i < slots.size(); ++i) batch.prepare(i, slots[i]);
    const int n = ::recvmmsg(fd, batch.messages.data(), static_cast<unsigned>(slots.size()), MSG_DONTWAIT, nullptr);
    if (n < 0) {
      // EINVAL: a frame with a kind of segmentation that the virtio header cannot express; it is gone.  ENETDOWN: told
      // once when the device goes down.
      if (errno == EINVAL) rx_bad_.fetch_add(1, std::memory_order_relaxed);
      if (errno == EINVAL || errno == ENETDOWN || errno == EINTR) continue;
      return 0;
    }
    std::size_t taken = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      if (!finish(batch.messages[i].msg_hdr, batch.messages[i].msg_len, slots[i])) {
        rx_bad_.fetch_add(1, std::memory_order_relaxed);
        continue;
      }
      if (taken != i) std::swap(slots[taken], slots[i]);
      ++taken;
    }
    // A batch of nonsense is not the end of the queue.
    if (taken > 0 || n == 0) return taken;
  }
  return 0;
}

bool receive_queued(int fd, flow::Packet& packet) {
  static thread_local ReceiveBatch batch;
  batch.prepare(0, packet);
  msghdr& message = batch.messages[0].msg_hdr;
  ssize_t n = ::recvmsg(fd, &message, MSG_DONTWAIT);
  if (n < 0 && (errno == ENETDOWN || errno == EINTR)) n = ::recvmsg(fd, &message, MSG_DONTWAIT);
  return n >= 0 && finish(message, static_cast<std::size_t>(n), packet);
}

void PacketSocket::send(std::span<flow::Packet* const> packets) {
  while (!packets.empty()) {
    const std::size_t count = std::min(packets.size(), batch_size);
    send_batch(packets.first(count), kernel_cuts_datagrams());
    packets = packets.subspan(count);
  }
}

void PacketSocket::send_batch(std::span<flow::Packet* const> packets, bool as_runs) {
  const int fd = descriptor();
  if (fd < 0) {
    tx_dropped_.fetch_add(packets.size(), std::memory_order_relaxed);
    return;
  }
  SendBatch batch;
  while (!packets.empty()) {
    std::size_t count = 1;
    if (as_runs) count = find_run(packets, batch.next_run());
    if (count == 1) {
      batch.add(packets[0]);
    } else {
      batch.add_run(packets.first(count));
    }
    packets = packets.subspan(count);
  }
  bool told_down = false;
  for (std::size_t done = 0; done < batch.count;) {
    const int n = ::sendmmsg(fd, &batch.messages[done], static_cast<unsigned>(batch.count - done), MSG_DONTWAIT);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    // The first time, this may tell of a device that was down and is up again.
    if (errno == ENETDOWN && !std::exchange(told_down, true)) continue;
    if (errno == EINVAL && batch.packets[done].size() > 1) {
      send_batch(batch.packets[done++], false);
      continue;
    }
    // What the device cannot take now it cannot take for the rest of these either; what is
    // wrong with one frame (EMSGSIZE, EINVAL) is that frame's own.
    const bool all = errno == EAGAIN || errno == ENETDOWN || errno == ENXIO || errno == ENODEV || errno == ENOTSOCK;
    const std::size_t end = all ? batch.count : done + 1;
    for (; done < end; ++done) tx_dropped_.fetch_add(batch.packets[done].size(), std::memory_order_relaxed);
  }
}

// How many frames were lost since this was asked last; adds them to rx_overflow_.
std::uint64_t PacketSocket::count_overflow() const {
  tpacket_stats counters{};
  socklen_t size = sizeof counters;
  // Asking sets the kernel's counter to zero.
  const int fd = descriptor();
  if (fd < 0 || ::getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &counters, &size) < 0) return 0;
  rx_overflow_.fetch_add(counters.tp_drops, std::memory_order_relaxed);
  return counters.tp_drops;
}

std::uint64_t PacketSocket::rx_dropped() const {
  count_overflow();
  return rx_overflow_.load(std::memory_order_relaxed) + rx_bad_.load(std::memory_order_relaxed);
}

}  // namespace ovs::netdev
