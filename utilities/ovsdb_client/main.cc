// ovsdb-client: a database server's client for the command line.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/log.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/text.h"
#include "ovsdb_client/context.h"
#include "timeout.h"

namespace ovs::utilities::ovsdb_client {

namespace {

constexpr std::string_view default_database = "Open_vSwitch";

std::string help_text(std::span<const OptionGroup> groups) {
  std::string text = fmt::format("{}: a client for the database protocol of RFC 7047\nusage: {} [OPTIONS] COMMAND [ARG...]\n\nCommands:\n",
                                 program_name(), program_name());
  for (const Row& row : commands()) {
    text += fmt::format("  {}{}{}\n      {}\n", row.info.name, row.info.synopsis.empty() ? "" : " ",
                        row.info.synopsis, row.info.summary);
  }
  text += fmt::format(
      "\nSERVER is unix:FILE or tcp:HOST:PORT, or punix:FILE or ptcp:PORT[:IP] to wait for the server to\n"
      "connect, or several of them separated by commas; {} if it is left out.\n"
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

std::string words_of(const json::array& names) {
  std::vector<std::string> words;
  for (const auto& v : names) {
    if (const auto name = as_string(v)) words.emplace_back(*name);
  }
  std::ranges::sort(words);
  return join(words, ", ");
}

// Takes the database's name from the arguments in front, or finds the default one.
Result<void> choose_database(Context& context, const CommandInfo& rest) {
  OVS_TRY(const json::array known, context.databases());
  const auto has = [&](std::string_view name) { return std::ranges::find(known, json::value(name)) != known.end(); };
  auto& arguments = context.arguments;
  const Arity arity = arity_of(rest.synopsis);
  if (!arguments.empty() && has(arguments[0]) && arguments.size() > arity.min) {
    context.database = arguments[0];
    arguments.erase(arguments.begin());
  } else if (!arguments.empty() && arguments.size() > arity.max) {
    return unexpected(fmt::format("{}: there is no database \"{}\" on this server, which has {}",
                                  context.server->name(), arguments[0], words_of(known)));
  } else if (has(default_database)) {
    context.database = default_database;
  } else {
    for (const auto& v : known) {
      const auto name = as_string(v);
      if (!name || name->starts_with('_')) continue;
      if (!context.database.empty()) {
        return unexpected(fmt::format("{}: this server has no database {}, which is the default; name one of {}",
                                      context.server->name(), default_database, words_of(known)));
      }
      context.database = *name;
    }
    if (context.database.empty()) return unexpected(context.server->name() + ": this server has no database");
  }
  return check_arity(rest, arguments.size());
}

Result<void> run_command(const Row& row, Context& context, std::vector<std::string> arguments) {
  const CommandInfo rest = without_target(row);
  context.remotes = default_server();
  if (!arguments.empty() && is_server_name(arguments[0])) {
    context.remotes = arguments[0];
    arguments.erase(arguments.begin());
  }
  context.arguments = std::move(arguments);
  if (row.target != Target::database) OVS_TRY_DO(check_arity(rest, context.arguments.size()));
  if (row.target == Target::server || row.target == Target::database) {
    const std::string_view leader_of = context.settings.leader_only ? default_database : "";
    OVS_TRY(context.server, Server::connect(context.loop, context.remotes, leader_of));
  }
  if (row.target == Target::database) OVS_TRY_DO(choose_database(context, rest));
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

// Returns the signal that ended a command that stays, or 0.  Everything that must go with the process
// (its pidfile, its control socket) is gone when this returns, also with an error.
Result<int> run(const std::vector<std::string>& words) {
  Settings settings;
  runtime::Daemon daemon;
  std::vector<OptionGroup> groups;
  groups.push_back(own_options(settings));
  groups.push_back(table_options(settings.style));
  groups.push_back(daemon.options());
  groups.push_back(log_options());
  groups.push_back(common_options([&] { return help_text(groups); },
                                  [] { return fmt::format("{} ({}) {}\n", program_name(), package_name, package_version()); }));

  OVS_TRY(auto arguments, parse_options(groups, words, false, true));
  if (arguments.empty()) return unexpected("missing command name; use --help for help");
  if (arguments.front() == "help") {
    const std::string text = help_text(groups);
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
      return Unexpected{system_error("writing to standard output", errno)};
    }
    return 0;
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
  Context context{loop, daemon, settings, out.get()};
  OVS_TRY_DO(run_command(*row, context, std::move(arguments)));
  return context.end_signal;
}

}  // namespace

}  // namespace ovs::utilities::ovsdb_client

int main(int argc, char** argv) {
  ovs::set_program_name(argv[0]);
  if (auto ok = ovs::log_set("console:warn"); !ok) ovs::die(ok.error().message);
  const auto end_signal = ovs::utilities::ovsdb_client::run({argv + 1, argv + argc});
  if (!end_signal) ovs::die(end_signal.error().message);
  if (*end_signal != 0) {
    // Whoever sent the signal sees that it ended the program.
    std::signal(*end_signal, SIG_DFL);
    std::raise(*end_signal);
  }
  return EXIT_SUCCESS;
}
