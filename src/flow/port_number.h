// Numbers of OpenFlow ports as text, and in OpenFlow 1.0's 16 bits (OpenFlow 1.5.1, section 7.2.1.1).
//
// Plain numbers, because match fields hold them; above this folder they are openflow::OfPort
// (openflow/port.h), where the reserved ones have names.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ovs::flow {

inline constexpr std::uint16_t port_number_none_16 = 0xffff;

// OpenFlow 1.0 has the reserved ports at 0xff00 and above: the same numbers without their upper half.
std::uint32_t widen_port(std::uint16_t port);
// Nothing for the numbers that have no form of 16 bits (0xff00 to 0xfffffeff).
std::optional<std::uint16_t> narrow_port(std::uint32_t port);

// "1", "LOCAL", "ANY".  Reserved ports without a name are written as their 16 bits.
std::string format_port_number(std::uint32_t port);
// A decimal number, of 16 or of 32 bits, or a reserved port's name in upper or lower case ("NONE" is
// another name for "ANY").  Nothing for any other text, and for numbers that no port can have.
std::optional<std::uint32_t> parse_port_number(std::string_view text);

}  // namespace ovs::flow
