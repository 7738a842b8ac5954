#include "ovsdb/mutation.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/check.h"

namespace ovs::ovsdb {

namespace {

constexpr std::array<std::string_view, 7> mutator_names{"+=", "-=", "*=", "/=", "%=", "insert", "delete"};

std::string_view name_of(Mutator m) { return mutator_names[static_cast<std::size_t>(m)]; }

bool is_arithmetic(Mutator m) { return m != Mutator::insert && m != Mutator::erase; }

bool is_applicable(Mutator m, const ColumnType& type) {
  if (!is_arithmetic(m)) return !type.is_scalar();
  if (type.is_map()) return false;
  return type.key.type == AtomType::integer || (type.key.type == AtomType::real && m != Mutator::modulo);
}

Unexpected<DbError> division_by_zero() { return db_error("domain error", "Division by zero."); }

Unexpected<DbError> out_of_range(Mutator m) {
  return db_error("range error", fmt::format("Result of \"{}\" operation is out of range.", name_of(m)));
}

DbResult<Atom> compute(Mutator m, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (m) {
    case Mutator::add:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Mutator::subtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Mutator::multiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Mutator::divide:
    case Mutator::modulo:
      if (b == 0) return division_by_zero();
      // The one quotient that does not fit; its remainder traps on some processors.
      overflow = a == std::numeric_limits<std::int64_t>::min() && b == -1;
      if (!overflow) result = m == Mutator::divide ? a / b : a % b;
      break;
    default:
      OVS_CHECK(false, "no arithmetic operator");
  }
  if (overflow) return out_of_range(m);
  return Atom(result);
}

DbResult<Atom> compute(Mutator m, double a, double b) {
  double result = 0;
  switch (m) {
    case Mutator::add:
      result = a + b;
      break;
    case Mutator::subtract:
      result = a - b;
      break;
    case Mutator::multiply:
      result = a * b;
      break;
    case Mutator::divide:
      if (b == 0) return division_by_zero();
      result = a / b;
      break;
    default:
      OVS_CHECK(false, "no arithmetic operator for reals");
  }
  if (!std::isfinite(result)) return out_of_range(m);
  return Atom(result);
}

DbResult<bool> apply_arithmetic(const Mutation& mutation, Datum& value, const ColumnType& type) {
  std::vector<Atom> results;
  results.reserve(value.size());
  AtomView operand = mutation.argument.key(0);
  for (std::size_t i = 0; i < value.size(); ++i) {
    AtomView element = value.key(i);
    OVS_TRY(Atom result, type.key.type == AtomType::integer
                             ? compute(mutation.mutator, element.integer(), operand.integer())
                             : compute(mutation.mutator, element.real(), operand.real()));
    OVS_TRY_DO(check_atom(result, type.key));
    results.push_back(std::move(result));
  }
  const std::size_t n = results.size();
  Datum changed = Datum::set_of(type.key.type, std::move(results));
  if (changed.size() != n)
    return db_error("constraint violation",
                    fmt::format("Result of \"{}\" operation contains duplicates.", name_of(mutation.mutator)));
  if (changed == value) return false;
  value = std::move(changed);
  return true;
}

// What a mutation's argument must look like; `v` matters for "delete" from a map, which takes
// pairs or keys.
ColumnType argument_type(Mutator m, const ColumnType& type, const json::value& v) {
  if (is_arithmetic(m)) {
    ColumnType scalar;
    scalar.key.type = type.key.type;
    return scalar;
  }
  ColumnType t = type;
  t.min = 0;
  if (m == Mutator::insert) return t;
  t.max = ColumnType::unlimited;
  const json::array* a = v.if_array();
  bool pairs = a && !a->empty() && (*a)[0].is_string() && (*a)[0].get_string() == "map";
  if (type.is_map() && !pairs) t.value = BaseType();
  return t;
}

}  // namespace

DbResult<Mutation> Mutation::from_json(const TableSchema& table, const json::value& v, const NamedUuids& names) {
  const json::array* a = v.if_array();
  if (!a || a->size() != 3 || !(*a)[0].is_string() || !(*a)[1].is_string())
    return syntax_error(v, "Parse error in mutation.");
  std::string_view column_name = (*a)[0].get_string(), mutator_name = (*a)[1].get_string();
  const ColumnSchema* column = table.find(column_name);
  if (!column) return unknown_column(table, column_name, v);
  if (!column->is_mutable)
    return error_about(v, "constraint violation",
                       fmt::format("Cannot mutate immutable column {} in table {}.", column_name, table.name));
  Mutation mutation;
  std::size_t i = 0;
  while (i < mutator_names.size() && mutator_names[i] != mutator_name) ++i;
  if (i == mutator_names.size())
    return db_error("unknown mutator", fmt::format("No mutator named {}.", mutator_name));
  mutation.mutator = static_cast<Mutator>(i);
  mutation.column = column->index;
  if (!is_applicable(mutation.mutator, column->type))
    return syntax_error(v, fmt::format("Type mismatch: \"{}\" operator may not be applied to column {} of type {}.",
                                       mutator_name, column_name, column->type.text()));
  OVS_TRY(mutation.argument,
          Datum::from_json(argument_type(mutation.mutator, column->type, (*a)[2]), (*a)[2], names));
  return mutation;
}

DbResult<bool> Mutation::apply(Datum& value, const ColumnType& type) const {
  if (is_arithmetic(mutator)) return apply_arithmetic(*this, value, type);
  bool changed = false;
  if (mutator == Mutator::insert)
    changed = value.unite(argument);
  else if (value.is_map() && !argument.is_map())
    changed = value.subtract_keys(argument);
  else
    changed = value.subtract(argument);
  // The elements themselves were in order before: only their number can have become wrong.
  if (changed && (value.size() < type.min || value.size() > type.max))
    return db_error("constraint violation",
                    fmt::format("Attempted to store {} elements in {}.", value.size(), type.text()));
  return changed;
}

DbResult<std::vector<Mutation>> mutations_from_json(const TableSchema& table, const json::value& v,
                                                    const NamedUuids& names) {
  const json::array* a = v.if_array();
  if (!a) return syntax_error(v, "array expected");
  std::vector<Mutation> mutations;
  mutations.reserve(a->size());
  for (const json::value& element : *a) {
    OVS_TRY(Mutation mutation, Mutation::from_json(table, element, names));
    mutations.push_back(std::move(mutation));
  }
  return mutations;
}

}  // namespace ovs::ovsdb
