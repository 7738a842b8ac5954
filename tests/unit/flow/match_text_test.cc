#include "flow/match_text.h"

#include <gtest/gtest.h>

#include <random>

#include "flow/extra_fields.h"
#include "flow/prerequisite.h"
#include "flow/protocols.h"

namespace ovs::flow {
namespace {

std::string again(std::string_view text) {
  const auto parsed = parse_match(text);
  return parsed ? format_match(parsed->match) : "error: " + parsed.error().message;
}

std::vector<std::string> warnings(std::string_view text) {
  const auto parsed = parse_match(text);
  return parsed ? parsed->warnings : std::vector<std::string>{"error: " + parsed.error().message};
}

TEST(MatchText, SetsTheKeyAndItsMask) {
  const auto parsed = parse_match("tcp,in_port=1,dl_vlan=10,nw_src=10.1.2.3/8");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->warnings.empty());
  Match expected;
  expected.key.in_port = be32::from_host(1);
  expected.mask.bits.in_port.raw = 0xffffffff;
  expected.mask.bits.packet_type.raw = 0xffffffff;
  expected.key.eth_type = eth_type::ipv4;
  expected.mask.bits.eth_type.raw = 0xffff;
  expected.key.vlan[0].tci = be16::from_host(0x100a);
  expected.mask.bits.vlan[0].tci = be16::from_host(0x1fff);
  expected.key.nw_src = be32::from_host(0x0a000000);
  expected.mask.bits.nw_src = be32::from_host(0xff000000);
  expected.key.nw_proto = 6;
  expected.mask.bits.nw_proto = 0xff;
  EXPECT_EQ(parsed->match, expected);
}

TEST(MatchText, NothingMatchesEverything) {
  const auto parsed = parse_match("");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->match, Match{});
  EXPECT_EQ(format_match(Match{}), "");
  EXPECT_EQ(again("nw_src=*,in_port=*"), "");
}

TEST(MatchText, WritesFieldsInAFixedOrder) {
  EXPECT_EQ(again("tp_dst=2,tp_src=1,nw_frag=no,nw_ttl=3,nw_ecn=1,nw_tos=4,nw_dst=2.2.2.2,nw_src=1.1.1.1,dl_dst=2:2:2:2:2:2,"
                  "dl_src=1:1:1:1:1:1,dl_vlan_pcp=2,dl_vlan=1,in_port=1,metadata=1,tun_id=3,reg1=2,tcp,ct_zone=1,"
                  "ct_state=-trk,conj_id=3,dp_hash=3,recirc_id=0,pkt_mark=5,tcp_flags=+syn"),
            "pkt_mark=0x5,recirc_id=0,dp_hash=0x3,conj_id=3,ct_state=-trk,ct_zone=1,eth,tcp,reg1=0x2,tun_id=0x3,metadata=0x1,"
            "in_port=1,dl_vlan=1,dl_vlan_pcp=2,dl_src=01:01:01:01:01:01,dl_dst=02:02:02:02:02:02,nw_src=1.1.1.1,nw_dst=2.2.2.2,"
            "nw_tos=4,nw_ecn=1,nw_ttl=3,nw_frag=no,tp_src=1,tp_dst=2,tcp_flags=+syn");
}

TEST(MatchText, Tags) {
  EXPECT_EQ(again("dl_vlan=65535"), "vlan_tci=0x0000");
  EXPECT_EQ(again("vlan_tci=0x1000/0x1000"), "vlan_tci=0x1000/0x1000");
  EXPECT_EQ(again("vlan_vid=0x1005,dl_vlan_pcp=7"), "dl_vlan=5,dl_vlan_pcp=7");
  EXPECT_EQ(again("dl_vlan=4096"),
            "error: dl_vlan: \"4096\" is not allowed; allowed are 0 to 4095, and 65535 for packets without a tag");
  EXPECT_EQ(again("vlan_pcp=8"), "error: vlan_pcp: \"8\" is not allowed; allowed are 0 to 7");
  ASSERT_EQ(warnings("vlan_vid=5").size(), 1U);
  EXPECT_NE(warnings("vlan_vid=5")[0].find("write dl_vlan=5 or vlan_vid=0x1005"), std::string::npos);
  EXPECT_TRUE(warnings("vlan_vid=0x1005").empty());
  EXPECT_TRUE(warnings("vlan_tci=0").empty());
}

TEST(MatchText, FieldsWithoutTheirProtocolAreLeftOut) {
  EXPECT_EQ(again("nw_src=10.0.0.1,in_port=1"), "in_port=1");
  EXPECT_EQ(warnings("nw_src=10.0.0.1"),
            std::vector<std::string>{"nw_src is left out of the match, because the match does not say ip"});
  EXPECT_EQ(again("tcp,icmp_type=3"), "tcp");
  EXPECT_EQ(again("nsh_flags=1"), "error: nsh_flags: the match must also say dl_type=0x894f");
  EXPECT_EQ(again("packet_type=(1,0x800),dl_src=1:2:3:4:5:6"),
            "error: dl_src: the match must also say an Ethernet packet (packet_type=(0,0))");
  EXPECT_EQ(again("tcp,nw_frag=later,tp_src=1"),
            "error: tp_src: the match must also say tcp or tcp6, and not nw_frag=later");
  EXPECT_EQ(again("ip,ct_nw_src=1.1.1.1"),
            "error: ct_nw_src: the match must also say ct_state=+new, +est, +rel or +trk-inv, and ip");
}

TEST(MatchText, UnknownNamesAreAnsweredWithTheNearest) {
  EXPECT_EQ(again("ip,nw_scr=1.2.3.4"), "error: unknown field \"nw_scr\"; did you mean \"nw_src\"?");
  EXPECT_EQ(again("tcpp"), "error: unknown field \"tcpp\"; did you mean \"tcp\"?");
  EXPECT_EQ(again("qqqqqqqq=1"), "error: unknown field \"qqqqqqqq\"");
  const std::string_view others[] = {"priority"};
  EXPECT_EQ(unknown_name("priorty", others), "unknown field \"priorty\"; did you mean \"priority\"?");
}

TEST(MatchText, WhatIsWrongIsSaidOfTheNameThatWasWritten) {
  EXPECT_EQ(again("ip,nw_src=1.2.3"), "error: nw_src: \"1.2.3\" is not an IPv4 address (A.B.C.D)");
  EXPECT_EQ(again("ip,nw_src"), "error: nw_src: a value is missing");
  EXPECT_EQ(again("tcp=1"), "error: \"tcp\" stands for a protocol and takes no value (\"1\")");
  EXPECT_EQ(again("icmp,tp_src=300"), "error: icmp_type: 300 is not allowed; allowed are 0 to 255");
  EXPECT_EQ(again("icmp,tp_src=3/7"), "error: icmp_type: the field can only be matched as a whole");
  EXPECT_EQ(again("reg0[3..40]=1"), "error: reg0[3..40]: the bits of reg0 are numbered from 0 to 31");
  EXPECT_EQ(again("reg0[0..3]=16"), "error: reg0[0..3]: \"16\" is not allowed; allowed are 0 to 0xf");
  EXPECT_EQ(again("nw_ttl[0..3]=1,ip"), "error: nw_ttl[0..3]: the field can only be matched as a whole");
  EXPECT_EQ(again("ct_state[5]=1"), "error: ct_state[5]: name the flags (+FLAG-FLAG) in place of bits");
}

TEST(MatchText, TosLosesEcnWithAWarning) {
  EXPECT_EQ(again("ip,nw_tos=0xb9"), "ip,nw_tos=184");
  EXPECT_EQ(warnings("ip,nw_tos=0xb9"),
            std::vector<std::string>{"nw_tos=0xb9 is matched without its lower two bits, which are nw_ecn"});
}

TEST(MatchText, NamesOfPorts) {
  const PortNames names{[](std::string_view name) -> std::optional<std::uint32_t> {
                          if (name == "eth0") return 5;
                          if (name == "p 1,\"x\"") return 6;
                          if (name == "local") return 7;
                          if (name == "br0") return 0xfffffffe;
                          return std::nullopt;
                        },
                        [](std::uint32_t port) -> std::optional<std::string> {
                          if (port == 5) return "eth0";
                          if (port == 6) return "p 1,\"x\"";
                          if (port == 8) return "eth0.5";
                          if (port == 9) return "10";
                          return std::nullopt;
                        }};
  const auto with_names = [&names](std::string_view text) {
    const auto parsed = parse_match(text, names);
    return parsed ? format_match(parsed->match, names) : "error: " + parsed.error().message;
  };
  EXPECT_EQ(with_names("in_port=eth0"), "in_port=eth0");
  EXPECT_EQ(with_names("in_port=\"eth0\",tcp"), "tcp,in_port=eth0");
  EXPECT_EQ(with_names("in_port=5"), "in_port=eth0");
  EXPECT_EQ(with_names("in_port=\"p 1,\\\"x\\\"\",tcp"), "tcp,in_port=\"p 1,\\\"x\\\"\"");
  EXPECT_EQ(with_names("in_port=8"), "in_port=\"eth0.5\"");
  EXPECT_EQ(with_names("in_port=9"), "in_port=\"10\"");
  EXPECT_EQ(with_names("in_port=local"), "in_port=LOCAL") << "reserved names come first";
  EXPECT_EQ(with_names("in_port=\"local\""), "in_port=7");
  EXPECT_EQ(with_names("in_port=br0"), "in_port=LOCAL");
  EXPECT_EQ(with_names("in_port=nope"), "error: in_port: there is no port nope");
  EXPECT_EQ(again("in_port=eth0"),
            "error: in_port: \"eth0\" is not a port: a number up to 65279, or LOCAL, CONTROLLER, ...");
}

TEST(MatchText, ItemsAreTakenOneByOne) {
  std::string_view text = " tcp, packet_type=(1, 0x800)\tin_port=\"a,b\\\"c\" nw_src:1.2.3.4,learn(x=1,y(2)),z=";
  std::string seen;
  while (const auto item = next_item(text)) {
    seen += std::string(item->name) + "|" + std::string(item->value) + "|" + (item->has_value ? "1" : "0") + ";";
  }
  EXPECT_EQ(seen, "tcp||0;packet_type|(1, 0x800)|1;in_port|\"a,b\\\"c\"|1;nw_src|1.2.3.4|1;learn|(x=1,y(2))|1;z||1;");
}

TEST(MatchText, DatapathMatches) {
  Mask mask;
  mask.bits.recirc_id.raw = 0xffffffff;
  for (const FieldId id : {FieldId::packet_type, FieldId::in_port, FieldId::eth_type, FieldId::ip_frag}) mask.look_at(id);
  FlowKey key{};
  key.in_port = be32::from_host(1);
  key.eth_type = eth_type::ipv4;
  EXPECT_EQ(format_match(Match::of(key, mask)), "recirc_id=0,eth,ip,in_port=1,nw_frag=no");
  mask.bits.vlan[0].tci = be16::from_host(0x1fff);
  mask.bits.vlan[1].tci = be16::from_host(0x1fff);
  EXPECT_EQ(format_match(Match::of(key, mask)),
            "recirc_id=0,eth,ip,in_port=1,vlan_tci=0x0000/0x1fff,vlan_tci1=0x0000/0x1fff,nw_frag=no");
}

// ---- whole flows

TEST(FlowText, ShowsWhatThePacketHas) {
  FlowKey key{};
  key.in_port = be32::from_host(1);
  key.eth_type = eth_type::ipv4;
  key.nw_proto = ip_proto::tcp;
  key.tp_dst = be16::from_host(80);
  EXPECT_EQ(format_flow(key),
            "tcp,in_port=1,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00,nw_src=0.0.0.0,nw_dst=0.0.0.0,"
            "nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no,tp_src=0,tp_dst=80,tcp_flags=0");
  key.nw_frag = frag_any | frag_later;
  EXPECT_EQ(format_flow(key),
            "tcp,in_port=1,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00,nw_src=0.0.0.0,nw_dst=0.0.0.0,"
            "nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=later");
}

TEST(FlowText, TwoTags) {
  FlowKey key{};
  key.vlan[0] = {eth_type::qinq, be16::from_host(0x100a)};
  key.vlan[1] = {eth_type::vlan, be16::from_host(0x3014)};
  EXPECT_EQ(format_flow(key), "in_port=0,dl_vlan=10,dl_vlan_pcp=0,dl_vlan1=20,dl_vlan_pcp1=1,dl_src=00:00:00:00:00:00,"
                              "dl_dst=00:00:00:00:00:00,dl_type=0x0000");
}

TEST(FlowText, ReadsBackWhatAPacketHas) {
  for (const char* text : {"ip,nw_proto=2,tp_src=22,in_port=1", "ipv6,nw_proto=1,tp_src=8,tp_dst=1,in_port=1",
                           "ip,nw_proto=58,tp_src=128,in_port=1", "dl_vlan=3,dl_vlan1=5,dl_vlan_pcp1=7,udp,in_port=1",
                           "mpls,mpls_label=3,mpls_lse1=5,mpls_lse2=256,in_port=1", "dl_type=0x894f,nsh_mdtype=1,nsh_c1=5,in_port=1",
                           "icmp6,icmp_type=135,nd_sll=1:2:3:4:5:6,in_port=1", "tun_dst=1.2.3.4,tun_ttl=64,in_port=1"}) {
    const auto key = parse_flow(text);
    ASSERT_TRUE(key) << key.error().message;
    const auto again = parse_flow(format_flow(*key));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *key) << format_flow(*key);
  }
  EXPECT_FALSE(parse_flow("ip,nw_proto=3,tp_src=22"));
  EXPECT_EQ(again("ip,nw_proto=2,tp_src=22"), "ip,nw_proto=2") << "no match speaks of IGMP's type";
}

TEST(FlowText, ATunnelIsShownIfThereIsOne) {
  FlowKey key{};
  key.tun_id.raw = 0;
  EXPECT_EQ(format_flow(key).find("tun"), std::string::npos);
  key.tun_dst = be32::from_host(0x0a000001);
  EXPECT_EQ(format_flow(key).substr(0, 60), "tun_src=0.0.0.0,tun_dst=10.0.0.1,tun_ipv6_src=::,tun_ipv6_ds");
}

TEST(FlowText, ReadsAPacket) {
  const auto key = parse_flow("in_port=3,arp,arp_op=2,arp_spa=10.0.0.1,dl_vlan=5,reg3=7");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->in_port.host(), 3U);
  EXPECT_EQ(key->eth_type, eth_type::arp);
  EXPECT_EQ(key->arp_op.host(), 2U);
  EXPECT_EQ(key->nw_proto, 2) << "as the parser of packets does it";
  EXPECT_EQ(key->nw_src.host(), 0x0a000001U);
  EXPECT_EQ(key->vlan[0].tci.host(), 0x1005U);
  EXPECT_EQ(key->vlan[0].tpid, eth_type::vlan);
  EXPECT_EQ(key->reg[3].host(), 7U);
  EXPECT_EQ(key->cold_parts, cold_neighbor | cold_registers);
}

TEST(FlowText, RefusesWhatIsNoPacket) {
  const auto message = [](std::string_view text) {
    const auto key = parse_flow(text);
    return key ? std::string("none") : key.error().message;
  };
  EXPECT_EQ(message("tcp,nw_src=10.0.0.0/8"), "nw_src: a flow cannot have wildcards (\"10.0.0.0/8\")");
  EXPECT_EQ(message("tcp,tcp_flags=+syn"), "tcp_flags: a flow cannot have wildcards (\"+syn\")");
  EXPECT_EQ(message("in_port=1,in_port=2"), "in_port: the field is set twice");
  EXPECT_EQ(message("tp_src=3"),
            "tp_src: the flow must also say tcp or tcp6, and not nw_frag=later");
  EXPECT_EQ(message("foo=3"), "unknown field \"foo\"");
  EXPECT_EQ(message("tcp,tp_src=3"), "none");
}

// ---- every field

// A match that says what the field needs, and nothing else.
Match with_prerequisites(const Field& f) {
  static constexpr std::string_view candidates[] = {
      "", "dl_vlan=5", "ip", "ipv6", "arp", "mpls", "tcp", "udp6", "sctp", "icmp", "icmp6", "dl_type=0x894f,nsh_mdtype=1",
      "icmp6,icmp_type=135,icmp_code=0", "icmp6,icmp_type=136,icmp_code=0", "ct_state=+est,ip,ct_nw_proto=6",
      "ct_state=+est,ipv6,ct_nw_proto=6", "tun_erspan_ver=1", "tun_erspan_ver=2"};
  for (const std::string_view text : candidates) {
    auto parsed = parse_match(text);
    EXPECT_TRUE(parsed) << text;
    if (prerequisites_met(parsed->match, f)) return parsed->match;
  }
  ADD_FAILURE() << "nothing meets the prerequisites of " << f.name;
  return {};
}

TEST(MatchText, EveryFieldComesBack) {
  std::mt19937 random(5);
  for (const Field& f : fields) {
    if (is_tunnel_metadata(f.id)) continue;
    for (int i = 0; i < 20; i++) {
      Match match = with_prerequisites(f);
      FieldValue mask = exact_mask(f);
      if (f.format == Format::ct_state) mask = FieldValue::of(f, 0xff);
      const bool partly = f.masking == Masking::any && f.format != Format::frag && i % 2 == 0;
      FieldValue value;
      for (std::size_t b = 0; b < f.wire_bytes; b++) {
        if (partly) mask.bytes[b] &= static_cast<std::uint8_t>(random());
        value.bytes[b] = mask.bytes[b] & static_cast<std::uint8_t>(random());
      }
      if (f.format == Format::frag) value = FieldValue::of(f, i % 4 == 1 ? frag_any : 0);
      if (f.format == Format::ct_state && !partly) mask = exact_mask(f);
      if (f.format == Format::ct_state && (mask.number(f) & 0xff) == 0xff) mask = exact_mask(f);
      if (f.format == Format::port) value = FieldValue::of(f, random() % 0xff00);
      if (f.format == Format::port16) value = FieldValue::of(f, random() & 0xffff);
      const auto [least, most] = value_range(f);
      if (f.masking == Masking::exact_only && f.wire_bytes <= 8 && (value.number(f) < least || value.number(f) > most)) {
        value = FieldValue::of(f, least);
      }
      if (f.id == FieldId::eth_type) value = FieldValue::of(f, 0x9000 + random() % 16);
      if (f.id == FieldId::nw_proto) value = FieldValue::of(f, 200);
      set_field(match.key, f, value);
      set_field(match.mask.bits, f, mask);
      // A match on a tag's priority demands a tag.
      if (f.id == FieldId::dl_vlan_pcp || f.id == FieldId::dl_vlan) {
        match.key.vlan[0].tci = match.key.vlan[0].tci | vlan_present;
        match.mask.bits.vlan[0].tci = match.mask.bits.vlan[0].tci | vlan_present;
      }
      if (!prerequisites_met(match, f)) continue;  // it has changed its own prerequisite
      imply_packet_type(match);

      const std::string text = format_match(match);
      const auto parsed = parse_match(text);
      ASSERT_TRUE(parsed) << f.name << ": " << text << ": " << parsed.error().message;
      EXPECT_EQ(parsed->match, match) << f.name << ": " << text << " became " << format_match(parsed->match);
    }
  }
}

}  // namespace
}  // namespace ovs::flow
