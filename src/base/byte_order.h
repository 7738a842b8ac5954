// be16, be32, be64: integers in network byte order as types of their own, so that a host integer
// never slips into a header unnoticed.  Same size and alignment as the integer; plain data.
//
//     be16 port = be16::from_host(80);   port.host() == 80
//
// Thread safety: values.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>

namespace ovs {

constexpr std::uint16_t swap_bytes(std::uint16_t x) { return __builtin_bswap16(x); }
constexpr std::uint32_t swap_bytes(std::uint32_t x) { return __builtin_bswap32(x); }
constexpr std::uint64_t swap_bytes(std::uint64_t x) { return __builtin_bswap64(x); }

template <class Integer>
struct BigEndian {
  Integer raw;  // the bytes as they stand in the header

  static constexpr BigEndian from_host(Integer x) { return {flip(x)}; }
  constexpr Integer host() const { return flip(raw); }
  constexpr explicit operator bool() const { return raw != 0; }

  friend constexpr bool operator==(BigEndian, BigEndian) = default;
  friend constexpr auto operator<=>(BigEndian a, BigEndian b) { return a.host() <=> b.host(); }
  friend constexpr BigEndian operator&(BigEndian a, BigEndian b) { return {static_cast<Integer>(a.raw & b.raw)}; }
  friend constexpr BigEndian operator|(BigEndian a, BigEndian b) { return {static_cast<Integer>(a.raw | b.raw)}; }
  friend constexpr BigEndian operator~(BigEndian a) { return {static_cast<Integer>(~a.raw)}; }

 private:
  static constexpr Integer flip(Integer x) {
    if constexpr (std::endian::native == std::endian::little) return swap_bytes(x);
    return x;
  }
};

using be16 = BigEndian<std::uint16_t>;
using be32 = BigEndian<std::uint32_t>;
using be64 = BigEndian<std::uint64_t>;

}  // namespace ovs
