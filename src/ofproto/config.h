// The configuration of bridges as plain structs: what vswitchd makes from the database, and what
// translation reads.
//
// Thread safety: values.
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_order.h"
#include "flow/flow_key.h"
#include "openflow/port.h"

namespace ovs::ofproto {

using VlanSet = std::bitset<4096>;

enum class VlanMode : std::uint8_t { access, trunk, native_tagged, native_untagged, dot1q_tunnel };
enum class PriorityTags : std::uint8_t { no, if_nonzero, always };

// A Port of the database: one interface, or the members of a bond, with VLANs
// (ovs-vswitchd.conf.db(5), Port).
struct BundleConfig {
  std::string name;
  std::vector<openflow::OfPort> members;
  // Of several members the one that carries traffic; empty: none does.  The others send nothing, and what they receive
  // is dropped, so that a frame that left by one and comes back by another goes no further.
  std::optional<openflow::OfPort> active;
  VlanMode vlan_mode = VlanMode::trunk;
  std::uint16_t vlan = 0;  // of access, native_* and dot1q_tunnel
  VlanSet trunks;          // carried; all bits set: every VLAN
  VlanSet cvlans;          // of dot1q_tunnel: customer VLANs that are let in; all bits set: every one
  be16 qinq_ethertype = be16::from_host(0x88a8);
  PriorityTags priority_tags = PriorityTags::no;
  bool is_protected = false;

  bool carries_on(openflow::OfPort member) const { return members.size() < 2 || active == member; }

  friend bool operator==(const BundleConfig&, const BundleConfig&) = default;
};

enum class FailMode : std::uint8_t { standalone, secure };

struct StaticMac {
  std::uint16_t vlan;
  flow::EthAddr mac;
  openflow::OfPort port;
  friend bool operator==(const StaticMac&, const StaticMac&) = default;
};

// Which of the packets that enter a bridge are sampled for sFlow.
struct SflowSampling {
  std::uint32_t one_in = 0;        // packets; 0: none is sampled
  std::uint32_t header_bytes = 0;  // of a frame that are wanted

  friend bool operator==(const SflowSampling&, const SflowSampling&) = default;
};

// A Bridge of the database, but for its ports.
struct BridgeConfig {
  FailMode fail_mode = FailMode::standalone;
  bool has_controller = false;
  std::uint64_t datapath_id = 0;
  flow::EthAddr mac{};  // of the local port
  bool forward_bpdu = false;
  VlanSet flood_vlans;  // no learning there
  std::chrono::seconds mac_aging_time{300};
  std::size_t mac_table_size = 8192;
  std::optional<SflowSampling> sflow;

  friend bool operator==(const BridgeConfig&, const BridgeConfig&) = default;
};

}  // namespace ovs::ofproto
