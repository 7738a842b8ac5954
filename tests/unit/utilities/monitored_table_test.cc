#include "ovsdb_client/monitored_table.h"

#include <gtest/gtest.h>

namespace ovs::utilities::ovsdb_client {
namespace {

constexpr std::string_view schema_text =
    R"({"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"},"s":{"type":"string"},)"
    R"("tags":{"type":{"key":"string","min":1,"max":2}}}},"U":{"columns":{"x":{"type":"string"}}}}})";

class MonitoredTableTest : public testing::Test {
 protected:
  MonitoredTableTest() {
    auto v = parse_json(schema_text);
    schema_ = *ovsdb::DatabaseSchema::from_json(*v);
  }

  Result<MonitoredTable> read(std::vector<std::string> words, const json::array* conditions = nullptr) {
    return read_monitored_table(*schema_, *schema_->find("T"), words, conditions);
  }

  Result<std::string> text(std::vector<std::string> words, std::string_view updates, UpdateForm form,
                           bool with_other = false) {
    OVS_TRY(MonitoredTable table, read(std::move(words)));
    MonitoredTables tables;
    tables.emplace("T", std::move(table));
    if (with_other) {
      OVS_TRY(tables["U"], read_monitored_table(*schema_, *schema_->find("U"), {}, nullptr));
    }
    auto v = parse_json(updates);
    EXPECT_TRUE(v.has_value());
    TablePrinter printer{style_};
    return updates_text(tables, *v, form, printer, {});
  }

  std::shared_ptr<const ovsdb::DatabaseSchema> schema_;
  TableStyle style_{.format = TableFormat::csv};
};

TEST_F(MonitoredTableTest, NoWordsMeanAllColumnsAndTheVersion) {
  auto table = read({});
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(to_text(table->requests), R"([{"columns":["n","s","tags","_version"]}])");
}

TEST_F(MonitoredTableTest, EachWordIsARequest) {
  const json::array conditions{true};
  auto table = read({"n,!initial", "!delete,s,!modify"}, &conditions);
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(to_text(table->requests),
            R"([{"columns":["n"],"where":[true],"select":{"initial":false}},)"
            R"({"columns":["s"],"where":[true],"select":{"delete":false,"modify":false}}])");
  ASSERT_EQ(table->columns.size(), 2u);
  EXPECT_EQ(table->columns[1]->name, "s");
}

TEST_F(MonitoredTableTest, WrongWordsAreRefused) {
  EXPECT_NE(read({"nn"}).error().message.find("did you mean n?"), std::string::npos);
  EXPECT_NE(read({"n", "n"}).error().message.find("mentioned multiple times"), std::string::npos);
  EXPECT_NE(read({"n", "!initial"}).error().message.find("mentioned multiple times"), std::string::npos);
  EXPECT_NE(read({"!nothing"}).error().message.find("!initial, !insert"), std::string::npos);
}

TEST_F(MonitoredTableTest, UpdatesNameWhatHappened) {
  constexpr std::string_view updates =
      R"({"T":{"a":{"new":{"n":1}},"b":{"old":{"n":2}},"c":{"old":{"s":"x"},"new":{"n":3,"s":"y"}}}})";
  EXPECT_EQ(*text({"n,s"}, updates, UpdateForm::update),
            "row,action,n,s\na,insert,1,\nb,delete,2,\nc,old,,x\n,new,3,y\n");
  EXPECT_TRUE(text({"n,s"}, updates, UpdateForm::initial)->starts_with("row,action,n,s\na,initial,1,\n"));
}

TEST_F(MonitoredTableTest, Updates2MayHoldMoreOrLessThanAColumnMay) {
  EXPECT_EQ(*text({"tags"}, R"({"T":{"a":{"modify":{"tags":["set",["x","y","z"]]}},"b":{"delete":null},)"
                            R"("c":{"insert":{"tags":["set",[]]}},"d":{"initial":{}}}})",
                  UpdateForm::update2),
            "row,action,tags\na,modify,\"[x, y, z]\"\nb,delete,\nc,insert,[]\nd,initial,\n");
}

TEST_F(MonitoredTableTest, SeveralTablesHaveCaptions) {
  EXPECT_EQ(*text({"n"}, R"({"U":{"a":{"new":{"x":"u"}}},"T":{"b":{"new":{"n":1}}}})", UpdateForm::initial, true),
            "T\nrow,action,n\nb,initial,1\n\nU\nrow,action,x,_version\na,initial,u,\n");
  EXPECT_EQ(*text({"n"}, R"({"T":{}})", UpdateForm::initial, true), "");
}

TEST_F(MonitoredTableTest, WhatIsNoUpdateIsAnError) {
  for (std::string_view updates :
       {"[]", R"({"T":1})", R"({"T":{"a":1}})", R"({"T":{"a":{}}})", R"({"T":{"a":{"new":1}}})",
        R"({"T":{"a":{"new":{"n":"x"}}}})"}) {
    EXPECT_FALSE(text({"n"}, updates, UpdateForm::update).has_value()) << updates;
  }
  for (std::string_view updates : {R"({"T":{"a":{"new":{}}}})", R"({"T":{"a":{"modify":[]}}})",
                                   R"({"T":{"a":{"modify":{"n":1.5}}}})"}) {
    EXPECT_FALSE(text({"n"}, updates, UpdateForm::update2).has_value()) << updates;
  }
}

}  // namespace
}  // namespace ovs::utilities::ovsdb_client
