#include <fmt/format.h>

#include <cctype>

#include "base/text.h"
#include "ovsdb/block.h"
#include "ovsdb/cell.h"
#include "ovsdb/datum.h"

namespace ovs::ovsdb {

namespace {

// How many integers one range "1-3" may stand for.
constexpr std::int64_t max_range = 4096;

// Characters that end a word without quotes.
constexpr std::string_view word_ends = ":=, []{}!<>";

Unexpected<DbError> text_error(std::string details) { return {DbError{{}, std::move(details), {}}}; }

// Walks over the text of a value, word by word.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // What separates two elements: spaces, with at most one comma among them.
  void skip_separator() {
    skip_spaces();
    if (take(',')) skip_spaces();
  }
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // The next word: up to a character of word_ends that is neither within double quotes nor behind
  // a backslash.  Quotes and what is within them stay as they are; outside, a backslash goes and
  // what follows it stays.
  DbResult<std::string> word() {
    std::string word;
    bool quoted = false;
    std::size_t quote_at = 0;
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '\\' && at_ + 1 < text_.size()) {
        if (quoted) word += c;
        c = text_[++at_];
      } else if (c == '"') {
        quoted = !quoted;
        quote_at = at_;
      } else if (!quoted && word_ends.find(c) != std::string_view::npos) {
        break;
      }
      word += c;
    }
    if (quoted)
      return text_error(fmt::format("{}: quoted string extends past end of argument", text_.substr(quote_at)));
    return word;
  }

  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// "N" or "FIRST-LAST".
DbResult<std::pair<std::int64_t, std::int64_t>> read_range(std::string_view word) {
  if (auto n = parse_integer(word)) return std::pair{*n, *n};
  // A dash at the beginning is a sign.
  std::size_t dash = word.find('-', 1);
  if (dash != std::string_view::npos) {
    auto first = parse_integer(word.substr(0, dash));
    auto last = parse_integer(word.substr(dash + 1));
    if (first && last) {
      if (*last < *first)
        return text_error(fmt::format("\"{}\" is not a valid range. Range end cannot be before start.", word));
      if (static_cast<std::uint64_t>(*last) - static_cast<std::uint64_t>(*first) >= max_range)
        return text_error(fmt::format("\"{}\" is not a valid range. Range cannot have more than {} elements.", word,
                                      max_range));
      return std::pair{*first, *last};
    }
  }
  return text_error(fmt::format("\"{}\" is not a valid integer or range", word));
}

}  // namespace

DbResult<Datum> Datum::from_text(const ColumnType& type, std::string_view text, const NamedUuids& names) {
  Words words(text);
  const bool map = type.is_map();
  const std::string_view brackets = map ? "{}" : "[]";
  std::vector<Atom> keys, values;

  words.skip_spaces();
  const bool bracketed = words.take(brackets[0]);
  words.skip_spaces();
  if (!bracketed && words.at_end())
    return text_error(fmt::format("use \"{}\" to specify the empty {}", brackets, map ? "map" : "set"));

  while (!words.at_end() && words.peek() != brackets[1]) {
    if (word_ends.find(words.peek()) != std::string_view::npos)
      return text_error(fmt::format("{}: unexpected \"{}\" parsing {}", text, words.peek(), type.text()));
    OVS_TRY(std::string word, words.word());
    if (type.key.type == AtomType::integer && !map) {
      OVS_TRY(auto range, read_range(word));
      for (std::int64_t n = range.first;; ++n) {
        keys.emplace_back(n);
        if (n == range.second) break;
      }
    } else {
      OVS_TRY(Atom key, Atom::from_text(type.key, word, names));
      keys.push_back(std::move(key));
    }
    if (map) {
      words.skip_spaces();
      if (!words.take('='))
        return text_error(words.at_end()
                              ? fmt::format("{}: \"=\" and a value are expected at the end", text)
                              : fmt::format("{}: syntax error at \"{}\" expecting \"=\"", text, words.peek()));
      words.skip_spaces();
      OVS_TRY(std::string value_word, words.word());
      OVS_TRY(Atom value, Atom::from_text(type.value, value_word, names));
      values.push_back(std::move(value));
    }
    words.skip_separator();
  }

  if (bracketed && !words.take(brackets[1]))
    return text_error(fmt::format("{}: missing \"{}\" at end of data", text, brackets[1]));
  words.skip_spaces();
  if (!words.at_end()) {
    return text_error(bracketed
                          ? fmt::format("{}: trailing garbage after \"{}\"", text, brackets[1])
                          : fmt::format("{}: unexpected \"{}\" parsing {}", text, words.peek(), type.text()));
  }

  std::size_t n = keys.size();
  if (n < type.min || n > type.max)
    return text_error(fmt::format("{}: {} {}(s) specified but the {} number is {}", text, n, map ? "pair" : "value",
                                  n < type.min ? "minimum" : "maximum", n < type.min ? type.min : type.max));
  Datum d(type.key.type, type.value.type);
  d.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    OVS_TRY_DO(check_atom(keys[i], type.key));
    d.append(retain(type.key.type, keys[i].cell_), map ? retain(type.value.type, values[i].cell_) : zero_cell());
  }
  if (!d.settle())
    return text_error(fmt::format("{}: {}", text, map ? "map contains duplicate key" : "set contains duplicate value"));
  return d;
}

std::string Datum::to_text(const ColumnType& type) const {
  const bool bracketed = type.max > 1 || size_ != 1;
  std::string out;
  if (bracketed) out += type.is_map() ? '{' : '[';
  for (std::size_t i = 0; i < size_; ++i) {
    if (i) out += ", ";
    out += key(i).to_text();
    if (is_map()) out += "=" + value(i).to_text();
  }
  if (bracketed) out += type.is_map() ? '}' : ']';
  return out;
}

std::string Datum::to_bare(const ColumnType& type) const {
  (void)type;
  std::string out;
  for (std::size_t i = 0; i < size_; ++i) {
    if (i) out += ' ';
    out += key(i).to_bare();
    if (is_map()) out += "=" + value(i).to_bare();
  }
  return out;
}

}  // namespace ovs::ovsdb
