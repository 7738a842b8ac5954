#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/log_end.h"
#include "base/log_pattern.h"
#include "base/log_syslog.h"
#include "base/paths.h"
#include "base/text.h"

namespace ovs {

namespace {

LogModule log{"vlog"};

constexpr std::array<std::string_view, 6> level_names{"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};
constexpr std::array<std::string_view, log_destinations> destination_names{"syslog", "console", "file"};

// Numbered as in RFC 5424, section 6.2.1; the gap is a number without a name here.
constexpr std::array<std::string_view, 24> facility_names{
    "kern",   "user",   "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "clock",  "",       "ftp",    "ntp",    "audit",  "alert",  "clock2",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"};
constexpr int local0 = 16;

constexpr std::string_view syslog_prefix = "<%B> %D{%h %e %T} %E %A: ";

thread_local std::string subprogram;

// Messages that rate limits have held back and no later one has told of.
std::atomic<std::int64_t> held_back{0};

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names, std::string_view word) {
  if (word.empty()) return std::nullopt;
  const auto found = std::ranges::find_if(names, [word](auto name) { return iequals(name, word); });
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

std::string quoted(std::string_view s) { return fmt::format("\"{}\"", s); }

}  // namespace

struct LogRegistry {
  std::mutex mutex;
  std::vector<LogModule*> modules;
  std::array<LogLevel, log_destinations> defaults{LogLevel::info, LogLevel::info, LogLevel::info};
  std::array<std::string, log_destinations> patterns{
      "ovs|%05N|%c%T|%p|%m",
      "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
      "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
  };
  int facility = -1;  // negative: the destination's default
  SyslogWriter syslog;
  std::string file_path;
  int file_fd = -1;
  std::string held;  // goes into the file before the next message
  std::uint64_t serial = 0;
  std::int64_t start_ms = steady_ms();
  std::string host;

  // Never destroyed: other static objects may log until the very end.
  static LogRegistry& instance() {
    static auto* registry = new LogRegistry;
    return *registry;
  }

  bool active(LogDestination destination) const {
    switch (destination) {
      case LogDestination::syslog:
        return syslog.enabled();
      case LogDestination::console:
        return true;
      case LogDestination::file:
        break;
    }
    return file_fd >= 0;
  }

  // The most talkative level that any destination wants, for LogModule::wants().
  void update(LogModule& module) const {
    LogLevel most = LogLevel::off;
    for (std::size_t d = 0; d < log_destinations; d++) {
      const auto destination = static_cast<LogDestination>(d);
      if (active(destination)) most = std::max(most, module.level(destination));
    }
    module.max_level_.store(static_cast<std::uint8_t>(most), std::memory_order_relaxed);
  }

  void update_all() const {
    for (LogModule* module : modules) update(*module);
  }

  void add(LogModule* module) {
    const std::lock_guard lock(mutex);
    modules.push_back(module);
    for (std::size_t d = 0; d < log_destinations; d++) {
      module->set_level(static_cast<LogDestination>(d), defaults[d]);
    }
    update(*module);
  }

  static bool same_name(const LogModule& a, const LogModule& b) { return std::string_view(a.name()) == b.name(); }

  LogModule* find(std::string_view name) const {
    const auto found = std::ranges::find_if(modules, [name](auto* m) { return iequals(m->name(), name); });
    return found == modules.end() ? nullptr : *found;
  }

  // One of each name: those of the same name, in several files, are always set alike.
  std::vector<LogModule*> in_order() const {
    std::vector<LogModule*> all = modules;
    std::ranges::sort(all, {}, [](const LogModule* m) { return std::string_view(m->name()); });
    all.erase(std::unique(all.begin(), all.end(), [](auto* a, auto* b) { return same_name(*a, *b); }), all.end());
    return all;
  }

  Result<void> set_pattern(std::string_view spec) {
    const std::size_t colon = spec.find(':');
    const std::string_view where = spec.substr(0, colon);
    const std::string_view pattern = colon == std::string_view::npos ? "" : spec.substr(colon + 1);
    if (where.empty()) return unexpected("missing destination");
    const auto destination = index_of(destination_names, where);
    if (!destination && !iequals(where, "ANY")) {
      return unexpected("unknown destination " + quoted(where));
    }
    for (std::size_t d = 0; d < log_destinations; d++) {
      if (!destination || *destination == d) patterns[d] = pattern;
    }
    return {};
  }

  Result<void> set_levels(std::string_view spec) {
    LogModule* module = nullptr;
    std::optional<std::size_t> destination, level;
    for (const std::string_view word : split_any(spec, " ,:\t")) {
      if (iequals(word, "ANY")) continue;
      if (const auto d = index_of(destination_names, word)) {
        if (destination) return unexpected("cannot specify multiple destinations");
        destination = d;
      } else if (const auto l = index_of(level_names, word)) {
        if (level) return unexpected("cannot specify multiple levels");
        level = l;
      } else if (LogModule* m = find(word)) {
        if (module != nullptr) return unexpected("cannot specify multiple modules");
        module = m;
      } else {
        return unexpected("no destination, level, or module " + quoted(word));
      }
    }
    const auto to = level ? static_cast<LogLevel>(*level) : LogLevel::dbg;
    for (std::size_t d = 0; d < log_destinations; d++) {
      if (destination && *destination != d) continue;
      if (module == nullptr) defaults[d] = to;
      for (LogModule* m : modules) {
        if (module == nullptr || same_name(*m, *module)) m->set_level(static_cast<LogDestination>(d), to);
      }
    }
    update_all();
    return {};
  }

  // Closes the file that was open, if any, and makes `fd` the log file.
  void use_file(int fd) {
    if (file_fd >= 0) ::close(file_fd);
    file_fd = fd;
    held.clear();
    update_all();
  }

  // `hold`: the file gets the message together with the next one.
  void write(const LogModule& module, LogLevel level, std::string_view text, bool hold = false,
             bool to_console = true) {
    const std::lock_guard lock(mutex);
    if (host.empty()) {
      char name[256] = "";
      host = gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
    }
    const LogMessage message{
        .module = module.name(),
        .level = level,
        .text = text,
        .serial = ++serial,
        .time = std::chrono::system_clock::now(),
        .since_start_ms = steady_ms() - start_ms,
        .application = program_name(),
        .subprogram = subprogram,
        .host = host,
        .facility = facility < 0 ? local0 : facility,
    };
    for (std::size_t d = 0; d < log_destinations; d++) {
      const auto destination = static_cast<LogDestination>(d);
      if (!active(destination) || level > module.level(destination)) continue;
      if (destination == LogDestination::console && !to_console) continue;
      std::string line;
      append_log_line(line, patterns[d], message);
      if (destination == LogDestination::syslog) {
        std::string prefix;
        append_log_line(prefix, syslog_prefix, message);
        syslog.write(facility, syslog_severity(level), prefix, line);
        continue;
      }
      line += '\n';
      if (destination == LogDestination::console) {
        write_fully(STDERR_FILENO, line);
        continue;
      }
      held += line;
      if (!hold) write_fully(file_fd, std::exchange(held, {}));
    }
  }

  // A log that cannot be written must not stop the program: what does not fit is lost.
  static void write_fully(int fd, std::string_view line) {
    while (!line.empty()) {
      const ssize_t n = ::write(fd, line.data(), line.size());
      if (n > 0) {
        line.remove_prefix(static_cast<std::size_t>(n));
      } else if (n == 0 || errno != EINTR) {
        return;
      }
    }
  }

  static std::string list() {
    LogRegistry& r = instance();
    const std::lock_guard lock(r.mutex);
    std::string out =
        "                 console    syslog    file\n"
        "                 -------    ------    ------\n";
    for (const LogModule* m : r.in_order()) {
      out += fmt::format("{:<16}  {:>4}       {:>4}       {:>4}{}\n", m->name(),
                         to_text(m->level(LogDestination::console)), to_text(m->level(LogDestination::syslog)),
                         to_text(m->level(LogDestination::file)),
                         m->limits_rate() ? "" : "    (rate limiting disabled)");
    }
    return out;
  }

  static Result<void> set_rate_limiting(std::string_view name, bool on) {
    LogRegistry& r = instance();
    const std::lock_guard lock(r.mutex);
    LogModule* module = r.find(name);
    if (module == nullptr && !iequals(name, "ANY")) return unexpected("unknown module " + quoted(name));
    for (LogModule* m : r.modules) {
      if (module == nullptr || same_name(*m, *module)) m->limits_rate_.store(on, std::memory_order_relaxed);
    }
    return {};
  }
};

std::string_view to_text(LogLevel level) { return level_names[static_cast<std::size_t>(level)]; }
std::string_view to_text(LogDestination d) { return destination_names[static_cast<std::size_t>(d)]; }

bool RateLimit::allow(unsigned* dropped) {
  while (busy_.test_and_set(std::memory_order_acquire)) {
  }
  const std::int64_t now = steady_ms();
  if (last_fill_ms_ < 0) {
    tokens_ = burst_;
  } else {
    tokens_ = std::min<double>(burst_, tokens_ + static_cast<double>(now - last_fill_ms_) * per_minute_ / 60000.0);
  }
  last_fill_ms_ = now;
  const bool allowed = tokens_ >= 1;
  *dropped = 0;
  if (allowed) {
    tokens_ -= 1;
    *dropped = std::exchange(dropped_, 0U);
    if (*dropped != 0) held_back.fetch_sub(*dropped, std::memory_order_relaxed);
  } else {
    dropped_++;
    held_back.fetch_add(1, std::memory_order_relaxed);
  }
  busy_.clear(std::memory_order_release);
  return allowed;
}

LogModule::LogModule(const char* name) : name_(name) { LogRegistry::instance().add(this); }

void LogModule::set_level(LogDestination destination, LogLevel level) {
  levels_[static_cast<std::size_t>(destination)].store(static_cast<std::uint8_t>(level), std::memory_order_relaxed);
}

void LogModule::write(LogLevel level, std::string_view message) {
  LogRegistry::instance().write(*this, level, message);
}

void log_failure(const LogModule& module, std::string_view message) {
  if (module.wants(LogLevel::err)) LogRegistry::instance().write(module, LogLevel::err, message, false, false);
}

void log_held_back() {
  const std::int64_t n = held_back.exchange(0, std::memory_order_relaxed);
  if (n > 0) log.warn("held back {} log messages that were many of a kind", n);
}

Result<void> log_set(std::string_view spec) {
  LogRegistry& r = LogRegistry::instance();
  const std::lock_guard lock(r.mutex);
  const std::size_t colon = spec.find(':');
  const std::string_view first = spec.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : spec.substr(colon + 1);
  if (iequals(first, "PATTERN")) return r.set_pattern(rest);
  if (iequals(first, "FACILITY")) {
    const auto facility = index_of(facility_names, rest);
    if (!facility) return unexpected("invalid facility");
    r.facility = static_cast<int>(*facility);
    return {};
  }
  return r.set_levels(spec);
}

Result<void> log_set_rate_limiting(std::string_view module, bool on) {
  return LogRegistry::set_rate_limiting(module, on);
}

std::string log_list() { return LogRegistry::list(); }

std::string log_list_patterns() {
  LogRegistry& r = LogRegistry::instance();
  const std::lock_guard lock(r.mutex);
  std::string out =
      "         prefix                            format\n"
      "         ------                            ------\n";
  for (std::size_t d = 0; d < log_destinations; d++) {
    const bool is_syslog = static_cast<LogDestination>(d) == LogDestination::syslog;
    std::string name(destination_names[d]);
    std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    out += fmt::format("{:<8} {:<33} {}\n", name, is_syslog ? syslog_prefix : "none", r.patterns[d]);
  }
  return out;
}

namespace {

Result<void> open_file(const std::string& path, bool hold) {
  LogRegistry& r = LogRegistry::instance();
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0660);
  const int error = errno;
  if (fd < 0) {
    Error e = system_error(fmt::format("failed to open {} for logging", path), error);
    log.warn("{}", e.message);
    return Unexpected{std::move(e)};
  }
  {
    const std::lock_guard lock(r.mutex);
    // A daemon changes its directory before the file is opened again.
    std::error_code failed;
    const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
    r.file_path = failed ? path : absolute.string();
    r.use_file(fd);
  }
  if (log.wants(LogLevel::info)) r.write(log, LogLevel::info, fmt::format("opened log file {}", path), hold);
  return {};
}

}  // namespace

Result<void> log_open_file(const std::string& path) { return open_file(path, true); }

Result<void> log_reopen_file() {
  const std::string path = log_file_path();
  return path.empty() ? Result<void>{} : open_file(path, false);
}

void log_close_file() {
  LogRegistry& r = LogRegistry::instance();
  const std::lock_guard lock(r.mutex);
  r.use_file(-1);
}

std::string log_file_path() {
  LogRegistry& r = LogRegistry::instance();
  const std::lock_guard lock(r.mutex);
  return r.file_path;
}

void log_enable_syslog(std::string_view program) {
  LogRegistry& r = LogRegistry::instance();
  const std::lock_guard lock(r.mutex);
  r.syslog.enable(program);
  r.update_all();
}

Result<void> log_set_syslog_method(std::string_view method) {
  LogRegistry& r = LogRegistry::instance();
  const std::lock_guard lock(r.mutex);
  OVS_TRY_DO(r.syslog.set_method(method));
  r.update_all();
  return {};
}

Result<void> log_set_syslog_target(std::string_view host_and_port) {
  LogRegistry& r = LogRegistry::instance();
  const std::lock_guard lock(r.mutex);
  OVS_TRY_DO(r.syslog.set_target(host_and_port));
  r.update_all();
  return {};
}

void set_subprogram_name(std::string_view name) { subprogram = name; }

}  // namespace ovs
