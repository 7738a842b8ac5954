#include "openflow/port.h"

#include <array>

#include "base/text.h"

namespace ovs::openflow {

namespace {

struct NamedPort {
  OfPort port;
  std::string_view name;
};

// Of two names for one number, the first is the one to write.
constexpr std::array<NamedPort, 10> named_ports{{
    {port_in_port, "IN_PORT"},
    {port_table, "TABLE"},
    {port_normal, "NORMAL"},
    {port_flood, "FLOOD"},
    {port_all, "ALL"},
    {port_controller, "CONTROLLER"},
    {port_local, "LOCAL"},
    {port_none, "ANY"},
    {port_none, "NONE"},
    {port_unset, "UNSET"},
}};

}  // namespace

OfPort widen_port(std::uint16_t port) {
  return OfPort{port < first_reserved_16 ? port : port + 0xffff0000u};
}

std::optional<std::uint16_t> narrow_port(OfPort port) {
  const std::uint32_t n = raw(port);
  if (n < first_reserved_16 || n >= 0xffff0000u + first_reserved_16) return static_cast<std::uint16_t>(n);
  return std::nullopt;
}

std::string format_port(OfPort port) {
  for (const NamedPort& named : named_ports) {
    if (named.port == port) return std::string(named.name);
  }
  // The numbers without a name are as OpenFlow 1.0 has them, where they have one there.
  if (const auto narrow = narrow_port(port)) return std::to_string(*narrow);
  return std::to_string(raw(port));
}

std::optional<OfPort> parse_port(std::string_view text) {
  if (const auto n = parse_integer(text)) {
    if (*n < 0 || *n > 0xffffffffLL) return std::nullopt;
    if (*n <= 0xffff) return widen_port(static_cast<std::uint16_t>(*n));
    const OfPort port{static_cast<std::uint32_t>(*n)};
    if (!narrow_port(port)) return std::nullopt;
    return port;
  }
  for (const NamedPort& named : named_ports) {
    if (iequals(named.name, text)) return named.port;
  }
  return std::nullopt;
}

}  // namespace ovs::openflow
