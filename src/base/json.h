// JSON (RFC 8259) on Boost.JSON: reading with limits, writing in one stable form.
//
// Texts come from peers, so depth and size are bounded and every failure is a Result.  Writing
// appends to a std::string, without spaces, keys in the object's order; `canonical` sorts them
// first, for output that people and tests compare.
//
// Numbers: an integer that fits is an int64, every other number a double (the nearest one; one that
// is too large for a double is an error).  A real that is a whole number within int64 counts as an
// integer for callers who ask with as_integer() (RFC 7047 peers write 1.0 for 1).
//
// Thread safety: pure functions; a JsonStream belongs to one thread.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ovs {

namespace json = boost::json;

// How deeply arrays and objects may nest before a text is refused.
inline constexpr std::size_t json_max_depth = 1000;

// The whole of `text` is one JSON value.  The error says where (byte offset) and what.
Result<json::value> parse_json(std::string_view text, json::storage_ptr storage = {});

void append_json(std::string& out, const json::value& v);
void append_json(std::string& out, const json::object& v);
void append_json(std::string& out, const json::array& v);
void append_json_string(std::string& out, std::string_view s);  // with quotes and escapes
void append_json_integer(std::string& out, std::int64_t n);
void append_json_real(std::string& out, double d);

std::string to_text(const json::value& v);
std::string to_pretty_text(const json::value& v);  // two spaces a level, keys in order of the object

// The value with the keys of every object in it in ascending order.
json::value sorted(const json::value& v);

// The array with this one element.  Braces mean that too, except around an array: json::array{a} is [a] where GCC
// compiles it and a copy of `a` where Clang does.
json::array array_of(json::value element);

std::optional<std::int64_t> as_integer(const json::value& v);
std::optional<double> as_real(const json::value& v);  // any number
std::optional<std::string_view> as_string(const json::value& v);

// Splits a byte stream into the JSON values that it holds one after the other, with or without
// white space between them, however the bytes are cut into reads (the framing of JSON-RPC over
// streams, RFC 7047 section 4).
class JsonStream {
 public:
  // `max_bytes` bounds one value's text.
  explicit JsonStream(std::size_t max_bytes = std::size_t{1} << 30);
  ~JsonStream();
  JsonStream(JsonStream&&) noexcept;
  JsonStream& operator=(JsonStream&&) noexcept;

  // Takes bytes and calls `sink` for each value that they complete.  `sink` returns false to stop;
  // bytes not yet looked at are then dropped.  After an error the stream is spent: every further
  // call returns the same error.
  //
  // A value has all its memory in a few blocks of its own, released with the last part of it: whoever
  // keeps a small part of a large value for long copies it (json::value(part, json::storage_ptr())).
  Result<void> feed(std::string_view bytes, const std::function<bool(json::value&&)>& sink);

  // Whether a value has begun and not ended.
  bool in_value() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovs
