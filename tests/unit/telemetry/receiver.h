// Receiver: a UDP socket of a test that collects what arrives.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/descriptor.h"
#include "runtime/loop.h"

namespace ovs::telemetry {

class Receiver {
 public:
  // On the loopback address; `port` 0: any free one.
  Receiver(runtime::Loop& loop, int family, std::uint16_t port = 0)
      : socket_(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage own{};
    socklen_t size;
    if (family == AF_INET) {
      auto& in = reinterpret_cast<sockaddr_in&>(own);
      in.sin_family = AF_INET;
      in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      in.sin_port = htons(port);
      size = sizeof in;
    } else {
      auto& in6 = reinterpret_cast<sockaddr_in6&>(own);
      in6.sin6_family = AF_INET6;
      in6.sin6_addr = in6addr_loopback;
      in6.sin6_port = htons(port);
      size = sizeof in6;
    }
    works_ = ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&own), size) == 0;
    if (!works_) return;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &size);
    port_ = ntohs(reinterpret_cast<sockaddr_in&>(own).sin_port);  // at the same place for IPv6
    watch_ = std::make_unique<runtime::FdWatch>(loop, socket_.get(), runtime::FdWatch::Interest::read, [this] {
      std::vector<std::uint8_t> datagram(65536);
      const ssize_t n = ::recv(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
      if (n < 0) return;
      datagram.resize(static_cast<std::size_t>(n));
      received.push_back(std::move(datagram));
    });
  }

  bool works() const { return works_; }  // false: no such family here
  std::uint16_t port() const { return port_; }

  std::vector<std::vector<std::uint8_t>> received;

 private:
  Descriptor socket_;
  bool works_ = false;
  std::uint16_t port_ = 0;
  std::unique_ptr<runtime::FdWatch> watch_;
};

}  // namespace ovs::telemetry
