// Context: what a command of ovsdb-client works with: the server, the database, its arguments, the
// way to print.  And the table of commands.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/command.h"
#include "base/result.h"
#include "ovsdb/schema.h"
#include "ovsdb_client/names.h"
#include "ovsdb_client/server.h"
#include "runtime/daemon.h"
#include "runtime/loop.h"
#include "runtime/tls_config.h"
#include "table.h"

namespace ovs::utilities::ovsdb_client {

// What the options say.
struct Settings {
  TableStyle style;
  bool timestamp = false;
  bool force = false;
  bool leader_only = true;
  std::optional<bool> db_change_aware;
  runtime::TlsSettings tls;
};

struct Context {
  Context(runtime::Loop& l, runtime::Daemon& d, const Settings& s, std::FILE* o)
      : loop(l), daemon(d), settings(s), printer(s.style), out(o) {}

  runtime::Loop& loop;
  runtime::Daemon& daemon;
  const Settings& settings;
  TablePrinter printer;
  std::FILE* out;  // stays open when a daemon closes its standard output

  std::string remotes;
  std::unique_ptr<Server> server;  // where the row says that the command needs one
  std::string database;            // where it works on one
  std::vector<std::string> arguments;  // what follows them
  int end_signal = 0;                  // which ended stay(); the program ends by it as well

  Result<void> print(std::string_view text);        // and flushes
  Result<void> print_json(const json::value& v);    // keys sorted, --pretty, a newline
  Result<void> print_table(const Table& table) { return print(printer.text(table)); }
  // Asks the server to tell of changes to databases instead of disconnecting, as --db-change-aware
  // says or `by_default`.
  Result<void> set_db_change_aware(bool by_default);
  Result<json::value> get_schema_json();
  Result<std::shared_ptr<const ovsdb::DatabaseSchema>> get_schema();
};

// How many of the arguments in front say where to work.
enum class Target : std::uint8_t {
  nothing,   // of this command's own
  remote,    // [SERVER]; the command connects by itself
  server,    // [SERVER]
  database,  // [SERVER] [DATABASE]
};

struct Row {
  CommandInfo info;
  Target target;
  bool stays;  // goes on until it is stopped; the daemon's options apply
  Result<void> (*run)(Context&);
};

std::span<const Row> commands();

// The names of a server's databases, in alphabetical order.
Result<std::vector<std::string>> databases_of(Server& server);

// Commands, by file.
Result<void> list_dbs(Context&);
Result<void> get_schema(Context&);
Result<void> get_schema_version(Context&);
Result<void> get_schema_cksum(Context&);
Result<void> list_tables(Context&);
Result<void> list_columns(Context&);
Result<void> convert(Context&);
Result<void> needs_conversion(Context&);

Result<void> transact(Context&);
Result<void> query(Context&);
Result<void> dump(Context&);

Result<void> backup(Context&);
Result<void> restore(Context&);

Result<void> monitor(Context&);
Result<void> monitor_cond(Context&);
Result<void> monitor_cond_since(Context&);

Result<void> wait_for_state(Context&);

Result<void> lock(Context&);
Result<void> steal(Context&);
Result<void> unlock(Context&);

// What happens on SIGTERM, SIGINT and SIGHUP from now on.
void catch_signals(runtime::Loop& loop, const std::function<void(int)>& caught);

// For the commands that stay: serves `controls` and "exit" on the control socket of a detached process,
// lets the parent of a daemon go, and returns when the process is asked to end or `done` says so.
Result<void> stay(Context&, ControlTable& controls, const std::function<bool()>& done);

// The rows of some columns of some tables, by one transaction, so that they belong together.
struct Selection {
  const ovsdb::TableSchema* table;
  std::vector<const ovsdb::ColumnSchema*> columns;
};
// The result has one element a selection: an array of row objects.
Result<std::vector<json::array>> select_all(Context&, std::span<const Selection> selections);

}  // namespace ovs::utilities::ovsdb_client
