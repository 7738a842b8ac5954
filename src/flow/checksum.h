// The Internet checksum (RFC 1071): whole, in parts, and changed in place (RFC 1624).
//
// Sums are kept in a Sum until the last part is added.  Every part but the last has an even number
// of bytes.  Parts are added in the machine's byte order, which the checksum does not mind
// (RFC 1071, section 2B); results are as they stand in the header.
//
// Thread safety: values and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/byte_order.h"
#include "flow/flow_key.h"

namespace ovs::flow {

class Sum {
 public:
  void add(std::span<const std::uint8_t> bytes);
  void add(be16 x) { sum_ += x.raw; }
  void add(be32 x) { sum_ += x.raw; }
  void add(const Ipv6Addr& address) { add(std::span<const std::uint8_t>(address.bytes)); }
  // The same with the opposite sign: for what the sum must no longer have in it.
  void remove(be16 x) { sum_ += static_cast<std::uint16_t>(~x.raw); }

  // The sum itself, folded to 16 bits: what an unfinished checksum has in its place.
  be16 folded() const;
  // What a header has in its checksum.
  be16 checksum() const { return ~folded(); }
  // The same for UDP, where 0 would say that there is none (RFC 768).
  be16 udp_checksum() const {
    const be16 sum = checksum();
    return sum ? sum : be16{0xffff};
  }

 private:
  std::uint64_t sum_ = 0;  // cannot overflow: 2^32 words of 32 bits fit
};

// The addresses, protocol and length that TCP, UDP and ICMPv6 count in (RFC 9293, section 3.1; RFC 8200,
// section 8.1).
Sum pseudo_header(be32 src, be32 dst, std::uint8_t proto, std::size_t length);
Sum pseudo_header(const Ipv6Addr& src, const Ipv6Addr& dst, std::uint8_t proto, std::size_t length);

be16 checksum(std::span<const std::uint8_t> bytes);

// The checksum after a part of what it covers has changed from `from` to `to`.
be16 updated_checksum(be16 checksum, be16 from, be16 to);
be16 updated_checksum(be16 checksum, be32 from, be32 to);
be16 updated_checksum(be16 checksum, const Ipv6Addr& from, const Ipv6Addr& to);

// CRC-32C as SCTP has it, of bytes whose own checksum field is zero (RFC 9260, appendix A).
be32 sctp_checksum(std::span<const std::uint8_t> bytes);

}  // namespace ovs::flow
