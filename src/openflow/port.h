// OpenFlow port numbers (OpenFlow 1.5.1, section 7.2.1.1), 32 bits wide as from OpenFlow 1.1 on.
//
// Thread safety: constants and values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_order.h"

namespace ovs::openflow {

enum class OfPort : std::uint32_t {};
constexpr std::uint32_t raw(OfPort port) { return static_cast<std::uint32_t>(port); }
// As FlowKey::in_port has it.
constexpr be32 wire(OfPort port) { return be32::from_host(raw(port)); }

// Ports of a switch are 1 to 0xfeff; OpenFlow 1.0 has 16 bits, so no more are given out.
inline constexpr OfPort max_port{0xfeff};
// Reserved ports, as they are numbered from OpenFlow 1.1 on.
inline constexpr OfPort port_unset{0xfffffff7};  // no output port in the action set
inline constexpr OfPort port_in_port{0xfffffff8};
inline constexpr OfPort port_table{0xfffffff9};
inline constexpr OfPort port_normal{0xfffffffa};
inline constexpr OfPort port_flood{0xfffffffb};
inline constexpr OfPort port_all{0xfffffffc};
inline constexpr OfPort port_controller{0xfffffffd};
inline constexpr OfPort port_local{0xfffffffe};  // the bridge's own, internal, port
inline constexpr OfPort port_none{0xffffffff};

// OpenFlow 1.0 has the reserved ports at 0xff00 and above: the same numbers without their upper half.
OfPort widen_port(std::uint16_t port);
// Nothing for the numbers that have no form of 16 bits (0xff00 to 0xfffffeff).
std::optional<std::uint16_t> narrow_port(OfPort port);

// "1", "LOCAL", "ANY".  Reserved ports without a name are written as their 16 bits.
std::string format_port(OfPort port);
// A decimal number, of 16 or of 32 bits, or a reserved port's name in upper or lower case ("NONE" is
// another name for "ANY").  Nothing for any other text, and for numbers that no port can have.
std::optional<OfPort> parse_port(std::string_view text);

}  // namespace ovs::openflow
