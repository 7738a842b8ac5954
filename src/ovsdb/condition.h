// Conditions: the "where" of operations (RFC 7047 section 5.1, <condition>) and of conditional
// monitors, which also know the boolean clauses true and false.
//
// Thread safety: values; evaluation is pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

namespace ovs::ovsdb {

enum class Relation : std::uint8_t {
  never,   // the boolean clause false
  always,  // the boolean clause true
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  includes,
  excludes,
};

std::string_view to_text(Relation r);  // "==", "includes", ...
std::optional<Relation> parse_relation(std::string_view text);

// Where a condition finds a row's values.
using ColumnReader = std::function<Datum(std::size_t column)>;

struct Clause {
  Relation relation = Relation::always;
  std::size_t column = 0;
  Datum argument;

  static DbResult<Clause> from_json(const TableSchema& table, const json::value& v, const NamedUuids& names);
  json::value to_json(const TableSchema& table) const;
  // RFC 7047 section 5.1: relations of an optional scalar with no value are false.
  bool matches(const Datum& value, const ColumnType& type) const;
};

struct Condition {
  std::vector<Clause> clauses;
  // How clauses combine: operations say all of them, conditional monitors any.
  static DbResult<Condition> from_json(const TableSchema& table, const json::value& v, const NamedUuids& names);
  json::value to_json(const TableSchema& table) const;
};

}  // namespace ovs::ovsdb
