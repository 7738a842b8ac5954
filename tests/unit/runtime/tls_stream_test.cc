#include "runtime/tls_stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/tls_config.h"
#include "runtime/tls_context.h"
#include "support/certificates.h"
#include "support/temporary_directory.h"

namespace ovs::runtime {
namespace {

constexpr Duration long_time{60'000};
constexpr Duration moment{20};  // long enough for what must not happen

// One end of a connection, and what it has heard.
struct End {
  std::unique_ptr<Stream> stream;
  bool connected = false;
  std::string received;
  int drained = 0;
  std::optional<Error> closed;

  void take(std::unique_ptr<Stream> s) {
    stream = std::move(s);
    stream->set_handler({
        .connected = [this] { connected = true; },
        .received = [this](std::string_view bytes) { received += bytes; },
        .drained = [this] { drained++; },
        .closed = [this](Error e) { closed = std::move(e); },
    });
  }
};

class TlsStreamTest : public testing::Test {
 protected:
  TlsStreamTest() {
    write_file(dir.file("ca"), authority.certificate);
    listen_with(identity("server"));
  }

  TlsSettings identity(const std::string& who) {
    const KeyPair pair = make_certificate(authority, who);
    write_file(dir.file(who + ".key"), pair.key);
    write_file(dir.file(who + ".cert"), pair.certificate);
    return {.private_key = dir.file(who + ".key"), .certificate = dir.file(who + ".cert"), .ca_cert = dir.file("ca")};
  }

  // Those who connect from now on have these keys; who listens already keeps its own.
  void use(const TlsSettings& settings) {
    set_tls_config(loop, nullptr);
    use_tls(loop, settings);
  }

  void listen_with(const TlsSettings& settings) {
    listener.reset();
    use(settings);
    auto made = Listener::listen(loop, "pssl:0:127.0.0.1", [this](std::unique_ptr<Stream> s) {
      ends.push_back(std::make_unique<End>());
      ends.back()->take(std::move(s));
    });
    ASSERT_TRUE(made) << made.error().message;
    listener = std::move(*made);
    remote = "ssl:127.0.0.1:" + std::to_string(listener->bound_port());
  }

  void connect(End& end) {
    auto s = Stream::connect(loop, remote);
    ASSERT_TRUE(s) << s.error().message;
    end.take(std::move(*s));
  }

  End& server() { return *ends.back(); }

  void establish(End& client) {
    const std::size_t before = ends.size();
    connect(client);
    ASSERT_TRUE(run_until([&] { return (client.connected && ends.size() > before) || client.closed; }));
    ASSERT_FALSE(client.closed) << client.closed->message;
  }

  int raw_connection() {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons(static_cast<std::uint16_t>(listener->bound_port()));
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    return fd;
  }

  bool run_until(const std::function<bool()>& done) { return loop.run_until(done, long_time); }

  TemporaryDirectory dir;
  KeyPair authority = make_authority("CA");
  Loop loop;
  std::unique_ptr<Listener> listener;
  std::string remote;
  std::vector<std::unique_ptr<End>> ends;  // the server's
};

TEST_F(TlsStreamTest, TalksInBothDirections) {
  End client;
  connect(client);
  client.stream->send_copy("before the connection is there");
  ASSERT_TRUE(run_until([&] { return !ends.empty() && server().received == "before the connection is there"; }));
  EXPECT_TRUE(client.connected);
  EXPECT_TRUE(server().stream->name().starts_with("ssl:127.0.0.1:"));
  server().stream->send(std::string(3000, 'a'));
  server().stream->send(std::make_shared<const std::string>(100'000, 'a'));
  EXPECT_EQ(server().stream->backlog(), 103'000u);
  ASSERT_TRUE(run_until([&] { return client.received == std::string(103'000, 'a'); }));
  ASSERT_TRUE(run_until([&] { return server().drained == 1; }));
  EXPECT_EQ(server().stream->backlog(), 0u);
}

TEST_F(TlsStreamTest, FinishSendsWhatIsQueuedAndSaysSo) {
  End client;
  establish(client);
  server().stream->send(std::string(3'000'000, 'x'));
  server().stream->finish();
  ASSERT_TRUE(run_until([&] { return client.closed && server().closed; }));
  EXPECT_EQ(client.received.size(), 3'000'000u);
  EXPECT_EQ(client.closed->code, 0);
  EXPECT_EQ(client.closed->message, "connection closed by peer");
  EXPECT_EQ(server().closed->code, 0);
}

TEST_F(TlsStreamTest, FinishBeforeTheHandshake) {
  End client;
  connect(client);
  client.stream->send_copy("hello");
  client.stream->finish();
  ASSERT_TRUE(run_until([&] { return !ends.empty() && server().closed && client.closed; }));
  EXPECT_EQ(server().received, "hello");
}

TEST_F(TlsStreamTest, DestroyingAStreamEndsTheConnection) {
  End client;
  establish(client);
  client.stream->send_copy("hello");
  ASSERT_TRUE(run_until([&] { return server().received == "hello"; }));
  client.stream.reset();
  ASSERT_TRUE(run_until([&] { return server().closed.has_value(); }));
  EXPECT_EQ(server().closed->message, "connection closed by peer");
}

TEST_F(TlsStreamTest, PausedReadingGoesOnWithWhatWasDecrypted) {
  End client;
  establish(client);
  // Pauses after the first bytes of many, of which more are in the session already.
  End& s = server();
  std::size_t heard = 0;
  s.stream->set_handler({.received = [&](std::string_view b) {
    heard += b.size();
    s.stream->pause_reading(true);
  }});
  std::string records(60'000, 'x');
  client.stream->send(std::string(records));
  ASSERT_TRUE(run_until([&] { return heard > 0; }));
  for (std::size_t rounds = 0; heard < records.size(); rounds++) {
    ASSERT_LT(rounds, 100u);
    const std::size_t before = heard;
    EXPECT_FALSE(loop.run_until([&] { return heard != before; }, moment));
    s.stream->pause_reading(false);
    ASSERT_TRUE(run_until([&] { return heard != before; }));
  }
  EXPECT_EQ(heard, records.size());
}

TEST_F(TlsStreamTest, AStreamMayWaitForItsHandler) {
  std::unique_ptr<Stream> accepted;
  auto made = Listener::listen(loop, "pssl:0:127.0.0.1", [&](std::unique_ptr<Stream> s) { accepted = std::move(s); });
  ASSERT_TRUE(made);
  remote = "ssl:127.0.0.1:" + std::to_string((*made)->bound_port());
  End first, second;
  connect(first);
  first.stream->send_copy("hello");
  ASSERT_TRUE(run_until([&] { return accepted && first.stream->backlog() == 0; }));
  End server;
  server.take(std::move(accepted));
  ASSERT_TRUE(run_until([&] { return server.received == "hello"; }));
  // One whose peer goes before there is one.
  connect(second);
  ASSERT_TRUE(run_until([&] { return accepted && second.connected; }));
  second.stream.reset();
  accepted->send(std::string(10'000'000, 'x'));
  EXPECT_TRUE(run_until([&] { return accepted->backlog() == 0; }));
}

TEST_F(TlsStreamTest, APeerThatDoesNotReadShowsAsBacklogOfPlainBytes) {
  End client;
  establish(client);
  client.stream->pause_reading(true);
  const auto big = std::make_shared<const std::string>(50'000'000, 'x');
  server().stream->send(big);
  // Nobody but this stream and this test holds the bytes: they are not copied.
  EXPECT_EQ(big.use_count(), 2);
  EXPECT_FALSE(loop.run_until([&] { return server().stream->backlog() == 0; }, Duration(200)));
  EXPECT_GT(server().stream->backlog(), 30'000'000u);
  EXPECT_EQ(big.use_count(), 2);
  client.stream->pause_reading(false);
  ASSERT_TRUE(run_until([&] { return client.received.size() == big->size(); }));
  ASSERT_TRUE(run_until([&] { return server().drained == 1; }));
}

TEST_F(TlsStreamTest, HandlersMayDestroyTheStream) {
  for (int which = 0; which < 3; which++) {
    End client;
    establish(client);
    End& s = server();
    s.stream->set_handler({.received =
                               [&, which](std::string_view) {
                                 if (which == 0) s.stream.reset();
                                 if (which == 1) s.stream->send_copy("answer");
                                 if (which == 2) s.stream->finish();
                               },
                           .drained =
                               [&, which] {
                                 if (which == 1) s.stream.reset();
                               },
                           .closed = [&](const Error&) { s.stream.reset(); }});
    client.stream->send_copy("hello");
    ASSERT_TRUE(run_until([&] { return !s.stream && client.closed; })) << which;
  }
}

TEST_F(TlsStreamTest, DestroyedInItsOwnConnectedHandler) {
  std::unique_ptr<Stream> stream = *Stream::connect(loop, remote);
  bool called = false;
  stream->set_handler({.connected = [&] {
    called = true;
    stream.reset();
  }});
  ASSERT_TRUE(run_until([&] { return called; }));
  // The last bytes of its handshake went with it, so that the server was never told of it.
  End client;
  establish(client);
  EXPECT_EQ(ends.size(), 1u);
}

TEST_F(TlsStreamTest, PeersThatNeverShakeHandsHoldNobodyUp) {
  std::vector<int> silent;
  for (int i = 0; i < 50; i++) silent.push_back(raw_connection());
  End client;
  establish(client);
  client.stream->send_copy("hello");
  ASSERT_TRUE(run_until([&] { return server().received == "hello"; }));
  // After their time they are dropped, and nobody was told of them.
  loop.stop_time();
  bool warped = false;
  ASSERT_TRUE(loop.warp_time(Duration(16'000), [&] { warped = true; }));
  ASSERT_TRUE(run_until([&] { return warped; }));
  for (int fd : silent) {
    char byte;
    ASSERT_TRUE(run_until([&] { return ::recv(fd, &byte, 1, MSG_DONTWAIT) == 0; }));
    ::close(fd);
  }
  EXPECT_EQ(ends.size(), 1u);
  EXPECT_FALSE(client.closed);
}

TEST_F(TlsStreamTest, TheOldestHandshakeGoesWhenThereAreTooMany) {
  const int first = raw_connection();
  std::vector<int> others;
  for (int i = 0; i < 256; i++) {
    others.push_back(raw_connection());
    loop.run_until([] { return true; });
  }
  char byte;
  ASSERT_TRUE(run_until([&] { return ::recv(first, &byte, 1, MSG_DONTWAIT) == 0; }));
  ::close(first);
  for (int fd : others) ::close(fd);
}

TEST_F(TlsStreamTest, PeersThatDieInTheHandshakeAreForgotten) {
  // The first bytes of a client's hello, cut everywhere, and nonsense.
  const std::string hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
  for (std::size_t n = 0; n <= hello.size(); n++) {
    const int fd = raw_connection();
    ASSERT_EQ(::send(fd, hello.data(), n, 0), static_cast<ssize_t>(n));
    ::close(fd);
  }
  const int fd = raw_connection();
  ASSERT_GT(::send(fd, "{\"id\":0}", 8, 0), 0);
  char byte;
  ASSERT_TRUE(run_until([&] { return ::recv(fd, &byte, 1, MSG_DONTWAIT) == 0; }));
  ::close(fd);
  End client;
  establish(client);
  EXPECT_EQ(ends.size(), 1u);
}

TEST_F(TlsStreamTest, AFastReaderLeavesTimeForOthers) {
  auto context = make_tls_context(tls_config_of(loop)->settings(), *read_tls_files(tls_config_of(loop)->settings()));
  ASSERT_TRUE(context) << context.error().message;
  const int fd = raw_connection();
  std::thread reader([&] {
    SSL* ssl = SSL_new(context->ssl.get());
    SSL_set_fd(ssl, fd);
    EXPECT_EQ(SSL_connect(ssl), 1);
    // Throws away what comes as it is, which is faster than anybody encrypts.
    std::vector<char> bytes(1 << 20);
    while (::read(fd, bytes.data(), bytes.size()) > 0) {
    }
    SSL_free(ssl);
  });
  EXPECT_TRUE(run_until([&] { return !ends.empty(); }));
  if (!ends.empty()) {
    constexpr std::size_t all = 100'000'000;
    server().stream->send(std::make_shared<const std::string>(all, 'x'));
    std::size_t left = all, most = 0;
    std::function<void()> others = [&] {
      const std::size_t now = server().stream->backlog();
      // What is encrypted is a little more than what it was.
      if (now < left) most = std::max(most, left - now);
      left = now;
      if (left != 0) loop.post([&] { others(); });
    };
    loop.post([&] { others(); });
    EXPECT_TRUE(run_until([&] { return left == 0; }));
    EXPECT_LT(most, all / 4);
    server().stream.reset();
  }
  ::shutdown(fd, SHUT_RDWR);
  reader.join();
  ::close(fd);
}

// TLS 1.2 has a question that is answered by TLS itself: whether the keys should be renewed.
TEST_F(TlsStreamTest, APeerThatAsksForEverAndNeverReadsIsLeft) {
  ::signal(SIGPIPE, SIG_IGN);
  TlsSettings settings = identity("asker");
  settings.protocols = "TLSv1.2";
  auto files = read_tls_files(settings);
  ASSERT_TRUE(files);
  auto context = make_tls_context(settings, *files);
  ASSERT_TRUE(context) << context.error().message;

  const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  // So that little is needed to fill the peer's side of the connection.
  const int few = 4096;
  ::setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listening, 1), 0);
  ASSERT_EQ(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size), 0);

  bool shaken = false;
  std::thread asker([&] {
    const int fd = ::accept(listening, nullptr, nullptr);
    SSL* ssl = SSL_new(context->ssl.get());
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    SSL_set_fd(ssl, fd);
    shaken = SSL_accept(ssl) == 1;
    // Until the connection is gone.
    while (shaken && SSL_renegotiate(ssl) == 1 && SSL_do_handshake(ssl) == 1) {
    }
    SSL_free(ssl);
    ::close(fd);
  });
  remote = "ssl:127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  End client;
  connect(client);
  EXPECT_TRUE(run_until([&] { return client.closed.has_value(); }));
  client.stream.reset();
  asker.join();
  ::close(listening);
  EXPECT_TRUE(shaken);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->message, "the peer asks for answers and does not read them");
}

TEST_F(TlsStreamTest, AServerWithoutTls) {
  std::unique_ptr<Stream> plain;
  auto made = Listener::listen(loop, "ptcp:0:127.0.0.1", [&](std::unique_ptr<Stream> s) {
    plain = std::move(s);
    plain->set_handler({.received = [&](std::string_view) { plain.reset(); }});
  });
  ASSERT_TRUE(made);
  remote = "ssl:127.0.0.1:" + std::to_string((*made)->bound_port());
  End client;
  connect(client);
  ASSERT_TRUE(run_until([&] { return client.closed.has_value(); }));
  EXPECT_TRUE(client.closed->message.starts_with("the peer ended the connection in the middle of the TLS handshake"));
  EXPECT_FALSE(client.connected);
}

TEST_F(TlsStreamTest, KeysThatAreMissing) {
  use({});
  End client;
  connect(client);
  EXPECT_FALSE(client.closed);
  ASSERT_TRUE(run_until([&] { return client.closed.has_value(); }));
  EXPECT_EQ(client.closed->message,
            "TLS needs a private key, a certificate and the CA's certificate; missing: --private-key, --certificate, "
            "--ca-cert (or --bootstrap-ca-cert)");
  auto refused = Listener::listen(loop, "pssl:0:127.0.0.1", [](std::unique_ptr<Stream>) {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "pssl:0:127.0.0.1: " + client.closed->message);
}

TEST_F(TlsStreamTest, AClientTakesTheCaOfItsFirstPeer) {
  TlsSettings server_settings = identity("server");
  server_settings.peer_ca_cert = dir.file("ca");
  listen_with(server_settings);
  TlsSettings client_settings = identity("client");
  client_settings.ca_cert = dir.file("taken");
  client_settings.bootstrap = true;
  use(client_settings);
  End client;
  connect(client);
  ASSERT_TRUE(run_until([&] { return client.connected || client.closed; }));
  EXPECT_FALSE(client.closed) << client.closed->message;
  EXPECT_EQ(read_whole_file(dir.file("taken")), authority.certificate);
  // From now on another CA's server is not trusted.
  authority = make_authority("other CA");
  write_file(dir.file("ca"), authority.certificate);
  TlsSettings stranger = identity("stranger");
  listen_with(stranger);
  use(client_settings);
  End second;
  connect(second);
  ASSERT_TRUE(run_until([&] { return second.connected || second.closed; }));
  ASSERT_TRUE(second.closed);
  EXPECT_NE(second.closed->message.find("is not signed by the CA of"), std::string::npos) << second.closed->message;
}

TEST_F(TlsStreamTest, AServerTakesTheCaOfItsFirstPeer) {
  TlsSettings server_settings = identity("server");
  server_settings.ca_cert = dir.file("taken");
  server_settings.bootstrap = true;
  listen_with(server_settings);
  TlsSettings client_settings = identity("client");
  client_settings.peer_ca_cert = dir.file("ca");
  use(client_settings);
  End first;
  connect(first);
  ASSERT_TRUE(run_until([&] { return first.closed.has_value(); }));
  EXPECT_TRUE(ends.empty());
  EXPECT_EQ(read_whole_file(dir.file("taken")), authority.certificate);
  End second;
  establish(second);
}

TEST_F(TlsStreamTest, AClientThatIsNotTrustedHearsWhy) {
  const TlsSettings server_settings = identity("server");
  listen_with(server_settings);
  const std::string ca = dir.file("old-ca");
  write_file(ca, authority.certificate);
  authority = make_authority("other CA");
  TlsSettings stranger = identity("stranger");
  stranger.ca_cert = ca;
  use(stranger);
  End client;
  connect(client);
  ASSERT_TRUE(run_until([&] { return client.closed.has_value(); }));
  EXPECT_TRUE(client.closed->message.starts_with("the peer refuses the connection by TLS: unknown CA"))
      << client.closed->message;
  EXPECT_TRUE(ends.empty());
}

}  // namespace
}  // namespace ovs::runtime
