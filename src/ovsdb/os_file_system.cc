// The operating system's files, and the lock beside a database that keeps a second writer away.
//
// The lock is a POSIX record lock (fcntl) on the whole of ".NAME.~lock~" in the directory of NAME,
// symbolic links resolved first.  Such locks belong to the process: they do not keep two parts of one
// process apart, and closing any descriptor of the file drops them.  So the process also remembers
// which lock files it holds, by device and inode, and opens none of them a second time.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <mutex>
#include <set>

#include "base/descriptor.h"
#include "ovsdb/log_file.h"

namespace ovs::ovsdb {

namespace {

using FileId = std::pair<dev_t, ino_t>;

std::mutex held_mutex;
std::set<FileId>& held_locks() {
  static std::set<FileId> locks;
  return locks;
}

// Where symbolic links lead; for a file that does not exist yet, its directory is resolved.
std::string resolve(const std::string& path) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved)) return resolved;
  char target[PATH_MAX];
  if (ssize_t n = ::readlink(path.c_str(), target, sizeof target); n > 0 && n < PATH_MAX) {
    std::string to(target, static_cast<std::size_t>(n));
    if (to[0] == '/') return to;
    std::size_t slash = path.rfind('/');
    return (slash == std::string::npos ? std::string() : path.substr(0, slash + 1)) + to;
  }
  return path;
}

std::string directory_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string lock_name(const std::string& path) {
  std::size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return directory + "." + path.substr(directory.size()) + ".~lock~";
}

class Lock final : public FileLock {
 public:
  // `path` is resolved.
  static Result<std::unique_ptr<FileLock>> take(const std::string& path) {
    const std::string name = lock_name(path);
    std::lock_guard guard(held_mutex);
    // A lock file of ours must not even be opened: closing it again would drop the lock.
    struct stat status;
    if (::stat(name.c_str(), &status) == 0 && held_locks().contains({status.st_dev, status.st_ino}))
      return unexpected(fmt::format("{}: cannot be locked: this process has it open already", path), EDEADLK);

    Descriptor fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (fd.get() < 0) return Unexpected{system_error(fmt::format("{}: opening lock file {}", path, name), errno)};
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(fd.get(), F_SETLK, &lock) < 0) {
      const int code = errno;
      if (code != EAGAIN && code != EACCES)
        return Unexpected{system_error(fmt::format("{}: locking {}", path, name), code)};
      std::string by;
      lock.l_type = F_WRLCK;
      if (::fcntl(fd.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
        by = fmt::format(" by process {}", lock.l_pid);
      return unexpected(fmt::format("{}: cannot be locked: it is locked{} already (lock file {})", path, by, name),
                        EAGAIN);
    }
    if (::fstat(fd.get(), &status) < 0) return Unexpected{system_error(name, errno)};
    FileId id{status.st_dev, status.st_ino};
    held_locks().insert(id);
    return std::unique_ptr<FileLock>(new Lock(std::move(fd), id));
  }

  ~Lock() override {
    std::lock_guard guard(held_mutex);
    held_locks().erase(id_);
    fd_ = Descriptor();
  }

 private:
  Lock(Descriptor fd, FileId id) : fd_(std::move(fd)), id_(id) {}
  Descriptor fd_;
  FileId id_;
};

class OsFile final : public File {
 public:
  OsFile(std::string path, Descriptor fd, std::unique_ptr<FileLock> lock)
      : path_(std::move(path)), fd_(std::move(fd)), lock_(std::move(lock)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size) override {
    for (;;) {
      ssize_t n = ::pread(fd_.get(), to, size, static_cast<off_t>(offset));
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) return failed("reading");
    }
  }

  Result<void> write_at(std::uint64_t offset, std::string_view data) override {
    while (!data.empty()) {
      ssize_t n = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) continue;
        return failed("writing");
      }
      data.remove_prefix(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  Result<void> sync() override {
    while (::fdatasync(fd_.get()) < 0)
      if (errno != EINTR) return failed("syncing");
    return {};
  }

  Result<void> truncate(std::uint64_t size) override {
    while (::ftruncate(fd_.get(), static_cast<off_t>(size)) < 0)
      if (errno != EINTR) return failed("truncating");
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat status;
    if (::fstat(fd_.get(), &status) < 0) return failed("looking at");
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  Unexpected<Error> failed(std::string_view doing) const {
    return Unexpected{system_error(fmt::format("{}: {}", path_, doing), errno)};
  }

  std::string path_;
  Descriptor fd_;
  std::unique_ptr<FileLock> lock_;
};

class OsFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return Lock::take(resolve(path)); }

  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode, bool lock) override {
    const std::string real = resolve(path);
    std::unique_ptr<FileLock> held;
    if (lock) {
      OVS_TRY(held, Lock::take(real));
    }
    int flags = O_CLOEXEC;
    switch (mode) {
      case Mode::read_only:
        flags |= O_RDONLY;
        break;
      case Mode::read_write:
        flags |= O_RDWR;
        break;
      case Mode::create:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    Descriptor fd(::open(real.c_str(), flags, 0640));
    const std::string_view doing = mode == Mode::create ? "creating" : "opening";
    if (fd.get() < 0) return Unexpected{system_error(fmt::format("{}: {}", path, doing), errno)};
    struct stat status;
    if (::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode))
      return Unexpected{system_error(fmt::format("{}: opening", path), EISDIR)};
    if (mode == Mode::create) {
      auto directory = open_directory(real);
      auto synced = directory ? sync_directory(*directory, real)
                              : Result<void>(Unexpected{std::move(directory).error()});
      if (!synced) {
        ::unlink(real.c_str());
        return Unexpected{std::move(synced).error()};
      }
    }
    return std::unique_ptr<File>(std::make_unique<OsFile>(path, std::move(fd), std::move(held)));
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    // A symbolic link goes on pointing to the file that it pointed to.
    const std::string target = resolve(to);
    // Opened first: running out of descriptors must not leave the rename half done.
    OVS_TRY(const Descriptor directory, open_directory(target));
    if (::rename(from.c_str(), target.c_str()) < 0)
      return Unexpected{system_error(fmt::format("renaming {} to {}", from, target), errno)};
    return sync_directory(directory, target);
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) < 0) return Unexpected{system_error("removing " + path, errno)};
    return {};
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<void> copy_owner(const std::string& from, const std::string& to) override {
    struct stat status;
    if (::stat(from.c_str(), &status) < 0) return Unexpected{system_error("looking at " + from, errno)};
    // Only root may give a file away; others keep what they can write themselves.
    if (::chown(to.c_str(), status.st_uid, status.st_gid) < 0 && errno != EPERM)
      return Unexpected{system_error("changing the owner of " + to, errno)};
    if (::chmod(to.c_str(), status.st_mode & 07777) < 0 && errno != EPERM)
      return Unexpected{system_error("changing the permissions of " + to, errno)};
    return {};
  }

 private:
  static Result<Descriptor> open_directory(const std::string& path) {
    const std::string name = directory_of(path);
    Descriptor fd(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return Unexpected{system_error("opening directory " + name, errno)};
    return Result<Descriptor>(std::move(fd));
  }

  // A new name is on the disk only once the directory of `path` is.
  static Result<void> sync_directory(const Descriptor& directory, const std::string& path) {
    // Some file systems cannot sync a directory and say so with EINVAL.
    if (::fsync(directory.get()) < 0 && errno != EINVAL)
      return Unexpected{system_error("syncing directory " + directory_of(path), errno)};
    return {};
  }
};

}  // namespace

std::string lock_file_of(const std::string& path) { return lock_name(resolve(path)); }

FileSystem& FileSystem::os() {
  static OsFileSystem file_system;
  return file_system;
}

}  // namespace ovs::ovsdb
