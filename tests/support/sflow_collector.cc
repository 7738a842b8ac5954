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

}  // namespace

int main(int argc, char** argv) {
  const std::string_view where = argc == 2 ? argv[1] : "";
  const auto colon = where.rfind(':');
  const std::string address(colon == where.npos ? "0.0.0.0" : where.substr(0, colon));
  const auto port = parse_integer(colon == where.npos ? where : where.substr(colon + 1));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  if (!port || *port < 0 || *port > 65535 || ::inet_pton(AF_INET, address.c_str(), &own.sin_addr) != 1) {
    std::fprintf(stderr, "usage: sflow_collector [ADDRESS:]PORT\n");
    return 2;
  }
  own.sin_port = htons(static_cast<std::uint16_t>(*port));
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // Room for bursts while the reader of our output is busy.
  const int buffer = 8 << 20;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  socklen_t size = sizeof own;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&own), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    std::fprintf(stderr, "sflow_collector: %s: %s\n", argv[1], std::strerror(errno));
    return 1;
  }
  print(json::object{{"port", ntohs(own.sin_port)}});
  std::array<std::uint8_t, 65536> datagram;
  for (;;) {
    const ssize_t n = ::recv(socket, datagram.data(), datagram.size(), 0);
    if (n < 0) continue;
    auto read = telemetry::sflow::decode(std::span(datagram).first(static_cast<std::size_t>(n)));
    print(read ? telemetry::sflow::to_json(*read) : json::value(json::object{{"error", read.error().message}}));
  }
}
