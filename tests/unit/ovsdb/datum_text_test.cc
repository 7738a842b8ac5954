#include <gtest/gtest.h>

#include "json_literal.h"
#include "ovsdb/datum.h"

namespace ovs::ovsdb {
namespace {

using testing::type_of;

constexpr std::string_view map = R"({"key":"string","value":"string","min":0,"max":"unlimited"})";
constexpr std::string_view strings = R"({"key":"string","min":0,"max":"unlimited"})";
constexpr std::string_view string = R"({"key":"string","min":0})";
constexpr std::string_view integer = R"("integer")";
constexpr std::string_view vlans =
    R"({"key":{"type":"integer","minInteger":0,"maxInteger":4095},"min":0,"max":4096})";

// The JSON of what a text means, or what is wrong with it.
std::string parse(std::string_view type, std::string_view text) {
  auto d = Datum::from_text(type_of(type), text);
  if (!d) return d.error().to_string();
  std::string out;
  d->append_json(out);
  return out;
}

TEST(DatumText, Maps) {
  const std::string one = R"(["map",[["k","v"]]])", two = R"(["map",[["k","v"],["k2","v2"]]])";
  for (auto text : {"k=v", "{k=v}", "k=v,", "k = v", "{ k = v }", "k=\tv"}) EXPECT_EQ(parse(map, text), one) << text;
  for (auto text : {"k=v,k2=v2", "k=v k2=v2", "k=v, k2=v2", "k=v , k2=v2", "k=v ,k2=v2", "k2=v2,k=v"})
    EXPECT_EQ(parse(map, text), two) << text;
  EXPECT_EQ(parse(map, "{}"), R"(["map",[]])");
  EXPECT_EQ(parse(map, R"("k"="v w")"), R"(["map",[["k","v w"]]])");
  EXPECT_EQ(parse(map, R"(k="a\nb\u00e9")"), "[\"map\",[[\"k\",\"a\\nb\xc3\xa9\"]]]");
  EXPECT_EQ(parse(map, R"(k=a\b)"), R"(["map",[["k","ab"]]])");
  EXPECT_EQ(parse(map, "k=true"), R"(["map",[["k","true"]]])");
}

TEST(DatumText, WhatMayStandWithoutQuotes) {
  for (auto c : {"/", ";", "(x)", "--x", "$", "#", "|", "*", "?", "~", "^", "`", "&", "%", "@", "+", "'", "\xc3\xa9"})
    EXPECT_EQ(parse(map, "k=a" + std::string(c) + "b"), "[\"map\",[[\"k\",\"a" + std::string(c) + "b\"]]]");
  for (auto c : {"{", "}", "[", "]", "!", "<", ">", ":", "="})
    EXPECT_EQ(parse(map, "k=a" + std::string(c) + "b"),
              "k=a" + std::string(c) + "b: unexpected \"" + c + "\" parsing map of (string, string) pairs");
}

TEST(DatumText, MapErrors) {
  EXPECT_EQ(parse(map, "k=v,,k2=v2"), "k=v,,k2=v2: unexpected \",\" parsing map of (string, string) pairs");
  EXPECT_EQ(parse(map, "{k=v"), "{k=v: missing \"}\" at end of data");
  EXPECT_EQ(parse(map, "{k=v}x"), "{k=v}x: trailing garbage after \"}\"");
  EXPECT_EQ(parse(map, "k=v}"), "k=v}: unexpected \"}\" parsing map of (string, string) pairs");
  EXPECT_EQ(parse(map, ""), "use \"{}\" to specify the empty map");
  EXPECT_EQ(parse(map, " "), "use \"{}\" to specify the empty map");
  EXPECT_EQ(parse(map, "k="), "An empty string is not valid as input; use \"\" to represent the empty string");
  EXPECT_EQ(parse(map, "k:v"), "k:v: syntax error at \":\" expecting \"=\"");
  EXPECT_EQ(parse(map, "k"), "k: \"=\" and a value are expected at the end");
  EXPECT_EQ(parse(map, "k=\"v"), "\"v: quoted string extends past end of argument");
  EXPECT_EQ(parse(map, "k=\"v\"x"), "\"v\"x: missing quote at end of quoted string");
  EXPECT_EQ(parse(map, "k=v,k=w"), "k=v,k=w: map contains duplicate key");
}

TEST(DatumText, Sets) {
  for (auto text : {"a,b", "a b", "[a,b]", "b,a", "a,b,", "a , b", "[ a , b ]"})
    EXPECT_EQ(parse(strings, text), R"(["set",["a","b"]])") << text;
  EXPECT_EQ(parse(strings, "[]"), R"(["set",[]])");
  EXPECT_EQ(parse(strings, "\"a b\",c"), R"(["set",["a b","c"]])");
  EXPECT_EQ(parse(strings, "{a,b}"), "{a,b}: unexpected \"{\" parsing set of strings");
  EXPECT_EQ(parse(strings, "a,,b"), "a,,b: unexpected \",\" parsing set of strings");
  EXPECT_EQ(parse(strings, "a,a"), "a,a: set contains duplicate value");
  EXPECT_EQ(parse(strings, "[a b"), "[a b: missing \"]\" at end of data");
  EXPECT_EQ(parse(string, "a,b"), "a,b: 2 value(s) specified but the maximum number is 1");
  EXPECT_EQ(parse(string, "\"\""), "\"\"");
}

TEST(DatumText, Scalars) {
  EXPECT_EQ(parse(integer, "5"), "5");
  EXPECT_EQ(parse(integer, "-5"), "-5");
  EXPECT_EQ(parse(integer, "+5"), "5");
  EXPECT_EQ(parse(integer, "010"), "10");
  EXPECT_EQ(parse(integer, " 5 "), "5");
  EXPECT_EQ(parse(integer, "[5]"), "5");
  EXPECT_EQ(parse(integer, "[]"), "[]: 0 value(s) specified but the minimum number is 1");
  for (auto text : {"5.0", "0x10", "5x", "9223372036854775808", "1e3", "true", "\"5\""})
    EXPECT_EQ(parse(integer, text), "\"" + std::string(text) + "\" is not a valid integer or range");
  EXPECT_EQ(parse(R"("boolean")", "yes"), "true");
  EXPECT_EQ(parse(R"("boolean")", "0"), "false");
  EXPECT_EQ(parse(R"("boolean")", "True"), "\"True\" is not a valid boolean (use \"true\" or \"false\")");
  EXPECT_EQ(parse(R"("real")", "1.5"), "1.5");
  EXPECT_EQ(parse(R"("real")", "x"), "\"x\" is not a valid real number");
  EXPECT_EQ(parse(R"("uuid")", "0123"), "\"0123\" is not a valid UUID");
  EXPECT_EQ(parse(R"("uuid")", "01234567-89ab-cdef-0123-456789abcdef"),
            R"(["uuid","01234567-89ab-cdef-0123-456789abcdef"])");
}

TEST(DatumText, Ranges) {
  EXPECT_EQ(parse(vlans, "1-3,7"), R"(["set",[1,2,3,7]])");
  EXPECT_EQ(Datum::from_text(type_of(vlans), "0-4095")->size(), 4096u);
  EXPECT_EQ(parse(vlans, "3-1"), "\"3-1\" is not a valid range. Range end cannot be before start.");
  EXPECT_EQ(parse(vlans, "1-"), "\"1-\" is not a valid integer or range");
  EXPECT_EQ(parse(vlans, "1-3,2"), "1-3,2: set contains duplicate value");
  EXPECT_EQ(parse(vlans, "-1"), "constraint violation: -1 is not in the valid range 0 to 4095 (inclusive)");
}

TEST(DatumText, NamesOfRows) {
  Uuid u = Uuid::random();
  auto names = [&](std::string_view name) { return name == "@x" ? std::optional(u) : std::nullopt; };
  auto d = Datum::from_text(type_of(R"("uuid")"), "@x", names);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->uuid(), u);
}

TEST(DatumText, OneAtomTakesAllOfItsText) {
  BaseType t;
  t.type = AtomType::string;
  for (auto text : {"a b", "a,b", "a=b", "[x]", "{x}", "x\"y"}) {
    auto a = Atom::from_text(t, text);
    ASSERT_TRUE(a);
    EXPECT_EQ(a->view().string(), text);
  }
  EXPECT_EQ(Atom::from_text(t, "\"a b\"")->view().string(), "a b");
  EXPECT_FALSE(Atom::from_text(t, "\"a b"));
  EXPECT_FALSE(Atom::from_text(t, ""));
  EXPECT_FALSE(Atom::from_text(t, std::string_view("a\0b", 3)));
  EXPECT_FALSE(Atom::from_text(t, R"("a\u0000b")"));
  EXPECT_FALSE(Atom::from_text(t, "a\xff"));
}

TEST(DatumText, StringsAreQuotedWhereTheyMustBe) {
  for (auto s : {"abc", "a-b", "a.b", "_x", "x1", "True", "e5", "abcdef12", "uuid", "ABCD", "abcdef12-", "-", "_"}) {
    std::string expected = std::string_view(s) == "-" ? "\"-\"" : s;
    EXPECT_EQ(Atom(s).view().to_text(), expected);
  }
  for (auto s : {"1x", "-x", ".x", "", "a b", "true", "false", "x/y", "a=b", "12", "x\xc3\xa9",
                 "01234567-89ab-cdef-0123-456789abcdef", "ABCDEF01-2345-6789-ABCD-EF0123456789"})
    EXPECT_EQ(Atom(s).view().to_text(), "\"" + std::string(s) + "\"");
  EXPECT_EQ(Atom("x\"y\\\n\x01").view().to_text(), R"("x\"y\\\n\u0001")");
}

TEST(DatumText, Printing) {
  auto text = [](std::string_view type, std::string_view value) {
    auto d = Datum::from_json(type_of(type), testing::value_of(value));
    return d->to_text(type_of(type)) + "|" + d->to_bare(type_of(type));
  };
  EXPECT_EQ(text(strings, R"(["set",["b","a c"]])"), "[\"a c\", b]|a c b");
  EXPECT_EQ(text(strings, R"("b")"), "[b]|b");
  EXPECT_EQ(text(string, R"("b")"), "b|b");
  EXPECT_EQ(text(string, R"(["set",[]])"), "[]|");
  EXPECT_EQ(text(map, R"(["map",[["a","1"],["b","x"]]])"), "{a=\"1\", b=x}|a=1 b=x");
  EXPECT_EQ(text(map, R"(["map",[]])"), "{}|");
}

}  // namespace
}  // namespace ovs::ovsdb
