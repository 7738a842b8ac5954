// StableDescriptor: a file descriptor whose number stays while the file behind it changes.
//
// A forwarding thread may use the number at any moment; put() exchanges the file behind it in one
// step (dup3), so that the thread meets the old file or the new one, never a closed number or a
// foreign file.  An epoll instance forgets the old file and has to be told of the new one.
//
// Thread safety: get() on any thread; put() and idle() on one at a time.
#pragma once

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/descriptor.h"
#include "base/result.h"

namespace ovs::netdev {

class StableDescriptor {
 public:
  StableDescriptor() = default;
  StableDescriptor(const StableDescriptor&) = delete;
  StableDescriptor& operator=(const StableDescriptor&) = delete;
  ~StableDescriptor() {
    if (const int fd = get(); fd >= 0) ::close(fd);
  }

  int get() const { return fd_.load(std::memory_order_acquire); }  // -1 before the first put()

  Result<void> put(const Descriptor& file) {
    const int kept = get();
    const int fd = kept < 0 ? ::fcntl(file.get(), F_DUPFD_CLOEXEC, 0) : ::dup3(file.get(), kept, O_CLOEXEC);
    if (fd < 0) return Unexpected{system_error("cannot duplicate a file descriptor", errno)};
    if (kept < 0) fd_.store(fd, std::memory_order_release);
    return {};
  }

  // Lets go of the file and has one in its place that is never readable and takes nothing.
  void idle() {
    if (get() < 0) return;
    if (const Descriptor nothing(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); nothing.get() >= 0) (void)put(nothing);
  }

 private:
  std::atomic<int> fd_{-1};
};

}  // namespace ovs::netdev
