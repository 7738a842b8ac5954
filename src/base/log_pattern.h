// Log patterns: how one message becomes one line.
//
// A pattern is text in which "%" begins an expansion: %A application, %B syslog priority, %c
// module, %d and %D{FORMAT} local and UTC time, %E host, %m message, %N serial number, %n new
// line, %p level, %P process id, %r ms since start, %t and %T thread, %% a percent sign; "-", "0" and
// a width may stand after the percent sign.  A time's FORMAT is that of strftime(3), where each
// "#" is one digit of the fraction of the second.
//
// Thread safety: pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"

namespace ovs {

struct LogMessage {
  std::string_view module;
  LogLevel level = LogLevel::info;
  std::string_view text;
  std::uint64_t serial = 0;  // from 1
  std::chrono::system_clock::time_point time;
  std::int64_t since_start_ms = 0;
  std::string_view application;
  std::string_view subprogram;  // empty for the main thread of the main process
  std::string_view host;
  int facility = 0;  // RFC 5424 section 6.2.1, not shifted
};

// The syslog severity (RFC 5424 section 6.2.1) that stands for `level`.
int syslog_severity(LogLevel level);

void append_log_line(std::string& out, std::string_view pattern, const LogMessage& message);

}  // namespace ovs
