// What the log has to be told before a program ends.
//
// Thread safety: as base/log.h.
#pragma once

#include <string_view>

#include "base/log.h"

namespace ovs {

// Why the program cannot go on, as an error of `module`, for every destination but the console: that is for whoever
// also says it on standard error.
void log_failure(const LogModule& module, std::string_view message);

// Says how many messages rate limits have held back that no later message has told of; nothing if there are none.
void log_held_back();

}  // namespace ovs
