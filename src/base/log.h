// Logging, with the module names, levels and destinations that users of the field know (vlog).
//
// A file that logs declares its module once, at namespace scope, and then writes to it:
//
//     static LogModule log{"jsonrpc"};
//     log.info("{}: connected", name);
//     static RateLimit limit; log.limited(limit, LogLevel::warn, "{}: bad message", peer);  // a peer can cause it
//
// Destinations: console (standard error), syslog, file.  Each module has a level for each
// destination; a message goes where its level is at or below the module's.  `vlog/set`,
// `vlog/list`, `vlog/reopen`, `vlog/close` and the -v option change them (base/log.cc holds the grammar:
// [MODULE][:DESTINATION][:LEVEL] words in any order, ANY, PATTERN:DESTINATION:PATTERN, off, -v alone = ANY:ANY:dbg).
//
// A file line reads "2026-01-02T03:04:05.678Z|00001|module|INFO|message".
//
// Thread safety: every function may be called from any thread; a message costs one relaxed load
// where it is not wanted.
#pragma once

#include <fmt/core.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ovs {

enum class LogLevel : std::uint8_t { off, emer, err, warn, info, dbg };
enum class LogDestination : std::uint8_t { syslog, console, file };
inline constexpr std::size_t log_destinations = 3;

std::string_view to_text(LogLevel level);              // "OFF" "EMER" "ERR" "WARN" "INFO" "DBG"
std::string_view to_text(LogDestination destination);  // "syslog" "console" "file"

// Holds back messages that a peer or a packet can cause: at most `burst` at once and `per_minute`
// in the long run; the next one let through says how many were held back.
class RateLimit {
 public:
  explicit constexpr RateLimit(unsigned per_minute = 20, unsigned burst = 5)
      : per_minute_(per_minute), burst_(burst) {}
  // Returns whether to log now; *dropped is how many messages were held back since the last one.
  bool allow(unsigned* dropped);

 private:
  unsigned per_minute_, burst_;
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  std::int64_t last_fill_ms_ = -1;
  double tokens_ = 0;
  unsigned dropped_ = 0;
};

class LogModule {
 public:
  explicit LogModule(const char* name);
  LogModule(const LogModule&) = delete;

  const char* name() const { return name_; }
  bool wants(LogLevel level) const {
    return static_cast<std::uint8_t>(level) <= max_level_.load(std::memory_order_relaxed);
  }

  template <class... A>
  void emer(fmt::format_string<A...> f, A&&... a) {
    at(LogLevel::emer, f, std::forward<A>(a)...);
  }
  template <class... A>
  void err(fmt::format_string<A...> f, A&&... a) {
    at(LogLevel::err, f, std::forward<A>(a)...);
  }
  template <class... A>
  void warn(fmt::format_string<A...> f, A&&... a) {
    at(LogLevel::warn, f, std::forward<A>(a)...);
  }
  template <class... A>
  void info(fmt::format_string<A...> f, A&&... a) {
    at(LogLevel::info, f, std::forward<A>(a)...);
  }
  template <class... A>
  void dbg(fmt::format_string<A...> f, A&&... a) {
    at(LogLevel::dbg, f, std::forward<A>(a)...);
  }
  template <class... A>
  void limited(RateLimit& limit, LogLevel level, fmt::format_string<A...> f, A&&... a) {
    if (!wants(level)) return;
    unsigned dropped = 0;
    if (limits_rate() && !limit.allow(&dropped)) return;
    if (dropped) write(level, fmt::format("held back {} log messages like the next one", dropped));
    write(level, fmt::format(f, std::forward<A>(a)...));
  }
  template <class... A>
  void at(LogLevel level, fmt::format_string<A...> f, A&&... a) {
    if (wants(level)) write(level, fmt::format(f, std::forward<A>(a)...));
  }

  LogLevel level(LogDestination destination) const {
    return static_cast<LogLevel>(levels_[static_cast<std::size_t>(destination)].load(std::memory_order_relaxed));
  }

  // Whether limited() holds messages back (vlog/disable-rate-limit turns it off, to debug).
  bool limits_rate() const { return limits_rate_.load(std::memory_order_relaxed); }

 private:
  friend struct LogRegistry;
  void write(LogLevel level, std::string_view message);
  void set_level(LogDestination destination, LogLevel level);

  const char* name_;
  std::atomic<std::uint8_t> max_level_;
  std::array<std::atomic<std::uint8_t>, log_destinations> levels_;
  std::atomic<bool> limits_rate_{true};
};

// One specification of the -v / vlog/set grammar: "dbg", "jsonrpc:file:info", "ANY:console:off",
// "PATTERN:console:%p|%m", "FACILITY:local3".  A tool begins with log_set("console:warn"), so that
// only what goes wrong is told to its user.
Result<void> log_set(std::string_view spec);
std::string log_list();  // the table that vlog/list prints
std::string log_list_patterns();
// Whether messages of `module` ("ANY": of all) that a peer can cause are held back when they are many.
Result<void> log_set_rate_limiting(std::string_view module, bool on);

// Starts logging to `path`; the file is opened for appending.  A failure is logged, too.  Nothing is
// written to it before the first message: the file of a daemon that runs already stays as it is when
// a second one is started with the same options, and ends for that reason.
Result<void> log_open_file(const std::string& path);
Result<void> log_reopen_file();  // after log_close_file() or a rotation; nothing where there is no file
void log_close_file();
std::string log_file_path();  // empty where there is none

// Messages go to the system log only after this: daemons ask for it; a tool's errors go to the
// console alone by default.
void log_enable_syslog(std::string_view program);
// "libc", "unix:FILE", "udp:IP:PORT" or "null"; turns the system log on.
Result<void> log_set_syslog_method(std::string_view method);
// Also sends what goes to the system log to HOST:PORT over UDP; HOST is a numeric address.
Result<void> log_set_syslog_target(std::string_view host_and_port);

// What %t and %T show for the calling thread (and for processes that it forks): "monitor", or
// empty for the main one.
void set_subprogram_name(std::string_view name);

}  // namespace ovs
