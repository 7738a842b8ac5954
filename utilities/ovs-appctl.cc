// ovs-appctl: sends one command to a running daemon and prints its answer.
//
// Exit status: 0 done, 1 the daemon could not be asked, 2 the daemon answered with an error;
// ends by SIGALRM when --timeout passes.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/print.h"
#include "base/text.h"
#include "rpc/control.h"
#include "timeout.h"

namespace {

using namespace ovs;

struct Settings {
  std::string target = "ovs-vswitchd";
  bool json = false;
};

std::string help(std::span<const OptionGroup> groups) {
  return fmt::format(
      "{0}: asks and steers running Open vSwitch daemons\n"
      "usage: {0} [OPTION]... COMMAND [ARG]...\n"
      "\n"
      "Commands of every daemon (list-commands shows the rest):\n"
      "  list-commands               what the daemon understands\n"
      "  version                     which version runs\n"
      "  vlog/list                   the log levels of each module\n"
      "  vlog/list-pattern           the form of log messages of each destination\n"
      "  vlog/set [SPEC]             change log levels: module, destination, level words\n"
      "  vlog/reopen, vlog/close     reopen the log file (after rotating it), or close it\n"
      "  coverage/show               how often things happened inside the daemon\n"
      "\n{1}",
      program_name(), options_help(groups));
}

std::vector<OptionGroup> options(Settings& settings) {
  OptionGroup own{.title = "Options:", .options = {}};
  own.options.push_back({'t', "target", ArgumentKind::required, "TARGET",
                         "daemon's name or control socket (default: ovs-vswitchd)",
                         [&](std::optional<std::string_view> value) -> Result<void> {
                           settings.target = *value;
                           return {};
                         }});
  Option timeout = utilities::timeout_option();
  timeout.short_name = 'T';
  timeout.apply = [apply = timeout.apply](std::optional<std::string_view> value) -> Result<void> {
    if (!apply(value)) return unexpected(fmt::format("value {} on -T or --timeout is invalid", *value));
    return {};
  };
  own.options.push_back(std::move(timeout));
  own.options.push_back({0, "format", ArgumentKind::required, "text|json",
                         "json: print {\"reply\":TEXT,\"reply-format\":\"plain\"}",
                         [&](std::optional<std::string_view> value) -> Result<void> {
                           if (*value != "text" && *value != "json") {
                             return unexpected(fmt::format("value {} on --format is invalid (text or json)", *value));
                           }
                           settings.json = *value == "json";
                           return {};
                         }});
  return {std::move(own), log_options()};
}

// The daemons that run with a pidfile in the run directory, which could be asked.
std::vector<std::string> running_daemons() {
  std::vector<std::string> names;
  std::error_code no_matter;  // then there is no suggestion
  for (const auto& entry : std::filesystem::directory_iterator(rundir(), no_matter)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() == ".pid" && rpc::control_socket_of(path.stem())) names.push_back(path.stem());
  }
  std::ranges::sort(names);
  return names;
}

// What to do where the daemon's control socket could not be found or reached.
std::string advice(const Settings& settings, bool found_socket, const Error& error) {
  const std::string& target = settings.target;
  const bool is_path = target.starts_with('/');
  std::string text;
  switch (error.code) {
    case EACCES: return "permission denied: run ovs-appctl as root, or with sudo";
    case ECONNREFUSED:
      return "the socket exists, but nobody answers on it: the daemon that made it runs no more (was it killed?); "
             "start it again";
    case ENOENT:
      if (is_path) {
        text = "there is no such socket: is the daemon running, with --unixctl naming this file?";
      } else if (found_socket) {
        return fmt::format("{0} runs, but its control socket is not there: was {0} started with --unixctl=FILE? "
                           "then name it with -t FILE", target);
      } else if (target.find('/') != std::string::npos) {
        text = "the name of a control socket begins with a slash";
      } else {
        text = fmt::format("{} does not seem to run, or was started without --pidfile: start it, or name its control "
                           "socket with -t FILE", target);
      }
      break;
    case ESRCH:
      text = fmt::format("{} was killed, or the machine was started anew: start it again", target);
      break;
    default: return {};
  }
  if (auto names = running_daemons(); !names.empty())
    text += fmt::format("\nrunning now, and to be asked with -t NAME: {}", join(names, ", "));
  return text;
}

// Ends the program: the first line is what scripts know, further ones say what to do.
[[noreturn]] void cannot_ask(const Settings& settings, bool found_socket, const Error& error) {
  const std::string more = advice(settings, found_socket, error);
  complain(error.message);
  for (std::string_view line : split(more, '\n'))
    if (!line.empty()) complain(line);
  std::exit(EXIT_FAILURE);
}

void print_reply(const Settings& settings, const std::string& text) {
  if (!settings.json) {
    std::fputs(text.c_str(), stdout);
    if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
    return;
  }
  std::string out = "{\"reply\":";
  append_json_string(out, text);
  out += ",\"reply-format\":\"plain\"}\n";
  std::fputs(out.c_str(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  set_program_name(argv[0]);
  reserve_standard_descriptors();
  if (auto r = log_set("console:warn"); !r) die(r.error().message);

  Settings settings;
  std::vector<OptionGroup> groups = options(settings);
  groups.push_back(common_options([&] { return help(groups); }, [] {
    return fmt::format("{} ({}) {}\n", program_name(), package_name, package_version());
  }));
  auto words = parse_options(groups, std::vector<std::string>(argv + 1, argv + argc));
  if (!words) die(words.error().message);
  if (words->empty()) die("at least one non-option argument is required (use --help for help)");
  std::string command = words->front();
  std::vector<std::string> arguments(words->begin() + 1, words->end());

  auto socket = rpc::control_socket_of(settings.target);
  if (!socket) cannot_ask(settings, false, socket.error());
  std::string waiting = fmt::format("{} to answer {}", settings.target, command);
  utilities::set_waiting_for(waiting);
  auto say = [&] { complain(fmt::format("waiting for {}", waiting)); };
  auto answer = rpc::control_call(*socket, command, arguments, {}, {.say = say});
  if (!answer) cannot_ask(settings, true, answer.error());
  if (!answer->ok) {
    std::fputs(answer->text.c_str(), stderr);
    if (!answer->text.empty() && answer->text.back() != '\n') std::fputc('\n', stderr);
    die(fmt::format("{}: server returned an error", settings.target), 2);
  }
  print_reply(settings, answer->text);
  return std::fflush(stdout) == 0 && !std::ferror(stdout) ? 0 : 1;
}
