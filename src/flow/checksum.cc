#include "flow/checksum.h"

#include <array>
#include <bit>

#include "base/unaligned.h"

namespace ovs::flow {

namespace {

constexpr std::array<std::uint32_t, 256> make_crc32c_table() {
  constexpr std::uint32_t polynomial = 0x82f63b78;  // 0x1edc6f41, lowest bit first
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; i++) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
    table[i] = crc;
  }
  return table;
}
constexpr auto crc32c_table = make_crc32c_table();

}  // namespace

void Sum::add(std::span<const std::uint8_t> bytes) {
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  // Four sums at once: none waits for another.
  std::uint64_t a = 0, b = 0, c = 0, d = 0;
  for (; left >= 16; left -= 16, p += 16) {
    a += load<std::uint32_t>(p);
    b += load<std::uint32_t>(p + 4);
    c += load<std::uint32_t>(p + 8);
    d += load<std::uint32_t>(p + 12);
  }
  for (; left >= 4; left -= 4, p += 4) a += load<std::uint32_t>(p);
  if (left >= 2) {
    b += load<std::uint16_t>(p);
    p += 2;
    left -= 2;
  }
  // An odd last byte is followed by a zero.
  if (left != 0) c += be16::from_host(static_cast<std::uint16_t>(*p << 8)).raw;
  sum_ += a + b + c + d;
}

be16 Sum::folded() const {
  std::uint64_t sum = (sum_ & 0xffffffff) + (sum_ >> 32);
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return be16{static_cast<std::uint16_t>(sum)};
}

Sum pseudo_header(be32 src, be32 dst, std::uint8_t proto, std::size_t length) {
  Sum sum;
  sum.add(src);
  sum.add(dst);
  sum.add(be16::from_host(proto));
  sum.add(be32::from_host(static_cast<std::uint32_t>(length)));
  return sum;
}

Sum pseudo_header(const Ipv6Addr& src, const Ipv6Addr& dst, std::uint8_t proto, std::size_t length) {
  Sum sum;
  sum.add(src);
  sum.add(dst);
  sum.add(be16::from_host(proto));
  sum.add(be32::from_host(static_cast<std::uint32_t>(length)));
  return sum;
}

be16 checksum(std::span<const std::uint8_t> bytes) {
  Sum sum;
  sum.add(bytes);
  return sum.checksum();
}

// RFC 1624, equation 3: HC' = ~(~HC + ~m + m').
be16 updated_checksum(be16 checksum, be16 from, be16 to) {
  Sum sum;
  sum.add(~checksum);
  sum.add(~from);
  sum.add(to);
  return sum.checksum();
}

be16 updated_checksum(be16 checksum, be32 from, be32 to) {
  Sum sum;
  sum.add(~checksum);
  sum.add(~from);
  sum.add(to);
  return sum.checksum();
}

be16 updated_checksum(be16 checksum, const Ipv6Addr& from, const Ipv6Addr& to) {
  Sum sum;
  sum.add(~checksum);
  for (std::size_t i = 0; i < from.bytes.size(); i += 4) sum.add(~load<be32>(from.bytes.data() + i));
  sum.add(to);
  return sum.checksum();
}

be32 sctp_checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xffffffff;
  for (std::uint8_t byte : bytes) crc = crc >> 8 ^ crc32c_table[(crc ^ byte) & 0xff];
  // The lowest byte of the register goes first.
  return be32::from_host(swap_bytes(~crc));
}

}  // namespace ovs::flow
