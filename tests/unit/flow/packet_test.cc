#include "flow/packet.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace ovs::flow {
namespace {

std::vector<std::uint8_t> counting(std::size_t n) {
  std::vector<std::uint8_t> bytes(n);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

std::vector<std::uint8_t> bytes_of(const Packet& packet) {
  return {packet.bytes().begin(), packet.bytes().end()};
}

// 40 bytes: an Ethernet header, 20 bytes of network layer, transport layer at 34.
Packet sample() {
  Packet packet = Packet::copy_of(counting(40));
  packet.l3_offset = 14;
  packet.l4_offset = 34;
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = 34;
  packet.offload.checksum_offset = 6;
  return packet;
}

TEST(Packet, WithoutBufferHasNoRoom) {
  Packet packet;
  EXPECT_EQ(packet.size(), 0u);
  EXPECT_EQ(packet.capacity(), 0u);
  packet.reset();
  EXPECT_EQ(packet.size(), 0u);
  EXPECT_EQ(packet.capacity(), 0u);
  packet.push(4);
  EXPECT_EQ(packet.size(), 4u);
}

TEST(Packet, ResetGivesTheHeadroomBack) {
  Packet packet(max_frame_bytes);
  EXPECT_GE(packet.capacity(), max_frame_bytes);
  EXPECT_EQ(packet.headroom(), packet_headroom);
  packet.set_size(100);
  packet.push(50);
  packet.l3_offset = 14;
  packet.offload.gso = Gso::tcp4;
  packet.reset();
  EXPECT_EQ(packet.headroom(), packet_headroom);
  EXPECT_EQ(packet.size(), 0u);
  EXPECT_EQ(packet.l3_offset, no_offset);
  EXPECT_FALSE(packet.offload.any());
}

TEST(Packet, InsertMovesWhatStandsBefore) {
  Packet packet = sample();
  std::uint8_t* tag = packet.insert(12, 4);
  EXPECT_EQ(tag, packet.data() + 12);
  std::fill_n(tag, 4, 0xaa);
  auto expected = counting(40);
  expected.insert(expected.begin() + 12, 4, 0xaa);
  EXPECT_EQ(bytes_of(packet), expected);
  EXPECT_EQ(packet.l3_offset, 18);
  EXPECT_EQ(packet.l4_offset, 38);
  EXPECT_EQ(packet.l2_5_offset, no_offset);
  EXPECT_EQ(packet.offload.checksum_start, 38);
  packet.remove(12, 4);
  EXPECT_EQ(bytes_of(packet), counting(40));
  EXPECT_EQ(packet.l3_offset, 14);
  EXPECT_EQ(packet.l4_offset, 34);
  EXPECT_EQ(packet.offload.checksum_start, 34);
}

TEST(Packet, PullForgetsHeadersThatAreGone) {
  Packet packet = sample();
  packet.pull(34);
  EXPECT_EQ(packet.size(), 6u);
  EXPECT_EQ(packet.data()[0], 35);
  EXPECT_EQ(packet.l3_offset, no_offset);
  EXPECT_EQ(packet.l4_offset, 0);
  EXPECT_EQ(packet.offload.checksum_start, 0);
}

TEST(Packet, GrowsWhenTheHeadroomIsUsedUp) {
  Packet packet = sample();
  auto expected = counting(40);
  for (int i = 0; i < 20; i++) {
    std::fill_n(packet.push(100), 100, static_cast<std::uint8_t>(i));
    expected.insert(expected.begin(), 100, static_cast<std::uint8_t>(i));
    ASSERT_EQ(bytes_of(packet), expected);
  }
  EXPECT_EQ(packet.l4_offset, 2034);
}

TEST(Packet, MovedFromIsEmpty) {
  Packet a = sample();
  Packet b = std::move(a);
  EXPECT_EQ(a.size(), 0u);  // NOLINT: what a moved-from packet is, is the point
  EXPECT_EQ(a.capacity(), 0u);
  EXPECT_EQ(b.l4_offset, 34);
  a = std::move(b);
  EXPECT_EQ(bytes_of(a), counting(40));
  EXPECT_EQ(b.size(), 0u);
}

TEST(Packet, CloneIsIndependent) {
  Packet a = sample();
  Packet b = a.clone();
  b.data()[0] = 99;
  EXPECT_EQ(a.data()[0], 1);
  EXPECT_EQ(b.l3_offset, 14);
  EXPECT_TRUE(b.offload.needs_checksum);
  EXPECT_EQ(b.headroom(), packet_headroom);
}

}  // namespace
}  // namespace ovs::flow
