// What the listener needs of the stream over sockets, beyond the interface.
#pragma once

#include <memory>
#include <string>

#include "runtime/stream.h"

namespace ovs::runtime {

// A stream over a socket that is connected already; takes the descriptor.
std::unique_ptr<Stream> adopt_socket(Loop& loop, int fd, std::string name);

}  // namespace ovs::runtime
