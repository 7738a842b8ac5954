// ovsdb-tool: creates, converts and examines database files.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/log.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/print.h"
#include "ovsdb_tool/commands.h"

namespace ovs::utilities::ovsdb_tool {

namespace {

std::string help_text(std::span<const OptionGroup> groups) {
  std::string text = fmt::format(
      "{0}: creates, converts and examines database files\n"
      "usage: {0} [OPTIONS] COMMAND [ARG...]\n\n"
      "Commands:\n",
      program_name());
  for (const Row& row : commands()) {
    text += fmt::format("  {}{}{}\n      {}\n", row.info.name, row.info.synopsis.empty() ? "" : " ", row.info.synopsis,
                        row.info.summary);
  }
  text += fmt::format("\nDB is {} and SCHEMA is\n{} if they are left out.\n\n", default_database(), default_schema());
  return text + options_help(groups);
}

[[noreturn]] void unknown(const std::string& name) {
  if (is_cluster_command(name))
    die(fmt::format("'{}': this version works with standalone databases, not with clusters", name));
  std::vector<std::string_view> names;
  for (const Row& row : commands()) names.push_back(row.info.name);
  die(unknown_command(name, names));
}

int run(std::span<const std::string> arguments) {
  Settings settings;
  std::vector<OptionGroup> groups;
  groups.push_back({"Options:",
                    {{.short_name = 'm',
                      .name = "more",
                      .argument = ArgumentKind::none,
                      .argument_name = "",
                      .help = "more detail from show-log; may be given twice",
                      .apply = [&](auto) -> Result<void> {
                        ++settings.more;
                        return {};
                      }}}});
  groups.push_back(log_options());
  groups.push_back(common_options([&] { return help_text(groups); }, [] {
    return fmt::format("{} ({}) {}\n", program_name(), package_name, package_version());
  }));
  auto words = parse_options(groups, arguments, false, true);
  if (!words) die(words.error().message);
  if (words->empty()) die("missing command name; use --help for help");
  const std::string& name = words->front();
  if (name == "help") {
    std::fputs(help_text(groups).c_str(), stdout);
    return 0;
  }
  auto row = std::find_if(commands().begin(), commands().end(), [&](const Row& r) { return r.info.name == name; });
  if (row == commands().end()) unknown(name);
  Arguments rest(words->data() + 1, words->size() - 1);
  if (auto r = check_arity(row->info, rest.size()); !r) die(r.error().message);
  auto status = row->run(settings, rest);
  // What was printed before an error comes before it.
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) die("writing standard output failed");
  if (!status) die(status.error().message);
  return *status;
}

}  // namespace

}  // namespace ovs::utilities::ovsdb_tool

int main(int argc, char** argv) {
  ovs::set_program_name(argv[0]);
  ovs::reserve_standard_descriptors();
  if (auto r = ovs::log_set("console:warn"); !r) ovs::die(r.error().message);
  return ovs::utilities::ovsdb_tool::run(std::vector<std::string>(argv + 1, argv + argc));
}
