// Guard: takes an applied configuration back unless somebody confirms it in time.
//
// It is a process of its own, in a session of its own, and it is the guard that makes the change: whatever
// becomes of the ovs-conf that the user has started, and of the terminal or the connection that it was started
// from, the guard goes on.  A second process watches it and starts it again if it is killed.  What the change was
// is in a file (RUNDIR/ovs-conf.pending) before the change is made, so that the new one knows.
//
// While it waits it answers on a control socket, like a daemon: ovs-conf confirm and ovs-conf revert, or
// ovs-appctl -t ovs-conf.  Its pidfile keeps a second one from starting.
//
// Thread safety: none; forks.
#pragma once

#include "base/result.h"
#include "conf/apply.h"

namespace ovs::conf {

// Applies under a guard.  Returns the exit status when the change is made, or when it could not be; not in the guard.
int apply_guarded(const Declared& declared, const ApplyOptions& options);

// Keeps the change that waits to be confirmed; takes it back.  Return the exit status.
int confirm(const ApplyOptions& options);
int revert(const ApplyOptions& options);

// Whether a change waits to be confirmed: the error says what to do.  One that was left behind by a guard that is gone
// is taken back here when its time is over.
Result<void> check_nothing_pending(const ApplyOptions& options);

}  // namespace ovs::conf
