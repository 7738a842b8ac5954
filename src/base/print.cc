#include "base/print.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/paths.h"

namespace ovs {

void complain(std::string_view message) { print(stderr, "{}: {}\n", program_name(), message); }

void reserve_standard_descriptors() {
  // The lowest descriptor that is free is the one that is given.
  int fd;
  do fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

}  // namespace ovs
