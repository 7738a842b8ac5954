#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ovs {
namespace {

using Views = std::vector<std::string_view>;

TEST(Text, TrimTakesWhiteSpaceFromBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b,", ','), (Views{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (Views{""}));
}

TEST(Text, SplitAnyDropsEmptyParts) {
  EXPECT_EQ(split_any(" a, b:,c", " ,:"), (Views{"a", "b", "c"}));
  EXPECT_EQ(split_any(" ,", " ,"), Views{});
}

TEST(Text, JoinPutsSeparatorsBetween) {
  const std::vector<std::string> parts{"a", "", "b"};
  EXPECT_EQ(join(parts, ", "), "a, , b");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Text, CaseIsComparedInAsciiOnly) {
  EXPECT_TRUE(iequals("vLaN", "VlAn"));
  EXPECT_FALSE(iequals("vlan", "vlan0"));
  EXPECT_FALSE(iequals("é", "É"));
  EXPECT_EQ(to_lower("ABC-Ä"), "abc-Ä");
}

TEST(Text, IntegersAreWholeWords) {
  EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_integer("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_integer("+7"), 7);
  EXPECT_EQ(parse_integer("007"), 7);
  for (const char* bad : {"", "+", "-", "+-1", "9223372036854775808", "1 ", " 1", "1.0", "0x10", "1e3"}) {
    EXPECT_EQ(parse_integer(bad), std::nullopt) << bad;
  }
}

TEST(Text, RealsAreFiniteWholeWords) {
  EXPECT_EQ(parse_real("2.5"), 2.5);
  EXPECT_EQ(parse_real("-1e3"), -1000.0);
  EXPECT_EQ(parse_real("+.5"), .5);
  for (const char* bad : {"", "+-1", "1e999", "inf", "nan", "1 ", "1x"}) {
    EXPECT_EQ(parse_real(bad), std::nullopt) << bad;
  }
}

TEST(Text, RealsAreWrittenAsShortAsTheyReadBack) {
  EXPECT_EQ(real_to_text(0.1), "0.1");
  EXPECT_EQ(real_to_text(1), "1");
  EXPECT_EQ(real_to_text(-3), "-3");
  EXPECT_EQ(real_to_text(0), "0");
  EXPECT_EQ(real_to_text(-0.0), "-0.0");
  EXPECT_EQ(real_to_text(9007199254740992.0), "9007199254740992");  // 2^53
  EXPECT_EQ(real_to_text(1e20), "1e+20");
  for (const double d : {1.0 / 3, 5e-324, 1.7976931348623157e308, 4.35, 123456.789e-20, 9007199254740994.0}) {
    EXPECT_EQ(parse_real(real_to_text(d)), d) << d;
  }
}

// RFC 3629, sections 3, 4 and 10.
TEST(Text, Utf8IsWhatTheRfcAllows) {
  for (const char* good : {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "A\xe2\x89\xa2\xce\x91."}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2 ", "\xe0\x9f\xbf", "\xe2\x89",
                          "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                          "\xf0\x90\x80", "\xff", "\xfe", "a\xe2\x89"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Text, Utf8LengthCountsCharactersAndStrayBytes) {
  EXPECT_EQ(utf8_length("A\xe2\x89\xa2\xce\x91."), 4U);
  EXPECT_EQ(utf8_length("\xff\xe2\x89"), 3U);
  EXPECT_EQ(utf8_length(""), 0U);
}

TEST(Text, NearestFindsTypingMistakes) {
  const Views commands{"add-br", "add-bond", "del-br", "list-br", "list-ports", "set", "get", "show"};
  EXPECT_EQ(nearest("add-rb", commands), "add-br");
  EXPECT_EQ(nearest("lst-ports", commands), "list-ports");
  EXPECT_EQ(nearest("lsit-br", commands), "list-br");
  EXPECT_EQ(nearest("ADD-BR", commands), "add-br");
  EXPECT_EQ(nearest("sett", commands), "set");
  EXPECT_EQ(nearest("frobnicate", commands), std::nullopt);
  EXPECT_EQ(nearest("x", commands), std::nullopt);
  EXPECT_EQ(nearest("", commands), std::nullopt);
  EXPECT_EQ(nearest("x", Views{}), std::nullopt);
}

TEST(Text, ShellQuoteQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(shell_quote("--db=unix:/run/x.sock"), "--db=unix:/run/x.sock");
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("$x"), "'$x'");
  EXPECT_EQ(shell_quote("~"), "'~'");
}

}  // namespace
}  // namespace ovs
