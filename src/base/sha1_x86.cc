#include "base/sha1_x86.h"

#include "base/check.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#include <utility>

namespace ovs {

bool has_sha1_instructions() {
  static const bool has = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    // Leaf 7: EBX bit 29, SHA.  Leaf 1: ECX bit 9, SSSE3, and bit 19, SSE4.1.
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & (1U << 29)) == 0) return false;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & (1U << 9)) != 0 && (c & (1U << 19)) != 0;
  }();
  return has;
}

namespace {

struct State {
  __m128i abcd;      // a in the highest word
  __m128i e;         // four rounds ago's abcd, from which the instructions take the next e
  __m128i words[4];  // the last 16 words of the message schedule
};

// Rounds 4 * group ... 4 * group + 3, for which the instructions work.
template <int group>
[[gnu::target("sha,sse4.1,ssse3"), gnu::always_inline]] inline void four_rounds(State& s) {
  __m128i& word = s.words[group % 4];
  if constexpr (group >= 4) {
    // Words t - 16, t - 14, t - 8 and t - 3 of each new word t lie in the last four groups.
    const __m128i mixed = _mm_sha1msg1_epu32(word, s.words[(group + 1) % 4]);
    word = _mm_sha1msg2_epu32(_mm_xor_si128(mixed, s.words[(group + 2) % 4]), s.words[(group + 3) % 4]);
  }
  const __m128i with_e = group == 0 ? _mm_add_epi32(s.e, word) : _mm_sha1nexte_epu32(s.e, word);
  s.e = s.abcd;
  s.abcd = _mm_sha1rnds4_epu32(s.abcd, with_e, group / 5);
}

template <int... group>
[[gnu::target("sha,sse4.1,ssse3"), gnu::always_inline]] inline void all_rounds(
    State& s, std::integer_sequence<int, group...>) {
  (four_rounds<group>(s), ...);
}

}  // namespace

[[gnu::target("sha,sse4.1,ssse3")]] void sha1_blocks_x86(std::array<std::uint32_t, 5>& h,
                                                          const std::uint8_t* p, std::size_t count) {
  // Bytes of four big-endian words, and the words themselves, in reverse.
  const __m128i reverse = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  State s;
  s.abcd = _mm_set_epi32(static_cast<int>(h[0]), static_cast<int>(h[1]), static_cast<int>(h[2]),
                         static_cast<int>(h[3]));
  s.e = _mm_set_epi32(static_cast<int>(h[4]), 0, 0, 0);
  for (; count != 0; count--, p += 64) {
    const __m128i abcd = s.abcd, e = s.e;
    for (int i = 0; i < 4; i++) {
      const auto* from = reinterpret_cast<const __m128i*>(p + 16 * i);
      s.words[i] = _mm_shuffle_epi8(_mm_loadu_si128(from), reverse);
    }
    all_rounds(s, std::make_integer_sequence<int, 20>{});
    s.e = _mm_sha1nexte_epu32(s.e, e);
    s.abcd = _mm_add_epi32(s.abcd, abcd);
  }
  h[0] = static_cast<std::uint32_t>(_mm_extract_epi32(s.abcd, 3));
  h[1] = static_cast<std::uint32_t>(_mm_extract_epi32(s.abcd, 2));
  h[2] = static_cast<std::uint32_t>(_mm_extract_epi32(s.abcd, 1));
  h[3] = static_cast<std::uint32_t>(_mm_extract_epi32(s.abcd, 0));
  h[4] = static_cast<std::uint32_t>(_mm_extract_epi32(s.e, 3));
}

}  // namespace ovs

#else

namespace ovs {

bool has_sha1_instructions() { return false; }

void sha1_blocks_x86(std::array<std::uint32_t, 5>&, const std::uint8_t*, std::size_t) {
  OVS_CHECK(has_sha1_instructions());
}

}  // namespace ovs

#endif
