#include "dbclient/typed.h"

#include <gtest/gtest.h>

#include "ovsdb/schema.h"

namespace ovs::dbclient {
namespace {

using Bridge = Row<"Bridge", Col<"name", std::string>, Col<"ports", std::vector<Uuid>>,
                   Col<"fail_mode", std::optional<std::string>>,
                   Col<"other_config", std::map<std::string, std::string>>, Col<"stp_enable", bool>,
                   Col<"flow_tables", std::map<std::int64_t, Uuid>>>;

const Uuid row_a = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");
const Uuid row_b = *Uuid::parse("bbbbbbbb-0000-4000-8000-000000000002");

std::shared_ptr<const ovsdb::DatabaseSchema> switch_schema() {
  auto schema = ovsdb::read_schema_file(OVS_SCHEMA_FILE);
  EXPECT_TRUE(schema) << schema.error().message;
  return *schema;
}

TEST(Typed, DeclarationsAgreeWithTheSchema) {
  auto ok = check_declaration(Bridge::declaration(), *switch_schema());
  EXPECT_TRUE(ok) << ok.error().message;
}

TEST(Typed, WrongDeclarationsAreFound) {
  auto schema = switch_schema();
  auto message = [&](const TableDecl& declaration) {
    auto r = check_declaration(declaration, *schema);
    return r ? std::string("fine") : r.error().message;
  };
  EXPECT_EQ(message(Row<"Brigde", Col<"name", std::string>>::declaration()), "the schema has no table Brigde");
  EXPECT_EQ(message(Row<"Bridge", Col<"nmae", std::string>>::declaration()),
            "the schema has no column Bridge.nmae");
  EXPECT_EQ(message(Row<"Bridge", Col<"name", std::optional<std::string>>>::declaration()),
            "Bridge.name is a single value, not an optional value");
  EXPECT_EQ(message(Row<"Bridge", Col<"ports", Uuid>>::declaration()), "Bridge.ports is a set, not a single value");
  EXPECT_EQ(message(Row<"Port", Col<"interfaces", std::vector<Uuid>>>::declaration()), "fine");
  EXPECT_NE(message(Row<"Bridge", Col<"name", std::int64_t>>::declaration()), "fine");
}

TEST(Typed, RowsReadAsTheirTypes) {
  ReplicaTable table(Bridge::declaration());
  auto r = table.apply_insert(row_a, parse_json(R"({"name":"br0","fail_mode":"secure","stp_enable":true,
      "ports":["set",[["uuid","bbbbbbbb-0000-4000-8000-000000000002"]]],
      "other_config":["map",[["k","v"]]],
      "flow_tables":["map",[[3,["uuid","bbbbbbbb-0000-4000-8000-000000000002"]]]]})")->get_object());
  ASSERT_TRUE(r) << r.error().message;
  std::size_t seen = 0;
  each<Bridge>(table, [&](Bridge b) {
    seen++;
    EXPECT_EQ(b.uuid(), row_a);
    EXPECT_EQ(b.get<"name">(), "br0");
    EXPECT_EQ(b.get<"ports">(), std::vector{row_b});
    EXPECT_EQ(b.get<"fail_mode">(), std::optional<std::string>("secure"));
    EXPECT_EQ(b.get<"other_config">(), (std::map<std::string, std::string>{{"k", "v"}}));
    EXPECT_EQ(b.get<"flow_tables">(), (std::map<std::int64_t, Uuid>{{3, row_b}}));
    EXPECT_TRUE(b.get<"stp_enable">());
    EXPECT_FALSE(b.changed<"name">());
    EXPECT_TRUE(b.row().inserted());
  });
  EXPECT_EQ(seen, 1U);
}

TEST(Typed, ColumnsThatDidNotComeAreDefaults) {
  ReplicaTable table(Bridge::declaration());
  ASSERT_TRUE(table.apply_insert(row_a, json::object{}));
  Bridge b(*table.find(row_a));
  EXPECT_EQ(b.get<"name">(), "");
  EXPECT_EQ(b.get<"fail_mode">(), std::nullopt);
  EXPECT_TRUE(b.get<"ports">().empty());
  EXPECT_FALSE(b.get<"stp_enable">());
}

TEST(Typed, SetsColumnsOfTheirTypes) {
  Transaction t("db");
  Bridge::set<"name">(t, row_a, std::string("br0"));
  Bridge::set<"fail_mode">(t, row_a, std::optional<std::string>());
  Bridge::set<"ports">(t, row_a, std::vector{row_b, row_a});
  Bridge::set<"other_config">(t, row_a, std::map<std::string, std::string>{{"a", "b"}});
  std::string text = t.request();
  EXPECT_NE(text.find(R"("fail_mode":["set",[]],"name":"br0","other_config":["map",[["a","b"]]],"ports":["set",[["uuid","aaaa)"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace ovs::dbclient
