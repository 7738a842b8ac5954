// Values and masks of match fields, read from and written to a FlowKey without knowing the field.
//
// A FieldValue has the field's bytes as they stand on the wire (OXM): `wire_bytes` of them, in
// network byte order, right-aligned, unused bits zero.  A mask is a FieldValue too: 1-bits are
// matched.
//
// Thread safety: values and pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "flow/fields.h"

namespace ovs::flow {

inline constexpr std::size_t max_field_bytes = 124;  // a tunnel option

struct FieldValue {
  std::array<std::uint8_t, max_field_bytes> bytes{};  // the first wire_bytes count

  // The value of a field of at most 64 bits, as a number.
  static FieldValue of(const Field& field, std::uint64_t number);
  std::uint64_t number(const Field& field) const;
  std::span<const std::uint8_t> view(const Field& field) const { return {bytes.data(), field.wire_bytes}; }
  friend bool operator==(const FieldValue&, const FieldValue&) = default;
};

// A mask of all the field's bits.
FieldValue exact_mask(const Field& field);
// Whether no bit is set outside the field's bits.
bool fits(const Field& field, const FieldValue& value);
bool is_zero(const Field& field, const FieldValue& value);
// The numbers that a packet may have in a small field: fewer than its bits allow in a few cases (RFC 8300: NSH's TTL
// has six bits, its metadata types are 1 and 2; 0 is what a packet has whose header is cut off).
struct ValueRange {
  std::uint64_t least;
  std::uint64_t most;
};
ValueRange value_range(const Field& field);

// FlowKey also serves as the mask of a match: the same places hold mask bits there.
FieldValue get_field(const FlowKey& key, const Field& field);
void set_field(FlowKey& key, const Field& field, const FieldValue& value);

// ---- text (ovs-fields(7), "Format")

struct MaskedValue {
  FieldValue value;
  FieldValue mask;
};

// "VALUE" or "VALUE/MASK", in any form that the field's format has.  Bits of the value outside
// the mask are cleared.
Result<MaskedValue> parse_field(const Field& field, std::string_view text);
// A value that is matched wholly if `mask` is exact.
void append_field(std::string& out, const Field& field, const FieldValue& value, const FieldValue& mask);

}  // namespace ovs::flow
