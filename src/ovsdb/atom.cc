#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "ovsdb/cell.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

namespace ovs::ovsdb {

namespace {

std::size_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

// Whether a string may stand without quotes in text: it looks like an identifier and like no
// other kind of atom.
bool is_bare_word(std::string_view s) {
  if (s.empty()) return false;
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (!is_letter(s[0])) return false;
  for (char c : s)
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '.') return false;
  if (s == "true" || s == "false") return false;
  return s.size() != Uuid::text_size || !Uuid::parse(s);
}

DbResult<void> read_uuid(const json::value& v, const NamedUuids& names, Cell* out) {
  const json::array* pair = v.if_array();
  if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string())
    return syntax_error(v, "expected [\"uuid\", <string>]");
  std::string_view kind = (*pair)[0].get_string(), text = (*pair)[1].get_string();
  if (kind == "uuid") {
    auto uuid = Uuid::parse(text);
    if (!uuid) return syntax_error(v, fmt::format("\"{}\" is not a valid UUID", text));
    *out = cell_of(*uuid);
    return {};
  }
  if (kind != "named-uuid") return syntax_error(v, "expected [\"uuid\", <string>]");
  if (!is_id(text)) return syntax_error(v, "named-uuid string is not a valid <id>");
  if (!names) return syntax_error(v, "a named-uuid cannot stand here");
  auto uuid = names(text);
  if (!uuid) return syntax_error(v, fmt::format("no row is named \"{}\" in this transaction", text));
  *out = cell_of(*uuid);
  return {};
}

Unexpected<DbError> text_error(std::string details) { return {DbError{{}, std::move(details), {}}}; }

}  // namespace

// --- AtomView

std::string_view AtomView::string() const { return text_of(*cell_); }

Uuid AtomView::uuid() const {
  Uuid u;
  std::memcpy(u.bytes.data(), cell_->uuid, 16);
  return u;
}

void AtomView::append_json(std::string& out) const {
  switch (type_) {
    case AtomType::none:
      out += "null";
      break;
    case AtomType::integer:
      append_json_integer(out, integer());
      break;
    case AtomType::real:
      append_json_real(out, real());
      break;
    case AtomType::boolean:
      out += boolean() ? "true" : "false";
      break;
    case AtomType::string:
      append_json_string(out, string());
      break;
    case AtomType::uuid:
      out += "[\"uuid\",\"";
      uuid().append_to(out);
      out += "\"]";
      break;
  }
}

json::value AtomView::to_json() const {
  switch (type_) {
    case AtomType::none:
      break;
    case AtomType::integer:
      return integer();
    case AtomType::real:
      return real();
    case AtomType::boolean:
      return boolean();
    case AtomType::string:
      return json::value(string());
    case AtomType::uuid:
      return json::array{"uuid", uuid().to_string()};
  }
  return nullptr;
}

std::string AtomView::to_text() const {
  if (type_ != AtomType::string || is_bare_word(string())) return to_bare();
  std::string text;
  append_json_string(text, string());
  return text;
}

std::string AtomView::to_bare() const {
  switch (type_) {
    case AtomType::none:
      break;
    case AtomType::integer:
      return std::to_string(integer());
    case AtomType::real:
      return real_to_text(real());
    case AtomType::boolean:
      return boolean() ? "true" : "false";
    case AtomType::string:
      return std::string(string());
    case AtomType::uuid:
      return uuid().to_string();
  }
  return {};
}

std::size_t AtomView::hash() const {
  switch (type_) {
    case AtomType::none:
      return 0;
    case AtomType::integer:
      return mix(static_cast<std::uint64_t>(integer()));
    case AtomType::real: {
      double d = real() == 0 ? 0.0 : real();  // -0.0 equals 0.0
      std::uint64_t bits;
      std::memcpy(&bits, &d, sizeof bits);
      return mix(bits);
    }
    case AtomType::boolean:
      return mix(boolean() ? 2 : 1);
    case AtomType::string:
      return std::hash<std::string_view>{}(string());
    case AtomType::uuid:
      return UuidHash{}(uuid());
  }
  return 0;
}

std::strong_ordering operator<=>(AtomView a, AtomView b) {
  return compare_cells(a.type_, *a.cell_, *b.cell_) <=> 0;
}

// --- Atom

Atom::Atom(std::int64_t v) : type_(AtomType::integer), cell_(zero_cell()) { cell_.integer = v; }
Atom::Atom(double v) : type_(AtomType::real), cell_(zero_cell()) { cell_.real = v; }
Atom::Atom(bool v) : type_(AtomType::boolean), cell_(zero_cell()) { cell_.boolean = v; }
Atom::Atom(std::string_view v) : type_(AtomType::string), cell_(zero_cell()) { cell_.text = SharedText::make(v); }
Atom::Atom(const Uuid& v) : type_(AtomType::uuid), cell_(cell_of(v)) {}
Atom::Atom(AtomView v) : type_(v.type()), cell_(retain(v.type(), v.cell())) {}
Atom::Atom(const Atom& o) : type_(o.type_), cell_(retain(o.type_, o.cell_)) {}
Atom::Atom(Atom&& o) noexcept : type_(o.type_), cell_(o.cell_) { o.cell_ = zero_cell(); }
Atom& Atom::operator=(Atom o) noexcept {
  std::swap(type_, o.type_);
  std::swap(cell_, o.cell_);
  return *this;
}
Atom::~Atom() { release(type_, cell_); }

Atom Atom::default_of(AtomType type) {
  Atom a;
  a.type_ = type;
  a.cell_ = zero_cell();
  return a;
}

DbResult<void> read_cell(AtomType type, const json::value& v, const NamedUuids& names, Cell* out) {
  *out = zero_cell();
  switch (type) {
    case AtomType::integer:
      if (v.is_int64()) {
        out->integer = v.get_int64();
        return {};
      }
      if (auto n = as_integer(v)) {
        out->integer = *n;
        return {};
      }
      break;
    case AtomType::real:
      if (auto d = as_real(v)) {
        out->real = *d;
        return {};
      }
      break;
    case AtomType::boolean:
      if (v.is_bool()) {
        out->boolean = v.get_bool();
        return {};
      }
      break;
    case AtomType::string:
      if (auto s = as_string(v)) {
        if (s->find('\0') != std::string_view::npos)
          return syntax_error(v, "a string may not hold a null byte");
        if (s->size() > std::numeric_limits<std::uint32_t>::max())
          return syntax_error(nullptr, "a string is longer than 4 GiB");
        out->text = SharedText::make(*s);
        return {};
      }
      break;
    case AtomType::uuid:
      return read_uuid(v, names, out);
    case AtomType::none:
      break;
  }
  return syntax_error(v, fmt::format("expected {}", to_text(type)));
}

DbResult<Atom> Atom::from_json(AtomType type, const json::value& v, const NamedUuids& names) {
  Atom a = default_of(type);
  OVS_TRY_DO(read_cell(type, v, names, &a.cell_));
  return a;
}

DbResult<Atom> Atom::from_text(const BaseType& type, std::string_view text, const NamedUuids& names) {
  Atom atom = default_of(type.type);
  switch (type.type) {
    case AtomType::integer: {
      auto n = parse_integer(text);
      if (!n) return text_error(fmt::format("\"{}\" is not a valid integer", text));
      atom = Atom(*n);
      break;
    }
    case AtomType::real: {
      auto d = parse_real(text);
      if (!d || !std::isfinite(*d)) return text_error(fmt::format("\"{}\" is not a valid real number", text));
      atom = Atom(*d);
      break;
    }
    case AtomType::boolean:
      if (text == "true" || text == "yes" || text == "on" || text == "1")
        atom = Atom(true);
      else if (text == "false" || text == "no" || text == "off" || text == "0")
        atom = Atom(false);
      else
        return text_error(fmt::format("\"{}\" is not a valid boolean (use \"true\" or \"false\")", text));
      break;
    case AtomType::string:
      if (text.empty())
        return text_error("An empty string is not valid as input; use \"\" to represent the empty string");
      if (text[0] == '"') {
        if (text.size() < 2 || text.back() != '"')
          return text_error(fmt::format("{}: missing quote at end of quoted string", text));
        auto v = parse_json(text);
        if (!v || !v->is_string())
          return text_error(fmt::format("{}: {}", text, v ? "a quoted string is expected" : v.error().message));
        return from_json_checked(type, *v);
      }
      if (!is_utf8(text)) return text_error(fmt::format("{}: not valid UTF-8", text));
      if (text.find('\0') != std::string_view::npos) return text_error("a string may not hold a null byte");
      atom = Atom(text);
      break;
    case AtomType::uuid: {
      std::optional<Uuid> uuid;
      if (text.starts_with('@')) {
        if (names) uuid = names(text);
      } else {
        uuid = Uuid::parse(text);
      }
      if (!uuid) return text_error(fmt::format("\"{}\" is not a valid UUID", text));
      atom = Atom(*uuid);
      break;
    }
    case AtomType::none:
      return text_error("there is no value of type void");
  }
  OVS_TRY_DO(check_atom(atom, type));
  return atom;
}

DbResult<Atom> Atom::from_json_checked(const BaseType& type, const json::value& v) {
  OVS_TRY(Atom atom, from_json(type.type, v));
  OVS_TRY_DO(check_atom(atom, type));
  return atom;
}

// --- constraints

namespace {

template <class T>
DbResult<void> check_range(T v, T min, T max, bool has_min, bool has_max, std::string (*text)(T)) {
  if (v >= min && v <= max) return {};
  if (has_min && has_max)
    return db_error("constraint violation",
                    fmt::format("{} is not in the valid range {} to {} (inclusive)", text(v), text(min), text(max)));
  if (v < min)
    return db_error("constraint violation",
                    fmt::format("{} is less than minimum allowed value {}", text(v), text(min)));
  return db_error("constraint violation",
                  fmt::format("{} is greater than maximum allowed value {}", text(v), text(max)));
}

DbResult<void> check_length(std::string_view s, const BaseType& type) {
  // A string has at most as many characters as bytes and at least a quarter as many.
  if (s.size() <= type.max_length && s.size() / 4 >= type.min_length) return {};
  std::uint64_t n = utf8_length(s);
  if (n >= type.min_length && n <= type.max_length) return {};
  bool is_short = n < type.min_length;
  return db_error("constraint violation",
                  fmt::format("\"{}\" length {} is {} than {} allowed length {}", s, n, is_short ? "less" : "greater",
                              is_short ? "minimum" : "maximum", is_short ? type.min_length : type.max_length));
}

}  // namespace

DbResult<void> check_atom(AtomView atom, const BaseType& type) {
  if (type.enumeration) {
    if (type.enumeration->contains(atom)) return {};
    std::string allowed;
    for (std::size_t i = 0; i < type.enumeration->size(); ++i) {
      if (i) allowed += ", ";
      allowed += type.enumeration->key(i).to_text();
    }
    return db_error("constraint violation",
                    fmt::format("{} is not one of the allowed values ([{}])", atom.to_text(), allowed));
  }
  switch (type.type) {
    case AtomType::integer: {
      using Limits = std::numeric_limits<std::int64_t>;
      return check_range<std::int64_t>(atom.integer(), type.min_integer, type.max_integer,
                                       type.min_integer != Limits::min(), type.max_integer != Limits::max(),
                                       [](std::int64_t n) { return std::to_string(n); });
    }
    case AtomType::real: {
      using Limits = std::numeric_limits<double>;
      return check_range<double>(atom.real(), type.min_real, type.max_real, type.min_real != Limits::lowest(),
                                 type.max_real != Limits::max(), [](double d) { return real_to_text(d); });
    }
    case AtomType::string:
      return check_length(atom.string(), type);
    default:
      return {};
  }
}

}  // namespace ovs::ovsdb
