#include "ofproto/vlan.h"

namespace ovs::ofproto {

Tags tags_of(const flow::FlowKey& key) { return {{key.vlan[0], key.vlan[1]}}; }
bool has_tag(const flow::VlanTag& tag) { return (tag.tci & flow::vlan_present).raw != 0; }
std::uint16_t vid_of(const flow::VlanTag& tag) { return (tag.tci & flow::vlan_vid_mask).host(); }
std::uint8_t pcp_of(const flow::VlanTag& tag) {
  return static_cast<std::uint8_t>((tag.tci & flow::vlan_pcp_mask).host() >> 13);
}

bool operator==(const Tags& a, const Tags& b) {
  for (std::size_t i = 0; i < flow::max_vlan_tags; i++)
    if (a[i].tpid != b[i].tpid || a[i].tci != b[i].tci) return false;
  return true;
}

VlanStack stack_of(const Tags& tags) {
  VlanStack stack;
  for (std::size_t i = 0; i < flow::max_vlan_tags && has_tag(tags[i]); i++)
    stack[i] = {tags[i].tpid, vid_of(tags[i]), pcp_of(tags[i]), true};
  return stack;
}

VlanInput check_input(const BundleConfig& port, const VlanStack& received) {
  const std::uint16_t vid = received[0].vid;
  switch (port.vlan_mode) {
    case VlanMode::access:
      return vid == 0 ? VlanInput::accepted : VlanInput::tagged_on_access;
    case VlanMode::dot1q_tunnel:
      return port.cvlans[vid] ? VlanInput::accepted : VlanInput::customer_excluded;
    case VlanMode::native_tagged:
    case VlanMode::native_untagged:
      if (vid == 0 || vid == port.vlan) return VlanInput::accepted;
      [[fallthrough]];
    case VlanMode::trunk:
      return port.trunks[vid] ? VlanInput::accepted : VlanInput::not_trunked;
  }
  return VlanInput::accepted;
}

VlanStack input_stack(const BundleConfig& port, const VlanStack& received) {
  VlanStack stack = received;
  switch (port.vlan_mode) {
    case VlanMode::access:
      stack[0].vid = port.vlan;
      stack[0].tagged = true;
      stack[1] = {};
      break;
    case VlanMode::native_tagged:
    case VlanMode::native_untagged:
      if (stack[0].vid == 0) stack[0].vid = port.vlan;
      stack[0].tagged = true;
      break;
    case VlanMode::dot1q_tunnel:
      // The customer's priority stays with the customer's tag.
      stack[1] = received[0];
      stack[0] = {port.qinq_ethertype, port.vlan, 0, true};
      break;
    case VlanMode::trunk:
      break;
  }
  return stack;
}

bool is_in_vlan(const BundleConfig& port, std::uint16_t vlan) {
  switch (port.vlan_mode) {
    case VlanMode::access:
    case VlanMode::dot1q_tunnel:
      return vlan == port.vlan;
    case VlanMode::native_tagged:
    case VlanMode::native_untagged:
      // A frame without a VLAN would be taken for one of the native VLAN.
      return vlan == port.vlan || (vlan != 0 && port.trunks[vlan]);
    case VlanMode::trunk:
      return port.trunks[vlan];
  }
  return false;
}

bool carries(const BundleConfig& port, const VlanStack& stack) {
  if (!is_in_vlan(port, stack[0].vid)) return false;
  if (port.vlan_mode == VlanMode::access) return stack[1].vid == 0;
  return port.vlan_mode != VlanMode::dot1q_tunnel || port.cvlans[stack[1].vid];
}

Tags output_tags(const BundleConfig& port, const VlanStack& stack, const Tags& received) {
  VlanStack out = stack;
  switch (port.vlan_mode) {
    case VlanMode::access:
      out = {};
      break;
    case VlanMode::native_untagged:
      if (stack[0].vid != port.vlan) break;
      [[fallthrough]];
    case VlanMode::dot1q_tunnel:
      out = {stack[1], VlanLevel{}};
      break;
    case VlanMode::native_tagged:
    case VlanMode::trunk:
      break;
  }
  if (port.priority_tags != PriorityTags::no) out[0].pcp = pcp_of(received[0]);

  Tags tags{};
  for (std::size_t i = 0; i < out.size(); i++) {
    const VlanLevel& level = out[i];
    // A tag without a VLAN and a priority says nothing; what it encapsulated goes with it.
    if (level.vid == 0 && level.pcp == 0 && !(level.tagged && port.priority_tags == PriorityTags::always)) break;
    const unsigned tci = level.vid | unsigned{level.pcp} << 13;
    tags[i].tpid = level.tpid ? level.tpid : tpid_8021q;
    tags[i].tci = be16::from_host(static_cast<std::uint16_t>(tci)) | flow::vlan_present;
  }
  return tags;
}

}  // namespace ovs::ofproto
