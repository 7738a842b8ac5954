// Members: reads a JSON object member by member and remembers which ones it took, so that an
// unknown member is an error (RFC 7047 gives every object a closed set of names).
//
// Values borrow from the object, which must outlive them.
//
// Thread safety: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ovsdb/error.h"

namespace ovs::ovsdb {

class Members {
 public:
  // `what` names the thing for messages: "ovsdb type".  An error if `v` is no object.
  static DbResult<Members> of(const json::value& v, std::string_view what);

  const json::value* optional(std::string_view name);
  DbResult<const json::value*> required(std::string_view name);

  DbResult<std::optional<std::int64_t>> optional_integer(std::string_view name);
  DbResult<std::optional<double>> optional_real(std::string_view name);
  DbResult<std::optional<bool>> optional_boolean(std::string_view name);
  DbResult<std::optional<std::string>> optional_string(std::string_view name);
  DbResult<std::optional<std::string>> optional_id(std::string_view name);
  DbResult<std::string> required_string(std::string_view name);
  DbResult<const json::object*> required_object(std::string_view name);
  DbResult<const json::array*> optional_array(std::string_view name);  // null: absent

  // An error if a member was not asked for.
  DbResult<void> finish() const;

  const json::value& whole() const { return *whole_; }
  // "Parsing WHAT failed: DETAILS", about the whole object.
  Unexpected<DbError> fail(std::string details) const;
  Unexpected<DbError> wrong_type(std::string_view name) const;

 private:
  Members(const json::value& v, std::string_view what) : whole_(&v), what_(what) {}

  const json::value* whole_;
  std::string what_;
  std::vector<std::string_view> taken_;
};

}  // namespace ovs::ovsdb
