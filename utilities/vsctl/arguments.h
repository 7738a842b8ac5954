// The command line: options, then commands separated by "--", each with options of its own.
//
//     ovs-vsctl [OPTIONS] [--] [COMMAND-OPTIONS] COMMAND [ARGUMENT...] [-- ...]...
//
// Options of the first command may stand among the program's own.  An option written with one dash
// (-id=@s, as many web pages print it) is taken for the one with two.  Typographic quotes and
// dashes, which word processors and web pages put where ASCII belongs, are refused with the
// character's name and what to type; inside ASCII double quotes, in comments and in the free text of
// br-set-external-id they are text like any other.
//
// Thread safety: pure functions but for the state that option groups refer to.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "base/result.h"
#include "runtime/tls_config.h"
#include "table.h"
#include "vsctl/command.h"

namespace ovs::vsctl {

struct Settings {
  std::string db;
  bool wait = true;
  bool retry = false;
  bool dry_run = false;
  bool oneline = false;
  bool syslog = true;
  utilities::TableStyle style{.format = utilities::TableFormat::list};
  runtime::TlsSettings tls;
};

// The program's own options; they write to `settings`, which must outlive them.  `timeout` is the row
// of -t/--timeout, which acts by itself.
std::vector<OptionGroup> option_groups(Settings& settings, Option timeout);

// Reads the whole command line (without the program's name).
Result<std::vector<Invocation>> parse_command_line(std::span<const OptionGroup> groups,
                                                   std::span<const std::string> words);

// Behind a complaint of too many arguments, if one of them looks like an option; otherwise empty.
std::string misplaced_option_hint(std::string_view command, std::span<const std::string> arguments);

std::string help_text(std::span<const OptionGroup> groups);
// One line a command, for bash completion: "[OPTION]...,NAME,SYNOPSIS".
std::string commands_text();
std::string options_text(std::span<const OptionGroup> groups);

}  // namespace ovs::vsctl
