// Rules: which one a packet hits, how little a megaflow then looks at, and what tables remember.
#include "ofproto/rule_table.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/check.h"
#include "flow/match_text.h"
#include "ofproto/translate.h"
#include "scenario.h"

namespace ovs::ofproto::test {
namespace {

Translation translated(const Scenario& scenario, std::string_view flow) {
  const auto key = flow::parse_flow(flow);
  OVS_CHECK(key.has_value(), flow);
  Translation result;
  translate({scenario.topology, scenario.topology.bridge("br0")->id, *key}, result);
  return result;
}

std::string actions(const Scenario& scenario, std::string_view flow) {
  return datapath::format_actions(translated(scenario, flow).actions);
}

// The megaflow's match as text.
std::string megaflow(const Scenario& scenario, std::string_view flow) {
  const Translation result = translated(scenario, flow);
  return flow::format_match(flow::Match::of(*flow::parse_flow(flow), result.mask));
}

const char* const bridge =
    "bridge br0\n"
    "port br0 p1 1\n"
    "port br0 p2 2\n"
    "port br0 p3 3\n";

TEST(Rules, TheHighestPriorityWins) {
  Scenario scenario(std::string(bridge) +
                    "rule br0 10 ip,nw_dst=10.0.0.0/8 output:2\n"
                    "rule br0 20 ip,nw_dst=10.1.0.0/16 output:3\n"
                    "rule br0 20 dl_vlan=5 drop\n"
                    "rule br0 5 arp LOCAL,NORMAL\n");
  EXPECT_EQ(actions(scenario, "ip,in_port=1,nw_dst=10.2.0.1"), "2");
  EXPECT_EQ(actions(scenario, "ip,in_port=1,nw_dst=10.1.0.1"), "3");
  EXPECT_EQ(actions(scenario, "ip,in_port=1,dl_src=00:00:00:00:00:01,nw_dst=11.1.0.1"), "100,2,3");
  EXPECT_EQ(actions(scenario, "ip,in_port=1,dl_vlan=5,nw_dst=10.2.0.1"), "drop");
  EXPECT_EQ(actions(scenario, "ip,in_port=1,dl_vlan=6,nw_dst=10.2.0.1"), "2");
  EXPECT_EQ(actions(scenario, "arp,in_port=1,dl_src=00:00:00:00:00:01"), "100,100,2,3");
}

TEST(Rules, NoRuleDrops) {
  Scenario scenario(
      "bridge br0 fail_mode=secure\n"
      "port br0 p1 1\n"
      "rule br0 10 arp LOCAL\n");
  EXPECT_EQ(actions(scenario, "arp,in_port=1"), "100");
  EXPECT_EQ(actions(scenario, "ip,in_port=1"), "drop");
}

// What the packaged switch's megaflows look at in these cases, too, but for the tag, which ours always have.
TEST(Rules, AMegaflowLooksAtWhatDecided) {
  Scenario scenario(
      "bridge br0 fail_mode=secure\n"
      "port br0 p1 1\n"
      "port br0 p2 2\n"
      "rule br0 10 ip,nw_dst=10.0.0.0/8 output:2\n"
      "rule br0 20 in_port=2,tcp,tp_dst=80 output:1\n"
      "rule br0 0 in_port=1 drop\n");
  // One bit tells that it is not 10.0.0.0/8; ports do not matter where the first stage has decided.
  EXPECT_EQ(megaflow(scenario, "tcp,in_port=1,nw_dst=192.0.2.1,tp_dst=80"),
            "recirc_id=0,eth,ip,in_port=1,vlan_tci=0x0000,nw_dst=128.0.0.0/1,nw_frag=no");
  EXPECT_EQ(megaflow(scenario, "tcp,in_port=1,nw_dst=10.0.2.1,tp_dst=80"),
            "recirc_id=0,eth,ip,in_port=1,vlan_tci=0x0000,nw_dst=10.0.0.0/8,nw_frag=no");
  EXPECT_EQ(megaflow(scenario, "tcp,in_port=2,nw_dst=10.0.2.1,tp_dst=80"),
            "recirc_id=0,eth,tcp,in_port=2,vlan_tci=0x0000,nw_frag=no,tp_dst=80");
  EXPECT_EQ(megaflow(scenario, "arp,in_port=1"), "recirc_id=0,eth,arp,in_port=1,vlan_tci=0x0000");
}

// With one tag looked at, what is behind a second one is not known, and megaflows must tell the two apart.
TEST(Rules, WhatIsBehindAHiddenTagIsNotMatched) {
  Scenario scenario(
      "bridge br0 fail_mode=secure\n"
      "port br0 p1 1\n"
      "port br0 p2 2\n"
      "rule br0 10 ip output:2\n");
  const auto one = flow::parse_flow("ip,in_port=1,dl_vlan=5");
  flow::FlowKey two = *one;
  two.vlan[1] = {be16::from_host(0x8100), be16::from_host(0x1006)};
  Translation plain, hidden;
  const BridgeId id = scenario.topology.bridge("br0")->id;
  translate({scenario.topology, id, *one}, plain);
  translate({scenario.topology, id, two}, hidden);
  EXPECT_EQ(datapath::format_actions(plain.actions), "2");
  EXPECT_EQ(datapath::format_actions(hidden.actions), "drop");
  EXPECT_FALSE(flow::Match::of(*one, plain.mask).matches(two));
  EXPECT_FALSE(flow::Match::of(two, hidden.mask).matches(*one));
}

TEST(Rules, TraceNamesTheRule) {
  Scenario scenario(std::string(bridge) + "rule br0 10 dl_dst=00:00:00:00:00:02,in_port=1 output:2\n");
  EXPECT_EQ(scenario.trace("br0 in=1 src=00:00:00:00:00:01 dst=00:00:00:00:00:02"),
            "\nbridge(\"br0\")\n"
            "-------------\n"
            " 0. in_port=1,dl_dst=00:00:00:00:00:02, priority 10\n"
            "    output:2\n"
            "\nDatapath actions: 2\n");
}

class RuleTableTest : public testing::Test {
 protected:
  RuleId add(int priority, std::string_view match, std::string_view actions) {
    return table.add(priority, flow::parse_match(match)->match, *openflow::parse_actions(actions), now);
  }
  std::string rules() const {
    std::string out;
    for (const Rule* rule : table.rules()) {
      out += std::to_string(rule->priority()) + " " + flow::format_match(rule->match()) + " " +
             openflow::format_actions(rule->actions) + " " + std::to_string(rule->packets) + "/" +
             std::to_string(rule->bytes) + "\n";
    }
    return out;
  }

  RcuDomain domain;
  RuleTable table{domain};
  proto::TimePoint now{};
};

TEST_F(RuleTableTest, KeepsRulesInOrderAndCounts) {
  const RuleId low = add(1, "ip", "output:1");
  const RuleId first = add(5, "arp", "output:2");
  const RuleId second = add(5, "ipv6", "output:3");
  table.count(first, 2, 120);
  table.count(first, 1, 60);
  table.count(second, 1, 70);
  EXPECT_EQ(rules(), "5 arp output:2 3/180\n5 ipv6 output:3 1/70\n1 ip output:1 0/0\n");
  table.remove(first);
  table.remove(first);
  table.count(first, 1, 1);
  EXPECT_EQ(table.find(first), nullptr);
  EXPECT_EQ(table.find(low)->priority(), 1);
  EXPECT_EQ(rules(), "5 ipv6 output:3 1/70\n1 ip output:1 0/0\n");
  table.clear();
  EXPECT_EQ(table.size(), 0u);
  flow::Mask mask;
  EXPECT_EQ(table.look_up(*flow::parse_flow("ip"), mask), nullptr);
}

TEST_F(RuleTableTest, ARuleReplacesItsLike) {
  const RuleId old = add(5, "ip", "output:1");
  add(6, "ip", "output:2");
  table.count(old, 1, 60);
  const RuleId replacement = add(5, "ip", "output:3");
  EXPECT_NE(old, replacement);
  EXPECT_EQ(rules(), "6 ip output:2 0/0\n5 ip output:3 0/0\n");
}

TEST_F(RuleTableTest, RetiredRulesStayForWhoReadsThem) {
  RcuDomain::Reader reader(domain);
  const RuleId id = add(5, "ip", "output:1");
  flow::Mask mask;
  const Rule* rule = table.look_up(*flow::parse_flow("ip"), mask);
  ASSERT_NE(rule, nullptr);
  std::thread([&] { table.remove(id); }).join();
  EXPECT_EQ(openflow::format_actions(rule->actions), "output:1");
  reader.quiesce();
  EXPECT_EQ(domain.reclaim(), 0u);
}

}  // namespace
}  // namespace ovs::ofproto::test
