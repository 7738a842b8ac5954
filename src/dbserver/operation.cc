#include "dbserver/operation.h"

#include <fmt/format.h>

#include <array>

namespace ovs::dbserver {

using ovsdb::DbResult;

namespace {

enum class Shape : std::uint8_t { object, array, string, id, boolean, integer };

struct MemberRule {
  std::string_view name;
  const json::value* Operation::*member;
  Shape shape;
  bool required;
};

struct Rule {
  std::string_view op;
  Operation::Kind kind;
  bool has_table;
  std::array<MemberRule, 5> members;
};

using Kind = Operation::Kind;

constexpr Rule rules[] = {
    {"insert", Kind::insert, true,
     {{{"row", &Operation::row, Shape::object, true},
       {"uuid-name", &Operation::uuid_name, Shape::id, false},
       {"uuid", &Operation::uuid, Shape::string, false}}}},
    {"select", Kind::select, true,
     {{{"where", &Operation::where, Shape::array, true}, {"columns", &Operation::columns, Shape::array, false}}}},
    {"update", Kind::update, true,
     {{{"where", &Operation::where, Shape::array, true}, {"row", &Operation::row, Shape::object, true}}}},
    {"mutate", Kind::mutate, true,
     {{{"where", &Operation::where, Shape::array, true}, {"mutations", &Operation::mutations, Shape::array, true}}}},
    {"delete", Kind::erase, true, {{{"where", &Operation::where, Shape::array, true}}}},
    {"wait", Kind::wait, true,
     {{{"timeout", &Operation::timeout, Shape::integer, false},
       {"where", &Operation::where, Shape::array, true},
       {"columns", &Operation::columns, Shape::array, false},
       {"until", &Operation::until, Shape::string, true},
       {"rows", &Operation::rows, Shape::array, true}}}},
    {"commit", Kind::commit, false, {{{"durable", &Operation::durable, Shape::boolean, true}}}},
    {"abort", Kind::abort, false, {}},
    {"comment", Kind::comment, false, {{{"comment", &Operation::comment, Shape::string, true}}}},
    {"assert", Kind::assert_lock, false, {{{"lock", &Operation::lock, Shape::id, true}}}},
};

bool has_shape(const json::value& v, Shape shape) {
  switch (shape) {
    case Shape::object: return v.is_object();
    case Shape::array: return v.is_array();
    case Shape::string: return v.is_string();
    case Shape::id: return v.is_string() && ovsdb::is_id(std::string_view(v.get_string()));
    case Shape::boolean: return v.is_bool();
    case Shape::integer: return as_integer(v).has_value();
  }
  return false;
}

}  // namespace

std::string_view to_text(Operation::Kind kind) {
  for (const Rule& rule : rules) {
    if (rule.kind == kind) return rule.op;
  }
  return {};
}

DbResult<Operation> Operation::parse(const Database& database, const json::value& v, std::size_t number,
                                     std::size_t total) {
  const auto fail = [&](const std::string& why) {
    return ovsdb::syntax_error(v, fmt::format("Parsing ovsdb operation {} of {} failed: {}", number, total, why));
  };
  const json::object* object = v.if_object();
  if (!object) return fail("Object expected.");
  const json::value* name = object->if_contains("op");
  if (!name) return fail("Required 'op' member is missing.");
  if (!name->is_string()) return fail("Type mismatch for member 'op'.");
  const Rule* rule = nullptr;
  for (const Rule& candidate : rules) {
    if (candidate.op == std::string_view(name->get_string())) rule = &candidate;
  }
  if (!rule) return fail(fmt::format("No operation \"{}\"", std::string_view(name->get_string())));

  Operation op;
  op.kind = rule->kind;
  op.whole = &v;
  std::size_t used = 1;
  if (rule->has_table) {
    const json::value* table = object->if_contains("table");
    if (!table) return fail("Required 'table' member is missing.");
    if (!has_shape(*table, Shape::id)) return fail("Type mismatch for member 'table'.");
    op.table = database.find_table(std::string_view(table->get_string()));
    if (!op.table) return fail(fmt::format("No table named {}.", std::string_view(table->get_string())));
    used++;
  }
  for (const MemberRule& member : rule->members) {
    if (member.name.empty()) break;
    const json::value* value = object->if_contains(member.name);
    if (!value) {
      if (member.required) return fail(fmt::format("Required '{}' member is missing.", member.name));
      continue;
    }
    if (!has_shape(*value, member.shape)) return fail(fmt::format("Type mismatch for member '{}'.", member.name));
    op.*(member.member) = value;
    used++;
  }
  if (object->size() > used) {
    for (const auto& pair : *object) {
      const std::string_view key = pair.key();
      bool known = key == "op" || (rule->has_table && key == "table");
      for (const MemberRule& member : rule->members) known = known || member.name == key;
      if (!known) return fail(fmt::format("Member '{}' is present but not allowed here.", key));
    }
  }
  return op;
}

}  // namespace ovs::dbserver
