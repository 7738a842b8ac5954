// What actions make of frames, byte by byte: the expected frame is composed from the changed key, with
// its checksums computed as a whole, while the engine changes them by the difference.
#include <gtest/gtest.h>

#include "datapath/flow_text.h"
#include "datapath/user_engine.h"
#include "flow/compose.h"
#include "flow/parse.h"
#include "unit/datapath/memory_netdev.h"

namespace ovs::datapath {
namespace {

Frame frame_of(std::string_view key, std::size_t payload = 32) {
  const auto parsed = parse_key(key);
  EXPECT_TRUE(parsed) << key << ": " << (parsed ? "" : parsed.error().message);
  const flow::Packet packet = flow::compose(*parsed, payload);
  return {packet.data(), packet.data() + packet.size()};
}

struct ActionsOnFrames : testing::Test {
  ActionsOnFrames() {
    EXPECT_TRUE(engine.add_port(in, DpPort{1}));
    EXPECT_TRUE(engine.add_port(out, DpPort{2}));
    EXPECT_TRUE(engine.add_port(other, DpPort{3}));
  }
  // What leaves by port 2 when `actions` are done to the frame.
  std::vector<Frame> after(const Frame& frame, std::string_view actions, const flow::Offload& offload = {}) {
    flow::Packet packet = flow::Packet::copy_of(frame);
    packet.offload = offload;
    flow::FlowKey key{};
    key.in_port = be32::from_host(1);
    const auto parsed = parse_actions(actions);
    EXPECT_TRUE(parsed) << actions;
    engine.execute(std::move(packet), key, *parsed);
    return out.take_sent();
  }
  void expect(std::string_view before, std::string_view actions, std::string_view expected) {
    const auto sent = after(frame_of(before), actions);
    ASSERT_EQ(sent.size(), 1u) << actions;
    EXPECT_EQ(sent[0], frame_of(expected)) << before << " after " << actions;
  }

  MemoryNetdev in{"in"}, out{"out"}, other{"other"};
  UserEngine engine{{.threads = 0, .seed = 1}};
};

const std::string eth = "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),";
const std::string eth_new = "eth(src=00:00:00:00:00:33,dst=00:00:00:00:00:44),";
std::string v4(std::string_view ip, std::string_view l4) {
  return "eth_type(0x0800),ipv4(" + std::string(ip) + ")," + std::string(l4);
}
std::string v6(std::string_view ip, std::string_view l4) {
  return "eth_type(0x86dd),ipv6(" + std::string(ip) + ")," + std::string(l4);
}
const std::string ip_old = "src=10.1.2.3,dst=10.4.5.6,tos=1,ttl=64,frag=no,";
const std::string ip_new = "src=192.168.9.9,dst=10.4.7.7,tos=0x21,ttl=63,frag=no,";
const std::string ip_set = "set(ipv4(src=192.168.9.9,dst=0.0.7.7/0.0.255.255,tos=0x20/0xfc,ttl=63)),2";
const std::string ip6_old = "src=fe80::1,dst=2001:db8::2,label=0x12345,tclass=0x1,hlimit=64,frag=no,";
const std::string ip6_new = "src=fe80::77,dst=2001:db8:ffff::2,label=0x1ff45,tclass=0x21,hlimit=63,frag=no,";
const std::string ip6_set =
    "set(ipv6(src=fe80::77,dst=0:0:ffff::/0:0:ffff::,label=0xff00/0xff00,tclass=0x20/0xfc,hlimit=63)),2";

TEST_F(ActionsOnFrames, SetEthernet) {
  const std::string rest = v4(ip_old + "proto=17", "udp(src=1,dst=2)");
  expect(eth + rest, "set(eth(src=00:00:00:00:00:33,dst=00:00:00:00:00:44)),2", eth_new + rest);
  expect(eth + rest, "set(eth(src=ff:ff:00:00:00:30/00:00:00:00:00:f0)),2",
         "eth(src=00:00:00:00:00:31,dst=00:00:00:00:00:02)," + rest);
}

TEST_F(ActionsOnFrames, SetIpv4) {
  for (const auto& [proto, l4] : {std::pair{"proto=6", "tcp(src=80,dst=81),tcp_flags(ack)"},
                                  std::pair{"proto=17", "udp(src=80,dst=81)"},
                                  std::pair{"proto=1", "icmp(type=8,code=0)"},
                                  std::pair{"proto=132", "sctp(src=80,dst=81)"}, std::pair{"proto=47", ""}}) {
    expect(eth + v4(ip_old + proto, l4), ip_set, eth + v4(ip_new + proto, l4));
  }
}

TEST_F(ActionsOnFrames, SetIpv6) {
  for (const auto& [proto, l4] : {std::pair{"proto=6", "tcp(src=80,dst=81),tcp_flags(ack)"},
                                  std::pair{"proto=17", "udp(src=80,dst=81)"},
                                  std::pair{"proto=58", "icmpv6(type=128,code=0)"},
                                  std::pair{"proto=132", "sctp(src=80,dst=81)"}, std::pair{"proto=47", ""}}) {
    expect(eth + v6(ip6_old + proto, l4), ip6_set, eth + v6(ip6_new + proto, l4));
  }
}

TEST_F(ActionsOnFrames, SetPorts) {
  for (const auto& [proto, name] : {std::pair{"proto=6", "tcp"}, std::pair{"proto=17", "udp"}, std::pair{"proto=132", "sctp"}}) {
    const std::string set = "set(" + std::string(name) + "(src=1000,dst=0x100/0xff00)),2";
    const std::string before = std::string(name) + "(src=80,dst=81)", expected = std::string(name) + "(src=1000,dst=337)";
    expect(eth + v4(ip_old + proto, before), set, eth + v4(ip_old + proto, expected));
    expect(eth + v6(ip6_old + proto, before), set, eth + v6(ip6_old + proto, expected));
  }
}

TEST_F(ActionsOnFrames, SetBehindATag) {
  const std::string tag = eth + "eth_type(0x8100),vlan(vid=10,pcp=3),encap(";
  expect(tag + v4(ip_old + "proto=6", "tcp(src=80,dst=81)") + ")", ip_set,
         tag + v4(ip_new + "proto=6", "tcp(src=80,dst=81)") + ")");
}

TEST_F(ActionsOnFrames, SetArp) {
  expect(eth + "eth_type(0x0806),arp(sip=1.2.3.4,tip=5.6.7.8,op=1,sha=00:00:00:00:00:01,tha=00:00:00:00:00:00)",
         "set(arp(sip=9.9.9.9,tip=0.0.0.9/0.0.0.255,op=2,sha=00:00:00:00:00:07,tha=00:00:00:00:00:08)),2",
         eth + "eth_type(0x0806),arp(sip=9.9.9.9,tip=5.6.7.9,op=2,sha=00:00:00:00:00:07,tha=00:00:00:00:00:08)");
}

TEST_F(ActionsOnFrames, WhatIsNotThereIsNotSet) {
  const std::string arp = eth + "eth_type(0x0806),arp(sip=1.2.3.4,op=1)";
  expect(arp, ip_set, arp);
  expect(arp, ip6_set, arp);
  const std::string udp = eth + v4(ip_old + "proto=17", "udp(src=1,dst=2)");
  expect(udp, ip6_set, udp);
  expect(udp, "set(arp(op=2)),2", udp);
  expect(udp, "pop_vlan,2", udp);
  const std::string later = eth + v4("src=1.2.3.4,dst=5.6.7.8,proto=17,ttl=64,frag=later", "");
  expect(later, "set(udp(src=7)),2", later);
}

TEST_F(ActionsOnFrames, AddressesOfLaterFragmentsChangeWithoutAChecksum) {
  expect(eth + v4("src=1.2.3.4,dst=5.6.7.8,proto=17,ttl=64,frag=later", ""), "set(ipv4(src=9.9.9.9)),2",
         eth + v4("src=9.9.9.9,dst=5.6.7.8,proto=17,ttl=64,frag=later", ""));
}

TEST_F(ActionsOnFrames, AUdpChecksumOfZeroStaysZero) {
  Frame frame = frame_of(eth + v4(ip_old + "proto=17", "udp(src=80,dst=81)"));
  frame[14 + 20 + 6] = frame[14 + 20 + 7] = 0;
  const auto sent = after(frame, "set(udp(src=7)),set(ipv4(src=9.9.9.9)),2");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0][14 + 20 + 6], 0);
  EXPECT_EQ(sent[0][14 + 20 + 7], 0);
}

TEST_F(ActionsOnFrames, AWrongChecksumStaysWrongByTheSame) {
  Frame frame = frame_of(eth + v4(ip_old + "proto=6", "tcp(src=80,dst=81)"));
  Frame expected = frame_of(eth + v4(ip_new + "proto=6", "tcp(src=80,dst=81)"));
  const auto sent_right = after(frame, ip_set);
  frame[14 + 20 + 17] ^= 1;
  const auto sent = after(frame, ip_set);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent_right[0], expected);
  EXPECT_NE(sent[0], expected);
}

TEST_F(ActionsOnFrames, PushAndPopVlan) {
  const std::string rest = v4(ip_old + "proto=17", "udp(src=1,dst=2)");
  const std::string tagged = eth + "eth_type(0x8100),vlan(vid=10,pcp=3),encap(" + rest + ")";
  const std::string twice = eth + "eth_type(0x88a8),vlan(vid=20,pcp=1),encap(eth_type(0x8100),vlan(vid=10,pcp=3),encap(" + rest + "))";
  expect(eth + rest, "push_vlan(vid=10,pcp=3),2", tagged);
  expect(tagged, "pop_vlan,2", eth + rest);
  expect(tagged, "push_vlan(tpid=0x88a8,vid=20,pcp=1),2", twice);
  expect(twice, "pop_vlan,2", tagged);
  expect(twice, "pop_vlan,pop_vlan,2", eth + rest);
  expect(tagged, "pop_vlan,set(ipv4(ttl=63)),set(udp(src=7)),push_vlan(vid=11,pcp=0),2",
         eth + "eth_type(0x8100),vlan(vid=11,pcp=0),encap(" +
             v4("src=10.1.2.3,dst=10.4.5.6,tos=1,ttl=63,frag=no,proto=17", "udp(src=7,dst=2)") + ")");
}

TEST_F(ActionsOnFrames, EachOutputHasThePacketAsItWasThen) {
  const std::string rest = v4(ip_old + "proto=17", "udp(src=1,dst=2)");
  const auto sent = after(frame_of(eth + rest), "2,push_vlan(vid=10,pcp=0),2,2,pop_vlan,set(udp(src=9)),2,3");
  ASSERT_EQ(sent.size(), 4u);
  const Frame tagged = frame_of(eth + "eth_type(0x8100),vlan(vid=10,pcp=0),encap(" + rest + ")");
  EXPECT_EQ(sent[0], frame_of(eth + rest));
  EXPECT_EQ(sent[1], tagged);
  EXPECT_EQ(sent[2], tagged);
  const Frame last = frame_of(eth + v4(ip_old + "proto=17", "udp(src=9,dst=2)"));
  EXPECT_EQ(sent[3], last);
  EXPECT_EQ(other.take_sent(), (std::vector<Frame>{last}));
}

TEST_F(ActionsOnFrames, ManyChangesAndOutputsOfOnePacket) {
  const std::string rest = v4(ip_old + "proto=17", "udp(src=1,dst=2)");
  std::string actions;
  for (int vid = 1; vid <= 500; vid++) {
    actions += "push_vlan(vid=" + std::to_string(vid) + ",pcp=0),2,pop_vlan,";
    if (vid % 100 == 0) actions += "sample(sample=100.0%,actions(push_vlan(vid=4000,pcp=0),3)),";
  }
  const auto sent = after(frame_of(eth + rest), actions + "2");
  ASSERT_EQ(sent.size(), 501u);
  for (int vid = 1; vid <= 500; vid++) {
    ASSERT_EQ(sent[static_cast<std::size_t>(vid - 1)],
              frame_of(eth + "eth_type(0x8100),vlan(vid=" + std::to_string(vid) + ",pcp=0),encap(" + rest + ")"));
  }
  EXPECT_EQ(sent[500], frame_of(eth + rest));
  const auto sampled = other.take_sent();
  ASSERT_EQ(sampled.size(), 5u);
  for (const Frame& frame : sampled) {
    EXPECT_EQ(frame, frame_of(eth + "eth_type(0x8100),vlan(vid=4000,pcp=0),encap(" + rest + ")"));
  }
}

TEST_F(ActionsOnFrames, WhatASampleChangesDoesNotReachTheRest) {
  const std::string rest = v4(ip_old + "proto=17", "udp(src=1,dst=2)");
  const auto sent = after(frame_of(eth + rest), "sample(sample=100.0%,actions(set(udp(src=7)),2)),2,set(udp(dst=8)),2");
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0], frame_of(eth + v4(ip_old + "proto=17", "udp(src=7,dst=2)")));
  EXPECT_EQ(sent[1], frame_of(eth + rest));
  EXPECT_EQ(sent[2], frame_of(eth + v4(ip_old + "proto=17", "udp(src=1,dst=8)")));
}

TEST_F(ActionsOnFrames, SamplesAreAsManyAsTheirProbabilitySays) {
  const Frame frame = frame_of(eth + "eth_type(0x1234)");
  for (int i = 0; i < 10000; i++) after(frame, "sample(sample=25.0%,actions(3)),sample(sample=0.0%,actions(2))");
  EXPECT_NEAR(static_cast<double>(other.sent_count()), 2500, 200);
  EXPECT_EQ(out.sent_count(), 0u);
}

TEST_F(ActionsOnFrames, UserspaceSendsUpWhatThePacketIsThen) {
  const std::string rest = v4(ip_old + "proto=17", "udp(src=1,dst=2)");
  after(frame_of(eth + rest), "userspace(pid=0,userdata(01)),set(skb_mark(0x5)),set(skb_priority(0x6)),"
                              "push_vlan(vid=10,pcp=0),userspace(pid=0,userdata(0203)),drop");
  std::vector<Upcall> upcalls;
  ASSERT_EQ(engine.receive_upcalls(upcalls, 10), 2u);
  EXPECT_EQ(upcalls[0].kind, Upcall::Kind::action);
  EXPECT_EQ(upcalls[0].cookie, (std::vector<std::uint8_t>{1}));
  EXPECT_EQ(upcalls[0].key.pkt_mark, be32{0});
  EXPECT_EQ(upcalls[1].cookie, (std::vector<std::uint8_t>{2, 3}));
  EXPECT_EQ(upcalls[1].key.in_port, be32::from_host(1));
  EXPECT_EQ(upcalls[1].key.pkt_mark, be32::from_host(5));
  EXPECT_EQ(upcalls[1].key.skb_priority, be32::from_host(6));
  EXPECT_EQ(upcalls[1].key.vlan[0].tci, be16::from_host(0x100a));
  const Frame tagged = frame_of(eth + "eth_type(0x8100),vlan(vid=10,pcp=0),encap(" + rest + ")");
  EXPECT_EQ(Frame(upcalls[1].packet.bytes().begin(), upcalls[1].packet.bytes().end()), tagged);
}

// A partial checksum stands for the sum of the pseudo header; whoever finishes it gets the right one.
TEST_F(ActionsOnFrames, PartialChecksumsFollowAndAreFinishedForPortsThatCannot) {
  const Frame whole = frame_of(eth + v4(ip_old + "proto=6", "tcp(src=80,dst=81)"));
  Frame partial = whole;
  const std::size_t l4 = 14 + 20, checksum = l4 + 16;
  // What the sender leaves: the folded sum of addresses, protocol and length, not inverted.
  std::uint32_t sum = 6 + static_cast<std::uint32_t>(whole.size() - l4);
  for (std::size_t i = 26; i < 34; i += 2) sum += static_cast<std::uint32_t>(whole[i] << 8 | whole[i + 1]);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  partial[checksum] = static_cast<std::uint8_t>(sum >> 8);
  partial[checksum + 1] = static_cast<std::uint8_t>(sum);
  flow::Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = l4;
  offload.checksum_offset = 16;
  auto sent = after(partial, "2", offload);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0], whole);
  sent = after(partial, "push_vlan(vid=10,pcp=0),set(ipv4(src=192.168.9.9,dst=0.0.7.7/0.0.255.255,tos=0x20/0xfc,ttl=63)),set(tcp(src=7)),2", offload);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0], frame_of(eth + "eth_type(0x8100),vlan(vid=10,pcp=0),encap(" +
                              v4(ip_new + "proto=6", "tcp(src=7,dst=81)") + ")"));

  out.take_offloads();
  out.offloads.checksum = true;
  engine.port_changed(DpPort{2});
  sent = after(partial, "2,3", offload);
  EXPECT_EQ(sent[0], partial);
  EXPECT_TRUE(out.take_offloads().at(0).needs_checksum);
  EXPECT_EQ(other.take_sent().back(), whole);
}

// No device can be told that a checksum is a CRC.
TEST_F(ActionsOnFrames, SctpChecksumsAreFinishedForAllPorts) {
  const Frame whole = frame_of(eth + v4(ip_old + "proto=132", "sctp(src=80,dst=81)"));
  const std::size_t l4 = 14 + 20;
  Frame partial = whole;
  partial[l4 + 8] = static_cast<std::uint8_t>(~partial[l4 + 8]);
  flow::Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = l4;
  offload.checksum_offset = 8;
  out.offloads.checksum = true;
  engine.port_changed(DpPort{2});
  EXPECT_EQ(after(partial, "2", offload), (std::vector<Frame>{whole}));
  EXPECT_FALSE(out.take_offloads().at(0).any());
}

TEST_F(ActionsOnFrames, LargeSegmentsAreCutForPortsThatCannot) {
  const Frame large = frame_of(eth + v4(ip_old + "proto=6", "tcp(src=80,dst=81),tcp_flags(ack)"), 10000);
  flow::Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = 34;
  offload.checksum_offset = 16;
  offload.gso = flow::Gso::tcp4;
  offload.segment_bytes = 1000;
  other.offloads = {true, true};
  engine.port_changed(DpPort{3});
  const auto sent = after(large, "3,push_vlan(vid=10,pcp=0),2", offload);
  ASSERT_EQ(sent.size(), 10u);
  for (const Frame& segment : sent) EXPECT_EQ(segment.size(), 18u + 20 + 20 + 1000);
  EXPECT_EQ(other.take_sent(), (std::vector<Frame>{large}));
}

TEST_F(ActionsOnFrames, RubbishOffloadsAreDropped) {
  const Frame frame = frame_of(eth + v4(ip_old + "proto=6", "tcp(src=80,dst=81)"));
  flow::Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = 5000;
  EXPECT_TRUE(after(frame, "2", offload).empty());
  offload.gso = flow::Gso::tcp4;
  EXPECT_TRUE(after(frame, "2", offload).empty());
}

}  // namespace
}  // namespace ovs::datapath
