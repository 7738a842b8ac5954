#include <fmt/format.h>

#include <algorithm>

#include "ovsdb/block.h"
#include "ovsdb/cell.h"
#include "ovsdb/datum.h"

namespace ovs::ovsdb {

namespace {

DbResult<void> check_count_of(const ColumnType& type, std::size_t n, const json::value& v) {
  if (n >= type.min && n <= type.max) return {};
  std::string wanted = type.min == type.max          ? std::string("exactly one member")
                       : type.max == ColumnType::unlimited ? fmt::format("{} or more members", type.min)
                                                           : fmt::format("{} to {} members", type.min, type.max);
  return syntax_error(v, fmt::format("{} must have {} but {} are present", type.is_map() ? "map" : "set", wanted, n));
}

// Reads the atoms that nearly all are: of the right form and free of an enum.  False: not read,
// see read_checked(), which knows the reason.
bool read_common(const BaseType& type, const json::value& v, Cell* out) {
  if (type.enumeration) return false;
  *out = zero_cell();
  switch (type.type) {
    case AtomType::integer:
      if (!v.is_int64()) return false;
      out->integer = v.get_int64();
      return out->integer >= type.min_integer && out->integer <= type.max_integer;
    case AtomType::boolean:
      if (!v.is_bool()) return false;
      out->boolean = v.get_bool();
      return true;
    case AtomType::string: {
      if (!v.is_string() || type.min_length > 0) return false;
      std::string_view s = v.get_string();
      // No more characters than bytes.
      if (s.size() > std::min<std::uint64_t>(type.max_length, 0xffffffff) || s.find('\0') != s.npos) return false;
      out->text = SharedText::make(s);
      return true;
    }
    case AtomType::uuid: {
      const json::array* pair = v.if_array();
      if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) return false;
      if (std::string_view((*pair)[0].get_string()) != "uuid") return false;
      auto uuid = Uuid::parse((*pair)[1].get_string());
      if (uuid) *out = cell_of(*uuid);
      return uuid.has_value();
    }
    default:
      return false;
  }
}

DbResult<void> read_checked(const BaseType& type, const json::value& v, const NamedUuids& names, Cell* out) {
  OVS_TRY_DO(read_cell(type.type, v, names, out));
  if (auto r = check_atom({type.type, *out}, type); !r) {
    release(type.type, *out);
    return r;
  }
  return {};
}

// The elements of ["set", [...]] or ["map", [...]]; null if `v` is not of that form.
const json::array* elements_of(const json::value& v, std::string_view kind) {
  const json::array* outer = v.if_array();
  if (!outer || outer->size() != 2 || !(*outer)[0].is_string() || (*outer)[0].get_string() != kind) return nullptr;
  return (*outer)[1].if_array();
}

// Whether `v` claims to be a set, rightly made or not: an array that begins with "set".
bool claims_set(const json::value& v) {
  const json::array* a = v.if_array();
  return a && !a->empty() && (*a)[0].is_string() && (*a)[0].get_string() == "set";
}

}  // namespace

DbResult<Datum> Datum::from_json(const ColumnType& type, const json::value& v, const NamedUuids& names,
                                 bool check_count) {
  Datum d(type.key.type, type.value.type);
  if (!type.is_map()) {
    if (!claims_set(v)) {
      Cell one;
      if (!read_common(type.key, v, &one)) OVS_TRY_DO(read_checked(type.key, v, names, &one));
      d.storage_.one = one;
      d.size_ = 1;
      return d;
    }
    const json::array* elements = elements_of(v, "set");
    if (!elements) return syntax_error(v, "expected [\"set\", <array>]");
    if (check_count) OVS_TRY_DO(check_count_of(type, elements->size(), v));
    if (elements->empty()) return d;
    d.reserve(elements->size());
    for (const json::value& element : *elements) {
      Cell cell;
      if (!read_common(type.key, element, &cell)) OVS_TRY_DO(read_checked(type.key, element, names, &cell));
      d.append(cell, {});
    }
    if (!d.settle()) return db_error("ovsdb error", "set contains duplicate");
    return d;
  }

  const json::array* pairs = elements_of(v, "map");
  if (!pairs) return syntax_error(v, "expected [\"map\", <array>]");
  if (check_count) OVS_TRY_DO(check_count_of(type, pairs->size(), v));
  if (pairs->empty()) return d;
  d.reserve(pairs->size());
  for (const json::value& element : *pairs) {
    const json::array* pair = element.if_array();
    if (!pair || pair->size() != 2) return syntax_error(element, "expected 2-element array");
    Cell key, value;
    if (!read_common(type.key, (*pair)[0], &key)) OVS_TRY_DO(read_checked(type.key, (*pair)[0], names, &key));
    if (!read_common(type.value, (*pair)[1], &value)) {
      if (auto r = read_checked(type.value, (*pair)[1], names, &value); !r) {
        release(type.key.type, key);
        return Unexpected{std::move(r).error()};
      }
    }
    d.append(key, value);
  }
  if (!d.settle()) return db_error("ovsdb error", "map contains duplicate key");
  return d;
}

void Datum::append_json(std::string& out) const {
  if (is_map()) {
    out += "[\"map\",[";
    for (std::size_t i = 0; i < size_; ++i) {
      out += i ? ",[" : "[";
      key(i).append_json(out);
      out += ',';
      value(i).append_json(out);
      out += ']';
    }
    out += "]]";
  } else if (size_ == 1) {
    key(0).append_json(out);
  } else {
    out += "[\"set\",[";
    for (std::size_t i = 0; i < size_; ++i) {
      if (i) out += ',';
      key(i).append_json(out);
    }
    out += "]]";
  }
}

json::value Datum::to_json() const {
  if (size_ == 1 && !is_map()) return key(0).to_json();
  json::array elements;
  elements.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i) {
    if (is_map())
      elements.push_back(json::array{key(i).to_json(), value(i).to_json()});
    else
      elements.push_back(key(i).to_json());
  }
  return json::array{is_map() ? "map" : "set", std::move(elements)};
}

}  // namespace ovs::ovsdb
