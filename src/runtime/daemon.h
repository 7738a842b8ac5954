// Becoming and being a daemon: pidfile, --detach, --monitor, --user, --no-chdir.
//
// Order in main(): parse options, Daemon::start() (forks, takes the pidfile), set up, then
// ready() (the parent of a detached daemon exits 0 now, so that a script that started it may go on),
// then the loop.  A daemon that dies before ready() makes the parent exit with its status.
// --monitor keeps a small parent that restarts a crashed child.
//
// Thread safety: start-up code, before any thread exists.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/options.h"
#include "base/result.h"

namespace ovs::runtime {

class Daemon {
 public:
  Daemon();
  ~Daemon();

  // --detach --monitor --pidfile[=FILE] --overwrite-pidfile --no-chdir --no-self-confinement --user
  OptionGroup options();

  Result<void> start();
  Result<void> drop_privileges();  // --user: changes identity; call once sockets and files that need root exist
  void ready();
  const std::string& pidfile() const;  // empty: none
  bool detached() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Raises the soft limit of open files to the hard one.
void raise_file_limit();

}  // namespace ovs::runtime
