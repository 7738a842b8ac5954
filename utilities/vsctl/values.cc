#include "vsctl/values.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "setting.h"
#include "vsctl/schema.h"

namespace ovs::vsctl {

namespace {

using utilities::take_word;

struct OperatorName {
  Operator op;
  std::string_view text;
};
// In the order of the error message that lists them.
constexpr std::array<OperatorName, 14> operator_names{{
    {Operator::equal, "="},
    {Operator::not_equal, "!="},
    {Operator::less, "<"},
    {Operator::greater, ">"},
    {Operator::less_or_equal, "<="},
    {Operator::greater_or_equal, ">="},
    {Operator::set_equal, "{=}"},
    {Operator::set_not_equal, "{!=}"},
    {Operator::proper_subset, "{<}"},
    {Operator::proper_superset, "{>}"},
    {Operator::subset, "{<=}"},
    {Operator::superset, "{>=}"},
    {Operator::in, "{in}"},
    {Operator::not_in, "{not-in}"},
}};

constexpr Operator only_set[] = {Operator::equal};

// The longest operator at the beginning of `text`, of all there are.
const OperatorName* operator_at(std::string_view text) {
  const OperatorName* best = nullptr;
  for (const OperatorName& o : operator_names)
    if (text.starts_with(o.text) && (!best || o.text.size() > best->text.size())) best = &o;
  return best;
}

std::string list_operators(std::span<const Operator> operators) {
  std::string out;
  for (std::size_t i = 0; i < operators.size(); i++) {
    if (i) out += operators.size() > 2 ? ", " : " ";
    if (i && i + 1 == operators.size()) out += "or ";
    out += fmt::format("\"{}\"", to_text(operators[i]));
  }
  return out;
}

}  // namespace

std::string_view to_text(Operator op) {
  auto it = std::ranges::find(operator_names, op, &OperatorName::op);
  return it == operator_names.end() ? "" : it->text;
}

Result<ArgumentParts> split_argument(const TableSchema& table, std::string_view argument,
                                     std::span<const Operator> operators) {
  ArgumentParts parts;
  std::string_view text = argument;
  OVS_TRY(std::string name, take_word(text, text));
  if (name.empty()) return unexpected(fmt::format("{}: missing column name", argument));
  OVS_TRY(parts.column, find_column(table, name));
  parts.written = std::move(name);
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    OVS_TRY(std::string key, take_word(text, text));
    if (key.empty()) return unexpected(fmt::format("{}: missing key name after \":\"", argument));
    parts.key = std::move(key);
  }
  if (operators.empty()) {
    parts.rest = text;
    return parts;
  }
  const OperatorName* op = operator_at(text);
  if (!op || std::ranges::find(operators, op->op) == operators.end() || text.size() == op->text.size()) {
    std::string message =
        fmt::format("{}: argument does not end in {} followed by a value.", argument, list_operators(operators));
    // "tag = 5" and "tag 5" come as several arguments.
    if (text.empty() || op) {
      std::string_view target = argument.substr(0, argument.size() - text.size());
      message += fmt::format("  Write {}=VALUE as one word, without spaces", target);
      message += op ? " ('\"\"' is the empty text)." : ".";
    }
    return unexpected(std::move(message));
  }
  parts.op = op->op;
  parts.value = text.substr(op->text.size());
  return parts;
}

Result<ArgumentParts> split_setting(const TableSchema& table, std::string_view argument) {
  return split_argument(table, argument, only_set);
}

Result<ArgumentParts> split_condition(const TableSchema& table, std::string_view argument) {
  static constexpr auto all = [] {
    std::array<Operator, operator_names.size()> out{};
    std::ranges::transform(operator_names, out.begin(), &OperatorName::op);
    return out;
  }();
  return split_argument(table, argument, all);
}

Result<const TableSchema*> table_argument(Context& context, std::string_view name) {
  return find_table(context.view().schema(), name);
}

namespace {

const RecordName* record_name_of(const TableSchema& table) {
  for (const RecordName& r : record_names())
    if (r.table == table.name) return &r;
  return nullptr;
}

// The question for the row in which a record's name stands; nothing where it cannot be one.
std::optional<Query> name_query(View& view, const RecordName& r, std::string_view name,
                                std::vector<std::string> columns) {
  const TableSchema* table = view.table(r.name_table);
  const ovsdb::ColumnSchema* column = table ? table->find(r.name_column) : nullptr;
  if (!column) return std::nullopt;
  if (column->type.key.type == AtomType::integer) {
    auto n = parse_integer(name);
    if (!n) return std::nullopt;
    return Query::equal(r.name_table, r.name_column, Atom(*n), std::move(columns));
  }
  return Query::equal(r.name_table, r.name_column, Atom(name), std::move(columns));
}

}  // namespace

void fetch_record(Context& context, const TableSchema& table, std::string_view name,
                  const std::vector<std::string>& columns) {
  if (name.starts_with('@')) return;
  if (auto uuid = Uuid::parse(name)) {
    context.fetch(Query::equal(table.name, "_uuid", Atom(*uuid), columns));
    return;
  }
  const RecordName* r = record_name_of(table);
  if (!r) return;
  if (r->name_table.empty()) {
    context.fetch(Query::all(table.name, columns));
    return;
  }
  auto names_columns = r->via.empty() ? columns : std::vector<std::string>{std::string(r->via)};
  if (auto q = name_query(context.view(), *r, name, names_columns)) context.fetch(std::move(*q));
}

Result<Row*> find_record(Context& context, const TableSchema& table, std::string_view name) {
  View& view = context.view();
  if (name.starts_with('@')) {
    auto it = context.attempt().names.find(name);
    bool here = it != context.attempt().names.end() && it->second && &it->second->table() == &table &&
                !it->second->deleted();
    return here ? it->second : nullptr;
  }
  if (auto uuid = Uuid::parse(name)) return view.by_uuid(table.name, *uuid);

  if (const RecordName* r = record_name_of(table)) {
    std::vector<Row*> found;
    if (r->name_table.empty()) {
      if (name == ".") found = view.find(Query::all(table.name));
    } else if (auto q = name_query(view, *r, name, {})) {
      for (Row* row : view.find(*q)) {
        if (r->via.empty()) {
          found.push_back(row);
          continue;
        }
        Datum refs = view.get(row, r->via);
        // Several controllers of one bridge have no name by which one of them is meant.
        if (refs.size() == 1)
          if (Row* target = view.by_uuid(table.name, refs.uuid())) found.push_back(target);
      }
    }
    if (found.size() > 1)
      return unexpected(fmt::format("multiple rows in {} match \"{}\"", table.name, name));
    if (!found.empty()) return found[0];
  }

  // The beginning of a UUID, of at least four digits.
  if (name.size() >= 4 && Uuid::is_partial(name)) {
    Row* found = nullptr;
    std::string wanted = to_lower(name);
    for (Row* row : view.find(Query::all(table.name))) {
      if (!row->uuid().to_string().starts_with(wanted)) continue;
      if (found)
        return unexpected(fmt::format("{} contains 2 or more rows whose UUIDs begin with {}: at least {} and {}",
                                      table.name, name, found->uuid().to_string(), row->uuid().to_string()));
      found = row;
    }
    return found;
  }
  return nullptr;
}

Result<Row*> get_record(Context& context, const TableSchema& table, std::string_view name, bool must_exist) {
  OVS_TRY(Row* row, find_record(context, table, name));
  if (!row && must_exist) return unexpected(fmt::format("no row \"{}\" in table {}", name, table.name));
  return row;
}

Result<Uuid> resolve_name(Context& context, std::string_view name) {
  auto& attempt = context.attempt();
  if (auto it = attempt.names.find(name); it != attempt.names.end() && it->second) return it->second->uuid();
  if (auto it = attempt.promised.find(name); it != attempt.promised.end()) return it->second;
  return unexpected(
      fmt::format("row id \"{0}\" is referenced but never created (e.g. with \"-- --id={0} create ...\")", name));
}

namespace {

template <class T>
Result<T> parse_with_names(Context& context,
                           const std::function<ovsdb::DbResult<T>(const ovsdb::NamedUuids&)>& parse) {
  std::optional<Error> unknown;
  auto result = parse([&](std::string_view name) -> std::optional<Uuid> {
    auto uuid = resolve_name(context, name);
    if (uuid) return *uuid;
    unknown = uuid.error();
    return std::nullopt;
  });
  if (unknown) return Unexpected{std::move(*unknown)};
  if (!result) return unexpected(result.error().to_string());
  return std::move(*result);
}

}  // namespace

Result<Datum> parse_value(Context& context, const ovsdb::ColumnType& type, std::string_view text) {
  auto parse = [&](std::string_view t) {
    return parse_with_names<Datum>(
        context, [&](const ovsdb::NamedUuids& names) { return Datum::from_text(type, t, names); });
  };
  return utilities::read_value(type, text, parse);
}

Result<Atom> parse_atom(Context& context, const ovsdb::BaseType& type, std::string_view text) {
  return parse_with_names<Atom>(
      context, [&](const ovsdb::NamedUuids& names) { return Atom::from_text(type, text, names); });
}

Result<Atom> key_atom(Context& context, const ovsdb::ColumnType& type, const std::string& key) {
  // split_argument() has taken the quotes away.
  if (type.key.type == AtomType::string) return Atom(key);
  return parse_atom(context, type.key, key);
}

Result<void> check_mutable(const Row* row, const ovsdb::ColumnSchema& column) {
  // _uuid is read-only as well, and the user cannot mean it by a beginning.
  if (column.index < ovsdb::first_column)
    return unexpected(fmt::format("{} does not contain a column whose name matches \"{}\"", row->table().name,
                                  column.name));
  if (!column.is_mutable && !row->inserted())
    return unexpected(
        fmt::format("cannot modify read-only column {} in table {}", column.name, row->table().name));
  return {};
}

Error about(Error error, const ValuePlace& place) {
  error.message += fmt::format(" (table {}", place.table.name);
  if (!place.record.empty()) error.message += fmt::format(", record {}", place.record);
  error.message += fmt::format(", column {}", place.column.name);
  if (place.written.size() < place.column.name.size())
    error.message += fmt::format(", which \"{}\" is short for", place.written);
  const ovsdb::ColumnType& type = place.column.type;
  const std::string& target = type.value.ref_table.empty() ? type.key.ref_table : type.value.ref_table;
  if (!target.empty()) error.message += fmt::format(", which refers to records of {}", target);
  error.message += ')';
  return error;
}

Result<void> set_column(Context& context, Row* row, std::string_view record, std::string_view argument) {
  View& view = context.view();
  OVS_TRY(ArgumentParts parts, split_setting(row->table(), argument));
  const ovsdb::ColumnSchema* column = parts.column;
  const ValuePlace place{row->table(), record, *column, parts.written};
  OVS_TRY_DO(check_mutable(row, *column));
  // What it is now decides whether anything changes.
  view.get(row, column->name);
  if (!parts.key) {
    OVS_TRY(Datum value, about(parse_value(context, column->type, parts.value), place));
    view.set(row, column->name, std::move(value));
    return {};
  }
  if (!column->type.is_map())
    return unexpected(fmt::format("cannot specify key to set for non-map column {}", column->name));
  OVS_TRY(Atom key, about(key_atom(context, column->type, *parts.key), place));
  if (auto ok = ovsdb::check_atom(key, column->type.key); !ok)
    return Unexpected{about(Error{ok.error().to_string()}, place)};
  OVS_TRY(Atom value, about(parse_atom(context, column->type.value, parts.value), place));
  view.insert_elements(row, column->name,
                       Datum::map_of(column->type.key.type, column->type.value.type,
                                     {{std::move(key), std::move(value)}}));
  return {};
}

namespace {

// By number of elements first, then by keys, then by values.
std::strong_ordering compare(const Datum& a, const Datum& b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  for (std::size_t i = 0; i < a.size(); i++)
    if (auto c = a.key(i) <=> b.key(i); c != 0) return c;
  if (a.is_map() && b.is_map())
    for (std::size_t i = 0; i < a.size(); i++)
      if (auto c = a.value(i) <=> b.value(i); c != 0) return c;
  return std::strong_ordering::equal;
}

bool holds(Operator op, const Datum& a, const Datum& b) {
  switch (op) {
    case Operator::equal: return compare(a, b) == 0;
    case Operator::not_equal: return compare(a, b) != 0;
    case Operator::less: return compare(a, b) < 0;
    case Operator::greater: return compare(a, b) > 0;
    case Operator::less_or_equal: return compare(a, b) <= 0;
    case Operator::greater_or_equal: return compare(a, b) >= 0;
    case Operator::set_equal: return compare(a, b) == 0;
    case Operator::set_not_equal: return compare(a, b) != 0;
    case Operator::subset:
    case Operator::in: return b.includes(a);
    case Operator::superset: return a.includes(b);
    case Operator::proper_subset: return b.size() > a.size() && b.includes(a);
    case Operator::proper_superset: return a.size() > b.size() && a.includes(b);
    case Operator::not_in: return a.excludes(b);
    case Operator::none: break;
  }
  return false;
}

bool is_arithmetic(Operator op) { return op >= Operator::equal && op <= Operator::greater_or_equal; }

}  // namespace

Result<bool> satisfies(Context& context, Row* row, std::string_view record, std::string_view argument) {
  View& view = context.view();
  OVS_TRY(ArgumentParts parts, split_condition(row->table(), argument));
  const ovsdb::ColumnSchema* column = parts.column;
  const ValuePlace place{row->table(), record, *column, parts.written};
  Datum have = view.get(row, column->name);
  ovsdb::ColumnType type = column->type;
  if (parts.key) {
    if (!type.is_map())
      return unexpected(fmt::format("cannot specify key to check for non-map column {}", column->name));
    OVS_TRY(Atom key, about(key_atom(context, type, *parts.key), place));
    // From here on, the value of the key is a set of none or one.
    auto at = have.find(key);
    type.key = type.value;
    type.value = {};
    type.min = 0;
    type.max = ovsdb::ColumnType::unlimited;
    Datum value(type.key.type);
    if (at) value = Datum(Atom(have.value(*at)));
    if (!at && is_arithmetic(parts.op)) {
      OVS_TRY_DO(about(parse_value(context, type, parts.value), place));
      return false;
    }
    have = std::move(value);
  } else if (!is_arithmetic(parts.op)) {
    // A set to compare with may have more elements than the column can.
    type.min = 0;
    type.max = ovsdb::ColumnType::unlimited;
  }
  OVS_TRY(Datum want, about(parse_value(context, type, parts.value), place));
  return holds(parts.op, have, want);
}

}  // namespace ovs::vsctl
