#include "runtime/stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>

#include "runtime/socket_stream.h"
#include "support/temporary_directory.h"

namespace ovs::runtime {
namespace {

constexpr Duration long_time{30'000};
constexpr Duration moment{20};  // long enough for what must not happen

// A stream and, at the other end of a socket pair, plain system calls.
class StreamTest : public testing::Test {
 protected:
  StreamTest() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream = adopt_socket(loop, fds[0], "test");
    peer = fds[1];
  }
  ~StreamTest() override { close_peer(); }

  void close_peer() {
    if (peer >= 0) ::close(peer);
    peer = -1;
  }

  void listen_to_stream() {
    stream->set_handler({
        .connected = [this] { log += "connected "; },
        .received = [this](std::string_view s) { received += s; },
        .drained = [this] { drained++; },
        .closed = [this](Error e) { closed = std::move(e); },
    });
  }

  bool run_until(const std::function<bool()>& done) { return loop.run_until(done, long_time); }

  // Everything that the peer's end holds now.
  std::string read_peer() {
    std::string s;
    char buffer[65536];
    for (ssize_t n; (n = ::read(peer, buffer, sizeof buffer)) > 0;) s.append(buffer, static_cast<std::size_t>(n));
    return s;
  }

  Loop loop;
  std::unique_ptr<Stream> stream;
  int peer = -1;
  std::string log, received;
  int drained = 0;
  std::optional<Error> closed;
};

TEST_F(StreamTest, ReceivesBytesInOrder) {
  listen_to_stream();
  ASSERT_EQ(::write(peer, "abc", 3), 3);
  EXPECT_TRUE(run_until([&] { return received == "abc"; }));
  ASSERT_EQ(::write(peer, "def", 3), 3);
  EXPECT_TRUE(run_until([&] { return received == "abcdef"; }));
  EXPECT_EQ(log, "");
}

TEST_F(StreamTest, NothingIsReadBeforeThereIsAHandler) {
  ASSERT_EQ(::write(peer, "early", 5), 5);
  EXPECT_FALSE(loop.run_until([&] { return !received.empty(); }, moment));
  listen_to_stream();
  EXPECT_TRUE(run_until([&] { return received == "early"; }));
}

TEST_F(StreamTest, SendsAtTheEndOfTheRoundInOrder) {
  listen_to_stream();
  auto large = std::make_shared<const std::string>(3000, 'L');
  stream->send(std::string("one,"));
  stream->send(std::make_shared<const std::string>("two,"));
  stream->send(large);
  stream->send_copy("four,");
  stream->send(std::string(5000, 'o'));
  stream->send(std::string());
  stream->send_copy("end");
  EXPECT_EQ(read_peer(), "");
  EXPECT_EQ(stream->backlog(), 4u + 4 + 3000 + 5 + 5000 + 3);
  EXPECT_TRUE(run_until([&] { return stream->backlog() == 0; }));
  EXPECT_EQ(read_peer(), "one,two," + *large + "four," + std::string(5000, 'o') + "end");
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(large.use_count(), 1);
}

TEST_F(StreamTest, OneWriteForOneRound) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
  auto packets = adopt_socket(loop, fds[0], "packets");  // each write arrives as one packet
  for (int i = 0; i < 100; i++) packets->send_copy("0123456789");
  EXPECT_TRUE(run_until([&] { return packets->backlog() == 0; }));
  char buffer[65536];
  EXPECT_EQ(::read(fds[1], buffer, sizeof buffer), 1000);
  ::close(fds[1]);
}

TEST_F(StreamTest, LargeBuffersAreSharedNotCopied) {
  auto buffer = std::make_shared<const std::string>(100'000, 'x');
  stream->send(buffer);
  stream->send(buffer);
  EXPECT_EQ(buffer.use_count(), 3);
}

TEST_F(StreamTest, PeerThatDoesNotReadShowsAsBacklog) {
  listen_to_stream();
  std::string text;
  for (int i = 0; i < 2000; i++) {
    std::string line = std::to_string(i) + std::string(1000, static_cast<char>('a' + i % 26));
    text += line;
    stream->send(std::move(line));
  }
  // The socket's buffer takes some; the rest stays and is seen.
  EXPECT_FALSE(loop.run_until([&] { return stream->backlog() == 0; }, moment));
  EXPECT_GT(stream->backlog(), 1'000'000u);
  EXPECT_LT(stream->backlog(), text.size());
  EXPECT_EQ(drained, 0);
  // When the peer reads, everything comes, once and in order.
  std::string got;
  EXPECT_TRUE(run_until([&] {
    got += read_peer();
    return got.size() >= text.size();
  }));
  EXPECT_TRUE(got == text);
  EXPECT_TRUE(run_until([&] { return drained == 1; }));
}

TEST_F(StreamTest, PauseReading) {
  listen_to_stream();
  stream->pause_reading(true);
  ASSERT_EQ(::write(peer, "abc", 3), 3);
  EXPECT_FALSE(loop.run_until([&] { return !received.empty(); }, moment));
  stream->pause_reading(false);
  EXPECT_TRUE(run_until([&] { return received == "abc"; }));
}

TEST_F(StreamTest, PeerCloses) {
  listen_to_stream();
  ASSERT_EQ(::write(peer, "last", 4), 4);
  close_peer();
  EXPECT_TRUE(run_until([&] { return closed.has_value(); }));
  EXPECT_EQ(received, "last");
  EXPECT_EQ(closed->code, 0);
  stream->send_copy("into the void");
  EXPECT_EQ(stream->backlog(), 0u);
}

TEST_F(StreamTest, PeerClosesWhileWeWrite) {
  listen_to_stream();
  ASSERT_EQ(::write(peer, "reason", 6), 6);
  close_peer();
  stream->send_copy("x");
  EXPECT_TRUE(run_until([&] { return closed.has_value(); }));
  EXPECT_EQ(received, "reason");  // what came before the end is not lost
}

TEST_F(StreamTest, HalfClosedPeerStillGetsItsAnswer) {
  listen_to_stream();
  ASSERT_EQ(::write(peer, "question", 8), 8);
  EXPECT_TRUE(run_until([&] { return received == "question"; }));
  stream->send_copy("answer");
  stream->finish();
  stream->send_copy("too late");
  EXPECT_TRUE(run_until([&] { return closed.has_value(); }));
  EXPECT_EQ(closed->code, 0);
  EXPECT_EQ(read_peer(), "answer");
}

TEST_F(StreamTest, FinishWaitsForASlowPeer) {
  listen_to_stream();
  stream->send(std::string(2'000'000, 'z'));
  stream->finish();
  EXPECT_FALSE(loop.run_until([&] { return closed.has_value(); }, moment));
  std::size_t got = 0;
  EXPECT_TRUE(run_until([&] {
    got += read_peer().size();
    return closed.has_value();
  }));
  got += read_peer().size();
  EXPECT_EQ(got, 2'000'000u);
}

TEST_F(StreamTest, HandlersMayDestroyTheStream) {
  stream->set_handler({.received = [this](std::string_view) { stream.reset(); }});
  ASSERT_EQ(::write(peer, "x", 1), 1);
  EXPECT_TRUE(run_until([&] { return !stream; }));
  char c;
  EXPECT_EQ(::read(peer, &c, 1), 0);
}

TEST_F(StreamTest, DrainedMayDestroyTheStream) {
  stream->set_handler({.drained = [this] { stream.reset(); }});
  stream->send_copy("x");
  EXPECT_TRUE(run_until([&] { return !stream; }));
}

TEST_F(StreamTest, ClosedMayDestroyTheStream) {
  stream->set_handler({.received = [](std::string_view) {}, .closed = [this](const Error&) { stream.reset(); }});
  close_peer();
  EXPECT_TRUE(run_until([&] { return !stream; }));
}

TEST_F(StreamTest, BusyPeerDoesNotStarveAnother) {
  listen_to_stream();
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  auto busy = adopt_socket(loop, fds[0], "busy");
  std::size_t busy_bytes = 0;
  busy->set_handler({.received = [&](std::string_view s) {
    // This peer always has more.
    std::string more(s.size(), 'b');
    EXPECT_GT(::write(fds[1], more.data(), more.size()), 0);
    busy_bytes += s.size();
  }});
  ASSERT_GT(::write(fds[1], std::string(50'000, 'b').data(), 50'000), 0);
  EXPECT_TRUE(run_until([&] { return busy_bytes > 1'000'000; }));
  ASSERT_EQ(::write(peer, "me too", 6), 6);
  std::size_t before = busy_bytes;
  EXPECT_TRUE(run_until([&] { return received == "me too"; }));
  EXPECT_LT(busy_bytes - before, 10u * 65536);
  ::close(fds[1]);
}

// ---- connecting

class ConnectTest : public testing::Test {
 protected:
  // Connects and returns "connected" or the error.
  std::string outcome(const std::string& name) {
    auto s = Stream::connect(loop, name);
    if (!s) return "at once: " + s.error().message;
    std::string result;
    (*s)->set_handler({.connected = [&] { result = "connected"; },
                       .closed = [&](const Error& e) { result = e.message; }});
    EXPECT_TRUE(loop.run_until([&] { return !result.empty(); }, long_time));
    return result;
  }

  Loop loop;
  TemporaryDirectory dir;
};

TEST_F(ConnectTest, UnixSocketThatIsNotThere) {
  EXPECT_EQ(outcome("unix:" + dir.file("none")), dir.file("none") + ": No such file or directory");
}

TEST_F(ConnectTest, RefusedTcp) {
  // A port that was bound a moment ago and is not listened to.
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof a;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&a), size), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size), 0);
  std::string address = "127.0.0.1:" + std::to_string(ntohs(a.sin_port));
  EXPECT_EQ(outcome("tcp:" + address), address + ": Connection refused");
  ::close(fd);
}

TEST_F(ConnectTest, WrongNamesFailAtOnce) {
  EXPECT_EQ(outcome("tcp:h:x"), "at once: tcp:h:x: \"x\" is not a port number (1 to 65535)");
  EXPECT_FALSE(Stream::check_name("tcp:h:x"));
  EXPECT_TRUE(Stream::check_name("tcp:h:1"));
}

TEST_F(ConnectTest, DestroyedWhileConnecting) {
  auto s = Stream::connect(loop, "unix:" + dir.file("none"));
  bool called = false;
  (*s)->set_handler({.closed = [&](const Error&) { called = true; }});
  s->reset();
  EXPECT_FALSE(loop.run_until([&] { return called; }, moment));
}

TEST_F(ConnectTest, BytesSentBeforeTheConnectionAreKept) {
  std::unique_ptr<Stream> server;
  std::string received;
  auto listener = Listener::listen(loop, "punix:" + dir.file("s"), [&](std::unique_ptr<Stream> s) {
    server = std::move(s);
    server->set_handler({.received = [&](std::string_view b) { received += b; }});
  });
  ASSERT_TRUE(listener);
  auto s = Stream::connect(loop, "unix:" + dir.file("s"));
  (*s)->send_copy("hello");
  (*s)->set_handler({.connected = [&] { (*s)->send_copy(" world"); }});
  EXPECT_TRUE(loop.run_until([&] { return received == "hello world"; }, long_time));
}

TEST_F(ConnectTest, HostNamesAreLookedUp) {
  std::unique_ptr<Stream> server;
  auto listener = Listener::listen(loop, "ptcp:0:127.0.0.1", [&](std::unique_ptr<Stream> s) { server = std::move(s); });
  ASSERT_TRUE(listener) << listener.error().message;
  // "localhost" may mean ::1 first, where nobody listens: the next address is tried.
  EXPECT_EQ(outcome("tcp:localhost:" + std::to_string((*listener)->bound_port())), "connected");
}

}  // namespace
}  // namespace ovs::runtime
