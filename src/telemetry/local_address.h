// The addresses of this host: which one a device has, and which one the way to somewhere begins with.
//
// Thread safety: any thread; these ask the kernel and do not wait.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/address.h"
#include "telemetry/ip_address.h"

namespace ovs::telemetry {

// Whether an IPv6 address that means something on one link alone is better than none.
enum class LinkLocal { refused, accepted };

// `agent` is an address (which need not be this host's), or a device, whose first IPv4 address is taken, or else its
// first global IPv6 address, or else its first link-local one if that is accepted.  For a device with an IPv4 address
// this is one question to the kernel; for others it lists all addresses.
Result<IpAddress> address_of_agent(const std::string& agent, LinkLocal link_local = LinkLocal::refused);

bool is_link_local(const IpAddress& address);  // of IPv6

// The source address of packets to `destination`.
Result<IpAddress> address_towards(const runtime::SocketAddress& destination);

IpAddress to_ip_address(const sockaddr* address);  // none for other families

}  // namespace ovs::telemetry
