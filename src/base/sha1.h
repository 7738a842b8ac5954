// SHA-1 (FIPS 180-4, section 6.1), for the checksums in database files.  Not for security.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ovs {

class Sha1 {
 public:
  using Digest = std::array<std::uint8_t, 20>;

  void update(std::string_view data);
  Digest finish();  // once; the object is spent afterwards

 private:
  std::array<std::uint32_t, 5> h_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t length_ = 0;  // bytes so far
};

// The digest of `data` as 40 lower-case hexadecimal digits.
std::string sha1_hex(std::string_view data);

}  // namespace ovs
