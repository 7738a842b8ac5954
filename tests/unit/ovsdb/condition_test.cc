#include "ovsdb/condition.h"

#include <gtest/gtest.h>

#include <map>

#include "json_literal.h"

namespace ovs::ovsdb {
namespace {

using testing::table_of;
using testing::value_of;

const TableSchema& table() {
  static const TableSchema t = table_of(R"({
    "i": {"type":"integer"}, "s": {"type":"string"}, "b": {"type":"boolean"},
    "oi": {"type":{"key":"integer","min":0}}, "or": {"type":{"key":"real","min":0}},
    "is": {"type":{"key":"integer","min":0,"max":"unlimited"}},
    "i13": {"type":{"key":"integer","min":1,"max":3}},
    "m": {"type":{"key":"string","value":"string","min":0,"max":"unlimited"}}})");
  return t;
}

// Whether the row with i=5, s=abc, oi=3, is={1,2,3}, i13={1}, m={a=b,c=d} matches; or the error.
std::string match(std::string_view clause) {
  static const std::map<std::string_view, std::string_view> row{
      {"i", "5"},         {"s", R"("abc")"}, {"b", "true"}, {"oi", "3"}, {"is", R"(["set",[1,2,3]])"},
      {"i13", "1"}, {"m", R"(["map",[["a","b"],["c","d"]]])"}};
  auto c = Clause::from_json(table(), value_of(clause), nullptr);
  if (!c) return c.error().tag + ": " + c.error().details;
  const ColumnSchema& column = table().columns[c->column];
  auto at = row.find(column.name);
  Datum value = at == row.end() ? Datum::default_of(column.type)
                                : *Datum::from_json(column.type, value_of(at->second));
  EXPECT_EQ(ovs::to_text(c->to_json(table())), ovs::to_text(value_of(clause)));
  return c->matches(value, column.type) ? "yes" : "no";
}

TEST(Condition, Scalars) {
  EXPECT_EQ(match(R"(["i","==",5])"), "yes");
  EXPECT_EQ(match(R"(["i","!=",5])"), "no");
  EXPECT_EQ(match(R"(["i","<",5])"), "no");
  EXPECT_EQ(match(R"(["i","<=",5])"), "yes");
  EXPECT_EQ(match(R"(["i",">",4])"), "yes");
  EXPECT_EQ(match(R"(["i",">=",6])"), "no");
  EXPECT_EQ(match(R"(["i","includes",5])"), "yes");
  EXPECT_EQ(match(R"(["i","excludes",5])"), "no");
  EXPECT_EQ(match("true"), "yes");
  EXPECT_EQ(match("false"), "no");
}

TEST(Condition, AnEmptyOptionalScalarIsInNoOrder) {
  for (auto relation : {"<", "<=", ">", ">="}) EXPECT_EQ(match("[\"or\",\"" + std::string(relation) + "\",4]"), "no");
  EXPECT_EQ(match(R"(["oi","<",4])"), "yes");
  EXPECT_EQ(match(R"(["oi",">=",4])"), "no");
  EXPECT_EQ(match(R"(["or","!=",4.5])"), "yes");
  EXPECT_EQ(match(R"(["or","!=",["set",[]]])"), "no");
  EXPECT_EQ(match(R"(["oi","==",["set",[]]])"), "no");
}

TEST(Condition, SetsAndMaps) {
  EXPECT_EQ(match(R"(["is","includes",1])"), "yes");
  EXPECT_EQ(match(R"(["is","includes",["set",[1,2]]])"), "yes");
  EXPECT_EQ(match(R"(["is","includes",["set",[1,9]]])"), "no");
  EXPECT_EQ(match(R"(["is","excludes",["set",[1,9]]])"), "no");
  EXPECT_EQ(match(R"(["is","excludes",["set",[8,9]]])"), "yes");
  EXPECT_EQ(match(R"(["is","includes",["set",[]]])"), "yes");
  EXPECT_EQ(match(R"(["is","excludes",["set",[]]])"), "yes");
  EXPECT_EQ(match(R"(["i13","includes",["set",[]]])"), "yes");
  EXPECT_EQ(match(R"(["i13","excludes",["set",[2,3,4,5]]])"), "yes");
  EXPECT_EQ(match(R"(["m","includes",["map",[["a","b"]]]])"), "yes");
  EXPECT_EQ(match(R"(["m","includes",["map",[["a","x"]]]])"), "no");
  EXPECT_EQ(match(R"(["m","excludes",["map",[["a","x"]]]])"), "yes");
  EXPECT_EQ(match(R"(["m","excludes",["map",[["a","b"]]]])"), "no");
}

TEST(Condition, Errors) {
  EXPECT_EQ(match(R"(["i","=",5])"), "unknown function: No function named =.");
  EXPECT_EQ(match(R"(["zz","==",5])"), "unknown column: No column zz in table T.");
  EXPECT_EQ(match(R"(["s","<","x"])"),
            "syntax error: Type mismatch: \"<\" operator may not be applied to column s of type string.");
  EXPECT_EQ(match(R"(["is","<",3])"),
            "syntax error: Type mismatch: \"<\" operator may not be applied to column is of type set of integers.");
  EXPECT_EQ(match(R"(["oi","<",["set",[]]])"), "syntax error: set must have exactly one member but 0 are present");
  EXPECT_EQ(match(R"(["i13","==",["set",[]]])"), "syntax error: set must have 1 to 3 members but 0 are present");
  for (auto text : {R"(["i","=="])", R"("x")", "5", R"([1,"==",1])", R"(["i",1,1])", R"(["i","==",1,2])", "[]", "null", "{}"})
    EXPECT_EQ(match(text), "syntax error: Parse error in condition.") << text;
  EXPECT_FALSE(Condition::from_json(table(), true, nullptr));
}

}  // namespace
}  // namespace ovs::ovsdb
