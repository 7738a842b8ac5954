#include "openflow/port.h"

#include "flow/port_number.h"

namespace ovs::openflow {

OfPort widen_port(std::uint16_t port) { return OfPort{flow::widen_port(port)}; }

std::optional<std::uint16_t> narrow_port(OfPort port) { return flow::narrow_port(raw(port)); }

std::string format_port(OfPort port) { return flow::format_port_number(raw(port)); }

std::optional<OfPort> parse_port(std::string_view text) {
  if (const auto port = flow::parse_port_number(text)) return OfPort{*port};
  return std::nullopt;
}

}  // namespace ovs::openflow
