#include "base/command.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/coverage.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"

namespace ovs {

namespace {

// Reads a synopsis: alternatives "A | B" of sequences of words and [optional] groups.
class SynopsisReader {
 public:
  explicit SynopsisReader(std::string_view text) : rest_(text) {}

  Arity alternatives() {
    Arity all = sequence();
    while (rest_.starts_with('|')) {
      rest_.remove_prefix(1);
      const Arity other = sequence();
      all.min = std::min(all.min, other.min);
      all.max = std::max(all.max, other.max);
    }
    return all;
  }

 private:
  static constexpr std::string_view openers = "[{(";
  static constexpr std::string_view closers = "]})";

  Arity sequence() {
    Arity sum;
    for (;;) {
      while (rest_.starts_with(' ')) rest_.remove_prefix(1);
      if (rest_.empty() || rest_[0] == '|' || closers.find(rest_[0]) != std::string_view::npos) return sum;
      const Arity one = word();
      sum.min += one.min;
      sum.max = sum.max == Arity::unlimited || one.max == Arity::unlimited ? Arity::unlimited : sum.max + one.max;
    }
  }

  // A word ends at a space outside its brackets: "COLUMN[:KEY]=VALUE" and "[KEY=]VALUE" are one
  // argument, and only a word that is nothing but a group is a group.
  Arity word() {
    std::size_t depth = 0, end = 0, first_group_end = 0;
    for (; end < rest_.size(); end++) {
      const char c = rest_[end];
      if (openers.find(c) != std::string_view::npos) {
        depth++;
      } else if (closers.find(c) != std::string_view::npos) {
        if (depth == 0) break;
        if (--depth == 0 && first_group_end == 0) first_group_end = end + 1;
      } else if (depth == 0 && c == ' ') {
        break;
      }
    }
    std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    const bool repeated = text.ends_with("...");
    if (repeated) text.remove_suffix(3);
    Arity one{1, 1};
    if (openers.find(text.empty() ? ' ' : text[0]) != std::string_view::npos && first_group_end == text.size()) {
      one = SynopsisReader(text.substr(1, text.size() - 2)).alternatives();
      if (text[0] == '[') one.min = 0;
    }
    if (repeated) one.max = Arity::unlimited;
    return one;
  }

  std::string_view rest_;
};

// The words are those of today's tools, plural and all: scripts look for them.
std::optional<std::string> wrong_arity(const CommandInfo& command, std::size_t arguments, char quote) {
  const Arity arity = arity_of(command.synopsis);
  const auto error = [&](std::string_view demand, std::size_t n) {
    return fmt::format("{}{}{} command {} {} arguments", quote, command.name, quote, demand, n);
  };
  if (arguments < arity.min) return error("requires at least", arity.min);
  if (arguments > arity.max) return error("takes at most", arity.max);
  return std::nullopt;
}

Result<std::string> set_levels(std::span<const std::string> specs) {
  if (specs.empty()) OVS_TRY_DO(log_set("ANY:ANY:dbg"));
  for (const std::string& spec : specs) OVS_TRY_DO(log_set(spec));
  return std::string();
}

Result<std::string> limit_rates(std::span<const std::string> modules, bool on) {
  if (modules.empty()) OVS_TRY_DO(log_set_rate_limiting("ANY", on));
  for (const std::string& module : modules) OVS_TRY_DO(log_set_rate_limiting(module, on));
  return std::string();
}

}  // namespace

Arity arity_of(std::string_view synopsis) { return SynopsisReader(synopsis).alternatives(); }

Result<void> check_arity(const CommandInfo& command, std::size_t arguments) {
  auto error = wrong_arity(command, arguments, '\'');
  if (!error) return {};
  const std::string_view space = command.synopsis.empty() ? "" : " ";
  return unexpected(*std::move(error) + fmt::format(" (usage: {}{}{})", command.name, space, command.synopsis));
}

std::string unknown_command(std::string_view name, std::span<const std::string_view> known) {
  if (const auto near = nearest(name, known)) {
    return fmt::format("unknown command '{}'; did you mean '{}'?", name, *near);
  }
  return fmt::format("unknown command '{}'; use --help for help", name);
}

void ControlTable::add(CommandInfo info,
                       std::function<void(std::span<const std::string>, ControlReply)> run) {
  std::string name(info.name);
  commands_.insert_or_assign(std::move(name), ControlCommand{info, std::move(run)});
}

void ControlTable::add(CommandInfo info,
                       std::function<Result<std::string>(std::span<const std::string>)> run) {
  add(info, std::function<void(std::span<const std::string>, ControlReply)>(
                [run = std::move(run)](std::span<const std::string> arguments, ControlReply reply) {
                  Result<std::string> result = run(arguments);
                  if (result) {
                    reply.ok(*std::move(result));
                  } else {
                    reply.error(std::move(result).error().message);
                  }
                }));
}

void ControlTable::run(const std::string& name, std::span<const std::string> arguments,
                       ControlReply reply) const {
  const auto found = commands_.find(name);
  if (found == commands_.end()) {
    std::vector<std::string_view> names;
    for (const auto& [known, command] : commands_) names.push_back(known);
    std::string text = fmt::format(
        "\"{}\" is not a valid command (use \"list-commands\" to see a list of valid commands)", name);
    if (const auto near = nearest(name, names)) text += fmt::format("; did you mean \"{}\"?", *near);
    return reply.error(std::move(text));
  }
  const ControlCommand& command = found->second;
  if (auto error = wrong_arity(command.info, arguments.size(), '"')) {
    return reply.error(*std::move(error));
  }
  command.run(arguments, std::move(reply));
}

std::string ControlTable::list() const {
  std::string out = "The available commands are:\n";
  for (const auto& [name, command] : commands_) {
    out += fmt::format("  {:<23} {}\n", name, command.info.synopsis);
  }
  return out;
}

void add_base_commands(ControlTable& table) {
  using Arguments = std::span<const std::string>;
  using Text = Result<std::string>;
  const auto add = [&table](std::string_view name, std::string_view synopsis, std::string_view summary,
                            Access access, std::function<Text(Arguments)> run) {
    table.add(CommandInfo{name, synopsis, summary, "", access}, std::move(run));
  };
  add("list-commands", "", "list the commands that this program takes", Access::read_only,
      [&table](Arguments) -> Text { return table.list(); });
  add("version", "", "print the program's name and version", Access::read_only, [](Arguments) -> Text {
    return fmt::format("{} ({}) {}\n", program_name(), package_name, package_version());
  });
  add("vlog/set", "[SPEC | PATTERN:DESTINATION:PATTERN | FACILITY:FACILITY]...", "change what is logged",
      Access::read_write, set_levels);
  add("vlog/list", "", "list the modules that log and their levels", Access::read_only,
      [](Arguments) -> Text { return log_list(); });
  add("vlog/list-pattern", "", "list each destination's pattern", Access::read_only,
      [](Arguments) -> Text { return log_list_patterns(); });
  add("vlog/enable-rate-limit", "[MODULE]...", "hold back floods of like messages", Access::read_write,
      [](Arguments modules) { return limit_rates(modules, true); });
  add("vlog/disable-rate-limit", "[MODULE]...", "log every message, however many", Access::read_write,
      [](Arguments modules) { return limit_rates(modules, false); });
  add("vlog/reopen", "", "open the log file anew, after it was rotated", Access::read_write,
      [](Arguments) -> Text {
        if (log_file_path().empty()) return unexpected("Logging to file not configured");
        OVS_TRY_DO(log_reopen_file());
        return std::string();
      });
  add("vlog/close", "", "close the log file, until vlog/reopen", Access::read_write,
      [](Arguments) -> Text {
        log_close_file();
        return std::string();
      });
  add("coverage/show", "", "print the event counters", Access::read_only,
      [](Arguments) -> Text { return coverage_show(); });
  add("coverage/read-counter", "COUNTER", "print one event counter", Access::read_only,
      [](Arguments arguments) -> Text {
        std::uint64_t count = 0;
        if (!coverage_read(arguments[0], &count)) return unexpected("No such counter");
        return std::to_string(count) + "\n";
      });
}

}  // namespace ovs
