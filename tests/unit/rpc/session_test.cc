// Sessions against a server of the test's own, with time standing still unless it is moved.
#include "rpc/session.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "support/temporary_directory.h"

namespace ovs::rpc {
namespace {

using runtime::Duration;
constexpr Duration long_time{30'000};
constexpr Duration moment{20};

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    EXPECT_TRUE(log_set("console:off"));
    loop.stop_time();
  }
  ~SessionTest() override { EXPECT_TRUE(log_set("console:warn")); }

  std::string path() const { return dir.file("s"); }

  void serve() {
    auto l = runtime::Listener::listen(loop, "punix:" + path(), [this](std::unique_ptr<runtime::Stream> s) {
      accepted++;
      client = std::make_unique<Connection>(std::move(s), Connection::Handler{
                                                              .message = [this](Message&& m) { serve_message(std::move(m)); },
                                                              .closed = [this](const Error&) { client.reset(); },
                                                              .drained = nullptr,
                                                          });
    });
    ASSERT_TRUE(l) << l.error().message;
    listener = std::move(*l);
  }
  void stop_serving() {
    listener.reset();
    client.reset();
  }
  void serve_message(Message&& m) {
    served.push_back(m.method + to_text(m.params));
    if (m.method == "add") client->send(reply_text("42", to_text(m.id)));
    if (m.method == "fail") client->send(error_text("\"no\"", to_text(m.id)));
    if (m.method == "echo" && answers_echo) client->send(reply_text(to_text(m.params), to_text(m.id)));
    if (m.kind == Message::Kind::reply) served.push_back("reply " + to_text(m.result) + " to " + to_text(m.id));
  }

  void start(SessionOptions options = {}, std::string remotes = {}) {
    auto s = Session::create(loop, remotes.empty() ? "unix:" + path() : remotes,
                             {
                                 .connected = [this] { events += "connected "; },
                                 .disconnected = [this](const Error& e) { events += "lost(" + e.message + ") "; },
                                 .failed = [this](const Error&) { events += "failed "; },
                                 .message = [this](Message&& m) { events += m.method + to_text(m.params) + " "; },
                             },
                             options);
    ASSERT_TRUE(s) << s.error().message;
    session = std::move(*s);
  }
  bool run_until(const std::function<bool()>& done) { return loop.run_until(done, long_time); }
  bool run_until_event(std::string_view event) {
    return run_until([&] { return events.find(event) != events.npos; });
  }
  void rest() { loop.run_until([] { return false; }, moment); }
  void warp(int ms) {
    bool done = false;
    ASSERT_TRUE(loop.warp_time(Duration(ms), [&] { done = true; }));
    ASSERT_TRUE(run_until([&] { return done; }));
  }

  runtime::Loop loop;
  TemporaryDirectory dir;
  std::unique_ptr<runtime::Listener> listener;
  std::unique_ptr<Connection> client;
  std::unique_ptr<Session> session;
  std::vector<std::string> served;
  std::string events;
  int accepted = 0;
  bool answers_echo = true;
};

TEST_F(SessionTest, RequestsAndReplies) {
  serve();
  start();
  EXPECT_EQ(events, "");  // nothing is called from within create()
  ASSERT_TRUE(run_until_event("connected"));
  EXPECT_TRUE(session->is_connected());
  EXPECT_EQ(session->status(), "ACTIVE");
  std::vector<std::string> answers;
  auto keep = [&](Response&& r) { answers.push_back((r.ok ? "ok " : "error ") + to_text(r.value)); };
  session->request("add", "[1]", keep);
  session->request("fail", "[2]", keep);
  EXPECT_TRUE(answers.empty());
  ASSERT_TRUE(run_until([&] { return answers.size() == 2; }));
  EXPECT_EQ(answers, (std::vector<std::string>{"ok 42", "error \"no\""}));
  EXPECT_EQ(served, (std::vector<std::string>{"add[1]", "fail[2]"}));
}

TEST_F(SessionTest, ForgottenReplyIsNotDelivered) {
  serve();
  start();
  ASSERT_TRUE(run_until_event("connected"));
  bool first = false, second = false;
  auto id = session->request("add", "[]", [&](Response&&) { first = true; });
  session->request("add", "[]", [&](Response&&) { second = true; });
  session->forget(id);
  ASSERT_TRUE(run_until([&] { return second; }));
  EXPECT_FALSE(first);
}

TEST_F(SessionTest, PeersEchoIsAnsweredOtherMessagesAreDelivered) {
  serve();
  start();
  ASSERT_TRUE(run_until_event("connected"));
  ASSERT_TRUE(run_until([&] { return client != nullptr; }));
  client->send(request_text("echo", "[\"hi\"]", "\"e1\""));
  client->send(notification_text("update", "[1]"));
  ASSERT_TRUE(run_until_event("update[1]"));
  ASSERT_TRUE(run_until([&] { return !served.empty() && served.back() == "reply [\"hi\"] to \"e1\""; }));
  EXPECT_EQ(events, "connected update[1] ");
}

TEST_F(SessionTest, LossAnswersWhatIsUnderWayInOrderThenTells) {
  serve();
  start();
  ASSERT_TRUE(run_until_event("connected"));
  for (int i = 1; i <= 3; i++) {
    session->request("slow", "[]", [this, i](Response&& r) {
      EXPECT_FALSE(r.ok);
      EXPECT_TRUE(r.disconnected);
      events += "given back " + std::to_string(i) + " ";
    });
  }
  ASSERT_TRUE(run_until([&] { return served.size() == 3; }));
  client.reset();
  ASSERT_TRUE(run_until_event("lost"));
  EXPECT_EQ(events, "connected given back 1 given back 2 given back 3 lost(connection closed by peer) ");
  EXPECT_FALSE(session->is_connected());
  EXPECT_EQ(session->last_error().message, "connection closed by peer");
}

TEST_F(SessionTest, RequestWithoutAConnectionIsGivenBackLater) {
  start();
  bool done = false;
  session->request("add", "[]", [&](Response&& r) {
    EXPECT_TRUE(r.disconnected);
    done = true;
  });
  EXPECT_FALSE(done);
  EXPECT_TRUE(run_until([&] { return done; }));
  bool forgotten = false;
  session->forget(session->request("add", "[]", [&](Response&&) { forgotten = true; }));
  rest();
  EXPECT_FALSE(forgotten);
}

TEST_F(SessionTest, ComesBackAfterTheBackOff) {
  start();
  ASSERT_TRUE(run_until([&] { return !session->last_error().message.empty(); }));
  EXPECT_EQ(session->status(), "BACKOFF");
  EXPECT_EQ(events, "");  // it never was connected
  serve();
  warp(999);
  rest();
  EXPECT_EQ(accepted, 0);
  warp(1);
  ASSERT_TRUE(run_until_event("connected"));
  stop_serving();
  ASSERT_TRUE(run_until_event("lost"));
  serve();
  warp(8000);
  ASSERT_TRUE(run_until([&] { return session->is_connected(); }));
  EXPECT_EQ(accepted, 2);
}

TEST_F(SessionTest, ProbesAndGivesUpAPeerThatIsSilent) {
  serve();
  start();
  ASSERT_TRUE(run_until_event("connected"));
  warp(5000);
  ASSERT_TRUE(run_until([&] { return served == std::vector<std::string>{"echo[]"}; }));
  rest();  // the reply comes
  warp(4999);
  rest();
  EXPECT_EQ(served.size(), 1u);
  answers_echo = false;
  warp(1);
  ASSERT_TRUE(run_until([&] { return served.size() == 2; }));
  EXPECT_EQ(session->status(), "IDLE");
  warp(5000);
  ASSERT_TRUE(run_until_event("lost(no response to inactivity probe)"));
}

TEST_F(SessionTest, OneAttemptAtEachRemote) {
  start({.retry = false}, "unix:" + dir.file("a") + ", unix:" + dir.file("b"));
  ASSERT_TRUE(run_until_event("failed"));
  EXPECT_EQ(session->name(), "unix:" + dir.file("b"));
  EXPECT_EQ(session->last_error().message, dir.file("b") + ": No such file or directory");
  EXPECT_EQ(session->status(), "FAILED");
  EXPECT_EQ(events, "failed ");
}

TEST_F(SessionTest, SecondRemoteIsTakenWhereTheFirstIsAway) {
  serve();
  start({}, "unix:" + dir.file("away") + ",unix:" + path());
  ASSERT_TRUE(run_until_event("connected"));
  EXPECT_EQ(session->name(), "unix:" + path());
}

TEST_F(SessionTest, ForcedReconnect) {
  serve();
  start();
  ASSERT_TRUE(run_until_event("connected"));
  session->force_reconnect("because");
  ASSERT_TRUE(run_until([&] { return events == "connected lost(because) connected "; })) << events;
  ASSERT_TRUE(run_until([&] { return accepted == 2; }));
}

TEST_F(SessionTest, OwnersFunctionsMayDestroyTheSession) {
  serve();
  start();
  ASSERT_TRUE(run_until_event("connected"));
  int calls = 0;
  for (int i = 0; i < 3; i++) {
    session->request("slow", "[]", [&](Response&&) {
      calls++;
      session.reset();
    });
  }
  ASSERT_TRUE(run_until([&] { return served.size() == 3; }));
  client.reset();
  ASSERT_TRUE(run_until([&] { return calls > 0; }));
  rest();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(events, "connected ");

  events.clear();
  start();
  ASSERT_TRUE(run_until_event("connected"));
  session->request("add", "[]", [&](Response&&) { session.reset(); });
  ASSERT_TRUE(run_until([&] { return !session; }));
}

TEST_F(SessionTest, PeerThatSendsGarbageIsLeft) {
  serve();
  start();
  ASSERT_TRUE(run_until_event("connected"));
  ASSERT_TRUE(run_until([&] { return client != nullptr; }));
  client->send(std::string("}{"));
  ASSERT_TRUE(run_until_event("lost(received bad JSON"));
}

TEST_F(SessionTest, RemotesThatCannotBeRight) {
  for (auto remotes : {"", " , ", "foo", "unix:", "tcp:h:p", "punix:", "ptcp:6640:h", "unix:/a,cid:123"}) {
    EXPECT_FALSE(Session::create(loop, remotes, {})) << remotes;
  }
  EXPECT_EQ(Session::create(loop, "udp:1", {}).error().message,
            "udp:1: not a connection method (use unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT] to connect to the "
            "server, punix:FILE, ptcp:[PORT][:IP] or pssl:[PORT][:IP] to wait for it)");
}

TEST_F(SessionTest, APassiveRemoteWaitsForThePeer) {
  const auto call = [this] {
    auto stream = runtime::Stream::connect(loop, "unix:" + path());
    ASSERT_TRUE(stream);
    client = std::make_unique<Connection>(
        std::move(*stream), Connection::Handler{.message = [this](Message&& m) { serve_message(std::move(m)); },
                                                .closed = [this](const Error&) { client.reset(); },
                                                .drained = nullptr});
  };
  const auto listens = [this] { return std::filesystem::exists(path()); };
  start({}, "punix:" + path());
  ASSERT_TRUE(run_until(listens));
  warp(3'600'000);
  EXPECT_EQ(events, "");
  EXPECT_EQ(session->status(), "CONNECTING");
  call();
  ASSERT_TRUE(run_until_event("connected"));
  EXPECT_FALSE(listens());
  std::string answer;
  session->request("add", "[1]", [&](Response&& r) { answer = to_text(r.value); });
  ASSERT_TRUE(run_until([&] { return answer == "42"; }));
  // The peer goes, and comes again.
  client.reset();
  ASSERT_TRUE(run_until_event("lost"));
  warp(10'000);
  ASSERT_TRUE(run_until(listens));
  events.clear();
  call();
  ASSERT_TRUE(run_until_event("connected"));
  session.reset();
  ASSERT_TRUE(run_until([&] { return client == nullptr; }));
}

TEST_F(SessionTest, APassiveRemoteThatCannotBe) {
  start({.retry = false}, "punix:" + dir.file("none/s"));
  ASSERT_TRUE(run_until_event("failed"));
  EXPECT_EQ(session->last_error().code, ENOENT);
}

TEST_F(SessionTest, TheReasonDoesNotRepeatTheRemote) {
  serve();
  start({.retry = false}, "punix:" + path());
  ASSERT_TRUE(run_until_event("failed"));
  EXPECT_EQ(session->last_reason(), "another process listens on this socket");
  events.clear();
  start({.retry = false}, "punix:" + dir.file("none/s"));
  EXPECT_EQ(session->last_reason(), "");
  ASSERT_TRUE(run_until_event("failed"));
  EXPECT_EQ(session->last_reason(), "No such file or directory");
  EXPECT_EQ(reason_without_name("pssl:1", {"pssl:1: /k: wrong", EINVAL}), "/k: wrong");
  EXPECT_EQ(reason_without_name("tcp:h:1", {"192.0.2.1:1: refused", ECONNREFUSED}), "Connection refused");
  EXPECT_EQ(reason_without_name("tcp:h:1", {"tcp:h:12: odd"}), "tcp:h:12: odd");
}

TEST_F(SessionTest, APassiveRemoteAmongOthersWaitsForItsTime) {
  serve();
  start({.retry = false}, "punix:" + dir.file("p") + ",unix:" + path());
  ASSERT_TRUE(run_until([&] { return std::filesystem::exists(dir.file("p")); }));
  warp(8'000);
  ASSERT_TRUE(run_until_event("connected"));
  EXPECT_EQ(session->name(), "unix:" + path());
  EXPECT_FALSE(std::filesystem::exists(dir.file("p")));
}

TEST_F(SessionTest, OwnersFunctionsMayDestroyAListeningSession) {
  auto made = Session::create(loop, "punix:" + path(),
                              {.connected = [this] { session.reset(); events += "connected "; },
                               .disconnected = nullptr, .failed = nullptr, .message = nullptr, .drained = nullptr});
  ASSERT_TRUE(made);
  session = std::move(*made);
  ASSERT_TRUE(run_until([&] { return std::filesystem::exists(path()); }));
  auto stream = runtime::Stream::connect(loop, "unix:" + path());
  ASSERT_TRUE(stream);
  ASSERT_TRUE(run_until_event("connected"));
  rest();
  EXPECT_FALSE(session);
}

}  // namespace
}  // namespace ovs::rpc
