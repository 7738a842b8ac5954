#include "ovsdb/schema.h"

#include <gtest/gtest.h>

#include "json_literal.h"
#include "ovsdb/datum.h"

namespace ovs::ovsdb {
namespace {

using testing::type_of;
using testing::value_of;

// A schema read and written again, keys sorted; or the error's details.
std::string round_trip(std::string_view text) {
  auto s = DatabaseSchema::from_json(value_of(text));
  if (!s) return s.error().tag + ": " + s.error().details;
  return ovs::to_text(sorted((*s)->to_json()));
}

std::string with_table(std::string_view table) {
  return R"({"name":"D","version":"1.0.0","tables":{"T":)" + std::string(table) + "}}";
}
std::string with_type(std::string_view type) {
  return with_table(R"({"columns":{"c":{"type":)" + std::string(type) + "}}}");
}

// The column's type as it is written; or the error.
std::string type_round_trip(std::string_view type) {
  auto s = DatabaseSchema::from_json(value_of(with_type(type)));
  if (!s) return s.error().details;
  return ovs::to_text(sorted((*s)->find("T")->find("c")->type.to_json()));
}

TEST(Schema, TheSwitchsSchemaIsReadAndWrittenUnchanged) {
  auto schema = read_schema_file(OVS_SCHEMA_FILE);
  ASSERT_TRUE(schema) << schema.error().message;
  EXPECT_EQ((*schema)->name, "Open_vSwitch");
  EXPECT_TRUE(is_version((*schema)->version));
  EXPECT_FALSE((*schema)->cksum.empty());
  auto again = DatabaseSchema::from_json((*schema)->to_json());
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(ovs::to_text((*again)->to_json()), ovs::to_text((*schema)->to_json()));
  const TableSchema* bridge = (*schema)->find("Bridge");
  ASSERT_TRUE(bridge);
  EXPECT_FALSE(bridge->is_root);
  EXPECT_TRUE((*schema)->find("Open_vSwitch")->is_root);
  EXPECT_EQ((*schema)->find("Open_vSwitch")->max_rows, 1u);
  EXPECT_EQ(bridge->find("ports")->type.key.ref_table, "Port");
  EXPECT_EQ(bridge->indexes, (std::vector<std::vector<std::size_t>>{{bridge->find("name")->index}}));
}

TEST(Schema, ColumnsHaveIndexesInTheOrderOfTheirNames) {
  auto t = testing::table_of(R"({"zz":{"type":"integer"},"a":{"type":"string","ephemeral":true},"m":{"type":"real","mutable":false}})");
  ASSERT_EQ(t.columns.size(), 5u);
  EXPECT_EQ(t.find("_uuid")->index, uuid_column);
  EXPECT_EQ(t.find("_version")->index, version_column);
  EXPECT_EQ(t.find("a")->index, first_column);
  EXPECT_EQ(t.find("m")->index, 3u);
  EXPECT_EQ(t.find("zz")->index, 4u);
  EXPECT_EQ(t.find("b"), nullptr);
  EXPECT_FALSE(t.find("a")->persistent);
  EXPECT_FALSE(t.find("m")->is_mutable);
  EXPECT_FALSE(t.find("_uuid")->is_mutable);
}

TEST(Schema, TypesAreWrittenInTheirShortestForm) {
  for (auto [from, to] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"("integer")", R"("integer")"},
           {R"({"key":"integer","min":1,"max":1})", R"("integer")"},
           {R"({"key":{"type":"integer"}})", R"("integer")"},
           {R"({"key":"integer","max":"unlimited"})", R"({"key":"integer","max":"unlimited"})"},
           {R"({"key":"integer","min":0,"max":1})", R"({"key":"integer","min":0})"},
           {R"({"key":{"type":"integer","enum":["set",[2,1]]}})", R"({"key":{"enum":["set",[1,2]],"type":"integer"}})"},
           {R"({"key":{"type":"integer","enum":["set",[3]]}})", R"({"key":{"enum":3,"type":"integer"}})"},
           {R"({"key":{"type":"real","minReal":0.1,"maxReal":1e300}})", R"({"key":{"maxReal":1e+300,"minReal":0.1,"type":"real"}})"},
           {R"({"key":{"type":"string","maxLength":0}})", R"({"key":{"maxLength":0,"type":"string"}})"},
           {R"({"key":{"type":"string","maxLength":4294967295}})", R"("string")"},
           {R"({"key":{"type":"uuid","refTable":"T","refType":"strong"},"min":0})", R"({"key":{"refTable":"T","type":"uuid"},"min":0})"},
           {R"({"key":"string","value":{"type":"uuid","refTable":"T","refType":"weak"}})",
            R"({"key":"string","value":{"refTable":"T","refType":"weak","type":"uuid"}})"},
       })
    EXPECT_EQ(type_round_trip(from), to) << from;
}

TEST(Schema, WrongTypesAreRefused) {
  for (auto [type, details] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"("foo")", "\"foo\" is not an atomic-type"},
           {"{}", "Parsing ovsdb type failed: Required 'key' member is missing."},
           {R"({"key":"integer","min":2,"max":3})", "min must be 0 or 1"},
           {R"({"key":"integer","min":0,"max":0})", "max must be a positive integer or \"unlimited\""},
           {R"({"key":"integer","max":"x"})", "max must be a positive integer or \"unlimited\""},
           {R"({"key":"integer","zz":1})", "Parsing ovsdb type failed: Member 'zz' is present but not allowed here."},
           {R"({"key":{}})", "Parsing ovsdb type failed: Required 'type' member is missing."},
           {R"({"key":{"type":"integer","enum":["set",[]]}})", "set must have 1 or more members but 0 are present"},
           {R"({"key":{"type":"integer","enum":["set",["x"]]}})", "expected integer"},
           {R"({"key":{"type":"integer","enum":["set",[1,1]]}})", "set contains duplicate"},
           {R"({"key":{"type":"integer","enum":3,"minInteger":1}})", "Parsing ovsdb type failed: Member 'minInteger' is present but not allowed here."},
           {R"({"key":{"type":"integer","minInteger":5,"maxInteger":1}})", "minInteger exceeds maxInteger"},
           {R"({"key":{"type":"integer","minInteger":1.5}})", "Parsing ovsdb type failed: Type mismatch for member 'minInteger'."},
           {R"({"key":{"type":"real","minReal":5,"maxReal":1}})", "minReal exceeds maxReal"},
           {R"({"key":{"type":"string","minLength":5,"maxLength":1}})", "minLength exceeds maxLength"},
           {R"({"key":{"type":"string","minLength":-5}})", "minLength out of valid range 0 to 4294967295"},
           {R"({"key":{"type":"uuid","refTable":"Z"}})", "Table T column c refers to table Z, which does not exist."},
           {R"({"key":"string","value":{"type":"uuid","refTable":"Z"}})", "Table T column c refers to table Z, which does not exist."},
           {R"({"key":{"type":"uuid","refTable":"a b"}})", "Parsing ovsdb type failed: Type mismatch for member 'refTable'."},
           {R"({"key":{"type":"uuid","refTable":"T","refType":"x"}})", "refType must be \"strong\" or \"weak\""},
           {R"({"key":{"type":"uuid","refType":"weak"}})", "Parsing ovsdb type failed: Member 'refType' is present but not allowed here."},
       })
    EXPECT_EQ(type_round_trip(type), details) << type;
}

TEST(Schema, WrongTablesAndColumnsAreRefused) {
  for (auto [table, details] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"[]", "Parsing table schema for table T failed: Object expected."},
           {"{}", "Parsing table schema for table T failed: Required 'columns' member is missing."},
           {R"({"columns":{}})", "table must have at least one column"},
           {R"({"columns":{"_c":{"type":"integer"}}})", "names beginning with \"_\" are reserved: column \"_c\""},
           {R"({"columns":{"c d":{"type":"integer"}}})", "name must be a valid id: \"c d\""},
           {R"({"columns":{"c":{}}})", "Parsing schema for column c failed: Required 'type' member is missing."},
           {R"({"columns":{"c":{"type":"integer","zz":1}}})", "Parsing schema for column c failed: Member 'zz' is present but not allowed here."},
           {R"({"columns":{"c":{"type":"integer"}},"maxRows":0})", "maxRows must be at least 1"},
           {R"({"columns":{"c":{"type":"integer"}},"maxRows":"x"})", "Parsing table schema for table T failed: Type mismatch for member 'maxRows'."},
           {R"({"columns":{"c":{"type":"integer"}},"indexes":[["d"]]})", "d is not a valid column name"},
           {R"({"columns":{"c":{"type":"integer"}},"indexes":[[]]})", "index must have at least one column"},
           {R"({"columns":{"c":{"type":"integer"}},"indexes":[["c","c"]]})", "array of distinct column names expected"},
           {R"({"columns":{"c":{"type":"integer","ephemeral":true}},"indexes":[["c"]]})", "ephemeral columns (such as c) may not be indexed"},
       })
    EXPECT_EQ(round_trip(with_table(table)), "syntax error: " + std::string(details)) << table;
}

TEST(Schema, WrongDatabasesAreRefused) {
  EXPECT_EQ(round_trip("[]"), "syntax error: Parsing database schema failed: Object expected.");
  EXPECT_EQ(round_trip(R"({"tables":{}})"), "syntax error: Parsing database schema failed: Required 'name' member is missing.");
  EXPECT_EQ(round_trip(R"({"name":"a b","tables":{}})"), "syntax error: Parsing database schema failed: Type mismatch for member 'name'.");
  EXPECT_EQ(round_trip(R"({"name":"D"})"), "syntax error: Parsing database schema failed: Required 'tables' member is missing.");
  EXPECT_EQ(round_trip(R"({"name":"D","tables":{},"x":1})"), "syntax error: Parsing database schema failed: Member 'x' is present but not allowed here.");
  EXPECT_EQ(round_trip(R"({"name":"D","tables":{"_T":{"columns":{"c":{"type":"integer"}}}}})"),
            "syntax error: names beginning with \"_\" are reserved: table \"_T\"");
  for (auto version : {"1", "1.2", "1.2.3.4", "a.b.c", "1..2", "1.2.-3", ""})
    EXPECT_EQ(round_trip(R"({"name":"D","tables":{},"version":")" + std::string(version) + "\"}"),
              "syntax error: schema version \"" + std::string(version) + "\" not in format x.y.z");
  // Clients of the field may leave the version out.
  EXPECT_EQ(round_trip(R"({"name":"_D","tables":{}})"), R"({"name":"_D","tables":{}})");
}

TEST(Schema, TheRootSet) {
  constexpr std::string_view columns = R"("columns":{"c":{"type":"integer"}})";
  auto roots = [&](std::string_view a, std::string_view b) {
    std::string text = R"({"name":"D","tables":{"A":{)" + std::string(columns) + std::string(a) + R"(},"B":{)" +
                       std::string(columns) + std::string(b) + "}}}";
    auto s = DatabaseSchema::from_json(value_of(text));
    EXPECT_TRUE(s);
    std::string written = ovs::to_text((*s)->to_json());
    return std::string((*s)->find("A")->is_root ? "A" : "") + ((*s)->find("B")->is_root ? "B" : "") +
           (written.find("isRoot") == std::string::npos ? "" : " said");
  };
  // Schemas from before there was a root set: every table is in it.
  EXPECT_EQ(roots("", R"(,"isRoot":false)"), "AB");
  EXPECT_EQ(roots(R"(,"isRoot":true)", ""), "A said");
  EXPECT_EQ(roots(R"(,"isRoot":true)", R"(,"isRoot":true)"), "AB");
}

TEST(Schema, WeakReferencesAreMutable) {
  auto s = DatabaseSchema::from_json(value_of(with_table(
      R"({"columns":{"c":{"type":{"key":{"type":"uuid","refTable":"T","refType":"weak"},"min":0},"mutable":false}}})")));
  ASSERT_TRUE(s);
  EXPECT_TRUE((*s)->find("T")->find("c")->is_mutable);
}

TEST(Schema, Versions) {
  EXPECT_TRUE(compare_versions("1.2.3", "1.2.3") == std::strong_ordering::equal);
  EXPECT_TRUE(compare_versions("1.2.3", "1.10.0") == std::strong_ordering::less);
  EXPECT_TRUE(compare_versions("2.0.0", "1.99.99") == std::strong_ordering::greater);
  EXPECT_FALSE(compare_versions("1.2", "1.2.3").has_value());
  EXPECT_FALSE(compare_versions("1.2.3", "x").has_value());
}

TEST(Schema, TypesInEnglish) {
  for (auto [type, text] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"("integer")", "integer"},
           {R"({"key":"integer","min":0,"max":"unlimited"})", "set of integers"},
           {R"({"key":"integer","min":0})", "set of up to 1 integers"},
           {R"({"key":"integer","max":3})", "set of 1 to 3 integers"},
           {R"({"key":"string","value":"string","min":0,"max":"unlimited"})", "map of (string, string) pairs"},
       })
    EXPECT_EQ(type_of(type).text(), text);
}

TEST(Schema, FilesThatAreNoSchema) {
  auto missing = read_schema_file("/nonexistent/schema");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("/nonexistent/schema"), std::string::npos);
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos) << missing.error().message;
}

}  // namespace
}  // namespace ovs::ovsdb
