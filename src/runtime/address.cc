#include "runtime/address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/paths.h"
#include "base/text.h"
#include "runtime/tls_config.h"

namespace ovs::runtime {

namespace {

constexpr std::string_view active_forms = "unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT]";
constexpr std::string_view passive_forms = "punix:FILE, ptcp:[PORT][:IP] or pssl:[PORT][:IP]";

// `least` is 1 where one connects, and 0 where one listens: the system then chooses a port.
Result<std::uint16_t> parse_port(std::string_view text, std::string_view name, int least) {
  auto n = parse_integer(text);
  if (!n || *n < least || *n > 65535) {
    return unexpected(fmt::format("{}: \"{}\" is not a port number ({} to 65535)", name, text, least), EINVAL);
  }
  return static_cast<std::uint16_t>(*n);
}

// A host is "[IPv6]" or has no colon of its own.
Result<std::string> parse_host(std::string_view text, std::string_view name) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']') || text.size() < 3) {
      return unexpected(fmt::format("{}: the bracket around the address does not close", name), EINVAL);
    }
    text = text.substr(1, text.size() - 2);
    // The device of the scope may come later.
    const std::size_t scope = text.find('%');
    const auto address = numeric_address(std::string(text.substr(0, scope)), 0);
    if (!address || address->family() != AF_INET6 || scope == text.size() - 1) {
      return unexpected(fmt::format("{}: \"{}\" is not an IPv6 address", name, text), EINVAL);
    }
    return std::string(text);
  }
  if (text.find(':') != text.npos) {
    return unexpected(fmt::format("{}: an IPv6 address must stand in brackets", name), EINVAL);
  }
  if (text.find_first_of(" \t\n/") != text.npos) {
    return unexpected(fmt::format("{}: \"{}\" is not a host", name, text), EINVAL);
  }
  return std::string(text);
}

// The position of the colon that ends a host in "HOST:PORT", or npos.
std::size_t end_of_host(std::string_view text) {
  if (text.starts_with('[')) {
    auto bracket = text.find(']');
    return bracket == text.npos ? text.npos : text.find(':', bracket);
  }
  auto colon = text.find(':');
  // Two colons outside brackets: leave the whole to parse_host(), which explains.
  return text.find(':', colon + 1) == text.npos ? colon : text.npos;
}

Result<Endpoint> unix_endpoint(std::string_view path, std::string_view name) {
  if (path.empty()) return unexpected(fmt::format("{}: the socket's path is missing", name), EINVAL);
  if (path.find('\0') != path.npos) {
    return unexpected("a socket's path holds a zero byte", EINVAL);
  }
  return Endpoint{.path = path_below(rundir(), path)};
}

Unexpected<Error> unknown_kind(std::string_view name, std::string_view forms) {
  return unexpected(fmt::format("{}: not a connection method (use {})", name, forms), EAFNOSUPPORT);
}

Unexpected<Error> no_tls(std::string_view name) {
  return unexpected(fmt::format("{}: {}", name, tls_is_absent), EPROTONOSUPPORT);
}

}  // namespace

Result<Endpoint> parse_active(std::string_view name, std::uint16_t default_port) {
  auto colon = name.find(':');
  std::string_view kind = name.substr(0, colon);
  if (colon == name.npos) return unknown_kind(name, active_forms);
  std::string_view rest = name.substr(colon + 1);
  if (kind == "unix") return unix_endpoint(rest, name);
  const bool tls = kind == "ssl";
  if (tls && !tls_supported()) return no_tls(name);
  if (!tls && kind != "tcp") return unknown_kind(name, active_forms);

  Endpoint e{.kind = Endpoint::Kind::tcp, .port = default_port, .tls = tls};
  auto end = end_of_host(rest);
  OVS_TRY(e.host, parse_host(rest.substr(0, end), name));
  if (e.host.empty()) return unexpected(fmt::format("{}: the host is missing", name), EINVAL);
  if (end != rest.npos && end + 1 < rest.size()) {
    OVS_TRY(e.port, parse_port(rest.substr(end + 1), name, 1));
  }
  return e;
}

Result<Endpoint> parse_passive(std::string_view name, std::uint16_t default_port) {
  auto colon = name.find(':');
  std::string_view kind = name.substr(0, colon);
  if (colon == name.npos) return unknown_kind(name, passive_forms);
  std::string_view rest = name.substr(colon + 1);
  if (kind == "punix") return unix_endpoint(rest, name);
  const bool tls = kind == "pssl";
  if (tls && !tls_supported()) return no_tls(name);
  if (!tls && kind != "ptcp") return unknown_kind(name, passive_forms);

  Endpoint e{.kind = Endpoint::Kind::tcp, .port = default_port, .tls = tls};
  auto end = rest.find(':');
  if (end != 0 && !rest.empty()) {
    OVS_TRY(e.port, parse_port(rest.substr(0, end), name, 0));
  }
  if (end != rest.npos && end + 1 < rest.size()) {
    OVS_TRY(e.host, parse_host(rest.substr(end + 1), name));
    if (!numeric_address(e.host, 0)) {
      return unexpected(fmt::format("{}: \"{}\" is not an IP address to listen on", name, e.host), EINVAL);
    }
  }
  return e;
}

int SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return 0;
}

std::string SocketAddress::to_string() const {
  char host[NI_MAXHOST], service[NI_MAXSERV];
  if ((family() != AF_INET && family() != AF_INET6) ||
      ::getnameinfo(get(), size, host, sizeof host, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  return family() == AF_INET ? fmt::format("{}:{}", host, service) : fmt::format("[{}]:{}", host, service);
}

namespace {

Result<std::vector<SocketAddress>> look_up(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) {
    return unexpected(fmt::format("the host name \"{}\" cannot be resolved: {}", host,
                                  code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code)));
  }
  std::vector<SocketAddress> addresses;
  for (addrinfo* a = found; a; a = a->ai_next) {
    SocketAddress address;
    if (a->ai_addrlen > sizeof address.storage) continue;
    std::memcpy(&address.storage, a->ai_addr, a->ai_addrlen);
    address.size = a->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return unexpected(fmt::format("the host name \"{}\" has no address", host));
  return addresses;
}

}  // namespace

Result<SocketAddress> numeric_address(const std::string& host, std::uint16_t port) {
  OVS_TRY(auto addresses, look_up(host, port, AI_NUMERICHOST));
  return addresses.front();
}

Result<UnixAddress> UnixAddress::create(const std::string& path) {
  UnixAddress a;
  auto& sun = reinterpret_cast<sockaddr_un&>(a.address_.storage);
  sun.sun_family = AF_UNIX;
  std::string used = path;
  if (path.size() >= sizeof sun.sun_path) {
    auto slash = path.rfind('/');
    std::string directory = slash == path.npos ? "." : path.substr(0, slash + 1);
    a.directory_ = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (a.directory_ < 0) return Unexpected{system_error(path, errno)};
    used = fmt::format("/proc/self/fd/{}/{}", a.directory_, path.substr(slash == path.npos ? 0 : slash + 1));
    if (used.size() >= sizeof sun.sun_path) return Unexpected{system_error(path, ENAMETOOLONG)};
  }
  std::memcpy(sun.sun_path, used.c_str(), used.size() + 1);
  a.address_.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + used.size() + 1);
  return Result<UnixAddress>(std::move(a));
}

UnixAddress::UnixAddress(UnixAddress&& other) noexcept
    : address_(other.address_), directory_(std::exchange(other.directory_, -1)) {}

UnixAddress::~UnixAddress() {
  if (directory_ >= 0) ::close(directory_);
}

struct Lookup::Shared {
  std::mutex mutex;  // guards loop: the thread posts only while the lookup is wanted
  Loop* loop;
  Done done;         // used on the loop's thread alone
};

Lookup::Lookup(Loop& loop, std::string host, std::uint16_t port, Done done)
    : shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
  shared_->done = std::move(done);
  std::thread([shared = shared_, host = std::move(host), port] {
    auto found = std::make_shared<Result<std::vector<SocketAddress>>>(look_up(host, port, AI_ADDRCONFIG));
    std::lock_guard lock(shared->mutex);
    if (!shared->loop) return;
    shared->loop->post([shared, found] {
      // Gone meanwhile?  Only the loop's thread clears `loop`, so no lock is needed to look.
      if (shared->loop) shared->done(std::move(*found));
    });
  }).detach();
}

Lookup::~Lookup() {
  std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
}

}  // namespace ovs::runtime
