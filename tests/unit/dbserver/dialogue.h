// Dialogue: tests of the server as text: what clients send and what they get, without sockets.
//
//     a> ["transact", ["T", {"op":"insert","table":"R","row":{"name":"x"}}]]
//     a< {"result": [{"uuid": ["uuid", "<0>"]}], "error": null}
//
// Each line begins with the client's name.  ">" sends a request (method and parameters), ">>" sends
// the rest of the line as it is, "<" expects the next message to that client, "<nothing" that there
// is none, "<closed" that its connection was closed.  UUIDs are called <0>, <1>, ... in the order in
// which they first appear; a request may use these names.  An expected object may leave out members:
// only those it names are compared, except below "result" and "params", where all are.  "details" and
// "syntax" of errors are compared only where they are named.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "dbserver/server.h"
#include "ovsdb/log_file.h"
#include "runtime/loop.h"
#include "support/memory_file_system.h"
#include "support/memory_stream.h"

namespace ovs::dbserver {

inline constexpr std::string_view test_schema = R"({"name":"T","version":"1.0.0","tables":{
 "R":{"isRoot":true,"maxRows":5,"indexes":[["name"]],"columns":{
  "name":{"type":"string","mutable":true},
  "fixed":{"type":"string","mutable":false},
  "i":{"type":"integer"},
  "oi":{"type":{"key":"integer","min":0,"max":1}},
  "s":{"type":{"key":"string","min":0,"max":"unlimited"}},
  "m":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
  "kids":{"type":{"key":{"type":"uuid","refTable":"K"},"min":0,"max":"unlimited"}},
  "e":{"type":{"key":{"type":"string","enum":["set",["a","b"]]},"min":0,"max":1}},
  "eph":{"type":"integer","ephemeral":true},
  "range":{"type":{"key":{"type":"integer","minInteger":0,"maxInteger":10}}},
  "text":{"type":{"key":{"type":"string","maxLength":3}}}}},
 "K":{"columns":{"n":{"type":"integer"},
  "next":{"type":{"key":{"type":"uuid","refTable":"K"},"min":0,"max":1}},
  "friends":{"type":{"key":{"type":"uuid","refTable":"K","refType":"weak"},"min":0,"max":"unlimited"}}}},
 "W":{"isRoot":true,"columns":{"one":{"type":{"key":{"type":"uuid","refTable":"K","refType":"weak"}}},
  "pairs":{"type":{"key":{"type":"uuid","refTable":"K","refType":"weak"},"value":{"type":"uuid","refTable":"K"},"min":0,"max":"unlimited"}}}},
 "P":{"isRoot":true,"indexes":[["a","b"]],"columns":{"a":{"type":"integer"},"b":{"type":"string"}}}}})";

class DialogueTest : public ::testing::Test {
 protected:
  DialogueTest() { fs.set_content("/t.db", ovsdb::log_record(one_line(test_schema))); }

  static std::string one_line(std::string_view json) { return ovs::to_text(parse_json(json).value()); }

  void start() {
    server = std::make_unique<Server>(loop, fs);
    auto added = server->add_database("/t.db");
    ASSERT_TRUE(added) << added.error().message;
    settle();
  }
  void stop() {
    clients.clear();
    server = nullptr;
  }

  struct Peer {
    std::shared_ptr<testing::Wire> wire = std::make_shared<testing::Wire>();
    std::vector<json::value> messages;
    std::size_t next = 0;
  };

  Peer& peer(const std::string& name) {
    auto& peer = clients[name];
    if (!peer) {
      peer = std::make_unique<Peer>();
      peer->wire->name = name;
      server->add_client(std::make_unique<testing::MemoryStream>(loop, peer->wire), options, nullptr);
    }
    return *peer;
  }

  // Lets everything that is ready happen.
  void settle() {
    bool done = false;
    loop.post([&] { loop.post([&] { loop.defer([&] { loop.post([&] { done = true; }); }); }); });
    loop.run_until([&] { return done; }, std::chrono::seconds(5));
  }

  void take(Peer& peer) {
    JsonStream stream;
    auto fed = stream.feed(std::exchange(peer.wire->sent, {}), [&](json::value&& v) {
      peer.messages.push_back(std::move(v));
      return true;
    });
    ASSERT_TRUE(fed) << fed.error().message;
  }

  bool has_message(Peer& peer) {
    take(peer);
    return peer.next < peer.messages.size();
  }

  // UUIDs by the names that the dialogue gives them.
  std::string named(const std::string& text) {
    static const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
    std::string out;
    std::size_t end = 0;
    for (std::sregex_iterator it(text.begin(), text.end(), uuid), last; it != last; ++it) {
      auto [name, fresh] = uuid_names.try_emplace(it->str(), "<" + std::to_string(uuid_names.size()) + ">");
      if (fresh) uuids.push_back(it->str());
      out += text.substr(end, static_cast<std::size_t>(it->position()) - end) + name->second;
      end = static_cast<std::size_t>(it->position() + it->length());
    }
    return out + text.substr(end);
  }
  std::string unnamed(std::string text) {
    for (std::size_t i = 0; i < uuids.size(); i++) {
      const std::string name = "<" + std::to_string(i) + ">";
      for (std::size_t at; (at = text.find(name)) != std::string::npos;) text.replace(at, name.size(), uuids[i]);
    }
    return text;
  }

  // Whether `got` is what `want` asks for.
  static bool fits(const json::value& want, const json::value& got, bool all) {
    if (want.is_object()) {
      if (!got.is_object()) return false;
      const bool is_error = got.get_object().contains("error") && got.get_object().contains("details");
      for (const auto& member : want.get_object()) {
        const json::value* value = got.get_object().if_contains(member.key());
        const bool deep = all || member.key() == "result" || member.key() == "params";
        if (!value || !fits(member.value(), *value, deep)) return false;
      }
      if (all && !is_error) {
        for (const auto& member : got.get_object()) {
          if (!want.get_object().contains(member.key())) return false;
        }
      }
      return true;
    }
    if (want.is_array()) {
      if (!got.is_array() || want.get_array().size() != got.get_array().size()) return false;
      for (std::size_t i = 0; i < want.get_array().size(); i++) {
        if (!fits(want.get_array()[i], got.get_array()[i], all)) return false;
      }
      return true;
    }
    return want == got;
  }

  void dialogue(std::string_view text) {
    for (std::string_view line : split(text, '\n')) {
      line = trim(line);
      if (line.empty() || line[0] == '#') continue;
      SCOPED_TRACE(std::string(line));
      const std::size_t at = line.find_first_of("<>");
      ASSERT_NE(at, std::string_view::npos);
      Peer& client = peer(std::string(line.substr(0, at)));
      const std::string_view rest = line.substr(at + 1);
      if (line[at] == '>') {
        if (rest.starts_with(">")) {
          client.wire->arrive(unnamed(std::string(trim(rest.substr(1)))));
        } else {
          auto request = parse_json(unnamed(std::string(rest)));
          ASSERT_TRUE(request) << request.error().message;
          const json::array& words = request->get_array();
          client.wire->arrive("{\"method\":" + ovs::to_text(words[0]) + ",\"params\":" + ovs::to_text(words[1]) +
                              ",\"id\":" + (words.size() > 2 ? ovs::to_text(words[2]) : "1") + "}");
        }
        settle();
        continue;
      }
      if (rest == "nothing") {
        settle();
        EXPECT_FALSE(has_message(client)) << ovs::to_text(client.messages[client.next]);
        continue;
      }
      if (rest == "closed") {
        loop.run_until([&] { return client.wire->destroyed || client.wire->finished; }, std::chrono::seconds(5));
        EXPECT_TRUE(client.wire->destroyed || client.wire->finished);
        continue;
      }
      loop.run_until([&] { return has_message(client); }, std::chrono::seconds(5));
      ASSERT_TRUE(has_message(client)) << "no message";
      const std::string got = named(ovs::to_text(client.messages[client.next++]));
      auto want = parse_json(rest);
      ASSERT_TRUE(want) << want.error().message;
      EXPECT_TRUE(fits(*want, parse_json(got).value(), false)) << "got " << got;
    }
  }

  runtime::Loop loop;
  testing::MemoryFileSystem fs;
  ClientOptions options{runtime::Duration(0), false};
  std::unique_ptr<Server> server;
  std::map<std::string, std::unique_ptr<Peer>> clients;
  std::map<std::string, std::string> uuid_names;
  std::vector<std::string> uuids;
};

}  // namespace ovs::dbserver
