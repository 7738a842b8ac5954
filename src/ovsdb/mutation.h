// Mutations (RFC 7047 section 5.1, <mutation>): += -= *= /= %= insert delete.
//
// Thread safety: values; application is pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/json.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

namespace ovs::ovsdb {

enum class Mutator : std::uint8_t { add, subtract, multiply, divide, modulo, insert, erase };

struct Mutation {
  Mutator mutator = Mutator::add;
  std::size_t column = 0;
  Datum argument;  // for "delete" on a map possibly a set of its keys

  static DbResult<Mutation> from_json(const TableSchema& table, const json::value& v, const NamedUuids& names);
  // Changes `value`; errors: "domain error" (division by zero), "range error" (overflow),
  // "constraint violation".  Returns whether it changed.
  DbResult<bool> apply(Datum& value, const ColumnType& type) const;
};

DbResult<std::vector<Mutation>> mutations_from_json(const TableSchema& table, const json::value& v,
                                                    const NamedUuids& names);

}  // namespace ovs::ovsdb
