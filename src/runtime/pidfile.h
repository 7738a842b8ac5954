// Pidfiles: a file that holds a running process's id and that this process keeps locked
// (fcntl(2), F_SETLK), so that a file left by a dead process is told from a live one's.
//
// Thread safety: none; used at start-up and exit.  The lock belongs to the process, not to its
// children, and any close of the file within the process loses it: nobody else opens it here.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace ovs::runtime {

// The id in a pidfile.  Errors: no file, no number in it, or no process that holds it (ESRCH).
Result<pid_t> read_pidfile(const std::string& path);

// Creates `path` for this process, atomically: whoever looks sees the old file or the new one,
// complete and locked.  It is removed when the process exits by exit(3) or returns from main(), and
// by remove_pidfile().  With `overwrite` a file that another process holds is replaced.
Result<void> create_pidfile(const std::string& path, bool overwrite);
void remove_pidfile();

}  // namespace ovs::runtime
