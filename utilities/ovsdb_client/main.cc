// ovsdb-client: a database server's client for the command line.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/log.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/print.h"
#include "base/text.h"
#include "ovsdb_client/context.h"
#include "runtime/tls_options.h"
#include "timeout.h"

namespace ovs::utilities::ovsdb_client {

namespace {

constexpr std::string_view default_database = "Open_vSwitch";

// The signal that ends the program, or 0.  Whoever sent it sees that it did, but first everything that
// must go with the process (its pidfile, its control socket) goes.
int end_signal = 0;

void end_by_signal() {
  if (end_signal == 0) return;
  std::signal(end_signal, SIG_DFL);
  std::raise(end_signal);
}

std::string help_text(std::span<const OptionGroup> groups) {
  std::string text = fmt::format(
      "{}: a client for the database protocol of RFC 7047\n"
      "usage: {} [OPTIONS] COMMAND [ARG...]\n\n"
      "Commands:\n",
      program_name(), program_name());
  for (const Row& row : commands()) {
    text += fmt::format("  {}{}{}\n      {}\n", row.info.name, row.info.synopsis.empty() ? "" : " ",
                        row.info.synopsis, row.info.summary);
  }
  text += fmt::format(
      "\nSERVER is unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT, or punix:FILE, ptcp:PORT[:IP] or pssl:PORT[:IP] to\n"
      "wait for the server to connect, or several of them separated by commas; {} if it is left out.\n"
      "DATABASE is {} if it is left out, or else the server's only database.\n\n",
      default_server(), default_database);
  return text + options_help(groups);
}

// The synopsis of the arguments that stay after SERVER and DATABASE.
CommandInfo without_target(const Row& row) {
  CommandInfo info = row.info;
  const auto drop = [&](std::string_view word) {
    if (!info.synopsis.starts_with(word)) return;
    info.synopsis.remove_prefix(word.size());
    info.synopsis = trim(info.synopsis);
  };
  drop("[SERVER]");
  if (row.target == Target::database) drop("[DATABASE]");
  return info;
}

// Whether a server may be used that is one of several: the members of a cluster have a leader.
Result<void> check_leader(Server& server, const std::string& database) {
  const json::array params{"_Server",
                           json::object{{"op", "select"},
                                        {"table", "Database"},
                                        {"where", array_of(json::array{"name", "==", database})},
                                        {"columns", json::array{"leader"}}}};
  OVS_TRY(const json::value reply, server.call("transact", to_text(params)));
  if (to_text(reply) == R"([{"rows":[{"leader":true}]}])") return {};
  return unexpected(fmt::format("{}: not the leader of the cluster that serves {}", server.name(), database));
}

struct Choice {
  std::string database;
  std::vector<std::string> arguments;  // what follows its name
};

// Takes the database's name from the arguments in front, or finds the default one.
Result<Choice> choose_database(Server& server, std::vector<std::string> arguments, const CommandInfo& rest) {
  OVS_TRY(const std::vector<std::string> known, databases_of(server));
  const auto has = [&](std::string_view name) { return std::ranges::find(known, name) != known.end(); };
  const Arity arity = arity_of(rest.synopsis);
  Choice choice;
  if (!arguments.empty() && has(arguments[0]) && arguments.size() > arity.min) {
    choice.database = arguments[0];
    arguments.erase(arguments.begin());
  } else if (!arguments.empty() && arguments.size() > arity.max) {
    return unexpected(fmt::format("{}: there is no database \"{}\" on this server, which has {}", server.name(),
                                  arguments[0], join(known, ", ")));
  } else if (has(default_database)) {
    choice.database = default_database;
  } else {
    // A server that serves only one database leaves no doubt; _Server is everywhere.
    for (const std::string& name : known) {
      if (name.starts_with('_')) continue;
      if (!choice.database.empty()) {
        return unexpected(fmt::format("{}: this server has no database {}, which is the default; name one of {}",
                                      server.name(), default_database, join(known, ", ")));
      }
      choice.database = name;
    }
    if (choice.database.empty()) return unexpected(server.name() + ": this server has no database");
  }
  OVS_TRY_DO(check_arity(rest, arguments.size()));
  choice.arguments = std::move(arguments);
  return choice;
}

Result<void> run_command(const Row& row, Context& context, std::vector<std::string> arguments) {
  const CommandInfo rest = without_target(row);
  Choice choice;
  context.remotes = default_server();
  if (!arguments.empty() && is_server_name(arguments[0])) {
    context.remotes = arguments[0];
    arguments.erase(arguments.begin());
  }
  context.arguments = std::move(arguments);
  if (row.target != Target::database) OVS_TRY_DO(check_arity(rest, context.arguments.size()));
  if (row.target == Target::server || row.target == Target::database) {
    const bool wants_leader = context.settings.leader_only;
    const auto accept = [&](Server& server, bool only_one) -> Result<void> {
      if (row.target != Target::database) return {};
      OVS_TRY(choice, choose_database(server, context.arguments, rest));
      return only_one || !wants_leader ? Result<void>{} : check_leader(server, choice.database);
    };
    OVS_TRY(context.server, Server::connect(context.loop, context.remotes, accept));
    if (row.target == Target::database) {
      context.database = std::move(choice.database);
      context.arguments = std::move(choice.arguments);
    }
  }
  if (context.settings.db_change_aware && context.server && !row.stays) {
    OVS_TRY_DO(context.set_db_change_aware(false));
  }
  return row.run(context);
}

OptionGroup own_options(Settings& settings) {
  OptionGroup group{"Options:", {}};
  const auto flag = [&group](std::string_view name, std::string_view help, auto set) {
    group.options.push_back({0, name, ArgumentKind::none, {}, help,
                             [set](std::optional<std::string_view>) -> Result<void> {
                               set();
                               return {};
                             }});
  };
  group.options.push_back(timeout_option());
  flag("timestamp", "put the time above each table of monitor", [&] { settings.timestamp = true; });
  flag("force", "restore even if the schemas differ", [&] { settings.force = true; });
  flag("leader-only", "of several servers accept only the cluster's leader (the default)",
       [&] { settings.leader_only = true; });
  flag("no-leader-only", "of several servers accept any", [&] { settings.leader_only = false; });
  flag("db-change-aware", "be told when a database is converted or removed (the default of monitor)",
       [&] { settings.db_change_aware = true; });
  flag("no-db-change-aware", "be disconnected when that happens", [&] { settings.db_change_aware = false; });
  return group;
}

Result<const Row*> find_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Row& row : commands()) {
    if (row.info.name == name) return &row;
    names.push_back(row.info.name);
  }
  return unexpected(unknown_command(name, names));
}

Result<void> run(const std::vector<std::string>& words) {
  Settings settings;
  runtime::Daemon daemon;
  std::vector<OptionGroup> groups;
  groups.push_back(own_options(settings));
  groups.push_back(table_options(settings.style));
  groups.push_back(daemon.options());
  groups.push_back(runtime::tls_options(settings.tls));
  groups.push_back(log_options());
  groups.push_back(common_options([&] { return help_text(groups); }, [] {
    return fmt::format("{} ({}) {}\n", program_name(), package_name, package_version());
  }));

  OVS_TRY(auto arguments, parse_options(groups, words, false, true));
  if (arguments.empty()) return unexpected("missing command name; use --help for help");
  if (arguments.front() == "help") {
    const std::string text = help_text(groups);
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
      return Unexpected{system_error("writing to standard output", errno)};
    }
    return {};
  }
  OVS_TRY(const Row* row, find_command(arguments.front()));
  arguments.erase(arguments.begin());
  OVS_TRY_DO(check_arity(row->info, arguments.size()));

  // A daemon closes its standard output, but what monitor prints must still go there.
  const int descriptor = ::dup(STDOUT_FILENO);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out{
      descriptor >= 0 ? ::fdopen(descriptor, "w") : nullptr, std::fclose};
  if (!out) return Unexpected{system_error("standard output", errno)};
  if (row->stays) OVS_TRY_DO(daemon.start());
  runtime::Loop loop;
  runtime::use_tls(loop, settings.tls);
  Context context{loop, daemon, settings, out.get()};
  // Until it has begun to stay there is nothing to end in order; but the pidfile must go.
  if (row->stays) {
    catch_signals(loop, [](int signal) {
      end_signal = signal;
      std::exit(EXIT_FAILURE);
    });
  }
  OVS_TRY_DO(run_command(*row, context, std::move(arguments)));
  end_signal = context.end_signal;
  return {};
}

}  // namespace

}  // namespace ovs::utilities::ovsdb_client

int main(int argc, char** argv) {
  using namespace ovs;
  // Handlers run in the reverse order: this one after those that remove files.
  std::atexit(utilities::ovsdb_client::end_by_signal);
  set_program_name(argv[0]);
  reserve_standard_descriptors();
  if (auto ok = log_set("console:warn"); !ok) die(ok.error().message);
  if (auto ok = utilities::ovsdb_client::run({argv + 1, argv + argc}); !ok) die(ok.error().message);
  return EXIT_SUCCESS;
}
