// The server as a whole: the log behind the transactions, faults of the disk, conversion, databases
// that come and go.
#include "unit/dbserver/dialogue.h"

#include <thread>

#include "dbserver/lock_table.h"
#include "dbserver/log_loader.h"

namespace ovs::dbserver {
namespace {

using Call = testing::MemoryFileSystem::Call;

class ServerTest : public DialogueTest {
 protected:
  void SetUp() override { start(); }
  void restart() {
    stop();
    start();
  }
  // All of table P's column a, as a restarted server has it.
  void expect_stored(std::string_view rows) {
    dialogue("s> [\"transact\", [\"T\", {\"op\":\"select\",\"table\":\"P\",\"where\":[],\"columns\":[\"a\"]}]]");
    dialogue("s< {\"result\":[{\"rows\":" + std::string(rows) + "}]}");
  }
  void insert(int a, std::string_view result = R"([{"uuid":["uuid","<0>"]}])", bool durable = false) {
    uuid_names.clear();
    uuids.clear();
    dialogue("a> [\"transact\", [\"T\", {\"op\":\"insert\",\"table\":\"P\",\"row\":{\"a\":" + std::to_string(a) + "}}" +
             (durable ? ",{\"op\":\"commit\",\"durable\":true}" : "") + "]]");
    if (!result.empty()) dialogue("a< {\"result\":" + std::string(result) + "}");
  }
};

TEST_F(ServerTest, WhatWasCommittedIsThereAfterARestart) {
  dialogue(R"(
    a> ["transact", ["T", {"op":"insert","table":"R","row":{"name":"x","s":["set",["a","b"]],"m":["map",[["k","v"]]],"kids":["named-uuid","k"],"eph":3}},{"op":"insert","table":"K","uuid-name":"k","row":{"n":7}},{"op":"comment","comment":"first"}]]
    a< {"result":[{"uuid":["uuid","<0>"]},{"uuid":["uuid","<1>"]},{}]}
    a> ["transact", ["T", {"op":"mutate","table":"R","where":[],"mutations":[["s","insert",["set",["c"]]],["s","delete","a"],["m","insert",["map",[["l","w"]]]],["i","+=",1]]}]]
    a< {"result":[{"count":1}]}
  )");
  EXPECT_NE(fs.content("/t.db").find("\"_comment\":\"first\""), std::string::npos);
  EXPECT_NE(fs.content("/t.db").find("\"s\":[\"set\",[\"a\",\"c\"]]"), std::string::npos) << "the change, not the column";
  restart();
  dialogue(R"(
    a> ["transact", ["T", {"op":"select","table":"R","where":[],"columns":["_uuid","name","s","m","i","kids","eph"]},{"op":"select","table":"K","where":[],"columns":["n"]}]]
    a< {"result":[{"rows":[{"_uuid":["uuid","<0>"],"name":"x","s":["set",["b","c"]],"m":["map",[["k","v"],["l","w"]]],"i":1,"kids":["uuid","<1>"],"eph":0}]},{"rows":[{"n":7}]}]}
    a> ["transact", ["T", {"op":"update","table":"R","where":[],"row":{"kids":["set",[]]}}]]
    a< {"result":[{"count":1}]}
    a> ["transact", ["T", {"op":"select","table":"K","where":[]}]]
    a< {"result":[{"rows":[]}]}
  )");
}

TEST_F(ServerTest, AFailedWriteChangesNothing) {
  insert(1);
  for (std::size_t stored : {0, 1, 20, 100}) {
    const std::string before = fs.content("/t.db");
    fs.fail(Call::write, 1, ENOSPC, stored);
    fs.fail_from(Call::write, 1, ENOSPC, stored);
    insert(2, R"([{"uuid":["uuid","<0>"]},{"error":"resources exhausted"}])");
    fs.heal();
    EXPECT_EQ(fs.content("/t.db"), before);
    fs.fail_from(Call::write, 1, EIO, stored);
    insert(2, R"([{"uuid":["uuid","<0>"]},{"error":"I/O error"}])");
    fs.heal();
    EXPECT_EQ(fs.content("/t.db"), before);
  }
  expect_stored(R"([{"a":1}])");
  insert(3);
  restart();
  expect_stored(R"([{"a":1},{"a":3}])");
}

// Several transactions of one round: those that fit are stored, the others are refused, and what
// the reading ones answer agrees.
TEST_F(ServerTest, AFullDiskInTheMiddleOfARound) {
  fs.set_capacity(fs.content("/t.db").size() + 300);
  std::string requests;
  for (int i = 0; i < 6; i++) {
    requests += R"({"method":"transact","params":["T",{"op":"insert","table":"P","row":{"a":)" + std::to_string(i) +
                R"(}}],"id":1}{"method":"transact","params":["T",{"op":"select","table":"P","where":[],"columns":["a"]}],"id":2})";
  }
  Peer& a = peer("a");
  a.wire->arrive(requests);
  settle();
  take(a);
  ASSERT_EQ(a.messages.size(), 12u);
  std::size_t good = 0;
  for (std::size_t i = 0; i < 12; i += 2) {
    const json::array& result = a.messages[i].at("result").get_array();
    if (result.size() == 1) good++;
    else {
      EXPECT_EQ(result[1].at("error"), "resources exhausted");
    }
    EXPECT_EQ(a.messages[i + 1].at("result").at(0).at("rows").get_array().size(), good);
  }
  EXPECT_GT(good, 0u);
  EXPECT_LT(good, 6u);
  fs.set_capacity({});
  restart();
  dialogue(R"(s> ["transact", ["T", {"op":"select","table":"P","where":[],"columns":["a"]}]])");
  take(peer("s"));
  EXPECT_EQ(peer("s").messages[0].at("result").at(0).at("rows").get_array().size(), good);
}

TEST_F(ServerTest, AfterAFailedTruncationTheNextWriteCutsFirst) {
  insert(1);
  fs.fail(Call::truncate, 1, EIO);
  fs.fail_from(Call::write, 1, EIO, 50);
  insert(2, R"([{"uuid":["uuid","<0>"]},{"error":"I/O error"}])");
  fs.heal();
  insert(3);
  restart();
  expect_stored(R"([{"a":1},{"a":3}])");
}

TEST_F(ServerTest, DurableIsAnsweredAfterTheSync) {
  insert(1, R"([{"uuid":["uuid","<0>"]},{}])", true);
  EXPECT_EQ(fs.synced_content("/t.db"), fs.content("/t.db"));
  insert(2);
  EXPECT_NE(fs.synced_content("/t.db"), fs.content("/t.db"));
  stop();
  fs.crash();
  start();
  expect_stored(R"([{"a":1}])");
}

TEST_F(ServerTest, AFailedSyncIsAnErrorAndTheFileIsWrittenAnew) {
  insert(1);
  fs.fail(Call::sync, 1, EIO);
  insert(2, R"([{"uuid":["uuid","<0>"]},{},{"error":"I/O error"}])", true);
  Hosted* hosted = server->find_database("T");
  loop.run_until([&] { return !hosted->storage->compacting(); }, std::chrono::seconds(5));
  EXPECT_EQ(fs.synced_content("/t.db"), fs.content("/t.db"));
  insert(3, R"([{"uuid":["uuid","<0>"]},{}])", true);
  stop();
  fs.crash();
  start();
  expect_stored(R"([{"a":1},{"a":2},{"a":3}])");
}

// The answer of the failed sync comes while other transactions of the same round wait for the log.
TEST_F(ServerTest, AFailedSyncBesideOtherTransactions) {
  fs.fail(Call::sync, 1, EIO);
  insert(1, "", true);
  bool more = true;
  int a = 100;
  // One insert in each round of the loop, until the sync is answered.
  std::function<void()> busy = [&] {
    peer("b").wire->arrive(R"({"method":"transact","params":["T",{"op":"insert","table":"P","row":{"a":)" + std::to_string(a++) + R"(}}],"id":0})");
    if (more) loop.post(busy);
  };
  loop.post(busy);
  loop.run_until([&] { return has_message(peer("a")); }, std::chrono::seconds(5));
  more = false;
  dialogue(R"(a< {"result":[{"uuid":["uuid","<0>"]},{},{"error":"I/O error"}]})");
  Hosted* hosted = server->find_database("T");
  loop.run_until([&] { return !hosted->storage->compacting(); }, std::chrono::seconds(5));
  settle();
  insert(2, R"([{"uuid":["uuid","<0>"]},{}])", true);
  stop();
  fs.crash();
  start();
  Database& database = *server->find_database("T")->database;
  EXPECT_EQ(database.find_table("P")->size(), static_cast<std::size_t>(a - 100 + 2));
}

// Power goes after every byte of an append in turn.
TEST_F(ServerTest, ATornRecordIsCutOff) {
  insert(1, R"([{"uuid":["uuid","<0>"]},{}])", true);
  const std::string before = fs.content("/t.db");
  insert(2);
  const std::string after = fs.content("/t.db");
  for (std::size_t size = before.size(); size <= after.size(); size++) {
    stop();
    fs.set_content("/t.db", after.substr(0, size));
    start();
    expect_stored(size == after.size() ? R"([{"a":1},{"a":2}])" : R"([{"a":1}])");
    insert(3);
    restart();
    expect_stored(size == after.size() ? R"([{"a":1},{"a":2},{"a":3}])" : R"([{"a":1},{"a":3}])");
  }
}

TEST_F(ServerTest, CompactionKeepsEverything) {
  for (int i = 0; i < 50; i++) insert(i % 3 == 0 ? 1000 + i : 1000 + i, "");
  dialogue(R"(d> ["transact", ["T", {"op":"delete","table":"P","where":[["a","<",1048]]}]])");
  take(peer("d"));
  const std::size_t before = fs.content("/t.db").size();
  bool done = false;
  Result<void> outcome;
  ASSERT_TRUE(server->compact("T", [&](const Result<void>& result) {
    outcome = result;
    done = true;
  }));
  loop.run_until([&] { return done; }, std::chrono::seconds(5));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_LT(fs.content("/t.db").size(), before / 2);
  EXPECT_EQ(fs.synced_content("/t.db"), fs.content("/t.db"));
  EXPECT_EQ(fs.paths().size(), 1u);
  EXPECT_FALSE(server->compact("nope", nullptr));
  dialogue(R"(d> ["transact", ["T", {"op":"insert","table":"P","row":{"a":1}}]])");
  take(peer("d"));
  restart();
  expect_stored(R"([{"a":1048},{"a":1049},{"a":1}])");
}

// Every write, sync, open and rename of a compaction fails in turn: the old file stays whole.
TEST_F(ServerTest, AFailedCompactionLeavesTheOldFile) {
  insert(1);
  for (Call call : {Call::open, Call::write, Call::sync, Call::rename}) {
    const std::string before = fs.content("/t.db");
    fs.fail(call, 1, EIO, 10);
    bool done = false, ok = true;
    ASSERT_TRUE(server->compact("T", [&](const Result<void>& result) {
      ok = result.has_value();
      done = true;
    }));
    loop.run_until([&] { return done; }, std::chrono::seconds(5));
    EXPECT_TRUE(done);
    EXPECT_FALSE(ok);
    fs.heal();
    EXPECT_EQ(fs.content("/t.db"), before);
    EXPECT_EQ(fs.paths().size(), 1u) << "the unfinished file is removed";
  }
  insert(2);
  restart();
  expect_stored(R"([{"a":1},{"a":2}])");
}

// Whoever takes the database away, or gives it another schema, ends a compaction under way; the loop
// hears of neither its file nor its end before.
TEST_F(ServerTest, ACompactionThatIsGivenUpLeavesNoFile) {
  const auto begin_compaction = [&](std::string* outcome) {
    const std::uint64_t synced = fs.count(Call::sync);
    auto begun = server->compact("T", [outcome](const Result<void>& result) {
      *outcome = result ? "done" : result.error().message;
    });
    ASSERT_TRUE(begun) << begun.error().message;
    while (fs.count(Call::sync) == synced) std::this_thread::yield();
  };
  insert(1);
  std::string outcome;
  begin_compaction(&outcome);
  EXPECT_EQ(fs.paths().size(), 2U);
  // Somebody who may not have the database leaves the file alone.
  Server other(loop, fs);
  EXPECT_FALSE(other.add_database("/t.db"));
  EXPECT_EQ(fs.paths().size(), 2U);
  peer("x").wire->arrive(
      R"({"id":1,"method":"convert","params":["T",{"name":"T","version":"2.0.0","tables":{"P":{"columns":{"a":{"type":"integer"}}}}}]})");
  EXPECT_EQ(outcome, "given up for another change of the file");
  loop.run_until([&] { return fs.paths().size() == 1; }, std::chrono::seconds(5));
  EXPECT_EQ(fs.paths(), std::vector<std::string>{"/t.db"});
  settle();

  outcome.clear();
  begin_compaction(&outcome);
  EXPECT_EQ(fs.paths().size(), 2U);
  ASSERT_TRUE(server->remove_database("T"));
  EXPECT_EQ(fs.paths(), std::vector<std::string>{"/t.db"});
  EXPECT_EQ(outcome, "");
  ASSERT_TRUE(server->add_database("/t.db"));
  settle();
  expect_stored(R"([{"a":1}])");
}

TEST_F(ServerTest, ConvertChangesTheSchema) {
  insert(7);
  dialogue(R"(
    x> ["set_db_change_aware", [true]]
    x< {"result":{}}
    x> ["monitor", ["T", "m", {"P":[{"columns":["a"]}]}]]
    x< {"result":{"P":{"<0>":{"new":{"a":7}}}}}
    x> ["convert", ["T", {"name":"U","version":"2.0.0","tables":{}}]]
    x< {"error":{"error":"invalid parameters"}}
    x> ["convert", ["T", {"name":"T","version":"2.0.0","tables":{"P":{"columns":{"a":{"type":{"key":{"type":"integer","maxInteger":6}}}}}}}]]
    x< {"error":{"error":"constraint violation"}}
    x> ["convert", ["T", {"name":"T","version":"2.0.0","tables":{"P":{"columns":{"a":{"type":{"key":"integer","min":0,"max":3}},"new":{"type":"string"}}}}}]]
    x< {"method":"monitor_canceled","params":["m"],"id":null}
    x< {"result":{},"error":null}
    a<closed
    x> ["transact", ["T", {"op":"select","table":"P","where":[],"columns":["a","new"]}]]
    x< {"result":[{"rows":[{"a":7,"new":""}]}]}
    x> ["transact", ["T", {"op":"mutate","table":"P","where":[],"mutations":[["a","insert",8]]}]]
    x< {"result":[{"count":1}]}
    x> ["transact", ["_Server", {"op":"select","table":"Database","where":[["name","==","T"]],"columns":["name"]}]]
    x< {"result":[{"rows":[{"name":"T"}]}]}
  )");
  restart();
  dialogue(R"(
    x> ["transact", ["T", {"op":"select","table":"P","where":[],"columns":["a"]}]]
    x< {"result":[{"rows":[{"a":["set",[7,8]]}]}]}
  )");
}

TEST_F(ServerTest, DatabasesComeAndGo) {
  fs.set_content("/u.db", ovsdb::log_record(R"({"name":"U","version":"1.0.0","tables":{"X":{"columns":{"n":{"type":"integer"}}}}})"));
  dialogue(R"(
    x> ["set_db_change_aware", [true]]
    x< {"result":{}}
    x> ["monitor_cond", ["_Server", "s", {"Database":[{"columns":["name","connected"]}]}]]
    x< {}
    y> ["echo", []]
    y< {"result":[]}
  )");
  ASSERT_EQ(server->add_database("/u.db").value(), "U");
  EXPECT_FALSE(server->add_database("/u.db"));
  EXPECT_FALSE(server->add_database("/none.db"));
  uuid_names.clear();
  uuids.clear();
  dialogue(R"(
    x< {"method":"update2","params":["s",{"Database":{"<0>":{"insert":{"name":"U","connected":true}}}}]}
    y<closed
    x> ["monitor", ["U", "u", {"X":[{}]}]]
    x< {"result":{}}
    x> ["transact", ["U", {"op":"wait","table":"X","where":[],"columns":["n"],"until":"!=","rows":[]}], "w"]
    x<nothing
  )");
  ASSERT_TRUE(server->remove_database("U"));
  EXPECT_FALSE(server->remove_database("U"));
  EXPECT_FALSE(server->remove_database("_Server"));
  dialogue(R"(
    x< {"id":"w","error":"canceled"}
    x< {"method":"monitor_canceled","params":["u"]}
    x< {"method":"update2","params":["s",{"Database":{"<0>":{"delete":null}}}]}
    x> ["get_schema", ["U"]]
    x< {"error":{"error":"unknown database"}}
  )");
  EXPECT_FALSE(fs.is_locked("/u.db"));
}

TEST_F(ServerTest, DamagedAndForeignFilesAreRefused) {
  fs.set_content("/empty.db", "");
  fs.set_content("/text.db", "hello\n");
  fs.set_content("/bad.db", ovsdb::log_record(R"({"name":"B","version":"1.0.0","tables":{"X":{"columns":{"n":{"type":"integer"}}}}})") +
                                ovsdb::log_record(R"({"X":{"11111111-2222-4333-8444-555555555555":{"n":"text"}}})"));
  for (const char* path : {"/empty.db", "/text.db", "/bad.db"}) {
    auto added = server->add_database(path);
    EXPECT_FALSE(added) << path;
    EXPECT_FALSE(fs.is_locked(path));
  }
}

// What follows a damaged record is copied in blocks of 1 MiB; where it begins is seen wherever the
// blocks part.
TEST_F(ServerTest, RecordsBehindDamageAreKeptWhereverTheyBegin) {
  stop();
  constexpr std::size_t block = std::size_t{1} << 20;
  const std::string good = fs.content("/t.db");
  const std::string record = ovsdb::log_record("{}");
  for (std::size_t cut = 0; cut <= 14; cut++) {
    SCOPED_TRACE(cut);
    std::string behind = "OVSDB JSON 5 damaged";
    behind.resize(2 * block - cut, 'x');
    behind += "\n" + record + std::string(block, 'y');
    fs.set_content("/t.db", good + behind);
    start();
    stop();
    ASSERT_EQ(fs.paths(), (std::vector<std::string>{"/t.db", "/t.db.damaged"}));
    EXPECT_EQ(fs.content("/t.db.damaged"), behind);
    EXPECT_EQ(fs.synced_content("/t.db.damaged"), behind);
    ASSERT_TRUE(fs.remove("/t.db.damaged"));
  }
  // Without a safe place for them the file is not touched, and not served.
  fs.set_content("/t.db", good + "damaged\n" + record);
  for (Call call : {Call::write, Call::sync}) {
    fs.fail(call, 1, ENOSPC);
    server = std::make_unique<Server>(loop, fs);
    auto added = server->add_database("/t.db");
    ASSERT_FALSE(added);
    EXPECT_NE(added.error().message.find("could not be copied to a safe place"), std::string::npos);
    EXPECT_EQ(fs.paths(), std::vector<std::string>{"/t.db"});
    stop();
  }
}

TEST(LockTableTest, PassesLocksOn) {
  LockTable locks;
  EXPECT_TRUE(locks.lock(1, "a"));
  EXPECT_FALSE(locks.lock(2, "a"));
  EXPECT_FALSE(locks.lock(3, "a"));
  EXPECT_TRUE(locks.asked(2, "a"));
  EXPECT_FALSE(locks.owns(2, "a"));
  EXPECT_EQ(locks.unlock(2, "a"), std::nullopt);
  EXPECT_EQ(locks.steal(4, "a"), 1u);
  EXPECT_TRUE(locks.lock(4, "b"));
  EXPECT_EQ(locks.held(4), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(locks.waiting(4), std::vector<std::string>{});
  EXPECT_EQ(locks.held(1), std::vector<std::string>{});
  EXPECT_EQ(locks.waiting(1), std::vector<std::string>{"a"});
  EXPECT_EQ(locks.unlock(4, "a"), 1u);
  std::string passed;
  locks.forget(1, [&](LockTable::Holder next, const std::string& lock) { passed = lock + std::to_string(next); });
  EXPECT_EQ(passed, "a3");
  EXPECT_EQ(locks.unlock(3, "a"), std::nullopt);
  EXPECT_TRUE(locks.lock(2, "a"));
}

}  // namespace
}  // namespace ovs::dbserver
