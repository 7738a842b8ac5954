// Where streams connect to and listen: names as users write them, and the kernel's addresses.
//
//     unix:PATH  tcp:HOST[:PORT]    ssl:HOST[:PORT]     active
//     punix:PATH ptcp:[PORT][:HOST] pssl:[PORT][:HOST]  passive
//
// IPv6 addresses stand in brackets, with "%DEVICE" for the scope of a link-local one.  A relative
// path is below OVS_RUNDIR.  A missing port is the caller's default.  ssl: and pssl: are refused by
// a build without TLS, with a message that says so.
//
// Errors of names begin with the name.  Their code is EAFNOSUPPORT where the kind is unknown,
// EPROTONOSUPPORT where TLS is missing, EINVAL otherwise.
//
// Thread safety: values; a Lookup belongs to its Loop's thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/loop.h"

namespace ovs::runtime {

struct Endpoint {
  enum class Kind { unix_socket, tcp };
  Kind kind = Kind::unix_socket;
  std::string path;        // unix_socket: absolute
  std::string host;        // tcp: without brackets; passive: empty for every IPv4 address
  std::uint16_t port = 0;  // tcp
  bool tls = false;        // tcp: TLS above it
};

Result<Endpoint> parse_active(std::string_view name, std::uint16_t default_port);
Result<Endpoint> parse_passive(std::string_view name, std::uint16_t default_port);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  int port() const;               // TCP; 0 for others
  std::string to_string() const;  // "192.0.2.1:6640", "[2001:db8::1]:6640"; empty for unix
};

// The address of a numeric host; an error for a host that is a name.
Result<SocketAddress> numeric_address(const std::string& host, std::uint16_t port);

// The address of a unix socket's path.  A path that is too long for the kernel's structure (107
// bytes) goes through /proc/self/fd of its opened directory, which stays open as long as this
// object, so that only the last component is limited.
class UnixAddress {
 public:
  static Result<UnixAddress> create(const std::string& path);
  UnixAddress(UnixAddress&& other) noexcept;
  UnixAddress& operator=(UnixAddress&&) = delete;
  ~UnixAddress();
  const SocketAddress& address() const { return address_; }

 private:
  UnixAddress() = default;
  SocketAddress address_;
  int directory_ = -1;
};

// Finds the addresses of a host name in a thread of its own, since the system's resolver blocks.
// `done` is called once on the loop's thread, never from within the constructor; destroying the
// lookup forgets it (the thread ends by itself).  The error of a name that has no address has no
// errno value (code 0): none of them says what is wrong.
class Lookup {
 public:
  using Done = std::function<void(Result<std::vector<SocketAddress>>)>;
  Lookup(Loop& loop, std::string host, std::uint16_t port, Done done);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace ovs::runtime
