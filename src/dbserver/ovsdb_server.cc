// ovsdb-server: serves databases to clients (RFC 7047).

#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/coverage.h"
#include "base/log.h"
#include "base/log_end.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/print.h"
#include "dbserver/remotes.h"
#include "dbserver/server.h"
#include "dbserver/server_commands.h"
#include "dbserver/start_check.h"
#include "dbserver/tls_files.h"
#include "rpc/control.h"
#include "runtime/daemon.h"
#include "runtime/loop.h"
#include "runtime/tls_options.h"

extern char** environ;

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_server"};

struct Arguments {
  std::vector<std::string> remotes;
  std::vector<std::string> databases;  // absolute
  std::optional<std::string> command;
  std::optional<std::string> control_path;
  runtime::TlsSettings tls;
  ServerOptions server;
  bool check = false;
  std::string schema;  // of --check
  std::optional<std::string> log_file;
};

OptionGroup server_options(Arguments& arguments) {
  return {"Server options:",
          {{0, "remote", ArgumentKind::required, "REMOTE", "serve clients by REMOTE (may be given several times)",
            [&arguments](std::optional<std::string_view> value) -> Result<void> {
              arguments.remotes.emplace_back(*value);
              return {};
            }},
           {0, "run", ArgumentKind::required, "COMMAND", "run COMMAND and end with it",
            [&arguments](std::optional<std::string_view> value) -> Result<void> {
              arguments.command = std::string(*value);
              return {};
            }},
           {0, "disable-file-column-diff", ArgumentKind::none, "",
            "write whole columns to the file, so that servers before 2.15 can read it",
            [&arguments](std::optional<std::string_view>) -> Result<void> {
              arguments.server.diffs = false;
              return {};
            }},
           {0, "check", ArgumentKind::optional, "SCHEMA",
            "say what would keep the server from starting, and end",
            [&arguments](std::optional<std::string_view> value) -> Result<void> {
              arguments.check = true;
              arguments.schema = value.value_or("");
              return {};
            }}}};
}

// Refused by name: a backup that replicates nothing, or that accepts transactions, loses data.
OptionGroup pair_options() {
  const auto refused = [](std::string_view name, ArgumentKind kind, std::string_view value_name) -> Option {
    return {0, name, kind, value_name, "refused: there are no active-backup pairs yet",
            [name](std::optional<std::string_view>) -> Result<void> {
              return unexpected(fmt::format("--{}: active-backup pairs are not supported by this version", name));
            }};
  };
  return {"Active-backup options:",
          {refused("sync-from", ArgumentKind::required, "SERVER"),
           refused("sync-exclude-tables", ArgumentKind::required, "DB:TABLE,..."),
           refused("active", ArgumentKind::none, "")}};
}

// The shell command of --run; the server ends with it.
class Child {
 public:
  Result<void> start(const std::string& command) {
    const char* argv[] = {"sh", "-c", command.c_str(), nullptr};
    const int error = posix_spawn(&pid_, "/bin/sh", nullptr, nullptr, const_cast<char**>(argv), environ);
    if (error != 0) return Unexpected{system_error("starting " + command, error)};
    return {};
  }
  // Whether it has ended.
  bool reap() {
    int status = 0;
    if (pid_ <= 0 || waitpid(pid_, &status, WNOHANG) != pid_) return false;
    pid_ = -1;
    exit_code_ = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
    return true;
  }
  int exit_code() const { return exit_code_; }

 private:
  pid_t pid_ = -1;
  int exit_code_ = 0;
};

// Ends a start that has failed: whoever started the server sees standard error, or nobody does.
[[noreturn]] void fail(const std::string& message) {
  log_failure(log, message);
  die(message);
}

// --check; the exit status.
int check(const Arguments& arguments, runtime::Daemon& daemon) {
  StartCheck check(arguments.databases, arguments.schema);
  check.result(daemon.check_pidfile(check.prepared()));
  // What the server itself cannot read it cannot use.
  if (auto is_user = daemon.become_user(); !is_user) die(is_user.error().message);
  check.access();
  check.columns_and_files(arguments.remotes, arguments.tls);
  check.result(rpc::ControlServer::check_place(arguments.control_path, check.prepared()));
  for (const std::string& mistake : check.mistakes()) {
    std::fprintf(stderr, "%s: %s\n", program_name().c_str(), mistake.c_str());
  }
  for (const std::string& warning : check.warnings()) {
    std::fprintf(stderr, "%s: warning: %s\n", program_name().c_str(), warning.c_str());
  }
  return check.mistakes().empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run(int argc, char** argv) {
  set_program_name(argv[0]);
  reserve_standard_descriptors();
  Arguments arguments;
  runtime::Daemon daemon;
  std::vector<OptionGroup> groups;
  groups.push_back(server_options(arguments));
  groups.push_back(rpc::control_options(arguments.control_path));
  groups.push_back(daemon.options());
  groups.push_back(runtime::tls_options(arguments.tls));
  groups.push_back(pair_options());
  groups.push_back(log_options(&arguments.log_file));
  const auto help = [&groups] {
    return fmt::format("{}: Open vSwitch database server\nusage: {} [OPTIONS] [DATABASE]...\n"
                       "where each DATABASE is a database file (default: {}).\n\n{}",
                       program_name(), program_name(), path_below(dbdir(), "conf.db"), options_help(groups));
  };
  groups.push_back(common_options(
      help, [] { return fmt::format("{} ({}) {}\n", program_name(), package_name, package_version()); }));
  auto words = parse_options(groups, std::vector<std::string>(argv + 1, argv + argc), false, true);
  if (!words) die(words.error().message);
  for (const std::string& word : *words) {
    if (word.starts_with("relay:")) die(fmt::format("{}: relays are not supported", word));
    arguments.databases.push_back(std::filesystem::absolute(word).string());
  }
  if (arguments.databases.empty()) arguments.databases.push_back(path_below(dbdir(), "conf.db"));

  if (arguments.check) return check(arguments, daemon);
  if (arguments.log_file) (void)log_open_file(*arguments.log_file);
  if (auto started = daemon.start(); !started) die(started.error().message);
  // Before anything is made, so that sockets and files belong to the user who is to use them.
  if (auto dropped = daemon.drop_privileges(); !dropped) die(dropped.error().message);
  log_enable_syslog(program_name());
  signal(SIGPIPE, SIG_IGN);
  runtime::raise_file_limit();

  runtime::Loop loop;
  Server server(loop, ovsdb::FileSystem::os(), arguments.server);
  Remotes remotes(server);
  TlsFiles tls(server, arguments.tls);
  remotes.keys_may_come(tls.follows_database());
  server.on_change([&remotes, &tls](Hosted& hosted) {
    // First, since a remote that the same transaction brings wants to use the key that it brings.
    if (tls.database_changed(hosted)) remotes.keys_changed();
    remotes.database_changed(hosted);
  });
  for (const std::string& path : arguments.databases) {
    if (auto added = server.add_database(path); !added) {
      // Where another server has the database, it may have the log file, too.
      if (added.error().code == EAGAIN) die(added.error().message);
      fail(added.error().message);
    }
  }
  malloc_trim(0);
  tls.apply();
  for (const std::string& remote : arguments.remotes) {
    if (auto added = remotes.add(remote); !added) fail(added.error().message);
  }

  ControlTable commands;
  std::unique_ptr<rpc::ControlServer> control;
  add_server_commands(commands, server, remotes, [&loop] { loop.stop(); });
  loop.add_commands(commands);
  daemon.add_commands(commands);
  if (auto created = rpc::ControlServer::create(loop, commands, arguments.control_path)) {
    control = *std::move(created);
  } else {
    fail(created.error().message);
  }

  loop.on_signal(SIGTERM, [&] { loop.stop(); });
  loop.on_signal(SIGINT, [&] { loop.stop(); });
  loop.on_signal(SIGHUP, [] { (void)log_reopen_file().has_value(); });
  Child child;
  if (arguments.command) {
    loop.on_signal(SIGCHLD, [&] {
      if (child.reap()) loop.stop();
    });
    if (auto started = child.start(*arguments.command); !started) fail(started.error().message);
  }
  runtime::Timer coverage(loop, [&] {
    coverage_tick();
    coverage.start(std::chrono::seconds(5));
  });
  coverage.start(std::chrono::seconds(5));

  daemon.ready();
  // Not before: until then standard error is the terminal's.
  log.info("{} ({}) {}", program_name(), package_name, package_version());
  loop.run();
  // What was asked for is finished: transactions on their way to the disk, and the answer of exit.
  loop.run_until([&] { return server.idle() && (!control || control->idle()); }, std::chrono::seconds(5));
  log_held_back();
  log.info("ending");
  return child.exit_code();
}

}  // namespace

}  // namespace ovs::dbserver

int main(int argc, char** argv) { return ovs::dbserver::run(argc, argv); }
