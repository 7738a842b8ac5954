#include "datapath/text_cursor.h"

#include <fmt/core.h>

#include <cerrno>
#include <charconv>

namespace ovs::datapath {

namespace {

constexpr bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

void TextCursor::skip_separators() {
  while (!rest_.empty() && (rest_.front() == ',' || rest_.front() == ' ' || rest_.front() == '\t' ||
                            rest_.front() == '\n' || rest_.front() == '\r')) {
    rest_.remove_prefix(1);
  }
}

bool TextCursor::take(std::string_view text) {
  if (!rest_.starts_with(text)) return false;
  rest_.remove_prefix(text.size());
  return true;
}

bool TextCursor::take(std::string_view name, char after) {
  if (rest_.size() <= name.size() || !rest_.starts_with(name) || rest_[name.size()] != after) return false;
  rest_.remove_prefix(name.size() + 1);
  return true;
}

std::string_view TextCursor::take_word() {
  std::size_t n = 0;
  while (n < rest_.size() && is_word(rest_[n])) n++;
  const std::string_view word = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return word;
}

std::string_view TextCursor::take_until(std::string_view stops) {
  const std::string_view part = rest_.substr(0, rest_.find_first_of(stops));
  rest_.remove_prefix(part.size());
  return part;
}

Result<std::uint64_t> TextCursor::number(std::uint64_t max) {
  TextCursor after = *this;
  const bool hexadecimal = after.take("0x") || after.take("0X");
  std::uint64_t value = 0;
  const char* begin = after.rest_.data();
  const auto [end, code] = std::from_chars(begin, begin + after.rest_.size(), value, hexadecimal ? 16 : 10);
  if (code == std::errc::invalid_argument) return failure("a number is missing");
  if (code != std::errc{} || value > max) return failure(fmt::format("a number is larger than {}", max));
  after.rest_.remove_prefix(static_cast<std::size_t>(end - begin));
  *this = after;
  return value;
}

Result<void> TextCursor::expect(char c) {
  if (peek() != c) return failure(fmt::format("\"{}\" is missing", c));
  rest_.remove_prefix(1);
  return {};
}

Unexpected<Error> TextCursor::failure(std::string_view what) const {
  constexpr std::size_t shown = 60;
  if (rest_.empty()) return unexpected(fmt::format("{} at the end", what), EINVAL);
  return unexpected(
      fmt::format("{} at \"{}{}\"", what, rest_.substr(0, shown), rest_.size() > shown ? "..." : ""), EINVAL);
}

}  // namespace ovs::datapath
