// Runs the commands of one call: fetch, decide, commit, wait for ovs-vswitchd, print.
//
// All commands are one transaction.  Where something that they rely on changes before it is
// committed, everything is done again from the beginning; the output is printed once, after the
// commit.
//
// Thread safety: none; the program has one thread.
#pragma once

#include <span>
#include <string>

#include "vsctl/arguments.h"
#include "vsctl/command.h"
#include "vsctl/server.h"

namespace ovs::vsctl {

// Returns the exit status.  `called_as`: the call, for the database's log.
int run(Server& server, const Settings& settings, std::span<const Invocation> invocations,
        const std::string& called_as);

}  // namespace ovs::vsctl
