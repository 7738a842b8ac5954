// -t/--timeout: the limit that an operator sets to a tool's running time.
//
// When it passes, the program ends by SIGALRM, as the field's tools do (a shell sees status 142),
// after it has said on standard error what it was waiting for.
//
// Thread safety: the functions belong to the main thread; the signal may come at any time.
#pragma once

#include <optional>
#include <string_view>

#include "base/options.h"

namespace ovs::utilities {

// Starts counting where it stands on the command line.
Option timeout_option();

// What the program waits for from now on ("a reply from unix:/run/openvswitch/db.sock"); empty:
// nothing in particular.
void set_waiting_for(std::string_view what);

}  // namespace ovs::utilities
