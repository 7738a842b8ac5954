// The types of columns (RFC 7047 section 3.2): <atomic-type>, <base-type>, <type>.
//
// A column holds a set of keys, or a map from keys to values; a plain value is a set of exactly one.
//
// Thread safety: values, immutable once built.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "ovsdb/error.h"

namespace ovs::ovsdb {

class Datum;

enum class AtomType : std::uint8_t { none, integer, real, boolean, string, uuid };

std::string_view to_text(AtomType t);  // "integer"; "void" for none
std::optional<AtomType> parse_atom_type(std::string_view text);

enum class RefType : std::uint8_t { strong, weak };

struct BaseType {
  AtomType type = AtomType::none;

  // The permitted values, as a set of this type; null where every value is permitted.
  std::shared_ptr<const Datum> enumeration;

  std::int64_t min_integer = std::numeric_limits<std::int64_t>::min();
  std::int64_t max_integer = std::numeric_limits<std::int64_t>::max();
  double min_real = std::numeric_limits<double>::lowest();
  double max_real = std::numeric_limits<double>::max();
  std::uint64_t min_length = 0;  // in characters, not bytes
  std::uint64_t max_length = std::numeric_limits<std::uint64_t>::max();

  std::string ref_table;  // uuid only; empty: any UUID
  RefType ref_type = RefType::strong;

  static DbResult<BaseType> from_json(const json::value& v);
  json::value to_json() const;  // the short form ("string") where there are no constraints
  // "either one or two", "in range 1 to 4,095": for ovs-vsctl's messages and the manual; empty if none.
  std::string constraints_text() const;

  bool is_ref() const { return type == AtomType::uuid && !ref_table.empty(); }
  bool is_strong_ref() const { return is_ref() && ref_type == RefType::strong; }
  bool is_weak_ref() const { return is_ref() && ref_type == RefType::weak; }
  bool operator==(const BaseType&) const;
};

struct ColumnType {
  BaseType key;
  BaseType value;  // type none: not a map
  std::uint32_t min = 1;
  std::uint32_t max = 1;
  static constexpr std::uint32_t unlimited = std::numeric_limits<std::uint32_t>::max();

  static DbResult<ColumnType> from_json(const json::value& v);
  json::value to_json() const;

  bool is_map() const { return value.type != AtomType::none; }
  bool is_scalar() const { return min == 1 && max == 1 && !is_map(); }
  bool is_optional() const { return min == 0 && max == 1; }  // a set or a map of none or one
  std::string text() const;  // English: "set of up to 4096 integers, in range 0 to 4,095"
  bool operator==(const ColumnType&) const = default;
};

}  // namespace ovs::ovsdb
