// Whether files and sockets can be made where an operator wants them, found without making one: for programs that say
// what would keep a daemon from starting.
//
// `prepared` are directories which whoever starts the daemon makes, or gives to its user, first: whether they are
// there, and whose they are, does not matter yet.
//
// Errors: EACCES, ENOENT and the like, in words that name the directory, and the user where that may be the reason.
//
// Thread safety: reads the file system, and the user database by getpwuid(3); for start-up code.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace ovs::runtime {

using Directories = std::vector<std::string>;

// Whether this process, as the user that it is now, may make files beside `path`, and remove them.
Result<void> check_place(const std::string& path, const Directories& prepared = {});
// The same for a unix socket, whose name must not be too long either.
Result<void> check_socket_place(const std::string& path, const Directories& prepared = {});

// " for the user NAME" where an error is one of permission, else nothing.
std::string for_whom(int error);

}  // namespace ovs::runtime
