#include <gtest/gtest.h>

#include "base/json.h"
#include "dbclient/typed.h"

namespace ovs::dbclient {
namespace {

using Port = Row<"Port", Col<"name", std::string>, Col<"tag", std::optional<std::int64_t>>,
                 Col<"trunks", std::vector<std::int64_t>>, Col<"ids", std::map<std::string, std::string>>>;

const Uuid row_a = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");
const Uuid row_b = *Uuid::parse("bbbbbbbb-0000-4000-8000-000000000002");
const Uuid row_c = *Uuid::parse("cccccccc-0000-4000-8000-000000000003");

class ReplicaTableTest : public testing::Test {
 protected:
  ReplicaTable table{Port::declaration()};

  static json::object columns(std::string_view text) { return parse_json(text)->get_object(); }
  void insert(const Uuid& uuid, std::string_view text) {
    auto r = table.apply_insert(uuid, columns(text));
    ASSERT_TRUE(r) << r.error().message;
  }
  // "+a *b(tag) -c", in the order of the UUIDs.
  std::string changes() const {
    std::map<Uuid, std::string> out;
    for (const ReplicaRow* row : table.changes()) {
      std::string s = row->inserted() ? "+" : row->deleted() ? "-" : "*";
      s += row->uuid() == row_a ? "a" : row->uuid() == row_b ? "b" : "c";
      for (std::size_t i = 0; i < table.declaration().columns.size(); i++)
        if (row->changed(i)) s += "(" + table.declaration().columns[i].name + ")";
      out[row->uuid()] = s;
    }
    std::string text;
    for (const auto& [uuid, s] : out) text += (text.empty() ? "" : " ") + s;
    return text;
  }
};

TEST_F(ReplicaTableTest, SaysWhatChanged) {
  insert(row_a, R"({"name":"p0"})");
  insert(row_b, R"({"name":"p1","tag":5})");
  EXPECT_EQ(changes(), "+a +b");
  table.forget_changes();
  EXPECT_EQ(changes(), "");

  ASSERT_TRUE(table.apply_diff(row_b, columns(R"({"tag":["set",[]],"trunks":["set",[1,2]]})")));
  table.apply_delete(row_a);
  insert(row_c, R"({"name":"p2"})");
  EXPECT_EQ(changes(), "-a *b(tag)(trunks) +c");
  EXPECT_EQ(table.find(row_a), nullptr);
  EXPECT_EQ(table.size(), 2U);
  // The deleted row's values are still there to be looked at.
  for (const ReplicaRow* row : table.changes())
    if (row->deleted()) {
      EXPECT_EQ(Port(*row).get<"name">(), "p0");
    }
}

TEST_F(ReplicaTableTest, DiffsOfSetsAndMaps) {
  insert(row_a, R"({"name":"p0","trunks":["set",[1,2,3]],"ids":["map",[["a","1"],["b","2"]]]})");
  ASSERT_TRUE(table.apply_diff(row_a, columns(R"({"trunks":["set",[2,7]],"ids":["map",[["a","9"],["b","2"],["c","3"]]]})")));
  Port p(*table.find(row_a));
  EXPECT_EQ(p.get<"trunks">(), (std::vector<std::int64_t>{1, 3, 7}));
  EXPECT_EQ(p.get<"ids">(), (std::map<std::string, std::string>{{"a", "9"}, {"c", "3"}}));
}

TEST_F(ReplicaTableTest, ARowThatComesAndGoesIsNoChange) {
  insert(row_a, R"({"name":"p0"})");
  table.apply_delete(row_a);
  EXPECT_EQ(changes(), "");
  table.apply_delete(row_a);
}

TEST_F(ReplicaTableTest, AChangeBackIsListedOnceAndHarmless) {
  insert(row_a, R"({"name":"p0"})");
  table.forget_changes();
  ASSERT_TRUE(table.apply_diff(row_a, columns(R"({"tag":5})")));
  ASSERT_TRUE(table.apply_diff(row_a, columns(R"({"tag":6})")));
  EXPECT_EQ(changes(), "*a(tag)");
  EXPECT_EQ(table.changes().size(), 1U);
}

TEST_F(ReplicaTableTest, AWholeContentIsAppliedAsADifference) {
  insert(row_a, R"({"name":"p0"})");
  insert(row_b, R"({"name":"p1","tag":5})");
  table.forget_changes();

  table.begin_content();
  insert(row_b, R"({"name":"p1","tag":6})");
  insert(row_c, R"({"name":"p2"})");
  table.end_content();
  EXPECT_EQ(changes(), "-a *b(tag) +c");

  table.forget_changes();
  table.begin_content();
  insert(row_b, R"({"name":"p1","tag":6})");
  insert(row_c, R"({"name":"p2"})");
  table.end_content();
  EXPECT_EQ(changes(), "");
}

TEST_F(ReplicaTableTest, BadValuesAreErrors) {
  EXPECT_FALSE(table.apply_insert(row_a, columns(R"({"name":5})")));
  insert(row_b, R"({"name":"p1"})");
  EXPECT_FALSE(table.apply_diff(row_b, columns(R"({"trunks":"x"})")));
  EXPECT_FALSE(table.apply_diff(row_c, columns(R"({"tag":5})")));
  // Columns that nobody declared do not matter.
  EXPECT_TRUE(table.apply_diff(row_b, columns(R"({"other":5})")));
}

TEST_F(ReplicaTableTest, AServerWithoutAColumnOrTable) {
  auto schema = ovsdb::DatabaseSchema::from_json(*parse_json(
      R"({"name":"db","version":"1.0.0","tables":{"Port":{"columns":{"name":{"type":"string"},
          "tag":{"type":"string"}}}}})"));
  ASSERT_TRUE(schema);
  table.adopt((*schema)->find("Port"));
  EXPECT_TRUE(table.on_server());
  EXPECT_TRUE(table.on_server(Port::slot<"name">()));
  EXPECT_FALSE(table.on_server(Port::slot<"tag">()));  // of another type
  EXPECT_FALSE(table.on_server(Port::slot<"trunks">()));
  table.adopt(nullptr);
  EXPECT_FALSE(table.on_server());
}

TEST_F(ReplicaTableTest, ManyRows) {
  for (int i = 0; i < 20000; i++) {
    Uuid uuid = Uuid::random();
    ASSERT_TRUE(table.apply_insert(uuid, columns(R"({"name":"p"})")));
    if (i % 3 == 0) table.apply_delete(uuid);
  }
  EXPECT_EQ(table.size(), 13333U);
  EXPECT_EQ(table.changes().size(), 13333U);
}

}  // namespace
}  // namespace ovs::dbclient
