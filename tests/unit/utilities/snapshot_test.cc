#include "ovsdb_client/snapshot.h"

#include <gtest/gtest.h>

#include "ovsdb/log_file.h"

namespace ovs::utilities::ovsdb_client {
namespace {

constexpr std::string_view schema_text =
    R"({"name":"D","version":"1.0.0","tables":{)"
    R"("Child":{"columns":{"x":{"type":"string"}}},)"
    R"("Row":{"isRoot":true,"columns":{"children":{"type":{"key":{"type":"uuid","refTable":"Child"},)"
    R"("min":0,"max":"unlimited"}},"gone":{"type":"string","ephemeral":true},"n":{"type":"integer"},)"
    R"("words":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}}}}}})";

constexpr std::string_view row = "11111111-1111-4111-8111-111111111111";
constexpr std::string_view child = "22222222-2222-4222-8222-222222222222";

std::string file_of(std::initializer_list<std::string> records) {
  std::string text = ovsdb::log_record(schema_text);
  for (const auto& record : records) text += ovsdb::log_record(record);
  return text;
}

// The operations on one table, without the name of the database in front.
json::array operations(const Snapshot& snapshot, std::string_view op, std::string_view table) {
  auto v = parse_json(restore_transaction(snapshot, *snapshot.schema));
  EXPECT_TRUE(v.has_value() && v->is_array());
  json::array found;
  for (const auto& element : v->get_array()) {
    const auto* object = element.if_object();
    if (object && as_string(object->at("op")) == op && object->contains("table") &&
        as_string(object->at("table")) == table) {
      found.push_back(*object);
    }
  }
  return found;
}

TEST(SnapshotTest, RowsAreRenamedWithTheirReferences) {
  auto snapshot = read_snapshot(file_of(
      {std::string(R"({"Child":{")") + std::string(child) + R"(":{"x":"c"}},"Row":{")" + std::string(row) +
       R"(":{"n":5,"children":["uuid",")" + std::string(child) + R"("],"words":["map",[["uuid",")" +
       std::string(child) + R"("]]],"gone":"ephemeral"}},"_date":1})"}));
  ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message;
  const json::array rows = operations(*snapshot, "insert", "Row");
  ASSERT_EQ(rows.size(), 1u);
  // The map's strings only look like a UUID's JSON, and stay; the ephemeral column is left out.
  EXPECT_EQ(to_text(sorted(rows[0].at("row"))),
            R"({"children":["set",[["named-uuid","row22222222_2222_4222_8222_222222222222"]]],"n":5,)"
            R"("words":["map",[["uuid","22222222-2222-4222-8222-222222222222"]]]})");
  EXPECT_EQ(as_string(rows[0].at("uuid-name")), "row11111111_1111_4111_8111_111111111111");
  EXPECT_EQ(operations(*snapshot, "delete", "Row").size(), 1u);
  EXPECT_EQ(operations(*snapshot, "delete", "Child").size(), 1u);
}

TEST(SnapshotTest, TransactionsAddUp) {
  const std::string begin = std::string(R"({"Row":{")") + std::string(row) + "\":";
  auto snapshot = read_snapshot(file_of({
      begin + R"({"n":1,"words":["map",[["a","1"],["b","2"]]]}}})",
      // A difference: "a" goes, "b" changes, "c" is new.
      begin + R"({"words":["map",[["a","1"],["b","3"],["c","4"]]]}},"_is_diff":true})",
      begin + R"({"n":2}}})",
      std::string(R"({"Child":{")") + std::string(child) + R"(":{"x":"c"}}})",
      std::string(R"({"Child":{")") + std::string(child) + R"(":null}})",
  }));
  ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message;
  const json::array rows = operations(*snapshot, "insert", "Row");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(to_text(sorted(rows[0].at("row"))), R"({"n":2,"words":["map",[["b","3"],["c","4"]]]})");
  EXPECT_TRUE(operations(*snapshot, "insert", "Child").empty());
}

TEST(SnapshotTest, WhatIsNotWholeIsRefused) {
  const std::string good = file_of({std::string(R"({"Row":{")") + std::string(row) + R"(":{"n":1}}})"});
  ASSERT_TRUE(read_snapshot(good).has_value());
  for (std::size_t size = 0; size < good.size(); ++size) {
    const bool between_records = size == ovsdb::log_record(schema_text).size();
    EXPECT_EQ(read_snapshot(good.substr(0, size)).has_value(), between_records) << size;
  }
  EXPECT_FALSE(read_snapshot(file_of({R"({"Nope":{}})"})).has_value());
  EXPECT_FALSE(read_snapshot(file_of({R"({"Row":{"not a uuid":{"n":1}}})"})).has_value());
  EXPECT_FALSE(read_snapshot(
                   file_of({std::string(R"({"Row":{")") + std::string(row) + R"(":{"_uuid":1}}})"}))
                   .has_value());
  EXPECT_FALSE(read_snapshot(file_of({"[]"})).has_value());
}

}  // namespace
}  // namespace ovs::utilities::ovsdb_client
