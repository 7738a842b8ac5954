#include "setting.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/json.h"

namespace ovs::utilities {

using ovsdb::AtomType;
using ovsdb::Datum;

namespace {

// Puts double quotes around the words of `text` that have a colon and no quotes, where strings are
// expected: "10.0.0.1:1,10.0.0.2:2".
std::string quote_colons(const ovsdb::ColumnType& type, std::string_view text) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == '"') {
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
      out += text.substr(i, end - i);
      i = end;
      continue;
    }
    constexpr std::string_view separators = ", []{}=";
    std::size_t end = text.find_first_of(separators, i);
    // An IPv6 address stands in brackets of its own: tcp:[::1]:6640, [::1]:6343.
    if (text[i] == '[') {
      const std::size_t close = text.find(']', i);
      if (close != std::string_view::npos && text.substr(close).starts_with("]:"))
        end = text.find_first_of(separators, close + 1);
    }
    if (end != std::string_view::npos && text[end] == '[' && end > i && text[end - 1] == ':') {
      std::size_t close = text.find(']', end);
      if (close != std::string_view::npos) end = text.find_first_of(separators, close + 1);
    }
    // A set's element may hold an equals sign after a colon only as part of the text.
    if (!type.is_map())
      while (end != std::string_view::npos && text[end] == '=') end = text.find_first_of(separators, end + 1);
    if (end == std::string_view::npos) end = text.size();
    std::string_view word = text.substr(i, end - i);
    if (word.find(':') != std::string_view::npos)
      append_json_string(out, word);
    else
      out += word;
    if (end < text.size()) out += text[end];
    i = end + 1;
  }
  return out;
}

}  // namespace

Result<std::string> take_word(std::string_view& text, std::string_view whole) {
  if (text.starts_with('"')) {
    for (std::size_t i = 1; i < text.size(); i++) {
      if (text[i] == '\\') {
        i++;
      } else if (text[i] == '"') {
        auto value = parse_json(text.substr(0, i + 1));
        if (!value || !value->is_string())
          return unexpected(fmt::format("{}: malformed quoted string", text.substr(0, i + 1)));
        text.remove_prefix(i + 1);
        return std::string(value->get_string());
      }
    }
    return unexpected(fmt::format("{}: quoted string extends past end of argument", whole));
  }
  std::string word;
  std::size_t i = 0;
  for (; i < text.size() && word_ends.find(text[i]) == std::string_view::npos; i++) {
    if (text[i] == '\\' && i + 1 < text.size()) i++;
    word += text[i];
  }
  text.remove_prefix(i);
  return word;
}

Result<Datum> read_value(const ovsdb::ColumnType& type, std::string_view text,
                         const std::function<Result<Datum>(std::string_view)>& parse) {
  auto result = parse(text);
  bool strings = type.key.type == AtomType::string && (!type.is_map() || type.value.type == AtomType::string);
  if (result || !strings || text.find(':') == std::string_view::npos) return result;
  auto quoted = parse(quote_colons(type, text));
  return quoted ? std::move(quoted) : std::move(result);
}

Result<Datum> read_value(const ovsdb::ColumnType& type, std::string_view text) {
  return read_value(type, text, [&](std::string_view t) -> Result<Datum> {
    auto datum = Datum::from_text(type, t);
    if (!datum) return unexpected(datum.error().to_string());
    return std::move(*datum);
  });
}

}  // namespace ovs::utilities
