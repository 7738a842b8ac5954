// Writing JSON, straight from the values into a string.
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/json.h"
#include "base/text.h"

namespace ovs {

namespace {

// For each byte: 0 if a JSON string holds it as it is, the letter of its two-character escape, or
// 'u' for a \u00XX escape (RFC 8259, section 7).
constexpr auto escapes = [] {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; c++) table[c] = 'u';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}();

constexpr char escape_of(char c) { return escapes[static_cast<unsigned char>(c)]; }

void append_pretty(std::string& out, const json::value& v, std::size_t depth) {
  const auto new_line = [&out](std::size_t level) { out.append(1, '\n').append(2 * level, ' '); };
  if (const json::object* object = v.if_object()) {
    out += '{';
    bool first = true;
    for (const json::key_value_pair& member : *object) {
      if (!first) out += ',';
      first = false;
      new_line(depth + 1);
      append_json_string(out, member.key());
      out += ": ";
      append_pretty(out, member.value(), depth + 1);
    }
    if (first) new_line(depth + 1);
    out += '}';
  } else if (const json::array* array = v.if_array()) {
    out += '[';
    bool first = true;
    for (const json::value& element : *array) {
      if (!first) out += ',';
      first = false;
      new_line(depth + 1);
      append_pretty(out, element, depth + 1);
    }
    out += ']';
  } else {
    append_json(out, v);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view s) {
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  const char* run = s.data();
  const char* const end = run + s.size();
  for (const char* p = run; p != end; p++) {
    const char escape = escape_of(*p);
    if (escape == 0) [[likely]] continue;
    out.append(run, p);
    run = p + 1;
    if (escape == 'u') {
      const char text[] = {'\\', 'u', '0', '0', digits[*p >> 4 & 15], digits[*p & 15]};
      out.append(text, sizeof text);
    } else {
      const char text[] = {'\\', escape};
      out.append(text, sizeof text);
    }
  }
  out.append(run, end);
  out += '"';
}

void append_json_integer(std::string& out, std::int64_t n) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, n).ptr);
}

void append_json_real(std::string& out, double d) { out += real_to_text(d); }

void append_json(std::string& out, const json::object& v) {
  out += '{';
  bool first = true;
  for (const json::key_value_pair& member : v) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, member.key());
    out += ':';
    append_json(out, member.value());
  }
  out += '}';
}

void append_json(std::string& out, const json::array& v) {
  out += '[';
  bool first = true;
  for (const json::value& element : v) {
    if (!first) out += ',';
    first = false;
    append_json(out, element);
  }
  out += ']';
}

void append_json(std::string& out, const json::value& v) {
  switch (v.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += v.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      append_json_integer(out, v.get_int64());
      break;
    case json::kind::uint64: {
      char buffer[24];
      out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, v.get_uint64()).ptr);
      break;
    }
    case json::kind::double_:
      append_json_real(out, v.get_double());
      break;
    case json::kind::string:
      append_json_string(out, v.get_string());
      break;
    case json::kind::array:
      append_json(out, v.get_array());
      break;
    case json::kind::object:
      append_json(out, v.get_object());
      break;
  }
}

std::string to_text(const json::value& v) {
  std::string out;
  append_json(out, v);
  return out;
}

std::string to_pretty_text(const json::value& v) {
  std::string out;
  append_pretty(out, v, 0);
  return out;
}

}  // namespace ovs
