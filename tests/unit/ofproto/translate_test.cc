// Translation: bridges and packets as text, datapath actions as text.  What the actions are follows
// ovs-vswitchd.conf.db(5), and was compared with the packaged ovs-vswitchd's.
#include "ofproto/translate.h"

#include <gtest/gtest.h>

#include "scenario.h"

namespace ovs::ofproto::test {
namespace {

const std::string macs = " src=00:00:00:00:00:01 dst=00:00:00:00:00:02";

struct Case {
  const char* packet;  // without addresses
  const char* actions;
};

void expect(Scenario& scenario, std::initializer_list<Case> cases) {
  for (const Case& each : cases) EXPECT_EQ(scenario.actions(each.packet + macs), each.actions) << each.packet;
}

TEST(Translate, FloodsWithinTheVlan) {
  Scenario scenario(
      "bridge br0\n"
      "port br0 eth0 1\n"
      "port br0 tap0 2 tag=1\n"
      "port br0 tap1 3 tag=2\n"
      "port br0 tap2 4 tag=1\n");
  expect(scenario, {{"br0 in=2", "4,push_vlan(vid=1,pcp=0),100,1"},
                    {"br0 in=3", "push_vlan(vid=2,pcp=0),100,1"},
                    {"br0 in=1 vlan=8100:1/0", "100,pop_vlan,2,4"},
                    {"br0 in=1 vlan=8100:2/5", "100,pop_vlan,3"},
                    {"br0 in=1 vlan=8100:3/0", "100"},
                    {"br0 in=1", "100"},
                    {"br0 in=2 vlan=8100:1/0", "drop"},
                    {"br0 in=2 vlan=8100:2/0", "drop"},
                    {"br0 in=LOCAL vlan=8100:1/0", "1,pop_vlan,2,4"}});
}

// One port of every mode; the ports are those that the packaged switch was asked about.
const char* const every_mode =
    "bridge br0\n"
    "port br0 p1 1\n"
    "port br0 p2 2 tag=10\n"
    "port br0 p3 3 trunks=10,20\n"
    "port br0 p4 4 tag=10 vlan_mode=native-tagged\n"
    "port br0 p5 5 tag=10 vlan_mode=native-untagged trunks=20\n"
    "port br0 p6 6 tag=10 vlan_mode=dot1q-tunnel cvlans=5,6\n"
    "port br0 p7 7 tag=10 vlan_mode=dot1q-tunnel qinq=802.1q\n"
    "port br0 p8 8 tag=10 priority_tags=if-nonzero\n"
    "port br0 p9 9 tag=10 priority_tags=always\n"
    "port br0 p10 10 tag=10 protected\n"
    "port br0 p11 11 tag=10 protected\n"
    "port br0 p12 12 priority_tags=always\n"
    "port br0 p13 13 priority_tags=if-nonzero\n"
    "port br0 p14 14 trunks=0\n"
    "port br0 p15 15 tag=10 vlan_mode=native-untagged priority_tags=always\n";

TEST(Translate, Trunk) {
  Scenario scenario(every_mode);
  expect(scenario,
         {{"br0 in=1", "100,12,13,14"},
          {"br0 in=1 vlan=8100:0/3", "100,12,13,14"},
          {"br0 in=1 vlan=8100:0/0", "12,pop_vlan,100,13,14"},
          {"br0 in=1 vlan=8100:10/3",
           "100,3,4,12,13,pop_vlan,2,5,7,10,11,push_vlan(vid=0,pcp=3),8,9,15"},
          {"br0 in=1 vlan=8100:10/0", "100,3,4,12,13,pop_vlan,2,5,7,8,9,10,11,15"},
          {"br0 in=1 vlan=8100:5/3", "100,4,12,13,15"},
          {"br0 in=3", "drop"},
          {"br0 in=3 vlan=8100:5/0", "drop"},
          {"br0 in=3 vlan=8100:20/0", "100,1,4,5,12,13,15"},
          {"br0 in=14", "100,1,12,13"},
          {"br0 in=14 vlan=8100:10/0", "drop"}});
}

TEST(Translate, Access) {
  Scenario scenario(every_mode);
  expect(scenario,
         {{"br0 in=2", "5,7,8,9,10,11,15,push_vlan(vid=10,pcp=0),100,1,3,4,12,13"},
          {"br0 in=2 vlan=8100:0/3",
           "8,9,15,pop_vlan,push_vlan(vid=10,pcp=3),100,1,3,4,12,13,pop_vlan,5,7,10,11"},
          {"br0 in=2 vlan=88a8:0/1",
           "pop_vlan,push_vlan(tpid=0x88a8,vid=10,pcp=1),100,1,3,4,12,13,pop_vlan,5,7,10,11,"
           "push_vlan(vid=0,pcp=1),8,9,15"},
          {"br0 in=2 vlan=8100:10/0", "drop"},
          {"br0 in=8 vlan=8100:5/0", "drop"}});
}

TEST(Translate, Native) {
  Scenario scenario(every_mode);
  expect(scenario,
         {{"br0 in=4", "2,5,7,8,9,10,11,15,push_vlan(vid=10,pcp=0),100,1,3,12,13"},
          {"br0 in=4 vlan=8100:10/0", "100,1,3,12,13,pop_vlan,2,5,7,8,9,10,11,15"},
          {"br0 in=4 vlan=8100:5/0", "100,1,12,13,15"},
          {"br0 in=5", "2,7,8,9,10,11,15,push_vlan(vid=10,pcp=0),100,1,3,4,12,13"},
          {"br0 in=5 vlan=8100:10/0", "100,1,3,4,12,13,pop_vlan,2,7,8,9,10,11,15"},
          {"br0 in=5 vlan=8100:20/0", "100,1,3,4,12,13,15"},
          {"br0 in=5 vlan=8100:5/0", "drop"}});
}

TEST(Translate, Tunnel) {
  Scenario scenario(every_mode);
  expect(scenario,
         {{"br0 in=6", "drop"},
          {"br0 in=6 vlan=8100:10/3", "drop"},
          {"br0 in=6 vlan=8100:5/3",
           "5,7,15,push_vlan(tpid=0x88a8,vid=10,pcp=0),100,1,3,4,pop_vlan,push_vlan(tpid=0x88a8,vid=10,pcp=3),12,13"},
          {"br0 in=7", "2,5,8,9,10,11,15,push_vlan(vid=10,pcp=0),100,1,3,4,12,13"},
          {"br0 in=7 vlan=8100:5/3",
           "5,6,15,push_vlan(vid=10,pcp=0),100,1,3,4,pop_vlan,push_vlan(vid=10,pcp=3),12,13"}});
}

TEST(Translate, LooksAtAsManyTagsAsItShould) {
  Scenario scenario(every_mode);
  expect(scenario, {{"br0 in=1 vlan=88a8:10/3 vlan=8100:5/2",
                     "100,3,4,12,13,pop_vlan,2,5,7,10,11,push_vlan(vid=0,pcp=3),8,9,15"},
                    {"br0 in=7 vlan=88a8:10/3 vlan=8100:5/2",
                     "5,15,push_vlan(vid=10,pcp=0),100,1,3,4,pop_vlan,push_vlan(vid=10,pcp=3),12,13"}});
  scenario.topology.vlan_limit = 2;
  expect(scenario,
         {{"br0 in=1 vlan=88a8:10/3 vlan=8100:5/2",
           "100,3,4,12,13,pop_vlan,5,6,7,pop_vlan,push_vlan(vid=5,pcp=3),15"},
          {"br0 in=1 vlan=88a8:10/3 vlan=8100:7/2",
           "100,3,4,12,13,pop_vlan,5,7,pop_vlan,push_vlan(vid=7,pcp=3),15"},
          {"br0 in=1 vlan=88a8:0/0 vlan=8100:10/1", "12,pop_vlan,pop_vlan,100,13,14"},
          {"br0 in=2 vlan=88a8:0/1 vlan=8100:5/0",
           "pop_vlan,pop_vlan,push_vlan(tpid=0x88a8,vid=10,pcp=1),100,1,3,4,12,13,pop_vlan,5,7,10,11,"
           "push_vlan(vid=0,pcp=1),8,9,15"},
          {"br0 in=15 vlan=88a8:0/1 vlan=8100:5/0",
           "pop_vlan,push_vlan(tpid=0x88a8,vid=10,pcp=1),100,1,3,4,12,13,pop_vlan,5,6,7"}});
}

TEST(Translate, ProtectedPortsDoNotTalkToEachOther) {
  Scenario scenario(every_mode);
  expect(scenario, {{"br0 in=10", "2,5,7,8,9,15,push_vlan(vid=10,pcp=0),100,1,3,4,12,13"}});
  Scenario known(
      "bridge br0\n"
      "port br0 p1 1 protected\n"
      "port br0 p2 2 protected\n"
      "port br0 p3 3\n"
      "mac br0 0 00:00:00:00:00:02 2\n");
  expect(known, {{"br0 in=1", "drop"}, {"br0 in=3", "2"}});
}

TEST(Translate, SendsToTheLearnedPort) {
  Scenario scenario(
      "bridge br0\n"
      "port br0 p1 1\n"
      "port br0 p2 2 tag=10\n"
      "port br0 p3 3 tag=20\n"
      "port br0 p4 4\n"
      "mac br0 10 00:00:00:00:00:02 2\n"
      "mac br0 20 00:00:00:00:00:02 1\n");
  expect(scenario, {{"br0 in=1 vlan=8100:10/0", "pop_vlan,2"},
                    {"br0 in=4 vlan=8100:20/0", "1"},
                    {"br0 in=3", "push_vlan(vid=20,pcp=0),1"},
                    {"br0 in=1 vlan=8100:20/0", "drop"},     // where it came from
                    {"br0 in=1 vlan=8100:30/0", "100,4"}});  // unknown there
}

TEST(Translate, WhatAPacketTeachesCountsForItself) {
  Scenario scenario("bridge br0\nport br0 p1 1\nport br0 p2 2\n");
  const std::string to_itself = "br0 in=1 src=00:00:00:00:00:01 dst=00:00:00:00:00:01";
  EXPECT_EQ(scenario.actions(to_itself), "drop");
  EXPECT_EQ(scenario.actions(to_itself, false), "100,2");
}

TEST(Translate, ReservedAddresses) {
  Scenario scenario("bridge br0\nport br0 p1 1\nport br0 p2 2\n");
  Scenario forwarding("bridge br0 forward_bpdu\nport br0 p1 1\nport br0 p2 2\n");
  for (const char* mac : {"01:80:c2:00:00:00", "01:80:c2:00:00:0f", "00:e0:2b:00:00:00", "00:e0:2b:00:00:04",
                          "00:e0:2b:00:00:06", "01:00:0c:00:00:00", "01:00:0c:cc:cc:c0", "01:00:0c:cc:cc:c7",
                          "01:00:0c:cc:cc:cc", "01:00:0c:cc:cc:cd", "01:00:0c:cd:cd:cd"}) {
    const std::string packet = std::string("br0 in=1 src=00:00:00:00:00:01 dst=") + mac;
    EXPECT_EQ(scenario.actions(packet), "drop") << mac;
    EXPECT_EQ(forwarding.actions(packet), "100,2") << mac;
  }
  for (const char* mac : {"01:80:c2:00:00:10", "01:80:c2:00:01:00", "00:e0:2b:00:00:05", "01:00:0c:00:00:01",
                          "01:00:0c:cc:cc:c8", "01:00:0c:cc:cc:cb", "01:00:0c:cc:cc:ce", "01:00:0c:cd:cd:cc"}) {
    EXPECT_EQ(scenario.actions(std::string("br0 in=1 src=00:00:00:00:00:01 dst=") + mac), "100,2") << mac;
  }
}

TEST(Translate, EffectsAndDependencies) {
  Scenario scenario(
      "bridge br0 flood_vlans=7\n"
      "port br0 p1 1 tag=10\n"
      "port br0 p2 2\n"
      "mac br0 7 00:00:00:00:00:02 2\n");
  const Bridge& bridge = *scenario.topology.bridge("br0");
  const auto translated = [&](const std::string& text) {
    Translation result;
    const TestPacket packet = parse_packet(text);
    translate({scenario.topology, bridge.id, packet.key}, result);
    return result;
  };
  Translation result = translated("br0 in=1" + macs);
  const proto::MacAddress source{10, parse_mac("00:00:00:00:00:01")}, target{10, parse_mac("00:00:00:00:00:02")};
  EXPECT_EQ(result.learns, (std::vector{Learn{bridge.id, source, bridge.port(openflow::OfPort{1})->bundle}}));
  EXPECT_EQ(result.look_ups, (std::vector{LookUp{bridge.id, target}}));
  EXPECT_EQ(result.bridges, std::vector{bridge.id});
  EXPECT_EQ(result.rules, (std::vector{RuleHit{bridge.id, bridge.table.rules()[0]->id}}));
  EXPECT_TRUE(result.crossings.empty());

  // Neither group addresses nor dropped packets teach anything, and VLANs that are flooded do not ask.
  EXPECT_TRUE(translated("br0 in=1 src=01:00:00:00:00:01 dst=00:00:00:00:00:02").learns.empty());
  EXPECT_TRUE(translated("br0 in=1 vlan=8100:10/0" + macs).learns.empty());
  EXPECT_TRUE(translated("br0 in=1 src=00:00:00:00:00:01 dst=01:80:c2:00:00:00").learns.empty());
  result = translated("br0 in=2 vlan=8100:7/0" + macs);
  EXPECT_TRUE(result.learns.empty());
  EXPECT_TRUE(result.look_ups.empty());
  EXPECT_EQ(datapath::format_actions(result.actions), "100");
}

const char* const two_bridges =
    "bridge br0\n"
    "bridge br1\n"
    "port br0 p1 1\n"
    "patch br0 pt0 2 peer=pt1\n"
    "patch br1 pt1 3 peer=pt0\n"
    "port br1 q2 4 tag=7\n"
    "port br0 p3 5\n"
    "port br0 p4 6 tag=7\n";

TEST(Translate, PatchPorts) {
  Scenario scenario(two_bridges);
  expect(scenario, {{"br0 in=1 vlan=8100:7/0", "100,5,pop_vlan,6,4,push_vlan(vid=7,pcp=0),101"},
                    {"br0 in=6", "push_vlan(vid=7,pcp=0),100,1,5,101,pop_vlan,4"},
                    {"br1 in=4", "push_vlan(vid=7,pcp=0),101,100,1,5,pop_vlan,6"}});

  Translation result;
  const TestPacket packet = parse_packet("br0 in=6" + macs);
  const BridgeId br0 = scenario.topology.bridge("br0")->id, br1 = scenario.topology.bridge("br1")->id;
  translate({scenario.topology, br0, packet.key}, result);
  EXPECT_EQ(result.bridges, (std::vector{br0, br1}));
  EXPECT_EQ(result.crossings, (std::vector{Crossing{br0, br1, openflow::OfPort{2}, openflow::OfPort{3}}}));
  EXPECT_EQ(result.learns.size(), 2u);
  EXPECT_EQ(result.look_ups.size(), 2u);
  EXPECT_EQ(result.rules.size(), 2u);
}

TEST(Translate, ACableNeedsBothEnds) {
  Scenario scenario(
      "bridge br0\n"
      "bridge br1\n"
      "port br0 p1 1\n"
      "patch br0 pt0 2 peer=pt1\n"
      "patch br1 pt1 3 peer=other\n"
      "patch br0 pt2 4\n");
  expect(scenario, {{"br0 in=1", "100"}});
  scenario.topology.set_patch_peer(*scenario.topology.port("pt1"), "pt0");
  expect(scenario, {{"br0 in=1", "100,101"}});
  scenario.topology.set_patch_peer(*scenario.topology.port("pt0"), "pt2");
  expect(scenario, {{"br0 in=1", "100"}});
}

TEST(Translate, LoopsOfPatchPortsEnd) {
  Scenario scenario(
      "bridge br0\n"
      "bridge br1\n"
      "port br0 p1 1\n"
      "patch br0 a0 2 peer=a1\n"
      "patch br1 a1 3 peer=a0\n"
      "patch br0 b0 4 peer=b1\n"
      "patch br1 b1 5 peer=b0\n");
  Translation result;
  const TestPacket packet = parse_packet("br0 in=1 src=01:00:00:00:00:01 dst=ff:ff:ff:ff:ff:ff");
  translate({scenario.topology, scenario.topology.bridge("br0")->id, packet.key}, result);
  EXPECT_NE(result.error, TranslationError::none);
  EXPECT_TRUE(result.actions.empty());
}

TEST(Translate, SecureBridgesWaitForAController) {
  Scenario scenario("bridge br0 fail_mode=secure\nport br0 p1 1\n");
  expect(scenario, {{"br0 in=1", "drop"}});
}

TEST(Translate, ExplainsItself) {
  Scenario scenario(two_bridges);
  EXPECT_EQ(scenario.trace("br0 in=6" + macs),
            "\nbridge(\"br0\")\n"
            "-------------\n"
            " 0. priority 0\n"
            "    NORMAL\n"
            "     -> learned that 00:00:00:00:00:01 is on port p4 in VLAN 7\n"
            "     -> no learned MAC for destination, flooding\n"
            "\nbridge(\"br1\")\n"
            "-------------\n"
            " 0. priority 0\n"
            "    NORMAL\n"
            "     -> learned that 00:00:00:00:00:01 is on port pt1 in VLAN 7\n"
            "     -> no learned MAC for destination, flooding\n"
            "\nDatapath actions: push_vlan(vid=7,pcp=0),100,1,5,101,pop_vlan,4\n");
  Scenario modes(every_mode);
  for (const auto& [packet, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"br0 in=99", "     >>>> received packet on unknown port 99 <<<<\n     >> no input bundle, dropping\n"},
           {"br0 in=2 vlan=8100:10/0",
            "     >>>> dropping VLAN 10 tagged packet received on port p2 configured as VLAN 10 access port <<<<\n"
            "     >> disallowed VLAN VID for this input port, dropping\n"},
           {"br0 in=3 vlan=8100:5/0",
            "     >>>> dropping VLAN 5 packet received on port p3 not configured for trunking VLAN 5 <<<<\n"
            "     >> disallowed VLAN VID for this input port, dropping\n"},
           {"br0 in=6", "     >>>> dropping VLAN 0 packet received on dot1q-tunnel port p6 that excludes this VLAN <<<<\n"
                        "     >> disallowed VLAN VID for this input port, dropping\n"},
           {"br0 in=1 type=8100", "     >> partial VLAN tag, dropping\n"}}) {
    EXPECT_EQ(modes.trace(packet + macs),
              std::string("\nbridge(\"br0\")\n-------------\n 0. priority 0\n    NORMAL\n") + why +
                  "\nDatapath actions: drop\n");
  }
  EXPECT_NE(modes.trace("br0 in=10" + macs).find("     >> Flow is between protected ports, skipping output.\n"),
            std::string::npos);
}

}  // namespace
}  // namespace ovs::ofproto::test
