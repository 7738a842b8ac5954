#include "vsctl/view.h"

#include <gtest/gtest.h>

#include "unit/utilities/vsctl_source.h"
#include "vsctl/schema.h"

namespace ovs::vsctl {
namespace {

constexpr std::string_view content = R"({
  "Open_vSwitch": [{"_uuid": ["uuid", "00000000-0000-4000-8000-000000000000"]}],
  "Bridge": [
    {"_uuid": ["uuid", "aaaaaaaa-0000-4000-8000-000000000001"], "name": "br0", "datapath_type": "",
     "ports": ["set", [["uuid", "bbbbbbbb-0000-4000-8000-000000000001"],
                       ["uuid", "bbbbbbbb-0000-4000-8000-000000000002"]]]}],
  "Port": [
    {"_uuid": ["uuid", "bbbbbbbb-0000-4000-8000-000000000001"], "name": "br0", "tag": ["set", []],
     "fake_bridge": false},
    {"_uuid": ["uuid", "bbbbbbbb-0000-4000-8000-000000000002"], "name": "p1", "tag": 5,
     "fake_bridge": false}]
})";
const Uuid port_1 = *Uuid::parse("bbbbbbbb-0000-4000-8000-000000000002");

class ViewTest : public testing::Test {
 protected:
  std::vector<std::string> names(const Query& query) {
    std::vector<std::string> out;
    for (Row* row : view.find(query)) out.push_back(view.text(row, "name"));
    return out;
  }
  using Names = std::vector<std::string>;

  MemorySource source{content};
  View view{source, known_schema()};
};

TEST_F(ViewTest, FetchesWhatIsAskedOnce) {
  Row* bridge = view.find_one(Query::equal("Bridge", "name", Atom("br0")));
  ASSERT_TRUE(bridge);
  EXPECT_EQ(source.asked, std::vector<std::string>{
      R"({"op":"select","table":"Bridge","where":[["name","==","br0"]],"columns":["_uuid","name"]})"});
  view.find_one(Query::equal("Bridge", "name", Atom("br0")));
  EXPECT_EQ(view.text(bridge, "name"), "br0");
  EXPECT_EQ(source.requests, 1);
  // Another column is fetched when it is wanted.
  EXPECT_EQ(view.text(bridge, "datapath_type"), "");
  EXPECT_EQ(source.requests, 2);
}

TEST_F(ViewTest, SeveralQuestionsAreOneRequest) {
  std::vector<Query> questions{Query::equal("Bridge", "name", Atom("br0")), Query::all("Open_vSwitch"),
                               Query::equal("Port", "name", Atom("p1")), Query::equal("Port", "name", Atom("p1"), {"tag"})};
  view.prefetch(questions);
  EXPECT_EQ(source.requests, 1);
  EXPECT_EQ(source.asked.size(), 3U);
  for (const Query& q : questions) EXPECT_EQ(view.find(q).size(), 1U);
  EXPECT_EQ(source.requests, 1);
}

TEST_F(ViewTest, ManyNarrowQuestionsBecomeOneWideOne) {
  std::vector<Query> questions;
  for (int i = 0; i < 20; i++) questions.push_back(Query::equal("Port", "name", Atom("p" + std::to_string(i))));
  view.prefetch(questions);
  EXPECT_EQ(source.asked.size(), 1U);
  EXPECT_EQ(names(questions[1]), Names{"p1"});
  EXPECT_EQ(names(questions[7]), Names{});
  EXPECT_EQ(source.requests, 1);
}

TEST_F(ViewTest, NewRowsAreFound) {
  Row* port = view.insert("Port");
  view.set(port, "name", Datum(Atom("new")));
  EXPECT_EQ(names(Query::equal("Port", "name", Atom("new"))), Names{"new"});
  EXPECT_EQ(names(Query::all("Port", {"name"})), (Names{"br0", "p1", "new"}));
  EXPECT_TRUE(view.get(port, "tag").empty());
  view.erase(port);
  EXPECT_EQ(names(Query::equal("Port", "name", Atom("new"))), Names{});
  EXPECT_FALSE(view.changes_anything());
}

TEST_F(ViewTest, ChangedSetsAreFoundByTheirElements) {
  Row* bridge = view.find_one(Query::equal("Bridge", "name", Atom("br0")));
  Query with_p1 = Query::includes("Bridge", "ports", port_1, {"name"});
  EXPECT_EQ(names(with_p1), Names{"br0"});
  Row* port = view.insert("Port");
  view.insert_elements(bridge, "ports", Datum(Atom(port->uuid())));
  EXPECT_EQ(names(Query::includes("Bridge", "ports", port->uuid(), {"name"})), Names{"br0"});
  view.erase_elements(bridge, "ports", Datum(Atom(port_1)));
  EXPECT_EQ(names(with_p1), Names{});
  // All of this without the bridge's ports.
  for (const std::string& text : source.asked) EXPECT_EQ(text.find(R"("columns":["_uuid","name","ports")"), std::string::npos);
  EXPECT_EQ(view.get(bridge, "ports").size(), 2U);
}

TEST_F(ViewTest, DeletedRowsAreGone) {
  Row* port = view.find_one(Query::equal("Port", "name", Atom("p1")));
  view.erase(port);
  EXPECT_EQ(names(Query::all("Port", {"name"})), Names{"br0"});
  EXPECT_EQ(view.by_uuid("Port", port_1), nullptr);
}

TEST_F(ViewTest, WhatIsSoAlreadyIsNoChange) {
  Row* port = view.find_one(Query::equal("Port", "name", Atom("p1"), {"tag"}));
  view.set(port, "tag", Datum(Atom(std::int64_t{5})));
  EXPECT_FALSE(view.changes_anything());
  view.set(port, "tag", Datum(Atom(std::int64_t{6})));
  EXPECT_TRUE(view.changes_anything());
}

TEST_F(ViewTest, KeepsTheServersError) {
  EXPECT_EQ(view.find(Query::all("Interface", {"name"})).size(), 0U);
  ASSERT_TRUE(view.failed());
  EXPECT_EQ(view.error().message, "unknown table: no such table");
  EXPECT_EQ(view.find(Query::all("Bridge")).size(), 0U);
}

}  // namespace
}  // namespace ovs::vsctl
