// ovs-vsctl: shows and changes the switch's configuration in its database.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/log.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/print.h"
#include "base/text.h"
#include "timeout.h"
#include "vsctl/arguments.h"
#include "vsctl/run.h"
#include "vsctl/schema.h"

namespace ovs::vsctl {
namespace {

LogModule log{"vsctl"};

// "ovs-vsctl (invoked by bash): ovs-vsctl add-br br0": what the database's log says about a change.
std::string called_as(std::span<const std::string> words) {
  std::string parent;
  std::ifstream comm("/proc/" + std::to_string(::getppid()) + "/comm");
  std::getline(comm, parent);
  std::string out = program_name();
  if (!parent.empty()) out += " (invoked by " + parent + ")";
  out += ": " + program_name();
  for (const std::string& word : words) out += " " + shell_quote(word);
  return out;
}

int main(std::vector<std::string> words) {
  if (auto r = log_set("console:warn"); !r) die(r.error().message);
  Settings settings;
  auto groups = option_groups(settings, utilities::timeout_option());
  auto version = [] {
    return fmt::format("{} (Open vSwitch) {}\nDB Schema {}\n", program_name(), package_version(), known_schema_version);
  };
  groups.push_back(common_options([&groups] { return help_text(groups); }, version));
  groups.back().options.push_back({0, "commands", ArgumentKind::none, "", "list the commands, for completion",
                                   [](auto) -> Result<void> { print_and_exit(commands_text()); }});
  groups.back().options.push_back({0, "options", ArgumentKind::none, "", "list the options, for completion",
                                   [&groups](auto) -> Result<void> { print_and_exit(options_text(groups)); }});
  auto invocations = parse_command_line(groups, words);
  if (!invocations) die(invocations.error().message);

  log_enable_syslog(program_name());
  if (!settings.syslog)
    if (auto r = log_set("vsctl:syslog:warn"); !r) die(r.error().message);
  std::string call = called_as(words);
  bool changes = std::ranges::any_of(
      *invocations, [](const Invocation& i) { return i.command->info.access == Access::read_write; });
  log.at(changes ? LogLevel::info : LogLevel::dbg, "Called as {}", call);

  utilities::set_waiting_for(settings.db);
  auto server = Server::connect(settings.db, settings.retry, {}, settings.tls);
  if (!server) {
    // The first line is what scripts know; further ones say what to do.
    for (std::string_view line : split(server.error().message, '\n'))
      std::fprintf(stderr, "%s: %.*s\n", program_name().c_str(), static_cast<int>(line.size()), line.data());
    return EXIT_FAILURE;
  }
  return run(**server, settings, *invocations, call);
}

}  // namespace
}  // namespace ovs::vsctl

int main(int argc, char* argv[]) {
  ovs::set_program_name(argv[0]);
  ovs::reserve_standard_descriptors();
  return ovs::vsctl::main({argv + 1, argv + argc});
}
