#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "runtime/stream.h"
#include "support/temporary_directory.h"

namespace ovs::runtime {
namespace {

constexpr Duration long_time{30'000};

class ListenerTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Listener>> listen(const std::string& name) {
    return Listener::listen(loop, name, [this](std::unique_ptr<Stream> s) { accepted.push_back(std::move(s)); });
  }

  // Whether a client that connects by `name` gets through to us.
  bool reachable(const std::string& name) {
    auto s = Stream::connect(loop, name);
    if (!s) return false;
    bool failed = false;
    std::size_t before = accepted.size();
    (*s)->set_handler({.closed = [&](const Error&) { failed = true; }});
    loop.run_until([&] { return failed || accepted.size() > before; }, long_time);
    return !failed;
  }

  static bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

  Loop loop;
  TemporaryDirectory dir;
  std::vector<std::unique_ptr<Stream>> accepted;
};

TEST_F(ListenerTest, UnixSocketIsThereWhileItIsServed) {
  std::string path = dir.file("s");
  mode_t old = ::umask(022);
  auto l = listen("punix:" + path);
  ::umask(old);
  ASSERT_TRUE(l) << l.error().message;
  struct stat s;
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0750u);
  EXPECT_EQ((*l)->name(), "punix:" + path);
  EXPECT_EQ((*l)->bound_port(), 0);
  EXPECT_TRUE(reachable("unix:" + path));
  EXPECT_TRUE(accepted[0]->name().starts_with("unix#"));
  l->reset();
  EXPECT_FALSE(exists(path));
}

TEST_F(ListenerTest, SocketOfALivingProcessIsNotTakenAway) {
  std::string path = dir.file("s");
  auto first = listen("punix:" + path);
  ASSERT_TRUE(first);
  auto second = listen("punix:" + path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_EQ(second.error().message, "punix:" + path + ": another process listens on this socket");
  EXPECT_TRUE(reachable("unix:" + path));
}

TEST_F(ListenerTest, SocketOfADeadProcessIsReplaced) {
  std::string path = dir.file("s");
  if (::fork() == 0) {
    Loop own;
    auto l = Listener::listen(own, "punix:" + path, [](auto) {});
    ::_exit(l ? 0 : 1);  // without destructors, as a crash
  }
  int status = 0;
  ::wait(&status);
  ASSERT_EQ(status, 0);
  ASSERT_TRUE(exists(path));
  auto l = listen("punix:" + path);
  ASSERT_TRUE(l) << l.error().message;
  EXPECT_TRUE(reachable("unix:" + path));
}

TEST_F(ListenerTest, AnotherFileIsNotTouched) {
  std::string path = dir.file("precious");
  ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
  auto l = listen("punix:" + path);
  ASSERT_FALSE(l);
  EXPECT_EQ(l.error().code, EADDRINUSE);
  EXPECT_EQ(l.error().message, "punix:" + path + ": something that is not a socket has this name already; " +
                                   "remove it, or use another name");
  EXPECT_TRUE(exists(path));
}

TEST_F(ListenerTest, ReplacedSocketFileIsNotRemoved) {
  std::string path = dir.file("s");
  auto l = listen("punix:" + path);
  ASSERT_TRUE(l);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  auto other = listen("punix:" + path);
  ASSERT_TRUE(other);
  l->reset();
  EXPECT_TRUE(exists(path));
  EXPECT_TRUE(reachable("unix:" + path));
}

TEST_F(ListenerTest, PathLongerThanTheKernelsStructure) {
  std::string deep = dir.path();
  for (int i = 0; i < 4; i++) {
    deep += "/" + std::string(50, 'd');
    ASSERT_EQ(::mkdir(deep.c_str(), 0700), 0);
  }
  std::string path = deep + "/socket";
  ASSERT_GT(path.size(), 200u);
  {
    auto l = listen("punix:" + path);
    ASSERT_TRUE(l) << l.error().message;
    EXPECT_TRUE(exists(path));
    EXPECT_TRUE(reachable("unix:" + path));
  }
  EXPECT_FALSE(exists(path));
  auto too_long = listen("punix:" + deep + "/" + std::string(150, 's'));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, ENAMETOOLONG);
  EXPECT_TRUE(too_long.error().message.starts_with("punix:" + deep)) << too_long.error().message;
}

TEST_F(ListenerTest, TcpPortIsTold) {
  auto l = listen("ptcp:0:127.0.0.1");
  ASSERT_TRUE(l) << l.error().message;
  int port = (*l)->bound_port();
  ASSERT_GT(port, 0);
  EXPECT_TRUE(reachable("tcp:127.0.0.1:" + std::to_string(port)));
  EXPECT_TRUE(accepted[0]->name().starts_with("tcp:127.0.0.1:")) << accepted[0]->name();
  auto second = listen("ptcp:" + std::to_string(port) + ":127.0.0.1");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
}

TEST_F(ListenerTest, Ipv6AnyTakesBoth) {
  auto l = listen("ptcp:0:[::]");
  if (!l && l.error().code == EAFNOSUPPORT) GTEST_SKIP() << "this machine has no IPv6";
  ASSERT_TRUE(l) << l.error().message;
  std::string port = std::to_string((*l)->bound_port());
  EXPECT_TRUE(reachable("tcp:127.0.0.1:" + port));
  EXPECT_TRUE(reachable("tcp:[::1]:" + port));
}

TEST_F(ListenerTest, HundredsConnectAtOnce) {
  std::string path = dir.file("s");
  auto l = listen("punix:" + path);
  ASSERT_TRUE(l);
  std::vector<std::unique_ptr<Stream>> clients;
  int failed = 0;
  for (int i = 0; i < 300; i++) {
    auto s = Stream::connect(loop, "unix:" + path);
    ASSERT_TRUE(s);
    (*s)->set_handler({.closed = [&](const Error&) { failed++; }});
    clients.push_back(std::move(*s));
  }
  EXPECT_TRUE(loop.run_until([&] { return accepted.size() == 300; }, long_time));
  EXPECT_EQ(failed, 0);
}

TEST_F(ListenerTest, WithoutDescriptorsItRestsAndGoesOn) {
  std::string path = dir.file("s");
  auto l = listen("punix:" + path);
  ASSERT_TRUE(l);
  auto client = Stream::connect(loop, "unix:" + path);
  bool connected = false;
  (*client)->set_handler({.connected = [&] { connected = true; }});
  rlimit old;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  // The client's socket still gets a descriptor, the accepted one does not.
  int lowest = ::open("/dev/null", O_RDONLY);
  ::close(lowest);
  rlimit few{static_cast<rlim_t>(lowest) + 1, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_TRUE(loop.run_until([&] { return connected; }, long_time));
  loop.run_until([] { return false; }, Duration(10));
  EXPECT_TRUE(accepted.empty());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_TRUE(loop.run_until([&] { return accepted.size() == 1; }, long_time));
}

TEST_F(ListenerTest, HandlerMayDestroyTheListener) {
  std::string path = dir.file("s");
  std::unique_ptr<Listener> l;
  bool called = false;
  auto made = Listener::listen(loop, "punix:" + path, [&](std::unique_ptr<Stream>) {
    called = true;
    l.reset();
  });
  ASSERT_TRUE(made);
  l = std::move(*made);
  auto a = Stream::connect(loop, "unix:" + path);
  auto b = Stream::connect(loop, "unix:" + path);
  EXPECT_TRUE(loop.run_until([&] { return called; }, long_time));
  EXPECT_FALSE(exists(path));
}

}  // namespace
}  // namespace ovs::runtime
