#include "telemetry/local_address.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/descriptor.h"
#include "flow/address.h"

namespace ovs::telemetry {

IpAddress to_ip_address(const sockaddr* address) {
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) {
    return be32{reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr};
  }
  if (address->sa_family == AF_INET6) {
    flow::Ipv6Addr v6;
    std::memcpy(v6.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, v6.bytes.size());
    return v6;
  }
  return {};
}

bool is_link_local(const IpAddress& address) {
  const auto* v6 = std::get_if<flow::Ipv6Addr>(&address);
  return v6 != nullptr && v6->bytes[0] == 0xfe && (v6->bytes[1] & 0xc0) == 0x80;
}

namespace {

// None: there is no such device, or it has none.
IpAddress first_ipv4_address(const std::string& device) {
  ifreq request{};
  if (device.size() >= sizeof request.ifr_name) return {};
  device.copy(request.ifr_name, device.size());
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0 || ::ioctl(socket.get(), SIOCGIFADDR, &request) != 0) return {};
  return to_ip_address(&request.ifr_addr);
}

}  // namespace

Result<IpAddress> address_of_agent(const std::string& agent, LinkLocal link_local) {
  if (auto v4 = flow::parse_ipv4(agent)) return IpAddress(*v4);
  if (auto v6 = flow::parse_ipv6(agent)) return IpAddress(*v6);
  const IpAddress first = first_ipv4_address(agent);
  if (!std::holds_alternative<std::monostate>(first)) return first;

  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return Unexpected{system_error("addresses of this host", errno)};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  bool found_device = false;
  enum Rank { none, on_link, global_v6, v4 };
  Rank best_rank = none;
  IpAddress best;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (agent != i->ifa_name) continue;
    found_device = true;
    const IpAddress address = to_ip_address(i->ifa_addr);
    Rank rank = none;
    if (std::holds_alternative<be32>(address)) rank = v4;
    if (std::holds_alternative<flow::Ipv6Addr>(address)) rank = is_link_local(address) ? on_link : global_v6;
    if (rank > best_rank) {
      best_rank = rank;
      best = address;
    }
  }
  if (best_rank == on_link && link_local == LinkLocal::refused) {
    return unexpected(fmt::format("the device {} has no IP address but a link-local one", agent), EADDRNOTAVAIL);
  }
  if (best_rank != none) return best;
  if (found_device) return unexpected(fmt::format("the device {} has no IP address", agent), EADDRNOTAVAIL);
  return unexpected(fmt::format("\"{}\" is neither an IP address nor a device", agent), ENODEV);
}

Result<IpAddress> address_towards(const runtime::SocketAddress& destination) {
  const Descriptor socket(::socket(destination.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return Unexpected{system_error("socket", errno)};
  // Of a datagram socket, connect() only looks up the route.
  if (::connect(socket.get(), destination.get(), destination.size) != 0) {
    return Unexpected{system_error("route to " + destination.to_string(), errno)};
  }
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    return Unexpected{system_error("getsockname", errno)};
  }
  return to_ip_address(reinterpret_cast<const sockaddr*>(&own));
}

}  // namespace ovs::telemetry
