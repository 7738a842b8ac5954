#include "base/log_syslog.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/paths.h"

namespace ovs {

namespace {

Result<int> connect_udp(std::string_view host_and_port) {
  const std::size_t colon = host_and_port.rfind(':');
  if (colon == std::string_view::npos) {
    return unexpected("syslog address '" + std::string(host_and_port) + "' is not of the form HOST:PORT");
  }
  std::string host(host_and_port.substr(0, colon));
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string port(host_and_port.substr(colon + 1));
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return unexpected("syslog address '" + std::string(host_and_port) + "': " + gai_strerror(error));
  }
  const int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool connected = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (connected) return fd;
  if (fd >= 0) close(fd);
  return Unexpected{system_error("syslog address '" + std::string(host_and_port) + "'", error)};
}

Result<int> connect_unix(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return unexpected("syslog socket '" + std::string(path) + "': the path is empty or too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  if (fd >= 0) close(fd);
  return Unexpected{system_error("syslog socket '" + std::string(path) + "'", error)};
}

}  // namespace

SyslogWriter::~SyslogWriter() {
  close_socket();
  if (target_fd_ >= 0) close(target_fd_);
}

void SyslogWriter::close_socket() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Result<void> SyslogWriter::set_method(std::string_view method) {
  Method kind = Method::socket;
  int fd = -1;
  if (method == "libc") {
    kind = Method::libc;
  } else if (method == "null") {
    kind = Method::null;
  } else if (method.starts_with("unix:")) {
    OVS_TRY(fd, connect_unix(method.substr(5)));
  } else if (method.starts_with("udp:")) {
    OVS_TRY(fd, connect_udp(method.substr(4)));
  } else {
    return unexpected("unsupported syslog method '" + std::string(method) +
                      "' (use libc, unix:FILE, udp:IP:PORT or null)");
  }
  close_socket();
  fd_ = fd;
  method_ = Method::none;
  if (kind == Method::libc) {
    enable(program_name());
  } else {
    method_ = kind;
  }
  return {};
}

Result<void> SyslogWriter::set_target(std::string_view host_and_port) {
  OVS_TRY(const int fd, connect_udp(host_and_port));
  if (target_fd_ >= 0) close(target_fd_);
  target_fd_ = fd;
  return {};
}

void SyslogWriter::enable(std::string_view program) {
  if (method_ != Method::none) return;
  method_ = Method::libc;
  program_ = program;  // openlog() keeps the pointer
  openlog(program_.c_str(), LOG_NDELAY, LOG_DAEMON);
}

void SyslogWriter::write(int facility, int severity, const std::string& prefix, const std::string& line) {
  if (method_ == Method::libc) {
    syslog((facility < 0 ? LOG_DAEMON : facility << 3) | severity, "%s", line.c_str());
  }
  // A log that does not take the message must not stop the program, so errors are not looked at.
  const auto send_to = [&](int fd) {
    if (fd < 0) return;
    const std::string datagram = prefix + line;
    (void)send(fd, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  };
  if (method_ == Method::socket) send_to(fd_);
  send_to(target_fd_);
}

}  // namespace ovs
