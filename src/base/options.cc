#include "base/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "base/paths.h"
#include "base/print.h"
#include "base/text.h"

namespace ovs {

namespace {

class OptionReader {
 public:
  OptionReader(std::span<const OptionGroup> groups, std::span<const std::string> arguments)
      : groups_(groups), arguments_(arguments) {}

  Result<std::vector<std::string>> run(bool leave_unknown, bool permute) {
    std::vector<std::string> left;
    while (at_ < arguments_.size()) {
      const std::string& word = arguments_[at_];
      if (word == "--") {
        at_++;
        break;
      }
      if (word.size() < 2 || word[0] != '-') {
        if (!permute) break;
        left.push_back(word);
        at_++;
        continue;
      }
      unknown_ = false;
      const Result<void> applied = word[1] == '-' ? long_option(word) : short_options(word);
      if (!applied) {
        if (unknown_ && leave_unknown) break;
        return Unexpected{applied.error()};
      }
    }
    left.insert(left.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(at_), arguments_.end());
    return left;
  }

 private:
  Result<void> long_option(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(2, equals == std::string_view::npos ? equals : equals - 2);
    OVS_TRY(const Option* option, find(name));
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) value = word.substr(equals + 1);
    if (value && option->argument == ArgumentKind::none) {
      return unexpected(fmt::format("option '--{}' doesn't allow an argument", option->name));
    }
    if (!value && option->argument == ArgumentKind::required) {
      if (at_ + 1 >= arguments_.size()) {
        return unexpected(fmt::format("option '--{}' requires an argument", option->name));
      }
      value = arguments_[++at_];
    }
    at_++;
    return option->apply(value);
  }

  // "-abc": options without arguments, the last of which may take one, attached or as the next word.
  Result<void> short_options(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); i++) {
      const Option* option = find_short(word[i]);
      if (option == nullptr) {
        // Only a word of which nothing was applied yet can be left to the caller.
        unknown_ = i == 1;
        return unexpected(fmt::format("invalid option -- '{}'", word[i]));
      }
      if (option->argument == ArgumentKind::none) {
        OVS_TRY_DO(option->apply(std::nullopt));
        continue;
      }
      std::optional<std::string_view> value;
      if (i + 1 < word.size()) {
        value = word.substr(i + 1);
      } else if (option->argument == ArgumentKind::required) {
        if (at_ + 1 >= arguments_.size()) {
          return unexpected(fmt::format("option requires an argument -- '{}'", word[i]));
        }
        value = arguments_[++at_];
      }
      at_++;
      return option->apply(value);
    }
    at_++;
    return {};
  }

  // The option of that name, or the only one that begins with it.
  Result<const Option*> find(std::string_view name) {
    std::vector<const Option*> beginning;
    std::vector<std::string_view> names;
    for (const OptionGroup& group : groups_) {
      for (const Option& option : group.options) {
        if (option.name.empty()) continue;
        if (option.name == name) return &option;
        names.push_back(option.name);
        if (option.name.starts_with(name)) beginning.push_back(&option);
      }
    }
    if (beginning.size() == 1) return beginning[0];
    if (!beginning.empty()) {
      std::string text = fmt::format("option '--{}' is ambiguous; possibilities:", name);
      for (const Option* option : beginning) text += fmt::format(" '--{}'", option->name);
      return unexpected(std::move(text));
    }
    unknown_ = true;
    std::string text = fmt::format("unrecognized option '--{}'", name);
    if (const auto near = nearest(name, names)) text += fmt::format("; did you mean '--{}'?", *near);
    return unexpected(std::move(text));
  }

  const Option* find_short(char name) const {
    for (const OptionGroup& group : groups_) {
      for (const Option& option : group.options) {
        if (option.short_name == name) return &option;
      }
    }
    return nullptr;
  }

  std::span<const OptionGroup> groups_;
  std::span<const std::string> arguments_;
  std::size_t at_ = 0;
  bool unknown_ = false;  // the last error was about an option that no group has
};

std::string usage_of(const Option& option) {
  std::string text = "  ";
  if (option.short_name != 0) text += fmt::format("-{}", option.short_name);
  if (option.short_name != 0 && !option.name.empty()) text += ", ";
  if (!option.name.empty()) text += fmt::format("--{}", option.name);
  const std::string_view equals = option.name.empty() ? " " : "=";
  if (option.argument == ArgumentKind::required) text += fmt::format("{}{}", equals, option.argument_name);
  if (option.argument == ArgumentKind::optional) text += fmt::format("[{}{}]", equals, option.argument_name);
  return text;
}

}  // namespace

Result<std::vector<std::string>> parse_options(std::span<const OptionGroup> groups,
                                               std::span<const std::string> arguments,
                                               bool leave_unknown, bool permute) {
  return OptionReader(groups, arguments).run(leave_unknown, permute);
}

std::string options_help(std::span<const OptionGroup> groups) {
  constexpr std::size_t help_column = 30;
  std::string out;
  for (const OptionGroup& group : groups) {
    if (std::ranges::all_of(group.options, [](const Option& o) { return o.help.empty(); })) continue;
    if (!out.empty()) out += '\n';
    out.append(group.title) += '\n';
    for (const Option& option : group.options) {
      if (option.help.empty()) continue;
      std::string usage = usage_of(option);
      // A long one has its help in a line of its own.
      usage += usage.size() + 1 < help_column ? std::string(help_column - usage.size(), ' ')
                                              : "\n" + std::string(help_column, ' ');
      out += usage.append(option.help) += '\n';
    }
  }
  return out;
}

OptionGroup log_options(std::optional<std::string>* file) {
  using Value = std::optional<std::string_view>;
  OptionGroup group{"Logging options:", {}};
  group.options.push_back({'v', "verbose", ArgumentKind::optional, "SPEC",
                           "set logging levels (without SPEC: log everything)",
                           [](Value spec) -> Result<void> {
                             if (auto set = log_set(spec.value_or("")); !set) {
                               return Unexpected{
                                   std::move(set).error().in(fmt::format("processing \"{}\"", spec.value_or("")))};
                             }
                             return {};
                           }});
  group.options.push_back({0, "log-file", ArgumentKind::optional, "FILE",
                           "log to FILE (default: PROGRAM.log in the log directory)",
                           [file](Value value) -> Result<void> {
                             std::string path =
                                 value ? std::string(*value) : path_below(logdir(), program_name() + ".log");
                             // Whoever cannot write the log still does what he was started for;
                             // the logger has said why.
                             if (file)
                               *file = std::move(path);
                             else
                               (void)log_open_file(path);
                             return {};
                           }});
  group.options.push_back({0, "syslog-method", ArgumentKind::required, "libc|unix:FILE|udp:IP:PORT|null",
                           "how to send messages to the system log",
                           [](Value method) { return log_set_syslog_method(*method); }});
  group.options.push_back({0, "syslog-target", ArgumentKind::required, "HOST:PORT",
                           "also send messages for the system log to HOST:PORT over UDP",
                           [](Value target) { return log_set_syslog_target(*target); }});
  return group;
}

void print_and_exit(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::exit(std::fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

OptionGroup common_options(std::function<std::string()> help, std::function<std::string()> version) {
  OptionGroup group{"Other options:", {}};
  group.options.push_back({'h', "help", ArgumentKind::none, "", "print this help",
                           [help](auto) -> Result<void> { print_and_exit(help()); }});
  group.options.push_back({'V', "version", ArgumentKind::none, "", "print the version",
                           [version](auto) -> Result<void> { print_and_exit(version()); }});
  return group;
}

void die(std::string_view message, int exit_code) {
  std::fflush(stdout);
  complain(message);
  std::exit(exit_code);
}

}  // namespace ovs
