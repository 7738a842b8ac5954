// ovs-conf: makes the switch be what a file declares.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/command.h"
#include "base/log.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/print.h"
#include "base/text.h"
#include "conf/apply.h"
#include "conf/dump.h"
#include "conf/guard.h"
#include "rpc/session.h"
#include "runtime/tls_options.h"

namespace ovs::conf {
namespace {

struct Command {
  CommandInfo info;
  int (*run)(const ApplyOptions& options);
};

// The file, evaluated and read; all that is wrong with it is said on standard error, but for types that it names: about
// those the switch is asked.
std::optional<Declared> read(const std::string& file, const ovsdb::DatabaseSchema& schema) {
  auto text = read_file(file);
  if (!text) {
    complain(text.error().message);
    return std::nullopt;
  }
  auto evaluation = evaluate(*text);
  if (!evaluation) {
    complain(evaluation.error().message);
    return std::nullopt;
  }
  const std::string name = file_name(file);
  for (const std::string& remark : evaluation->remarks) std::fprintf(stderr, "%s: %s\n", name.c_str(), remark.c_str());
  std::vector<Mistake> mistakes = std::move(evaluation->mistakes);
  Reading reading = read_declaration(evaluation->variables, schema);
  mistakes.insert(mistakes.end(), reading.mistakes.begin(), reading.mistakes.end());
  if (mistakes.empty()) return std::move(reading.declared);
  // Who has to change the file anyway is told everything.
  const std::vector<Mistake> wrong = check_types(reading.declared.types, {}).mistakes;
  mistakes.insert(mistakes.end(), wrong.begin(), wrong.end());
  complain_of(std::move(mistakes), file);
  return std::nullopt;
}

std::optional<Declared> read(const std::string& file) {
  auto schema = installed_schema();
  if (schema) return read(file, **schema);
  complain(schema.error().message);
  return std::nullopt;
}

int check(const ApplyOptions& options) {
  const auto declared = read(options.file);
  return declared && types_are_good(*declared, {}, options.file) ? exit_done : exit_mistake;
}

int diff(const ApplyOptions& options) {
  const auto declared = read(options.file);
  if (!declared) return exit_mistake;
  auto session = Session::open(options.db, options.tls, options.limit);
  if (!session) {
    complain(session.error().message);
    return exit_database;
  }
  if (!types_are_good(*declared, (*session)->types(), options.file)) return exit_mistake;
  const Present present = (*session)->present();
  const Plan plan = make_plan(*declared, present, (*session)->schema(), {.adopt = options.adopt});
  if (auto ok = check_declares(*declared, plan, file_name(options.file)); !ok) {
    complain(ok.error().message);
    return exit_mistake;
  }
  for (const std::string& remark : plan.remarks) complain(remark);
  if (!plan.refusals.empty()) {
    complain(join(plan.refusals, "\n"));
    return exit_database;
  }
  if (plan.empty()) return exit_done;
  std::fputs(in_words(plan, present, (*session)->schema()).c_str(), stdout);
  std::printf("\n%s", as_commands(plan, (*session)->schema()).c_str());
  return exit_differs;
}

int apply_file(const ApplyOptions& options) {
  const auto declared = read(options.file);
  if (!declared) return exit_mistake;
  if (auto r = check_nothing_pending(options); !r) {
    complain(r.error().message);
    return exit_unconfirmed;
  }
  return options.confirm ? apply_guarded(*declared, options) : apply(*declared, options).status;
}

int dump_database(const ApplyOptions& options) {
  auto session = Session::open(options.db, options.tls, options.limit);
  if (!session) {
    complain(session.error().message);
    return exit_database;
  }
  const Dump out = dump((*session)->present(), (*session)->schema());
  for (const std::string& sentence : out.left_out) complain(sentence);
  if (std::fputs(out.text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    complain("write failed");
    return exit_mistake;
  }
  return exit_done;
}

constexpr Command commands[] = {
    {{"check", "[FILE]", "say what is wrong with a file", "", Access::read_only}, check},
    {{"diff", "[FILE]", "say what apply would change", "", Access::read_only}, diff},
    {{"apply", "[FILE]", "make the switch be what the file declares", "", Access::read_write}, apply_file},
    {{"confirm", "", "keep what apply --confirm has changed", "", Access::read_write}, confirm},
    {{"revert", "", "put back what apply --confirm has changed", "", Access::read_write}, revert},
    {{"dump", "", "print the configuration of the switch as a file", "", Access::read_only}, dump_database},
};

std::string help(std::span<const OptionGroup> groups) {
  std::string text = fmt::format(
      "{0}: makes the switch be what a file declares\n"
      "usage: {0} [OPTION]... COMMAND [FILE]\n"
      "\n"
      "FILE is {1} by default; \"-\" is standard input.\n"
      "\n"
      "Commands:\n",
      program_name(), sysconfdir() + "/conf.d/ovs");
  for (const Command& c : commands)
    text += fmt::format("  {:<27} {}\n", fmt::format("{} {}", c.info.name, c.info.synopsis), c.info.summary);
  return text + "\n" + options_help(groups);
}

Result<std::chrono::milliseconds> read_seconds(std::string_view text) {
  const auto n = parse_real(text);
  if (!n || *n <= 0 || *n > 86400 * 365.0) return unexpected(fmt::format("{} is no number of seconds", text));
  return std::chrono::milliseconds(static_cast<std::int64_t>(*n * 1000));
}

std::vector<OptionGroup> option_groups(ApplyOptions& options) {
  using Value = std::optional<std::string_view>;
  OptionGroup own{.title = "Options:", .options = {}};
  auto flag = [&](std::string_view name, std::string_view help, bool& option, bool value) {
    own.options.push_back({0, name, ArgumentKind::none, "", help, [&option, value](Value) -> Result<void> {
                             option = value;
                             return {};
                           }});
  };
  own.options.push_back({0, "db", ArgumentKind::required, "SERVER", "the database server",
                         [&](Value v) -> Result<void> {
                           options.db = *v;
                           return {};
                         }});
  own.options.push_back({'t', "timeout", ArgumentKind::required, "SECS", "how long the database server may take (10)",
                         [&](Value v) -> Result<void> {
                           OVS_TRY(options.limit, read_seconds(*v));
                           return {};
                         }});
  own.options.push_back({0, "wait", ArgumentKind::required, "SECS", "apply: how long the switch may take (30)",
                         [&](Value v) -> Result<void> {
                           OVS_TRY(options.switch_limit, read_seconds(*v));
                           return {};
                         }});
  flag("no-wait", "apply: do not wait for the switch", options.wait, false);
  own.options.push_back({0, "confirm", ArgumentKind::required, "SECS", "apply: go back unless confirmed in time",
                         [&](Value v) -> Result<void> {
                           OVS_TRY(auto limit, read_seconds(*v));
                           options.confirm = std::chrono::ceil<std::chrono::seconds>(limit);
                           return {};
                         }});
  flag("adopt", "apply, diff: take over what is there and declared", options.adopt, true);
  std::vector<OptionGroup> groups;
  groups.push_back(std::move(own));
  groups.push_back(runtime::tls_options(options.tls));
  groups.push_back(log_options());
  return groups;
}

// What no server can answer.
Result<void> check_server(const ApplyOptions& options) {
  if (auto remotes = rpc::Session::check_remotes(options.db); !remotes)
    return unexpected("--db: " + remotes.error().message);
  return runtime::check_tls_settings(options.tls, options.db);
}

int main(std::vector<std::string> words) {
  if (auto r = log_set("console:warn"); !r) die(r.error().message, exit_mistake);
  ApplyOptions options;
  options.db = "unix:" + rundir() + "/db.sock";
  auto groups = option_groups(options);
  auto version = [] { return fmt::format("{} (Open vSwitch) {}\n", program_name(), package_version()); };
  groups.push_back(common_options([&groups] { return help(groups); }, version));
  // For completion, in ovs-vsctl's form.
  groups.back().options.push_back({0, "commands", ArgumentKind::none, "", "", [](auto) -> Result<void> {
                                     std::string text;
                                     for (const Command& c : commands) text += fmt::format(",{},{}\n", c.info.name,
                                         c.info.synopsis);
                                     print_and_exit(text);
                                   }});
  auto rest = parse_options(groups, words, false, true);
  if (!rest) die(rest.error().message, exit_mistake);
  if (rest->empty()) die("missing command name (use --help for help)", exit_mistake);
  const std::string name = rest->front();
  rest->erase(rest->begin());
  for (const Command& c : commands) {
    if (c.info.name != name) continue;
    if (auto r = check_arity(c.info, rest->size()); !r) die(r.error().message, exit_mistake);
    if (options.confirm && name != "apply") die("--confirm is an option of apply", exit_mistake);
    if (auto r = check_server(options); !r) die(r.error().message, exit_mistake);
    options.file = rest->empty() ? sysconfdir() + "/conf.d/ovs" : rest->front();
    return c.run(options);
  }
  std::vector<std::string_view> names;
  for (const Command& c : commands) names.push_back(c.info.name);
  die(unknown_command(name, names), exit_mistake);
}

}  // namespace
}  // namespace ovs::conf

int main(int argc, char* argv[]) {
  ovs::set_program_name(argv[0]);
  ovs::reserve_standard_descriptors();
  return ovs::conf::main({argv + 1, argv + argc});
}
