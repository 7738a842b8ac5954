#include "scenario.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/check.h"
#include "base/text.h"
#include "datapath/action.h"
#include "flow/match_text.h"
#include "ofproto/translate.h"

namespace ovs::ofproto::test {

namespace {

VlanSet vlan_set(std::string_view text) {
  VlanSet set;
  for (const std::string_view number : split(text, ',')) set.set(static_cast<std::size_t>(*parse_integer(number)));
  return set;
}

std::uint32_t hexadecimal(std::string_view text) {
  return static_cast<std::uint32_t>(std::strtoul(std::string(text).c_str(), nullptr, 16));
}

void configure(BundleConfig& config, std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
  if (name == "tag") {
    config.vlan = static_cast<std::uint16_t>(*parse_integer(value));
    if (config.vlan_mode == VlanMode::trunk) config.vlan_mode = VlanMode::access;
  } else if (name == "trunks") {
    config.trunks = vlan_set(value);
  } else if (name == "cvlans") {
    config.cvlans = vlan_set(value);
  } else if (name == "vlan_mode") {
    config.vlan_mode = value == "access"            ? VlanMode::access
                       : value == "trunk"           ? VlanMode::trunk
                       : value == "native-tagged"   ? VlanMode::native_tagged
                       : value == "native-untagged" ? VlanMode::native_untagged
                                                    : VlanMode::dot1q_tunnel;
  } else if (name == "qinq") {
    config.qinq_ethertype = be16::from_host(value == "802.1q" ? 0x8100 : 0x88a8);
  } else if (name == "priority_tags") {
    config.priority_tags = value == "always" ? PriorityTags::always : PriorityTags::if_nonzero;
  } else if (name == "protected") {
    config.is_protected = true;
  } else {
    OVS_CHECK(name == "peer", word);
  }
}

}  // namespace

flow::EthAddr parse_mac(std::string_view text) {
  flow::EthAddr mac{};
  const auto bytes = split(text, ':');
  OVS_CHECK(bytes.size() == 6, text);
  for (std::size_t i = 0; i < 6; i++) mac.bytes[i] = static_cast<std::uint8_t>(hexadecimal(bytes[i]));
  return mac;
}

TestPacket parse_packet(std::string_view text) {
  TestPacket packet;
  std::memset(&packet.key, 0, sizeof packet.key);
  std::size_t tags = 0;
  for (const std::string_view word : split_any(text, " ")) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      packet.bridge = word;
      continue;
    }
    const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name == "in") {
      packet.key.in_port = wire(*openflow::parse_port(value));
    } else if (name == "src") {
      packet.key.eth_src = parse_mac(value);
    } else if (name == "dst") {
      packet.key.eth_dst = parse_mac(value);
    } else if (name == "type") {
      packet.key.eth_type = be16::from_host(static_cast<std::uint16_t>(hexadecimal(value)));
    } else if (name == "vlan") {  // TPID:VID/PCP
      const auto parts = split_any(value, ":/");
      OVS_CHECK(parts.size() == 3 && tags < flow::max_vlan_tags, word);
      packet.key.vlan[tags].tpid = be16::from_host(static_cast<std::uint16_t>(hexadecimal(parts[0])));
      packet.key.vlan[tags].tci = be16::from_host(
          static_cast<std::uint16_t>(0x1000 | *parse_integer(parts[1]) | *parse_integer(parts[2]) << 13));
      tags++;
    } else {
      OVS_CHECK(false, word);
    }
  }
  return packet;
}

Scenario::Scenario(std::string_view text) {
  for (const std::string_view line : split(text, '\n')) command(line);
}

void Scenario::command(std::string_view line) {
  const auto words = split_any(line, " ");
  if (words.empty()) return;
  const std::string name(words[1]);
  if (words[0] == "bridge") {
    Bridge& bridge = topology.add_bridge(name);
    for (std::size_t i = 2; i < words.size(); i++) {
      if (words[i] == "fail_mode=secure") {
        bridge.config.fail_mode = FailMode::secure;
      } else if (words[i] == "forward_bpdu") {
        bridge.config.forward_bpdu = true;
      } else {
        OVS_CHECK(words[i].starts_with("flood_vlans="), words[i]);
        bridge.config.flood_vlans = vlan_set(words[i].substr(12));
      }
    }
    if (bridge.config.fail_mode == FailMode::standalone)
      bridge.table.add(0, flow::Match{}, {openflow::Output{openflow::port_normal}}, now_);
    topology.add_port(bridge, openflow::port_local, datapath::DpPort{locals_++}, name, nullptr);
    BundleConfig local;
    local.name = name;
    local.members = {openflow::port_local};
    local.trunks.set();
    topology.add_bundle(bridge, local);
    return;
  }
  Bridge* bridge = topology.bridge(words[1]);
  OVS_CHECK(bridge != nullptr, line);
  if (words[0] == "mac") {
    const Port* port = bridge->port(*openflow::parse_port(words[4]));
    OVS_CHECK(port != nullptr, line);
    bridge->macs.learn({static_cast<std::uint16_t>(*parse_integer(words[2])), parse_mac(words[3])},
                       mac_port(port->bundle), now_);
    return;
  }
  if (words[0] == "rule") {
    const auto match = flow::parse_match(words[3]);
    const auto actions = openflow::parse_actions(words[4]);
    OVS_CHECK(match && actions, line);
    bridge->table.add(static_cast<int>(*parse_integer(words[2])), match->match, *actions, now_);
    return;
  }
  const bool patch = words[0] == "patch";
  OVS_CHECK(patch || words[0] == "port", line);
  const auto number = static_cast<std::uint32_t>(*parse_integer(words[3]));
  Port& port = topology.add_port(*bridge, openflow::OfPort{number},
                                 patch ? datapath::no_port : datapath::DpPort{number}, std::string(words[2]), nullptr);
  BundleConfig config;
  config.name = words[2];
  config.members = {openflow::OfPort{number}};
  for (std::size_t i = 4; i < words.size(); i++) configure(config, words[i]);
  if (config.trunks.none()) config.trunks.set();
  if (config.cvlans.none()) config.cvlans.set();
  topology.add_bundle(*bridge, config);
  for (std::size_t i = 4; i < words.size(); i++)
    if (words[i].starts_with("peer=")) topology.set_patch_peer(port, std::string(words[i].substr(5)));
}

std::string Scenario::actions(std::string_view text, bool learning) {
  const TestPacket packet = parse_packet(text);
  const Bridge* bridge = topology.bridge(packet.bridge);
  OVS_CHECK(bridge != nullptr, text);
  Translation result;
  translate({topology, bridge->id, packet.key, learning}, result);
  return datapath::format_actions(result.actions);
}

std::string Scenario::trace(std::string_view text) {
  const TestPacket packet = parse_packet(text);
  const Bridge* bridge = topology.bridge(packet.bridge);
  OVS_CHECK(bridge != nullptr, text);
  Translation result;
  Trace trace;
  translate({topology, bridge->id, packet.key, true, &trace}, result);
  return trace.text() + "\nDatapath actions: " + datapath::format_actions(result.actions) + "\n";
}

}  // namespace ovs::ofproto::test
