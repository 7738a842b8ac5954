// How the tags of a frame and the VLAN that it is in follow from each other on a port
// (ovs-vswitchd.conf.db(5), Port, "VLAN Configuration"; IEEE 802.1Q-2018, sections 6.9 and 9).
//
// Within a bridge a frame has a stack of at most two levels, the outermost first: level 0 says the VLAN
// that the frame is switched in, level 1 is what a service tag encapsulates.  On the way in the
// port's mode makes the stack from the tags, on the way out the tags from the stack.
//
// Thread safety: values and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "flow/flow_key.h"
#include "ofproto/config.h"

namespace ovs::ofproto {

inline constexpr be16 tpid_8021q = be16::from_host(0x8100);

// The tags of a frame, outermost first; one that is not there is zero.
struct Tags {
  std::array<flow::VlanTag, flow::max_vlan_tags> at;
  flow::VlanTag& operator[](std::size_t i) { return at[i]; }
  const flow::VlanTag& operator[](std::size_t i) const { return at[i]; }
  friend bool operator==(const Tags& a, const Tags& b);
};
Tags tags_of(const flow::FlowKey& key);
bool has_tag(const flow::VlanTag& tag);
std::uint16_t vid_of(const flow::VlanTag& tag);
std::uint8_t pcp_of(const flow::VlanTag& tag);

struct VlanLevel {
  be16 tpid{};           // zero: the usual one
  std::uint16_t vid = 0;
  std::uint8_t pcp = 0;
  bool tagged = false;   // a tag of the frame, or the port's own, stands behind it, even if the VLAN is 0

  friend bool operator==(const VlanLevel&, const VlanLevel&) = default;
};
using VlanStack = std::array<VlanLevel, flow::max_vlan_tags>;

VlanStack stack_of(const Tags& tags);

// Whether a port takes a frame in whose tags have this stack.
enum class VlanInput : std::uint8_t { accepted, tagged_on_access, not_trunked, customer_excluded };
VlanInput check_input(const BundleConfig& port, const VlanStack& received);
// What an accepted frame is switched as.
VlanStack input_stack(const BundleConfig& port, const VlanStack& received);

// Whether a port is in a VLAN; whether it sends out frames with this stack, which takes that.
bool is_in_vlan(const BundleConfig& port, std::uint16_t vlan);
bool carries(const BundleConfig& port, const VlanStack& stack);
// The tags that they have then.  `received` are the frame's tags as it entered the bridge: where a
// port keeps priorities, the outermost one's is kept.
Tags output_tags(const BundleConfig& port, const VlanStack& stack, const Tags& received);

}  // namespace ovs::ofproto
