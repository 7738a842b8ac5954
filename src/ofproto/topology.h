// Topology: the bridges that share a datapath, with their ports, bundles, rules and learned
// addresses: all that translation reads.
//
// Changes go through the functions here, which keep the indexes (by name, by datapath port, patch
// peers) right and cost the same whatever the number of ports; who changes something says what has
// to be translated again (megaflows.h).
//
// Bridges, ports and bundles are named by ids and numbers.  Bundles are kept in the order in which they were
// added, which is the order of flooding.
//
// Thread safety: one thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rcu.h"
#include "datapath/datapath.h"
#include "ofproto/config.h"
#include "ofproto/ids.h"
#include "ofproto/rule_table.h"
#include "ofproto/vlan_traffic.h"
#include "openflow/port.h"
#include "proto/mac_learning.h"

namespace ovs::ofproto {

constexpr proto::MacPort mac_port(BundleId bundle) { return proto::MacPort{static_cast<std::uint32_t>(bundle)}; }
constexpr BundleId bundle_of(proto::MacPort port) { return BundleId{static_cast<std::uint32_t>(port)}; }

struct Bridge;

struct Port {
  Bridge* bridge;
  openflow::OfPort number;
  datapath::DpPort datapath_port;  // no_port: it is a patch port
  std::string name;                // its device's
  netdev::Netdev* device;
  BundleId bundle = no_bundle;
  std::string peer_name{};  // of a patch port
  Port* peer = nullptr;   // if that one names this one too

  unsigned ifindex = 0;   // its device's; 0: none

  // What crossed a patch port.
  std::uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;

  bool is_patch() const { return datapath_port == datapath::no_port; }
};

struct Bundle {
  BundleId id;
  BundleConfig config;
};

struct Bridge {
  Bridge(BridgeId which, std::string called, std::uint64_t hash_secret, RcuDomain& domain)
      : id(which), name(std::move(called)), table(domain), macs(hash_secret) {}

  const BridgeId id;
  const std::string name;
  BridgeConfig config;
  std::map<openflow::OfPort, std::unique_ptr<Port>> ports;
  std::map<BundleId, Bundle> bundles;
  RuleTable table;  // table 0
  proto::MacTable macs;
  BundleId last_bundle = no_bundle;
  std::optional<datapath::SamplerId> sampler;  // of sFlow
  std::uint32_t sampling_period = 0;           // since it has this sampler: none is like another one
  std::map<std::uint16_t, VlanTraffic> vlan_traffic;  // likewise

  const Port* port(openflow::OfPort number) const;
  Port* port(openflow::OfPort number);
  const Bundle* bundle(BundleId id) const;
  // The bundles in a VLAN, in order: what a flood looks at.  Remembered until a bundle changes.
  const std::vector<const Bundle*>& bundles_in(std::uint16_t vlan) const;
  // The lowest number that no port has, or nothing if there is none left.
  std::optional<openflow::OfPort> free_number() const;

 private:
  friend class Topology;
  void take_number(openflow::OfPort number, bool taken);
  std::vector<std::uint64_t> taken_;   // one bit for each number
  std::size_t first_free_word_ = 0;
  mutable boost::unordered_flat_map<std::uint16_t, std::vector<const Bundle*>> by_vlan_;
};

class Topology {
 public:
  explicit Topology(std::uint64_t hash_secret = 0) : hash_secret_(hash_secret) {}

  // How many tags of a frame are looked at (Open_vSwitch.other_config:vlan-limit); what is behind is payload.
  unsigned vlan_limit = 1;

  Bridge& add_bridge(const std::string& name);
  void remove_bridge(BridgeId id);  // which has no ports left
  const Bridge* bridge(BridgeId id) const;
  Bridge* bridge(BridgeId id);
  const Bridge* bridge(std::string_view name) const;
  Bridge* bridge(std::string_view name);
  const std::map<std::string, std::unique_ptr<Bridge>, std::less<>>& bridges() const { return bridges_; }

  Port& add_port(Bridge& bridge, openflow::OfPort number, datapath::DpPort datapath_port,
                 std::string name, netdev::Netdev* device);
  void remove_port(Port& port);  // also from its bundle
  const Port* port(std::string_view name) const;
  Port* port(std::string_view name);
  const Port* port(datapath::DpPort number) const;
  // Returns the bridges whose cables changed: of the port, its old peer and its new one.
  std::vector<BridgeId> set_patch_peer(Port& port, std::string peer);

  // Of the members, those that are ports of the bridge join.
  Bundle& add_bundle(Bridge& bridge, BundleConfig config);
  void configure_bundle(Bridge& bridge, Bundle& bundle, BundleConfig config);
  void remove_bundle(Bridge& bridge, BundleId bundle);

 private:
  std::vector<BridgeId> unplug(Port& port);
  void join(Bridge& bridge, const Bundle& bundle);
  void leave(Bridge& bridge, const Bundle& bundle);

  RcuDomain domain_;  // of the bridges' tables
  std::uint64_t hash_secret_;
  std::uint32_t last_bridge_ = 0;
  std::map<std::string, std::unique_ptr<Bridge>, std::less<>> bridges_;
  std::map<BridgeId, Bridge*> by_id_;
  std::map<std::string, Port*, std::less<>> by_name_;
  boost::unordered_flat_map<std::uint32_t, Port*> by_datapath_port_;
};

}  // namespace ovs::ofproto
