// Listening sockets: binding without leaving or taking away anybody's socket file, and accepting.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "base/log.h"
#include "runtime/address.h"
#include "runtime/place.h"
#include "runtime/socket_stream.h"
#include "runtime/stream.h"
#include "runtime/tls_config.h"
#include "runtime/tls_stream.h"

namespace ovs::runtime {

namespace {

LogModule log{"stream"};

constexpr int backlog = 1024;
// How many connections are taken before other descriptors get their turn.
constexpr int accept_turn = 64;
// How long accepting rests where no descriptor or memory is left for a connection.
constexpr Duration out_of_descriptors_pause{500};

std::string next_unix_name() {
  static std::atomic<unsigned> number{0};
  return fmt::format("unix#{}", number++);
}

// The file that a unix socket is bound to, removed with the listener if it is still ours.
class SocketFile {
 public:
  SocketFile() = default;
  explicit SocketFile(std::string path) : path_(std::move(path)) {
    struct stat s;
    if (::lstat(path_.c_str(), &s) == 0) {
      device_ = s.st_dev;
      inode_ = s.st_ino;
    } else {
      path_.clear();
    }
  }
  SocketFile(SocketFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_), owner_(other.owner_) {}
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile() {
    struct stat s;
    // A child that was forked meanwhile owns a copy of this object, not the file.
    if (!path_.empty() && ::getpid() == owner_ && ::lstat(path_.c_str(), &s) == 0 &&
        s.st_dev == device_ && s.st_ino == inode_) {
      ::unlink(path_.c_str());
    }
  }

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  pid_t owner_ = ::getpid();
};

class SocketListener final : public Listener {
 public:
  SocketListener(Loop& loop, Descriptor fd, SocketFile file, std::string name, int port, bool tls,
                 const std::function<void(std::unique_ptr<Stream>)>& accepted)
      : loop_(loop),
        fd_(std::move(fd)),
        file_(std::move(file)),
        name_(std::move(name)),
        port_(port),
        shared_(std::make_shared<Shared>(accepted)),
        pause_(loop, [this] { readiness_.want_read(); }),
        readiness_(loop, fd_.get(), [this] { ready(); }, nullptr) {
    if (tls) shared_->handshakes.emplace(name_, tls_config_of(loop), accepted);
    readiness_.want_read();
  }
  ~SocketListener() override { shared_->gone = true; }

  const std::string& name() const override { return name_; }
  int bound_port() const override { return port_; }

 private:
  // Survives a listener that its own handler destroys.
  struct Shared {
    explicit Shared(std::function<void(std::unique_ptr<Stream>)> a) : accepted(std::move(a)) {}
    std::function<void(std::unique_ptr<Stream>)> accepted;
    std::optional<TlsHandshakes> handshakes;  // those who want TLS come by these
    bool gone = false;
  };

  void ready() {
    auto shared = shared_;
    for (int i = 0; i < accept_turn; i++) {
      SocketAddress peer;
      peer.size = sizeof peer.storage;
      int fd = ::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EAGAIN) break;
        if (errno == EINTR || errno == ECONNABORTED) continue;
        static RateLimit limit;
        log.limited(limit, LogLevel::err, "{}: cannot accept a connection: {}", name_,
                    system_error("accept", errno).message);
        return pause_.start(out_of_descriptors_pause);
      }
      if (shared->handshakes) {
        auto socket = adopt_socket(loop_, fd, "ssl:" + peer.to_string());
        shared->handshakes->add(std::move(socket));
        continue;
      }
      std::string name = port_ ? "tcp:" + peer.to_string() : next_unix_name();
      shared->accepted(adopt_socket(loop_, fd, std::move(name)));
      if (shared->gone) return;
    }
    readiness_.want_read();
  }

  Loop& loop_;
  Descriptor fd_;
  SocketFile file_;
  std::string name_;
  int port_;
  std::shared_ptr<Shared> shared_;
  Timer pause_;
  Readiness readiness_;
};

// Removes a socket that nobody serves any more.  Anything else in the way is left alone.
Result<void> remove_stale(const std::string& path, const SocketAddress& address) {
  struct stat s;
  if (::lstat(path.c_str(), &s) != 0) return {};
  if (!S_ISSOCK(s.st_mode)) {
    return unexpected("something that is not a socket has this name already; remove it, or use another name",
                      EADDRINUSE);
  }
  Descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (probe.get() < 0) return Unexpected{system_error("socket", errno)};
  if (::connect(probe.get(), address.get(), address.size) == 0 || errno == EAGAIN) {
    return unexpected("another process listens on this socket", EADDRINUSE);
  }
  if (errno == ECONNREFUSED && ::unlink(path.c_str()) != 0) {
    return Unexpected{system_error("removing the socket that nobody serves", errno)};
  }
  return {};
}

struct Bound {
  Descriptor fd;
  SocketFile file;
  int port = 0;
};

Result<Bound> bind_unix(const std::string& path, std::string_view name) {
  auto made = UnixAddress::create(path);
  if (!made) return Unexpected{system_error(name, made.error().code)};
  const UnixAddress address = *std::move(made);
  if (auto removed = remove_stale(path, address.address()); !removed) {
    return Unexpected{std::move(removed).error().in(name)};
  }
  Descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd.get() < 0) return Unexpected{system_error(name, errno)};
  // Linux takes the file's mode from the socket's, so there is no moment with a wider one.
  if (::fchmod(fd.get(), 0770) != 0) return Unexpected{system_error(name, errno)};
  if (::bind(fd.get(), address.address().get(), address.address().size) != 0) {
    return Unexpected{system_error(name, errno)};
  }
  SocketFile file{path};
  if (::listen(fd.get(), backlog) != 0) return Unexpected{system_error(name, errno)};
  return Result<Bound>(Bound{std::move(fd), std::move(file)});
}

Result<Bound> bind_tcp(const Endpoint& endpoint, std::string_view name) {
  OVS_TRY(SocketAddress address, numeric_address(endpoint.host.empty() ? "0.0.0.0" : endpoint.host, endpoint.port));
  Descriptor fd{::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd.get() < 0) return Unexpected{system_error(name, errno)};
  int one = 1, zero = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  // "[::]" takes IPv4 connections as well, whatever the system's default is.
  if (address.family() == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  if (::bind(fd.get(), address.get(), address.size) != 0 || ::listen(fd.get(), backlog) != 0) {
    return Unexpected{system_error(name, errno)};
  }
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
    return Unexpected{system_error(name, errno)};
  }
  return Result<Bound>(Bound{std::move(fd), SocketFile(), bound.port()});
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::listen(Loop& loop, std::string_view name,
                                                   std::function<void(std::unique_ptr<Stream>)> accepted,
                                                   std::uint16_t default_port) {
  OVS_TRY(Endpoint endpoint, parse_passive(name, default_port));
  // Who cannot be served should not be let in.
  if (endpoint.tls) {
    if (auto checked = check_tls(loop); !checked) return Unexpected{std::move(checked).error().in(name)};
  }
  OVS_TRY(Bound bound, endpoint.kind == Endpoint::Kind::tcp ? bind_tcp(endpoint, name)
                                                            : bind_unix(endpoint.path, name));
  return std::unique_ptr<Listener>(std::make_unique<SocketListener>(
      loop, std::move(bound.fd), std::move(bound.file), std::string(name), bound.port, endpoint.tls, accepted));
}

Result<void> Listener::check_name(std::string_view name) {
  OVS_TRY_DO(parse_passive(name, default_database_port));
  return {};
}

Result<void> Listener::check_place(std::string_view name, const Directories& prepared) {
  OVS_TRY(const Endpoint endpoint, parse_passive(name, default_database_port));
  if (endpoint.kind != Endpoint::Kind::unix_socket) return {};
  if (auto good = check_socket_place(endpoint.path, prepared); !good) {
    return Unexpected{std::move(good).error().in(name)};
  }
  return {};
}

}  // namespace ovs::runtime
