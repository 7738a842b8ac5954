#include "dbclient/replica.h"

#include <gtest/gtest.h>

#include "dbclient/typed.h"
#include "unit/dbclient/scripted_server.h"

namespace ovs::dbclient {
namespace {

using Port = Row<"Port", Col<"name", std::string>, Col<"tag", std::optional<std::int64_t>>>;
using Gone = Row<"Gone", Col<"name", std::string>>;

constexpr std::string_view schema_text =
    R"({"name":"db","version":"1.0.0","tables":{"Port":{"columns":{"name":{"type":"string"},
        "tag":{"type":{"key":"integer","min":0,"max":1}},"more":{"type":"string"}}}}})";
constexpr std::string_view id_1 = "11111111-0000-4000-8000-000000000001";
constexpr std::string_view id_2 = "22222222-0000-4000-8000-000000000002";
constexpr std::string_view zero_id = "00000000-0000-0000-0000-000000000000";
const Uuid row_a = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");

std::string update2(std::string_view change) {
  return R"({"Port":{"aaaaaaaa-0000-4000-8000-000000000001":)" + std::string(change) + "}}";
}

class ReplicaTest : public testing::Test {
 protected:
  void SetUp() override {
    rpc::SessionOptions options;
    options.min_backoff = options.max_backoff = runtime::Duration{10};
    auto c = Client::create(loop, server.remote(), options);
    ASSERT_TRUE(c) << c.error().message;
    client = std::move(*c);
    replica = std::make_unique<Replica>(
        *client, "db", declarations<Port, Gone>(), [this] { steps++; }, Replica::Options{});
  }

  void run(const std::function<bool()>& done) {
    ASSERT_TRUE(loop.run_until(done, runtime::Duration{5000}));
  }
  // What the replica asks for after each connect; remembers the monitor's id.
  ScriptedServer::Request expect_monitor(std::string_view method) {
    auto request = server.expect(method);
    monitor_id = to_text(parse_json(request.params)->at(1));
    return request;
  }
  ScriptedServer::Request expect_start() {
    server.reply(server.expect("get_schema"), schema_text);
    return expect_monitor("monitor_cond_since");
  }
  // Connected, with one row.
  void start() {
    server.reply(expect_start(), "[false,\"" + std::string(id_1) + "\"," + update2(R"({"initial":{"name":"p0"}})") + "]");
    run([this] { return replica->ready(); });
    replica->forget_changes();
  }
  void update3(std::string_view id, std::string_view updates) {
    server.notify("update3", "[" + monitor_id + ",\"" + std::string(id) + "\"," + std::string(updates) + "]");
  }
  std::string name() const {
    const ReplicaRow* row = replica->table(0).find(row_a);
    return row ? Port(*row).get<"name">() : "(none)";
  }

  runtime::Loop loop;
  ScriptedServer server{loop};
  std::unique_ptr<Client> client;
  std::unique_ptr<Replica> replica;
  std::string monitor_id;
  int steps = 0;
};

TEST_F(ReplicaTest, MonitorsWhatIsDeclaredAndThere) {
  auto request = expect_start();
  auto params = *parse_json(request.params);
  EXPECT_EQ(params.at(0), "db");
  EXPECT_EQ(to_text(params.at(2)), R"({"Port":[{"columns":["name","tag"]}]})");
  EXPECT_EQ(as_string(params.at(3)), zero_id);
}

TEST_F(ReplicaTest, FollowsUpdates) {
  start();
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(name(), "p0");
  EXPECT_EQ(replica->last_transaction(), *Uuid::parse(id_1));

  update3(id_2, update2(R"({"modify":{"tag":7}})"));
  run([this] { return steps == 2; });
  EXPECT_EQ(Port(*replica->table(0).find(row_a)).get<"tag">(), 7);
  ASSERT_EQ(replica->table(0).changes().size(), 1U);
  EXPECT_TRUE(replica->table(0).changes()[0]->changed(1));
  EXPECT_EQ(replica->last_transaction(), *Uuid::parse(id_2));

  update3(id_1, update2(R"({"delete":null})"));
  run([this] { return steps == 3; });
  EXPECT_EQ(replica->table(0).size(), 0U);
  EXPECT_EQ(replica->seqno(), 3U);
}

TEST_F(ReplicaTest, AsksForWhatItMissed) {
  start();
  server.drop();
  run([this] { return !replica->current(); });
  EXPECT_TRUE(replica->ready());
  EXPECT_EQ(name(), "p0");

  auto request = expect_start();
  EXPECT_EQ(as_string(parse_json(request.params)->at(3)), id_1);
  server.reply(request, "[true,\"" + std::string(id_2) + "\"," + update2(R"({"modify":{"name":"p1"}})") + "]");
  run([this] { return replica->current(); });
  EXPECT_EQ(name(), "p1");
  EXPECT_EQ(steps, 2);
}

TEST_F(ReplicaTest, AWholeContentThatIsTheSameIsNoChange) {
  start();
  server.drop();
  server.reply(expect_start(), "[false,\"" + std::string(id_2) + "\"," + update2(R"({"initial":{"name":"p0"}})") + "]");
  run([this] { return replica->current(); });
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(replica->table(0).changes().size(), 0U);

  server.drop();
  server.reply(expect_start(), "[false,\"" + std::string(id_1) + "\",{}]");
  run([this] { return replica->current(); });
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(replica->table(0).size(), 0U);
  ASSERT_EQ(replica->table(0).changes().size(), 1U);
  EXPECT_TRUE(replica->table(0).changes()[0]->deleted());
}

TEST_F(ReplicaTest, FallsBackToOlderMethods) {
  server.reply(server.expect("get_schema"), schema_text);
  server.refuse(server.expect("monitor_cond_since"), R"("unknown method")");
  server.refuse(server.expect("monitor_cond"), R"({"error":"unknown method"})");
  auto request = expect_monitor("monitor");
  server.reply(request, update2(R"({"new":{"name":"p0","tag":["set",[]]}})"));
  run([this] { return replica->ready(); });
  EXPECT_EQ(name(), "p0");

  server.notify("update", "[" + monitor_id + "," + update2(R"({"old":{"tag":["set",[]]},"new":{"name":"p0","tag":5}})") + "]");
  run([this] { return steps == 2; });
  EXPECT_EQ(Port(*replica->table(0).find(row_a)).get<"tag">(), 5);
  server.notify("update", "[" + monitor_id + "," + update2(R"({"old":{"name":"p0","tag":5}})") + "]");
  run([this] { return steps == 3; });
  EXPECT_EQ(name(), "(none)");
}

TEST_F(ReplicaTest, ConditionsAreSentAndAcknowledged) {
  replica->set_condition("Port", array_of(json::array{"name", "==", "p0"}));
  auto request = expect_start();
  EXPECT_EQ(to_text(parse_json(request.params)->at(2)),
            R"({"Port":[{"columns":["name","tag"],"where":[["name","==","p0"]]}]})");
  server.reply(request, "[false,\"" + std::string(id_1) + "\"," + update2(R"({"initial":{"name":"p0"}})") + "]");
  run([this] { return replica->current(); });

  replica->set_condition("Port", array_of(json::array{"name", "==", "p1"}));
  auto change = server.expect("monitor_cond_change");
  EXPECT_EQ(change.params, "[" + monitor_id + "," + monitor_id + R"(,{"Port":[{"where":[["name","==","p1"]]}]}])");
  server.reply(change, "{}");
  update3(id_2, update2(R"({"delete":null})"));
  run([this] { return replica->table(0).size() == 0; });

  replica->set_condition("Port", {});
  change = server.expect("monitor_cond_change");
  EXPECT_NE(change.params.find(R"("where":[true])"), std::string::npos);
  // Lost before the answer: whether the server took it is not known, so everything is fetched.
  server.drop();
  request = expect_start();
  EXPECT_EQ(as_string(parse_json(request.params)->at(3)), zero_id);
}

TEST_F(ReplicaTest, NonsenseMakesItStartAgain) {
  start();
  update3(id_2, R"({"Port":{"bbbbbbbb-0000-4000-8000-000000000002":{"modify":{"tag":7}}}})");
  auto request = expect_start();
  EXPECT_EQ(as_string(parse_json(request.params)->at(3)), zero_id);
  EXPECT_EQ(server.connections(), 2U);
  server.reply(request, "[false,\"" + std::string(id_2) + "\",{}]");
  run([this] { return replica->current(); });
}

TEST_F(ReplicaTest, UpdatesOfOthersAreNotOurs) {
  start();
  server.notify("update3", R"(["somebody","11111111-0000-4000-8000-000000000001",{"Port":{}}])");
  server.notify("update2", R"([null,{}])");
  server.notify("unheard of", R"([])");
  update3(id_2, update2(R"({"modify":{"name":"p9"}})"));
  run([this] { return name() == "p9"; });
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(ReplicaTest, CommitLeavesOutWhatIsSoAlready) {
  start();
  Outcome outcome = Outcome::error;
  Transaction same("db");
  Port::set<"name">(same, row_a, std::string("p0"));
  replica->commit(std::move(same), [&](Transaction&, Outcome o) { outcome = o; });
  EXPECT_EQ(outcome, Outcome::unchanged);

  Transaction other("db");
  Port::set<"name">(other, row_a, std::string("p0"));
  Port::set<"tag">(other, row_a, std::optional<std::int64_t>(3));
  replica->commit(std::move(other), [&](Transaction&, Outcome o) { outcome = o; });
  auto request = server.expect("transact");
  EXPECT_EQ(to_text(parse_json(request.params)->at(1).at("row")), R"({"tag":3})");
}

TEST_F(ReplicaTest, ARefusalIsSaid) {
  server.refuse(server.expect("get_schema"), R"({"error":"unknown database","details":"no db"})");
  run([this] { return !replica->refusal().empty(); });
  EXPECT_EQ(replica->refusal(), "unknown database: no db");
  EXPECT_FALSE(replica->ready());
}

TEST_F(ReplicaTest, RowsThatCannotBeReadAreNotAskedForAgain) {
  server.reply(expect_start(), "[false,\"" + std::string(id_1) + "\"," + update2(R"({"initial":{"name":7}})") + "]");
  run([this] { return !replica->refusal().empty(); });
  EXPECT_TRUE(replica->refusal().starts_with("the server's rows cannot be read: ")) << replica->refusal();
  EXPECT_FALSE(replica->current());
  EXPECT_TRUE(client->is_connected());
}

TEST_F(ReplicaTest, MayEndBeforeAConditionIsAcknowledged) {
  start();
  replica->set_condition("Port", array_of(json::array{"name", "==", "p1"}));
  auto change = server.expect("monitor_cond_change");
  replica.reset();
  server.refuse(change, R"("no")");
  server.expect("monitor_cancel");
  std::optional<bool> answered;
  client->request("list_dbs", "[]", [&](rpc::Response&& r) { answered = r.ok; });
  server.reply(server.expect("list_dbs"), "[]");
  run([&] { return answered.has_value(); });
}

TEST_F(ReplicaTest, MayEndWhileARequestIsUnderWay) {
  auto request = expect_start();
  replica.reset();
  server.reply(request, "[false,\"" + std::string(id_1) + "\",{}]");
  std::optional<bool> answered;
  client->request("list_dbs", "[]", [&](rpc::Response&& r) { answered = r.ok; });
  server.reply(server.expect("list_dbs"), "[]");
  run([&] { return answered.has_value(); });
}

}  // namespace
}  // namespace ovs::dbclient
