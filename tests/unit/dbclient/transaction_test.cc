#include "dbclient/transaction.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace ovs::dbclient {
namespace {

using ovsdb::Atom;
using ovsdb::AtomType;
using ovsdb::Datum;

const Uuid row_a = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");
const Uuid row_b = *Uuid::parse("bbbbbbbb-0000-4000-8000-000000000002");
const Uuid row_c = *Uuid::parse("cccccccc-0000-4000-8000-000000000003");

Datum uuids(std::initializer_list<Uuid> list) {
  std::vector<Atom> atoms;
  for (const Uuid& u : list) atoms.emplace_back(u);
  return Datum::set_of(AtomType::uuid, std::move(atoms));
}

Datum strings(std::initializer_list<std::pair<const char*, const char*>> list) {
  std::vector<std::pair<Atom, Atom>> pairs;
  for (const auto& [k, v] : list) pairs.emplace_back(Atom(k), Atom(v));
  return Datum::map_of(AtomType::string, AtomType::string, std::move(pairs));
}

json::array operations(Transaction& t) {
  std::string text = t.request();
  auto v = parse_json(text);
  EXPECT_TRUE(v) << text;
  json::array a = v->get_array();
  EXPECT_EQ(a[0], "db");
  a.erase(a.begin());
  return a;
}

json::value parsed(std::string_view text) { return *parse_json(text); }

TEST(Transaction, NothingToDoIsNotSent) {
  Transaction t("db");
  t.comment("only a comment");
  t.verify("T", row_a, "c", Datum(Atom("x")));
  EXPECT_TRUE(t.empty());
  EXPECT_EQ(t.request(), "");
}

TEST(Transaction, ChangesOfOneRowAreOneOperation) {
  Transaction t("db");
  t.set("T", row_a, "x", Datum(Atom(std::int64_t{1})));
  t.set("T", row_a, "y", Datum(Atom("two")));
  t.set("T", row_a, "x", Datum(Atom(std::int64_t{3})));
  auto ops = operations(t);
  ASSERT_EQ(ops.size(), 1U);
  EXPECT_EQ(ops[0], parsed(R"({"op":"update","table":"T",
      "where":[["_uuid","==",["uuid","aaaaaaaa-0000-4000-8000-000000000001"]]],
      "row":{"x":3,"y":"two"}})"));
}

TEST(Transaction, OneElementIsAMutationHoweverLargeTheSetIs) {
  Transaction t("db");
  t.insert_elements("Bridge", row_a, "ports", uuids({row_b}));
  auto ops = operations(t);
  ASSERT_EQ(ops.size(), 1U);
  EXPECT_EQ(ops[0].at("mutations"),
            parsed(R"([["ports","insert",["uuid","bbbbbbbb-0000-4000-8000-000000000002"]]])"));
}

TEST(Transaction, LaterMutationsJoinEarlierOnes) {
  Transaction t("db");
  t.insert_elements("Bridge", row_a, "ports", uuids({row_b, row_c}));
  t.erase_elements("Bridge", row_a, "ports", uuids({row_b}));
  const ColumnChange& c = t.find("Bridge", row_a)->columns.at("ports");
  EXPECT_EQ(c.applied_to(uuids({})), uuids({row_c}));
  EXPECT_EQ(c.applied_to(uuids({row_b})), uuids({row_c}));
  t.insert_elements("Bridge", row_a, "ports", uuids({row_b}));
  EXPECT_EQ(t.find("Bridge", row_a)->columns.at("ports").applied_to(uuids({row_a})),
            uuids({row_a, row_b, row_c}));
  // After the whole column was set, elements change that value.
  t.set("Bridge", row_a, "ports", uuids({row_a}));
  t.insert_elements("Bridge", row_a, "ports", uuids({row_c}));
  t.erase_elements("Bridge", row_a, "ports", uuids({row_a}));
  EXPECT_EQ(*t.find("Bridge", row_a)->columns.at("ports").value, uuids({row_c}));
}

TEST(Transaction, AMapsPairReplacesTheOneThatIsThere) {
  Transaction t("db");
  t.insert_elements("T", row_a, "ids", strings({{"k", "new"}}));
  EXPECT_EQ(t.find("T", row_a)->columns.at("ids").applied_to(strings({{"k", "old"}, {"l", "1"}})),
            strings({{"k", "new"}, {"l", "1"}}));
  EXPECT_EQ(operations(t)[0].at("mutations"),
            parsed(R"([["ids","delete","k"],["ids","insert",["map",[["k","new"]]]]])"));
}

TEST(Transaction, NewRowsReferToEachOtherByName) {
  Transaction t("db");
  Uuid interface = t.insert("Interface");
  Uuid port = t.insert("Port");
  t.set("Port", port, "interfaces", uuids({interface}));
  t.insert_elements("Bridge", row_a, "ports", uuids({port}));
  auto ops = operations(t);
  ASSERT_EQ(ops.size(), 3U);
  std::string interface_name, port_name;
  for (const json::value& op : ops) {
    if (op.at("table") == "Interface") interface_name = op.at("uuid-name").get_string().c_str();
    if (op.at("table") == "Port") port_name = op.at("uuid-name").get_string().c_str();
  }
  EXPECT_NE(interface_name, port_name);
  for (const json::value& op : ops) {
    if (op.at("table") == "Port") {
      EXPECT_EQ(op.at("row").at("interfaces"), (json::array{"named-uuid", json::value(interface_name)}));
    }
    if (op.at("table") == "Bridge") {
      EXPECT_EQ(op.at("mutations").at(0).at(2), (json::array{"named-uuid", json::value(port_name)}));
    }
  }
}

TEST(Transaction, AChosenUuidIsSentAndNotNamed) {
  Transaction t("db");
  EXPECT_EQ(t.insert("QoS", row_b), row_b);
  t.set("Port", row_a, "qos", uuids({row_b}));
  auto ops = operations(t);
  ASSERT_EQ(ops.size(), 2U);
  EXPECT_EQ(ops[0].at("row").at("qos"), parsed(R"(["uuid","bbbbbbbb-0000-4000-8000-000000000002"])"));
  EXPECT_EQ(ops[1].at("uuid"), "bbbbbbbb-0000-4000-8000-000000000002");
  EXPECT_FALSE(ops[1].get_object().contains("uuid-name"));
}

TEST(Transaction, ARowThatIsInsertedAndErasedNeverWas) {
  Transaction t("db");
  t.erase("T", t.insert("T"));
  EXPECT_TRUE(t.empty());
  t.set("T", row_a, "x", Datum(Atom("y")));
  t.erase("T", row_a);
  t.set("T", row_a, "x", Datum(Atom("z")));
  auto ops = operations(t);
  ASSERT_EQ(ops.size(), 1U);
  EXPECT_EQ(ops[0].at("op"), "delete");
}

TEST(Transaction, NoopsAreDropped) {
  Transaction t("db");
  Datum base = strings({{"k", "v"}});
  t.set("T", row_a, "ids", strings({{"k", "v"}}));
  t.insert_elements("T", row_b, "ids", strings({{"k", "v"}}));
  t.erase_elements("T", row_c, "ids", Datum(Atom("other")));
  t.set("T", row_c, "unknown", Datum(Atom("x")));
  t.drop_noops([&](std::string_view, const Uuid&, std::string_view column) {
    return column == "ids" ? &base : nullptr;
  });
  EXPECT_EQ(t.rows("T").size(), 1U);
  EXPECT_EQ(t.find("T", row_c)->columns.size(), 1U);
}

TEST(Transaction, ChecksComeFirstAndTheCommentLast) {
  Transaction t("db");
  t.need_lock("mine");
  t.verify("T", row_a, "name", Datum(Atom("br0")));
  t.verify("T", row_a, "name", Datum(Atom("br0")));
  t.set("T", row_a, "x", Datum(Atom("y")));
  t.increment("Root", row_b, "next_cfg");
  t.comment("one");
  t.comment("two");
  auto ops = operations(t);
  ASSERT_EQ(ops.size(), 6U);
  EXPECT_EQ(ops[0], parsed(R"({"op":"assert","lock":"mine"})"));
  EXPECT_EQ(ops[1].at("op"), "wait");
  EXPECT_EQ(ops[1].at("timeout"), 0);
  EXPECT_EQ(ops[1].at("rows"), parsed(R"([{"name":"br0"}])"));
  EXPECT_EQ(ops[2].at("op"), "update");
  EXPECT_EQ(ops[3].at("op"), "mutate");
  EXPECT_EQ(ops[4].at("op"), "select");
  EXPECT_EQ(ops[5].at("comment"), "one\ntwo");

  EXPECT_EQ(t.finish(true, parsed(R"([{},{},{"count":1},{"count":1},{"rows":[{"next_cfg":7}]},{}])")),
            Outcome::success);
  EXPECT_EQ(t.incremented(), 7);
}

TEST(Transaction, ReadsTheNewRowsUuids) {
  Transaction t("db");
  Uuid placeholder = t.insert("T");
  operations(t);
  EXPECT_EQ(t.uuid_of(placeholder), placeholder);
  EXPECT_EQ(t.finish(true, parsed(R"([{"uuid":["uuid","bbbbbbbb-0000-4000-8000-000000000002"]}])")),
            Outcome::success);
  EXPECT_EQ(t.uuid_of(placeholder), row_b);
}

struct Failure {
  bool ok;
  const char* reply;
  Outcome outcome;
  const char* error;
};

TEST(Transaction, UnderstandsFailures) {
  const Failure failures[] = {
      {true, R"([{"error":"timed out"},null])", Outcome::try_again, "a value that was relied on has changed"},
      {true, R"([{"error":"not owner"},null])", Outcome::not_locked, "the lock belongs to somebody else"},
      {true, R"([{"uuid":["uuid","bbbbbbbb-0000-4000-8000-000000000002"]},{"error":"constraint violation","details":"no"}])",
       Outcome::error, R"({"details":"no","error":"constraint violation"})"},
      {true, R"([{"uuid":5}])", Outcome::error, "an \"insert\" was answered without a UUID"},
      {true, R"([])", Outcome::error, "the reply to \"transact\" has too few results"},
      {true, R"({})", Outcome::error, "the reply to \"transact\" is no array"},
      {false, R"({"error":"unknown database"})", Outcome::error, R"({"error":"unknown database"})"},
  };
  for (const Failure& f : failures) {
    Transaction t("db");
    t.insert("T");
    operations(t);
    EXPECT_EQ(t.finish(f.ok, parsed(f.reply)), f.outcome) << f.reply;
    EXPECT_EQ(t.error(), f.error);
  }
}

}  // namespace
}  // namespace ovs::dbclient
