#include "flow/checksum.h"

#include <gtest/gtest.h>

#include <random>

#include "frame.h"

namespace ovs::flow {
namespace {

// RFC 1071, section 1, word by word.
be16 plain_checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i++) {
    sum += i % 2 ? bytes[i] : std::uint32_t{bytes[i]} << 8;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return be16::from_host(static_cast<std::uint16_t>(~sum));
}

TEST(Checksum, OfAnIpv4Header) {
  // A header whose checksum is published in many a text book: 0xb861.
  auto header = hex("4500 0073 0000 4000 4011 0000 c0a80001 c0a800c7");
  EXPECT_EQ(checksum(header), be16::from_host(0xb861));
}

TEST(Checksum, EqualsThePlainOneForAllLengths) {
  std::mt19937 random(1);
  std::vector<std::uint8_t> bytes;
  for (int n = 0; n < 300; n++) {
    EXPECT_EQ(checksum(bytes), plain_checksum(bytes)) << n;
    bytes.push_back(static_cast<std::uint8_t>(random()));
  }
  bytes.assign(200000, 0xff);
  EXPECT_EQ(checksum(bytes), plain_checksum(bytes));
}

TEST(Checksum, InPartsIsTheSame) {
  std::mt19937 random(2);
  std::vector<std::uint8_t> bytes(257);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
  for (std::size_t at = 0; at <= 256; at += 2) {
    Sum sum;
    sum.add(std::span(bytes).first(at));
    sum.add(std::span(bytes).subspan(at));
    EXPECT_EQ(sum.checksum(), checksum(bytes));
  }
}

TEST(Checksum, UpdatedEqualsComputedAnew) {
  std::mt19937 random(3);
  for (int i = 0; i < 20000; i++) {
    std::vector<std::uint8_t> bytes(40);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random() % 4 == 0 ? 0xff : random());
    const be16 before = checksum(bytes);
    be32 from32, to32 = be32::from_host(static_cast<std::uint32_t>(random()));
    std::memcpy(&from32, bytes.data() + 8, 4);
    std::memcpy(bytes.data() + 8, &to32, 4);
    const be16 after = updated_checksum(before, from32, to32);
    EXPECT_EQ(after, checksum(bytes));
    be16 from16, to16 = be16::from_host(static_cast<std::uint16_t>(random()));
    std::memcpy(&from16, bytes.data() + 2, 2);
    std::memcpy(bytes.data() + 2, &to16, 2);
    const be16 again = updated_checksum(after, from16, to16);
    EXPECT_EQ(again, checksum(bytes));
    Ipv6Addr from6, to6;
    for (auto& b : to6.bytes) b = static_cast<std::uint8_t>(random());
    std::memcpy(&from6, bytes.data() + 12, 16);
    std::memcpy(bytes.data() + 12, &to6, 16);
    EXPECT_EQ(updated_checksum(again, from6, to6), checksum(bytes));
  }
}

TEST(Checksum, UdpNeverHasZero) {
  Sum sum;
  sum.add(be16{0xffff});
  EXPECT_EQ(sum.checksum(), be16{0});
  EXPECT_EQ(sum.udp_checksum(), be16{0xffff});
}

TEST(Checksum, SctpHasTheCheckValueOfCrc32c) {
  // The CRC-32C of "123456789" is e3069283; SCTP sends its lowest byte first.
  const std::string_view text = "123456789";
  EXPECT_EQ(sctp_checksum({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}), be32::from_host(0x839206e3));
}

}  // namespace
}  // namespace ovs::flow
