// IpAddress: an IPv4 or IPv6 address, or none.
//
// Thread safety: a value; pure functions.
#pragma once

#include <string>
#include <variant>

#include "base/byte_order.h"
#include "flow/flow_key.h"

namespace ovs::telemetry {

using IpAddress = std::variant<std::monostate, be32, flow::Ipv6Addr>;

std::string to_text(const IpAddress& address);  // "10.0.0.1", "2001:db8::1", "" for none

}  // namespace ovs::telemetry
