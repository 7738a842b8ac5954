// TextCursor: reads the datapath's text forms, which nest as NAME(NAME=VALUE/MASK,...), from left to
// right.
//
// What fails returns an error that says where: the text from there on, shortened.
//
// Thread safety: an object belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ovs::datapath {

class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  // Passes white space and commas.
  void skip_separators();
  // Passes `text` if it comes next.
  bool take(std::string_view text);
  // Passes "NAME" and `after` if they come next.
  bool take(std::string_view name, char after);
  // Letters, digits and '_', maybe none.
  std::string_view take_word();
  // What comes before any of `stops` or the end.
  std::string_view take_until(std::string_view stops);
  // Decimal, or hexadecimal after "0x", at most `max`.
  Result<std::uint64_t> number(std::uint64_t max);
  Result<void> expect(char c);

  Unexpected<Error> failure(std::string_view what) const;

 private:
  std::string_view rest_;
};

}  // namespace ovs::datapath
