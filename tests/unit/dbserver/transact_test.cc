// Transactions: every operation and every rule of the data model, as dialogues with the server.
#include "unit/dbserver/dialogue.h"

namespace ovs::dbserver {
namespace {

class TransactTest : public DialogueTest {
 protected:
  void SetUp() override { start(); }
  // "a" transacts the operations and expects this result; the error of a whole request otherwise.
  void check(std::string_view operations, std::string_view result) {
    dialogue("a> [\"transact\", [\"T\"" + (operations.empty() ? std::string() : ", " + std::string(operations)) + "]]");
    dialogue("a< {\"result\": " + std::string(result) + ", \"error\": null}");
  }
};

TEST_F(TransactTest, NoOperations) { check("", "[]"); }

TEST_F(TransactTest, InsertSelectUpdateMutateDelete) {
  check(R"({"op":"insert","table":"R","row":{"name":"x","s":["set",["b","a"]],"m":["map",[["k","v"]]],"oi":7}})",
        R"([{"uuid":["uuid","<0>"]}])");
  check(R"({"op":"select","table":"R","where":[],"columns":["_uuid","name","s","m","oi","e","i"]})",
        R"([{"rows":[{"_uuid":["uuid","<0>"],"name":"x","s":["set",["a","b"]],"m":["map",[["k","v"]]],"oi":7,"e":["set",[]],"i":0}]}])");
  check(R"({"op":"update","table":"R","where":[["name","==","x"]],"row":{"i":5}})", R"([{"count":1}])");
  check(R"({"op":"mutate","table":"R","where":[["_uuid","==",["uuid","<0>"]]],"mutations":[["i","*=",3],["s","insert","c"],["m","delete","k"]]})",
        R"([{"count":1}])");
  check(R"({"op":"select","table":"R","where":[["i",">=",15]],"columns":["s","m","i"]})",
        R"([{"rows":[{"s":["set",["a","b","c"]],"m":["map",[]],"i":15}]}])");
  check(R"({"op":"delete","table":"R","where":[["i","<",15]]})", R"([{"count":0}])");
  check(R"({"op":"delete","table":"R","where":[]})", R"([{"count":1}])");
  check(R"({"op":"select","table":"R","where":[]})", R"([{"rows":[]}])");
}

TEST_F(TransactTest, SelectedRowsAreASet) {
  check(R"({"op":"insert","table":"R","row":{"name":"x","i":1}},{"op":"insert","table":"R","row":{"name":"y","i":1}})",
        R"([{"uuid":["uuid","<0>"]},{"uuid":["uuid","<1>"]}])");
  check(R"({"op":"select","table":"R","where":[],"columns":["i"]})", R"([{"rows":[{"i":1}]}])");
  check(R"({"op":"select","table":"R","where":[],"columns":[]})", R"([{"rows":[{}]}])");
}

TEST_F(TransactTest, ErrorsAreFollowedByNulls) {
  check(R"({"op":"insert","table":"R","row":{"name":"x"}},{"op":"insert","table":"R","row":{"nope":1}},{"op":"select","table":"R","where":[]})",
        R"([{"uuid":["uuid","<0>"]},{"error":"unknown column"},null])");
  check(R"({"op":"select","table":"R","where":[]})", R"([{"rows":[]}])");
  check(R"({"op":"select","table":"N","where":[]})", R"([{"error":"syntax error","details":"Parsing ovsdb operation 1 of 1 failed: No table named N."}])");
  check(R"({"op":"fly"})", R"([{"error":"syntax error"}])");
  check(R"({"table":"R"})", R"([{"error":"syntax error"}])");
  check(R"(17)", R"([{"error":"syntax error"}])");
  check(R"({"op":"select","table":"R","where":[],"what":1})", R"([{"error":"syntax error"}])");
  check(R"({"op":"select","table":"R"})", R"([{"error":"syntax error"}])");
  check(R"({"op":"select","table":"R","where":7})", R"([{"error":"syntax error"}])");
  check(R"({"op":"select","table":"R","where":[["i","<"]]})", R"([{"error":"syntax error"}])");
  check(R"({"op":"select","table":"R","where":[["name","<","x"]]})", R"([{"error":"syntax error"}])");
  check(R"({"op":"select","table":"R","where":[],"columns":["i","i"]})", R"([{"error":"syntax error"}])");
  check(R"({"op":"abort"},{"op":"comment","comment":"x"})", R"([{"error":"aborted"},null])");
}

TEST_F(TransactTest, ValuesObeyTheirTypes) {
  const auto refuses = [&](std::string_view row, std::string_view error) {
    check("{\"op\":\"insert\",\"table\":\"R\",\"row\":" + std::string(row) + "}",
          "[{\"error\":\"" + std::string(error) + "\"}]");
  };
  refuses(R"({"i":"x"})", "syntax error");
  refuses(R"({"i":9223372036854775808})", "syntax error");
  refuses(R"({"i":1.5})", "syntax error");
  refuses(R"({"range":11})", "constraint violation");
  refuses(R"({"range":-1})", "constraint violation");
  refuses(R"({"text":"four"})", "constraint violation");
  refuses(R"({"e":"c"})", "constraint violation");
  refuses(R"({"oi":["set",[1,2]]})", "syntax error");
  refuses(R"({"s":["set",["a","a"]]})", "ovsdb error");
  check(R"({"op":"insert","table":"R","row":{"i":3.0,"range":10,"text":"abc","e":"b"}})", R"([{"uuid":["uuid","<0>"]}])");
  check(R"({"op":"mutate","table":"R","where":[],"mutations":[["range","+=",1]]})", R"([{"error":"constraint violation"}])");
  check(R"({"op":"mutate","table":"R","where":[],"mutations":[["i","/=",0]]})", R"([{"error":"domain error"}])");
  check(R"({"op":"mutate","table":"R","where":[],"mutations":[["i","+=",9223372036854775807]]})", R"([{"error":"range error"}])");
  check(R"({"op":"mutate","table":"R","where":[],"mutations":[["e","insert","a"]]})", R"([{"error":"constraint violation"}])");
  check(R"({"op":"update","table":"R","where":[],"row":{"fixed":"x"}})", R"([{"error":"constraint violation"}])");
  check(R"({"op":"mutate","table":"R","where":[],"mutations":[["fixed","insert","x"]]})", R"([{"error":"constraint violation"}])");
  check(R"({"op":"update","table":"R","where":[],"row":{"_version":["uuid","<0>"]}})", R"([{"error":"constraint violation"}])");
}

TEST_F(TransactTest, NamedUuidsStandForRowsOfTheTransaction) {
  check(R"({"op":"insert","table":"R","row":{"name":"x","kids":["named-uuid","k"]}},{"op":"insert","table":"K","uuid-name":"k","row":{"n":1,"friends":["named-uuid","k"]}},{"op":"select","table":"K","where":[["_uuid","==",["named-uuid","k"]]],"columns":["n"]})",
        R"([{"uuid":["uuid","<0>"]},{"uuid":["uuid","<1>"]},{"rows":[{"n":1}]}])");
  check(R"({"op":"select","table":"R","where":[],"columns":["kids"]})", R"([{"rows":[{"kids":["uuid","<1>"]}]}])");
  check(R"({"op":"insert","table":"P","uuid-name":"a","row":{}},{"op":"insert","table":"P","uuid-name":"a","row":{}})",
        R"([{"uuid":["uuid","<2>"]},{"error":"duplicate uuid-name"}])");
  check(R"({"op":"insert","table":"R","row":{"name":"y","kids":["named-uuid","nobody"]}})",
        R"([{"uuid":["uuid","<3>"]},{"error":"referential integrity violation"}])");
  check(R"({"op":"insert","table":"P","uuid-name":"1","row":{}})", R"([{"error":"syntax error"}])");
}

TEST_F(TransactTest, InsertTakesAUuid) {
  check(R"({"op":"insert","table":"P","uuid":"11111111-2222-4333-8444-555555555555","row":{"a":1}})",
        R"([{"uuid":["uuid","<0>"]}])");
  EXPECT_EQ(uuids[0], "11111111-2222-4333-8444-555555555555");
  check(R"({"op":"insert","table":"P","uuid":"<0>","row":{"a":2}})", R"([{"error":"duplicate uuid"}])");
  check(R"({"op":"insert","table":"R","uuid":"<0>","row":{"name":"other table"}})", R"([{"uuid":["uuid","<0>"]}])");
  check(R"({"op":"delete","table":"P","where":[]},{"op":"insert","table":"P","uuid":"<0>","row":{}})",
        R"([{"count":1},{"error":"duplicate uuid"}])");
  check(R"({"op":"insert","table":"P","uuid":"x","row":{}})", R"([{"error":"syntax error"}])");
  // A name is known to mean the given UUID before its insert comes.
  check(R"({"op":"insert","table":"R","row":{"name":"fwd","kids":["named-uuid","k"]}},{"op":"insert","table":"K","uuid-name":"k","uuid":"21111111-2222-4333-8444-555555555555","row":{}})",
        R"([{"uuid":["uuid","<1>"]},{"uuid":["uuid","<2>"]}])");
  EXPECT_EQ(uuids[2], "21111111-2222-4333-8444-555555555555");
}

TEST_F(TransactTest, RowsOutsideTheRootSetLiveWhileTheyAreReferredTo) {
  // Nobody refers to it.
  check(R"({"op":"insert","table":"K","row":{}})", R"([{"uuid":["uuid","<0>"]}])");
  check(R"({"op":"select","table":"K","where":[]})", R"([{"rows":[]}])");
  // Its reference to itself does not count.
  check(R"({"op":"insert","table":"K","uuid-name":"k","row":{"next":["named-uuid","k"]}})", R"([{"uuid":["uuid","<1>"]}])");
  check(R"({"op":"select","table":"K","where":[]})", R"([{"rows":[]}])");
  // A chain goes with its head.
  check(R"({"op":"insert","table":"R","row":{"name":"head","kids":["named-uuid","a"]}},{"op":"insert","table":"K","uuid-name":"a","row":{"n":1,"next":["named-uuid","b"]}},{"op":"insert","table":"K","uuid-name":"b","row":{"n":2,"next":["named-uuid","c"]}},{"op":"insert","table":"K","uuid-name":"c","row":{"n":3}})",
        R"([{"uuid":["uuid","<2>"]},{"uuid":["uuid","<3>"]},{"uuid":["uuid","<4>"]},{"uuid":["uuid","<5>"]}])");
  check(R"({"op":"select","table":"K","where":[["n",">",1]],"columns":["n"]})", R"([{"rows":[{"n":2},{"n":3}]}])");
  check(R"({"op":"delete","table":"K","where":[["n","==",2]]})", R"([{"count":1},{"error":"referential integrity violation"}])");
  // The middle may go if its owner lets it.
  check(R"({"op":"update","table":"K","where":[["n","==",1]],"row":{"next":["uuid","<5>"]}})", R"([{"count":1}])");
  check(R"({"op":"select","table":"K","where":[["n",">",1]],"columns":["n"]})", R"([{"rows":[{"n":3}]}])");
  check(R"({"op":"mutate","table":"R","where":[],"mutations":[["kids","delete",["uuid","<3>"]]]})", R"([{"count":1}])");
  check(R"({"op":"select","table":"K","where":[]})", R"([{"rows":[]}])");
  check(R"({"op":"update","table":"R","where":[],"row":{"kids":["uuid","<3>"]}})", R"([{"count":1},{"error":"referential integrity violation"}])");
}

TEST_F(TransactTest, WeakReferencesGoWithTheirRows) {
  check(R"({"op":"insert","table":"R","row":{"name":"r","kids":["set",[["named-uuid","a"],["named-uuid","b"]]]}},{"op":"insert","table":"K","uuid-name":"a","row":{"n":1,"friends":["set",[["named-uuid","a"],["named-uuid","b"]]]}},{"op":"insert","table":"K","uuid-name":"b","row":{"n":2}})",
        R"([{"uuid":["uuid","<0>"]},{"uuid":["uuid","<1>"]},{"uuid":["uuid","<2>"]}])");
  check(R"({"op":"update","table":"R","where":[],"row":{"kids":["uuid","<1>"]}})", R"([{"count":1}])");
  check(R"({"op":"select","table":"K","where":[],"columns":["n","friends"]})", R"([{"rows":[{"n":1,"friends":["uuid","<1>"]}]}])");
  // A weak reference to nothing is dropped at once, unless the column needs it.
  check(R"({"op":"mutate","table":"K","where":[],"mutations":[["friends","insert",["uuid","00000000-0000-0000-0000-000000000001"]]]})", R"([{"count":1}])");
  check(R"({"op":"select","table":"K","where":[],"columns":["friends"]})", R"([{"rows":[{"friends":["uuid","<1>"]}]}])");
  check(R"({"op":"insert","table":"W","row":{}})", R"([{"uuid":["uuid","<3>"]},{"error":"constraint violation"}])");
  // The pair goes with its weak key, and with the pair the strong reference in its value.
  check(R"({"op":"insert","table":"W","row":{"one":["uuid","<1>"],"pairs":["map",[[["named-uuid","key"],["named-uuid","value"]]]]}},{"op":"insert","table":"K","uuid-name":"value","row":{"n":7}},{"op":"insert","table":"K","uuid-name":"key","row":{"n":8}},{"op":"mutate","table":"R","where":[],"mutations":[["kids","insert",["named-uuid","key"]]]})",
        R"([{"uuid":["uuid","<4>"]},{"uuid":["uuid","<5>"]},{"uuid":["uuid","<6>"]},{"count":1}])");
  check(R"({"op":"mutate","table":"R","where":[],"mutations":[["kids","delete",["uuid","<6>"]]]})", R"([{"count":1}])");
  check(R"({"op":"select","table":"W","where":[],"columns":["pairs"]},{"op":"select","table":"K","where":[["n","==",7]]})", R"([{"rows":[{"pairs":["map",[]]}]},{"rows":[]}])");
  // The row that a column of exactly one weak reference needs cannot go.
  check(R"({"op":"update","table":"R","where":[],"row":{"kids":["set",[]]}})", R"([{"count":1},{"error":"constraint violation"}])");
  check(R"({"op":"select","table":"K","where":[],"columns":["n"]})", R"([{"rows":[{"n":1}]}])");
}

TEST_F(TransactTest, IndexesHoldAtTheEnd) {
  check(R"({"op":"insert","table":"R","row":{"name":"x"}},{"op":"insert","table":"R","row":{"name":"y"}})", R"([{"uuid":["uuid","<0>"]},{"uuid":["uuid","<1>"]}])");
  check(R"({"op":"insert","table":"R","row":{"name":"x"}})", R"([{"uuid":["uuid","<2>"]},{"error":"constraint violation"}])");
  // Two rows exchange their names within one transaction.
  check(R"({"op":"update","table":"R","where":[["_uuid","==",["uuid","<0>"]]],"row":{"name":"y"}},{"op":"select","table":"R","where":[["name","==","y"]],"columns":["name","_uuid"]},{"op":"update","table":"R","where":[["_uuid","==",["uuid","<1>"]]],"row":{"name":"x"}},{"op":"select","table":"R","where":[["name","==","x"]],"columns":["_uuid"]})",
        R"([{"count":1},{"rows":[{"name":"y","_uuid":["uuid","<1>"]},{"name":"y","_uuid":["uuid","<0>"]}]},{"count":1},{"rows":[{"_uuid":["uuid","<1>"]}]}])");
  check(R"({"op":"select","table":"R","where":[["name","==","x"]],"columns":["_uuid"]})", R"([{"rows":[{"_uuid":["uuid","<1>"]}]}])");
  // Delete and insert the same key; insert and delete it.
  check(R"({"op":"delete","table":"R","where":[["name","==","x"]]},{"op":"insert","table":"R","row":{"name":"x"}},{"op":"insert","table":"R","row":{"name":"y"}},{"op":"delete","table":"R","where":[["_uuid","==",["uuid","<0>"]]]})",
        R"([{"count":1},{"uuid":["uuid","<3>"]},{"uuid":["uuid","<4>"]},{"count":1}])");
  check(R"({"op":"select","table":"R","where":[["name","==","y"]],"columns":["_uuid"]})", R"([{"rows":[{"_uuid":["uuid","<4>"]}]}])");
  check(R"({"op":"insert","table":"P","row":{"a":1,"b":"x"}},{"op":"insert","table":"P","row":{"a":1,"b":"y"}},{"op":"insert","table":"P","row":{"a":1,"b":"x"}})",
        R"([{"uuid":["uuid","<5>"]},{"uuid":["uuid","<6>"]},{"uuid":["uuid","<7>"]},{"error":"constraint violation"}])");
  check(R"({"op":"select","table":"P","where":[]})", R"([{"rows":[]}])");
}

TEST_F(TransactTest, TablesHaveAtMostMaxRows) {
  const std::string five = R"({"op":"insert","table":"R","row":{"name":"1"}},{"op":"insert","table":"R","row":{"name":"2"}},{"op":"insert","table":"R","row":{"name":"3"}},{"op":"insert","table":"R","row":{"name":"4"}},{"op":"insert","table":"R","row":{"name":"5"}})";
  check(five, R"([{"uuid":["uuid","<0>"]},{"uuid":["uuid","<1>"]},{"uuid":["uuid","<2>"]},{"uuid":["uuid","<3>"]},{"uuid":["uuid","<4>"]}])");
  check(R"({"op":"insert","table":"R","row":{"name":"6"}})", R"([{"uuid":["uuid","<5>"]},{"error":"constraint violation"}])");
  check(R"({"op":"delete","table":"R","where":[["name","==","1"]]},{"op":"insert","table":"R","row":{"name":"6"}})", R"([{"count":1},{"uuid":["uuid","<6>"]}])");
}

TEST_F(TransactTest, WhatDoesNotChangeKeepsItsVersion) {
  check(R"({"op":"insert","table":"R","row":{"name":"x","i":1}})", R"([{"uuid":["uuid","<0>"]}])");
  check(R"({"op":"select","table":"R","where":[],"columns":["_version"]})", R"([{"rows":[{"_version":["uuid","<1>"]}]}])");
  check(R"({"op":"update","table":"R","where":[],"row":{"i":2}},{"op":"update","table":"R","where":[],"row":{"i":1}})", R"([{"count":1},{"count":1}])");
  check(R"({"op":"select","table":"R","where":[],"columns":["_version"]})", R"([{"rows":[{"_version":["uuid","<1>"]}]}])");
  const std::uint64_t size = fs.content("/t.db").size();
  check(R"({"op":"update","table":"R","where":[],"row":{"eph":9}})", R"([{"count":1}])");
  EXPECT_EQ(fs.content("/t.db").size(), size) << "ephemeral values are not stored";
  check(R"({"op":"select","table":"R","where":[],"columns":["eph","_version"]})", R"([{"rows":[{"eph":9,"_version":["uuid","<2>"]}]}])");
}

TEST_F(TransactTest, WaitComparesNow) {
  check(R"({"op":"insert","table":"R","row":{"name":"x","i":1}},{"op":"insert","table":"R","row":{"name":"y","i":2}})", R"([{"uuid":["uuid","<0>"]},{"uuid":["uuid","<1>"]}])");
  check(R"({"op":"wait","table":"R","timeout":0,"where":[],"columns":["name","i"],"until":"==","rows":[{"name":"y","i":2},{"name":"x","i":1}]})", "[{}]");
  check(R"({"op":"wait","table":"R","timeout":0,"where":[["name","==","x"]],"columns":["i"],"until":"!=","rows":[{"i":1}]})", R"([{"error":"timed out"}])");
  check(R"({"op":"wait","table":"R","timeout":0,"where":[["name","==","z"]],"columns":["i"],"until":"==","rows":[]})", "[{}]");
  check(R"({"op":"wait","table":"R","timeout":0,"where":[["_uuid","==",["uuid","<0>"]]],"columns":["_uuid"],"until":"==","rows":[{"_uuid":["uuid","<0>"]}]})", "[{}]");
  check(R"({"op":"wait","table":"R","timeout":0,"where":[],"columns":["i"],"until":"<","rows":[]})", R"([{"error":"syntax error"}])");
  check(R"({"op":"wait","table":"R","timeout":-1,"where":[],"columns":["i"],"until":"==","rows":[]})", R"([{"error":"syntax error"}])");
  check(R"({"op":"wait","table":"R","timeout":0,"where":[],"columns":["i"],"until":"==","rows":[{"nope":1}]})", R"([{"error":"unknown column"}])");
}

TEST_F(TransactTest, WaitGoesOnWhenTheDatabaseChanges) {
  dialogue(R"(
    a> ["transact", ["T", {"op":"wait","table":"R","where":[["name","==","x"]],"columns":["i"],"until":"==","rows":[{"i":2}]},{"op":"insert","table":"P","row":{"b":"seen"}}], "w"]
    a> ["echo", [1], "e"]
    a< {"id":"e","result":[1]}
    b> ["transact", ["T", {"op":"insert","table":"R","row":{"name":"x","i":1}}]]
    b< {"result":[{"uuid":["uuid","<0>"]}]}
    a<nothing
    b> ["transact", ["T", {"op":"update","table":"R","where":[],"row":{"i":2}}]]
    b< {"result":[{"count":1}]}
    a< {"id":"w","result":[{},{"uuid":["uuid","<1>"]}]}
  )");
}

TEST_F(TransactTest, WaitTimesOutAndCanBeCancelled) {
  dialogue(R"(
    a> ["transact", ["T", {"op":"wait","table":"R","timeout":20,"where":[],"columns":["i"],"until":"!=","rows":[]}], "t"]
    a< {"id":"t","result":[{"error":"timed out"}]}
    a> ["transact", ["T", {"op":"wait","table":"R","timeout":100000,"where":[],"columns":["i"],"until":"!=","rows":[]}], "c"]
    a>> {"method":"cancel","params":["d"],"id":null}
    a<nothing
    a>> {"method":"cancel","params":["c"],"id":null}
    a< {"id":"c","result":null,"error":"canceled"}
  )");
}

// Waiting costs memory, and time at every change: what one client may have of it is bounded.
TEST_F(TransactTest, AClientMayHaveOnlySoManyWaits) {
  peer("a");
  const Client& client = *server->clients().begin()->second;
  const auto wait = [&](const std::string& id) {
    dialogue(R"(a> ["transact", ["T", {"op":"comment","comment":"c"}, )" +
             std::string(R"({"op":"wait","table":"R","where":[],"columns":["i"],"until":"!=","rows":[]}], ")") + id +
             "\"]");
  };
  for (int i = 0; i < 256; i++) wait(std::to_string(i));
  dialogue("a<nothing");
  EXPECT_EQ(client.waits, 256U);
  wait("over");
  dialogue(R"(a< {"id":"over","result":[{},{"error":"resources exhausted"}]})");
  // Other requests of this client, and the waits of others, go on.
  dialogue(R"(
    a> ["transact", ["T", {"op":"wait","table":"R","timeout":0,"where":[],"columns":["i"],"until":"!=","rows":[]}], "t"]
    a< {"id":"t","result":[{"error":"timed out"}]}
    a> ["echo", [1], "e"]
    a< {"id":"e","result":[1]}
    b> ["transact", ["T", {"op":"wait","table":"R","where":[],"columns":["i"],"until":"!=","rows":[]}], "w"]
    b<nothing
    b> ["transact", ["T", {"op":"insert","table":"P","row":{"a":1}}], "i"]
    b< {"id":"i"}
    a<nothing
  )");
  EXPECT_EQ(client.waits, 256U) << "tried again, and waiting again";
  // One that was given up makes room for another.
  dialogue(R"(
    a>> {"method":"cancel","params":["0"],"id":null}
    a< {"id":"0","error":"canceled"}
  )");
  wait("next");
  dialogue(R"(
    a<nothing
    b> ["transact", ["T", {"op":"insert","table":"R","row":{"name":"x"}}], "i"]
    b< {"id":"i"}
    b< {"id":"w","result":[{}]}
  )");
  for (int i = 1; i < 256; i++) dialogue(R"(a< {"id":")" + std::to_string(i) + R"(","result":[{},{}]})");
  dialogue(R"(a< {"id":"next","result":[{},{}]})");
  EXPECT_EQ(client.waits, 0U);
  EXPECT_EQ(client.wait_bytes, 0U);
}

TEST_F(TransactTest, WaitsOfAClientMayBeOnlySoLarge) {
  const std::string large = R"({"op":"comment","comment":")" + std::string(std::size_t{3} << 20, 'x') + "\"},";
  for (std::string id : {"1", "2"}) {
    dialogue(R"(a> ["transact", ["T", )" + large +
             R"({"op":"wait","table":"R","where":[],"columns":["i"],"until":"!=","rows":[]}], ")" + id + "\"]");
  }
  dialogue(R"(
    a<nothing
    a> ["transact", ["T", {"op":"wait","table":"R","where":[],"columns":["i"],"until":"!=","rows":[]}], "over"]
    a< {"id":"over","result":[{"error":"resources exhausted"}]}
  )");
}

TEST_F(TransactTest, LocksAndAssert) {
  dialogue(R"(
    a> ["transact", ["T", {"op":"assert","lock":"l"}]]
    a< {"result":[{"error":"not owner"}]}
    a> ["lock", ["l"]]
    a< {"result":{"locked":true}}
    a> ["lock", ["l"]]
    a< {"error":{"error":"syntax error"}}
    a> ["transact", ["T", {"op":"assert","lock":"l"}]]
    a< {"result":[{}]}
    b> ["lock", ["l"]]
    b< {"result":{"locked":false}}
    b> ["transact", ["T", {"op":"assert","lock":"l"}]]
    b< {"result":[{"error":"not owner"}]}
    c> ["steal", ["l"]]
    c< {"result":{"locked":true}}
    a< {"method":"stolen","params":["l"],"id":null}
    c> ["unlock", ["l"]]
    c< {"result":{}}
    a< {"method":"locked","params":["l"]}
    a> ["unlock", ["l"]]
    a< {"result":{}}
    b< {"method":"locked","params":["l"]}
    a> ["unlock", ["l"]]
    a< {"error":{"error":"syntax error"}}
    a> ["lock", ["not an id"]]
    a< {"error":{"error":"syntax error"}}
    a> ["lock", ["l"]]
    a< {"result":{"locked":false}}
  )");
  // What a client held passes on when it goes.
  clients["b"]->wire->hang_up();
  dialogue(R"(a< {"method":"locked","params":["l"]})");
}

TEST_F(TransactTest, ServerDatabaseIsReadOnly) {
  dialogue(R"(
    a> ["transact", ["_Server", {"op":"select","table":"Database","where":[["name","==","T"]],"columns":["model","connected","leader","cid","sid","index"]}]]
    a< {"result":[{"rows":[{"model":"standalone","connected":true,"leader":true,"cid":["set",[]],"sid":["set",[]],"index":["set",[]]}]}]}
    a> ["transact", ["_Server", {"op":"delete","table":"Database","where":[]}]]
    a< {"result":[{"error":"not allowed"}]}
    a> ["list_dbs", []]
    a< {"result":["T","_Server"]}
    a> ["get_schema", ["X"]]
    a< {"result":null,"error":{"error":"unknown database"}}
    a> ["transact", ["X"]]
    a< {"result":null,"error":{"error":"unknown database"}}
    a> ["no_such_method", []]
    a< {"result":null,"error":"unknown method"}
    a> ["get_server_id", [], 7]
    a< {"result":"<0>","id":7}
  )");
}

TEST_F(TransactTest, ReadOnlyClientsOnlyRead) {
  options.read_only = true;
  dialogue(R"(
    r> ["transact", ["T", {"op":"insert","table":"P","row":{}}]]
    r< {"result":[{"error":"not allowed"}]}
    r> ["transact", ["T", {"op":"select","table":"P","where":[]}]]
    r< {"result":[{"rows":[]}]}
  )");
}

}  // namespace
}  // namespace ovs::dbserver
