#include <gtest/gtest.h>

#include <string>

#include "datapath/action_text.h"
#include "datapath/flow_text.h"

namespace ovs::datapath {
namespace {

std::string rewritten_match(std::string_view text) {
  auto match = parse_match(text);
  if (!match) return "error: " + match.error().message;
  return format_match(*match);
}

std::string rewritten_actions(std::string_view text) {
  auto actions = parse_actions(text);
  if (!actions) return "error: " + actions.error().message;
  auto again = parse_actions(format_actions(*actions));
  if (!again || *again != *actions) return "does not read back: " + format_actions(*actions);
  return format_actions(*actions);
}

const std::string head = "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02)";

// What the packaged switch prints for a megaflow reads back as the same text.
TEST(FlowText, ReadsBackWhatItWrites) {
  for (const std::string& text : {
           head + ",eth_type(0x1234)",
           head + ",eth_type(0x8100),vlan(vid=10,pcp=0),encap(eth_type(0x0800),ipv4(frag=no))",
           head + ",eth_type(0x8100),vlan(vid=10,pcp=0/0x0),encap(eth_type(0x0800),ipv4(frag=no))",
           head + ",eth_type(0x88a8),vlan(vid=10,pcp=1),encap(eth_type(0x8100),vlan(vid=20,pcp=2),encap(eth_type(0x0800),ipv4(frag=no)))",
           head + ",eth_type(0x0800),ipv4(src=1.2.3.4,dst=5.6.7.8,proto=6,tos=0,ttl=64,frag=no),tcp(src=1,dst=512/0xff00),tcp_flags(syn|ack)",
           head + ",eth_type(0x0800),ipv4(src=1.0.3.0/255.0.255.0,tos=0x4/0xfc,frag=no)",
           head + ",eth_type(0x0800),ipv4(proto=6,frag=no),tcp_flags(+syn-ack)",
           head + ",eth_type(0x0800),ipv4(proto=17,frag=first),udp(src=1)",
           head + ",eth_type(0x0800),ipv4(proto=17,frag=later)",
           head + ",eth_type(0x0800),ipv4(proto=17,frag=no),udp(src=16/0xf0)",
           head + ",eth_type(0x0800),ipv4(proto=132,frag=no),sctp(dst=1)",
           head + ",eth_type(0x0800),ipv4(proto=1,frag=no),icmp(type=8,code=0)",
           head + ",eth_type(0x0806),arp(sip=10.0.0.2,tip=10.0.0.1,op=1,sha=50:54:00:00:00:09,tha=00:00:00:00:00:00)",
           head + ",eth_type(0x86dd),ipv6(src=fe80::/ffc0::,dst=::1,label=0x12,proto=58,tclass=0x4,hlimit=128,frag=no),"
                  "icmpv6(type=135,code=0),nd(target=fe80::1,sll=00:00:00:00:00:01)",
           head + ",eth_type(0x8847),mpls(label=100,tc=1,ttl=64,bos=1)",
           "skb_priority(0x1),skb_mark(0x12/0xff),ct_state(-new+trk),ct_zone(0x5),ct_mark(0x1/0x1),ct_label(0x1/0x1)," +
               std::string("recirc_id(0),dp_hash(0x1/0xf),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(frag=no)"),
           std::string("recirc_id(0x12),in_port(1),eth_type(0x1234)"),
           std::string(""),
       }) {
    EXPECT_EQ(rewritten_match(text), text);
  }
}

TEST(FlowText, MeansWhatItSays) {
  const auto match = parse_match("in_port(7),eth_type(0x8100),vlan(vid=10/0xff,pcp=3),encap(eth_type(0x0800),ipv4(src=10.1.2.3/255.0.0.0))");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->key.in_port, be32::from_host(7));
  EXPECT_EQ(match->mask.bits.in_port, be32::from_host(0xffffffff));
  EXPECT_EQ(match->key.vlan[0].tpid, be16::from_host(0x8100));
  EXPECT_EQ(match->key.vlan[0].tci, be16::from_host(0x700a));
  EXPECT_EQ(match->mask.bits.vlan[0].tci, be16::from_host(0xf0ff));
  EXPECT_EQ(match->mask.bits.vlan[1].tci, be16::from_host(0xffff)) << "no second tag";
  EXPECT_EQ(match->key.eth_type, be16::from_host(0x0800));
  EXPECT_EQ(match->key.nw_src, be32::from_host(0x0a000000)) << "nothing is set outside the mask";
}

TEST(FlowText, WritesWhatIsNotMatchedIfAsked) {
  const auto match = parse_match(head + ",eth_type(0x0800),ipv4(proto=17,frag=no)");
  ASSERT_TRUE(match);
  const PortName name = [](DpPort port) -> std::optional<std::string> {
    if (raw(port) == 1) return "p1";
    return std::nullopt;
  };
  EXPECT_EQ(format_match(*match, name, true),
            "skb_priority(0/0),skb_mark(0/0),ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0),recirc_id(0),"
            "dp_hash(0/0),in_port(p1),packet_type(ns=0,id=0),eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),"
            "eth_type(0x0800),ipv4(src=0.0.0.0/0.0.0.0,dst=0.0.0.0/0.0.0.0,proto=17,tos=0/0,ttl=0/0,frag=no),"
            "udp(src=0/0,dst=0/0)");
}

TEST(FlowText, ReadsNamesOfPorts) {
  const PortNumber number = [](std::string_view name) -> std::optional<DpPort> {
    if (name == "p-1.2") return DpPort{5};
    return std::nullopt;
  };
  EXPECT_EQ(parse_key("in_port(p-1.2)", number)->in_port, be32::from_host(5));
  EXPECT_FALSE(parse_key("in_port(p2)", number));
  EXPECT_FALSE(parse_key("in_port(p-1.2)"));
}

TEST(FlowText, AKeyTakesNoMask) {
  EXPECT_TRUE(parse_key("eth_type(0x0800),ipv4(src=1.2.3.4)"));
  for (const char* text : {"eth_type(0x0800),ipv4(src=1.2.3.4/255.0.0.0)", "ct_state(+trk)", "tcp_flags(2/2)",
                           "eth_type(0x0800/0xff)", "in_port(1/1)"}) {
    EXPECT_FALSE(parse_key(text)) << text;
  }
}

TEST(FlowText, AnArpKeyHasItsColdMembersNoted) {
  const auto key = parse_key("eth_type(0x0806),arp(sip=1.2.3.4,op=2,sha=00:00:00:00:00:03)");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->cold_parts, flow::cold_neighbor);
  EXPECT_EQ(key->nw_proto, 2);
}

TEST(FlowText, RefusesWhatItDoesNotUnderstandAndSaysWhere) {
  EXPECT_EQ(rewritten_match("in_port(1),foo(1)"), "error: there is no such header at \"foo(1)\"");
  EXPECT_EQ(rewritten_match("eth(src=1,dst=2)"), "error: an Ethernet address is wrong at \"1,dst=2)\"");
  EXPECT_EQ(rewritten_match("eth_type(0x800)ipv4"), "error: the name of a header and \"(\" are missing at \"ipv4\"");
  for (const char* text :
       {"in_port", "in_port(", "in_port(1", "in_port()", "eth_type(0x10000)", "ipv4(proto=256)", "ipv4(srcx=1.2.3.4)",
        "ipv4(src=1.2.3)", "encap(eth_type(0x800))", "eth_type(0x8100),vlan(vid=4096,pcp=0)", "vlan(vid=1),vlan(vid=2)",
        "vlan(vid=1),encap(vlan(vid=1),encap(vlan(vid=1)))", "ct_state(+foo)", "ipv4(frag=yes)", "tunnel(tun_id=1)",
        "ct_label(0x123456789012345678901234567890123)", "eth_type(0x800))", "skb_mark(1/)"}) {
    EXPECT_TRUE(rewritten_match(text).starts_with("error: ")) << text << " was taken";
  }
}

TEST(ActionText, ReadsBackWhatItWrites) {
  for (const char* text : {
           "drop", "1,2", "push_vlan(vid=10,pcp=0),2", "push_vlan(tpid=0x88a8,vid=10,pcp=3),2",
           "push_vlan(vid=10,pcp=0,cfi=0),2", "pop_vlan,1", "set(eth(src=00:11:22:33:44:55))",
           "set(eth(src=00:11:22:33:44:55/ff:ff:00:00:00:00,dst=00:11:22:33:44:56))",
           "set(ipv4(src=1.2.3.4/255.255.0.0,tos=0x20/0xfc,ttl=63))",
           "set(ipv6(src=fe80::1/ffff::,label=0x1/0xff,tclass=0x3,hlimit=4/0xf))", "set(ipv6(label=0x12345))",
           "set(tcp(src=1))", "set(udp(src=16/0xff,dst=3))", "set(sctp(src=1,dst=2))",
           "set(arp(sip=1.2.3.4,tip=1.2.3.4/255.0.0.0,op=2,sha=00:11:22:33:44:55,tha=00:11:22:33:44:55/ff:ff:ff:00:00:00))",
           "set(skb_mark(0x55/0xff))", "set(skb_priority(0x1))", "sample(sample=50.0%,actions(1,2))",
           "sample(sample=100.0%,actions(drop))", "sample(sample=0.1%,actions(userspace(pid=0,userdata(0102))))",
           "userspace(pid=0)", "userspace(pid=0,userdata(0102030405))", "set(eth())",
       }) {
    EXPECT_EQ(rewritten_actions(text), text);
  }
}

TEST(ActionText, IsGenerousWhereThePackagedSwitchIs) {
  EXPECT_EQ(rewritten_actions(" 1, 2 ,3"), "1,2,3");
  EXPECT_EQ(rewritten_actions(""), "drop");
  EXPECT_EQ(rewritten_actions("1,,2"), "1,2");
  EXPECT_EQ(rewritten_actions("set(ipv4(tos=32))"), "set(ipv4(tos=0x20))");
  EXPECT_EQ(rewritten_actions("set(skb_mark(0xffffffff/0xffffffff))"), "set(skb_mark(0xffffffff))");
  EXPECT_EQ(rewritten_actions("userspace(pid=12345)"), "userspace(pid=0)");
}

TEST(ActionText, RefusesWhatItDoesNotUnderstand) {
  for (const char* text :
       {"p1", "push_vlan(pcp=0)", "push_vlan(vid=4096,pcp=0)", "push_vlan(vid=5,pcp=8)", "userspace()", "userspace",
        "userspace(pid=0,userdata(0))", "userspace(pid=0,userdata(0g))", "set(tcp(src=70000))", "set(foo(1))", "set(", "set(tcp(src=1)",
        "sample(sample=101%,actions(1))", "sample(sample=1%)", "sample(sample=nan%,actions(1))", "4294967296", "drop(1)",
        "sample(sample=1%,actions(1)", "recirc(1)"}) {
    EXPECT_TRUE(rewritten_actions(text).starts_with("error: ")) << text << " was taken";
  }
  std::string deep;
  for (int i = 0; i < 100; i++) deep += "sample(sample=50%,actions(";
  EXPECT_TRUE(rewritten_actions(deep).starts_with("error: "));
}

TEST(ActionText, NamesPortsAndCookiesIfAsked) {
  const ActionText text{
      [](DpPort port) -> std::optional<std::string> { return raw(port) == 1 ? std::optional<std::string>("p1") : std::nullopt; },
      [](std::span<const std::uint8_t> cookie) -> std::optional<std::string> {
        return cookie.size() == 1 ? std::optional<std::string>("slow_path(action)") : std::nullopt;
      }};
  EXPECT_EQ(format_actions({Output{DpPort{1}}, Output{DpPort{2}}, Userspace{{7}}, Userspace{{7, 8}}}, text),
            "p1,2,userspace(pid=0,slow_path(action)),userspace(pid=0,userdata(0708))");
}

}  // namespace
}  // namespace ovs::datapath
