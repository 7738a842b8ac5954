#include "switch_fixture.h"

#include <algorithm>

#include "base/check.h"
#include "datapath/flow_text.h"
#include "flow/compose.h"

namespace ovs::ofproto::test {

SwitchTest::SwitchTest() {
  subject.add_commands(commands, [this] { return now; });
}

BridgeId SwitchTest::add_bridge(const std::string& name, const BridgeConfig& config) {
  const BridgeId id = subject.add_bridge(name, config);
  add_port(id, name, 0, "internal");
  return id;
}

openflow::OfPort SwitchTest::add_port(BridgeId bridge, const std::string& name, std::uint16_t access_vlan,
                                      const std::string& type, unsigned ifindex) {
  auto& device = devices[name] = std::make_unique<FakeDevice>(name, type);
  device->ifindex = ifindex;
  const auto number = subject.add_port(bridge, *device, std::nullopt);
  OVS_CHECK(number.has_value(), name);
  BundleConfig config;
  config.name = name;
  config.members = {*number};
  config.trunks.set();
  config.cvlans.set();
  if (access_vlan != 0) {
    config.vlan_mode = VlanMode::access;
    config.vlan = access_vlan;
  }
  bundles[name] = subject.add_bundle(bridge, config);
  ports[name] = *number;
  return *number;
}

void SwitchTest::remove_port(BridgeId bridge, const std::string& name) {
  subject.remove_bundle(bridge, bundles.at(name));
  subject.remove_port(bridge, ports.at(name));
  devices.erase(name);
}

std::string SwitchTest::receive(std::string_view text) {
  const TestPacket packet = parse_packet(text);
  flow::Packet frame = flow::compose(packet.key, 46);
  const std::size_t before = engine.executed.size();
  engine.inject(datapath::DpPort{packet.key.in_port.host()}, std::move(frame));
  while (subject.handle_upcalls(now)) {
  }
  return engine.executed.size() == before ? "drop" : datapath::format_actions(engine.executed.back().actions);
}

std::vector<std::string> SwitchTest::flows() const {
  std::vector<std::string> lines;
  engine.dump_flows([&](const datapath::Datapath::FlowView& flow) {
    lines.push_back(datapath::format_match(flow.match) + ", actions:" + datapath::format_actions(flow.actions));
    return true;
  });
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::optional<datapath::FlowId> SwitchTest::flow_id(std::string_view src, std::string_view dst) const {
  std::optional<datapath::FlowId> found;
  engine.dump_flows([&](const datapath::Datapath::FlowView& flow) {
    if (flow.match.key.eth_src == parse_mac(src) && flow.match.key.eth_dst == parse_mac(dst)) found = flow.id;
    return !found;
  });
  return found;
}

std::string SwitchTest::flow_actions(std::string_view src, std::string_view dst) const {
  const auto wanted = flow_id(src, dst);
  std::string actions = "no megaflow";
  engine.dump_flows([&](const datapath::Datapath::FlowView& flow) {
    if (flow.id == wanted) actions = datapath::format_actions(flow.actions);
    return true;
  });
  return actions;
}

std::string SwitchTest::run(const std::string& command, std::vector<std::string> arguments) {
  std::string answer = "no answer";
  commands.run(command, arguments, ControlReply([&](bool ok, std::string text) {
                 answer = (ok ? "" : "error: ") + std::move(text);
               }));
  return answer;
}

void SwitchTest::advance(std::chrono::milliseconds by) {
  const TimePoint end = now + by;
  for (;;) {
    const TimePoint due = subject.revalidate(now);
    if (due > end) break;
    now = std::max(now, due);
  }
  now = end;
  engine.set_now(now);
}

}  // namespace ovs::ofproto::test
