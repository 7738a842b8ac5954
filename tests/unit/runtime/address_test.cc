#include "runtime/address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "runtime/tls_config.h"

namespace ovs::runtime {
namespace {

// What a name means, in one line; or "error: ...".
std::string active(const std::string& name) {
  auto e = parse_active(name, 6640);
  if (!e) return "error: " + e.error().message;
  return e->kind == Endpoint::Kind::unix_socket ? e->path : e->host + "|" + std::to_string(e->port);
}

std::string passive(const std::string& name) {
  auto e = parse_passive(name, 6640);
  if (!e) return "error: " + e.error().message;
  return e->kind == Endpoint::Kind::unix_socket ? e->path : e->host + "|" + std::to_string(e->port);
}

TEST(AddressTest, ActiveNames) {
  ::setenv("OVS_RUNDIR", "/r", 1);
  EXPECT_EQ(active("unix:/a/b.sock"), "/a/b.sock");
  EXPECT_EQ(active("unix:b.sock"), "/r/b.sock");
  EXPECT_EQ(active("tcp:192.0.2.1:1234"), "192.0.2.1|1234");
  EXPECT_EQ(active("tcp:192.0.2.1"), "192.0.2.1|6640");
  EXPECT_EQ(active("tcp:192.0.2.1:"), "192.0.2.1|6640");
  EXPECT_EQ(active("tcp:db.example:99"), "db.example|99");
  EXPECT_EQ(active("tcp:[2001:db8::1]:99"), "2001:db8::1|99");
  EXPECT_EQ(active("tcp:[::1]"), "::1|6640");
  EXPECT_EQ(active("tcp:[fe80::1%lo]:99"), "fe80::1%lo|99");
  EXPECT_EQ(active("tcp:[fe80::1%no-such-dev]:99"), "fe80::1%no-such-dev|99");
  ::unsetenv("OVS_RUNDIR");
}

TEST(AddressTest, ActiveNamesThatAreWrong) {
  EXPECT_EQ(active("tcp:[::1"), "error: tcp:[::1: the bracket around the address does not close");
  EXPECT_EQ(active("tcp:::1:99"), "error: tcp:::1:99: an IPv6 address must stand in brackets");
  EXPECT_EQ(active("tcp:[zz]:1"), "error: tcp:[zz]:1: \"zz\" is not an IPv6 address");
  EXPECT_EQ(active("tcp:[fe80::1%]"), "error: tcp:[fe80::1%]: \"fe80::1%\" is not an IPv6 address");
  EXPECT_EQ(active("tcp:[zz%lo]"), "error: tcp:[zz%lo]: \"zz%lo\" is not an IPv6 address");
  EXPECT_EQ(active("tcp::99"), "error: tcp::99: the host is missing");
  EXPECT_EQ(active("tcp:h:0"), "error: tcp:h:0: \"0\" is not a port number (1 to 65535)");
  EXPECT_EQ(active("tcp:h:65536"), "error: tcp:h:65536: \"65536\" is not a port number (1 to 65535)");
  EXPECT_EQ(active("tcp:h:x"), "error: tcp:h:x: \"x\" is not a port number (1 to 65535)");
  EXPECT_EQ(active("unix:"), "error: unix:: the socket's path is missing");
  EXPECT_EQ(active("punix:/x"),
            "error: punix:/x: not a connection method (use unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT])");
  EXPECT_EQ(active("/x"), "error: /x: not a connection method (use unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT])");
  EXPECT_EQ(active(""), "error: : not a connection method (use unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT])");
}

TEST(AddressTest, PassiveNames) {
  EXPECT_EQ(passive("punix:/a"), "/a");
  EXPECT_EQ(passive("ptcp:"), "|6640");
  EXPECT_EQ(passive("ptcp:99"), "|99");
  EXPECT_EQ(passive("ptcp:0"), "|0");
  EXPECT_EQ(passive("ptcp:99:127.0.0.1"), "127.0.0.1|99");
  EXPECT_EQ(passive("ptcp::127.0.0.1"), "127.0.0.1|6640");
  EXPECT_EQ(passive("ptcp:99:[::]"), "::|99");
  EXPECT_EQ(passive("ptcp:99:name.example"),
            "error: ptcp:99:name.example: \"name.example\" is not an IP address to listen on");
  EXPECT_EQ(passive("ptcp:99999"), "error: ptcp:99999: \"99999\" is not a port number (0 to 65535)");
  EXPECT_EQ(passive("tcp:h:1"),
            "error: tcp:h:1: not a connection method (use punix:FILE, ptcp:[PORT][:IP] or pssl:[PORT][:IP])");
}

TEST(AddressTest, NamesThatWantTls) {
  if (!tls_supported()) {
    EXPECT_EQ(active("ssl:h:1"), "error: ssl:h:1: " + std::string(tls_is_absent));
    EXPECT_EQ(passive("pssl:1"), "error: pssl:1: " + std::string(tls_is_absent));
    return;
  }
  EXPECT_EQ(active("ssl:h:1"), "h|1");
  EXPECT_EQ(active("ssl:[2001:db8::1]"), "2001:db8::1|6640");
  EXPECT_EQ(active("ssl:h:0"), "error: ssl:h:0: \"0\" is not a port number (1 to 65535)");
  EXPECT_EQ(active("ssl:"), "error: ssl:: the host is missing");
  EXPECT_EQ(passive("pssl:"), "|6640");
  EXPECT_EQ(passive("pssl:99:[::1]"), "::1|99");
  EXPECT_TRUE(parse_active("ssl:h:1", 6640)->tls);
  EXPECT_FALSE(parse_active("tcp:h:1", 6640)->tls);
  EXPECT_TRUE(parse_passive("pssl:1", 6640)->tls);
  EXPECT_FALSE(parse_passive("ptcp:1", 6640)->tls);
}

TEST(AddressTest, TextOfAddresses) {
  EXPECT_EQ(numeric_address("192.0.2.7", 5)->to_string(), "192.0.2.7:5");
  EXPECT_EQ(numeric_address("2001:db8::7", 5)->to_string(), "[2001:db8::7]:5");
  EXPECT_EQ(numeric_address("::1", 77)->port(), 77);
  EXPECT_FALSE(numeric_address("localhost", 5));
}

TEST(AddressTest, UnixPathThatCannotFit) {
  // The directory's part may be long, the last component may not.
  auto a = UnixAddress::create("/" + std::string(200, 'x'));
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error().code, ENAMETOOLONG);
}

TEST(LookupTest, LocalhostIsFoundLater) {
  Loop loop;
  int port = -1;
  std::string error;
  Lookup lookup(loop, "localhost", 42, [&](Result<std::vector<SocketAddress>> r) {
    if (!r) error = r.error().message;
    port = r ? r->front().port() : 0;
  });
  EXPECT_EQ(port, -1);  // never from within the constructor
  ASSERT_TRUE(loop.run_until([&] { return port >= 0; }, Duration(30'000)));
  EXPECT_EQ(port, 42) << error;
}

TEST(LookupTest, AHostWithoutAnAddress) {
  Loop loop;
  std::optional<Error> error;
  // ".invalid" is reserved for names that do not exist (RFC 6761); with a space nobody is even asked.
  Lookup lookup(loop, "no such.invalid", 42, [&](Result<std::vector<SocketAddress>> r) {
    error = r ? Error{"found"} : r.error();
  });
  ASSERT_TRUE(loop.run_until([&] { return error.has_value(); }, Duration(30'000)));
  EXPECT_TRUE(error->message.starts_with("the host name \"no such.invalid\" cannot be resolved: ")) << error->message;
  EXPECT_EQ(error->code, 0);
}

TEST(LookupTest, DestroyedLookupIsSilent) {
  Loop loop;
  bool called = false;
  { Lookup lookup(loop, "localhost", 1, [&](auto) { called = true; }); }
  EXPECT_FALSE(loop.run_until([&] { return called; }, Duration(50)));
}

}  // namespace
}  // namespace ovs::runtime
