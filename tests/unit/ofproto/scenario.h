// Bridges from text, for tests of translation: one command a line.
//
//   bridge br0 fail_mode=secure forward_bpdu flood_vlans=5,6
//   port br0 p1 1 tag=10 trunks=1,2 vlan_mode=access cvlans=5 qinq=802.1q priority_tags=always protected
//   patch br0 pt0 2 peer=pt1 tag=...
//   mac br0 10 00:00:00:00:00:01 1
//   rule br0 100 ip,nw_dst=10.0.0.0/8 output:1,NORMAL
//
// A port's OpenFlow number is its datapath number too; LOCAL is 100 of the first bridge, 101 of the second, ...
#pragma once

#include <string>
#include <string_view>

#include "flow/flow_key.h"
#include "ofproto/topology.h"

namespace ovs::ofproto::test {

class Scenario {
 public:
  explicit Scenario(std::string_view text);

  Topology topology;

  // What translation says of "br0 in=1 vlan=8100:10/3 src=.. dst=.. type=0800": the actions.
  std::string actions(std::string_view packet, bool learning = true);
  std::string trace(std::string_view packet);

 private:
  void command(std::string_view line);
  std::uint32_t locals_ = 100;
  proto::TimePoint now_{};
};

struct TestPacket {
  std::string bridge;
  flow::FlowKey key;
};
TestPacket parse_packet(std::string_view text);
flow::EthAddr parse_mac(std::string_view text);

}  // namespace ovs::ofproto::test
