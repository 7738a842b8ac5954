#include "base/sha1.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/sha1_blocks.h"

namespace ovs {

namespace {

using Word = std::uint32_t;

void one_block(Word* h, const std::uint8_t* p) {
  // The message schedule is kept as a window of 16 words (FIPS 180-4, section 6.1.3).
  std::array<Word, 16> w;
  for (std::size_t i = 0; i < 16; i++) {
    w[i] = Word{p[4 * i]} << 24 | Word{p[4 * i + 1]} << 16 | Word{p[4 * i + 2]} << 8 | Word{p[4 * i + 3]};
  }
  Word a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  const auto word = [&w](std::size_t t) {
    if (t < 16) return w[t];
    Word& x = w[t & 15];
    x = std::rotl(w[(t + 13) & 15] ^ w[(t + 8) & 15] ^ w[(t + 2) & 15] ^ x, 1);
    return x;
  };
  const auto rounds = [&](std::size_t first, Word k, auto f) {
    for (std::size_t t = first; t < first + 20; t++) {
      const Word next = std::rotl(a, 5) + f(b, c, d) + e + k + word(t);
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
  };
  rounds(0, 0x5a827999, [](Word x, Word y, Word z) { return z ^ (x & (y ^ z)); });
  rounds(20, 0x6ed9eba1, [](Word x, Word y, Word z) { return x ^ y ^ z; });
  rounds(40, 0x8f1bbcdc, [](Word x, Word y, Word z) { return (x & y) | (z & (x | y)); });
  rounds(60, 0xca62c1d6, [](Word x, Word y, Word z) { return x ^ y ^ z; });
  h[0] += a;
  h[1] += b;
  h[2] += c;
  h[3] += d;
  h[4] += e;
}

void take_blocks(Word* h, const std::uint8_t* p, std::size_t count) {
  static const Sha1Blocks of_cpu = sha1_blocks_of_cpu();
  (of_cpu != nullptr ? of_cpu : sha1_blocks_portable)(h, p, count);
}

}  // namespace

void sha1_blocks_portable(std::uint32_t* state, const std::uint8_t* data, std::size_t count) {
  for (; count != 0; count--, data += 64) one_block(state, data);
}

void Sha1::update(std::string_view data) {
  if (data.empty()) return;  // its pointer may be null, which memcpy() must not see
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
    take_blocks(h_.data(), buffer_.data(), 1);
  }
  if (n >= 64) take_blocks(h_.data(), p, n / 64);
  if (n % 64 != 0) std::memcpy(buffer_.data(), p + n / 64 * 64, n % 64);
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
