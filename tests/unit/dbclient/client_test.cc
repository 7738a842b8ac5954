#include "dbclient/client.h"

#include <gtest/gtest.h>

#include "unit/dbclient/scripted_server.h"

namespace ovs::dbclient {
namespace {

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    rpc::SessionOptions options;
    options.min_backoff = options.max_backoff = runtime::Duration{10};
    auto c = Client::create(loop, server.remote(), options);
    ASSERT_TRUE(c) << c.error().message;
    client = std::move(*c);
    run([this] { return client->is_connected(); });
  }
  void run(const std::function<bool()>& done) {
    ASSERT_TRUE(loop.run_until(done, runtime::Duration{5000}));
  }

  runtime::Loop loop;
  ScriptedServer server{loop};
  std::unique_ptr<Client> client;
};

TEST_F(ClientTest, CommitTellsTheOutcome) {
  std::vector<Outcome> outcomes;
  auto commit = [&] {
    Transaction t("db");
    t.set("T", Uuid{}, "c", ovsdb::Datum(ovsdb::Atom("x")));
    client->commit(std::move(t), [&](Transaction&, Outcome o) { outcomes.push_back(o); });
  };
  client->commit(Transaction("db"), [&](Transaction&, Outcome o) { outcomes.push_back(o); });
  EXPECT_EQ(outcomes, std::vector{Outcome::unchanged});

  commit();
  server.reply(server.expect("transact"), R"([{"count":1}])");
  run([&] { return outcomes.size() == 2; });
  EXPECT_EQ(outcomes[1], Outcome::success);

  commit();
  server.refuse(server.expect("transact"), R"({"error":"unknown database","details":"no db"})");
  run([&] { return outcomes.size() == 3; });
  EXPECT_EQ(outcomes[2], Outcome::error);

  // The answer is lost: it may or may not have been carried out.
  commit();
  server.expect("transact");
  server.drop();
  run([&] { return outcomes.size() == 4; });
  EXPECT_EQ(outcomes[3], Outcome::try_again);
}

TEST_F(ClientTest, SelectGivesRows) {
  std::optional<Result<json::array>> rows;
  client->select("db", "T", R"([["a","==",1]])", {"a", "b"}, [&](Result<json::array> r) { rows = std::move(r); });
  auto request = server.expect("transact");
  EXPECT_EQ(request.params, R"(["db",{"op":"select","table":"T","where":[["a","==",1]],"columns":["a","b"]}])");
  server.reply(request, R"([{"rows":[{"a":1,"b":2}]}])");
  run([&] { return rows.has_value(); });
  ASSERT_TRUE(*rows);
  EXPECT_EQ((**rows)[0].at("b"), 2);

  rows.reset();
  client->select("db", "T", "[]", {"a"}, [&](Result<json::array> r) { rows = std::move(r); });
  server.reply(server.expect("transact"), R"([{"error":"unknown column","details":"no a"}])");
  run([&] { return rows.has_value(); });
  ASSERT_FALSE(*rows);
  EXPECT_EQ((*rows).error().message, "unknown column: no a");
}

TEST_F(ClientTest, TheLockComesAndGoes) {
  std::vector<bool> held;
  client->lock("mine", [&](bool h) { held.push_back(h); });
  server.reply(server.expect("lock"), R"({"locked":false})");
  server.notify("locked", R"(["other"])");
  server.notify("locked", R"(["mine"])");
  run([&] { return client->has_lock(); });
  server.notify("stolen", R"(["mine"])");
  run([&] { return !client->has_lock(); });
  EXPECT_EQ(held, (std::vector{true, false}));

  // Asked for again after a reconnect.
  server.drop();
  server.reply(server.expect("lock"), R"({"locked":true})");
  run([&] { return client->has_lock(); });
  server.drop();
  run([&] { return !client->has_lock(); });
  EXPECT_EQ(held, (std::vector{true, false, true, false}));
}

}  // namespace
}  // namespace ovs::dbclient
