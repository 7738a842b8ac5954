#include "rpc/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "runtime/socket_stream.h"

namespace ovs::rpc {
namespace {

using runtime::Duration;
constexpr Duration long_time{30'000};
constexpr Duration moment{20};

// A connection whose peer is a plain socket.
class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    // The reasons are looked at through `closed`; the log need not show them.
    EXPECT_TRUE(log_set("console:off"));
    connect();
  }
  ~ConnectionTest() override {
    close_peer();
    EXPECT_TRUE(log_set("console:warn"));
  }

  void connect(std::size_t limit = 1 << 20) {
    close_peer();
    connection.reset();
    closed.reset();
    messages.clear();
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    peer = fds[1];
    connection = std::make_unique<Connection>(
        runtime::adopt_socket(loop, fds[0], "peer"),
        Connection::Handler{
            .message = [this](Message&& m) { take(std::move(m)); },
            .closed = [this](Error e) { closed = std::move(e); },
            .drained = [this] { drained++; },
        },
        limit);
  }
  virtual void take(Message&& m) {
    messages.push_back(m.method + to_text(m.params) + to_text(m.id));
    if (on_message) on_message();
  }
  void close_peer() {
    if (peer >= 0) ::close(peer);
    peer = -1;
  }
  void write_peer(std::string_view s) { ASSERT_EQ(::write(peer, s.data(), s.size()), static_cast<ssize_t>(s.size())); }
  std::string read_peer() {
    std::string s;
    char buffer[65536];
    for (ssize_t n; (n = ::read(peer, buffer, sizeof buffer)) > 0;) s.append(buffer, static_cast<std::size_t>(n));
    return s;
  }
  bool run_until(const std::function<bool()>& done) { return loop.run_until(done, long_time); }

  runtime::Loop loop;
  std::unique_ptr<Connection> connection;
  int peer = -1;
  std::vector<std::string> messages;
  std::function<void()> on_message;
  std::optional<Error> closed;
  int drained = 0;
};

const std::string two_messages =
    R"({"method":"a","params":["x{\"}é",{}],"id":1})"
    "\n "
    R"({"id":null,"method":"b","params":[[1,-2.5]]})";

TEST_F(ConnectionTest, MessagesCutAtEveryByte) {
  for (std::size_t cut = 0; cut <= two_messages.size(); cut++) {
    connect();
    write_peer(two_messages.substr(0, cut));
    // The first part is read before the second one is there.
    loop.run_until([] { return false; }, Duration(1));
    write_peer(two_messages.substr(cut));
    ASSERT_TRUE(run_until([&] { return messages.size() == 2 || closed; })) << cut;
    ASSERT_FALSE(closed) << cut << ": " << closed->message;
    EXPECT_EQ(messages[0], "a[\"x{\\\"}é\",{}]1");
    EXPECT_EQ(messages[1], "b[[1,-2.5]]null");
  }
}

TEST_F(ConnectionTest, OneByteAtATime) {
  for (char c : two_messages) {
    write_peer({&c, 1});
    loop.run_until([] { return false; }, Duration(0));
  }
  EXPECT_TRUE(run_until([&] { return messages.size() == 2; }));
  EXPECT_EQ(connection->messages_received(), 2u);
}

TEST_F(ConnectionTest, PeerClosesBetweenAndInTheMiddleOfMessages) {
  write_peer(two_messages);
  close_peer();
  EXPECT_TRUE(run_until([&] { return closed.has_value(); }));
  EXPECT_EQ(messages.size(), 2u);
  EXPECT_EQ(closed->code, 0);

  connect();
  write_peer(two_messages.substr(0, two_messages.size() - 1));
  close_peer();
  EXPECT_TRUE(run_until([&] { return closed.has_value(); }));
  EXPECT_EQ(messages.size(), 1u);
}

struct BadInput {
  const char* name;
  std::string text;
  const char* reason;  // part of it
};

TEST_F(ConnectionTest, BadInputClosesWithAReason) {
  const BadInput inputs[] = {
      {"syntax", "{]", "bad JSON"},
      {"deep", std::string(10'000, '['), "nest too deeply"},
      {"deep object", [] { std::string s; for (int i = 0; i < 10'000; i++) s += "{\"a\":"; return s; }(), "nest too deeply"},
      {"utf-8", "{\"method\":\"\xff\xfe\",\"params\":[],\"id\":1}", "bad JSON"},
      {"surrogate", "{\"method\":\"\\ud800x\",\"params\":[],\"id\":1}", "bad JSON"},
      {"long", "{\"method\":\"" + std::string(2 << 20, 'x'), "longer than"},
      {"no object", "[1]", "bad JSON-RPC message: a message must be a JSON object"},
      {"members", "{\"id\":1,\"foo\":2}", "no member \"foo\""},
      {"http", "GET / HTTP/1.1\r\n", "bad JSON"},
      {"zero", std::string(1, '\0'), "bad JSON"},
  };
  for (const BadInput& input : inputs) {
    connect();
    write_peer(R"({"method":"good","params":[],"id":1})");
    std::size_t sent = 0;
    ASSERT_TRUE(run_until([&] {
      ssize_t n = ::send(peer, input.text.data() + sent, input.text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) sent += static_cast<std::size_t>(n);
      return closed.has_value();
    })) << input.name;
    EXPECT_EQ(closed->code, EPROTO) << input.name;
    EXPECT_NE(closed->message.find(input.reason), std::string::npos) << input.name << ": " << closed->message;
    EXPECT_EQ(messages.size(), 1u) << input.name;  // what came before it was good
    char c;
    errno = 0;
    EXPECT_LE(::read(peer, &c, 1), 0) << input.name;  // -1: reset, since we did not take all of it
    EXPECT_NE(errno, EAGAIN) << input.name;
  }
}

TEST_F(ConnectionTest, NothingAfterABadMessageIsTaken) {
  write_peer(R"({"id":1,"foo":2}{"method":"late","params":[],"id":2})");
  EXPECT_TRUE(run_until([&] { return closed.has_value(); }));
  EXPECT_TRUE(messages.empty());
}

TEST_F(ConnectionTest, MessageHandlerMayDestroyTheConnection) {
  on_message = [&] { connection.reset(); };
  write_peer(two_messages);
  EXPECT_TRUE(run_until([&] { return !connection; }));
  loop.run_until([] { return false; }, moment);
  EXPECT_EQ(messages.size(), 1u);
  EXPECT_FALSE(closed);
  char c;
  EXPECT_EQ(::read(peer, &c, 1), 0);
}

TEST_F(ConnectionTest, CloseDropsTheRestAndReportsLater) {
  on_message = [&] {
    connection->close("enough");
    connection->send("never");
    EXPECT_FALSE(closed);
  };
  write_peer(two_messages);
  EXPECT_TRUE(run_until([&] { return closed.has_value(); }));
  EXPECT_EQ(closed->message, "enough");
  EXPECT_EQ(closed->code, ECANCELED);
  EXPECT_EQ(messages.size(), 1u);
  EXPECT_EQ(read_peer(), "");
}

TEST_F(ConnectionTest, CloseThenDestroyIsSilent) {
  connection->close("enough");
  connection.reset();
  EXPECT_FALSE(loop.run_until([&] { return closed.has_value(); }, moment));
}

TEST_F(ConnectionTest, FinishSendsFirst) {
  connection->send(reply_text("1", "2"));
  connection->finish();
  EXPECT_TRUE(run_until([&] { return closed.has_value(); }));
  EXPECT_EQ(closed->code, 0);
  EXPECT_EQ(read_peer(), R"({"id":2,"result":1,"error":null})");
}

TEST_F(ConnectionTest, BacklogGrowsIsSeenAndDrains) {
  auto update = std::make_shared<const std::string>(notification_text("update", "[\"" + std::string(50'000, 'u') + "\"]"));
  for (int i = 0; i < 100; i++) connection->send(update);
  EXPECT_EQ(connection->backlog() >= 4'000'000, true) << connection->backlog();
  EXPECT_EQ(connection->messages_sent(), 100u);
  loop.run_until([] { return false; }, moment);
  EXPECT_GT(connection->backlog(), 1'000'000u);
  EXPECT_EQ(drained, 0);
  std::size_t got = 0;
  EXPECT_TRUE(run_until([&] {
    got += read_peer().size();
    return drained == 1;
  }));
  got += read_peer().size();
  EXPECT_EQ(got, 100 * update->size());
  EXPECT_EQ(connection->backlog(), 0u);
}

TEST_F(ConnectionTest, LastReceivedIsTold) {
  loop.stop_time();
  auto before = connection->last_received();
  EXPECT_EQ(before, loop.now());
  bool warped = false;
  EXPECT_TRUE(loop.warp_time(Duration(500), [&] { warped = true; }));
  EXPECT_TRUE(run_until([&] { return warped; }));
  EXPECT_EQ(connection->last_received(), before);
  write_peer("{");
  EXPECT_TRUE(run_until([&] { return connection->last_received() == before + Duration(500); }));
}

}  // namespace
}  // namespace ovs::rpc
