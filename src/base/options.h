// Command-line options: one table a program, read by getopt_long(3).
//
// Each program joins the groups that it supports (its own, the daemons', the logs') into one
// table; --help prints from the same rows.  Options end at the first word that is not one, as the
// field's tools do, so that `ovs-vsctl --timeout=5 --if-exists del-br br0` can tell its own options
// from a command's: an option that the table does not know is left, with the rest, to the caller if
// `leave_unknown` is set, and is an error that suggests the nearest one otherwise.
//
// Thread safety: none; used at start-up.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ovs {

enum class ArgumentKind { none, optional, required };

struct Option {
  char short_name = 0;        // 0: none
  std::string_view name;      // without the dashes
  ArgumentKind argument = ArgumentKind::none;
  std::string_view argument_name;  // "FILE", for --help
  std::string_view help;           // one line; empty: not shown
  // `value` is nothing where the option was given without one.
  std::function<Result<void>(std::optional<std::string_view> value)> apply;
};

struct OptionGroup {
  std::string_view title;  // "Daemon options:"
  std::vector<Option> options;
};

// Applies the options at the beginning of `arguments` (without the program's name) and returns the
// words that are left: a "--" that ended the options is dropped.
Result<std::vector<std::string>> parse_options(std::span<const OptionGroup> groups,
                                               std::span<const std::string> arguments,
                                               bool leave_unknown = false,
                                               bool permute = false);

// The groups as --help prints them.
std::string options_help(std::span<const OptionGroup> groups);

// -v, --verbose, --log-file, --syslog-target, --syslog-method
// With `file`, --log-file only leaves there which file log_open_file() is to open, for programs that may be asked to
// change nothing.
OptionGroup log_options(std::optional<std::string>* file = nullptr);
// -V/--version and -h/--help: print and exit(0).  `usage` makes the text above the options.
OptionGroup common_options(std::function<std::string()> help, std::function<std::string()> version);

// Ends a program that was asked for `text` alone: status 0 if it could be written.
[[noreturn]] void print_and_exit(const std::string& text);

// Ends the program as the field's tools do: "PROGRAM: MESSAGE" on standard error.
[[noreturn]] void die(std::string_view message, int exit_code = 1);

}  // namespace ovs
