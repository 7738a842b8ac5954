// The addresses of this host: which one a device has, and which one the way to somewhere begins with.
//
// Thread safety: any thread; these ask the kernel and do not wait.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/address.h"
#include "telemetry/ip_address.h"

namespace ovs::telemetry {

// `agent` is an address (which need not be this host's), or a device, whose first IPv4 address is taken, or else its
// first IPv6 address, rather a global one than a link-local one.
Result<IpAddress> address_of_agent(const std::string& agent);

// The source address of packets to `destination`.
Result<IpAddress> address_towards(const runtime::SocketAddress& destination);

IpAddress to_ip_address(const sockaddr* address);  // none for other families

}  // namespace ovs::telemetry
