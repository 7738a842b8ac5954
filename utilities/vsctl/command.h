// One command of ovs-vsctl: its row in the table, how it was called, and what it works with.
//
// A command runs in two steps.  prepare() says which rows it will look at, so that one request
// fetches them for all commands of the call; what it forgets is fetched when it is asked for.
// run() reads and changes the View and writes its output; an error of its own ends the call before
// anything is changed.  Both may run several times, each time with a fresh View, when the database
// changes in between.
//
// Thread safety: none; the program has one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/command.h"
#include "base/result.h"
#include "dbclient/replica.h"
#include "table.h"
#include "vsctl/view.h"

namespace ovs::vsctl {

struct Command;

// A command as it stands on the command line.
struct Invocation {
  const Command* command = nullptr;
  std::map<std::string, std::string, std::less<>> options;  // "--may-exist" -> "", "--id" -> "@x"
  std::vector<std::string> arguments;

  bool has(std::string_view option) const { return options.contains(option); }
  std::optional<std::string> value(std::string_view option) const {
    auto it = options.find(option);
    return it == options.end() ? std::nullopt : std::optional(it->second);
  }
};

// What the commands of one attempt share.
struct Attempt {
  View view;
  // Rows that --id named: "@name" and the row; null until its command has run.
  std::map<std::string, Row*, std::less<>> names;
  // UUIDs that stand for names which are used before their row is made.
  std::map<std::string, Uuid, std::less<>> promised;
  // Interfaces that were made, to be looked at once ovs-vswitchd has set them up.
  std::vector<Row*> new_interfaces;
  // What wait-until waits for, where it has to.
  std::optional<dbclient::TableDecl> waits_for;
  std::optional<json::array> waits_for_condition;
  std::optional<int> exit_code;
  std::vector<std::string> warnings;

  Attempt(Source& source, std::shared_ptr<const ovsdb::DatabaseSchema> schema)
      : view(source, std::move(schema)) {}
};

class Context {
 public:
  Context(Attempt& attempt, const Invocation& invocation) : attempt_(attempt), invocation_(invocation) {}

  View& view() { return attempt_.view; }
  Attempt& attempt() { return attempt_; }
  const Invocation& invocation() const { return invocation_; }
  bool has(std::string_view option) const { return invocation_.has(option); }
  std::size_t count() const { return invocation_.arguments.size(); }
  const std::string& arg(std::size_t i) const { return invocation_.arguments[i]; }
  std::span<const std::string> args_from(std::size_t i) const {
    return std::span(invocation_.arguments).subspan(std::min(i, count()));
  }
  // As the user wrote it: "--may-exist add-br br0 parent 3".
  std::string spelled() const;

  void print(std::string_view line);  // with a new line
  void fetch(Query query) { queries_.push_back(std::move(query)); }
  // The only row of Open_vSwitch; made where the database is empty.
  Row* root();

  std::string output;
  std::optional<utilities::Table> table;  // instead of output
  const std::vector<Query>& queries() const { return queries_; }

 private:
  Attempt& attempt_;
  const Invocation& invocation_;
  std::vector<Query> queries_;
};

struct Command {
  CommandInfo info;
  std::string_view group;  // the heading in --help
  void (*prepare)(Context& context) = nullptr;
  Result<void> (*run)(Context& context) = nullptr;
  // Whether it takes the server's schema: because tables and columns are named by the user.
  bool (*needs_schema)(const Invocation& invocation) = nullptr;
};

// Every command, in the order of --help.
std::span<const Command> commands();
const Command* find_command(std::string_view name);

}  // namespace ovs::vsctl
