// DbError: an error object of the database protocol (RFC 7047 section 3.1, <error>).
//
// `tag` is the machine's word ("constraint violation", "syntax error", ...), `details` a sentence
// for people, `syntax` the JSON text that was wrong, where one was.  The tag is empty for what never
// was JSON: errors in text that a user typed.
//
// Thread safety: a value.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ovs::ovsdb {

struct DbError {
  std::string tag;
  std::string details;
  std::string syntax;

  json::object to_json() const;
  // "constraint violation: DETAILS", as a log line or a tool's message shows it.
  std::string to_string() const;
};

template <class T>
using DbResult = Result<T, DbError>;

inline Unexpected<DbError> db_error(std::string_view tag, std::string details) {
  return {DbError{std::string(tag), std::move(details), {}}};
}
// An error about the JSON value `v`, which stands in `syntax`.
Unexpected<DbError> error_about(const json::value& v, std::string_view tag, std::string details);
// The same, of the tag "syntax error".
Unexpected<DbError> syntax_error(const json::value& v, std::string details);

// What an error that a server answered with says: "TAG: DETAILS" for an <error> object; a peer may
// also send a string, or anything else.
std::string error_text(const json::value& error);

}  // namespace ovs::ovsdb
