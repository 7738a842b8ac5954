#include "base/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace ovs {
namespace {

std::string round_trip(std::string_view text) {
  const auto v = parse_json(text);
  return v ? to_text(*v) : "error: " + v.error().message;
}

TEST(Json, WritesWithoutSpacesInTheObjectsOrder) {
  EXPECT_EQ(round_trip(R"( { "b" : [ 1 , true , null ] , "a" : { } } )"), R"({"b":[1,true,null],"a":{}})");
}

TEST(Json, ReadsEveryKindOfNumber) {
  EXPECT_EQ(round_trip("[0,-1,9223372036854775807,-9223372036854775808]"),
            "[0,-1,9223372036854775807,-9223372036854775808]");
  EXPECT_EQ(round_trip("[0.1,1.5e3,1E2,5e-324,1.7976931348623157e308,-0.0,1.0]"),
            "[0.1,1500,100,5e-324,1.7976931348623157e+308,-0.0,1]");
  EXPECT_EQ(round_trip("1e-400"), "0");
  for (const char* bad : {"01", "1.", ".5", "+1", "-", "1e", "0x10", "NaN", "Infinity", "-Infinity"}) {
    EXPECT_FALSE(parse_json(bad)) << bad;
  }
}

// The library's own conversion is off by some units in the last place for many of these.
TEST(Json, RealsAreReadToTheNearestDouble) {
  for (const char* text : {"0.3", "4.35", "2.2250738585072014e-308", "1.2345678901234567", "179.76931348623157e2",
                           "9007199254740993.0", "123456789.123456789"}) {
    const auto v = parse_json(text);
    ASSERT_TRUE(v) << text;
    EXPECT_EQ(*as_real(*v), std::strtod(text, nullptr)) << text;
  }
}

TEST(Json, AnIntegerOutOfRangeIsAReal) {
  const auto v = parse_json("[9223372036854775808,18446744073709551615,-9223372036854775809,1e999]");
  EXPECT_FALSE(v);
  const auto w = parse_json("[9223372036854775808,18446744073709551615,-9223372036854775809]");
  ASSERT_TRUE(w);
  for (const json::value& e : w->as_array()) {
    EXPECT_TRUE(e.is_double());
    EXPECT_EQ(as_integer(e), std::nullopt);
  }
}

TEST(Json, WholeRealsCountAsIntegers) {
  EXPECT_EQ(as_integer(json::value(1.0)), 1);
  EXPECT_EQ(as_integer(json::value(-0x1p63)), std::nullopt);  // may have been an integer out of range
  EXPECT_EQ(as_integer(json::value(std::numeric_limits<std::int64_t>::min())),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(as_integer(json::value(0x1p63)), std::nullopt);
  EXPECT_EQ(as_integer(json::value(1.5)), std::nullopt);
  EXPECT_EQ(as_integer(json::value(std::uint64_t{7})), 7);
  EXPECT_EQ(as_integer(json::value(std::numeric_limits<std::uint64_t>::max())), std::nullopt);
  EXPECT_EQ(as_integer(json::value("1")), std::nullopt);
  EXPECT_EQ(as_real(json::value(std::int64_t{3})), 3.0);
  EXPECT_EQ(as_real(json::value(true)), std::nullopt);
  EXPECT_EQ(as_string(json::value("x")), "x");
  EXPECT_EQ(as_string(json::value(1)), std::nullopt);
}

TEST(Json, StringsAreEscapedAsTheRfcRequiresAndNoMore) {
  std::string out;
  append_json_string(out, std::string_view("\0\b\t\n\f\r\x1f\"\\/\x7f\xc3\xa9", 13));
  EXPECT_EQ(out, R"("\u0000\b\t\n\f\r\u001f\"\\/)"
                 "\x7f\xc3\xa9\"");
  EXPECT_EQ(round_trip(R"("\u00e9\ud83d\ude00\/")"), "\"\xc3\xa9\xf0\x9f\x98\x80/\"");
}

struct BadText {
  std::string text, message;
};

TEST(Json, ErrorsSayWhereAndWhat) {
  const BadText cases[] = {
      {"", "the text is empty"},
      {" \n", "the text is empty"},
      {"[1,]", "byte 3: syntax error at ']'"},
      {"[1,2", "byte 4: the text ends in the middle of a value"},
      {"{} x", "byte 3: there is more text after the end of the value"},
      {"\"\xff\"", "byte 1: invalid UTF-8"},
      {"\"\xc3\"", "byte 1: invalid UTF-8"},
      {"\"\xed\xa0\x80\"", "byte 1: invalid UTF-8"},
      {"\"a\nb\"", "byte 2: a control character must be escaped, and may stand only in a string"},
      {R"("\x")", "byte 2: syntax error at 'x'"},
      {R"("\ud800")", "byte 7: syntax error at '\"'"},
      {R"("\ud800\u0041")", "byte 9: a \\u escape holds half of a surrogate pair"},
      {R"("\udc00")", "byte 7: a \\u escape holds half of a surrogate pair"},
      {R"("\u12g4")", "byte 5: a \\u escape needs four hexadecimal digits"},
      {"1e999", "byte 5: a number is too large"},
      {"{\"a\" 1}", "byte 5: syntax error at '1'"},
      {"{1:2}", "byte 1: syntax error at '1'"},
      {"'a'", "byte 0: syntax error at '''"},
  };
  for (const BadText& c : cases) {
    const auto v = parse_json(c.text);
    ASSERT_FALSE(v) << c.text;
    EXPECT_EQ(v.error().message, c.message) << c.text;
  }
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, DepthIsLimited) {
  EXPECT_TRUE(parse_json(nested(json_max_depth)));
  const auto v = parse_json(nested(json_max_depth + 1));
  ASSERT_FALSE(v);
  EXPECT_EQ(v.error().message, "byte 1000: arrays and objects nest too deeply");
  EXPECT_FALSE(parse_json(std::string(1000000, '[')));
}

TEST(Json, TheLastOfEqualKeysCounts) { EXPECT_EQ(round_trip(R"({"a":1,"a":2})"), R"({"a":2})"); }

TEST(Json, AnArrayOfAnArrayStaysOne) {
  EXPECT_EQ(to_text(array_of(json::array{"name", "==", "x"})), R"([["name","==","x"]])");
  EXPECT_EQ(to_text(array_of("x")), R"(["x"])");
}

TEST(Json, PrettyTextIndentsByTwo) {
  EXPECT_EQ(to_pretty_text(*parse_json(R"({"a":[1,{"b":"x"}],"c":[],"d":{}})")),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x\"}],\n  \"c\": [],\n  \"d\": {\n    }}");
}

TEST(Json, SortedSortsEveryObject) {
  EXPECT_EQ(to_text(sorted(*parse_json(R"({"b":[{"z":1,"y":2}],"a":0})"))), R"({"a":0,"b":[{"y":2,"z":1}]})");
}

// What a stream gives when it is fed `text` in pieces of `piece` bytes.
std::string stream(std::string_view text, std::size_t piece, std::size_t max_bytes = 1 << 20) {
  JsonStream s(max_bytes);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const auto r = s.feed(text.substr(at, piece), [&out](json::value&& v) {
      append_json(out, v);
      out += ';';
      return true;
    });
    if (!r) return out + "error: " + r.error().message;
  }
  return out + (s.in_value() ? "..." : "");
}

TEST(JsonStream, GivesTheSameValuesHoweverTheBytesAreCut) {
  const std::string text =
      R"({"id":1,"x":"\ud83d\ude00é"}[]  [12.5,-0.25e-3,true,null])"
      "\n"
      R"("string" {"n":1234567890123} )";
  const std::string values =
      "{\"id\":1,\"x\":\"\xf0\x9f\x98\x80\xc3\xa9\"};[];[12.5,-0.00025,true,null];\"string\";{\"n\":1234567890123};";
  for (std::size_t piece = 1; piece <= text.size(); piece++) EXPECT_EQ(stream(text, piece), values) << piece;
}

TEST(JsonStream, SaysWhetherAValueHasBegun) {
  EXPECT_EQ(stream("{} \n ", 1), "{};");
  EXPECT_EQ(stream("{} [", 1), "{};...");
  EXPECT_EQ(stream("{\"a\"", 2), "...");
}

TEST(JsonStream, ErrorsCountBytesFromTheBeginningOfTheStream) {
  for (const std::size_t piece : {1, 2, 3, 100}) {
    EXPECT_EQ(stream("{} {} [1,]", piece), "{};{};error: byte 9: syntax error at ']'") << piece;
  }
}

TEST(JsonStream, AnErrorIsFinal) {
  JsonStream s;
  const auto sink = [](json::value&&) { return true; };
  const auto first = s.feed("]", sink);
  ASSERT_FALSE(first);
  const auto second = s.feed("{}", sink);
  ASSERT_FALSE(second);
  EXPECT_EQ(first.error().message, second.error().message);
}

TEST(JsonStream, BoundsOneValuesText) {
  EXPECT_EQ(stream("[1][1][1]", 100, 3), "[1];[1];[1];");
  EXPECT_EQ(stream("[1][12]", 100, 3), "[1];error: a message is longer than 3 bytes");
  EXPECT_EQ(stream("[12", 1, 3), "...");
  EXPECT_EQ(stream("[12,", 1, 3), "error: a message is longer than 3 bytes");
}

TEST(JsonStream, TheSinkCanStop) {
  JsonStream s;
  int calls = 0;
  ASSERT_TRUE(s.feed("{}{}{}", [&calls](json::value&&) { return ++calls < 2; }));
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(s.in_value());
}

TEST(JsonStream, DepthIsLimited) {
  EXPECT_EQ(stream(nested(json_max_depth), 7).size(), 2 * json_max_depth + 1);
  EXPECT_EQ(stream(nested(json_max_depth + 1), 7), "error: byte 1000: arrays and objects nest too deeply");
}

TEST(JsonStream, AValueOutlivesItsStream) {
  json::value kept;
  {
    JsonStream s;
    ASSERT_TRUE(s.feed(R"({"a":["kept",1]})", [&kept](json::value&& v) {
      kept = std::move(v);
      return true;
    }));
  }
  EXPECT_EQ(to_text(kept), R"({"a":["kept",1]})");
}

}  // namespace
}  // namespace ovs
