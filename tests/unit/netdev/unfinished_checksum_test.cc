#include "netdev/unfinished_checksum.h"

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>

#include "flow/checksum.h"
#include "flow/offload.h"

namespace ovs::netdev {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t tcp = 6, udp = 17, sctp = 132;

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes ethernet(std::initializer_list<std::uint16_t> types) {
  Bytes bytes(12, 0x02);
  bool first = true;
  for (const std::uint16_t type : types) {
    if (!first) bytes = bytes + Bytes{0, 5};  // the TCI of the tag before
    bytes = bytes + Bytes{static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type)};
    first = false;
  }
  return bytes;
}

// A header of TCP, UDP or SCTP whose checksum is 0, and some payload.
Bytes transport(std::uint8_t protocol) {
  Bytes bytes{0x30, 0x39, 0x00, 0x50};
  if (protocol == udp) return bytes + Bytes{0, 13, 0, 0} + Bytes{1, 2, 3, 4, 5};
  bytes.resize(protocol == tcp ? 20 : 12);
  if (protocol == tcp) bytes[12] = 0x50;
  return bytes + Bytes{1, 2, 3, 4, 5};
}

Bytes ipv4(std::uint8_t protocol, std::size_t payload, std::uint8_t flags = 0x40) {
  return {0x45, 0, 0, static_cast<std::uint8_t>(20 + payload), 0,   1, flags, 0, 64,  protocol,
          0,    0, 192, 0, 2, 1, 192, 0, 2, 2};
}

Bytes ipv6(std::uint8_t next, std::size_t payload) {
  Bytes bytes{0x60, 0, 0, 0, 0, static_cast<std::uint8_t>(payload), next, 64};
  bytes.resize(40);
  bytes[8] = bytes[24] = 0xfd;
  bytes[23] = 1;
  bytes[39] = 2;
  return bytes;
}

std::size_t checksum_offset(std::uint8_t protocol) { return protocol == tcp ? 16 : protocol == udp ? 6 : 8; }

// Puts what an unfinished checksum has in its place.
Bytes unfinished(Bytes frame, std::size_t l4, std::uint8_t protocol, bool v6, std::size_t l3) {
  if (protocol == sctp) return frame;
  const std::size_t length = frame.size() - l4;
  be16 sum{};
  if (v6) {
    flow::Ipv6Addr src, dst;
    std::memcpy(src.bytes.data(), &frame[l3 + 8], 16);
    std::memcpy(dst.bytes.data(), &frame[l3 + 24], 16);
    sum = flow::pseudo_header(src, dst, protocol, length).folded();
  } else {
    be32 src, dst;
    std::memcpy(&src, &frame[l3 + 12], 4);
    std::memcpy(&dst, &frame[l3 + 16], 4);
    sum = flow::pseudo_header(src, dst, protocol, length).folded();
  }
  std::memcpy(&frame[l4 + checksum_offset(protocol)], &sum, sizeof sum);
  return frame;
}

flow::Packet looked_at(const Bytes& frame) {
  auto packet = flow::Packet::copy_of(frame);
  find_unfinished_checksum(packet);
  return packet;
}

struct Case {
  Bytes frame;
  std::size_t l4;
  std::uint8_t protocol;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::uint8_t protocol : {tcp, udp, sctp}) {
    const Bytes l4 = transport(protocol);
    for (const auto& l2 : {ethernet({0x0800}), ethernet({0x8100, 0x0800}), ethernet({0x88a8, 0x8100, 0x0800})}) {
      const std::size_t at = l2.size() + 20;
      all.push_back({unfinished(l2 + ipv4(protocol, l4.size()) + l4, at, protocol, false, l2.size()), at, protocol});
    }
    for (const auto& l2 : {ethernet({0x86dd}), ethernet({0x8100, 0x86dd})}) {
      const std::size_t at = l2.size() + 40;
      all.push_back({unfinished(l2 + ipv6(protocol, l4.size()) + l4, at, protocol, true, l2.size()), at, protocol});
      const Bytes options{protocol, 0, 1, 4, 0, 0, 0, 0};
      const Bytes with_options = l2 + ipv6(0, l4.size() + 8) + options + l4;
      all.push_back({unfinished(with_options, at + 8, protocol, true, l2.size()), at + 8, protocol});
    }
  }
  return all;
}

TEST(UnfinishedChecksum, IsFoundAndCanBeFinished) {
  for (const Case& c : cases()) {
    auto packet = looked_at(c.frame);
    ASSERT_TRUE(packet.offload.needs_checksum) << int{c.protocol} << " at " << c.l4;
    EXPECT_EQ(packet.offload.checksum_start, c.l4);
    EXPECT_EQ(packet.offload.checksum_offset, checksum_offset(c.protocol));
    ASSERT_TRUE(flow::finish_checksum(packet));
    // What is finished is not taken for unfinished.
    find_unfinished_checksum(packet);
    EXPECT_FALSE(packet.offload.needs_checksum) << int{c.protocol} << " at " << c.l4;
  }
}

TEST(UnfinishedChecksum, IsFoundBeforePadding) {
  const Bytes l2 = ethernet({0x0800}), l4 = transport(udp);
  Bytes frame = unfinished(l2 + ipv4(udp, l4.size()) + l4, 34, udp, false, 14);
  frame.resize(60);
  EXPECT_TRUE(looked_at(frame).offload.needs_checksum);
}

TEST(UnfinishedChecksum, IsNotSeenElsewhere) {
  const Bytes l4 = transport(udp);
  const auto datagram = [&](std::uint8_t flags) {
    return unfinished(ethernet({0x0800}) + ipv4(udp, l4.size(), flags) + l4, 34, udp, false, 14);
  };
  EXPECT_TRUE(looked_at(datagram(0x40)).offload.needs_checksum);
  EXPECT_FALSE(looked_at(datagram(0x20)).offload.needs_checksum) << "a fragment";
  EXPECT_FALSE(looked_at(ethernet({0x0800}) + ipv4(udp, l4.size()) + l4).offload.needs_checksum) << "UDP without one";
  EXPECT_FALSE(looked_at(ethernet({0x0806}) + Bytes(28)).offload.needs_checksum);
  EXPECT_FALSE(looked_at(ethernet({0x0800}) + ipv4(1, l4.size()) + l4).offload.needs_checksum) << "ICMP";
}

TEST(UnfinishedChecksum, TakesFramesThatEndAnywhere) {
  for (const Case& c : cases()) {
    for (std::size_t size = 0; size < c.frame.size(); ++size) {
      const Bytes cut(c.frame.begin(), c.frame.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(looked_at(cut).offload.needs_checksum) << size;
    }
  }
}

}  // namespace
}  // namespace ovs::netdev
