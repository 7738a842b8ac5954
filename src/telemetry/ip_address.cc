#include "telemetry/ip_address.h"

#include "flow/address.h"

namespace ovs::telemetry {

std::string to_text(const IpAddress& address) {
  if (auto* v4 = std::get_if<be32>(&address)) return flow::format_ipv4(*v4);
  if (auto* v6 = std::get_if<flow::Ipv6Addr>(&address)) return flow::format_ipv6(*v6);
  return {};
}

}  // namespace ovs::telemetry
