#include "conf/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "base/json.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"
#include "rpc/control.h"
#include "runtime/loop.h"
#include "runtime/pidfile.h"

namespace ovs::conf {

namespace {

LogModule log{"conf"};

constexpr std::string_view target = "ovs-conf";
constexpr runtime::Duration try_again{1000};
constexpr runtime::Duration answer_limit{30000};
constexpr std::chrono::milliseconds guards_end{2000};
constexpr const char* guard_name = "ovs-guard";
constexpr std::string_view not_in_time = "it was not confirmed in time";

std::string pidfile() { return rundir() + "/ovs-conf.pid"; }
std::string pending_file() { return rundir() + "/ovs-conf.pending"; }
std::string reverted_file() { return rundir() + "/ovs-conf.reverted"; }

using Wall = std::chrono::system_clock;

std::int64_t unix_time() { return static_cast<std::int64_t>(std::time(nullptr)); }
// In so many seconds, and not before.
std::int64_t unix_time_in(std::chrono::seconds wait) {
  return std::chrono::ceil<std::chrono::seconds>(Wall::now().time_since_epoch() + wait).count();
}

// Writes a file of root's own, whose readers see all of it or nothing.
Result<void> write_file(const std::string& name, const json::object& content) {
  const std::string temporary = name + ".new";
  // The directory may belong to the daemons' user, who could have put a link there to any file of root's.
  ::unlink(temporary.c_str());
  Descriptor out(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (out.get() < 0) return Unexpected{system_error(temporary, errno)};
  const std::string text = ovs::to_text(json::value(content));
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(out.get(), text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Unexpected{system_error(temporary, errno)};
    at += static_cast<std::size_t>(n);
  }
  if (::rename(temporary.c_str(), name.c_str()) != 0) return Unexpected{system_error(name, errno)};
  return {};
}

// A configuration that was put back: for the one who comes too late to confirm it.
struct Reverted {
  std::int64_t time = 0;  // unix time
  std::string file, why;

  void write() const {
    if (auto r = write_file(reverted_file(), {{"time", time}, {"file", file}, {"why", why}}); !r)
      log.warn("{}", r.error().message);
  }
  static void remove() { ::unlink(reverted_file().c_str()); }
  // Nothing where there is none, or where somebody has written something else there.
  static std::optional<Reverted> read() {
    if (::access(reverted_file().c_str(), F_OK) != 0) return std::nullopt;
    auto text = read_file(reverted_file());
    auto v = text ? parse_json(*text) : Unexpected{std::move(text.error())};
    const json::object* o = v ? v->if_object() : nullptr;
    const json::value *time = o ? o->if_contains("time") : nullptr, *file = o ? o->if_contains("file") : nullptr,
                      *why = o ? o->if_contains("why") : nullptr;
    if (!time || !as_integer(*time) || !file || !as_string(*file) || !why || !as_string(*why)) return std::nullopt;
    return Reverted{*as_integer(*time), std::string(*as_string(*file)), std::string(*as_string(*why))};
  }
  std::string text() const {
    const std::time_t t = time;
    std::tm local{};
    char when[64] = "";
    if (::localtime_r(&t, &local)) std::strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local);
    std::string out = fmt::format("that of {} was taken back at {}: {}", file_name(file), when, why);
    for (char& c : out)
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
    return out;
  }
};

// The names of files and the rest that a connection by TLS needs, as members of an object.
constexpr std::pair<const char*, std::string runtime::TlsSettings::*> tls_members[] = {
    {"private_key", &runtime::TlsSettings::private_key},   {"certificate", &runtime::TlsSettings::certificate},
    {"ca_cert", &runtime::TlsSettings::ca_cert},           {"peer_ca_cert", &runtime::TlsSettings::peer_ca_cert},
    {"protocols", &runtime::TlsSettings::protocols},       {"ciphers", &runtime::TlsSettings::ciphers},
};

// What has to be known to take a change back.
struct Pending {
  std::int64_t deadline = 0;  // unix time
  std::string file, db;
  runtime::TlsSettings tls;
  json::value undo;

  Result<void> write() const {
    json::object keys{{"bootstrap", tls.bootstrap}};
    for (const auto& [name, member] : tls_members) keys[name] = tls.*member;
    return write_file(pending_file(), {{"deadline", deadline}, {"file", file}, {"db", db}, {"tls", std::move(keys)},
                                       {"undo", undo}});
  }

  static bool exists() { return ::access(pending_file().c_str(), F_OK) == 0; }
  static void remove() { ::unlink(pending_file().c_str()); }

  static Result<Pending> read() {
    Limits limits;
    limits.bytes = std::size_t{1} << 30;
    OVS_TRY(const std::string text, read_file(pending_file(), limits));
    auto v = parse_json(text);
    const json::object* o = v ? v->if_object() : nullptr;
    auto member = [&](std::string_view name) { return o ? o->if_contains(name) : nullptr; };
    const json::value *deadline = member("deadline"), *file = member("file");
    const json::value *db = member("db"), *undo = member("undo");
    if (!deadline || !as_integer(*deadline) || !file || !as_string(*file) || !db || !as_string(*db) || !undo)
      return unexpected(pending_file() + ": it is damaged; remove it to keep the configuration as it is");
    Pending pending{*as_integer(*deadline), std::string(*as_string(*file)), std::string(*as_string(*db)), {}, *undo};
    const json::value* tls = member("tls");
    if (const json::object* keys = tls ? tls->if_object() : nullptr) {
      for (const auto& [name, setting] : tls_members)
        if (const json::value* key = keys->if_contains(name); key && as_string(*key))
          pending.tls.*setting = *as_string(*key);
      const json::value* bootstrap = keys->if_contains("bootstrap");
      pending.tls.bootstrap = bootstrap && *bootstrap == json::value(true);
    }
    return pending;
  }
};

// Whether a guard is alive.
bool guarded() { return runtime::read_pidfile(pidfile()).has_value(); }

// `why`: a sentence about the new configuration.
Result<void> take_back_pending(std::chrono::milliseconds limit, std::string_view why) {
  OVS_TRY(const Pending pending, Pending::read());
  OVS_TRY(auto session, Session::open(pending.db, pending.tls, limit));
  OVS_TRY(const Undo undo, Undo::from_json(pending.undo, session->schema()));
  OVS_TRY_DO(take_back(*session, undo, fmt::format("{} was not confirmed", pending.file)));
  // First this: who finds nothing pending is to find the reason.
  Reverted{unix_time(), pending.file, std::string(why)}.write();
  Pending::remove();
  return {};
}

// The guard after the change: waits, answers, and takes the change back.
class Watch {
 public:
  explicit Watch(std::chrono::milliseconds limit)
      : limit_(limit), timer_(loop_, [this] { go_back(not_in_time); }) {}

  Result<void> listen() {
    // One that comes while the change is being made waits until it can be taken back.
    loop_.on_signal(SIGTERM, [this] { go_back("its guard was ended"); });
    table_.add({.name = "confirm", .synopsis = "", .summary = "keep the configuration", .options = "",
                .access = Access::read_write},
               [this](std::span<const std::string>) -> Result<std::string> {
                 if (going_back_) return unexpected("it is too late: the old configuration is being put back");
                 Pending::remove();
                 log.info("the configuration is confirmed");
                 finished_ = true;
                 return std::string("the configuration is kept");
               });
    table_.add({.name = "revert", .synopsis = "", .summary = "put the old configuration back", .options = "",
                .access = Access::read_write},
               [this](std::span<const std::string>) -> Result<std::string> {
                 if (auto r = attempt("ovs-conf revert was called"); !r) return Unexpected{std::move(r.error())};
                 return std::string("the old configuration is back");
               });
    OVS_TRY(control_, rpc::ControlServer::create(loop_, table_, std::nullopt));
    return {};
  }

  // Until the change is confirmed, or taken back after so long.
  void run(runtime::Duration left) {
    timer_.start(std::max(left, runtime::Duration::zero()));
    loop_.run_until([this] { return finished_ && (!control_ || control_->idle()); });
    // Who asked is to have the answer.
    loop_.run_until([this] { return !control_ || control_->connections() == 0; }, runtime::Duration{1000});
  }

 private:
  Result<void> attempt(std::string_view why) {
    going_back_ = true;
    log.info("puts the old configuration back: {}", why);
    auto r = take_back_pending(limit_, why);
    if (r) {
      log.info("the old configuration is back");
      finished_ = true;
      timer_.cancel();
    } else if (!Pending::exists()) {
      log.warn("{} is gone: the configuration stays as it is", pending_file());
      finished_ = true;
    } else {
      log.warn("cannot put the old configuration back yet: {}", r.error().message);
      timer_.start(try_again);
    }
    return r;
  }
  void go_back(std::string_view why) {
    if (!finished_) (void)attempt(why);
  }

  std::chrono::milliseconds limit_;
  runtime::Loop loop_;
  ControlTable table_;
  runtime::Timer timer_;
  std::unique_ptr<rpc::ControlServer> control_;
  bool finished_ = false, going_back_ = false;
};

void quiet() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, fd);
  if (nothing > STDERR_FILENO) ::close(nothing);
}

std::string waits() {
  return fmt::format("a configuration waits to be confirmed: \"{0} confirm\" keeps it, \"{0} revert\" puts the old one "
                     "back; then try again",
                     program_name());
}

// The sockets of guards that were killed, "ovs-conf.PID.ctl".
void remove_dead_sockets() {
  const std::string start = std::string(target) + ".", end = ".ctl";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(rundir().c_str()), ::closedir);
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory.get())) {
    std::string_view name = entry->d_name;
    if (!name.starts_with(start) || !name.ends_with(end) || name.size() <= start.size() + end.size()) continue;
    name.remove_prefix(start.size());
    name.remove_suffix(end.size());
    const auto pid = parse_integer(name);
    if (!pid || *pid <= 0 || *pid > INT32_MAX) continue;
    if (::kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH)
      ::unlink((rundir() + "/" + entry->d_name).c_str());
  }
}

// The process that makes the change.  Tells the exit status through `report` when that is done.
[[noreturn]] void guard(const Declared& declared, const ApplyOptions& options, int report) {
  auto tell = [&](int status) {
    std::fflush(nullptr);
    const char byte = static_cast<char>(status);
    if (::write(report, &byte, 1) < 0) {
      // The one who asked is gone; that is what the guard is for.
    }
    ::close(report);
  };
  auto fail = [&](std::string_view message) {
    complain(message);
    tell(exit_database);
    std::exit(exit_database);
  };
  if (auto r = runtime::create_pidfile(pidfile(), false); !r) {
    if (r.error().code != EEXIST) fail(r.error().message);
    // Two have started at the same moment, and the other one was faster.
    complain(waits());
    tell(exit_unconfirmed);
    std::exit(exit_unconfirmed);
  }
  // The other one's may have made its change already, and have been killed since.
  if (Pending::exists()) {
    complain(waits());
    tell(exit_unconfirmed);
    std::exit(exit_unconfirmed);
  }
  Reverted::remove();
  remove_dead_sockets();
  auto watch = std::make_unique<Watch>(options.limit);
  if (auto r = watch->listen(); !r) fail(r.error().message);

  Pending pending{0, options.file, options.db, options.tls, nullptr};
  const auto longest = std::chrono::ceil<std::chrono::seconds>(options.limit + options.switch_limit) + *options.confirm;
  const Applied applied = apply(declared, options, [&](const Undo& undo) {
    pending.deadline = unix_time_in(longest);
    pending.undo = undo.to_json();
    return pending.write();
  });
  if (!applied.changed) {
    Pending::remove();
    watch.reset();  // its socket goes with it
    tell(applied.status);
    std::exit(applied.status);
  }
  pending.deadline = unix_time_in(*options.confirm);
  if (auto r = pending.write(); !r) log.warn("{}", r.error().message);
  std::printf("confirm with \"%s confirm\" within %lld seconds, or the old configuration comes back\n",
              program_name().c_str(),
              static_cast<long long>(options.confirm->count()));
  tell(applied.status);
  quiet();
  watch->run(*options.confirm);
  watch.reset();
  std::exit(EXIT_SUCCESS);
}

// A guard was killed: another one takes its place.
[[noreturn]] void resume(const ApplyOptions& options) {
  quiet();
  if (auto r = runtime::create_pidfile(pidfile(), true); !r) log.warn("{}", r.error().message);
  auto watch = std::make_unique<Watch>(options.limit);
  if (auto r = watch->listen(); !r) log.warn("{}", r.error().message);
  auto pending = Pending::read();
  if (!pending) {
    log.err("{}", pending.error().message);
    std::exit(EXIT_FAILURE);
  }
  const auto left = std::chrono::seconds(pending->deadline) - Wall::now().time_since_epoch();
  watch->run(std::chrono::ceil<runtime::Duration>(left));
  watch.reset();
  std::exit(EXIT_SUCCESS);
}

// Starts the guard and looks after it.
[[noreturn]] void supervise(const Declared& declared, const ApplyOptions& options, int report) {
  ::setsid();
  // Neither a terminal that closes nor a reader that is gone ends it.
  for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  // Who ends all processes of the name "ovs-conf" does not mean these two.
  ::prctl(PR_SET_NAME, guard_name);
  log_enable_syslog(program_name());
  (void)log_set("conf:syslog:info");
  bool first = true;
  while (true) {
    const auto begin = std::chrono::steady_clock::now();
    const pid_t pid = ::fork();
    if (pid == 0) {
      if (first) guard(declared, options, report);
      resume(options);
    }
    if (first) {
      // Only the guard has news; when it is gone, the one who waits has to know.
      ::close(report);
      quiet();
    }
    first = false;
    int status = 0;
    if (pid > 0)
      while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
    const bool killed = pid < 0 || WIFSIGNALED(status);
    if (!killed || !Pending::exists()) ::_exit(EXIT_SUCCESS);
    // Not as fast as the machine can, where each one dies at once or none can be made.
    if (std::chrono::steady_clock::now() - begin < try_again) ::sleep(1);
  }
}

// Asks the guard; the exit status.
int ask(std::string_view command) {
  auto socket = rpc::control_socket_of(std::string(target));
  if (!socket) {
    complain(socket.error().message);
    return exit_unconfirmed;
  }
  auto answer = rpc::control_call(*socket, std::string(command), {}, answer_limit);
  if (!answer || !answer->ok) {
    complain(answer ? answer->text : answer.error().message);
    return exit_unconfirmed;
  }
  std::fputs(answer->text.c_str(), stdout);
  // The next apply is not to find a guard that has nothing left to do.
  const auto end = std::chrono::steady_clock::now() + guards_end;
  while (guarded() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds{5});
  return exit_done;
}

int nothing_waits() {
  const auto reverted = Reverted::read();
  complain("no configuration waits to be confirmed" + (reverted ? ": " + reverted->text() : ""));
  Reverted::remove();
  return exit_unconfirmed;
}

}  // namespace

Result<void> check_nothing_pending(const ApplyOptions& options) {
  if (guarded()) return unexpected(waits());
  if (!Pending::exists()) return {};
  auto read = Pending::read();
  // One that has started or ended just now.
  if (guarded()) return unexpected(waits());
  if (!read && !Pending::exists()) return {};
  OVS_TRY(const Pending pending, std::move(read));
  if (pending.deadline > unix_time())
    return unexpected(fmt::format("a configuration waits to be confirmed, but its guard has been killed: "
                                  "\"{0} confirm\" keeps it, \"{0} revert\" puts the old one back; then try again",
                                  program_name()));
  if (auto r = take_back_pending(options.limit, not_in_time); !r)
    return unexpected(fmt::format("a configuration was not confirmed, and cannot be taken back: {}",
                                  r.error().message));
  complain(fmt::format("{} was not confirmed in time: the old configuration is back", pending.file));
  return {};
}

int apply_guarded(const Declared& declared, const ApplyOptions& options) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) {
    complain(system_error("pipe", errno).message);
    return exit_database;
  }
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) {
    complain(system_error("fork", errno).message);
    return exit_database;
  }
  if (pid == 0) {
    ::close(fds[0]);
    supervise(declared, options, fds[1]);
  }
  ::close(fds[1]);
  char status = 0;
  ssize_t n;
  while ((n = ::read(fds[0], &status, 1)) < 0 && errno == EINTR) {
  }
  ::close(fds[0]);
  if (n == 1) return status;
  complain("the guard has been killed before it was done; \"ovs-conf revert\" puts the old configuration back");
  return exit_database;
}

int confirm(const ApplyOptions&) {
  if (guarded()) return ask("confirm");
  if (!Pending::exists()) return nothing_waits();
  Pending::remove();
  std::puts("the configuration is kept");
  return exit_done;
}

int revert(const ApplyOptions& options) {
  if (guarded()) return ask("revert");
  if (!Pending::exists()) return nothing_waits();
  if (auto r = take_back_pending(options.limit, "ovs-conf revert was called"); !r) {
    complain(r.error().message);
    return exit_database;
  }
  std::puts("the old configuration is back");
  return exit_done;
}

}  // namespace ovs::conf
