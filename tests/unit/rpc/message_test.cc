#include <gtest/gtest.h>

#include <string>

#include "rpc/connection.h"

namespace ovs::rpc {
namespace {

// What a text is taken for, in one line.
std::string sort(const std::string& text) {
  auto v = parse_json(text);
  if (!v) return "no JSON: " + v.error().message;
  auto m = Message::from_json(std::move(*v));
  if (!m) return m.error().message;
  switch (m->kind) {
    case Message::Kind::request:
      return "request " + m->method + to_text(m->params) + " id " + to_text(m->id);
    case Message::Kind::notification:
      return "notification " + m->method + to_text(m->params);
    case Message::Kind::reply:
      return "reply " + to_text(m->result) + " id " + to_text(m->id);
    case Message::Kind::error:
      return "error " + to_text(m->result) + " id " + to_text(m->id);
  }
  return {};
}

TEST(MessageTest, FourKinds) {
  EXPECT_EQ(sort(R"({"method":"echo","params":[1],"id":7})"), "request echo[1] id 7");
  EXPECT_EQ(sort(R"({"method":"m","params":[],"id":{"any":["value"]}})"), "request m[] id {\"any\":[\"value\"]}");
  EXPECT_EQ(sort(R"({"method":"update","params":[],"id":null})"), "notification update[]");
  EXPECT_EQ(sort(R"({"method":"update","params":[]})"), "notification update[]");
  EXPECT_EQ(sort(R"({"id":1,"result":[2],"error":null})"), "reply [2] id 1");
  EXPECT_EQ(sort(R"({"id":1,"result":null,"error":null})"), "reply null id 1");
  EXPECT_EQ(sort(R"({"id":1,"result":false})"), "reply false id 1");
  EXPECT_EQ(sort(R"({"id":1,"result":null,"error":"e"})"), "error \"e\" id 1");
  EXPECT_EQ(sort(R"({"id":"x","error":{"a":1}})"), "error {\"a\":1} id \"x\"");
  // Null stands for absent everywhere.
  EXPECT_EQ(sort(R"({"method":"m","params":[],"id":1,"result":null,"error":null})"), "request m[] id 1");
  EXPECT_EQ(sort(R"({"method":null,"params":null,"id":1,"result":5,"error":null})"), "reply 5 id 1");
}

TEST(MessageTest, WrongMembers) {
  EXPECT_EQ(sort("[]"), "a message must be a JSON object");
  EXPECT_EQ(sort("\"x\""), "a message must be a JSON object");
  EXPECT_EQ(sort("{}"), "a reply must have an \"id\"");
  EXPECT_EQ(sort(R"({"id":1})"), "a reply must have a \"result\" or an \"error\"");
  EXPECT_EQ(sort(R"({"id":1,"error":null})"), "a reply must have a \"result\" or an \"error\"");
  EXPECT_EQ(sort(R"({"result":1})"), "a reply must have an \"id\"");
  EXPECT_EQ(sort(R"({"id":1,"result":1,"error":1})"), "a reply must not have both a \"result\" and an \"error\"");
  EXPECT_EQ(sort(R"({"method":1,"params":[],"id":1})"), "\"method\" must be a string");
  EXPECT_EQ(sort(R"({"method":"m","id":1})"), "a request must have \"params\"");
  EXPECT_EQ(sort(R"({"method":"m","params":{},"id":1})"), "\"params\" must be an array");
  EXPECT_EQ(sort(R"({"method":"m","params":[],"id":1,"result":1})"), "a request must not have a \"result\"");
  EXPECT_EQ(sort(R"({"method":"m","params":[],"id":1,"error":1})"), "a request must not have an \"error\"");
  EXPECT_EQ(sort(R"({"params":[],"id":1})"), "a message with \"params\" must have a \"method\"");
  EXPECT_EQ(sort(R"({"method":"m","params":[],"id":1,"jsonrpc":"2.0"})"), "a message has no member \"jsonrpc\"");
}

TEST(MessageTest, WhatIsWrittenIsRead) {
  EXPECT_EQ(sort(request_text("a\"b", "[1]", "\"i\"")), "request a\"b[1] id \"i\"");
  EXPECT_EQ(sort(notification_text("n", "[]")), "notification n[]");
  EXPECT_EQ(sort(reply_text("{}", "3")), "reply {} id 3");
  EXPECT_EQ(sort(error_text("\"bad\"", "3")), "error \"bad\" id 3");
}

}  // namespace
}  // namespace ovs::rpc
