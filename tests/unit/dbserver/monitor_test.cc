// Monitors: the three kinds, their selections and conditions, and clients that do not read.
#include "unit/dbserver/dialogue.h"

namespace ovs::dbserver {
namespace {

class MonitorTest : public DialogueTest {
 protected:
  void SetUp() override { start(); }
};

TEST_F(MonitorTest, PlainMonitorTellsOldAndNew) {
  dialogue(R"(
    w> ["transact", ["T", {"op":"insert","table":"R","row":{"name":"x","i":1}}]]
    w< {"result":[{"uuid":["uuid","<0>"]}]}
    a> ["monitor", ["T", "m", {"R":[{"columns":["name","i"]},{"columns":["oi"],"select":{"initial":false,"modify":false}}]}]]
    a< {"result":{"R":{"<0>":{"new":{"name":"x","i":1}}}}}
    w> ["transact", ["T", {"op":"update","table":"R","where":[],"row":{"i":2,"oi":5}}]]
    a< {"method":"update","id":null,"params":["m",{"R":{"<0>":{"old":{"i":1},"new":{"name":"x","i":2}}}}]}
    w< {"result":[{"count":1}]}
    w> ["transact", ["T", {"op":"update","table":"R","where":[],"row":{"oi":6}}]]
    w< {"result":[{"count":1}]}
    a<nothing
    w> ["transact", ["T", {"op":"insert","table":"R","row":{"name":"y"}},{"op":"delete","table":"R","where":[["name","==","x"]]}]]
    w< {"result":[{"uuid":["uuid","<1>"]},{"count":1}]}
    a< {"params":["m",{"R":{"<0>":{"old":{"name":"x","i":2,"oi":6}},"<1>":{"new":{"name":"y","i":0,"oi":["set",[]]}}}}]}
    a> ["monitor_cancel", ["m"]]
    a< {"result":{}}
    w> ["transact", ["T", {"op":"delete","table":"R","where":[]}]]
    w< {"result":[{"count":1}]}
    a<nothing
  )");
}

TEST_F(MonitorTest, UpdateComesBeforeTheReply) {
  dialogue(R"(
    a> ["monitor", ["T", null, {"P":{"columns":["a"]}}]]
    a< {"result":{}}
    a> ["transact", ["T", {"op":"insert","table":"P","row":{"a":4}}], "t"]
    a< {"method":"update","params":[null,{"P":{"<0>":{"new":{"a":4}}}}]}
    a< {"id":"t","result":[{"uuid":["uuid","<0>"]}]}
  )");
}

TEST_F(MonitorTest, WrongRequests) {
  dialogue(R"(
    a> ["monitor", ["T", "m", {"P":[{"columns":["a","a"]}]}]]
    a< {"result":null,"error":{"error":"syntax error"}}
    a> ["monitor", ["T", "m", {"P":[{"columns":["a"]},{}]}]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor", ["T", "m", {"N":[{}]}]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor", ["T", "m", {"P":[{"columns":["z"]}]}]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor", ["T", "m", {"P":[{"where":[]}]}]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor", ["T", "m", {"P":[{"select":{"always":true}}]}]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor", ["T", "m"]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor_cond", ["T", "m", {"P":[{"where":[["a","==","x"]]}]}]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor_cond_since", ["T", "m", {"P":[{}]}, "x"]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor_cancel", ["m"]]
    a< {"result":null,"error":"unknown monitor"}
    a> ["monitor", ["T", {"x":1,"y":2}, {"P":[{}]}]]
    a< {"result":{}}
    a> ["monitor_cond", ["T", {"y":2,"x":1}, {"P":[{}]}]]
    a< {"error":{"error":"syntax error"}}
    a> ["monitor_cond_change", [{"x":1,"y":2}, "n", {"P":[{"where":[]}]}]]
    a< {"error":{"error":"syntax error"}}
  )");
}

TEST_F(MonitorTest, ConditionsShowAndHideRows) {
  dialogue(R"(
    w> ["transact", ["T", {"op":"insert","table":"R","row":{"name":"x","i":1,"s":["set",["p","q"]]}}]]
    w< {"result":[{"uuid":["uuid","<0>"]}]}
    a> ["monitor_cond", ["T", "m", {"R":[{"columns":["name","i","s","m"],"where":[["i","==",1],["i","==",2]]}]}]]
    a< {"result":{"R":{"<0>":{"initial":{"name":"x","i":1,"s":["set",["p","q"]]}}}}}
    w> ["transact", ["T", {"op":"update","table":"R","where":[],"row":{"i":2,"s":["set",["q","r"]],"m":["map",[["k","1"],["l","1"]]]}}]]
    w< {"result":[{"count":1}]}
    a< {"method":"update2","params":["m",{"R":{"<0>":{"modify":{"i":2,"s":["set",["p","r"]],"m":["map",[["k","1"],["l","1"]]]}}}}]}
    w> ["transact", ["T", {"op":"update","table":"R","where":[],"row":{"m":["map",[["k","2"]]]}}]]
    w< {"result":[{"count":1}]}
    a< {"params":["m",{"R":{"<0>":{"modify":{"m":["map",[["k","2"],["l","1"]]]}}}}]}
    w> ["transact", ["T", {"op":"update","table":"R","where":[],"row":{"i":3}}]]
    w< {"result":[{"count":1}]}
    a< {"params":["m",{"R":{"<0>":{"delete":null}}}]}
    w> ["transact", ["T", {"op":"update","table":"R","where":[],"row":{"eph":1}}]]
    w< {"result":[{"count":1}]}
    a<nothing
    a> ["monitor_cond_change", ["m", "n", {"R":[{"where":[["i",">",2]]}]}], "c"]
    a< {"method":"update2","params":["n",{"R":{"<0>":{"insert":{"name":"x","i":3,"s":["set",["q","r"]],"m":["map",[["k","2"]]]}}}}]}
    a< {"id":"c","result":{}}
    a> ["monitor_cond_change", ["n", "n", {"R":[{"where":[false]}]}], "d"]
    a< {"params":["n",{"R":{"<0>":{"delete":null}}}]}
    a< {"id":"d","result":{}}
    a> ["monitor_cond_change", ["n", "n", {"P":[{"where":[]}]}]]
    a< {"error":{"error":"syntax error"}}
    w> ["transact", ["T", {"op":"delete","table":"R","where":[]}]]
    w< {"result":[{"count":1}]}
    a<nothing
  )");
}

TEST_F(MonitorTest, SinceSendsWhatWasMissed) {
  dialogue(R"(
    w> ["transact", ["T", {"op":"insert","table":"P","row":{"a":1}}]]
    w< {"result":[{"uuid":["uuid","<0>"]}]}
    a> ["monitor_cond_since", ["T", "m", {"P":[{"columns":["a"]}]}, "00000000-0000-0000-0000-000000000000"]]
    a< {"result":[false,"<1>",{"P":{"<0>":{"initial":{"a":1}}}}]}
    b> ["monitor_cond_since", ["T", "m", {"P":[{"columns":["a"]}]}, "<1>"]]
    b< {"result":[true,"<1>",{}]}
    w> ["transact", ["T", {"op":"update","table":"P","where":[],"row":{"a":2}},{"op":"insert","table":"P","row":{"a":9}}]]
    w< {"result":[{"count":1},{"uuid":["uuid","<2>"]}]}
    w> ["transact", ["T", {"op":"update","table":"P","where":[["_uuid","==",["uuid","<0>"]]],"row":{"a":3}},{"op":"delete","table":"P","where":[["a","==",9]]}]]
    w< {"result":[{"count":1},{"count":1}]}
  )");
  // Both clients have got the two updates; a third one gets them as one.
  Peer& a = peer("a");
  take(a);
  ASSERT_EQ(a.messages.size(), a.next + 2);
  const std::string update = named(ovs::to_text(a.messages[a.next]));
  EXPECT_NE(update.find("\"update3\",\"params\":[\"m\",\"<3>\""), std::string::npos) << update;
  dialogue(R"(
    c> ["monitor_cond_since", ["T", "m", {"P":[{"columns":["a"]}]}, "<1>"]]
    c< {"result":[true,"<4>",{"P":{"<0>":{"modify":{"a":3}}}}]}
    d> ["monitor_cond_since", ["T", "m", {"P":[{"columns":["a"]}]}, "<3>"]]
    d< {"result":[true,"<4>",{"P":{"<0>":{"modify":{"a":3}},"<2>":{"delete":null}}}]}
  )");
}

TEST_F(MonitorTest, EqualMonitorsShareTheirText) {
  dialogue(R"(
    a> ["monitor_cond", ["T", "m", {"P":[{"columns":["a","b"]}]}]]
    a< {"result":{}}
    b> ["monitor_cond", ["T", "other", {"P":[{"columns":["b","a"]}]}]]
    b< {"result":{}}
    c> ["monitor_cond", ["T", "m", {"P":[{"columns":["a"]}]}]]
    c< {"result":{}}
    w> ["transact", ["T", {"op":"insert","table":"P","row":{"a":1,"b":"x"}}]]
    a< {"params":["m",{"P":{"<0>":{"insert":{"a":1,"b":"x"}}}}]}
    b< {"params":["other",{"P":{"<0>":{"insert":{"a":1,"b":"x"}}}}]}
    c< {"params":["m",{"P":{"<0>":{"insert":{"a":1}}}}]}
  )");
}

TEST_F(MonitorTest, AClientThatDoesNotReadGetsOneMergedUpdate) {
  dialogue(R"(
    a> ["monitor_cond", ["T", "m", {"P":[{"columns":["a","b"]}]}]]
    a< {"result":{}}
  )");
  testing::Wire& wire = *peer("a").wire;
  wire.reading = false;
  const std::string big(1 << 20, 'x');
  std::size_t before = 0;
  for (int i = 0; i < 40; i++) {
    dialogue("w> [\"transact\", [\"T\", {\"op\":\"delete\",\"table\":\"P\",\"where\":[]},{\"op\":\"insert\",\"table\":\"P\",\"row\":{\"a\":" +
             std::to_string(i) + ",\"b\":\"" + big + "\"}}]]");
    take(peer("w"));
    if (i == 19) before = wire.stuck.size();
  }
  EXPECT_LT(wire.stuck.size(), std::size_t{8} << 20);
  EXPECT_EQ(wire.stuck.size(), before) << "nothing more is queued once there is too much";
  EXPECT_FALSE(wire.paused);
  wire.read_all();
  settle();
  // What was queued, and then one update that leads to the present state.
  Peer& a = peer("a");
  take(a);
  ASSERT_GT(a.messages.size(), a.next);
  std::set<std::string> rows;
  for (; a.next < a.messages.size(); a.next++) {
    const json::object& table = a.messages[a.next].at("params").at(1).at("P").get_object();
    for (const auto& row : table) {
      if (row.value().get_object().contains("insert")) rows.insert(std::string(row.key()));
      else rows.erase(std::string(row.key()));
    }
  }
  EXPECT_EQ(rows.size(), 1u);
  dialogue(R"(w> ["transact", ["T", {"op":"update","table":"P","where":[],"row":{"a":-1,"b":""}}]])");
  take(a);
  ASSERT_EQ(a.messages.size(), a.next + 1);
  EXPECT_TRUE(a.messages[a.next].at("params").at(1).at("P").get_object().contains(*rows.begin()));
}

TEST_F(MonitorTest, RequestsOfAClientThatDoesNotReadWait) {
  const std::string big(1 << 20, 'x');
  dialogue("w> [\"transact\", [\"T\", {\"op\":\"insert\",\"table\":\"P\",\"row\":{\"b\":\"" + big + "\"}}]]");
  testing::Wire& wire = *peer("a").wire;
  wire.reading = false;
  std::string requests;
  for (int i = 0; i < 50; i++) {
    requests += R"({"method":"transact","params":["T",{"op":"select","table":"P","where":[]}],"id":)" + std::to_string(i) + "}";
  }
  wire.arrive(requests);
  settle();
  settle();
  EXPECT_TRUE(wire.paused);
  EXPECT_LT(wire.stuck.size(), std::size_t{60} << 20);
  Peer& a = peer("a");
  for (int i = 0; i < 200 && a.messages.size() < 50; i++) {
    wire.read_all();
    settle();
    take(a);
  }
  ASSERT_EQ(a.messages.size(), 50u);
  for (int i = 0; i < 50; i++) EXPECT_EQ(a.messages[static_cast<std::size_t>(i)].at("id").to_number<int>(), i);
  EXPECT_FALSE(wire.paused);
}

TEST_F(MonitorTest, SilentClientsAreProbedAndDropped) {
  loop.stop_time();
  options.probe_interval = runtime::Duration(5000);
  const auto pass = [&](int ms) {
    bool done = false;
    auto warped = loop.warp_time(runtime::Duration(ms), [&] { done = true; });
    ASSERT_TRUE(warped);
    loop.run_until([&] { return done; }, std::chrono::seconds(5));
    settle();
  };
  peer("a");
  pass(4000);
  dialogue("a<nothing");
  pass(1100);
  dialogue(R"(a< {"id":"echo","method":"echo","params":[]})");
  clients["a"]->wire->arrive(R"({"id":"echo","result":[],"error":null})");
  pass(5100);
  dialogue(R"(a< {"id":"echo","method":"echo","params":[]})");
  pass(5100);
  dialogue("a<closed");
  EXPECT_TRUE(server->clients().empty());
}

}  // namespace
}  // namespace ovs::dbserver
