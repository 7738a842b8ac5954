// Becoming and being a daemon: pidfile, --detach, --monitor, --user, --no-chdir.
//
// Order in main():
//
//   parse options
//   start()             forks (--detach, --monitor) and takes the pidfile: before any Loop or thread
//   drop_privileges()   --user; before it, what only root can open
//   set up              sockets, files: they belong to that user
//   ready()             the parent of a detached daemon exits 0 now, so that a script that started
//                       it may go on; standard descriptors go to /dev/null.  A supervisor that asked
//                       to be told, by NOTIFY_SOCKET as in sd_notify(3), gets "READY=1"
//   the loop
//
// A daemon that dies before ready() makes the parent exit with its status.  --monitor keeps a small
// parent that restarts a child that died of a programming error (a signal such as SIGSEGV or
// SIGABRT), at most once in ten seconds after the first time; when the child ends otherwise the
// parent ends with it.  Each child runs all of main() after start() anew.
//
// The pidfile names the process that does the work (never the monitoring parent), and is removed
// when it exits.
//
// Errors: Results for the operator; start() does not return in parents.
// Thread safety: start-up code, before any thread exists.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/command.h"
#include "base/options.h"
#include "base/result.h"

namespace ovs::runtime {

class Daemon {
 public:
  Daemon();
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // --detach --monitor --pidfile[=FILE] --overwrite-pidfile --no-chdir --no-self-confinement --user
  OptionGroup options();

  // Capabilities that stay with --user, by the names of capabilities(7) without "CAP_", any case:
  // "net_admin".  By default ipc_lock and net_bind_service.  An unknown name fails in
  // drop_privileges().
  void keep_capabilities(std::initializer_list<std::string_view> names);

  Result<void> start();
  // Whether start() could make the pidfile; before become_user(), as start() does.  `prepared` as in runtime/place.h.
  Result<void> check_pidfile(const std::vector<std::string>& prepared) const;
  // --user: changes identity; the pidfile and the log file become that user's.
  Result<void> drop_privileges();
  // --user for a program that only looks: changes identity, and no file.
  Result<void> become_user();
  void ready();
  // daemon/wait-ready: answers as soon as ready() was called.  For scripts whose supervisor cannot be told.
  void add_commands(ControlTable& table);
  const std::string& pidfile() const;  // empty: none
  bool detached() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Raises the soft limit of open files to the hard one.
void raise_file_limit();

}  // namespace ovs::runtime
