#include "rpc/control.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "base/log.h"
#include "base/paths.h"
#include "rpc/connection.h"
#include "runtime/pidfile.h"
#include "support/temporary_directory.h"

namespace ovs::rpc {
namespace {

using runtime::Duration;
constexpr Duration long_time{30'000};

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    set_program_name("testd");
    EXPECT_TRUE(log_set("console:off"));
    ::setenv("OVS_RUNDIR", dir.path().c_str(), 1);
    table.add({.name = "say", .synopsis = "WORD..."}, [](std::span<const std::string> words) -> Result<std::string> {
      return "said " + join(words);
    });
    table.add({.name = "fail", .synopsis = ""}, [](std::span<const std::string>) -> Result<std::string> {
      return unexpected("it failed");
    });
    table.add({.name = "later", .synopsis = ""},
              [this](std::span<const std::string>, ControlReply reply) { kept.emplace(std::move(reply)); });
    table.add({.name = "drop", .synopsis = ""}, [](std::span<const std::string>, ControlReply) {});
    auto s = ControlServer::create(loop, table, std::nullopt);
    EXPECT_TRUE(s) << s.error().message;
    server = std::move(*s);
  }
  ~ControlTest() override {
    ::unsetenv("OVS_RUNDIR");
    EXPECT_TRUE(log_set("console:warn"));
  }

  static std::string join(std::span<const std::string> words) {
    std::string s;
    for (auto& w : words) s += "<" + w + ">";
    return s;
  }

  // The client blocks, so it has a thread of its own while the server runs here.
  Result<ControlAnswer> call(const std::string& command, const std::vector<std::string>& arguments = {},
                             std::optional<Duration> timeout = long_time) {
    std::optional<Result<ControlAnswer>> answer;
    std::thread client([&] {
      auto a = control_call(server->path(), command, arguments, timeout);
      loop.post([&, a = std::move(a)]() mutable { answer.emplace(std::move(a)); });
    });
    EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }, long_time));
    client.join();
    return std::move(*answer);
  }
  std::string answer_to(const std::string& command, const std::vector<std::string>& arguments = {}) {
    auto a = call(command, arguments);
    if (!a) return "call failed: " + a.error().message;
    return (a->ok ? "ok: " : "error: ") + a->text;
  }

  runtime::Loop loop;
  TemporaryDirectory dir;
  ControlTable table;
  std::optional<ControlReply> kept;
  std::unique_ptr<ControlServer> server;
};

TEST_F(ControlTest, DefaultPathAndItsRemoval) {
  std::string path = dir.file("testd." + std::to_string(::getpid()) + ".ctl");
  EXPECT_EQ(server->path(), path);
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  server.reset();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(ControlTest, CommandsAndErrors) {
  EXPECT_EQ(answer_to("say", {"a b", "\"é\n"}), "ok: said <a b><\"é\n>\n");
  EXPECT_EQ(answer_to("fail"), "error: it failed\n");
  EXPECT_EQ(answer_to("drop"), "error: the command was given up\n");
  EXPECT_TRUE(answer_to("version").starts_with("ok: testd (Open vSwitch)"));
  EXPECT_TRUE(answer_to("nosuch").starts_with("error: \"nosuch\" is not a valid command"));
  std::string surplus = answer_to("fail", {"surplus"});
  EXPECT_TRUE(surplus.starts_with("error: ")) << surplus;
  EXPECT_NE(surplus.find("takes at most 0 arguments"), surplus.npos) << surplus;
}

TEST_F(ControlTest, SlowCommandDoesNotHoldUpOthers) {
  std::optional<std::string> slow;
  std::thread client([&] {
    auto a = control_call(server->path(), "later", {}, long_time);
    loop.post([&, text = a ? a->text : a.error().message] { slow = text; });
  });
  EXPECT_TRUE(loop.run_until([&] { return kept.has_value(); }, long_time));
  EXPECT_EQ(answer_to("say", {"x"}), "ok: said <x>\n");
  EXPECT_FALSE(slow);
  kept->ok("at last");
  EXPECT_TRUE(loop.run_until([&] { return slow.has_value(); }, long_time));
  EXPECT_EQ(*slow, "at last\n");
  client.join();
}

TEST_F(ControlTest, ClientThatGoesAwayIsForgotten) {
  auto a = call("later", {}, Duration(20));
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error().code, ETIMEDOUT);
  EXPECT_TRUE(loop.run_until([&] { return server->connections() == 0; }, long_time));
  kept->ok("nobody hears this");
  EXPECT_EQ(answer_to("say", {"x"}), "ok: said <x>\n");
}

TEST_F(ControlTest, AnswerAfterTheServerIsGone) {
  auto a = call("later", {}, Duration(20));
  server.reset();
  kept->ok("no crash");
}

TEST_F(ControlTest, SeveralCommandsOfOneClient) {
  auto stream = runtime::Stream::connect(loop, "unix:" + server->path());
  std::vector<std::string> answers;
  Connection client(std::move(*stream), {
                                            .message =
                                                [&](Message&& m) {
                                                  answers.push_back(to_text(m.id) + (m.kind == Message::Kind::reply ? "+" : "-") +
                                                                    to_text(m.result));
                                                },
                                            .closed = nullptr,
                                            .drained = nullptr,
                                        });
  client.send(request_text("later", "[]", "\"slow\""));
  client.send(request_text("say", "[\"x\"]", "2"));
  client.send(request_text("say", "[1]", "3"));
  EXPECT_TRUE(loop.run_until([&] { return answers.size() == 2 && kept; }, long_time));
  EXPECT_EQ(answers[0], "2+\"said <x>\\n\"");
  EXPECT_EQ(answers[1], "3-\"\\\"say\\\" command has an argument that is no string\\n\"");
  kept->ok();
  EXPECT_TRUE(loop.run_until([&] { return answers.size() == 3; }, long_time));
  EXPECT_EQ(answers[2], "\"slow\"+\"\"");
}

TEST_F(ControlTest, WrongMessagesCloseTheirConnectionOnly) {
  for (std::string text : {"x", "{\"id\":null,\"method\":\"say\",\"params\":[]}", "{\"id\":1,\"result\":1,\"error\":null}"}) {
    auto stream = runtime::Stream::connect(loop, "unix:" + server->path());
    bool closed = false;
    (*stream)->set_handler({.received = [](std::string_view) {}, .closed = [&](const Error&) { closed = true; }});
    (*stream)->send_copy(text);
    EXPECT_TRUE(loop.run_until([&] { return closed; }, long_time)) << text;
  }
  EXPECT_EQ(answer_to("say", {"x"}), "ok: said <x>\n");
}

TEST_F(ControlTest, NoSocketAtAll) {
  ControlTable other;
  auto s = ControlServer::create(loop, other, "none");
  ASSERT_TRUE(s);
  EXPECT_EQ((*s)->path(), "");
  EXPECT_EQ(other.commands().count("version"), 1u);
}

TEST_F(ControlTest, RelativePathIsBelowRundir) {
  ControlTable other;
  auto s = ControlServer::create(loop, other, "mine.ctl");
  ASSERT_TRUE(s);
  EXPECT_EQ((*s)->path(), dir.file("mine.ctl"));
  ControlTable third;
  auto taken = ControlServer::create(loop, third, "mine.ctl");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, EADDRINUSE);
}

TEST_F(ControlTest, Targets) {
  EXPECT_EQ(control_socket_of("/a/b").value(), "/a/b");
  auto none = control_socket_of("nosuchd");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "cannot read pidfile \"" + dir.file("nosuchd.pid") + "\" (No such file or directory)");
  ASSERT_TRUE(runtime::create_pidfile(dir.file("testd.pid"), false));
  EXPECT_EQ(control_socket_of("testd").value(), server->path());
  runtime::remove_pidfile();
  std::ofstream(dir.file("dead.pid")) << "1\n";
  EXPECT_EQ(control_socket_of("dead").error().code, ESRCH);
}

TEST_F(ControlTest, NobodyListens) {
  auto a = control_call(dir.file("none"), "x", {}, long_time);
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error().message, "cannot connect to \"" + dir.file("none") + "\" (No such file or directory)");
}

TEST_F(ControlTest, SlowNotice) {
  // Somebody who takes connections and says nothing.
  int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  dir.file("mute").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  int said = 0;
  auto a = control_call(dir.file("mute"), "x", {}, Duration(60), {.after = Duration(5), .say = [&] { said++; }});
  EXPECT_EQ(a.error().code, ETIMEDOUT);
  EXPECT_EQ(said, 1);
  ::close(fd);
}

}  // namespace
}  // namespace ovs::rpc
