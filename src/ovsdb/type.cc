#include "ovsdb/type.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"
#include "ovsdb/members.h"

namespace ovs::ovsdb {

namespace {

constexpr std::string_view type_names[] = {"void", "integer", "real", "boolean", "string", "uuid"};

constexpr auto any_min_integer = std::numeric_limits<std::int64_t>::min();
constexpr auto any_max_integer = std::numeric_limits<std::int64_t>::max();
constexpr auto any_min_real = std::numeric_limits<double>::lowest();
constexpr auto any_max_real = std::numeric_limits<double>::max();
constexpr auto any_length = std::numeric_limits<std::uint64_t>::max();

bool has_constraints(const BaseType& t) {
  return t.enumeration || t.min_integer != any_min_integer || t.max_integer != any_max_integer ||
         t.min_real != any_min_real || t.max_real != any_max_real || t.min_length != 0 ||
         t.max_length != any_length || !t.ref_table.empty();
}

DbResult<BaseType> base_of(AtomType type) {
  BaseType t;
  t.type = type;
  return t;
}

// "minLength" and "maxLength": a length that is not negative.
DbResult<void> read_length(Members& m, std::string_view name, std::uint64_t* out) {
  OVS_TRY(auto n, m.optional_integer(name));
  if (!n) return {};
  constexpr std::int64_t longest = 0xffffffff;  // as good as no limit
  if (*n < 0 || *n > longest) return syntax_error(*n, fmt::format("{} out of valid range 0 to {}", name, longest));
  if (*n < longest) *out = static_cast<std::uint64_t>(*n);
  return {};
}

// Thousands are separated, as people read numbers.
std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  std::size_t first = digits[0] == '-' ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string plural(const BaseType& t) {
  return t.type == AtomType::uuid && t.is_ref() ? "uuids" : std::string(to_text(t.type)) + "s";
}

std::string with_constraints(std::string text, const BaseType& t) {
  if (auto c = t.constraints_text(); !c.empty()) text += ", " + c;
  return text;
}

}  // namespace

std::string_view to_text(AtomType t) { return type_names[static_cast<std::size_t>(t)]; }

std::optional<AtomType> parse_atom_type(std::string_view text) {
  for (std::size_t i = 1; i < std::size(type_names); ++i)
    if (type_names[i] == text) return static_cast<AtomType>(i);
  return std::nullopt;
}

DbResult<BaseType> BaseType::from_json(const json::value& v) {
  if (auto name = as_string(v)) {
    auto atom_type = parse_atom_type(*name);
    if (!atom_type) return syntax_error(v, fmt::format("\"{}\" is not an atomic-type", *name));
    return base_of(*atom_type);
  }
  OVS_TRY(Members m, Members::of(v, "ovsdb type"));
  OVS_TRY(const json::value* type_name, m.required("type"));
  auto name = as_string(*type_name);
  auto atom_type = name ? parse_atom_type(*name) : std::nullopt;
  if (!atom_type) return syntax_error(*type_name, "an atomic-type is expected");
  BaseType t;
  t.type = *atom_type;

  if (const json::value* e = m.optional("enum")) {
    ColumnType set;
    set.key.type = t.type;
    set.max = ColumnType::unlimited;  // and at least one
    OVS_TRY(Datum values, Datum::from_json(set, *e));
    t.enumeration = std::make_shared<const Datum>(std::move(values));
  } else if (t.type == AtomType::integer) {
    OVS_TRY(auto low, m.optional_integer("minInteger"));
    OVS_TRY(auto high, m.optional_integer("maxInteger"));
    if (low) t.min_integer = *low;
    if (high) t.max_integer = *high;
    if (t.min_integer > t.max_integer) return syntax_error(v, "minInteger exceeds maxInteger");
  } else if (t.type == AtomType::real) {
    OVS_TRY(auto low, m.optional_real("minReal"));
    OVS_TRY(auto high, m.optional_real("maxReal"));
    if (low) t.min_real = *low;
    if (high) t.max_real = *high;
    if (t.min_real > t.max_real) return syntax_error(v, "minReal exceeds maxReal");
  } else if (t.type == AtomType::string) {
    OVS_TRY_DO(read_length(m, "minLength", &t.min_length));
    OVS_TRY_DO(read_length(m, "maxLength", &t.max_length));
    if (t.min_length > t.max_length) return syntax_error(v, "minLength exceeds maxLength");
  } else if (t.type == AtomType::uuid) {
    OVS_TRY(auto table, m.optional_id("refTable"));
    if (table) {
      t.ref_table = *table;
      OVS_TRY(auto kind, m.optional_string("refType"));
      if (kind && *kind == "weak")
        t.ref_type = RefType::weak;
      else if (kind && *kind != "strong")
        return syntax_error(v, "refType must be \"strong\" or \"weak\"");
    }
  }
  OVS_TRY_DO(m.finish());
  return t;
}

json::value BaseType::to_json() const {
  if (!has_constraints(*this)) return json::value(to_text(type));
  json::object o;
  if (enumeration) o["enum"] = enumeration->to_json();
  if (max_integer != any_max_integer) o["maxInteger"] = max_integer;
  if (max_length != any_length) o["maxLength"] = max_length;
  if (max_real != any_max_real) o["maxReal"] = max_real;
  if (min_integer != any_min_integer) o["minInteger"] = min_integer;
  if (min_length != 0) o["minLength"] = min_length;
  if (min_real != any_min_real) o["minReal"] = min_real;
  if (!ref_table.empty()) {
    o["refTable"] = ref_table;
    if (ref_type == RefType::weak) o["refType"] = "weak";
  }
  o["type"] = to_text(type);
  return o;
}

std::string BaseType::constraints_text() const {
  if (enumeration) {
    std::size_t n = enumeration->size();
    std::string text = n == 1 ? "must be " : n == 2 ? "either " : "one of ";
    for (std::size_t i = 0; i < n; ++i) {
      if (i > 0) text += n == 2 ? " or " : i + 1 == n ? ", or " : ", ";
      text += enumeration->key(i).to_text();
    }
    return text;
  }
  switch (type) {
    case AtomType::integer: {
      bool low = min_integer != any_min_integer, high = max_integer != any_max_integer;
      if (low && high) return fmt::format("in range {} to {}", grouped(min_integer), grouped(max_integer));
      if (low) return fmt::format("at least {}", grouped(min_integer));
      if (high) return fmt::format("at most {}", grouped(max_integer));
      return {};
    }
    case AtomType::real: {
      bool low = min_real != any_min_real, high = max_real != any_max_real;
      if (low && high) return fmt::format("in range {} to {}", real_to_text(min_real), real_to_text(max_real));
      if (low) return fmt::format("at least {}", real_to_text(min_real));
      if (high) return fmt::format("at most {}", real_to_text(max_real));
      return {};
    }
    case AtomType::string:
      if (min_length == max_length) return fmt::format("exactly {} characters long", min_length);
      if (min_length && max_length != any_length)
        return fmt::format("between {} and {} characters long", min_length, max_length);
      if (min_length) return fmt::format("at least {} characters long", min_length);
      if (max_length != any_length) return fmt::format("at most {} characters long", max_length);
      return {};
    default:
      return {};
  }
}

bool BaseType::operator==(const BaseType& o) const {
  if (!enumeration != !o.enumeration || (enumeration && !(*enumeration == *o.enumeration))) return false;
  return type == o.type && min_integer == o.min_integer && max_integer == o.max_integer &&
         min_real == o.min_real && max_real == o.max_real && min_length == o.min_length &&
         max_length == o.max_length && ref_table == o.ref_table &&
         (ref_table.empty() || ref_type == o.ref_type);
}

DbResult<ColumnType> ColumnType::from_json(const json::value& v) {
  ColumnType t;
  if (v.is_string()) {
    OVS_TRY(t.key, BaseType::from_json(v));
    return t;
  }
  OVS_TRY(Members m, Members::of(v, "ovsdb type"));
  OVS_TRY(const json::value* key, m.required("key"));
  OVS_TRY(t.key, BaseType::from_json(*key));
  if (const json::value* value = m.optional("value")) {
    OVS_TRY(t.value, BaseType::from_json(*value));
  }
  if (const json::value* min = m.optional("min")) {
    auto n = as_integer(*min);
    if (!n || *n < 0 || *n > 1) return syntax_error(*min, "min must be 0 or 1");
    t.min = static_cast<std::uint32_t>(*n);
  }
  if (const json::value* max = m.optional("max")) {
    auto n = as_integer(*max);
    if (auto word = as_string(*max); word && *word == "unlimited")
      t.max = unlimited;
    else if (n && *n >= 1 && *n < unlimited)
      t.max = static_cast<std::uint32_t>(*n);
    else
      return syntax_error(*max, "max must be a positive integer or \"unlimited\"");
  }
  OVS_TRY_DO(m.finish());
  return t;
}

json::value ColumnType::to_json() const {
  json::value key_json = key.to_json();
  if (is_scalar() && key_json.is_string()) return key_json;
  json::object o;
  o["key"] = std::move(key_json);
  if (max == unlimited)
    o["max"] = "unlimited";
  else if (max != 1)
    o["max"] = max;
  if (min != 1) o["min"] = min;
  if (is_map()) o["value"] = value.to_json();
  return o;
}

std::string ColumnType::text() const {
  if (is_scalar()) return with_constraints(std::string(to_text(key.type)), key);
  std::string text = is_map() ? "map of " : "set of ";
  if (max != unlimited) text += min == 0 ? fmt::format("up to {} ", max) : fmt::format("{} to {} ", min, max);
  if (is_map())
    return text + fmt::format("({}, {}) pairs", with_constraints(std::string(to_text(key.type)), key),
                              with_constraints(std::string(to_text(value.type)), value));
  return text + with_constraints(plural(key), key);
}

}  // namespace ovs::ovsdb
