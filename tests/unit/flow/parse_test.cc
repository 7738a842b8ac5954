#include "flow/parse.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "flow/protocols.h"
#include "frame.h"

namespace ovs::flow {
namespace {

const std::string macs = "020000000001 020000000002 ";
const std::string udp = "0035 1234 0010 0000 6162636465666768 ";
const std::string addresses6 = "20010db8000000000000000000000001 20010db8000000000000000000000002 ";
const std::string target = "fe800000000000000000000000000001 ";

std::string number16(std::size_t n) {
  char text[8];
  std::snprintf(text, sizeof text, "%04zx ", n & 0xffff);
  return text;
}

std::string ipv4(std::string_view proto, const std::string& payload, std::string_view frag = "0000",
                 std::string_view first = "45", int total = -1) {
  const std::size_t length = total >= 0 ? static_cast<std::size_t>(total) : 20 + hex(payload).size();
  return std::string(first) + "00 " + number16(length) + "1234 " + std::string(frag) + " 40" + std::string(proto) +
         " 0000 0a000001 0a000002 " + payload;
}

std::string in_ipv4(std::string_view proto, const std::string& payload, std::string_view frag = "0000",
                    std::string_view first = "45", int total = -1) {
  return macs + "0800 " + ipv4(proto, payload, frag, first, total);
}

std::string in_ipv6(std::string_view proto, const std::string& payload, int length = -1) {
  const std::size_t n = length >= 0 ? static_cast<std::size_t>(length) : hex(payload).size();
  return macs + "86dd 6ab12345 " + number16(n) + std::string(proto) + "40 " + addresses6 + payload;
}

// The hot fields that most tests are about, as text.
std::string summary(const FlowKey& key) {
  char text[160];
  std::snprintf(text, sizeof text, "type=%04x proto=%u ttl=%u frag=%u tp=%u,%u flags=%x", key.eth_type.host(),
                key.nw_proto, key.nw_ttl, key.nw_frag, key.tp_src.host(), key.tp_dst.host(), key.tcp_flags.host());
  return text;
}

std::string summary(std::string_view text) { return summary(key_of(text)); }

TEST(Parse, UdpOverIpv4) {
  Packet packet = frame(in_ipv4("11", udp));
  const FlowKey key = key_of(packet);
  FlowKey expected{};
  expected.eth_dst = mac("020000000001");
  expected.eth_src = mac("020000000002");
  expected.eth_type = eth_type::ipv4;
  expected.nw_src = be32::from_host(0x0a000001);
  expected.nw_dst = be32::from_host(0x0a000002);
  expected.nw_proto = 17;
  expected.nw_ttl = 64;
  expected.tp_src = be16::from_host(53);
  expected.tp_dst = be16::from_host(0x1234);
  EXPECT_EQ(key, expected);
  EXPECT_EQ(packet.l3_offset, 14);
  EXPECT_EQ(packet.l4_offset, 34);
  EXPECT_EQ(packet.l2_5_offset, no_offset);
}

TEST(Parse, EverythingOfAReusedKeyIsWritten) {
  for (const std::string& text :
       {in_ipv4("11", udp), in_ipv6("11", udp), macs + "0800", macs + "1234", macs + "8100", std::string("02"),
        macs + "0806 0001 0800 06 04 0001 020000000002 0a000001 000000000000 0a000002", macs + "8847 00064140",
        macs + "894f 0fc6 0103 00123405 00000001 00000002 00000003 00000004", in_ipv6("2c", "1100 0029 00000000"),
        in_ipv6("3a", "8700 0000 00000000 " + target + "0101 020000000009")}) {
    Packet packet = frame(text);
    FlowKey fresh{};
    begin_key(fresh, be32::from_host(3));
    parse(packet, fresh);
    FlowKey used;
    std::memset(&used, 0xff, sizeof used);
    begin_key(used, be32::from_host(3));
    std::memset(used.eth_dst.bytes.data(), 0xff, hot_bytes - offsetof(FlowKey, eth_dst));
    parse(packet, used);
    EXPECT_EQ(fresh, used) << text;
  }
}

TEST(Parse, ShortFrameHasNoHeader) {
  EXPECT_EQ(key_of("020000000001 020000000002 08"), FlowKey{});
  EXPECT_EQ(key_of(""), FlowKey{});
  EXPECT_EQ(key_of(macs + "0800").eth_dst, mac("020000000001"));
}

TEST(Parse, Tags) {
  const auto tag = [](std::uint16_t tpid, std::uint16_t tci) {
    return std::pair{tpid, tci};
  };
  const auto tags = [](std::string_view text) {
    const FlowKey key = key_of(text);
    return std::tuple{std::pair{key.vlan[0].tpid.host(), key.vlan[0].tci.host()},
                      std::pair{key.vlan[1].tpid.host(), key.vlan[1].tci.host()}, key.eth_type.host(),
                      key.tp_src.host()};
  };
  const auto none = tag(0, 0);
  const std::string rest = "0800 " + ipv4("11", udp);
  EXPECT_EQ(tags(macs + "8100 600a " + rest), std::tuple(tag(0x8100, 0x700a), none, 0x0800, 53));
  EXPECT_EQ(tags(macs + "8100 0000 " + rest), std::tuple(tag(0x8100, 0x1000), none, 0x0800, 53));
  EXPECT_EQ(tags(macs + "8100 1005 " + rest), std::tuple(tag(0x8100, 0x1005), none, 0x0800, 53));
  EXPECT_EQ(tags(macs + "88a8 600a 8100 0014 " + rest), std::tuple(tag(0x88a8, 0x700a), tag(0x8100, 0x1014), 0x0800, 53));
  EXPECT_EQ(tags(macs + "8100 000a 88a8 0014 " + rest), std::tuple(tag(0x8100, 0x100a), tag(0x88a8, 0x1014), 0x0800, 53));
  EXPECT_EQ(tags(macs + "8100 000a 8100 0014 8100 001e " + rest),
            std::tuple(tag(0x8100, 0x100a), tag(0x8100, 0x1014), 0x8100, 0));
  EXPECT_EQ(tags(macs + "9100 000a " + rest), std::tuple(none, none, 0x9100, 0));
  // Cut off.
  EXPECT_EQ(tags(macs + "8100 000a 08"), std::tuple(none, none, 0x8100, 0));
  EXPECT_EQ(tags(macs + "8100 000a 0800"), std::tuple(tag(0x8100, 0x100a), none, 0x0800, 0));
  EXPECT_EQ(tags(macs + "88a8 000a 8100 0014 08"), std::tuple(tag(0x88a8, 0x100a), none, 0x8100, 0));
}

TEST(Parse, Length) {
  const std::string ip = ipv4("11", udp);
  EXPECT_EQ(summary(macs + "002c aaaa03 000000 0800 " + ip), "type=0800 proto=17 ttl=64 frag=0 tp=53,4660 flags=0");
  for (const char* text : {"0010 4242 03 000000", "05ff 4242 03 000000", "0000", "002c aaaa03 00000c 0800 4500",
                                  "002c aaaa03 000000 05ff 4500", "002c aaaa13 000000 0800 4500", "002c aaaa03 000000 08"}) {
    EXPECT_EQ(summary(macs + text), "type=05ff proto=0 ttl=0 frag=0 tp=0,0 flags=0") << text;
  }
  EXPECT_EQ(key_of(macs + "0600 4242").eth_type, eth_type::least);
  EXPECT_EQ(summary(macs + "8100 000a 002c aaaa03 000000 0800 " + ip), "type=0800 proto=17 ttl=64 frag=0 tp=53,4660 flags=0");
  EXPECT_EQ(key_of(macs + "002c aaaa03 000000 8100 000a 0800").eth_type, eth_type::vlan);
}

TEST(Parse, Ipv4) {
  const std::string nothing = "type=0800 proto=0 ttl=0 frag=0 tp=0,0 flags=0";
  const std::string whole = "type=0800 proto=17 ttl=64 frag=0 tp=53,4660 flags=0";
  const std::string no_ports = "type=0800 proto=17 ttl=64 frag=0 tp=0,0 flags=0";
  EXPECT_EQ(summary(in_ipv4("11", udp, "0000", "45", 28)), whole);
  EXPECT_EQ(summary(in_ipv4("11", udp, "0000", "45", 27)), no_ports);
  EXPECT_EQ(summary(in_ipv4("11", udp, "0000", "45", 19)), nothing);
  EXPECT_EQ(summary(in_ipv4("11", udp, "0000", "45", 37)), nothing);
  EXPECT_EQ(summary(in_ipv4("11", udp, "0000", "44")), nothing);
  EXPECT_EQ(summary(in_ipv4("11", udp, "0000", "4f")), nothing);
  EXPECT_EQ(summary(in_ipv4("11", "01010101" + udp, "0000", "46")), whole);
  EXPECT_EQ(summary(in_ipv4("11", udp, "0000", "65")), whole);
  EXPECT_EQ(summary(in_ipv4("11", udp, "4000")), whole);
  EXPECT_EQ(summary(in_ipv4("11", udp, "2000")), "type=0800 proto=17 ttl=64 frag=1 tp=53,4660 flags=0");
  EXPECT_EQ(summary(in_ipv4("11", udp, "2001")), "type=0800 proto=17 ttl=64 frag=3 tp=0,0 flags=0");
  EXPECT_EQ(summary(in_ipv4("11", udp, "0001")), "type=0800 proto=17 ttl=64 frag=3 tp=0,0 flags=0");
}

TEST(Parse, OffsetsSayWhatIsWhole) {
  Packet later = frame(in_ipv4("11", udp, "0001"));
  key_of(later);
  EXPECT_EQ(later.l3_offset, 14);
  EXPECT_EQ(later.l4_offset, no_offset);
  Packet cut = frame(in_ipv4("06", "0050 0051"));
  key_of(cut);
  EXPECT_EQ(cut.l4_offset, no_offset);
  Packet bad = frame(in_ipv4("11", udp, "0000", "44"));
  key_of(bad);
  EXPECT_EQ(bad.l3_offset, no_offset);
  Packet tagged = frame(macs + "88a8 000a 8100 0014 0800 " + ipv4("11", udp));
  key_of(tagged);
  EXPECT_EQ(tagged.l3_offset, 22);
  EXPECT_EQ(tagged.l4_offset, 42);
  Packet extended = frame(in_ipv6("00", "11 00 000000000000 " + udp));
  key_of(extended);
  EXPECT_EQ(extended.l3_offset, 14);
  EXPECT_EQ(extended.l4_offset, 62);
}

TEST(Parse, Transport) {
  const std::string tcp = "0050 0051 00000000 00000000 ";
  const auto l4 = [](std::string_view proto, const std::string& payload) {
    const FlowKey key = key_of(in_ipv4(proto, payload));
    return std::tuple{key.tp_src.host(), key.tp_dst.host(), key.tcp_flags.host()};
  };
  using T = std::tuple<int, int, int>;
  EXPECT_EQ(l4("06", tcp + "5012 0000 0000 0000"), T(80, 81, 0x012));
  EXPECT_EQ(l4("06", tcp + "5fff 0000 0000 0000"), T(80, 81, 0xfff));
  EXPECT_EQ(l4("06", tcp + "6012 0000 0000 0000"), T(0, 0, 0));
  EXPECT_EQ(l4("06", tcp + "4012 0000 0000 0000"), T(0, 0, 0));
  EXPECT_EQ(l4("06", tcp + "5012 0000 0000 00"), T(0, 0, 0));
  EXPECT_EQ(l4("11", "0035 1234 0000 00"), T(0, 0, 0));
  EXPECT_EQ(l4("11", "0035 1234 0000 0000"), T(53, 0x1234, 0));
  EXPECT_EQ(l4("84", "0050 0051 00000000 00000000"), T(80, 81, 0));
  EXPECT_EQ(l4("84", "0050 0051 00000000 000000"), T(0, 0, 0));
  EXPECT_EQ(l4("01", "0304 0051 00000000"), T(3, 4, 0));
  EXPECT_EQ(l4("01", "0304 0051 000000"), T(0, 0, 0));
  EXPECT_EQ(l4("02", "1600 0051 e0000001"), T(22, 0, 0));
  EXPECT_EQ(l4("88", udp), T(0, 0, 0));
  EXPECT_EQ(l4("2f", udp), T(0, 0, 0));
}

TEST(Parse, Ipv6) {
  const FlowKey key = key_of(in_ipv6("11", udp));
  EXPECT_EQ(summary(key), "type=86dd proto=17 ttl=64 frag=0 tp=53,4660 flags=0");
  EXPECT_EQ(key.ipv6_src, ipv6("20010db8000000000000000000000001"));
  EXPECT_EQ(key.ipv6_dst, ipv6("20010db8000000000000000000000002"));
  EXPECT_EQ(key.ipv6_label.host(), 0x12345u);
  EXPECT_EQ(key.nw_tos, 0xab);
  EXPECT_EQ(summary(in_ipv6("11", udp, 8)), "type=86dd proto=17 ttl=64 frag=0 tp=53,4660 flags=0");
  EXPECT_EQ(summary(in_ipv6("11", udp, 7)), "type=86dd proto=17 ttl=64 frag=0 tp=0,0 flags=0");
  const FlowKey too_long = key_of(in_ipv6("11", udp, 17));
  EXPECT_EQ(too_long.ipv6_src, Ipv6Addr{});
  EXPECT_EQ(too_long.nw_proto, 0);
}

TEST(Parse, Ipv6Extensions) {
  const std::string to_udp = "11 00 000000000000 ";
  const std::string whole = "type=86dd proto=17 ttl=64 frag=0 tp=53,4660 flags=0";
  const std::string no_ports = "type=86dd proto=17 ttl=64 frag=0 tp=0,0 flags=0";
  const std::string cut = "type=86dd proto=0 ttl=0 frag=0 tp=0,0 flags=0";
  EXPECT_EQ(summary(in_ipv6("00", to_udp + udp)), whole);
  EXPECT_EQ(summary(in_ipv6("2b", to_udp + udp)), whole);
  EXPECT_EQ(summary(in_ipv6("3c", "11 01 000000000000 0000000000000000" + udp)), whole);
  EXPECT_EQ(summary(in_ipv6("33", "11 01 000000000000 00000000" + udp)), whole);
  EXPECT_EQ(summary(in_ipv6("00", "2b 00 000000000000 33 00 000000000000 3c 01 00000000000000000000" + to_udp + udp)), whole);
  EXPECT_EQ(summary(in_ipv6("3c", "11 00 0000000000")), cut);
  EXPECT_EQ(summary(in_ipv6("3c", "11 00 000000000000")), no_ports);
  EXPECT_EQ(summary(in_ipv6("3c", "11 c8 000000000000")), cut);
  EXPECT_EQ(summary(in_ipv6("3c", "11 01 000000000000 00000000000000")), cut);
  EXPECT_EQ(summary(in_ipv6("33", "11 02 000000000000 00000000000000")), cut);
  EXPECT_EQ(summary(in_ipv6("00", to_udp + udp, 0)), cut);
  EXPECT_EQ(key_of(in_ipv6("3c", "11 00 0000000000")).ipv6_src, ipv6("20010db8000000000000000000000001"));
  for (std::string_view other : {"32", "3b", "87", "8b"}) {
    EXPECT_EQ(key_of(in_ipv6(other, to_udp + udp)).tp_src, be16{0});
  }
}

TEST(Parse, Ipv6Fragments) {
  EXPECT_EQ(summary(in_ipv6("2c", "1100 0001 00001234 " + udp)), "type=86dd proto=17 ttl=64 frag=1 tp=53,4660 flags=0");
  EXPECT_EQ(summary(in_ipv6("2c", "1100 0000 00001234 " + udp)), "type=86dd proto=17 ttl=64 frag=0 tp=53,4660 flags=0");
  EXPECT_EQ(summary(in_ipv6("2c", "1100 0006 00001234 " + udp)), "type=86dd proto=17 ttl=64 frag=1 tp=53,4660 flags=0");
  EXPECT_EQ(summary(in_ipv6("2c", "1100 0029 00001234 " + udp)), "type=86dd proto=44 ttl=64 frag=3 tp=0,0 flags=0");
  EXPECT_EQ(summary(in_ipv6("2c", "1100 0028 00001234 " + udp)), "type=86dd proto=44 ttl=64 frag=3 tp=0,0 flags=0");
  EXPECT_EQ(summary(in_ipv6("2c", "2c00 0001 00001234 1100 0029 00001234" + udp)), "type=86dd proto=44 ttl=64 frag=3 tp=0,0 flags=0");
  EXPECT_EQ(summary(in_ipv6("2c", "3c00 0001 00001234 1100 000000000000 " + udp)), "type=86dd proto=17 ttl=64 frag=1 tp=53,4660 flags=0");
}

TEST(Parse, NeighborDiscovery) {
  const auto nd = [](const std::string& body) { return key_of(in_ipv6("3a", body)); };
  FlowKey key = nd("8700 0000 12345678 " + target + "0101 020000000009");
  EXPECT_EQ(key.tp_src.host(), 135);
  EXPECT_EQ(key.nd_reserved.host(), 0x12345678u);
  EXPECT_EQ(key.nd_target, ipv6(target));
  EXPECT_EQ(key.arp_sha, mac("020000000009"));
  EXPECT_EQ(key.arp_tha, EthAddr{});
  EXPECT_EQ(key.nd_options_type, 1);
  EXPECT_TRUE(key.cold_parts & cold_neighbor);

  key = nd("8800 0000 00000000 " + target + "0201 020000000009 0101 02000000000a");
  EXPECT_EQ(key.arp_sha, mac("02000000000a"));
  EXPECT_EQ(key.arp_tha, mac("020000000009"));
  EXPECT_EQ(key.nd_options_type, 2);

  key = nd("8700 0000 00000000 " + target + "0e01 020000000009 0101 02000000000a");  // an unknown option before
  EXPECT_EQ(key.arp_sha, mac("02000000000a"));
  EXPECT_EQ(key.nd_options_type, 1);

  for (std::string_view broken : {"0100 020000000009", "0102 020000000009", "0101 0200000000", "01"}) {
    key = nd("8700 0000 00000000 " + target + std::string(broken));
    EXPECT_EQ(key.nd_target, ipv6(target)) << broken;
    EXPECT_EQ(key.arp_sha, EthAddr{}) << broken;
    EXPECT_EQ(key.nd_options_type, 0) << broken;
  }

  key = nd("8700 0000 00000005 " + target + "0101 020000000009 0101 020000000009");  // twice
  EXPECT_EQ(key.nd_target, Ipv6Addr{});
  EXPECT_EQ(key.arp_sha, EthAddr{});
  EXPECT_EQ(key.nd_options_type, 1);
  EXPECT_EQ(key.nd_reserved.host(), 5u);

  key = nd("8700 0000 00000005 fe8000000000000000000000000000");  // cut off
  EXPECT_EQ(key.nd_target, Ipv6Addr{});
  EXPECT_EQ(key.nd_reserved.host(), 5u);

  EXPECT_EQ(nd("8701 0000 00000000 " + target).nd_target, Ipv6Addr{});
  EXPECT_EQ(nd("8500 0000 00000000 " + target).nd_target, Ipv6Addr{});
  EXPECT_EQ(key_of(in_ipv4("3a", "8700 0000 00000000 " + target)).nd_target, Ipv6Addr{});
}

TEST(Parse, Arp) {
  const std::string rest = " 020000000002 0a000001 020000000003 0a000002";
  FlowKey key = key_of(macs + "0806 0001 0800 06 04 0002" + rest);
  EXPECT_EQ(key.arp_op.host(), 2);
  EXPECT_EQ(key.nw_proto, 2);
  EXPECT_EQ(key.nw_src.host(), 0x0a000001u);
  EXPECT_EQ(key.nw_dst.host(), 0x0a000002u);
  EXPECT_EQ(key.arp_sha, mac("020000000002"));
  EXPECT_EQ(key.arp_tha, mac("020000000003"));
  EXPECT_EQ(key_of(macs + "8035 0001 0800 06 04 0003" + rest).arp_op.host(), 3);
  key = key_of(macs + "0806 0001 0800 06 04 0100" + rest);
  EXPECT_EQ(key.arp_op.host(), 0);
  EXPECT_EQ(key.nw_src.host(), 0x0a000001u);
  for (std::string_view wrong : {"0006 0800 06 04 0001", "0001 0801 06 04 0001", "0001 0800 07 04 0001", "0001 0800 06 05 0001"}) {
    key = key_of(macs + "0806 " + std::string(wrong) + rest);
    EXPECT_EQ(key.nw_src.host(), 0u) << wrong;
    EXPECT_EQ(key.arp_op.host(), 0) << wrong;
    EXPECT_EQ(key.cold_parts, 0) << wrong;
  }
  EXPECT_EQ(key_of(macs + "0806 0001 0800 06 04 0002 020000000002 0a000001 020000000003 0a0000").arp_op.host(), 0);
}

TEST(Parse, Mpls) {
  const auto labels = [](const std::string& text) {
    const FlowKey key = key_of(macs + text);
    return std::tuple{key.mpls_lse[0].host(), key.mpls_lse[1].host(), key.mpls_lse[2].host()};
  };
  using T = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  EXPECT_EQ(labels("8847 00064140 45000000"), T(0x00064140, 0, 0));
  EXPECT_EQ(labels("8848 00064040 00065140 45000000"), T(0x00064040, 0x00065140, 0));
  EXPECT_EQ(labels("8847 00064040 00065040 00066040 00067140"), T(0x00064040, 0x00065040, 0x00066040));
  EXPECT_EQ(labels("8847 00064040 000650"), T(0x00064040, 0, 0));
  EXPECT_EQ(labels("8847 000640"), T(0, 0, 0));
  Packet packet = frame(macs + "8100 0005 8847 00064140 45000000");
  const FlowKey key = key_of(packet);
  EXPECT_EQ(packet.l2_5_offset, 18);
  EXPECT_EQ(packet.l3_offset, no_offset);
  EXPECT_EQ(key.cold_parts, cold_mpls);
}

TEST(Parse, Nsh) {
  const std::string contexts = "00000001 00000002 00000003 00000004 ";
  FlowKey key = key_of(macs + "894f 2fc6 0103 00123405 " + contexts);
  EXPECT_EQ(key.nsh_flags, 2);
  EXPECT_EQ(key.nsh_ttl, 63);
  EXPECT_EQ(key.nsh_mdtype, 1);
  EXPECT_EQ(key.nsh_np, 3);
  EXPECT_EQ(key.nsh_path.host(), 0x00123405u);
  EXPECT_EQ(key.nsh_context[3].host(), 4u);
  EXPECT_EQ(key.cold_parts, cold_nsh);
  key = key_of(macs + "894f 0fc4 0203 00123405 0000000100000002");
  EXPECT_EQ(key.nsh_mdtype, 2);
  EXPECT_EQ(key.nsh_context[0].host(), 0u);
  EXPECT_EQ(key_of(macs + "894f 0fc1 0303 00123405").nsh_mdtype, 3);
  for (const std::string& broken :
       {"4fc6 0103 00123405 " + contexts, "0fc5 0103 00123405 " + contexts, "0fc7 0103 00123405 " + contexts,
        std::string("0fc4 0203 00123405 00000001000000"), std::string("0fc1 0203 00123405"), std::string("0fc6 0103 001234")}) {
    EXPECT_EQ(key_of(macs + "894f " + broken).nsh_mdtype, 0) << broken;
  }
}

TEST(Parse, ClearColdLeavesNothing) {
  FlowKey key;
  std::memset(&key, 0xff, sizeof key);
  clear_cold(key);
  FlowKey hot_only{};
  std::memset(&hot_only, 0xff, hot_bytes);
  hot_only.cold_parts = 0;
  EXPECT_EQ(key, hot_only);
}

// Whatever part of a frame is there, the bytes behind it change nothing: the parser does not look there.
TEST(Parse, NeverLooksBeyondTheFrame) {
  for (const std::string& text : {in_ipv4("06", "0050 0051 00000000 00000000 5012 0000 0000 0000"),
                                  in_ipv6("00", "2c00 000000000000 3a00 0001 00001234 8700 0000 00000000 " + target + "0101 020000000009"),
                                  macs + "88a8 600a 8100 0014 894f 0fc6 0103 00123405 00000001 00000002 00000003 00000004"}) {
    const auto bytes = hex(text);
    for (std::size_t n = 0; n <= bytes.size(); n++) {
      Packet a = Packet::copy_of(bytes), b(bytes.size() + 64);
      a.set_size(n);
      b.set_size(b.capacity());
      std::memset(b.data(), 0xff, b.size());
      std::memcpy(b.data(), bytes.data(), n);
      b.set_size(n);
      EXPECT_EQ(key_of(a), key_of(b)) << n;
    }
  }
}

TEST(FiveTupleHash, LooksAtWhatTellsConnectionsApart) {
  const FlowKey base = key_of(in_ipv4("11", udp));
  const std::uint32_t hash = five_tuple_hash(base);
  const auto changed = [&](auto change) {
    FlowKey key = base;
    change(key);
    return five_tuple_hash(key) != hash;
  };
  EXPECT_TRUE(changed([](FlowKey& k) { k.in_port = be32::from_host(1); }));
  EXPECT_TRUE(changed([](FlowKey& k) { k.eth_src.bytes[5] ^= 1; }));
  EXPECT_TRUE(changed([](FlowKey& k) { k.eth_dst.bytes[0] ^= 1; }));
  EXPECT_TRUE(changed([](FlowKey& k) { k.vlan[0].tci = be16::from_host(0x1001); }));
  EXPECT_TRUE(changed([](FlowKey& k) { k.nw_src = be32::from_host(0x0a000003); }));
  EXPECT_TRUE(changed([](FlowKey& k) { k.nw_dst = be32::from_host(0x0a000003); }));
  EXPECT_TRUE(changed([](FlowKey& k) { k.nw_proto = 6; }));
  EXPECT_TRUE(changed([](FlowKey& k) { k.tp_src = be16::from_host(54); }));
  EXPECT_TRUE(changed([](FlowKey& k) { k.tp_dst = be16::from_host(54); }));
  EXPECT_FALSE(changed([](FlowKey& k) { k.tcp_flags = be16::from_host(2); }));
  EXPECT_FALSE(changed([](FlowKey& k) { k.nw_ttl = 1; }));
  EXPECT_FALSE(changed([](FlowKey& k) { k.nw_tos = 4; }));
  FlowKey six = key_of(in_ipv6("11", udp));
  const std::uint32_t hash6 = five_tuple_hash(six);
  six.ipv6_src.bytes[15] ^= 1;
  EXPECT_NE(five_tuple_hash(six), hash6);
}

// Counting up any one field, or two together, fills the buckets of a table as evenly as chance would.
TEST(FiveTupleHash, SpreadsNeighbors) {
  const FlowKey base = key_of(in_ipv4("11", udp));
  const auto worst = [](const std::vector<std::uint32_t>& hashes, unsigned shift) {
    std::map<std::uint32_t, unsigned> buckets;
    unsigned most = 0;
    for (std::uint32_t h : hashes) most = std::max(most, ++buckets[h >> shift & 0xff]);
    return most;
  };
  std::vector<std::vector<std::uint32_t>> series(5);
  for (std::uint32_t i = 0; i < 65536; i++) {
    FlowKey key = base;
    key.nw_src = be32::from_host(i);
    series[0].push_back(five_tuple_hash(key));
    key = base;
    key.tp_dst = be16::from_host(static_cast<std::uint16_t>(i));
    series[1].push_back(five_tuple_hash(key));
    key.nw_dst = be32::from_host(i);
    series[2].push_back(five_tuple_hash(key));
    key = base;
    key.nw_src = key.nw_dst = be32::from_host(i << 16);
    series[3].push_back(five_tuple_hash(key));
    key = base;
    key.eth_src.bytes[4] = static_cast<std::uint8_t>(i >> 8);
    key.eth_dst.bytes[5] = static_cast<std::uint8_t>(i);
    series[4].push_back(five_tuple_hash(key));
  }
  for (std::size_t i = 0; i < series.size(); i++) {
    // 256 on average; six standard deviations are 96.
    for (unsigned shift : {0u, 8u, 16u, 24u}) EXPECT_LT(worst(series[i], shift), 352u) << i << " " << shift;
    EXPECT_GT(std::set(series[i].begin(), series[i].end()).size(), 65500u) << i;
  }
}

}  // namespace
}  // namespace ovs::flow
