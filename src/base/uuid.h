// Uuid: a 128-bit identifier (RFC 4122), written "01234567-89ab-cdef-0123-456789abcdef".
//
// A value type, ordered as its text is ordered.  Thread safety: random() may be called from any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace ovs {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};  // most significant first, as in the text

  static constexpr std::size_t text_size = 36;

  // A version 4 (random) identifier.
  static Uuid random();
  // The whole of `text` must be a UUID; upper-case digits are accepted.
  static std::optional<Uuid> parse(std::string_view text);
  // Whether `text` could be the beginning of a UUID's text: digits and dashes where they belong.
  // Counts the characters that fit; an argument of ovs-vsctl is taken as an abbreviated UUID if
  // all of it fits.
  static bool is_partial(std::string_view text);

  std::string to_string() const;
  void append_to(std::string& out) const;  // exactly text_size characters
  bool is_zero() const { return *this == Uuid{}; }

  friend bool operator==(const Uuid&, const Uuid&) = default;
  friend std::strong_ordering operator<=>(const Uuid& a, const Uuid& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), 16) <=> 0;
  }
};

struct UuidHash {
  using is_avalanching = void;  // tells Boost's flat maps that the bits are well mixed
  std::size_t operator()(const Uuid& u) const noexcept {
    // Random identifiers would do as they are, but a client may choose its own ("uuid" in an
    // insert), say one after the other: a full multiplication mixes every bit into every other.
    std::uint64_t high, low;
    std::memcpy(&high, u.bytes.data(), 8);
    std::memcpy(&low, u.bytes.data() + 8, 8);
    const unsigned __int128 product =
        static_cast<unsigned __int128>(high ^ 0x9e3779b97f4a7c15ULL) * (low ^ 0xff51afd7ed558ccdULL);
    return static_cast<std::size_t>(product) ^ static_cast<std::size_t>(product >> 64);
  }
};

}  // namespace ovs
