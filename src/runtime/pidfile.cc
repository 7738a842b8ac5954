#include "runtime/pidfile.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace ovs::runtime {

namespace {

// The pidfile of this process; children of fork(2) inherit the variable but not the file.
struct Own {
  std::string path;
  int fd = -1;
  pid_t pid = 0;
};

Own& own() {
  static Own o;
  return o;
}

struct flock whole_file(short type) {
  struct flock l {};
  l.l_type = type;
  l.l_whence = SEEK_SET;
  return l;
}

// The process that holds a lock on `fd`, or nothing.
std::optional<pid_t> holder(int fd) {
  auto l = whole_file(F_WRLCK);
  if (::fcntl(fd, F_GETLK, &l) != 0 || l.l_type == F_UNLCK) return std::nullopt;
  return l.l_pid;
}

bool same_file(int fd, const std::string& path) {
  struct stat a, b;
  return ::fstat(fd, &a) == 0 && ::stat(path.c_str(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Unexpected<Error> already_running(const std::string& path, pid_t pid) {
  return unexpected(fmt::format("{}: already running as pid {}", path, pid), EEXIST);
}

}  // namespace

Result<pid_t> read_pidfile(const std::string& path) {
  // Ours is not opened: closing it would lose the lock.
  if (own().fd >= 0 && own().pid == ::getpid() && same_file(own().fd, path)) return own().pid;
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    int error = errno;
    return unexpected(fmt::format("cannot read pidfile \"{}\" ({})", path, std::strerror(error)), error);
  }
  char text[32];
  ssize_t n = ::read(fd, text, sizeof text);
  auto locked_by = holder(fd);
  ::close(fd);
  if (n < 0) return unexpected(fmt::format("cannot read pidfile \"{}\"", path), EIO);
  auto pid = parse_integer(trim(std::string_view(text, static_cast<std::size_t>(n))));
  if (!pid || *pid <= 0 || *pid > INT32_MAX) {
    return unexpected(fmt::format("pidfile \"{}\" does not hold a process id", path), EINVAL);
  }
  if (!locked_by) {
    return unexpected(fmt::format("pidfile \"{}\" is left from pid {}, which runs no more", path, *pid), ESRCH);
  }
  return static_cast<pid_t>(*pid);
}

Result<void> create_pidfile(const std::string& path, bool overwrite) {
  remove_pidfile();
  std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Unexpected{system_error("cannot create pidfile " + temporary, errno)};
  auto fail = [&](Error error) -> Result<void> {
    ::unlink(temporary.c_str());
    ::close(fd);
    return Unexpected{std::move(error)};
  };
  auto l = whole_file(F_WRLCK);
  std::string text = fmt::format("{}\n", ::getpid());
  if (::fcntl(fd, F_SETLK, &l) != 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(system_error("cannot write pidfile " + temporary, errno));
  }

  // Two processes that start at once must not both win.  Without an old file, link(2) lets one
  // through; with one, whoever holds the old file's lock may replace it.
  for (;;) {
    if (overwrite) {
      if (::rename(temporary.c_str(), path.c_str()) != 0) return fail(system_error(path, errno));
      break;
    }
    if (::link(temporary.c_str(), path.c_str()) == 0) {
      ::unlink(temporary.c_str());
      break;
    }
    if (errno != EEXIST) return fail(system_error("cannot create pidfile " + path, errno));
    int old = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (old < 0) {
      if (errno == ENOENT) continue;
      return fail(system_error(path, errno));
    }
    l = whole_file(F_WRLCK);
    if (::fcntl(old, F_SETLK, &l) != 0) {
      pid_t pid = holder(old).value_or(0);
      ::close(old);
      if (pid == 0) continue;  // it went away between the two calls
      return fail(already_running(path, pid).error);
    }
    // The lock is worth something only if the file was not replaced before it was ours.
    bool current = same_file(old, path);
    int result = current ? ::rename(temporary.c_str(), path.c_str()) : 0;
    int error = errno;
    ::close(old);
    if (!current) continue;
    if (result != 0) return fail(system_error(path, error));
    break;
  }

  static bool registered = std::atexit(remove_pidfile) == 0;
  (void)registered;
  own() = Own{path, fd, ::getpid()};
  return {};
}

void remove_pidfile() {
  Own& o = own();
  if (o.fd < 0) return;
  if (o.pid == ::getpid() && same_file(o.fd, o.path)) ::unlink(o.path.c_str());
  ::close(o.fd);
  o = {};
}

}  // namespace ovs::runtime
