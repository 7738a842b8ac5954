// Syslog: the ways to the system log, and to a collector beside it (RFC 5424, RFC 3164 framing).
//
// Thread safety: none; base/log.cc calls it under its lock.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace ovs {

class SyslogWriter {
 public:
  ~SyslogWriter();

  // "libc" (the C library's syslog()), "unix:FILE", "udp:IP:PORT" or "null".
  Result<void> set_method(std::string_view method);
  // Also sends everything to HOST:PORT over UDP; HOST is a numeric address.
  Result<void> set_target(std::string_view host_and_port);

  bool enabled() const { return method_ != Method::none || target_fd_ >= 0; }
  // Uses the C library unless a method was set before; the name goes in front of its lines.
  void enable(std::string_view program);

  // `line` is the message in the syslog pattern, `prefix` what RFC 3164 puts in front of it and
  // the C library writes by itself.  `facility` is negative where the operator chose none.
  void write(int facility, int severity, const std::string& prefix, const std::string& line);

 private:
  enum class Method { none, null, libc, socket };

  void close_socket();

  Method method_ = Method::none;
  int fd_ = -1;
  int target_fd_ = -1;
  std::string program_;
};

}  // namespace ovs
