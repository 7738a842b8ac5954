// The names of the bits of fields that are sets of flags (ovs-fields(7)).
//
// Thread safety: constants.
#pragma once

#include <cstdint>
#include <string_view>

namespace ovs::flow {

struct Flag {
  std::string_view name;
  std::uint32_t bit;
};

inline constexpr Flag ct_state_flags[] = {
    {"new", 0x01}, {"est", 0x02}, {"rel", 0x04},  {"rpl", 0x08},
    {"inv", 0x10}, {"trk", 0x20}, {"snat", 0x40}, {"dnat", 0x80},
};
namespace ct_state {
inline constexpr std::uint32_t new_connection = 0x01;
inline constexpr std::uint32_t established = 0x02;
inline constexpr std::uint32_t related = 0x04;
inline constexpr std::uint32_t invalid = 0x10;
inline constexpr std::uint32_t tracked = 0x20;
}  // namespace ct_state

inline constexpr Flag tcp_flag_names[] = {
    {"fin", 0x001}, {"syn", 0x002}, {"rst", 0x004}, {"psh", 0x008}, {"ack", 0x010},   {"urg", 0x020},
    {"ece", 0x040}, {"cwr", 0x080}, {"ns", 0x100},  {"[200]", 0x200}, {"[400]", 0x400}, {"[800]", 0x800},
};

inline constexpr Flag tunnel_flags[] = {{"oam", 0x1}};

}  // namespace ovs::flow
