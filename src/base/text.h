// Text: splitting, numbers, quoting and nearest-word suggestions, as every program here needs them.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ovs {

std::string_view trim(std::string_view s);                       // without white space at both ends
std::vector<std::string_view> split(std::string_view s, char separator);  // keeps empty parts
std::vector<std::string_view> split_any(std::string_view s, std::string_view separators);  // drops them
std::string join(std::span<const std::string> parts, std::string_view separator);
bool iequals(std::string_view a, std::string_view b);            // ASCII, without regard to case
std::string to_lower(std::string_view s);                        // ASCII

// The whole of `s` as a decimal number; nothing else around it.
std::optional<std::int64_t> parse_integer(std::string_view s);
std::optional<double> parse_real(std::string_view s);

// The shortest text that reads back as the same double and is a valid JSON number; a whole number
// within 2^53 has no decimal point.
std::string real_to_text(double d);

// Whether `s` is well-formed UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF, shortest form).
bool is_utf8(std::string_view s);
// How many characters of UTF-8 text; bytes that are not UTF-8 count one each.
std::size_t utf8_length(std::string_view s);

// The candidate nearest to `word` (edit distance, with transpositions), if it is near enough that
// a typing mistake is likely.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

// `s` quoted so that a POSIX shell reads it as one word; unchanged where nothing needs quoting.
std::string shell_quote(std::string_view s);

}  // namespace ovs
