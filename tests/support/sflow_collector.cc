// A collector for tests and the demo: prints the sFlow datagrams that it receives, one line of JSON for each.
//
//     sflow_collector [ADDRESS:]PORT
//
// What is no datagram of sFlow version 5 is printed as {"error": "..."}.  A PORT of 0 is any free one; the first
// line says which: {"port": 6343}.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/text.h"
#include "telemetry/sflow_codec.h"

using namespace ovs;

namespace {

void print(const json::value& v) {
  std::puts(to_text(v).c_str());
  std::fflush(stdout);
}

// "10.0.0.1:6343", "[fd00::1]:6343", "6343"; a port alone is that of every address of both families.
bool parse(std::string_view where, sockaddr_in6& own) {
  const auto colon = where.rfind(':');
  std::string address(colon == where.npos ? "::" : where.substr(0, colon));
  const auto port = parse_integer(colon == where.npos ? where : where.substr(colon + 1));
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  } else if (colon != where.npos) {
    address.insert(0, "::ffff:");
  }
  own.sin6_family = AF_INET6;
  if (!port || *port < 0 || *port > 65535 || ::inet_pton(AF_INET6, address.c_str(), &own.sin6_addr) != 1) return false;
  own.sin6_port = htons(static_cast<std::uint16_t>(*port));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  sockaddr_in6 own{};
  if (argc != 2 || !parse(argv[1], own)) {
    std::fprintf(stderr, "usage: sflow_collector [ADDRESS:]PORT\n");
    return 2;
  }
  const int socket = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // Room for bursts while the reader of our output is busy.
  const int buffer = 8 << 20, no = 0;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);  // beyond the limit, where we may
  ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  socklen_t size = sizeof own;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&own), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    std::fprintf(stderr, "sflow_collector: %s: %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  print(json::object{{"port", ntohs(own.sin6_port)}});
  std::array<std::uint8_t, 65536> datagram;
  for (;;) {
    const ssize_t n = ::recv(socket, datagram.data(), datagram.size(), 0);
    if (n < 0) continue;
    auto read = telemetry::sflow::decode(std::span(datagram).first(static_cast<std::size_t>(n)));
    print(read ? telemetry::sflow::to_json(*read) : json::value(json::object{{"error", read.error().message}}));
  }
}
