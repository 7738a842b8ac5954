#include "runtime/daemon.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"
#include "runtime/pidfile.h"
#include "runtime/place.h"

namespace ovs::runtime {

namespace {

LogModule log{"daemon"};

constexpr std::chrono::seconds restart_interval{10};

// Signals that mean a bug of the program (or a limit that a bug ran into), not a wish of anybody.
bool is_crash(int signal) {
  for (int s : {SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ}) {
    if (s == signal) return true;
  }
  return false;
}

std::string describe(int status) {
  if (WIFEXITED(status)) return fmt::format("exited with status {}", WEXITSTATUS(status));
  return fmt::format("was killed ({}){}", ::strsignal(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
}

// Returns when the child has ended; its process id stays taken until wait_for().
void await_end(pid_t child) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Ends this process as the child ended.  _exit(): a parent runs no exit handlers, which would
// write buffered output twice and remove files that are the child's.
[[noreturn]] void end_like(int status) {
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  ::signal(WTERMSIG(status), SIG_DFL);
  rlimit no_core{};
  ::setrlimit(RLIMIT_CORE, &no_core);  // the child's core is the one of interest
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::raise(WTERMSIG(status));
  ::_exit(128 + WTERMSIG(status));
}

// A one-way message from a child: "ready" is one byte, anything else is the end of the file.
struct ReadyPipe {
  int read_end = -1;
  int write_end = -1;

  Result<void> open() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return Unexpected{system_error("pipe", errno)};
    read_end = fds[0];
    write_end = fds[1];
    return {};
  }
  bool wait() {
    close(write_end);
    char byte;
    ssize_t n;
    while ((n = ::read(read_end, &byte, 1)) < 0 && errno == EINTR) {
    }
    close(read_end);
    return n == 1;
  }
  void tell() {
    if (write_end >= 0) (void)!::write(write_end, "r", 1);
    close(write_end);
  }
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// The socket of sd_notify(3): what started this process is told that it is ready.  Connected while this
// process still has the rights of whoever started it, since those of --user may not reach the socket.
class Notification {
 public:
  ~Notification() {
    if (fd_ >= 0) ::close(fd_);
  }
  void open() {
    const char* variable = std::getenv("NOTIFY_SOCKET");
    if (!variable) return;
    const std::string path = variable;
    // What this process starts has nothing to say there.
    ::unsetenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
      log.warn("NOTIFY_SOCKET={}: not the path of a socket", path);
      return;
    }
    path.copy(address.sun_path, path.size());
    if (path.front() == '@') address.sun_path[0] = '\0';  // in the abstract namespace
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), length) != 0)
      log.warn("NOTIFY_SOCKET={}: {}", path, std::strerror(errno));
  }
  void tell() {
    if (fd_ < 0) return;
    constexpr std::string_view text = "READY=1";
    if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) < 0)
      log.warn("cannot say that this process is ready: {}", std::strerror(errno));
    ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

// The monitor passes on what it is asked to, so that stopping the parent stops the daemon.  While it has no child these
// signals are blocked, so that each meets the child or is found by take_request().
constexpr std::array requests{SIGTERM, SIGINT, SIGHUP};
volatile sig_atomic_t monitored_child = 0;
volatile sig_atomic_t asked_to_end = 0;  // SIGTERM or SIGINT, which may have come too late for the child

void pass_on(int signal) {
  if (signal != SIGHUP) asked_to_end = signal;
  ::kill(static_cast<pid_t>(monitored_child), signal);
}

void set_handlers(void (*handler)(int)) {
  for (int s : requests) {
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigaction(s, &action, nullptr);
  }
}

sigset_t request_set() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int s : requests) ::sigaddset(&set, s);
  return set;
}

void block_requests(bool block) {
  const sigset_t set = request_set();
  ::sigprocmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, nullptr);
}

// While requests are blocked: waits so long for one to end, and returns its signal; 0: none came.  SIGHUP has no
// meaning then: the next child opens its log anyway.
int take_request(std::chrono::steady_clock::duration wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  const sigset_t set = request_set();
  for (;;) {
    const auto left = std::max(until - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
    const int signal = ::sigtimedwait(&set, nullptr, &timeout);
    if (signal == SIGTERM || signal == SIGINT) return signal;
    if (signal < 0 && errno == EAGAIN) return 0;
  }
}

[[noreturn]] void end_by(int signal) {
  set_handlers(SIG_DFL);
  block_requests(false);
  ::raise(signal);
  ::_exit(128 + signal);
}

struct Identity {
  uid_t uid = ::getuid();
  gid_t gid = ::getgid();
  std::string user;  // for supplementary groups
};

// "USER", "USER:GROUP", ":GROUP"
Result<Identity> parse_identity(const std::string& spec) {
  Identity id;
  auto colon = spec.find(':');
  std::string user = spec.substr(0, colon);
  if (!user.empty()) {
    const passwd* p = ::getpwnam(user.c_str());
    if (!p) return unexpected(fmt::format("--user: there is no user \"{}\"", user), ENOENT);
    id = {.uid = p->pw_uid, .gid = p->pw_gid, .user = user};
  }
  if (colon != spec.npos && colon + 1 < spec.size()) {
    std::string name = spec.substr(colon + 1);
    const group* g = ::getgrnam(name.c_str());
    if (!g) return unexpected(fmt::format("--user: there is no group \"{}\"", name), ENOENT);
    id.gid = g->gr_gid;
  } else if (user.empty()) {
    return unexpected("--user: the user is missing", EINVAL);
  }
  return id;
}

}  // namespace

struct Daemon::Impl {
  bool detach = false;
  bool monitor = false;
  bool chdir = true;
  bool overwrite = false;
  std::string pidfile;
  std::string user;
  std::vector<std::string> capabilities{"ipc_lock", "net_bind_service"};
  ReadyPipe ready_pipe;
  Notification notification;
  bool is_ready = false;
  std::vector<ControlReply> waiting;  // for ready()

  Result<void> detach_from_parent() {
    OVS_TRY_DO(ready_pipe.open());
    pid_t child = ::fork();
    if (child < 0) return Unexpected{system_error("fork", errno)};
    if (child > 0) {
      if (ready_pipe.wait()) ::_exit(0);
      end_like(wait_for(child));
    }
    ReadyPipe::close(ready_pipe.read_end);
    ::setsid();
    return {};
  }

  // Returns in each child; the monitoring process never returns.
  Result<void> run_monitored() {
    using Clock = std::chrono::steady_clock;
    std::optional<Clock::time_point> last_restart;
    int crashes = 0;
    bool was_ready = false;
    for (;;) {
      ReadyPipe pipe;
      OVS_TRY_DO(pipe.open());
      block_requests(true);
      pid_t child = ::fork();
      if (child < 0) {
        const int error = errno;
        block_requests(false);
        return Unexpected{system_error("fork", error)};
      }
      if (child == 0) {
        set_handlers(SIG_DFL);
        block_requests(false);
        ReadyPipe::close(pipe.read_end);
        ReadyPipe::close(ready_pipe.write_end);
        ready_pipe = pipe;
        set_subprogram_name("");
        return {};
      }
      set_subprogram_name("monitor");
      // A rotated log must not stay open here, where no vlog/reopen arrives.
      log_close_file();
      monitored_child = child;
      set_handlers(pass_on);
      block_requests(false);
      if (pipe.wait()) {
        was_ready = true;
        ready_pipe.tell();
        // Only now: until the daemon is ready, its messages and ours go where the user sees them.
        if (detach) drop_standard_descriptors();
      }
      await_end(child);
      block_requests(true);
      int status = wait_for(child);
      bool crashed = WIFSIGNALED(status) && is_crash(WTERMSIG(status));
      // One that cannot even start would do no better the next time; it has said why.
      if (!was_ready) end_like(status);
      if (auto r = log_reopen_file(); !r) log.warn("{}", r.error().message);
      if (!crashed) {
        log.info("pid {} {}, exiting", child, describe(status));
        end_like(status);
      }
      crashes++;
      if (asked_to_end != 0) {
        log.info("pid {} {}, exiting as was asked for", child, describe(status));
        end_by(asked_to_end);
      }
      log.err("{} crashes: pid {} {}, restarting", crashes, child, describe(status));
      auto wait = Clock::duration::zero();
      if (last_restart) wait = std::max(wait, *last_restart + restart_interval - Clock::now());
      if (wait > Clock::duration::zero()) {
        log.warn("waiting until {} seconds since the last restart", restart_interval.count());
      }
      if (int signal = take_request(wait)) end_by(signal);
      last_restart = Clock::now();
    }
  }

  void drop_standard_descriptors() {
    int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return;
    for (int fd : {0, 1, 2}) ::dup2(null, fd);
    if (null > 2) ::close(null);
  }
};

Daemon::Daemon() : impl_(std::make_unique<Impl>()) {}

Daemon::~Daemon() {
  if (!impl_->pidfile.empty()) remove_pidfile();
}

OptionGroup Daemon::options() {
  Impl* d = impl_.get();
  auto flag = [](bool& f, bool to) {
    return [&f, to](std::optional<std::string_view>) -> Result<void> {
      f = to;
      return {};
    };
  };
  return OptionGroup{
      .title = "Daemon options:",
      .options =
          {
              Option{.name = "detach", .help = "run in the background", .apply = flag(d->detach, true)},
              Option{.name = "monitor",
                     .help = "keep a parent that restarts a crashed daemon",
                     .apply = flag(d->monitor, true)},
              Option{.name = "pidfile",
                     .argument = ArgumentKind::optional,
                     .argument_name = "FILE",
                     .help = "create FILE (default: RUNDIR/PROGRAM.pid) with the process id",
                     .apply = [d](std::optional<std::string_view> value) -> Result<void> {
                       d->pidfile = path_below(rundir(), value ? std::string(*value) : program_name() + ".pid");
                       return {};
                     }},
              Option{.name = "overwrite-pidfile",
                     .help = "with --pidfile, start even if it is held by another process",
                     .apply = flag(d->overwrite, true)},
              Option{.name = "no-chdir",
                     .help = "do not change to the root directory",
                     .apply = flag(d->chdir, false)},
              Option{.name = "no-self-confinement",
                     .help = "accepted for compatibility",
                     .apply = [](std::optional<std::string_view>) -> Result<void> { return {}; }},
              Option{.name = "user",
                     .argument = ArgumentKind::required,
                     .argument_name = "USER[:GROUP]",
                     .help = "run as another user, with few capabilities",
                     .apply = [d](std::optional<std::string_view> value) -> Result<void> {
                       d->user = std::string(value.value_or(""));
                       return {};
                     }},
          },
  };
}

void Daemon::keep_capabilities(std::initializer_list<std::string_view> names) {
  impl_->capabilities.assign(names.begin(), names.end());
}

Result<void> Daemon::start() {
  // Complain in the foreground about what can be known before forking.
  if (!impl_->user.empty()) {
    if (::geteuid() != 0) return unexpected("--user: only root may change to another user", EPERM);
    OVS_TRY_DO(parse_identity(impl_->user));
  }
  if (!impl_->pidfile.empty() && !impl_->overwrite) {
    if (auto pid = read_pidfile(impl_->pidfile)) {
      return unexpected(fmt::format("{}: already running as pid {}, aborting", impl_->pidfile, *pid), EEXIST);
    }
  }
  if (impl_->detach) OVS_TRY_DO(impl_->detach_from_parent());
  if (impl_->monitor) OVS_TRY_DO(impl_->run_monitored());
  impl_->notification.open();
  if (!impl_->pidfile.empty()) OVS_TRY_DO(create_pidfile(impl_->pidfile, impl_->overwrite));
  return {};
}

Result<void> Daemon::check_pidfile(const Directories& prepared) const {
  if (impl_->pidfile.empty()) return {};
  if (auto good = check_place(impl_->pidfile, prepared); !good) {
    return Unexpected{std::move(good).error().in("--pidfile=" + impl_->pidfile)};
  }
  return {};
}

Result<void> Daemon::drop_privileges() {
  if (impl_->user.empty()) return {};
  OVS_TRY(Identity id, parse_identity(impl_->user));
  // What exists already becomes the user's, to be removed and opened again.  Not what a symbolic link
  // leads to: the directory may be that user's, and the link a trap for root.
  for (const std::string& path : {impl_->pidfile, log_file_path()}) {
    if (!path.empty()) (void)!::lchown(path.c_str(), id.uid, id.gid);
  }
  return become_user();
}

Result<void> Daemon::become_user() {
  if (impl_->user.empty()) return {};
  OVS_TRY(Identity id, parse_identity(impl_->user));
  // What this process has not been given, as in a container, it cannot keep.
  ::capng_get_caps_process();
  std::vector<unsigned> kept;
  for (auto& name : impl_->capabilities) {
    const int capability = ::capng_name_to_capability(to_lower(name).c_str());
    if (capability < 0) return unexpected(fmt::format("there is no capability \"{}\"", name), EINVAL);
    if (::capng_have_capability(CAPNG_PERMITTED, static_cast<unsigned>(capability))) {
      kept.push_back(static_cast<unsigned>(capability));
    } else {
      log.info("runs without the capability {}, which it was not given", name);
    }
  }
  ::capng_clear(CAPNG_SELECT_BOTH);
  for (const unsigned capability : kept) {
    ::capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), capability);
  }
  // CAPNG_INIT_SUPP_GRP needs a name in the user database; with ":GROUP" alone the extra groups go.
  auto flags = static_cast<capng_flags_t>((id.user.empty() ? CAPNG_DROP_SUPP_GRP : CAPNG_INIT_SUPP_GRP) |
                                          CAPNG_CLEAR_BOUNDING);
  int result = ::capng_change_id(static_cast<int>(id.uid), static_cast<int>(id.gid), flags);
  if (result != 0) {
    return unexpected(fmt::format("--user: cannot become {} (libcap-ng's error {})", impl_->user, result), EPERM);
  }
  if (id.uid != 0 && ::setuid(0) == 0) return unexpected("--user: root's rights were not dropped", EPERM);
  log.info("runs as user {} group {}", ::getuid(), ::getgid());
  return {};
}

void Daemon::ready() {
  if (impl_->detach) {
    if (impl_->chdir && ::chdir("/") != 0) log.warn("cannot change to the root directory");
    impl_->drop_standard_descriptors();
  }
  impl_->ready_pipe.tell();
  impl_->notification.tell();
  impl_->is_ready = true;
  for (ControlReply& reply : impl_->waiting) reply.ok();
  impl_->waiting.clear();
}

void Daemon::add_commands(ControlTable& table) {
  table.add({.name = "daemon/wait-ready", .synopsis = "", .summary = "Answer as soon as the daemon does its work."},
            [d = impl_.get()](std::span<const std::string>, ControlReply reply) {
              if (d->is_ready) return reply.ok();
              d->waiting.push_back(std::move(reply));
            });
}

const std::string& Daemon::pidfile() const { return impl_->pidfile; }

bool Daemon::detached() const { return impl_->detach; }

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace ovs::runtime
