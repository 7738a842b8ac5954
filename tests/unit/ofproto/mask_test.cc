// The masks of megaflows, by experiment: bits outside of the mask are flipped, and everything that
// translation says must stay.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>

#include "ofproto/translate.h"
#include "scenario.h"

namespace ovs::ofproto::test {
namespace {

using Words = std::array<std::uint64_t, flow::key_words>;

std::string random_bridges(std::mt19937& random) {
  const auto pick = [&](std::initializer_list<const char*> choices) {
    return std::string(choices.begin()[random() % choices.size()]);
  };
  std::string text;
  for (const char* bridge : {"br0", "br1"}) {
    text += std::string("bridge ") + bridge + pick({"", "", "", " forward_bpdu"}) + pick({"", "", " flood_vlans=5"}) +
            pick({"", "", "", " fail_mode=secure"}) + "\n";
  }
  int number = 0;
  const auto options = [&] {
    std::string words = pick({"", " tag=5", " tag=10", " tag=0", " trunks=5,10 vlan_mode=trunk",
                              " tag=10 vlan_mode=native-tagged", " tag=5 vlan_mode=native-untagged",
                              " tag=10 vlan_mode=native-untagged trunks=5,6", " tag=10 vlan_mode=dot1q-tunnel",
                              " tag=5 vlan_mode=dot1q-tunnel cvlans=0,6 qinq=802.1q"});
    return words + pick({"", "", " priority_tags=if-nonzero", " priority_tags=always"}) +
           pick({"", "", "", " protected"}) + "\n";
  };
  for (const char* bridge : {"br0", "br1"}) {
    for (unsigned i = 0; i < 2 + random() % 4; i++) {
      number++;
      text += std::string("port ") + bridge + " p" + std::to_string(number) + " " + std::to_string(number) + options();
    }
  }
  text += "patch br0 pt0 90 peer=pt1" + options();
  text += "patch br1 pt1 91 peer=pt0" + options();
  for (const char* bridge : {"br0", "br1"}) {
    for (unsigned i = 0; i < random() % 4; i++) {
      text += std::string("mac ") + bridge + pick({" 0", " 5", " 10"}) + " 00:00:00:00:00:0" +
              std::to_string(random() % 5) + " " + (bridge[2] == '0' ? "90" : "91") + "\n";
    }
  }
  for (const char* bridge : {"br0", "br1"}) {
    if (random() % 2 == 0) continue;
    for (unsigned i = 0; i < 1 + random() % 6; i++) {
      text += std::string("rule ") + bridge + " " + std::to_string(1 + random() % 3) +
              pick({" ip", " ip,nw_dst=128.0.0.0/2", " ip,nw_src=10.0.0.0/8", " tcp,tp_dst=0x8000/0x8000", " udp",
                    " arp", " ipv6,ipv6_dst=8000::/1", " ipv6,nw_tos=0", " dl_vlan=5", " dl_vlan=10,ip",
                    " vlan_tci=0x1000/0x1000", " vlan_tci=0x0000/0x1fff", " dl_dst=00:00:00:00:00:02",
                    " dl_src=00:00:00:00:00:00/ff:ff:ff:ff:ff:fe", " in_port=2", " in_port=91,arp", " dl_type=0x88b5",
                    " dl_type=0x8100", " ip,nw_frag=yes", " dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"}) +
              pick({" NORMAL", " NORMAL", " drop", " output:1", " output:90", " output:91", " LOCAL",
                    " output:2,IN_PORT", " FLOOD,NORMAL", " ALL"}) +
              "\n";
    }
  }
  return text;
}

flow::FlowKey random_key(std::mt19937& random) {
  flow::FlowKey key;
  Words words;
  for (std::uint64_t& word : words) word = std::uint64_t{random()} << 32 | random();
  std::memcpy(&key, words.data(), sizeof key);
  key.in_port = be32::from_host(random() % 8 == 0 ? 65534 : 1 + random() % 6);
  key.eth_src = parse_mac("00:00:00:00:00:0" + std::to_string(random() % 5));
  key.eth_dst = parse_mac((random() % 8 == 0 ? "01:80:c2:00:00:0" : "00:00:00:00:00:0") + std::to_string(random() % 5));
  constexpr std::uint16_t types[] = {0x0800, 0x86dd, 0x0806, 0x88b5, 0x8100};
  key.eth_type = be16::from_host(types[random() % 5]);
  constexpr std::uint8_t protocols[] = {6, 17, 1, 58};
  if (random() % 4 != 0) key.nw_proto = protocols[random() % 4];
  if (random() % 2 != 0) key.nw_frag = 0;
  key.vlan[0] = key.vlan[1] = {};
  constexpr std::uint16_t vids[] = {0, 5, 6, 10};
  for (unsigned i = 0; i < random() % 3; i++) {
    key.vlan[i].tpid = be16::from_host(random() % 2 ? 0x8100 : 0x88a8);
    key.vlan[i].tci = be16::from_host(
        static_cast<std::uint16_t>(0x1000 | vids[random() % 4] | (random() % 3 ? 0 : random() % 8 << 13)));
  }
  return key;
}

void expect_same(const Translation& a, const Translation& b) {
  ASSERT_EQ(datapath::format_actions(a.actions), datapath::format_actions(b.actions));
  ASSERT_EQ(a.learns, b.learns);
  ASSERT_EQ(a.crossings, b.crossings);
  ASSERT_EQ(a.rules, b.rules);
  ASSERT_EQ(a.bridges, b.bridges);
  ASSERT_EQ(a.look_ups, b.look_ups);
  ASSERT_EQ(a.error, b.error);
  ASSERT_TRUE(a.mask == b.mask);
}

TEST(Mask, CoversEveryBitThatWasRead) {
  std::mt19937 random(20);
  std::size_t outputs = 0;
  for (int round = 0; round < 400; round++) {
    const std::string text = random_bridges(random);
    Scenario scenario(text);
    scenario.topology.vlan_limit = 1 + random() % 2;
    const BridgeId bridge = scenario.topology.bridge(random() % 2 ? "br0" : "br1")->id;
    for (int i = 0; i < 50; i++) {
      const flow::FlowKey key = random_key(random);
      const bool learning = random() % 2 != 0;
      Translation first;
      translate({scenario.topology, bridge, key, learning}, first);
      outputs += first.actions.size();
      // The megaflow's own key says the same as the packet's: revalidation has nothing else.
      Translation again;
      const flow::FlowKey masked = key & first.mask;
      translate({scenario.topology, bridge, masked, learning}, again);
      expect_same(first, again);
      for (int j = 0; j < 8; j++) {
        Words words, mask;
        std::memcpy(words.data(), &key, sizeof key);
        std::memcpy(mask.data(), &first.mask.bits, sizeof key);
        for (std::size_t w = 0; w < words.size(); w++) {
          const std::uint64_t bits = std::uint64_t{random()} << 32 | random();
          words[w] ^= bits & ~mask[w];
        }
        flow::FlowKey flipped;
        std::memcpy(&flipped, words.data(), sizeof key);
        translate({scenario.topology, bridge, flipped, learning}, again);
        expect_same(first, again);
        if (testing::Test::HasFatalFailure()) FAIL() << "round " << round << "\n" << text;
      }
    }
  }
  EXPECT_GT(outputs, 5000u);  // enough of the packets got somewhere
}

}  // namespace
}  // namespace ovs::ofproto::test
