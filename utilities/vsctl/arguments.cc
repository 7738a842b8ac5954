#include "vsctl/arguments.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/paths.h"
#include "base/text.h"
#include "runtime/tls_options.h"
#include "typographic.h"

namespace ovs::vsctl {

namespace {

// The options of all commands, as names without dashes; the value's presence from the first that has it.
struct CommandOption {
  std::string_view name;
  bool takes_value;
};

std::vector<CommandOption> options_of(const CommandInfo& info) {
  std::vector<CommandOption> out;
  for (std::string_view word : split_any(info.options, ",")) {
    bool value = word.ends_with('=');
    if (value) word.remove_suffix(1);
    out.push_back({word.substr(2), value});
  }
  return out;
}

std::vector<CommandOption> all_command_options() {
  std::vector<CommandOption> out;
  for (const Command& command : commands())
    for (const CommandOption& option : options_of(command.info))
      if (std::ranges::find(out, option.name, &CommandOption::name) == out.end()) out.push_back(option);
  return out;
}

// "-id=@s" for "--id=@s": the word with two dashes, where its name is a command's option.
std::string with_two_dashes(const std::string& word, std::span<const CommandOption> options) {
  if (word.size() < 3 || word[0] != '-' || word[1] == '-') return word;
  std::string_view name = std::string_view(word).substr(1);
  name = name.substr(0, name.find('='));
  bool known = std::ranges::find(options, name, &CommandOption::name) != options.end();
  return known ? "-" + word : word;
}

// Free text, in which every character is legitimate.
bool is_free_text(const Invocation& invocation, std::size_t argument) {
  std::string_view name = invocation.command->info.name;
  return name == "comment" || (name == "br-set-external-id" && argument == 2);
}

Result<Invocation> parse_command(std::span<const std::string> words,
                                 std::map<std::string, std::string, std::less<>> options,
                                 std::span<const CommandOption> known_options) {
  Invocation invocation;
  invocation.options = std::move(options);
  std::size_t at = 0;
  for (; at < words.size(); at++) {
    if (auto complaint = utilities::typographic_complaint(words[at])) return unexpected(*complaint);
    std::string word = with_two_dashes(words[at], known_options);
    if (!word.starts_with('-') || word.size() < 2) break;
    auto equals = word.find('=');
    std::string name = word.substr(0, equals);
    if (!invocation.options.emplace(name, equals == std::string::npos ? "" : word.substr(equals)).second)
      return unexpected(fmt::format("'{}' option specified multiple times", name));
  }
  if (at == words.size()) return unexpected("missing command name (use --help for help)");

  const std::string& name = words[at];
  invocation.command = find_command(name);
  if (!invocation.command) {
    std::vector<std::string_view> names;
    for (const Command& c : commands()) names.push_back(c.info.name);
    return unexpected(unknown_command(name, names));
  }
  const CommandInfo& info = invocation.command->info;
  auto accepted = options_of(info);
  for (auto& [option, value] : invocation.options) {
    auto it = std::ranges::find(accepted, std::string_view(option).substr(std::min<std::size_t>(2, option.size())),
                                &CommandOption::name);
    if (it == accepted.end() || !option.starts_with("--"))
      return unexpected(fmt::format("'{}' command has no '{}' option", info.name, option));
    bool given = value.starts_with('=');
    if (it->takes_value && !given)
      return unexpected(fmt::format("missing argument to '{}' option on '{}' command", option, info.name));
    if (!it->takes_value && given)
      return unexpected(fmt::format("'{}' option on '{}' does not accept an argument", option, info.name));
    if (given) value.erase(0, 1);
  }
  invocation.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
  if (auto fits = check_arity(info, invocation.arguments.size()); !fits) {
    std::string text = std::move(fits).error().message;
    return unexpected(std::move(text) + misplaced_option_hint(info.name, invocation.arguments));
  }
  for (std::size_t i = 0; i < invocation.arguments.size(); i++) {
    if (is_free_text(invocation, i)) continue;
    if (auto complaint = utilities::typographic_complaint(invocation.arguments[i])) return unexpected(*complaint);
  }
  return invocation;
}

}  // namespace

std::vector<OptionGroup> option_groups(Settings& settings, Option timeout) {
  settings.db = "unix:" + rundir() + "/db.sock";
  OptionGroup own{"Options:", {}};
  auto flag = [](bool& target, bool value) {
    return [&target, value](std::optional<std::string_view>) -> Result<void> {
      target = value;
      return {};
    };
  };
  own.options.push_back({0, "db", ArgumentKind::required, "DATABASE", "connect to DATABASE",
                         [&settings](std::optional<std::string_view> v) -> Result<void> {
                           settings.db = *v;
                           return {};
                         }});
  own.options.push_back({0, "no-syslog", ArgumentKind::none, "", "do not write the call and its changes to syslog",
                         flag(settings.syslog, false)});
  own.options.push_back({0, "no-wait", ArgumentKind::none, "", "do not wait for ovs-vswitchd to reconfigure",
                         flag(settings.wait, false)});
  own.options.push_back({0, "retry", ArgumentKind::none, "", "keep trying to connect to the server for ever",
                         flag(settings.retry, true)});
  own.options.push_back(std::move(timeout));
  own.options.push_back({0, "dry-run", ArgumentKind::none, "", "do not commit changes to the database",
                         flag(settings.dry_run, true)});
  own.options.push_back({0, "oneline", ArgumentKind::none, "", "print exactly one line of output per command",
                         flag(settings.oneline, true)});

  // With one server, what they ask for is so anyway.
  OptionGroup clusters{"Options for clusters (accepted, without effect: there are no clusters yet):", {}};
  auto accept = [&](std::string_view name, std::string_view help) {
    clusters.options.push_back(
        {0, name, ArgumentKind::none, "", help, [](std::optional<std::string_view>) -> Result<void> { return {}; }});
  };
  accept("leader-only", "use only the leader of a cluster");
  accept("no-leader-only", "use any server of a cluster");
  accept("shuffle-remotes", "try the servers in a random order");
  accept("no-shuffle-remotes", "try the servers in their order");

  std::vector<OptionGroup> groups;
  groups.push_back(std::move(own));
  groups.push_back(std::move(clusters));
  groups.push_back(runtime::tls_options(settings.tls));
  groups.push_back(utilities::table_options(settings.style));
  groups.back().title = "Output formatting options:";
  groups.push_back(log_options());
  return groups;
}

Result<std::vector<Invocation>> parse_command_line(std::span<const OptionGroup> groups,
                                                   std::span<const std::string> words) {
  auto known_options = all_command_options();
  // The options of the first command, wherever they stand before it.
  std::map<std::string, std::string, std::less<>> first_options;
  OptionGroup command_group{"", {}};
  for (const CommandOption& o : known_options) {
    command_group.options.push_back(
        {0, o.name, o.takes_value ? ArgumentKind::required : ArgumentKind::optional, "", "",
         [&, name = "--" + std::string(o.name)](std::optional<std::string_view> v) -> Result<void> {
           first_options.emplace(name, v ? "=" + std::string(*v) : "");
           return {};
         }});
  }
  std::vector<OptionGroup> all(groups.begin(), groups.end());
  all.push_back(std::move(command_group));

  std::vector<std::string> rest(words.begin(), words.end());
  for (std::string& word : rest) {
    if (auto complaint = utilities::typographic_complaint(word); complaint && (word[0] < 0 || word[0] == '-'))
      return unexpected(*complaint);
    word = with_two_dashes(word, known_options);
    if (!word.starts_with('-') || word == "--") break;
  }
  OVS_TRY(rest, parse_options(all, rest));

  std::vector<Invocation> invocations;
  auto begin = rest.begin();
  while (true) {
    auto end = std::find(begin, rest.end(), "--");
    if (begin != end) {
      OVS_TRY(Invocation invocation,
              parse_command(std::span(begin, end), std::move(first_options), known_options));
      first_options.clear();
      invocations.push_back(std::move(invocation));
    }
    if (end == rest.end()) break;
    begin = end + 1;
  }
  if (invocations.empty()) return unexpected("missing command name (use --help for help)");
  return invocations;
}

std::string misplaced_option_hint(std::string_view command, std::span<const std::string> arguments) {
  if (!std::ranges::any_of(arguments, [](const std::string& a) { return a.starts_with("--"); })) return {};
  return fmt::format("; options of a command stand before its name, behind \"--\": ... -- --OPTION {}", command);
}

std::string help_text(std::span<const OptionGroup> groups) {
  std::string out = fmt::format(
      "{0}: ovs-vswitchd management utility\nusage: {0} [OPTIONS] COMMAND [ARG...] [-- COMMAND [ARG...]]...\n",
      program_name());
  std::string_view group;
  for (const Command& command : commands()) {
    if (command.group != group) {
      group = command.group;
      out += fmt::format("\n{}:\n", group);
    }
    std::string usage;
    for (std::string_view option : split_any(command.info.options, ","))
      usage += fmt::format("[{}{}] ", option, option.ends_with('=') ? "..." : "");
    usage += command.info.name;
    if (!command.info.synopsis.empty()) usage += fmt::format(" {}", command.info.synopsis);
    if (usage.size() < 30)
      out += fmt::format("  {:<30}{}\n", usage, command.info.summary);
    else
      out += fmt::format("  {}\n  {:<30}{}\n", usage, "", command.info.summary);
  }
  out += "\n";
  out += options_help(groups);
  return out;
}

std::string commands_text() {
  std::string out;
  for (const Command& command : commands()) {
    std::string options;
    for (std::string_view option : split_any(command.info.options, ","))
      options += (options.empty() ? "" : " ") + fmt::format("[{}]", option);
    out += fmt::format("{},{},{}\n", options, command.info.name, command.info.synopsis);
  }
  return out;
}

std::string options_text(std::span<const OptionGroup> groups) {
  std::string out;
  for (const OptionGroup& group : groups) {
    for (const Option& option : group.options) {
      std::string_view value = option.argument == ArgumentKind::required ? "ARG" : "";
      if (!option.name.empty()) out += fmt::format("--{}{}{}\n", option.name, value.empty() ? "" : "=", value);
      if (option.short_name) out += fmt::format("-{}{}{}\n", option.short_name, value.empty() ? "" : " ", value);
    }
  }
  return out;
}

}  // namespace ovs::vsctl
