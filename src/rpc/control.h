// The control socket: what ovs-appctl talks to.
//
// JSON-RPC over a unix socket, RUNDIR/PROGRAM.PID.ctl by default: the method is the command's
// name, the parameters are its arguments (strings), the result is text.  An error is the reply's
// error, text too.
//
// Thread safety: belongs to the Loop's thread.
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
  // `path`: of the socket; nothing for the default; "none" for no socket at all.  The commands of
  // base (version, vlog/...) are added to `table`, which must outlive the server.
  static Result<std::unique_ptr<ControlServer>> create(runtime::Loop& loop, ControlTable& table,
                                                       std::optional<std::string> path);
  ~ControlServer();
  const std::string& path() const;

 private:
  struct Impl;
  explicit ControlServer(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

// One command to a running daemon.  `target` is a socket's path, or a program's name whose pid is
// read from RUNDIR/TARGET.pid.
Result<std::string> control_socket_of(const std::string& target);

struct ControlAnswer {
  bool ok = false;
  std::string text;
};
// Blocks until the answer is there or `timeout` has passed.
Result<ControlAnswer> control_call(const std::string& socket_path, const std::string& command,
                                   const std::vector<std::string>& arguments,
                                   std::optional<runtime::Duration> timeout);

}  // namespace ovs::rpc
