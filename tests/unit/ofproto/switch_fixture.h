// A Switch over a FakeDatapath, with a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/command.h"
#include "datapath/fake_datapath.h"
#include "fake_device.h"
#include "ofproto/switch.h"
#include "scenario.h"

namespace ovs::ofproto::test {

class SwitchTest : public testing::Test {
 protected:
  SwitchTest();

  // Bridges with the local port; ports with a bundle of their own.
  BridgeId add_bridge(const std::string& name, const BridgeConfig& config = {});
  openflow::OfPort add_port(BridgeId bridge, const std::string& name, std::uint16_t access_vlan = 0,
                            const std::string& type = "dummy", unsigned ifindex = 0);
  void remove_port(BridgeId bridge, const std::string& name);

  // A packet as in Scenario, without the bridge, "in" being the datapath's port; what it met is returned: the actions.
  std::string receive(std::string_view packet);
  // Megaflows as "in_port(1),eth(...),..., actions:..." lines, sorted.
  std::vector<std::string> flows() const;
  // Of the megaflow of this source and destination.
  std::string flow_actions(std::string_view src, std::string_view dst) const;
  std::optional<datapath::FlowId> flow_id(std::string_view src, std::string_view dst) const;

  std::string run(const std::string& command, std::vector<std::string> arguments = {});
  void advance(std::chrono::milliseconds by);  // with revalidation when it is due

  datapath::FakeDatapath engine{"netdev", "ovs-netdev"};
  Switch subject{engine};
  ControlTable commands;
  TimePoint now{std::chrono::seconds(1000)};
  std::map<std::string, std::unique_ptr<FakeDevice>> devices;
  std::map<std::string, openflow::OfPort> ports;
  std::map<std::string, BundleId> bundles;
};

inline constexpr const char* mac_a = "00:00:00:00:00:0a";
inline constexpr const char* mac_b = "00:00:00:00:00:0b";
inline constexpr const char* mac_c = "00:00:00:00:00:0c";

}  // namespace ovs::ofproto::test
