#include <fmt/format.h>

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
      OVS_TRY_DO(read_checked(type.key, v, names, &one));
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
      OVS_TRY_DO(read_checked(type.key, element, names, &cell));
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
    OVS_TRY_DO(read_checked(type.key, (*pair)[0], names, &key));
    if (auto r = read_checked(type.value, (*pair)[1], names, &value); !r) {
      release(type.key.type, key);
      return Unexpected{std::move(r).error()};
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
