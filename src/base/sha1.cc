#include "base/sha1.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ovs {

void Sha1::block(const std::uint8_t* p) {
  // The message schedule is kept as a window of 16 words (FIPS 180-4, section 6.1.3).
  std::array<std::uint32_t, 16> w;
  for (std::size_t i = 0; i < 16; i++) {
    w[i] = std::uint32_t{p[4 * i]} << 24 | std::uint32_t{p[4 * i + 1]} << 16 |
           std::uint32_t{p[4 * i + 2]} << 8 | std::uint32_t{p[4 * i + 3]};
  }
  auto [a, b, c, d, e] = h_;
  const auto word = [&w](std::size_t t) {
    if (t < 16) return w[t];
    std::uint32_t& x = w[t & 15];
    x = std::rotl(w[(t + 13) & 15] ^ w[(t + 8) & 15] ^ w[(t + 2) & 15] ^ x, 1);
    return x;
  };
  const auto rounds = [&](std::size_t first, std::uint32_t k, auto f) {
    for (std::size_t t = first; t < first + 20; t++) {
      const std::uint32_t next = std::rotl(a, 5) + f(b, c, d) + e + k + word(t);
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
  };
  using Word = std::uint32_t;
  rounds(0, 0x5a827999, [](Word x, Word y, Word z) { return z ^ (x & (y ^ z)); });
  rounds(20, 0x6ed9eba1, [](Word x, Word y, Word z) { return x ^ y ^ z; });
  rounds(40, 0x8f1bbcdc, [](Word x, Word y, Word z) { return (x & y) | (z & (x | y)); });
  rounds(60, 0xca62c1d6, [](Word x, Word y, Word z) { return x ^ y ^ z; });
  h_[0] += a;
  h_[1] += b;
  h_[2] += c;
  h_[3] += d;
  h_[4] += e;
}

void Sha1::update(std::string_view data) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(data.data());
  std::size_t n = data.size();
  const std::size_t held = length_ % 64;
  length_ += n;
  if (held != 0) {
    const std::size_t take = std::min(n, 64 - held);
    std::memcpy(buffer_.data() + held, p, take);
    p += take;
    n -= take;
    if (held + take < 64) return;
    block(buffer_.data());
  }
  for (; n >= 64; p += 64, n -= 64) block(p);
  if (n != 0) std::memcpy(buffer_.data(), p, n);
}

Sha1::Digest Sha1::finish() {
  // A one bit, zeros up to 56 bytes of a block, and the length in bits.
  const std::uint64_t bits = length_ * 8;
  static constexpr char padding[64] = {'\x80'};
  const std::size_t held = length_ % 64;
  update({padding, held < 56 ? 56 - held : 120 - held});
  char length[8];
  for (int i = 0; i < 8; i++) length[i] = static_cast<char>(bits >> (56 - 8 * i));
  update({length, sizeof length});
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); i++) {
    digest[i] = static_cast<std::uint8_t>(h_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

std::string sha1_hex(std::string_view data) {
  static constexpr char digits[] = "0123456789abcdef";
  Sha1 sha1;
  sha1.update(data);
  std::string out;
  out.reserve(40);
  for (const std::uint8_t byte : sha1.finish()) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

}  // namespace ovs
