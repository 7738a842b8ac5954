// Reading JSON: the handler between Boost.JSON's incremental parser and its values.
//
// The handler is ours because the library's reads reals with an error of a few units in the last
// place (before Boost 1.84), lets a number overflow to infinity, and makes integers above int64 a
// third kind of number.
#include "base/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value_stack.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/text.h"

namespace ovs {

namespace {

using boost::system::error_code;

struct ValueHandler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  json::value_stack stack;
  std::string number;  // the beginning of a number that the last piece of input cut

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t n, error_code&) {
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t n, error_code&) {
    stack.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view s, std::size_t, error_code&) {
    stack.push_chars(s);
    return true;
  }
  bool on_key(json::string_view s, std::size_t, error_code&) {
    stack.push_key(s);
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, error_code&) {
    stack.push_chars(s);
    return true;
  }
  bool on_string(json::string_view s, std::size_t, error_code&) {
    stack.push_string(s);
    return true;
  }
  bool on_number_part(json::string_view s, error_code&) {
    number.append(s.data(), s.size());
    return true;
  }
  bool on_int64(std::int64_t n, json::string_view, error_code&) {
    number.clear();
    stack.push_int64(n);
    return true;
  }
  bool on_uint64(std::uint64_t n, json::string_view, error_code&) {
    number.clear();
    stack.push_double(static_cast<double>(n));
    return true;
  }
  bool on_double(double rough, json::string_view rest, error_code& error) {
    std::string_view text(rest.data(), rest.size());
    if (!number.empty()) text = number.append(text);
    double d = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), d).ec != std::errc{}) {
      // Out of range: too small reads as zero, too large has no value.
      if (std::fabs(rough) > 1) {
        error = json::error::exponent_overflow;
        return false;
      }
      d = std::copysign(0.0, rough);
    }
    number.clear();
    stack.push_double(d);
    return true;
  }
  bool on_bool(bool b, error_code&) {
    stack.push_bool(b);
    return true;
  }
  bool on_null(error_code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }
};

using Parser = json::basic_parser<ValueHandler>;

json::parse_options limits() {
  json::parse_options options;
  options.max_depth = json_max_depth;
  return options;
}

std::string_view explain(const error_code& error) {
  if (error == json::error::too_deep) return "arrays and objects nest too deeply";
  if (error == json::error::exponent_overflow) return "a number is too large";
  if (error == json::error::incomplete) return "the text ends in the middle of a value";
  if (error == json::error::extra_data) return "there is more text after the end of the value";
  if (error == json::error::illegal_leading_surrogate ||
      error == json::error::illegal_trailing_surrogate ||
      error == json::error::expected_utf16_escape) {
    return "a \\u escape holds half of a surrogate pair";
  }
  if (error == json::error::expected_hex_digit) return "a \\u escape needs four hexadecimal digits";
  if (error == json::error::string_too_large || error == json::error::key_too_large ||
      error == json::error::array_too_large || error == json::error::object_too_large) {
    return "a string, array or object is too large";
  }
  return "syntax error";
}

// What is wrong at `text[at]`; `offset` is the place of `text` in what the peer sent.
Unexpected<Error> parse_error(const error_code& error, std::string_view text, std::size_t at,
                              std::uint64_t offset) {
  std::string_view what = explain(error);
  std::string near;
  if (what == "syntax error" && at < text.size()) {
    const unsigned char c = static_cast<unsigned char>(text[at]);
    if (c >= 0x80) {
      what = is_utf8(text) ? "a character that may stand only in a string" : "invalid UTF-8";
    } else if (c < 0x20) {
      what = "a control character must be escaped, and may stand only in a string";
    } else if (c > 0x20 && c < 0x7f) {
      near = {'\'', text[at], '\''};
    }
  }
  std::string message = "byte " + std::to_string(offset + at) + ": " + std::string(what);
  if (!near.empty()) message += " at " + near;
  return unexpected(std::move(message));
}

constexpr bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

Result<json::value> parse_json(std::string_view text, json::storage_ptr storage) {
  Parser parser(limits());
  parser.handler().stack.reset(std::move(storage));
  error_code error;
  std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error) {
    while (used < text.size() && is_json_space(text[used])) used++;
    if (used < text.size()) error = json::error::extra_data;
  }
  if (error) {
    if (trim(text).empty()) return unexpected("the text is empty");
    return parse_error(error, text, used, 0);
  }
  return parser.handler().stack.release();
}

json::array array_of(json::value element) {
  json::array array;
  array.push_back(std::move(element));
  return array;
}

std::optional<std::int64_t> as_integer(const json::value& v) {
  if (const std::int64_t* n = v.if_int64()) return *n;
  if (const std::uint64_t* n = v.if_uint64()) {
    if (*n <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return static_cast<std::int64_t>(*n);
    return std::nullopt;
  }
  if (const double* d = v.if_double()) {
    // -2^63 itself is left out: an integer just below the range reads as that double, and must not
    // pass for another number.
    if (*d > -0x1p63 && *d < 0x1p63 && *d == std::trunc(*d)) return static_cast<std::int64_t>(*d);
  }
  return std::nullopt;
}

std::optional<double> as_real(const json::value& v) {
  if (const double* d = v.if_double()) return *d;
  if (const std::int64_t* n = v.if_int64()) return static_cast<double>(*n);
  if (const std::uint64_t* n = v.if_uint64()) return static_cast<double>(*n);
  return std::nullopt;
}

std::optional<std::string_view> as_string(const json::value& v) {
  if (const json::string* s = v.if_string()) return std::string_view(s->data(), s->size());
  return std::nullopt;
}

json::value sorted(const json::value& v) {
  if (const json::array* array = v.if_array()) {
    json::array out;
    out.reserve(array->size());
    for (const json::value& element : *array) out.push_back(sorted(element));
    return out;
  }
  if (const json::object* object = v.if_object()) {
    std::vector<const json::key_value_pair*> members;
    members.reserve(object->size());
    for (const json::key_value_pair& member : *object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return member->key(); });
    json::object out;
    out.reserve(members.size());
    for (const auto* member : members) out.emplace(member->key(), sorted(member->value()));
    return out;
  }
  return v;
}

struct JsonStream::Impl {
  explicit Impl(std::size_t limit) : max_bytes(limit), parser(limits()) {}

  std::size_t max_bytes;
  Parser parser;
  std::uint64_t offset = 0;     // bytes of the stream before those being looked at
  std::size_t value_bytes = 0;  // of the value that has begun
  bool begun = false;
  std::optional<Error> failure;
};

JsonStream::JsonStream(std::size_t max_bytes) : impl_(std::make_unique<Impl>(max_bytes)) {}
JsonStream::~JsonStream() = default;
JsonStream::JsonStream(JsonStream&&) noexcept = default;
JsonStream& JsonStream::operator=(JsonStream&&) noexcept = default;

bool JsonStream::in_value() const { return impl_->begun; }

Result<void> JsonStream::feed(std::string_view bytes,
                              const std::function<bool(json::value&&)>& sink) {
  Impl& s = *impl_;
  if (s.failure) return Unexpected{*s.failure};
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (!s.begun) {
      if (is_json_space(bytes[at])) {
        at++;
        continue;
      }
      s.begun = true;
      s.value_bytes = 0;
      s.parser.reset();
      s.parser.handler().stack.reset(json::make_shared_resource<json::monotonic_resource>());
    }
    // One byte more than allowed is looked at, to tell a value that just fits from one that does not.
    const std::size_t room = s.max_bytes - s.value_bytes;
    const std::size_t size = std::min(bytes.size() - at, room == SIZE_MAX ? room : room + 1);
    error_code error;
    const std::size_t used = s.parser.write_some(true, bytes.data() + at, size, error);
    s.value_bytes += used;
    if (error) {
      s.failure = parse_error(error, bytes, at + used, s.offset).error;
    } else if (s.value_bytes > s.max_bytes) {
      s.failure = Error{"a message is longer than " + std::to_string(s.max_bytes) + " bytes"};
    }
    if (s.failure) return Unexpected{*s.failure};
    at += used;
    if (!s.parser.done()) continue;
    s.begun = false;
    if (!sink(s.parser.handler().stack.release())) break;
  }
  s.offset += bytes.size();
  return {};
}

}  // namespace ovs
