// Evaluates a configuration file by sh and returns its variables.
//
// The file is a program of the administrator's, as all of /etc/conf.d is: it may say
// `ovs_ports_br0="eth0 $(ls /sys/class/net | grep ^tap)"`.  What comes back are values: sh runs it with
// every assignment exported (set -a) and then becomes cat, which writes its own environment.  Nothing
// is quoted or parsed on the way, so that a value is data whatever is in it, and no list of names has to be
// got from a shell.  This works with dash, bash and busybox.
//
// The shell runs in "/", in a process group of its own, with an environment that holds PATH alone; when its time
// is over, the group is killed.  Its standard output joins its standard error.
//
// What the shell itself complains about (a syntax error, a command that is not found because of spaces around
// an equals sign) is a mistake in the file.  What commands in the file write to standard error is
// passed on as remarks.
//
// Thread safety: forks; for programs with one thread.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/mistake.h"

namespace ovs::conf {

struct Variable {
  std::string name;
  std::string value;
  int line = 0;  // of the last assignment in the text; 0: none stands there (it is made by eval, or sourced)
};

struct Evaluation {
  std::vector<Variable> variables;  // whose names begin with "ovs_", by name
  std::vector<Mistake> mistakes;    // by the shell; or what cannot be right in any file
  std::vector<std::string> remarks;
};

struct Limits {
  std::chrono::milliseconds time{10000};
  std::size_t bytes = std::size_t{4} << 20;  // of the file, and of what the shell writes
  std::string shell = "/bin/sh";
};

// The whole of a file; "-" is standard input.
Result<std::string> read_file(const std::string& path, const Limits& limits = {});

// An error only where sh cannot be run at all.
Result<Evaluation> evaluate(std::string_view text, const Limits& limits = {});

// The line of the last assignment of each variable whose name begins with "ovs_", as far as the text shows it.
std::map<std::string, int, std::less<>> assignment_lines(std::string_view text);

}  // namespace ovs::conf
