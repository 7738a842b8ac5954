// The switch with a datapath that only records, and a clock that only the test moves.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "switch_fixture.h"

namespace ovs::ofproto::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string from_to(int port, const std::string& src, const std::string& dst) {
  return "in=" + std::to_string(port) + " type=88b5 src=" + src + " dst=" + dst;
}

// br0 is port 1; p1, p2, p3 are ports 2, 3, 4.
class ThreePorts : public SwitchTest {
 protected:
  ThreePorts() {
    bridge = add_bridge("br0");
    for (const char* name : {"p1", "p2", "p3"}) add_port(bridge, name);
  }
  BridgeId bridge;
};

TEST_F(ThreePorts, AMissIsTranslatedExecutedAndInstalled) {
  EXPECT_EQ(receive(from_to(2, mac_a, mac_b)), "1,3,4");
  EXPECT_EQ(flows(), std::vector<std::string>{"recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=00:00:00:00:00:0a,"
                                              "dst=00:00:00:00:00:0b),eth_type(0x88b5), actions:1,3,4"});
  EXPECT_EQ(receive(from_to(3, mac_b, mac_a)), "2");
  EXPECT_EQ(flows().size(), 2u);
}

TEST_F(ThreePorts, LearningAnAddressChangesWhatAskedForIt) {
  receive(from_to(2, mac_a, mac_b));
  receive(from_to(2, mac_a, mac_c));
  const auto untouched = flow_id(mac_a, mac_c);
  receive(from_to(3, mac_b, mac_a));
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,3,4");  // until it is its turn
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "3");
  EXPECT_EQ(flow_actions(mac_a, mac_c), "1,3,4");
  EXPECT_EQ(flow_id(mac_a, mac_c), untouched);
}

TEST_F(ThreePorts, AnAddressThatMovesTakesItsMegaflowsAlong) {
  receive(from_to(3, mac_b, mac_a));
  receive(from_to(2, mac_a, mac_b));
  EXPECT_EQ(flow_actions(mac_a, mac_b), "3");
  receive(from_to(4, mac_b, mac_a));
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "4");
}

// The packets that came by the old port before the move are counted after it.
TEST_F(ThreePorts, AnAddressThatMovedStaysWhereItWasSeenLast) {
  receive(from_to(2, mac_a, mac_b));
  engine.count(*flow_id(mac_a, mac_b), 5, 300);
  advance(milliseconds(100));
  receive(from_to(4, mac_a, mac_c));
  receive(from_to(3, mac_b, mac_a));
  EXPECT_EQ(flow_actions(mac_b, mac_a), "4");
  advance(seconds(5));
  EXPECT_EQ(flow_actions(mac_b, mac_a), "4");
  // And when it really comes back, it is believed.
  engine.count(*flow_id(mac_a, mac_b), 1, 60);
  advance(seconds(5));
  EXPECT_EQ(flow_actions(mac_b, mac_a), "2");
}

TEST_F(ThreePorts, AMegaflowThatIsHitKeepsItsSourceAlive) {
  receive(from_to(2, mac_a, mac_b));
  receive(from_to(3, mac_b, mac_a));
  for (int i = 0; i < 100; i++) {
    engine.count(*flow_id(mac_a, mac_b), 1, 60);
    advance(seconds(5));
  }
  EXPECT_NE(run("fdb/show", {"br0"}).find(mac_a), std::string::npos);
  EXPECT_EQ(run("fdb/show", {"br0"}).find(mac_b), std::string::npos);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,3,4");  // since b is forgotten
}

TEST_F(ThreePorts, MegaflowsEndWhenTheyAreIdle) {
  receive(from_to(2, mac_a, mac_b));
  receive(from_to(2, mac_a, mac_c));
  advance(seconds(6));
  engine.count(*flow_id(mac_a, mac_c), 1, 60);
  advance(seconds(5));
  EXPECT_EQ(flow_actions(mac_a, mac_b), "no megaflow");
  EXPECT_EQ(flow_actions(mac_a, mac_c), "1,3,4");
  subject.set_flow_idle_time(milliseconds(1000));
  advance(seconds(2));
  EXPECT_TRUE(flows().empty());
}

TEST_F(ThreePorts, AFullTableEndsIdleMegaflowsSooner) {
  engine.set_flow_limit(20);
  for (int i = 10; i < 40; i++)
    EXPECT_EQ(receive(from_to(2, mac_a, "00:00:00:00:01:" + std::to_string(i))), "1,3,4");
  EXPECT_EQ(flows().size(), 20u);
  advance(milliseconds(1500));
  EXPECT_LE(flows().size(), 15u);
}

TEST_F(ThreePorts, MacAddressesExpire) {
  receive(from_to(3, mac_b, mac_a));
  advance(seconds(299));
  EXPECT_NE(run("fdb/show", {"br0"}).find(mac_b), std::string::npos);
  receive(from_to(2, mac_a, mac_b));
  EXPECT_EQ(flow_actions(mac_a, mac_b), "3");
  advance(seconds(2));
  EXPECT_EQ(run("fdb/show", {"br0"}).find(mac_b), std::string::npos);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,3,4");
}

TEST_F(ThreePorts, PortsThatComeAndGoChangeMegaflows) {
  receive(from_to(2, mac_a, mac_b));
  add_port(bridge, "p4");
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,3,4,5");
  remove_port(bridge, "p2");
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,4,5");
  remove_port(bridge, "p1");
  subject.revalidate(now);
  EXPECT_TRUE(flows().empty());
}

TEST_F(ThreePorts, NobodyGetsTheNumberOfAPortToWhichMegaflowsStillSend) {
  receive(from_to(2, mac_a, mac_b));
  remove_port(bridge, "p2");
  add_port(bridge, "p4", 20);
  EXPECT_NE(engine.device(datapath::DpPort{5}), nullptr);
  EXPECT_EQ(engine.device(datapath::DpPort{3}), nullptr);
  subject.revalidate(now);
  add_port(bridge, "p5", 20);
  EXPECT_NE(engine.device(datapath::DpPort{3}), nullptr);
}

TEST_F(ThreePorts, AnotherVlanIsAnotherBroadcastDomain) {
  receive(from_to(2, mac_a, mac_b));
  receive(from_to(3, mac_b, mac_a));
  BundleConfig config;
  config.name = "p2";
  config.members = {ports.at("p2")};
  config.vlan_mode = VlanMode::access;
  config.vlan = 20;
  subject.configure_bundle(bridge, bundles.at("p2"), config);
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,4");  // b was behind p2, which is elsewhere now
  EXPECT_EQ(flow_actions(mac_b, mac_a), "push_vlan(vid=20,pcp=0),1,2,4");
}

// What megaflows count after the change was counted before it: in another VLAN, or where there is no learning now.
TEST_F(ThreePorts, NothingIsLearnedByARuleThatIsOver) {
  receive(from_to(2, mac_a, mac_b));
  engine.count(*flow_id(mac_a, mac_b), 5, 300);
  BundleConfig config;
  config.name = "p1";
  config.members = {ports.at("p1")};
  config.vlan_mode = VlanMode::access;
  config.vlan = 20;
  subject.configure_bundle(bridge, bundles.at("p1"), config);
  EXPECT_EQ(run("fdb/show", {"br0"}).find(mac_a), std::string::npos);

  receive(from_to(3, mac_b, mac_c));
  engine.count(*flow_id(mac_b, mac_c), 5, 300);
  BridgeConfig flooding;
  flooding.flood_vlans.set();
  subject.configure_bridge(bridge, flooding);
  EXPECT_EQ(run("fdb/show", {"br0"}).find(mac_b), std::string::npos);
}

TEST_F(ThreePorts, ProtectionNeedsNoNewLearning) {
  receive(from_to(2, mac_a, mac_b));
  receive(from_to(3, mac_b, mac_a));
  for (const char* name : {"p1", "p2"}) {
    BundleConfig config;
    config.name = name;
    config.members = {ports.at(name)};
    config.trunks.set();
    config.cvlans.set();
    config.is_protected = true;
    subject.configure_bundle(bridge, bundles.at(name), config);
  }
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "drop");
  EXPECT_NE(run("fdb/show", {"br0"}).find(mac_b), std::string::npos);
}

TEST_F(ThreePorts, BridgeSettingsChangeMegaflows) {
  const std::string group = "01:80:c2:00:00:00";
  EXPECT_EQ(receive(from_to(2, mac_a, group)), "drop");
  EXPECT_EQ(flow_actions(mac_a, group), "drop");
  BridgeConfig config;
  config.forward_bpdu = true;
  subject.configure_bridge(bridge, config);
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, group), "1,3,4");
  config.fail_mode = FailMode::secure;
  subject.configure_bridge(bridge, config);
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, group), "drop");
}

TEST_F(ThreePorts, StaticAddressesOfTheConfiguration) {
  subject.set_static_macs(bridge, {{0, parse_mac(mac_b), ports.at("p3")}});
  EXPECT_EQ(receive(from_to(2, mac_a, mac_b)), "4");
  subject.set_static_macs(bridge, {{0, parse_mac(mac_b), ports.at("p2")}});
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "3");
  subject.set_static_macs(bridge, {});
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,3,4");
}

TEST_F(ThreePorts, ADeviceIsInOneBridge) {
  const BridgeId other = add_bridge("br1");
  FakeDevice again("p1");
  const auto added = subject.add_port(other, again, std::nullopt);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, EEXIST);
  EXPECT_NE(added.error().message.find("br0"), std::string::npos);
}

TEST_F(ThreePorts, PortNumbersAreThoseWantedIfTheyAreFree) {
  FakeDevice a("a"), b("b"), c("c");
  EXPECT_EQ(*subject.add_port(bridge, a, openflow::OfPort{77}), openflow::OfPort{77});
  EXPECT_EQ(*subject.add_port(bridge, b, openflow::OfPort{77}), openflow::OfPort{4});
  EXPECT_EQ(*subject.add_port(bridge, c, openflow::port_none), openflow::OfPort{5});
  EXPECT_EQ(ports.at("br0"), openflow::port_local);
  for (const std::uint32_t number : {77u, 4u, 5u}) subject.remove_port(bridge, openflow::OfPort{number});
}

TEST(DummySwitch, NumbersPortsByTheirNames) {
  datapath::FakeDatapath engine("dummy", "ovs-dummy");
  Switch subject(engine);
  const BridgeId bridge = subject.add_bridge("br7", {});
  FakeDevice local("br7"), p5("p5"), another5("eth5x6"), none("tap"), zero("p0"), large("p123456");
  for (FakeDevice* device : {&local, &p5, &another5, &none, &zero, &large})
    ASSERT_TRUE(subject.add_port(bridge, *device, std::nullopt));
  std::string numbers;
  for (const datapath::Port& port : engine.ports()) numbers += fmt::format("{}={} ", port.name, raw(port.number));
  EXPECT_EQ(numbers, "eth5x6=1 tap=2 p0=3 p123456=4 p5=5 br7=107 ") << numbers;
}

TEST_F(ThreePorts, PatchPortsCountWhatCrossesThem) {
  const BridgeId other = add_bridge("br1");  // datapath port 5
  add_port(other, "q1");                     // 6
  const auto here = add_port(bridge, "pt0", 0, "patch"), there = add_port(other, "pt1", 0, "patch");
  subject.set_patch_peer(bridge, here, "pt1");
  subject.set_patch_peer(other, there, "pt0");
  EXPECT_EQ(receive(from_to(2, mac_a, mac_b)), "1,3,4,5,6");
  engine.count(*flow_id(mac_a, mac_b), 9, 900);
  subject.revalidate_all(now);
  const auto sent = subject.patch_statistics(bridge, here), received = subject.patch_statistics(other, there);
  EXPECT_EQ(sent.tx_packets, 10u);
  EXPECT_EQ(sent.tx_bytes, 960u);
  EXPECT_EQ(sent.rx_packets, 0u);
  EXPECT_EQ(received.rx_packets, 10u);
  EXPECT_EQ(received.rx_bytes, 960u);
  // A change in the other bridge, and the end of the cable, change this megaflow.
  add_port(other, "q2");
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,3,4,5,6,7");
  subject.set_patch_peer(other, there, "");
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,3,4");
}

TEST_F(ThreePorts, ABridgeGoesWithItsPorts) {
  const BridgeId other = add_bridge("br1");
  add_port(other, "q1");
  receive(from_to(6, mac_a, mac_b));
  EXPECT_EQ(flows().size(), 1u);
  subject.remove_bridge(other);
  subject.revalidate(now);
  EXPECT_TRUE(flows().empty());
  EXPECT_EQ(engine.ports().size(), 4u);
}

TEST_F(ThreePorts, PacketsOfPortsThatAreGoneAreDropped) {
  datapath::Upcall upcall{};
  upcall.kind = datapath::Upcall::Kind::miss;
  upcall.key = parse_packet(from_to(50, mac_a, mac_b)).key;
  upcall.packet = flow::Packet::copy_of(std::vector<std::uint8_t>(60));
  engine.push_upcall(std::move(upcall));
  EXPECT_FALSE(subject.handle_upcalls(now));
  EXPECT_TRUE(engine.executed.empty());
  EXPECT_TRUE(flows().empty());
}

TEST_F(ThreePorts, AMegaflowThatTheEngineLostIsForgotten) {
  receive(from_to(2, mac_a, mac_b));
  engine.flush_flows();
  advance(seconds(1));
  EXPECT_EQ(receive(from_to(2, mac_a, mac_b)), "1,3,4");
  EXPECT_EQ(flows().size(), 1u);
}

TEST_F(ThreePorts, WorkIsDoneInSlices) {
  for (int i = 0; i < 2500; i++) {
    const std::string mac = fmt::format("00:00:00:01:{:02x}:{:02x}", i / 256, i % 256);
    receive(from_to(2, mac, mac_b));
  }
  advance(milliseconds(0));
  add_port(bridge, "p4");
  // Not all at once, but without a pause until it is done.
  EXPECT_EQ(subject.revalidate(now), now);
  std::size_t slices = 1;
  while (subject.revalidate(now) == now) slices++;
  EXPECT_GT(slices, 3u);
  for (const std::string& flow : flows()) EXPECT_TRUE(flow.ends_with("actions:1,3,4,5")) << flow;
}

TEST_F(ThreePorts, AnIdleSwitchHasNothingToDo) {
  EXPECT_GT(subject.revalidate(now), now + seconds(3600));
  receive(from_to(2, mac_a, mac_b));
  EXPECT_LE(subject.revalidate(now), now + milliseconds(500));
}

// p2 and p3 are a bond.
TEST_F(ThreePorts, OneMemberOfABondCarries) {
  subject.remove_bundle(bridge, bundles.at("p3"));
  BundleConfig bond;
  bond.name = "bond0";
  bond.members = {ports.at("p2"), ports.at("p3")};
  bond.active = ports.at("p2");
  bond.trunks.set();
  subject.configure_bundle(bridge, bundles.at("p2"), bond);
  subject.revalidate(now);
  EXPECT_EQ(receive(from_to(2, mac_a, mac_b)), "1,3");
  EXPECT_EQ(receive(from_to(3, mac_b, mac_a)), "2");
  // What comes back by the other one goes nowhere, and teaches nothing.
  EXPECT_EQ(receive(from_to(4, mac_a, mac_c)), "drop");
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "3");
  EXPECT_EQ(flow_actions(mac_b, mac_a), "2");

  bond.active = ports.at("p3");
  subject.configure_bundle(bridge, bundles.at("p2"), bond);
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "4");  // who is behind the bond is known
  EXPECT_EQ(flow_actions(mac_b, mac_a), "drop");
  EXPECT_EQ(receive(from_to(4, mac_b, mac_a)), "2");

  bond.active.reset();
  subject.configure_bundle(bridge, bundles.at("p2"), bond);
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "drop");
  EXPECT_EQ(receive(from_to(2, mac_a, mac_c)), "1");
}

}  // namespace
}  // namespace ovs::ofproto::test
