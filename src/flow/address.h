// Text of Ethernet, IPv4 and IPv6 addresses (RFC 5952 for the latter).
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "flow/flow_key.h"

namespace ovs::flow {

// "00:11:22:aa:bb:cc".  Read with one or two digits between the colons, in upper or lower case.
std::string format_eth(const EthAddr& address);
std::optional<EthAddr> parse_eth(std::string_view text);

// "10.0.0.1".
std::string format_ipv4(be32 address);
std::optional<be32> parse_ipv4(std::string_view text);

// "2001:db8::1", "::ffff:10.0.0.1".
std::string format_ipv6(const Ipv6Addr& address);
std::optional<Ipv6Addr> parse_ipv6(std::string_view text);

}  // namespace ovs::flow
