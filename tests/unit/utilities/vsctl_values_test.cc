#include "vsctl/values.h"

#include <gtest/gtest.h>

#include "ovsdb/schema.h"
#include "unit/utilities/vsctl_source.h"
#include "vsctl/schema.h"

namespace ovs::vsctl {
namespace {

class ValuesTest : public testing::Test {
 protected:
  static std::shared_ptr<const ovsdb::DatabaseSchema> switch_schema() {
    auto schema = ovsdb::read_schema_file(OVS_SCHEMA_FILE);
    EXPECT_TRUE(schema) << schema.error().message;
    return *schema;
  }
  const TableSchema& table(std::string_view name) { return *schema->find(name); }

  // "COLUMN [KEY] OP [VALUE]" or the error.
  std::string condition(std::string_view text) {
    auto r = split_condition(table("Port"), text);
    if (!r) return r.error().message;
    return r->column->name + (r->key ? " [" + *r->key + "]" : "") + " " + std::string(to_text(r->op)) + " [" +
           r->value + "]";
  }
  // What a row of Port with these settings answers to a condition.
  std::string find(std::vector<std::string> settings, std::string_view text) {
    Row* row = attempt.view.insert("Port");
    for (const std::string& s : settings) {
      auto ok = set_column(context, row, {}, s);
      EXPECT_TRUE(ok) << ok.error().message;
    }
    auto r = satisfies(context, row, {}, text);
    return !r ? r.error().message : *r ? "yes" : "no";
  }
  std::string value(std::string_view table_name, std::string_view column, std::string_view text) {
    const auto& type = table(table_name).find(column)->type;
    auto r = parse_value(context, type, text);
    return r ? r->to_text(type) : r.error().message;
  }

  std::shared_ptr<const ovsdb::DatabaseSchema> schema = switch_schema();
  MemorySource source{"{}"};
  Attempt attempt{source, schema};
  Invocation invocation;
  Context context{attempt, invocation};
};

TEST_F(ValuesTest, SplitsArguments) {
  EXPECT_EQ(condition("tag=5"), "tag = [5]");
  EXPECT_EQ(condition("TAG!=5"), "tag != [5]");
  EXPECT_EQ(condition("tag<=5"), "tag <= [5]");
  EXPECT_EQ(condition("trunks{<=}1,2"), "trunks {<=} [1,2]");
  EXPECT_EQ(condition("trunks{not-in}1"), "trunks {not-in} [1]");
  EXPECT_EQ(condition("other_config:a=b=c"), "other_config [a] = [b=c]");
  EXPECT_EQ(condition("other-config:\"a b\"=c"), "other_config [a b] = [c]");
  EXPECT_EQ(condition("tag="), "tag=: argument does not end in \"=\", \"!=\", \"<\", \">\", \"<=\", \">=\", \"{=}\", "
                               "\"{!=}\", \"{<}\", \"{>}\", \"{<=}\", \"{>=}\", \"{in}\", or \"{not-in}\" followed by a value.  "
                               "Write tag=VALUE as one word, without spaces ('\"\"' is the empty text).");
  EXPECT_EQ(condition("=5"), "=5: missing column name");
  EXPECT_EQ(condition("tag~5"),
            "Port does not contain a column whose name matches \"tag~5\"; did you mean \"tag\"?");
  EXPECT_EQ(condition("other_config:=x"), "other_config:=x: missing key name after \":\"");
  EXPECT_EQ(condition("other_config:\"x"), "\"x: quoted string extends past end of argument");
}

TEST_F(ValuesTest, Operators) {
  EXPECT_EQ(find({"tag=5"}, "tag=5"), "yes");
  EXPECT_EQ(find({"tag=5"}, "tag>5"), "no");
  EXPECT_EQ(find({}, "tag<5"), "yes");  // fewer elements
  EXPECT_EQ(find({"trunks=1,2,3"}, "trunks{>=}1,2"), "yes");
  EXPECT_EQ(find({"trunks=1,2,3"}, "trunks{<}1,2,3"), "no");
  EXPECT_EQ(find({"trunks=1,2"}, "trunks{<}1,2,3"), "yes");
  EXPECT_EQ(find({"trunks=1,2"}, "trunks{not-in}3,4"), "yes");
  EXPECT_EQ(find({"trunks=1,2"}, "trunks{not-in}2,4"), "no");
  EXPECT_EQ(find({"tag=5"}, "tag{in}4,5,6"), "yes");
  EXPECT_EQ(find({"trunks=1,9"}, "trunks>1,2"), "yes");
  // A key that is not there: arithmetic never matches, sets compare with the empty set.
  EXPECT_EQ(find({}, "other_config:mtu!=1500"), "no");
  EXPECT_EQ(find({}, "other_config:mtu{!=}1500"), "yes");
  EXPECT_EQ(find({"other_config:mtu=9000"}, "other_config:mtu!=1500"), "yes");
  EXPECT_EQ(find({"other_config:mtu=1500"}, "other_config:mtu=1500"), "yes");
  // Behind an operator stands a set, so that a value with a space or comma needs its quotes.
  EXPECT_EQ(find({"other_config:k=a b"}, "other_config:k=a b"), "no");
  EXPECT_EQ(find({"other_config:k=a b"}, "other_config:k=\"a b\""), "yes");
  EXPECT_EQ(find({"other_config:k=a:b"}, "other_config:k=a:b"), "yes");
  EXPECT_EQ(find({}, "tag:a=1"), "cannot specify key to check for non-map column tag");
  EXPECT_EQ(find({}, "tag=x"), "\"x\" is not a valid integer or range (table Port, column tag)");
}

TEST_F(ValuesTest, ColonsNeedNoQuotes) {
  EXPECT_EQ(value("sFlow", "targets", "10.0.0.1:6343"), "[\"10.0.0.1:6343\"]");
  EXPECT_EQ(value("sFlow", "targets", "10.0.0.1:6343,10.0.0.2:6343"), "[\"10.0.0.1:6343\", \"10.0.0.2:6343\"]");
  EXPECT_EQ(value("sFlow", "targets", "[10.0.0.1:1, \"10.0.0.2:2\"]"), "[\"10.0.0.1:1\", \"10.0.0.2:2\"]");
  EXPECT_EQ(value("Bridge", "datapath_type", "a:b"), "\"a:b\"");
  EXPECT_EQ(value("Bridge", "external_ids", "mac=00:11:22,b=c"), "{b=c, mac=\"00:11:22\"}");
  EXPECT_EQ(value("Port", "tag", "1:2"), "1:2: unexpected \":\" parsing set of up to 1 integers, in range 0 to 4,095");
}

TEST_F(ValuesTest, Names) {
  EXPECT_EQ(value("Bridge", "netflow", "@x"),
            "row id \"@x\" is referenced but never created (e.g. with \"-- --id=@x create ...\")");
  Uuid uuid = Uuid::random();
  attempt.promised.emplace("@x", uuid);
  EXPECT_EQ(value("Bridge", "netflow", "@x"), uuid.to_string());
  EXPECT_EQ(value("Bridge", "flow_tables", "0=@x"), "{0=" + uuid.to_string() + "}");
}

TEST_F(ValuesTest, ReadOnlyColumns) {
  MemorySource bridges{R"({"Bridge": [{"_uuid": ["uuid", "aaaaaaaa-0000-4000-8000-000000000001"], "name": "br0",
                           "external_ids": ["map", []]}]})"};
  Attempt a{bridges, schema};
  Context c{a, invocation};
  auto row = find_record(c, table("Bridge"), "br0");
  ASSERT_TRUE(row && *row);
  EXPECT_EQ(set_column(c, *row, "br0", "name=x").error().message, "cannot modify read-only column name in table Bridge");
  EXPECT_TRUE(set_column(c, *row, "br0", "external_ids:a=b"));
  EXPECT_EQ(find_record(c, table("Bridge"), "aaaa").value(), *row);
  EXPECT_EQ(find_record(c, table("Bridge"), "aaa").value(), nullptr);
  EXPECT_EQ(get_record(c, table("Bridge"), "br1", true).error().message, "no row \"br1\" in table Bridge");
  EXPECT_EQ(get_record(c, table("Bridge"), "br1", false).value(), nullptr);
}

}  // namespace
}  // namespace ovs::vsctl
