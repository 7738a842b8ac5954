#include "flow/compose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "flow/protocols.h"
#include "frame.h"

namespace ovs::flow {
namespace {

// Keys that some frame has, at random.
class KeyMaker {
 public:
  explicit KeyMaker(unsigned seed) : random_(seed) {}

  FlowKey operator()() {
    FlowKey key{};
    fill(key.eth_dst);
    fill(key.eth_src);
    const unsigned tags = number(3);
    for (unsigned i = 0; i < tags; i++) {
      key.vlan[i].tpid = number(2) ? eth_type::vlan : eth_type::qinq;
      key.vlan[i].tci = be16::from_host(static_cast<std::uint16_t>(number(0x10000))) | vlan_present;
    }
    switch (number(7)) {
      case 0: key.eth_type = eth_type::ipv4; ip(key); break;
      case 1: key.eth_type = eth_type::ipv6; ip(key); break;
      case 2: key.eth_type = number(2) ? eth_type::arp : eth_type::rarp; arp(key); break;
      case 3: key.eth_type = number(2) ? eth_type::mpls : eth_type::mpls_multicast; mpls(key); break;
      case 4: key.eth_type = eth_type::nsh; nsh(key); break;
      case 5: key.eth_type = eth_type::none; break;
      default: key.eth_type = be16::from_host(static_cast<std::uint16_t>(0x9900 + number(100)));
    }
    return key;
  }

  unsigned number(unsigned below) { return static_cast<unsigned>(random_() % below); }

 private:
  template <class T>
  void fill(T& x) {
    auto* p = reinterpret_cast<std::uint8_t*>(&x);
    for (std::size_t i = 0; i < sizeof x; i++) p[i] = static_cast<std::uint8_t>(random_());
  }

  void ip(FlowKey& key) {
    const bool six = key.eth_type == eth_type::ipv6;
    if (six) {
      fill(key.ipv6_src);
      fill(key.ipv6_dst);
      key.ipv6_label = be32::from_host(number(0x100000));
    } else {
      fill(key.nw_src);
      fill(key.nw_dst);
    }
    key.nw_tos = static_cast<std::uint8_t>(random_());
    key.nw_ttl = static_cast<std::uint8_t>(random_());
    constexpr std::uint8_t protos[] = {ip_proto::tcp, ip_proto::udp, ip_proto::sctp, ip_proto::icmp, ip_proto::igmp, ip_proto::icmpv6, 47, 89};
    key.nw_proto = protos[number(std::size(protos))];
    constexpr std::uint8_t frags[] = {0, 0, 0, frag_any, frag_any | frag_later};
    key.nw_frag = frags[number(std::size(frags))];
    if (key.nw_frag & frag_later) {
      if (six) key.nw_proto = ip_proto::fragment;
      return;
    }
    switch (key.nw_proto) {
      case ip_proto::tcp:
        key.tcp_flags = be16::from_host(static_cast<std::uint16_t>(number(0x1000)));
        [[fallthrough]];
      case ip_proto::udp:
      case ip_proto::sctp:
        fill(key.tp_src);
        fill(key.tp_dst);
        break;
      case ip_proto::icmp:
      case ip_proto::igmp:
      case ip_proto::icmpv6:
        key.tp_src = be16::from_host(static_cast<std::uint16_t>(number(3) ? 135 + number(2) : number(256)));
        key.tp_dst = be16::from_host(static_cast<std::uint16_t>(number(3) ? 0 : number(256)));
        if (six && key.nw_proto == ip_proto::icmpv6 && !key.tp_dst &&
            (key.tp_src.host() == 135 || key.tp_src.host() == 136)) {
          neighbor(key);
        }
        break;
      default:
        break;
    }
  }

  void neighbor(FlowKey& key) {
    key.cold_parts = cold_neighbor;
    fill(key.nd_target);
    fill(key.nd_reserved);
    if (number(2)) fill(key.arp_sha);
    if (number(2)) fill(key.arp_tha);
    const bool source = key.arp_sha != EthAddr{}, target = key.arp_tha != EthAddr{};
    if (source || target) key.nd_options_type = source && (!target || number(2)) ? nd_option_source : nd_option_target;
  }

  void arp(FlowKey& key) {
    key.cold_parts = cold_neighbor;
    fill(key.nw_src);
    fill(key.nw_dst);
    fill(key.arp_sha);
    fill(key.arp_tha);
    key.nw_proto = static_cast<std::uint8_t>(random_());
    key.arp_op = be16::from_host(key.nw_proto);
  }

  void mpls(FlowKey& key) {
    key.cold_parts = cold_mpls;
    constexpr be32 bottom_of_stack = be32::from_host(0x100);
    const unsigned labels = 1 + number(4);
    for (unsigned i = 0; i < std::min<unsigned>(labels, max_mpls_labels); i++) {
      fill(key.mpls_lse[i]);
      key.mpls_lse[i] = key.mpls_lse[i] & ~bottom_of_stack;
      if (i + 1 == labels) key.mpls_lse[i] = key.mpls_lse[i] | bottom_of_stack;
    }
  }

  void nsh(FlowKey& key) {
    key.cold_parts = cold_nsh;
    key.nsh_flags = static_cast<std::uint8_t>(number(4));
    key.nsh_ttl = static_cast<std::uint8_t>(number(64));
    key.nsh_mdtype = static_cast<std::uint8_t>(1 + number(2));
    fill(key.nsh_np);
    fill(key.nsh_path);
    if (key.nsh_mdtype == 1) fill(key.nsh_context);
  }

  std::mt19937 random_;
};

TEST(Compose, ParseGivesTheKeyBack) {
  KeyMaker make(7);
  for (int i = 0; i < 50000; i++) {
    const FlowKey key = make();
    const std::size_t payload = make.number(2) ? 0 : make.number(100);
    // The option bytes that a payload would be taken for.
    Packet packet = compose(key, key.cold_parts == cold_neighbor ? 0 : payload);
    ASSERT_EQ(key_of(packet), key) << i;
  }
}

// A frame known byte by byte: what the packaged switch makes of
// "eth(src=02:00:00:00:00:02,dst=02:00:00:00:00:01),eth_type(0x8100),vlan(vid=5,pcp=3),encap(eth_type(0x0800),
// ipv4(src=1.2.3.4,dst=5.6.7.8,proto=17,tos=4,ttl=9,frag=no),udp(src=1,dst=2))".
TEST(Compose, IsWhatTheFieldComposes) {
  FlowKey key{};
  key.eth_dst = mac("020000000001");
  key.eth_src = mac("020000000002");
  key.vlan[0] = {eth_type::vlan, be16::from_host(0x7005)};
  key.eth_type = eth_type::ipv4;
  key.nw_src = be32::from_host(0x01020304);
  key.nw_dst = be32::from_host(0x05060708);
  key.nw_proto = ip_proto::udp;
  key.nw_tos = 4;
  key.nw_ttl = 9;
  key.tp_src = be16::from_host(1);
  key.tp_dst = be16::from_host(2);
  EXPECT_EQ(usual_payload(key), 64u);
  const auto expected = hex(
      "0200000000010200000000028100600508004504005c000000000911a17a01020304050607080001000200480b4400010203040506070809"
      "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f");
  EXPECT_TRUE(std::ranges::equal(compose(key, usual_payload(key)).bytes(), expected));

  // "icmpv6(type=135,code=0),nd(target=5::6,sll=02:00:00:00:00:09,tll=02:00:00:00:00:0a)"
  key = FlowKey{};
  key.eth_dst = mac("020000000001");
  key.eth_src = mac("020000000002");
  key.eth_type = eth_type::ipv6;
  key.ipv6_src = ipv6("00010000000000000000000000000002");
  key.ipv6_dst = ipv6("00030000000000000000000000000004");
  key.ipv6_label = be32::from_host(0x12345);
  key.nw_proto = ip_proto::icmpv6;
  key.nw_tos = 9;
  key.nw_ttl = 3;
  key.tp_src = be16::from_host(135);
  key.nd_target = ipv6("00050000000000000000000000000006");
  key.arp_sha = mac("020000000009");
  key.arp_tha = mac("02000000000a");
  EXPECT_EQ(usual_payload(key), 0u);
  const auto solicitation = hex(
      "02000000000102000000000286dd6091234500283a0300010000000000000000000000000002000300000000000000000000000000048700"
      "717300000000000500000000000000000000000000060101020000000009020102000000000a");
  EXPECT_TRUE(std::ranges::equal(compose(key, 0).bytes(), solicitation));
}

TEST(Compose, UsualPayload) {
  FlowKey key{};
  key.eth_type = eth_type::ipv4;
  key.nw_proto = ip_proto::tcp;
  EXPECT_EQ(usual_payload(key), 64u);
  key.tcp_flags = be16::from_host(0x012);
  EXPECT_EQ(usual_payload(key), 0u);
  key.tcp_flags = {};
  key.nw_proto = ip_proto::icmp;
  key.tp_src = be16::from_host(8);
  EXPECT_EQ(usual_payload(key), 64u);
  key.tp_src = be16::from_host(3);
  EXPECT_EQ(usual_payload(key), 0u);
  key.nw_proto = ip_proto::udp;
  key.nw_frag = frag_any;
  EXPECT_EQ(usual_payload(key), 64u);
  key.nw_frag = frag_any | frag_later;
  EXPECT_EQ(usual_payload(key), 0u);
  key.eth_type = eth_type::arp;
  EXPECT_EQ(usual_payload(key), 0u);
}

}  // namespace
}  // namespace ovs::flow
