#include "ovsdb/condition.h"

#include <fmt/format.h>

#include <array>

namespace ovs::ovsdb {

namespace {

constexpr std::array<std::pair<std::string_view, Relation>, 8> relation_names{{
    {"==", Relation::equal},
    {"!=", Relation::not_equal},
    {"<", Relation::less},
    {"<=", Relation::less_or_equal},
    {">", Relation::greater},
    {">=", Relation::greater_or_equal},
    {"includes", Relation::includes},
    {"excludes", Relation::excludes},
}};

bool is_ordering(Relation r) {
  return r == Relation::less || r == Relation::less_or_equal || r == Relation::greater ||
         r == Relation::greater_or_equal;
}

bool can_order(const ColumnType& type) {
  return !type.is_map() && type.max == 1 &&
         (type.key.type == AtomType::integer || type.key.type == AtomType::real);
}

}  // namespace

std::string_view to_text(Relation r) {
  if (r == Relation::never) return "false";
  if (r == Relation::always) return "true";
  for (const auto& [name, relation] : relation_names)
    if (relation == r) return name;
  return {};
}

std::optional<Relation> parse_relation(std::string_view text) {
  for (const auto& [name, relation] : relation_names)
    if (name == text) return relation;
  return std::nullopt;
}

DbResult<Clause> Clause::from_json(const TableSchema& table, const json::value& v, const NamedUuids& names) {
  Clause clause;
  if (v.is_bool()) {
    clause.relation = v.get_bool() ? Relation::always : Relation::never;
    return clause;
  }
  const json::array* a = v.if_array();
  if (!a || a->size() != 3 || !(*a)[0].is_string() || !(*a)[1].is_string())
    return syntax_error(v, "Parse error in condition.");
  std::string_view column_name = (*a)[0].get_string(), relation_name = (*a)[1].get_string();
  const ColumnSchema* column = table.find(column_name);
  if (!column) return unknown_column(table, column_name, v);
  auto relation = parse_relation(relation_name);
  if (!relation) return db_error("unknown function", fmt::format("No function named {}.", relation_name));
  clause.relation = *relation;
  clause.column = column->index;

  ColumnType type = column->type;
  if (is_ordering(*relation)) {
    if (!can_order(type))
      return syntax_error(v, fmt::format("Type mismatch: \"{}\" operator may not be applied to column {} of type {}.",
                                         relation_name, column_name, type.text()));
    type.min = 1;
  } else if ((*relation == Relation::includes || *relation == Relation::excludes) && !type.is_scalar()) {
    // What a value cannot have, it excludes; what it cannot have, it does not include either, but
    // asking for it is an error to the servers of the field.
    type.min = 0;
    if (*relation == Relation::excludes) type.max = ColumnType::unlimited;
  }
  OVS_TRY(clause.argument, Datum::from_json(type, (*a)[2], names));
  return clause;
}

json::value Clause::to_json(const TableSchema& table) const {
  if (relation == Relation::always) return true;
  if (relation == Relation::never) return false;
  return json::array{table.columns[column].name, to_text(relation), argument.to_json()};
}

bool Clause::matches(const Datum& value, const ColumnType& type) const {
  if (is_ordering(relation)) {
    if (value.empty() || !can_order(type)) return false;
    std::strong_ordering order = value.key(0) <=> argument.key(0);
    switch (relation) {
      case Relation::less:
        return order < 0;
      case Relation::less_or_equal:
        return order <= 0;
      case Relation::greater:
        return order > 0;
      default:
        return order >= 0;
    }
  }
  switch (relation) {
    case Relation::always:
      return true;
    case Relation::equal:
      return value == argument;
    case Relation::not_equal:
      return !(value == argument);
    case Relation::includes:
      return value.includes(argument);
    case Relation::excludes:
      return value.excludes(argument);
    default:
      return false;
  }
}

DbResult<Condition> Condition::from_json(const TableSchema& table, const json::value& v, const NamedUuids& names) {
  const json::array* a = v.if_array();
  if (!a) return syntax_error(v, "array expected");
  Condition condition;
  condition.clauses.reserve(a->size());
  for (const json::value& element : *a) {
    OVS_TRY(Clause clause, Clause::from_json(table, element, names));
    condition.clauses.push_back(std::move(clause));
  }
  return condition;
}

json::value Condition::to_json(const TableSchema& table) const {
  json::array a;
  for (const Clause& clause : clauses) a.push_back(clause.to_json(table));
  return a;
}

}  // namespace ovs::ovsdb
