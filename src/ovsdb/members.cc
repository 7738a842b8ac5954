#include "ovsdb/members.h"

#include <fmt/format.h>

#include <algorithm>

#include "ovsdb/schema.h"

namespace ovs::ovsdb {

DbResult<Members> Members::of(const json::value& v, std::string_view what) {
  Members m(v, what);
  if (!v.is_object()) return m.fail("Object expected.");
  return m;
}

Unexpected<DbError> Members::fail(std::string details) const {
  return syntax_error(*whole_, fmt::format("Parsing {} failed: {}", what_, details));
}

Unexpected<DbError> Members::wrong_type(std::string_view name) const {
  return fail(fmt::format("Type mismatch for member '{}'.", name));
}

const json::value* Members::optional(std::string_view name) {
  const json::value* v = whole_->get_object().if_contains(name);
  if (v) taken_.push_back(name);
  return v;
}

DbResult<const json::value*> Members::required(std::string_view name) {
  if (const json::value* v = optional(name)) return v;
  return fail(fmt::format("Required '{}' member is missing.", name));
}

DbResult<std::optional<std::int64_t>> Members::optional_integer(std::string_view name) {
  const json::value* v = optional(name);
  if (!v) return std::optional<std::int64_t>();
  auto n = as_integer(*v);
  if (!n) return wrong_type(name);
  return n;
}

DbResult<std::optional<double>> Members::optional_real(std::string_view name) {
  const json::value* v = optional(name);
  if (!v) return std::optional<double>();
  auto d = as_real(*v);
  if (!d) return wrong_type(name);
  return d;
}

DbResult<std::optional<bool>> Members::optional_boolean(std::string_view name) {
  const json::value* v = optional(name);
  if (!v) return std::optional<bool>();
  if (!v->is_bool()) return wrong_type(name);
  return std::optional<bool>(v->get_bool());
}

DbResult<std::optional<std::string>> Members::optional_string(std::string_view name) {
  const json::value* v = optional(name);
  if (!v) return std::optional<std::string>();
  auto s = as_string(*v);
  if (!s) return wrong_type(name);
  return std::optional<std::string>(*s);
}

DbResult<std::optional<std::string>> Members::optional_id(std::string_view name) {
  OVS_TRY(auto s, optional_string(name));
  if (s && !is_id(*s)) return wrong_type(name);
  return s;
}

DbResult<std::string> Members::required_string(std::string_view name) {
  OVS_TRY(const json::value* v, required(name));
  auto s = as_string(*v);
  if (!s) return wrong_type(name);
  return std::string(*s);
}

DbResult<const json::object*> Members::required_object(std::string_view name) {
  OVS_TRY(const json::value* v, required(name));
  if (!v->is_object()) return wrong_type(name);
  return &v->get_object();
}

DbResult<const json::array*> Members::optional_array(std::string_view name) {
  const json::value* v = optional(name);
  if (!v) return static_cast<const json::array*>(nullptr);
  if (!v->is_array()) return wrong_type(name);
  return &v->get_array();
}

DbResult<void> Members::finish() const {
  for (const auto& member : whole_->get_object()) {
    std::string_view name(member.key().data(), member.key().size());
    if (std::find(taken_.begin(), taken_.end(), name) == taken_.end())
      return fail(fmt::format("Member '{}' is present but not allowed here.", name));
  }
  return {};
}

}  // namespace ovs::ovsdb
