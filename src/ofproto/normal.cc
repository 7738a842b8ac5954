// The action NORMAL: an Ethernet switch with VLANs that learns (IEEE 802.1Q-2018, clause 8).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "flow/address.h"
#include "flow/protocols.h"
#include "ofproto/bridge_walk.h"

namespace ovs::ofproto {

using flow::EthAddr;
using openflow::OfPort;

namespace {

bool is_multicast(const EthAddr& mac) { return (mac.bytes[0] & 1) != 0; }

// Protocols between neighboring switches (ovs-vswitchd.conf.db(5), Bridge, other_config:forward-bpdu):
// `first` to `last` in the last byte.
struct ReservedRange {
  std::array<std::uint8_t, 5> prefix;
  std::uint8_t first, last;
};
constexpr std::array<ReservedRange, 8> reserved_addresses{{
    {{0x01, 0x80, 0xc2, 0x00, 0x00}, 0x00, 0x0f},  // IEEE 802.1D, table 7-10
    {{0x00, 0xe0, 0x2b, 0x00, 0x00}, 0x00, 0x00},  // EDP
    {{0x00, 0xe0, 0x2b, 0x00, 0x00}, 0x04, 0x04},  // EAPS
    {{0x00, 0xe0, 0x2b, 0x00, 0x00}, 0x06, 0x06},
    {{0x01, 0x00, 0x0c, 0x00, 0x00}, 0x00, 0x00},  // ISL
    {{0x01, 0x00, 0x0c, 0xcc, 0xcc}, 0xc0, 0xc7},  // CFM
    {{0x01, 0x00, 0x0c, 0xcc, 0xcc}, 0xcc, 0xcd},  // CDP and others, PVST+
    {{0x01, 0x00, 0x0c, 0xcd, 0xcd}, 0xcd, 0xcd},  // STP uplink fast
}};

bool is_reserved(const EthAddr& mac) {
  return std::any_of(reserved_addresses.begin(), reserved_addresses.end(), [&](const ReservedRange& range) {
    return std::equal(range.prefix.begin(), range.prefix.end(), mac.bytes.begin()) &&
           mac.bytes[5] >= range.first && mac.bytes[5] <= range.last;
  });
}

// Packets of no port, as a controller may send them, are in the VLAN that they say.
const Bundle& bundle_of_no_port() {
  static const Bundle bundle = [] {
    Bundle made{no_bundle, {}};
    made.config.trunks.set();
    return made;
  }();
  return bundle;
}

const Bundle* input_bundle(const Bridge& bridge, OfPort in_port) {
  if (in_port == openflow::port_none || in_port == openflow::port_controller) return &bundle_of_no_port();
  const Port* port = bridge.port(in_port);
  return port == nullptr ? nullptr : bridge.bundle(port->bundle);
}

std::string input_fault(const BundleConfig& port, VlanInput why, std::uint16_t vid) {
  switch (why) {
    case VlanInput::accepted:
      break;
    case VlanInput::tagged_on_access:
      return fmt::format("dropping VLAN {} tagged packet received on port {} configured as VLAN {} access port",
                         vid, port.name, port.vlan);
    case VlanInput::not_trunked:
      return fmt::format("dropping VLAN {} packet received on port {} not configured for trunking VLAN {}", vid,
                         port.name, vid);
    case VlanInput::customer_excluded:
      return fmt::format("dropping VLAN {} packet received on dot1q-tunnel port {} that excludes this VLAN", vid,
                         port.name);
  }
  return {};
}

}  // namespace

void BridgeWalk::normal(const Bridge& bridge, OfPort in_port) {
  out_.mask.look_at(flow::FieldId::eth_src);
  out_.mask.look_at(flow::FieldId::eth_dst);

  const Bundle* from = input_bundle(bridge, in_port);
  if (from == nullptr) {
    if (trace_ != nullptr) {
      explain_fault(bridge.port(in_port) == nullptr
                        ? fmt::format("received packet on unknown port {}", format_port(in_port))
                        : fmt::format("received packet on port {} that is in no bundle", format_port(in_port)));
    }
    return explain_drop("no input bundle, dropping");
  }
  if (has_partial_tag()) return explain_drop("partial VLAN tag, dropping");
  if (!bridge.config.forward_bpdu && is_reserved(key_.eth_dst))
    return explain("packet has reserved destination MAC, dropping");

  const VlanStack received = stack_of(tags_of(key_));
  const VlanInput check = check_input(from->config, received);
  if (check != VlanInput::accepted) {
    if (trace_ != nullptr) explain_fault(input_fault(from->config, check, received[0].vid));
    return explain_drop("disallowed VLAN VID for this input port, dropping");
  }
  if (from->id != no_bundle && !from->config.carries_on(in_port))
    return explain("bonding refused admissibility, dropping");
  const VlanStack stack = input_stack(from->config, received);
  const std::uint16_t vlan = stack[0].vid;
  vlan_ = stack[0];

  if (from->id != no_bundle) learn(bridge, *from, vlan);

  std::vector<Exit> exits;
  if (const BundleId known = look_up(bridge, vlan); known != no_bundle) {
    if (known == from->id) return explain("learned port is input port, dropping");
    explain("forwarding to learned port");
    if (const Bundle* to = bridge.bundle(known)) add_exit(bridge, *to, from, stack, exits);
  } else {
    explain("no learned MAC for destination, flooding");
    for (const Bundle* to : bridge.bundles_in(vlan))
      if (to->id != from->id) add_exit(bridge, *to, from, stack, exits);
  }
  leave(exits);
}

bool BridgeWalk::has_partial_tag() {
  if (has_tag(key_.vlan[0])) return false;
  // Another bridge may have taken the tag away behind which a hidden one is.
  if (has_tag(outer_)) {
    out_.mask.bits.vlan[1].tci = out_.mask.bits.vlan[1].tci | flow::vlan_present;
    if (hides_tag_) return true;
  }
  return flow::is_vlan(key_.eth_type);
}

void BridgeWalk::learn(const Bridge& bridge, const Bundle& from, std::uint16_t vlan) {
  if (is_multicast(key_.eth_src) || bridge.config.flood_vlans[vlan]) return;
  const Learn what{bridge.id, {vlan, key_.eth_src}, from.id};
  if (trace_ != nullptr && learning_ && bridge.macs.would_learn(what.address, mac_port(from.id))) {
    explain(fmt::format("learned that {} is on port {} in VLAN {}", flow::format_eth(key_.eth_src), from.config.name, vlan));
  }
  if (std::find(out_.learns.begin(), out_.learns.end(), what) == out_.learns.end()) out_.learns.push_back(what);
}

BundleId BridgeWalk::look_up(const Bridge& bridge, std::uint16_t vlan) {
  if (bridge.config.flood_vlans[vlan]) return no_bundle;
  const LookUp what{bridge.id, {vlan, key_.eth_dst}};
  if (std::find(out_.look_ups.begin(), out_.look_ups.end(), what) == out_.look_ups.end())
    out_.look_ups.push_back(what);

  const proto::MacTable::Entry* entry = bridge.macs.find(what.address);
  if (learning_ && (entry == nullptr || !entry->is_static)) {
    // What this packet itself teaches counts already, the latest first.
    for (auto learned = out_.learns.rbegin(); learned != out_.learns.rend(); ++learned)
      if (learned->bridge == bridge.id && learned->address == what.address) return learned->bundle;
  }
  return entry == nullptr ? no_bundle : bundle_of(entry->port);
}

void BridgeWalk::add_exit(const Bridge& bridge, const Bundle& to, const Bundle* from, const VlanStack& stack,
                          std::vector<Exit>& exits) {
  if (!carries(to.config, stack)) return;
  if (to.config.is_protected && from->config.is_protected)
    return explain_drop("Flow is between protected ports, skipping output.");
  for (const OfPort member : to.config.members) {
    const Port* port = bridge.port(member);
    if (port == nullptr || !to.config.carries_on(member)) continue;
    exits.push_back({port, output_tags(to.config, stack, tags_of(key_)), 0});
    return;
  }
}

void BridgeWalk::leave(std::vector<Exit>& exits) {
  // Ports that want the frame as it is come first, then groups of those that want the same tags, so
  // that tags are changed as seldom as possible; last patch ports, behind which tags change at will.
  // Ports keep their order within a group.
  std::vector<Tags> groups{base_};
  for (Exit& exit : exits) {
    if (exit.port->is_patch()) {
      exit.group = std::numeric_limits<std::size_t>::max();
      continue;
    }
    const auto group = std::find(groups.begin(), groups.end(), exit.tags);
    exit.group = static_cast<std::size_t>(group - groups.begin());
    if (group == groups.end()) groups.push_back(exit.tags);
  }
  std::stable_sort(exits.begin(), exits.end(), [](const Exit& a, const Exit& b) { return a.group < b.group; });

  const Tags received = tags_of(key_);
  for (const Exit& exit : exits) {
    key_.vlan[0] = exit.tags[0];
    key_.vlan[1] = exit.tags[1];
    send(*exit.port);
  }
  key_.vlan[0] = received[0];
  key_.vlan[1] = received[1];
}

}  // namespace ovs::ofproto
