// The control socket: what ovs-appctl talks to.
//
// JSON-RPC over a unix socket, RUNDIR/PROGRAM.PID.ctl by default: the method is the command's
// name, the parameters are its arguments (strings), the result is text.  An error is the reply's
// error, text too.  A text that is not empty ends with a newline on the wire, as in the field.
//
// One client may send several commands without waiting; each is answered when it is done, a slow
// one does not hold up the others.  Notifications, replies, and anything that is not JSON-RPC
// close that client's connection.
//
// Errors: a wrong command is an error reply, never a closed connection.
//
// Thread safety: belongs to the Loop's thread.  control_call() may be used from any thread: it runs
// a loop of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/command.h"
#include "base/options.h"
#include "runtime/stream.h"

namespace ovs::rpc {

class ControlServer {
 public:
  // `path`: of the socket, below RUNDIR if it is relative; nothing for the default; "none" for no
  // socket at all.  The commands of base (version, vlog/...) are added to `table`, which must
  // outlive the server.  To be called after Daemon::start(), since the default's name holds the pid.
  static Result<std::unique_ptr<ControlServer>> create(runtime::Loop& loop, ControlTable& table,
                                                       std::optional<std::string> path);
  // Whether a socket could be made for `path`; `prepared` as in runtime/place.h.
  static Result<void> check_place(const std::optional<std::string>& path, const std::vector<std::string>& prepared);
  ~ControlServer();  // removes the socket
  const std::string& path() const;  // empty for "none"
  // Clients that are connected now: a daemon that exits by command waits for the answer to get out.
  std::size_t connections() const;
  // Whether every answer so far has been given to the kernel.
  bool idle() const;

 private:
  struct Impl;
  explicit ControlServer(std::shared_ptr<Impl>);
  std::shared_ptr<Impl> impl_;
};

// --unixctl=SOCKET: where `path` for ControlServer::create() comes from.
OptionGroup control_options(std::optional<std::string>& path);

// The socket of a target: a path that begins with "/", or a program's name whose pid is read from
// RUNDIR/TARGET.pid.  A pidfile that no process holds locked is an error (ESRCH).
Result<std::string> control_socket_of(const std::string& target);

struct ControlAnswer {
  bool ok = false;
  std::string text;
};
// What a caller is told while control_call() waits: `say` is called once when the answer is not
// there after `after`.
struct SlowNotice {
  runtime::Duration after{2000};
  std::function<void()> say;
};
// One command to a running daemon.  Blocks until the answer is there or `timeout` has passed
// (ETIMEDOUT; nothing: waits for ever).
Result<ControlAnswer> control_call(const std::string& socket_path, const std::string& command,
                                   const std::vector<std::string>& arguments,
                                   std::optional<runtime::Duration> timeout, SlowNotice slow = {});

}  // namespace ovs::rpc
