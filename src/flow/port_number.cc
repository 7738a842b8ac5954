#include "flow/port_number.h"

#include <array>

#include "base/text.h"

namespace ovs::flow {

namespace {

struct NamedPort {
  std::uint32_t port;
  std::string_view name;
};

// Of two names for one number, the first is the one to write.
constexpr std::array<NamedPort, 10> named_ports{{
    {0xfffffff7, "UNSET"},
    {0xfffffff8, "IN_PORT"},
    {0xfffffff9, "TABLE"},
    {0xfffffffa, "NORMAL"},
    {0xfffffffb, "FLOOD"},
    {0xfffffffc, "ALL"},
    {0xfffffffd, "CONTROLLER"},
    {0xfffffffe, "LOCAL"},
    {0xffffffff, "ANY"},
    {0xffffffff, "NONE"},
}};

constexpr std::uint32_t first_reserved_16 = 0xff00;
constexpr std::uint32_t first_reserved = 0xffffff00;

}  // namespace

std::uint32_t widen_port(std::uint16_t port) {
  return port < first_reserved_16 ? port : port - first_reserved_16 + first_reserved;
}

std::optional<std::uint16_t> narrow_port(std::uint32_t port) {
  if (port < first_reserved_16 || port >= first_reserved) return static_cast<std::uint16_t>(port);
  return std::nullopt;
}

std::string format_port_number(std::uint32_t port) {
  for (const NamedPort& named : named_ports) {
    if (named.port == port) return std::string(named.name);
  }
  // The numbers without a name are as OpenFlow 1.0 has them, where they have one there.
  return std::to_string(port >= first_reserved ? *narrow_port(port) : port);
}

std::optional<std::uint32_t> parse_port_number(std::string_view text) {
  if (const auto n = parse_integer(text)) {
    if (*n < 0 || *n > 0xffffffffLL) return std::nullopt;
    if (*n <= 0xffff) return widen_port(static_cast<std::uint16_t>(*n));
    if (*n < first_reserved) return std::nullopt;
    return static_cast<std::uint32_t>(*n);
  }
  for (const NamedPort& named : named_ports) {
    if (iequals(named.name, text)) return named.port;
  }
  return std::nullopt;
}

}  // namespace ovs::flow
