#include "ovsdb/mutation.h"

#include <gtest/gtest.h>

#include "json_literal.h"

namespace ovs::ovsdb {
namespace {

using testing::table_of;
using testing::value_of;

const TableSchema& table() {
  static const TableSchema t = table_of(R"({
    "i": {"type":"integer"}, "r": {"type":"real"}, "s": {"type":"string"}, "b": {"type":"boolean"},
    "ir": {"type":{"key":{"type":"integer","minInteger":1,"maxInteger":4095},"min":0}},
    "oi": {"type":{"key":"integer","min":0}},
    "is": {"type":{"key":"integer","min":0,"max":"unlimited"}},
    "i13": {"type":{"key":"integer","min":1,"max":3}},
    "ss": {"type":{"key":"string","min":0,"max":"unlimited"}},
    "se": {"type":{"key":{"type":"string","enum":["set",["red","green"]]},"min":0}},
    "m": {"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "imm": {"type":"integer","mutable":false}})");
  return t;
}

// What becomes of `value` by [column, mutator, argument]; "=" in front if it did not change.
std::string mutate(std::string_view column, std::string_view value, std::string_view mutator,
                   std::string_view argument) {
  const ColumnSchema* c = table().find(column);
  auto m = Mutation::from_json(table(),
                               json::array{json::value(column), json::value(mutator), value_of(argument)}, nullptr);
  if (!m) return m.error().tag + ": " + m.error().details;
  Datum d = *Datum::from_json(c->type, value_of(value));
  auto changed = m->apply(d, c->type);
  if (!changed) return changed.error().tag + ": " + changed.error().details;
  std::string out = *changed ? "" : "=";
  d.append_json(out);
  return out;
}

TEST(Mutation, Integers) {
  EXPECT_EQ(mutate("i", "5", "+=", "1"), "6");
  EXPECT_EQ(mutate("i", "5", "-=", "7"), "-2");
  EXPECT_EQ(mutate("i", "5", "*=", "-3"), "-15");
  EXPECT_EQ(mutate("i", "5", "/=", "-2"), "-2");
  EXPECT_EQ(mutate("i", "-5", "%=", "-2"), "-1");
  EXPECT_EQ(mutate("i", "5", "+=", "0"), "=5");
  EXPECT_EQ(mutate("is", R"(["set",[1,2,3]])", "+=", "1"), R"(["set",[2,3,4]])");
  EXPECT_EQ(mutate("is", R"(["set",[1,2,3]])", "*=", "-1"), R"(["set",[-3,-2,-1]])");
  EXPECT_EQ(mutate("oi", R"(["set",[]])", "+=", "1"), R"(=["set",[]])");
}

TEST(Mutation, IntegersThatDoNotFit) {
  const std::string big = "9223372036854775807", small = "-9223372036854775808";
  for (auto [value, mutator, argument] :
       {std::tuple{std::string("5"), "+=", big}, {"5", "-=", small}, {"5", "*=", big}, {small, "/=", "-1"}, {small, "%=", "-1"}})
    EXPECT_EQ(mutate("i", value, mutator, argument),
              "range error: Result of \"" + std::string(mutator) + "\" operation is out of range.");
  EXPECT_EQ(mutate("i", "5", "/=", "0"), "domain error: Division by zero.");
  EXPECT_EQ(mutate("i", "5", "%=", "0"), "domain error: Division by zero.");
}

TEST(Mutation, Reals) {
  EXPECT_EQ(mutate("r", "2.5", "+=", "1"), "3.5");
  EXPECT_EQ(mutate("r", "2.5", "/=", "2"), "1.25");
  EXPECT_EQ(mutate("r", "2.5", "-=", "2.5"), "0");
  EXPECT_EQ(mutate("r", "2.5", "*=", "1e308"), "range error: Result of \"*=\" operation is out of range.");
  EXPECT_EQ(mutate("r", "2.5", "/=", "0"), "domain error: Division by zero.");
  EXPECT_EQ(mutate("r", "2.5", "%=", "1"),
            "syntax error: Type mismatch: \"%=\" operator may not be applied to column r of type real.");
}

TEST(Mutation, ResultsAreHeldAgainstTheColumn) {
  EXPECT_EQ(mutate("ir", "5", "+=", "4000"), "4005");
  EXPECT_EQ(mutate("ir", "5", "+=", "5000"), "constraint violation: 5005 is not in the valid range 1 to 4095 (inclusive)");
  EXPECT_EQ(mutate("is", R"(["set",[1,2,3]])", "/=", "2"),
            "constraint violation: Result of \"/=\" operation contains duplicates.");
  EXPECT_EQ(mutate("oi", "3", "insert", "4"), "constraint violation: Attempted to store 2 elements in set of up to 1 integers.");
  EXPECT_EQ(mutate("i13", "1", "delete", "1"), "constraint violation: Attempted to store 0 elements in set of 1 to 3 integers.");
}

TEST(Mutation, Sets) {
  EXPECT_EQ(mutate("is", R"(["set",[1,2,3]])", "insert", R"(["set",[1,9]])"), R"(["set",[1,2,3,9]])");
  EXPECT_EQ(mutate("is", R"(["set",[1,2,3]])", "insert", "2"), R"(=["set",[1,2,3]])");
  EXPECT_EQ(mutate("is", R"(["set",[1,2,3]])", "delete", R"(["set",[1,9]])"), R"(["set",[2,3]])");
  EXPECT_EQ(mutate("oi", "3", "delete", "4"), "=3");
  EXPECT_EQ(mutate("oi", "3", "delete", "3"), R"(["set",[]])");
  EXPECT_EQ(mutate("ss", R"(["set",[]])", "insert", R"(["set",["x","x"]])"), "ovsdb error: set contains duplicate");
  EXPECT_EQ(mutate("i13", "1", "insert", R"(["set",[1,2,3,4]])"), "syntax error: set must have 0 to 3 members but 4 are present");
  EXPECT_EQ(mutate("se", "\"red\"", "insert", "\"zz\""), "constraint violation: zz is not one of the allowed values ([green, red])");
}

TEST(Mutation, Maps) {
  constexpr std::string_view m = R"(["map",[["a","b"],["c","d"]]])";
  EXPECT_EQ(mutate("m", m, "insert", R"(["map",[["a","x"],["e","f"]]])"), R"(["map",[["a","b"],["c","d"],["e","f"]]])");
  EXPECT_EQ(mutate("m", m, "delete", R"(["map",[["a","x"],["c","d"]]])"), R"(["map",[["a","b"]]])");
  EXPECT_EQ(mutate("m", m, "delete", R"(["set",["a","zz"]])"), R"(["map",[["c","d"]]])");
  EXPECT_EQ(mutate("m", m, "delete", "\"a\""), R"(["map",[["c","d"]]])");
  EXPECT_EQ(mutate("m", m, "delete", R"(["set",[]])"), "=" + std::string(m));
  EXPECT_EQ(mutate("m", m, "insert", R"(["set",["a"]])"), "syntax error: expected [\"map\", <array>]");
}

TEST(Mutation, Errors) {
  EXPECT_EQ(mutate("i", "5", "insert", "1"),
            "syntax error: Type mismatch: \"insert\" operator may not be applied to column i of type integer.");
  EXPECT_EQ(mutate("m", R"(["map",[]])", "+=", "1"),
            "syntax error: Type mismatch: \"+=\" operator may not be applied to column m of type map of (string, string) pairs.");
  EXPECT_EQ(mutate("i", "5", "foo", "1"), "unknown mutator: No mutator named foo.");
  EXPECT_EQ(mutate("i", "5", "+=", R"(["set",[]])"), "syntax error: set must have exactly one member but 0 are present");
  EXPECT_EQ(mutate("imm", "5", "+=", "1"), "constraint violation: Cannot mutate immutable column imm in table T.");
  for (auto text : {R"(["i","+="])", "5", R"([1,"+=",1])", R"(["i",1,1])", R"(["i","+=",1,2])"}) {
    auto m = Mutation::from_json(table(), value_of(text), nullptr);
    ASSERT_FALSE(m) << text;
    EXPECT_EQ(m.error().details, "Parse error in mutation.");
  }
  auto unknown = Mutation::from_json(table(), value_of(R"(["zz","+=",1])"), nullptr);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().tag, "unknown column");
}

}  // namespace
}  // namespace ovs::ovsdb
