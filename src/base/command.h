// The command table: one row for every command of a program or of its control socket.
//
// A command's synopsis is its arity: words in capitals are arguments, [X] is optional, X... may be
// repeated.  "BRIDGE PORT [COLUMN[:KEY]=VALUE]..." takes two or more.  Dispatch, arity errors,
// --help, list-commands, the man page's synopsis and the bash completion are derived from the
// same rows, so a second list of commands never exists.
//
// Thread safety: a table is filled before it is used and belongs to one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ovs {

enum class Access { read_only, read_write };

struct Arity {
  std::size_t min = 0;
  std::size_t max = 0;
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
};

// Derives the arity from a synopsis such as "NAME [TARGET]...".
Arity arity_of(std::string_view synopsis);

struct CommandInfo {
  std::string_view name;
  std::string_view synopsis;  // arguments only
  std::string_view summary;   // one line for --help
  std::string_view options;   // "--may-exist,--id=,": a name ends in "=" if it takes a value
  Access access = Access::read_write;
};

// Checks the number of arguments.  The message names the command and its synopsis.
Result<void> check_arity(const CommandInfo& command, std::size_t arguments);

// "no such command `xyz'; did you mean `xyy'?"
std::string unknown_command(std::string_view name, std::span<const std::string_view> known);

// Commands of a control socket (ovs-appctl): words in, text out.
//
// A handler answers through `Reply`, at once or later: it may keep the reply (a command that waits
// for something).  Each reply is answered exactly once; one that is dropped unanswered answers with
// an error by itself.
class ControlReply {
 public:
  using Sink = std::function<void(bool ok, std::string text)>;
  explicit ControlReply(Sink sink) : sink_(std::move(sink)) {}
  ControlReply(ControlReply&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)) {}
  ControlReply& operator=(ControlReply&&) = delete;
  ~ControlReply() { finish(false, "the command was given up"); }

  void ok(std::string text = {}) { finish(true, std::move(text)); }
  void error(std::string text) { finish(false, std::move(text)); }

 private:
  void finish(bool ok, std::string text) {
    if (auto sink = std::exchange(sink_, nullptr)) sink(ok, std::move(text));
  }
  Sink sink_;
};

struct ControlCommand {
  CommandInfo info;
  std::function<void(std::span<const std::string> arguments, ControlReply reply)> run;
};

class ControlTable {
 public:
  void add(CommandInfo info, std::function<void(std::span<const std::string>, ControlReply)> run);
  // For commands that answer at once.
  void add(CommandInfo info, std::function<Result<std::string>(std::span<const std::string>)> run);
  // Runs `name`, or answers with an error for an unknown command or a wrong number of arguments.
  void run(const std::string& name, std::span<const std::string> arguments, ControlReply reply) const;
  std::string list() const;  // what list-commands prints
  const std::map<std::string, ControlCommand, std::less<>>& commands() const { return commands_; }

 private:
  std::map<std::string, ControlCommand, std::less<>> commands_;
};

// list-commands, version, vlog/*, coverage/*: the rows that every daemon serves.
void add_base_commands(ControlTable& table);

}  // namespace ovs
