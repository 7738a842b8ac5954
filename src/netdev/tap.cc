#include "netdev/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "netdev/system.h"
#include "netdev/vnet_header.h"

namespace ovs::netdev {
namespace {

LogModule log{"netdev"};

// UDP segmentation, since Linux 6.2.
constexpr unsigned tun_uso = 0x20 | 0x40;

Error tun_error(int code) {
  switch (code) {
    case EBUSY: return {"another program has this TAP interface open", code};
    case EINVAL: return {"an interface of this name exists that is no TAP interface of one queue", code};
    case ENOENT:
    case ENODEV: return {"this kernel has no /dev/net/tun (CONFIG_TUN)", code};
    case EPERM: return {"making a TAP interface needs CAP_NET_ADMIN", code};
    default: return system_error("cannot make a TAP interface", code);
  }
}

// The device node's mode decides who may open it, whatever else a user may do.
Error open_error(int code) {
  if (code != EACCES && code != EPERM) return tun_error(code);
  const passwd* user = ::getpwuid(::geteuid());
  return system_error("the user " + (user ? std::string(user->pw_name) : std::to_string(::geteuid())) +
                          " cannot open /dev/net/tun to make a TAP interface",
                      code);
}

Result<Descriptor> open_tun(const std::string& name) {
  Descriptor file(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return Unexpected{open_error(errno)};
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(file.get(), TUNSETIFF, &request) < 0) return Unexpected{tun_error(errno)};
  if (::ioctl(file.get(), TUNSETPERSIST, 1) < 0)
    return Unexpected{system_error("cannot make the TAP interface persistent", errno)};
  const int header_bytes = static_cast<int>(vnet_header_bytes);
  if (::ioctl(file.get(), TUNSETVNETHDRSZ, &header_bytes) < 0)
    return Unexpected{system_error("cannot set the size of the virtio header", errno)};
  // What the host may leave to us.  A kernel that does not know UDP segmentation refuses all of it.
  const unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (::ioctl(file.get(), TUNSETOFFLOAD, offloads | tun_uso) < 0 &&
      ::ioctl(file.get(), TUNSETOFFLOAD, offloads) < 0)
    log.info("{}: the kernel refuses to leave checksums and segmentation to this TAP interface", name);
  return file;
}

}  // namespace

Result<void> Tap::make_interface() {
  OVS_TRY(const Descriptor file, open_tun(name()));
  const std::lock_guard lock(exchange_);
  return fd_.put(file);
}

bool Tap::attached() const {
  ifreq request{};
  return fd_.get() >= 0 && ::ioctl(fd_.get(), TUNGETIFF, &request) == 0;
}

Result<void> Tap::open_interface(const netlink::Link& link) {
  if (!attached()) OVS_TRY_DO(make_interface());
  if (link.alias.empty()) (void)links().rtnetlink().set_alias(link.ifindex, links().alias());
  return {};
}

bool Tap::interface_lost() {
  // In another network namespace now, where rtnetlink does not tell us of it.
  if (attached()) {
    if (!out_of_sight()) leave_sight();
    return true;
  }
  forget_interface();
  if (auto made = make_interface(); !made) {
    log.warn("{}: the interface is gone and could not be made again: {}", name(), made.error().message);
    return true;
  }
  // The kernel announces it; link_present() does the rest.
  return true;
}

void Tap::destroy() {
  // The last file of an interface that is not persistent takes it along.
  if (attached()) (void)::ioctl(fd_.get(), TUNSETPERSIST, 0);
  {
    const std::lock_guard lock(exchange_);
    fd_.idle();
  }
  if (ifindex()) forget_interface();
}

// The interface has been removed under our hands.  Such a file is always "ready": a thread that waits for it would
// never sleep again.
void Tap::let_go() {
  const std::lock_guard lock(exchange_);
  if (!attached()) fd_.idle();
}

std::map<std::string, std::string> Tap::status() const { return driver_status(state()); }

std::vector<int> Tap::rx_descriptors() const {
  if (ifindex() == 0) return {};
  return {fd_.get()};
}

std::size_t Tap::receive(std::size_t, std::span<flow::Packet> slots) {
  const int fd = fd_.get();
  std::size_t taken = 0, taken_bytes = 0;
  while (taken < slots.size()) {
    flow::Packet& packet = slots[taken];
    // The virtio header goes into the headroom, right before the frame.
    std::uint8_t* start = packet.data() - vnet_header_bytes;
    const ssize_t n = ::read(fd, start, packet.capacity() + vnet_header_bytes);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EBADFD) let_go();
      break;
    }
    VnetHeader header;
    const auto bytes = static_cast<std::size_t>(n);
    if (bytes < vnet_header_bytes) break;  // an idle descriptor
    std::memcpy(&header, start, sizeof header);
    if (!read_vnet_header(header, bytes - vnet_header_bytes, packet.offload)) {
      rx_bad_.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    packet.set_size(bytes - vnet_header_bytes);
    taken_bytes += packet.size();
    ++taken;
  }
  if (taken != 0) rx_.add(taken, taken_bytes);
  return taken;
}

void Tap::send(std::span<flow::Packet* const> packets) {
  const int fd = fd_.get();
  std::size_t sent = 0, sent_bytes = 0;
  for (flow::Packet* packet : packets) {
    VnetHeader header = make_vnet_header(*packet);
    const iovec parts[] = {{&header, vnet_header_bytes}, {packet->data(), packet->size()}};
    ssize_t n;
    do n = ::writev(fd, parts, 2);
    while (n < 0 && errno == EINTR);
    // What goes wrong in the interface itself (it is down: EIO) it counts itself.
    if (n < 0 && (errno == EBADFD || errno == EAGAIN)) tx_dropped_.fetch_add(1, std::memory_order_relaxed);
    if (n > 0) {
      sent++;
      sent_bytes += packet->size();
    }
  }
  if (sent != 0) tx_.add(sent, sent_bytes);
}

Statistics Tap::to_statistics(const netlink::LinkCounters& counters) const {
  Statistics s = statistics_of(counters);
  std::swap(s.rx_packets, s.tx_packets);
  std::swap(s.rx_bytes, s.tx_bytes);
  std::swap(s.rx_errors, s.tx_errors);
  std::swap(s.rx_dropped, s.tx_dropped);
  s.rx_crc_err = s.rx_frame_err = s.rx_over_err = s.rx_missed_errors = s.multicast = 0;
  *s.rx_dropped += rx_bad_.load(std::memory_order_relaxed);
  *s.tx_dropped += tx_dropped_.load(std::memory_order_relaxed);
  seen_ = s;
  rx_.start();
  tx_.start();
  return s;
}

Statistics Tap::own_statistics() const {
  Statistics s = seen_;
  rx_.add_to(s.rx_packets, s.rx_bytes);
  tx_.add_to(s.tx_packets, s.tx_bytes);
  return s;
}

}  // namespace ovs::netdev
