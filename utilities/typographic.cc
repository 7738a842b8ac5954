#include "typographic.h"

#include <array>

#include <fmt/format.h>

namespace ovs::utilities {

namespace {

struct Typographic {
  std::string_view bytes, code, name, instead;
};
constexpr std::array<Typographic, 6> typographic{{
    {"\u201c", "U+201C", "left double quotation mark", "\""},
    {"\u201d", "U+201D", "right double quotation mark", "\""},
    {"\u2018", "U+2018", "left single quotation mark", "'"},
    {"\u2019", "U+2019", "right single quotation mark", "'"},
    {"\u2013", "U+2013", "en dash", "-"},
    {"\u2014", "U+2014", "em dash", "--"},
}};

}  // namespace

std::optional<std::string> typographic_complaint(std::string_view word) {
  bool quoted = false;
  for (std::size_t i = 0; i < word.size(); i++) {
    if (quoted && word[i] == '\\') {
      i++;
      continue;
    }
    if (word[i] == '"') quoted = !quoted;
    if (quoted) continue;
    for (const Typographic& t : typographic) {
      if (!word.substr(i).starts_with(t.bytes)) continue;
      // A word processor turns "--" at the beginning of a word into one dash.
      std::string_view instead = i == 0 && t.instead == "-" ? "- or --" : t.instead;
      return fmt::format(
          "{}: the character {} ({}, {}) comes from a word processor or a web page; type {} instead{}",
          word, t.bytes, t.code, t.name, instead,
          t.instead == "\"" ? " (or put the whole value in double quotes, if it is meant)" : "");
    }
  }
  return std::nullopt;
}

}  // namespace ovs::utilities
