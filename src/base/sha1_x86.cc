// SHA-1 with the x86 SHA instructions, several times as fast as without: opening a large database is
// mostly reading JSON and checking digests.
#include "base/sha1_blocks.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#include <utility>

namespace ovs {

namespace {

#define OVS_SHA_TARGET __attribute__((target("sha,sse4.1")))

struct State {
  __m128i abcd;
  __m128i before;  // abcd as it was before the last four rounds: the next E comes from it
  __m128i words[4];
};

// Four rounds, the `group`th of twenty.  The instructions take their constant from group / 5.
template <int group>
OVS_SHA_TARGET inline void four_rounds(State& s) {
  __m128i& w = s.words[group % 4];
  if constexpr (group >= 4) {
    w = _mm_sha1msg1_epu32(w, s.words[(group + 1) % 4]);
    w = _mm_xor_si128(w, s.words[(group + 2) % 4]);
    w = _mm_sha1msg2_epu32(w, s.words[(group + 3) % 4]);
  }
  const __m128i e = group == 0 ? _mm_add_epi32(s.before, w) : _mm_sha1nexte_epu32(s.before, w);
  s.before = s.abcd;
  s.abcd = _mm_sha1rnds4_epu32(s.abcd, e, group / 5);
}

template <int... group>
OVS_SHA_TARGET inline void all_rounds(State& s, std::integer_sequence<int, group...>) {
  (four_rounds<group>(s), ...);
}

OVS_SHA_TARGET void blocks(std::uint32_t* h, const std::uint8_t* p, std::size_t count) {
  // The registers hold the words in the opposite order of memory's, and big-endian.
  const __m128i reverse = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  State s{};
  s.abcd = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(h)), 0x1b);
  __m128i e = _mm_set_epi32(static_cast<int>(h[4]), 0, 0, 0);
  for (; count != 0; count--, p += 64) {
    const __m128i abcd = s.abcd;
    s.before = e;
    for (int i = 0; i < 4; i++) {
      s.words[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + i), reverse);
    }
    all_rounds(s, std::make_integer_sequence<int, 20>{});
    e = _mm_sha1nexte_epu32(s.before, e);
    s.abcd = _mm_add_epi32(s.abcd, abcd);
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(h), _mm_shuffle_epi32(s.abcd, 0x1b));
  h[4] = static_cast<std::uint32_t>(_mm_extract_epi32(e, 3));
}

bool cpu_has_sha() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0 || (c & bit_SSSE3) == 0) return false;
  constexpr unsigned sha_bit = 1U << 29;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & sha_bit) != 0;
}

}  // namespace

Sha1Blocks sha1_blocks_of_cpu() { return cpu_has_sha() ? &blocks : nullptr; }

}  // namespace ovs

#else

namespace ovs {

Sha1Blocks sha1_blocks_of_cpu() { return nullptr; }

}  // namespace ovs

#endif
