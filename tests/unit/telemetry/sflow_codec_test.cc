#include "telemetry/sflow_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "flow/address.h"

namespace ovs::telemetry::sflow {
namespace {

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  std::string digits;
  for (char c : text) {
    if (c == ' ') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits, nullptr, 16)));
    digits.clear();
  }
  return bytes;
}

std::vector<std::uint8_t> encoded(const Datagram& d) {
  std::vector<std::uint8_t> bytes;
  encode(d, bytes);
  return bytes;
}

FlowSample some_flow_sample() {
  FlowSample s;
  s.sequence = 7;
  s.source = {Source::entity, 1000};
  s.rate = 64;
  s.pool = 448;
  s.drops = 1;
  s.input = {Interface::single, 3};
  s.output = {Interface::multiple, 2};
  s.records = {SampledHeader{SampledHeader::ethernet, 64, 4, {0xde, 0xad, 0xbe, 0xef, 0x01}},
               ExtendedSwitch{10, 5, 11, 6}};
  return s;
}

// Everything that has a struct.
Datagram full_datagram() {
  Datagram d;
  d.agent = *flow::parse_ipv6("2001:db8::1");
  d.sub_agent = 1;
  d.sequence = 2;
  d.uptime = 3;
  FlowSample s = some_flow_sample();
  s.records.emplace_back(ExtendedMpls{*flow::parse_ipv4("192.0.2.1"), {1, 2}, {3}});
  s.records.emplace_back(Ipv4TunnelIn{1, 17, *flow::parse_ipv4("10.0.0.1"), *flow::parse_ipv4("10.0.0.2"), 2, 3, 4, 5});
  s.records.emplace_back(Ipv4TunnelOut{});
  s.records.emplace_back(Ipv6TunnelIn{});
  s.records.emplace_back(Ipv6TunnelOut{1, 47, *flow::parse_ipv6("::1"), *flow::parse_ipv6("::2"), 0, 0, 0, 0});
  s.records.emplace_back(TunnelVniIn{5});
  s.records.emplace_back(TunnelVniOut{6});
  s.records.emplace_back(Opaque{0x1234567, {1, 2, 3, 4}});
  d.samples.emplace_back(s);
  CounterSample c;
  c.sequence = 9;
  c.source = {Source::interface, 3};
  InterfaceCounters i;
  i.index = 3;
  i.speed = 10'000'000'000;
  i.in_octets = 0x123456789a;
  c.records = {i,
               EthernetCounters{},
               VlanCounters{10, 1, 2, 3, 4, 5},
               Processor{1, 2, 3, 4, 5},
               PortName{"eth0"},
               OpenflowPort{0xabcdef, 7},
               ProcessResources{1, 2, 3, 4, 5, 6, 7, 8},
               LookUpCounters{}};
  d.samples.emplace_back(c);
  d.samples.emplace_back(Opaque{0x99, {}});
  return d;
}

TEST(SflowCodecTest, AFlowSampleByteByByte) {
  Datagram d;
  d.agent = *flow::parse_ipv4("192.0.2.1");
  d.sub_agent = 1;
  d.sequence = 2;
  d.uptime = 1500;
  d.samples.emplace_back(some_flow_sample());
  // sFlow Version 5, section 5.3, and RFC 4506 for how the numbers stand.
  EXPECT_EQ(encoded(d), from_hex("00000005 00000001 c0000201 00000001 00000002 000005dc 00000001"
                                 "00000001 00000058"
                                 "00000007 020003e8 00000040 000001c0 00000001 00000003 80000002 00000002"
                                 "00000001 00000018 00000001 00000040 00000004 00000005 deadbeef 01000000"
                                 "000003e9 00000010 0000000a 00000005 0000000b 00000006"));
}

TEST(SflowCodecTest, ACounterSampleByteByByte) {
  Datagram d;
  d.agent = *flow::parse_ipv6("2001:db8::2");
  CounterSample c;
  c.sequence = 1;
  c.source = {Source::interface, 5};
  c.records = {OpenflowPort{0x0000d66c38741442, 0xfffe}, PortName{"br0"}};
  d.samples.emplace_back(c);
  EXPECT_EQ(encoded(d), from_hex("00000005 00000002 20010db8000000000000000000000002"
                                 "00000000 00000000 00000000 00000001"
                                 "00000002 00000030"
                                 "00000001 00000005 00000002"
                                 "000003ec 0000000c 0000d66c 38741442 0000fffe"
                                 "000003ed 00000008 00000003 62723000"));
}

TEST(SflowCodecTest, WhatIsWrittenIsRead) {
  const Datagram d = full_datagram();
  auto read = decode(encoded(d));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, d);
}

TEST(SflowCodecTest, NumbersTooLargeForTheCompactFormTakeTheExpandedOne) {
  for (std::uint32_t index : {0xffffffu, 0x1000000u, 0xffffffffu}) {
    for (std::uint32_t interface : {0x3fffffffu, 0x40000000u, 0xffffffffu}) {
      Datagram d;
      FlowSample s = some_flow_sample();
      s.source = {Source::interface, index};
      s.input = {Interface::single, interface};
      CounterSample c;
      c.source = s.source;
      d.samples = {s, c};
      const auto bytes = encoded(d);
      const bool compact = index < 0x1000000 && interface < 0x40000000;
      EXPECT_EQ(bytes[27], compact ? 1 : 3);
      auto read = decode(bytes);
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_EQ(*read, d);
    }
  }
}

TEST(SflowCodecTest, ALongerVersionOfAStructureIsReadAsFarAsItIsKnown) {
  Datagram d;
  CounterSample c;
  c.records = {Opaque{1005, from_hex("00000003 62723000 99999999")}};
  d.samples.emplace_back(c);
  auto read = decode(encoded(d));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(std::get<CounterSample>(read->samples.at(0)).records.at(0), CounterRecord(PortName{"br0"}));
}

TEST(SflowCodecTest, EveryTruncationIsAnError) {
  const auto bytes = encoded(full_datagram());
  for (std::size_t n = 0; n < bytes.size(); n++) {
    EXPECT_FALSE(decode(std::span(bytes).first(n))) << n;
  }
}

TEST(SflowCodecTest, ErrorsSayWhereAndWhat) {
  auto error = [](std::string_view hex) {
    auto d = decode(from_hex(hex));
    return d ? std::string("none") : d.error().message;
  };
  EXPECT_EQ(error(""), "byte 0: version: 4 bytes wanted, 0 are left");
  EXPECT_EQ(error("00000004"), "version 4 of sFlow, not 5");
  EXPECT_EQ(error("00000005 00000003"), "byte 8: agent: no kind of address has the number 3");
  const std::string head = "00000005 00000001 7f000001 00000000 00000001 00000000 ";
  EXPECT_EQ(error(head + "00000000"), "none");
  EXPECT_EQ(error(head + "ffffffff"), "byte 28: samples: 34359738360 bytes wanted, 0 are left");
  EXPECT_EQ(error(head + "00000000 00"), "byte 28: bytes after the last sample");
  EXPECT_EQ(error(head + "00000001 00000001 00000003 000000"), "byte 36: sample: its length, 3, is no multiple of 4");
  EXPECT_EQ(error(head + "00000001 00000001 00000008 00000000"), "byte 36: sample: 8 bytes wanted, 4 are left");
  EXPECT_EQ(error(head + "00000001 00000002 0000000c 00000000 00000000 00000001"),
            "byte 48: records: 8 bytes wanted, 0 are left");
}

TEST(SflowCodecTest, Printed) {
  Datagram d;
  d.agent = *flow::parse_ipv4("192.0.2.1");
  d.sequence = 2;
  d.samples.emplace_back(some_flow_sample());
  EXPECT_EQ(ovs::to_text(to_json(d)),
            R"({"agent":"192.0.2.1","sub_agent":0,"sequence":2,"uptime":0,"samples":[{"sample":"flow","sequence":7,)"
            R"("source":"2:1000","rate":64,"pool":448,"drops":1,"input":3,"output":"multiple:2","records":[)"
            R"({"record":"sampled_header","protocol":1,"frame_length":64,"stripped":4,"header":"deadbeef01"},)"
            R"({"record":"extended_switch","in_vlan":10,"in_priority":5,"out_vlan":11,"out_priority":6}]}]})");
}

TEST(SflowCodecTest, WhatIsPrintedIsJsonWhateverANameContains) {
  for (const auto& [name, printed] : {std::pair("\xff\"\x01", "ff2201"), std::pair("\"\x01", "\"\x01")}) {
    Datagram d;
    CounterSample c;
    c.records = {PortName{name}};
    d.samples.emplace_back(c);
    const auto read = parse_json(ovs::to_text(to_json(d)));
    ASSERT_TRUE(read) << read.error().message;
    const auto& record = read->at("samples").at(0).at("records").at(0);
    EXPECT_EQ(record.at("name").as_string(), printed);
  }
}

}  // namespace
}  // namespace ovs::telemetry::sflow
