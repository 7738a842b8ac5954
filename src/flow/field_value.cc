#include "flow/field_value.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "flow/port_number.h"

namespace ovs::flow {

namespace {

// A field of at most eight bytes of storage is a part of an integer; a larger one is whole bytes
// (fields.cc proves both).
bool is_small(const Field& field) { return field.place.storage <= 8; }

std::uint64_t low_bits(unsigned n) { return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1; }

// The bits of a small field where they stand on the wire.
std::uint64_t wire_bits(const Field& field) {
  if (field.format == Format::port16) return 0xffff;
  return low_bits(field.place.bits) << field.place.wire_shift;
}

std::uint64_t read_number(const std::uint8_t* p, std::size_t size) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < size; i++) n = n << 8 | p[i];
  return n;
}

void write_number(std::uint8_t* p, std::size_t size, std::uint64_t n) {
  for (std::size_t i = size; i-- > 0; n >>= 8) p[i] = static_cast<std::uint8_t>(n);
}

}  // namespace

FieldValue FieldValue::of(const Field& field, std::uint64_t number) {
  FieldValue v;
  const std::size_t size = std::min<std::size_t>(field.wire_bytes, 8);
  write_number(v.bytes.data() + field.wire_bytes - size, size, number);
  return v;
}

std::uint64_t FieldValue::number(const Field& field) const {
  const std::size_t size = std::min<std::size_t>(field.wire_bytes, 8);
  return read_number(bytes.data() + field.wire_bytes - size, size);
}

FieldValue exact_mask(const Field& field) {
  if (is_small(field)) return FieldValue::of(field, wire_bits(field));
  FieldValue v;
  std::fill_n(v.bytes.begin(), field.wire_bytes, 0xff);
  return v;
}

bool fits(const Field& field, const FieldValue& value) {
  if (!is_small(field)) return true;
  return (value.number(field) & ~wire_bits(field)) == 0;
}

bool is_zero(const Field& field, const FieldValue& value) {
  return std::ranges::all_of(value.view(field), [](std::uint8_t b) { return b == 0; });
}

ValueRange value_range(const Field& field) {
  if (field.id == FieldId::nsh_ttl) return {0, 63};
  if (field.id == FieldId::nsh_mdtype) return {0, 2};
  return {0, is_small(field) ? wire_bits(field) : ~std::uint64_t{0}};
}

FieldValue get_field(const FlowKey& key, const Field& field) {
  OVS_CHECK(!is_tunnel_metadata(field.id), "a tunnel option has no place of its own");
  const auto* at = reinterpret_cast<const std::uint8_t*>(&key) + field.place.offset;
  if (is_small(field)) {
    const std::uint64_t n = read_number(at, field.place.storage) >> field.place.shift & low_bits(field.place.bits);
    if (field.format == Format::port16) {
      return FieldValue::of(field, narrow_port(static_cast<std::uint32_t>(n)).value_or(port_number_none_16));
    }
    return FieldValue::of(field, n << field.place.wire_shift);
  }
  FieldValue v;
  std::memcpy(v.bytes.data(), at, field.place.storage);
  return v;
}

void set_field(FlowKey& key, const Field& field, const FieldValue& value) {
  OVS_CHECK(!is_tunnel_metadata(field.id), "a tunnel option has no place of its own");
  auto* at = reinterpret_cast<std::uint8_t*>(&key) + field.place.offset;
  if (!is_small(field)) {
    std::memcpy(at, value.bytes.data(), field.place.storage);
    return;
  }
  std::uint64_t number = value.number(field) >> field.place.wire_shift;
  // A mask of 16 one-bits becomes one of 32, as it should.
  if (field.format == Format::port16) number = widen_port(static_cast<std::uint16_t>(number));
  const std::uint64_t bits = low_bits(field.place.bits) << field.place.shift;
  const std::uint64_t n = read_number(at, field.place.storage) & ~bits;
  write_number(at, field.place.storage, n | (number << field.place.shift & bits));
}

}  // namespace ovs::flow
