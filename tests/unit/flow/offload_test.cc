#include "flow/offload.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flow/checksum.h"
#include "flow/compose.h"
#include "flow/protocols.h"
#include "frame.h"

namespace ovs::flow {
namespace {

FlowKey tcp_key(bool ipv6_wanted) {
  FlowKey key{};
  key.eth_dst = mac("020000000001");
  key.eth_src = mac("020000000002");
  key.eth_type = ipv6_wanted ? eth_type::ipv6 : eth_type::ipv4;
  if (ipv6_wanted) {
    key.ipv6_src = ipv6("20010db8000000000000000000000001");
    key.ipv6_dst = ipv6("20010db8000000000000000000000002");
  } else {
    key.nw_src = be32::from_host(0x0a000001);
    key.nw_dst = be32::from_host(0x0a000002);
  }
  key.nw_proto = ip_proto::tcp;
  key.nw_ttl = 64;
  key.tp_src = be16::from_host(80);
  key.tp_dst = be16::from_host(1234);
  key.tcp_flags = be16::from_host(0x099);  // CWR, ACK, PSH, FIN
  return key;
}

template <class T>
T at(const Packet& packet, std::size_t offset) {
  T x;
  std::memcpy(&x, packet.data() + offset, sizeof x);
  return x;
}

template <class T>
void put(Packet& packet, std::size_t offset, T x) {
  std::memcpy(packet.data() + offset, &x, sizeof x);
}

// The sum of the pseudo header of the packet at l4_offset, which parse() has set.
Sum pseudo_header_of(const Packet& packet, const FlowKey& key) {
  const std::size_t length = packet.size() - packet.l4_offset;
  return key.eth_type == eth_type::ipv6 ? pseudo_header(key.ipv6_src, key.ipv6_dst, key.nw_proto, length)
                                        : pseudo_header(key.nw_src, key.nw_dst, key.nw_proto, length);
}

std::size_t checksum_offset(const FlowKey& key) { return key.nw_proto == ip_proto::tcp ? 16 : 6; }

// Does to a packet what a guest does: the payload's checksum is left to the hardware.
void leave_checksum(Packet& packet) {
  const FlowKey key = key_of(packet);
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = packet.l4_offset;
  packet.offload.checksum_offset = static_cast<std::uint16_t>(checksum_offset(key));
  put(packet, packet.l4_offset + checksum_offset(key), pseudo_header_of(packet, key).folded());
}

bool checksums_right(Packet& packet) {
  const FlowKey key = key_of(packet);
  if (key.eth_type == eth_type::ipv4) {
    if (checksum(packet.bytes().subspan(packet.l3_offset, 20)) != be16{0}) return false;
  }
  Sum sum = pseudo_header_of(packet, key);
  sum.add(packet.bytes().subspan(packet.l4_offset));
  return sum.checksum() == be16{0};
}

Packet big(const FlowKey& key, std::size_t payload, Gso gso, std::uint16_t segment_bytes) {
  Packet packet = compose(key, payload);
  leave_checksum(packet);
  packet.offload.gso = gso;
  packet.offload.segment_bytes = segment_bytes;
  return packet;
}

TEST(FinishChecksum, TcpAndUdp) {
  for (bool six : {false, true}) {
    for (std::uint8_t proto : {ip_proto::tcp, ip_proto::udp}) {
      for (std::size_t payload : {0u, 1u, 7u, 1400u}) {
        FlowKey key = tcp_key(six);
        key.nw_proto = proto;
        const Packet right = compose(key, payload);
        Packet packet = compose(key, payload);
        leave_checksum(packet);
        ASSERT_TRUE(finish_checksum(packet));
        EXPECT_TRUE(std::ranges::equal(packet.bytes(), right.bytes()));
        EXPECT_FALSE(packet.offload.any());
      }
    }
  }
}

TEST(FinishChecksum, FollowsTagsThatCame) {
  Packet packet = compose(tcp_key(false), 100);
  leave_checksum(packet);
  const auto tag = hex("8100 000a");
  std::copy(tag.begin(), tag.end(), packet.insert(12, 4));
  ASSERT_TRUE(finish_checksum(packet));
  EXPECT_TRUE(checksums_right(packet));
}

TEST(FinishChecksum, Sctp) {
  for (bool six : {false, true}) {
    FlowKey key = tcp_key(six);
    key.nw_proto = ip_proto::sctp;
    key.tcp_flags = be16{0};
    const Packet right = compose(key, 101);
    Packet packet = compose(key, 101);
    (void)key_of(packet);
    packet.offload.needs_checksum = true;
    packet.offload.checksum_start = packet.l4_offset;
    packet.offload.checksum_offset = 8;
    put(packet, packet.l4_offset + std::size_t{8}, be32::from_host(0x12345678));
    ASSERT_TRUE(finish_checksum(packet));
    EXPECT_TRUE(std::ranges::equal(packet.bytes(), right.bytes()));
    EXPECT_FALSE(packet.offload.any());
    packet.offload.needs_checksum = true;
    packet.offload.checksum_start = static_cast<std::uint16_t>(packet.size() - 11);
    EXPECT_FALSE(finish_checksum(packet));
  }
}

TEST(FinishChecksum, RefusesOffsetsBeyondTheFrame) {
  Packet packet = compose(tcp_key(false), 0);
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = static_cast<std::uint16_t>(packet.size() - 1);
  EXPECT_FALSE(finish_checksum(packet));
  packet.offload.checksum_start = 0xffff;
  packet.offload.checksum_offset = 0xffff;
  EXPECT_FALSE(finish_checksum(packet));
}

void check_tcp(bool six, std::size_t payload, std::uint16_t mss, bool tagged) {
  SCOPED_TRACE(testing::Message() << six << " " << payload << " " << mss << " " << tagged);
  FlowKey key = tcp_key(six);
  if (tagged) {
    key.vlan[0] = {eth_type::qinq, be16::from_host(0x1064)};
    key.vlan[1] = {eth_type::vlan, be16::from_host(0x300a)};
  }
  Packet packet = big(key, payload, six ? Gso::tcp6 : Gso::tcp4, mss);
  const std::size_t l3 = packet.l3_offset, l4 = packet.l4_offset;
  put(packet, l4 + 4, be32::from_host(0xfffffff0));  // wraps around
  if (!six) put(packet, l3 + 4, be16::from_host(0xfffe));
  std::vector<Packet> segments;
  ASSERT_TRUE(segment(packet, segments));
  ASSERT_EQ(segments.size(), payload == 0 ? 1 : (payload + mss - 1) / mss);
  std::size_t done = 0;
  for (std::size_t i = 0; i < segments.size(); i++) {
    Packet& cut = segments[i];
    EXPECT_FALSE(cut.offload.any());
    EXPECT_TRUE(checksums_right(cut)) << i;
    const FlowKey cut_key = key_of(cut);
    FlowKey expected = key;
    const bool first = i == 0, last = i + 1 == segments.size();
    expected.tcp_flags = be16::from_host(static_cast<std::uint16_t>(0x010 | (first ? 0x080 : 0) | (last ? 0x009 : 0)));
    EXPECT_EQ(cut_key, expected) << i;
    const std::size_t part = cut.size() - l4 - 20;
    EXPECT_EQ(part, last ? payload - done : mss);
    EXPECT_EQ(at<be32>(cut, l4 + 4).host(), static_cast<std::uint32_t>(0xfffffff0 + done));
    if (six) {
      EXPECT_EQ(at<be16>(cut, l3 + 4).host(), cut.size() - l3 - 40);
    } else {
      EXPECT_EQ(at<be16>(cut, l3 + 2).host(), cut.size() - l3);
      EXPECT_EQ(at<be16>(cut, l3 + 4).host(), static_cast<std::uint16_t>(0xfffe + i));
    }
    EXPECT_TRUE(std::ranges::equal(cut.bytes().subspan(l4 + 20), packet.bytes().subspan(l4 + 20 + done, part)));
    done += part;
  }
  EXPECT_EQ(done, payload);
}

TEST(Segment, Tcp) {
  for (bool six : {false, true}) {
    for (bool tagged : {false, true}) {
      check_tcp(six, 65000, 1448, tagged);
      check_tcp(six, 2896, 1448, tagged);
      check_tcp(six, 2897, 1448, tagged);
      check_tcp(six, 1448, 1448, tagged);
      check_tcp(six, 0, 1448, tagged);
      check_tcp(six, 9999, 9, tagged);
    }
  }
}

TEST(Segment, WithoutPartialChecksumComputesThePseudoHeader) {
  for (bool six : {false, true}) {
    Packet packet = compose(tcp_key(six), 5000);
    key_of(packet);
    packet.offload.gso = six ? Gso::tcp6 : Gso::tcp4;
    packet.offload.segment_bytes = 1000;
    std::vector<Packet> segments;
    ASSERT_TRUE(segment(packet, segments));
    ASSERT_EQ(segments.size(), 5u);
    for (Packet& cut : segments) EXPECT_TRUE(checksums_right(cut));
  }
}

TEST(Segment, OptionsAndExtensionHeaders) {
  // IPv4 with 4 bytes of options, TCP with 12.
  Packet four = frame("020000000001 020000000002 0800 4600 0418 0000 0000 4006 0000 0a000001 0a000002 01010101"
                      "0050 0051 00000000 00000000 8010 0000 0000 0000 0101080a 00000001 00000002");
  const std::size_t headers = four.size();
  Packet packet = Packet::copy_of(four.bytes());
  {
    std::vector<std::uint8_t> bytes(four.bytes().begin(), four.bytes().end());
    bytes.resize(headers + 1000, 0x5a);
    const auto total = static_cast<std::uint16_t>(bytes.size() - 14);
    bytes[16] = static_cast<std::uint8_t>(total >> 8);
    bytes[17] = static_cast<std::uint8_t>(total);
    packet = Packet::copy_of(bytes);
  }
  leave_checksum(packet);
  packet.offload.gso = Gso::tcp4;
  packet.offload.segment_bytes = 300;
  std::vector<Packet> segments;
  ASSERT_TRUE(segment(packet, segments));
  ASSERT_EQ(segments.size(), 4u);
  for (Packet& cut : segments) {
    const FlowKey key = key_of(cut);
    EXPECT_EQ(checksum(cut.bytes().subspan(14, 24)), be16{0});
    Sum sum = pseudo_header_of(cut, key);
    sum.add(cut.bytes().subspan(cut.l4_offset));
    EXPECT_EQ(sum.checksum(), be16{0});
    EXPECT_TRUE(std::ranges::equal(cut.bytes().subspan(58, 12), four.bytes().subspan(58, 12)));
  }

  // IPv6 with destination options before TCP: 8 bytes.
  FlowKey key = tcp_key(true);
  Packet six = compose(key, 2000);
  const auto options = hex("06 00 010400000000");
  std::copy(options.begin(), options.end(), six.insert(54, 8));
  six.data()[20] = ip_proto::destination;
  put(six, 18, be16::from_host(2028));
  leave_checksum(six);
  six.offload.gso = Gso::tcp6;
  six.offload.segment_bytes = 800;
  segments.clear();
  ASSERT_TRUE(segment(six, segments));
  ASSERT_EQ(segments.size(), 3u);
  for (Packet& cut : segments) {
    EXPECT_TRUE(checksums_right(cut));
    EXPECT_EQ(cut.l4_offset, 62);
  }
}

TEST(Segment, Udp) {
  for (bool six : {false, true}) {
    FlowKey key = tcp_key(six);
    key.nw_proto = ip_proto::udp;
    key.tcp_flags = {};
    Packet packet = big(key, 2500, Gso::udp, 1000);
    std::vector<Packet> segments;
    ASSERT_TRUE(segment(packet, segments));
    ASSERT_EQ(segments.size(), 3u);
    const std::size_t l4 = packet.l4_offset;
    for (std::size_t i = 0; i < 3; i++) {
      EXPECT_TRUE(checksums_right(segments[i]));
      EXPECT_EQ(key_of(segments[i]), key);
      EXPECT_EQ(at<be16>(segments[i], l4 + 4).host(), i < 2 ? 1008 : 508);
    }
  }
}

TEST(Segment, BehindMplsLabels) {
  Packet packet = big(tcp_key(false), 3000, Gso::tcp4, 1000);
  const auto labels = hex("00064040 00065140");
  std::copy(labels.begin(), labels.end(), packet.insert(14, 8));
  put(packet, 12, eth_type::mpls);
  std::vector<Packet> segments;
  ASSERT_TRUE(segment(packet, segments));
  ASSERT_EQ(segments.size(), 3u);
  for (Packet& cut : segments) {
    cut.remove(14, 8);
    put(cut, 12, eth_type::ipv4);
    EXPECT_TRUE(checksums_right(cut));
  }
}

TEST(Segment, RefusesNonsense) {
  std::vector<Packet> out;
  const auto refused = [&](auto change) {
    Packet packet = big(tcp_key(false), 3000, Gso::tcp4, 1000);
    change(packet);
    return !segment(packet, out) && out.empty();
  };
  EXPECT_TRUE(refused([](Packet& p) { p.offload.segment_bytes = 0; }));
  EXPECT_TRUE(refused([](Packet& p) { p.offload.segment_bytes = 1; }));
  EXPECT_TRUE(refused([](Packet& p) { p.offload.checksum_start = 3; }));
  EXPECT_TRUE(refused([](Packet& p) { p.offload.checksum_start = 0xfff0; }));
  EXPECT_TRUE(refused([](Packet& p) { p.offload.checksum_start = 38; }));
  EXPECT_TRUE(refused([](Packet& p) { p.data()[12] = 0x12; }));
  EXPECT_TRUE(refused([](Packet& p) { p.data()[14] = 0x05; }));
  EXPECT_TRUE(refused([](Packet& p) { p.data()[46] = 0x10; }));
  EXPECT_TRUE(refused([](Packet& p) { p.data()[46] = 0xf0; p.set_size(60); }));
  EXPECT_TRUE(refused([](Packet& p) { p.set_size(10); }));
  EXPECT_TRUE(refused([](Packet& p) { p.set_size(0); }));
  EXPECT_TRUE(refused([](Packet& p) { p.set_size(40); }));
  EXPECT_TRUE(refused([](Packet& p) { p.offload.needs_checksum = false; p.l4_offset = no_offset; }));
  EXPECT_FALSE(refused([](Packet&) {}));
}

}  // namespace
}  // namespace ovs::flow
