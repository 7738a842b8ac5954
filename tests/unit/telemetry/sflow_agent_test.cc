#include "telemetry/sflow_agent.h"

#include <gtest/gtest.h>

#include <numeric>
#include <variant>
#include <vector>

#include "flow/address.h"
#include "telemetry/sflow_codec.h"

namespace ovs::telemetry {
namespace {

using std::chrono::milliseconds;
using Bytes = std::vector<std::uint8_t>;

TimePoint at(std::int64_t ms) { return TimePoint(milliseconds(ms)); }

SflowSettings settings() {
  SflowSettings s;
  s.agent = *flow::parse_ipv4("192.0.2.1");
  s.sub_agent = 3;
  s.source = {sflow::Source::entity, 1003};
  return s;
}

Bytes frame_of(std::size_t size) {
  Bytes frame(size);
  std::iota(frame.begin(), frame.end(), 0);
  return frame;
}

SampledPacket packet_of(const Bytes& frame) {
  SampledPacket p;
  p.frame = frame;
  p.frame_bytes = frame.size();
  p.rate = 64;
  p.input = {sflow::Interface::single, 3};
  p.output = {sflow::Interface::single, 4};
  p.vlans = {10, 0, 10, 0};
  return p;
}

sflow::Datagram read(const Bytes& bytes) {
  auto d = sflow::decode(bytes);
  EXPECT_TRUE(d) << d.error().message;
  return d ? *d : sflow::Datagram();
}

template <class Record>
const Record* find(const sflow::FlowSample& s) {
  for (const auto& r : s.records) {
    if (auto* found = std::get_if<Record>(&r)) return found;
  }
  return nullptr;
}

TEST(SflowAgentTest, ASampleLeavesWithinItsDelay) {
  SflowAgent agent(settings(), at(1000));
  EXPECT_FALSE(agent.next_flush());
  const Bytes frame = frame_of(60);
  agent.add_sample(packet_of(frame), at(5000));
  ASSERT_EQ(agent.next_flush(), at(5500));
  EXPECT_TRUE(agent.take_datagrams(at(5499)).empty());
  auto datagrams = agent.take_datagrams(at(5500));
  ASSERT_EQ(datagrams.size(), 1u);
  EXPECT_FALSE(agent.next_flush());

  const auto d = read(datagrams[0]);
  EXPECT_EQ(to_text(d.agent), "192.0.2.1");
  EXPECT_EQ(d.sub_agent, 3u);
  EXPECT_EQ(d.sequence, 1u);
  EXPECT_EQ(d.uptime, 4500u);
  ASSERT_EQ(d.samples.size(), 1u);
  const auto& s = std::get<sflow::FlowSample>(d.samples[0]);
  EXPECT_EQ(s.sequence, 1u);
  EXPECT_EQ(s.source, (sflow::Source{sflow::Source::entity, 1003}));
  EXPECT_EQ(s.rate, 64u);
  EXPECT_EQ(s.input, (sflow::Interface{sflow::Interface::single, 3}));
  EXPECT_EQ(s.output, (sflow::Interface{sflow::Interface::single, 4}));
  ASSERT_EQ(s.records.size(), 2u);
  EXPECT_EQ(*find<sflow::SampledHeader>(s), (sflow::SampledHeader{1, 64, 4, frame}));
  EXPECT_EQ(*find<sflow::ExtendedSwitch>(s), (sflow::ExtendedSwitch{10, 0, 10, 0}));
}

TEST(SflowAgentTest, HeadersAreCut) {
  for (std::size_t header : {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{65536}}) {
    SflowSettings wanted = settings();
    wanted.header_bytes = header;
    SflowAgent agent(wanted, at(0));
    const Bytes frame = frame_of(9000);
    SampledPacket p = packet_of(frame);
    p.frame_bytes = 65000;  // `frame` is its beginning
    agent.add_sample(p, at(0));
    auto datagrams = agent.take_all(at(0));
    ASSERT_EQ(datagrams.size(), 1u);
    EXPECT_LE(datagrams[0].size(), sflow::max_datagram_bytes);
    const auto d = read(datagrams[0]);
    const auto* h = find<sflow::SampledHeader>(std::get<sflow::FlowSample>(d.samples.at(0)));
    EXPECT_EQ(h->frame_length, 65004u);
    EXPECT_EQ(h->header, frame_of(std::min(header, max_header_bytes)));
  }
}

TEST(SflowAgentTest, DatagramsAreFilledAndNumbered) {
  SflowAgent agent(settings(), at(0));
  const Bytes frame = frame_of(64);
  constexpr std::uint32_t count = 1000;
  std::uint32_t datagram = 0, sample = 0;
  auto look = [&](const std::vector<Bytes>& datagrams, bool full) {
    for (const Bytes& bytes : datagrams) {
      EXPECT_LE(bytes.size(), sflow::max_datagram_bytes);
      const auto d = read(bytes);
      EXPECT_EQ(d.sequence, ++datagram);
      // 152 bytes a sample, 28 before them.
      if (full) {
        EXPECT_EQ(d.samples.size(), 9u);
      }
      for (const auto& s : d.samples) {
        EXPECT_EQ(std::get<sflow::FlowSample>(s).sequence, ++sample);
        EXPECT_EQ(std::get<sflow::FlowSample>(s).pool, sample * 64);
      }
    }
  };
  SampledPacket packet = packet_of(frame);
  packet.passed = 64;
  for (std::uint32_t i = 1; i <= count; i++) {
    agent.add_sample(packet, at(0));
    look(agent.take_datagrams(at(0)), true);
  }
  look(agent.take_all(at(0)), false);
  EXPECT_EQ(sample, count);
}

TEST(SflowAgentTest, PoolAndDropsWrapAsOnTheWire) {
  SflowAgent agent(settings(), at(0));
  const Bytes frame = frame_of(64);
  agent.set_drops(0x2'0000'0006);
  SampledPacket packet = packet_of(frame);
  packet.passed = 0xffff'fffe;
  agent.add_sample(packet, at(0));
  packet.passed = 7;
  agent.add_sample(packet, at(0));
  const auto d = read(agent.take_all(at(0)).at(0));
  EXPECT_EQ(std::get<sflow::FlowSample>(d.samples.at(0)).pool, 0xffff'fffeu);
  EXPECT_EQ(std::get<sflow::FlowSample>(d.samples.at(1)).pool, 5u);
  EXPECT_EQ(std::get<sflow::FlowSample>(d.samples.at(1)).drops, 6u);
}

TEST(SflowAgentTest, CountersAreNumberedForEachSource) {
  SflowAgent agent(settings(), at(0));
  const sflow::Source a{sflow::Source::interface, 1}, b{sflow::Source::interface, 2};
  auto add = [&](const sflow::Source& s) { agent.add_counters(s, {sflow::PortName{"p"}}, at(0)); };
  add(a);
  add(b);
  add(a);
  agent.forget_source(a);
  add(a);
  const auto d = read(agent.take_all(at(0)).at(0));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const auto& s : d.samples) {
    const auto& c = std::get<sflow::CounterSample>(s);
    seen.emplace_back(c.source.index, c.sequence);
  }
  EXPECT_EQ(seen, (std::vector<std::pair<std::uint32_t, std::uint32_t>>{{1, 1}, {2, 1}, {1, 2}, {1, 1}}));
}

TEST(SflowAgentTest, TunnelsAndLabels) {
  SflowAgent agent(settings(), at(0));
  flow::FlowKey key{};
  key.tun_src = *flow::parse_ipv4("10.0.0.1");
  key.tun_dst = *flow::parse_ipv4("10.0.0.2");
  key.tun_id = be64::from_host(0xabcd);
  key.tun_tp_src = be16::from_host(5000);
  key.tun_tp_dst = be16::from_host(4789);
  key.tun_tos = 4;
  key.mpls_lse[0] = be32::from_host(0x00064040);
  key.mpls_lse[1] = be32::from_host(0x000c8140);  // the last one
  key.mpls_lse[2] = be32::from_host(0x00000001);
  key.cold_parts = flow::find_cold_parts(key);
  const Bytes frame = frame_of(64);
  SampledPacket p = packet_of(frame);
  p.key = &key;
  agent.add_sample(p, at(0));

  flow::FlowKey key6{};
  key6.tun_ipv6_src = *flow::parse_ipv6("2001:db8::1");
  key6.tun_ipv6_dst = *flow::parse_ipv6("2001:db8::2");
  key6.cold_parts = flow::find_cold_parts(key6);
  p.key = &key6;
  agent.add_sample(p, at(0));

  const auto d = read(agent.take_all(at(0)).at(0));
  const auto& s = std::get<sflow::FlowSample>(d.samples.at(0));
  EXPECT_EQ(s.records.size(), 5u);
  EXPECT_EQ(*find<sflow::Ipv4TunnelIn>(s),
            (sflow::Ipv4TunnelIn{0, 17, key.tun_src, key.tun_dst, 5000, 4789, 0, 4}));
  EXPECT_EQ(find<sflow::TunnelVniIn>(s)->vni, 0xabcdu);
  EXPECT_EQ(find<sflow::ExtendedMpls>(s)->in_stack, (std::vector<std::uint32_t>{0x00064040, 0x000c8140}));
  EXPECT_EQ(find<sflow::ExtendedMpls>(s)->out_stack, (std::vector<std::uint32_t>{0x00064040, 0x000c8140}));
  const auto& s6 = std::get<sflow::FlowSample>(d.samples.at(1));
  EXPECT_EQ(find<sflow::Ipv6TunnelIn>(s6)->dst, key6.tun_ipv6_dst);
  EXPECT_EQ(find<sflow::Ipv6TunnelIn>(s6)->protocol, 47u);
  EXPECT_EQ(find<sflow::ExtendedMpls>(s6), nullptr);
}

TEST(SflowAgentTest, TheLargestSampleFits) {
  SflowSettings wanted = settings();
  wanted.agent = *flow::parse_ipv6("2001:db8::9");
  wanted.header_bytes = 65536;
  SflowAgent agent(wanted, at(0));
  flow::FlowKey key{};
  key.tun_ipv6_dst = *flow::parse_ipv6("2001:db8::2");
  for (auto& label : key.mpls_lse) label = be32::from_host(0x00001040);
  key.cold_parts = flow::find_cold_parts(key);
  const Bytes frame = frame_of(2000);
  SampledPacket p = packet_of(frame);
  p.key = &key;
  p.input.value = 0xffffffff;
  agent.add_sample(p, at(0));
  agent.add_sample(p, at(0));
  auto datagrams = agent.take_all(at(0));
  ASSERT_EQ(datagrams.size(), 2u);
  for (const Bytes& d : datagrams) EXPECT_LE(d.size(), sflow::max_datagram_bytes);
}

TEST(SflowAgentTest, ReconfiguringKeepsTheNumbers) {
  SflowAgent agent(settings(), at(0));
  const Bytes frame = frame_of(64);
  agent.add_sample(packet_of(frame), at(0));
  SflowSettings other = settings();
  other.agent = *flow::parse_ipv4("192.0.2.2");
  other.header_bytes = 8;
  agent.configure(other, at(10));
  agent.add_sample(packet_of(frame), at(10));
  auto datagrams = agent.take_all(at(20));
  ASSERT_EQ(datagrams.size(), 2u);
  EXPECT_EQ(to_text(read(datagrams[0]).agent), "192.0.2.1");
  const auto d = read(datagrams[1]);
  EXPECT_EQ(to_text(d.agent), "192.0.2.2");
  EXPECT_EQ(d.sequence, 2u);
  EXPECT_EQ(std::get<sflow::FlowSample>(d.samples.at(0)).sequence, 2u);
  EXPECT_EQ(find<sflow::SampledHeader>(std::get<sflow::FlowSample>(d.samples.at(0)))->header.size(), 8u);
}

TEST(SflowAgentTest, WhatNobodyTakesIsBounded) {
  SflowAgent agent(settings(), at(0));
  const Bytes frame = frame_of(64);
  for (int i = 0; i < 100'000; i++) agent.add_sample(packet_of(frame), at(0));
  auto datagrams = agent.take_datagrams(at(0));
  EXPECT_EQ(datagrams.size(), SflowAgent::max_waiting);
  // The newest are left, with their numbers.
  EXPECT_EQ(read(datagrams.back()).sequence, 100'000u / 9);
}

}  // namespace
}  // namespace ovs::telemetry
