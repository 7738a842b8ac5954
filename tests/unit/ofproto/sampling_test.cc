// Sampling for sFlow: what translation makes of it, and what comes back as a sample.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "datapath/action_text.h"
#include "ofproto/cookie.h"
#include "switch_fixture.h"

namespace ovs::ofproto::test {
namespace {

using telemetry::sflow::Interface;

// br0 is port 1, without an ifindex; p1 and p2 are access ports of VLAN 10 (ports 2, 3; ifindex 102, 103), t a trunk
// (port 4; ifindex 104), x an access port of VLAN 20 without an ifindex (port 5).
class Sampling : public SwitchTest {
 protected:
  Sampling() {
    bridge = add_bridge("br0", sampling(1));
    add_port(bridge, "p1", 10, "dummy", 102);
    add_port(bridge, "p2", 10, "dummy", 103);
    add_port(bridge, "t", 0, "dummy", 104);
    add_port(bridge, "x", 20);
    subject.set_sample_handler([this](BridgeId from, const telemetry::SampledPacket& p) {
      const auto& [in_vlan, in_pcp, out_vlan, out_pcp] = p.vlans;
      samples.push_back(fmt::format("bridge {} rate {} in {}:{} out {}:{} vlan {}/{} to {}/{}, {} of {} bytes",
                                    static_cast<unsigned>(from), p.rate, p.input.format, p.input.value, p.output.format,
                                    p.output.value, in_vlan, in_pcp, out_vlan, out_pcp, p.frame.size(),
                                    p.frame_bytes));
    });
  }

  static BridgeConfig sampling(std::uint32_t one_in) {
    BridgeConfig config;
    config.sflow = SflowSampling{one_in, 128};
    return config;
  }
  // The packet's actions as dumps show them.
  std::string actions_of(const std::string& packet) {
    receive(packet);
    datapath::ActionText text;
    text.cookie = format_cookie;
    return format_actions(engine.executed.back().actions, text);
  }
  // What the sample says when the datapath takes one by the action of this packet.
  std::string sample_of(const std::string& packet) {
    receive(packet);
    const auto& executed = engine.executed.back();
    const auto& sample = std::get<datapath::Sample>(executed.actions.front());
    datapath::Upcall upcall{datapath::Upcall::Kind::action, flow::Packet::copy_of(std::vector<std::uint8_t>(128)), {},
                            std::get<datapath::Userspace>(sample.actions.front()).cookie};
    upcall.key.in_port = executed.key.in_port;
    upcall.whole_bytes = 600;
    engine.push_upcall(std::move(upcall));
    samples.clear();
    subject.handle_upcalls(now);
    return samples.empty() ? "none" : samples.front();
  }

  BridgeId bridge{};
  std::vector<std::string> samples;
};

constexpr const char* from_a_to_b = "in=2 type=88b5 src=00:00:00:00:00:0a dst=00:00:00:00:00:0b";
constexpr const char* from_b_to_a = "in=3 type=88b5 src=00:00:00:00:00:0b dst=00:00:00:00:00:0a";

TEST_F(Sampling, TheSampleComesFirstAndSaysWhereThePacketGoes) {
  // Access ports belong to a VLAN, though the packet has no tag.
  EXPECT_EQ(actions_of(from_a_to_b),
            "userspace(pid=0,sFlow(vid=10,pcp=0,output=2147483651),actions),3,push_vlan(vid=10,pcp=0),1,4");
  EXPECT_EQ(actions_of(from_b_to_a), "userspace(pid=0,sFlow(vid=10,pcp=0,output=102),actions),2");
  EXPECT_EQ(sample_of(from_b_to_a),
            "bridge 1 rate 1 in 0:103 out 0:102 vlan 10/0 to 10/0, 128 of 600 bytes");
}

TEST_F(Sampling, TagsAndPriorities) {
  EXPECT_EQ(sample_of("in=4 vlan=8100:11/5 type=88b5 src=00:00:00:00:00:0c dst=00:00:00:00:00:0d"),
            "bridge 1 rate 1 in 0:104 out 0:0 vlan 11/5 to 11/5, 128 of 600 bytes");
}

TEST_F(Sampling, OneOutputWithoutIfindexIsUnknown) {
  receive("in=5 type=88b5 src=00:00:00:00:00:0e dst=ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(sample_of("in=4 vlan=8100:20/0 type=88b5 src=00:00:00:00:00:0f dst=00:00:00:00:00:0e"),
            "bridge 1 rate 1 in 0:104 out 0:0 vlan 20/0 to 20/0, 128 of 600 bytes");
}

TEST_F(Sampling, WhatIsDroppedIsSampledToo) {
  constexpr const char* reserved = "in=2 type=88b5 src=00:00:00:00:00:0a dst=01:80:c2:00:00:01";
  EXPECT_EQ(actions_of(reserved), "userspace(pid=0,sFlow(vid=10,pcp=0,output=1073742080),actions)");
  EXPECT_EQ(sample_of(reserved), "bridge 1 rate 1 in 0:102 out 1:256 vlan 10/0 to 10/0, 128 of 600 bytes");
  // A tag where none may be: the VLAN is the tag's.
  EXPECT_EQ(sample_of("in=2 vlan=8100:11/0 type=88b5 src=00:00:00:00:00:0a dst=00:00:00:00:00:0b"),
            "bridge 1 rate 1 in 0:102 out 1:256 vlan 11/0 to 11/0, 128 of 600 bytes");
}

TEST_F(Sampling, TheRateBecomesAProbability) {
  for (const std::uint32_t rate : {2u, 64u, 400u, 512u, 1'000'000u}) {
    subject.configure_bridge(bridge, sampling(rate));
    subject.revalidate_all(now);
    EXPECT_NE(sample_of(from_a_to_b).find(fmt::format("rate {} ", rate)), std::string::npos);
    const auto& sample = std::get<datapath::Sample>(engine.executed.back().actions.front());
    EXPECT_NEAR(sample.probability * 1.0 * rate, std::numeric_limits<std::uint32_t>::max(), 1.0 * rate);
    subject.purge_flows();
  }
  subject.configure_bridge(bridge, sampling(64));
  EXPECT_EQ(actions_of(from_a_to_b),
            "sample(sample=1.6%,actions(userspace(pid=0,sFlow(vid=10,pcp=0,output=2147483651),actions))),"
            "3,push_vlan(vid=10,pcp=0),1,4");
}

TEST_F(Sampling, MegaflowsFollowTheConfiguration) {
  receive(from_a_to_b);
  const std::string sampled = flow_actions(mac_a, mac_b);
  EXPECT_TRUE(sampled.starts_with("userspace(")) << sampled;
  EXPECT_TRUE(subject.samples());
  EXPECT_EQ(engine.samplers.size(), 1u);

  EXPECT_TRUE(engine.settled_samplers.empty());
  subject.configure_bridge(bridge, sampling(64));
  // What passed so far is not to be taken for what the new rate stands for.
  EXPECT_EQ(engine.settled_samplers, std::vector{engine.samplers.begin()->first});
  subject.revalidate(now);
  EXPECT_TRUE(flow_actions(mac_a, mac_b).starts_with("sample(sample=1.6%,"));

  subject.configure_bridge(bridge, sampling(65));  // whose text is the same
  subject.revalidate(now);
  engine.dump_flows([&](const datapath::Datapath::FlowView& flow) {
    EXPECT_EQ(std::get<datapath::Sample>(flow.actions.front()).probability,
              std::numeric_limits<std::uint32_t>::max() / 65);
    return true;
  });

  subject.configure_bridge(bridge, {});
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "3,push_vlan(vid=10,pcp=0),1,4");
  EXPECT_FALSE(subject.samples());
  EXPECT_TRUE(engine.samplers.empty());
}

TEST_F(Sampling, SamplesOfABridgeThatIsGoneLeadNowhere) {
  receive(from_a_to_b);
  const auto& sample = std::get<datapath::Sample>(engine.executed.back().actions.front());
  datapath::Upcall upcall{datapath::Upcall::Kind::action, flow::Packet::copy_of(std::vector<std::uint8_t>(64)), {},
                          std::get<datapath::Userspace>(sample.actions.front()).cookie};
  subject.remove_bridge(bridge);
  engine.push_upcall(std::move(upcall));
  subject.handle_upcalls(now);
  EXPECT_TRUE(samples.empty());
  EXPECT_TRUE(engine.samplers.empty());
}

TEST_F(Sampling, SamplesOfAnEarlierTimeAreNotThoseOfALaterOne) {
  receive(from_a_to_b);
  const auto& sample = std::get<datapath::Sample>(engine.executed.back().actions.front());
  datapath::Upcall upcall{datapath::Upcall::Kind::action, flow::Packet::copy_of(std::vector<std::uint8_t>(64)), {},
                          std::get<datapath::Userspace>(sample.actions.front()).cookie};
  subject.configure_bridge(bridge, {});
  subject.configure_bridge(bridge, sampling(1));
  engine.push_upcall(std::move(upcall));
  subject.handle_upcalls(now);
  EXPECT_TRUE(samples.empty());
}

TEST_F(Sampling, WithARateOfZeroNothingIsSampled) {
  subject.configure_bridge(bridge, sampling(0));
  EXPECT_EQ(receive(from_a_to_b), "3,push_vlan(vid=10,pcp=0),1,4");
}

TEST_F(Sampling, TheBridgeThatThePacketEntersIsTheOneThatSamples) {
  const BridgeId other = add_bridge("br1");
  add_port(other, "q", 0, "dummy", 201);
  const auto here = add_port(bridge, "to1", 30, "patch"), there = add_port(other, "to0", 0, "patch");
  subject.set_patch_peer(bridge, here, "to0");
  subject.set_patch_peer(other, there, "to1");
  // By the patch port into the other bridge, whose ports are outputs as well: br0, br1, t, q.
  EXPECT_EQ(sample_of("in=4 vlan=8100:30/0 type=88b5 src=00:00:00:00:00:0a dst=00:00:00:00:00:0b"),
            "bridge 1 rate 1 in 0:104 out 2:3 vlan 30/0 to 0/0, 128 of 600 bytes");
  // The other way there is no sFlow.
  EXPECT_EQ(actions_of("in=7 type=88b5 src=00:00:00:00:00:0c dst=00:00:00:00:00:0d").find("sFlow"), std::string::npos);
}

TEST_F(Sampling, PacketsAreCountedByVlan) {
  receive(from_a_to_b);
  receive(from_b_to_a);
  receive("in=2 type=88b5 src=00:00:00:00:00:0a dst=ff:ff:ff:ff:ff:ff");
  receive("in=2 type=88b5 src=00:00:00:00:00:0a dst=01:00:5e:00:00:01");
  receive("in=2 type=88b5 src=00:00:00:00:00:0a dst=01:80:c2:00:00:01");
  receive("in=4 vlan=8100:11/5 type=88b5 src=00:00:00:00:00:0c dst=00:00:00:00:00:0d");
  const auto& vlans = subject.vlan_traffic(bridge);
  ASSERT_EQ(vlans.size(), 2u);
  const VlanTraffic& ten = vlans.at(10);
  EXPECT_EQ(ten.unicast, 2u);
  EXPECT_EQ(ten.broadcast, 1u);
  EXPECT_EQ(ten.multicast, 1u);
  EXPECT_EQ(ten.dropped, 1u);
  EXPECT_GT(ten.bytes, 4 * 14u);
  EXPECT_EQ(vlans.at(11).unicast, 1u);
  // Without samples, too; without sFlow nothing is.
  subject.configure_bridge(bridge, sampling(0));
  receive("in=2 type=88b5 src=00:00:00:00:00:0a dst=01:00:5e:00:00:02");
  EXPECT_EQ(ten.multicast, 2u);
  const BridgeId other = add_bridge("br1");
  add_port(other, "y", 30);
  receive("in=7 type=88b5 src=00:00:00:00:00:0a dst=ff:ff:ff:ff:ff:ff");
  EXPECT_TRUE(subject.vlan_traffic(other).empty());
}

TEST(Cookie, OtherBytesAreNone) {
  const std::vector<std::uint8_t> cookie = encode(SflowCookie{BridgeId{7}, 64, {1, 2, 3, 4}, {Interface::single, 5}});
  EXPECT_LE(cookie.size(), 56u);  // what the datapath keeps close at hand
  EXPECT_EQ(decode_cookie(cookie)->vlans.out_priority, 4u);
  EXPECT_FALSE(decode_cookie({}));
  EXPECT_FALSE(decode_cookie(std::span(cookie).first(cookie.size() - 1)));
  std::vector<std::uint8_t> other = cookie;
  other[0]++;
  EXPECT_FALSE(decode_cookie(other));
  EXPECT_FALSE(format_cookie(other));
}

}  // namespace
}  // namespace ovs::ofproto::test
