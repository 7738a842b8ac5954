// The smallest daemon: what runtime and rpc give every daemon, and commands that show it from
// outside.  tests/system/test_daemon.py and test_appctl.py run it.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/options.h"
#include "base/paths.h"
#include "rpc/control.h"
#include "runtime/daemon.h"
#include "runtime/loop.h"

namespace {

using namespace ovs;
using Words = std::span<const std::string>;

// The value of a line of /proc/self/status.
std::string status_field(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  }
  return {};
}

void add_commands(ControlTable& table, runtime::Loop& loop) {
  table.add({.name = "exit", .synopsis = ""}, [&loop](Words, ControlReply reply) {
    reply.ok();
    loop.stop();
  });
  table.add({.name = "crash", .synopsis = ""}, [](Words, ControlReply) { ::raise(SIGABRT); });
  table.add({.name = "describe", .synopsis = ""}, [](Words) -> Result<std::string> {
    std::error_code none;
    return fmt::format("pid {}\nuid {}\ngid {}\ncapabilities {}\ncwd {}\nstdout {}\n", ::getpid(), ::getuid(),
                       ::getgid(), status_field("CapEff"), std::filesystem::current_path().string(),
                       std::filesystem::read_symlink("/proc/self/fd/1", none).string());
  });
  table.add({.name = "echo", .synopsis = "[WORD]..."}, [](Words words) -> Result<std::string> {
    std::string text;
    for (auto& w : words) text += fmt::format("[{}]", w);
    return text;
  });
  table.add({.name = "large", .synopsis = ""},
            [](Words) -> Result<std::string> { return std::string(5'000'000, 'x'); });
  table.add({.name = "never", .synopsis = ""}, [](Words, ControlReply reply) {
    static std::vector<ControlReply> kept;
    kept.push_back(std::move(reply));
  });
}

}  // namespace

int main(int argc, char** argv) {
  set_program_name(argv[0]);
  std::optional<std::string> control_path;
  bool fail = false, crash_early = false, late = false;
  runtime::Daemon daemon;
  OptionGroup own{"Options:", {}};
  own.options.push_back({0, "fail", ArgumentKind::none, "", "end with status 3 before being ready",
                         [&](auto) -> Result<void> { return fail = true, Result<void>(); }});
  own.options.push_back({0, "crash", ArgumentKind::none, "", "crash before being ready",
                         [&](auto) -> Result<void> { return crash_early = true, Result<void>(); }});
  own.options.push_back({0, "late", ArgumentKind::none, "", "be ready when the command \"begin\" comes",
                         [&](auto) -> Result<void> { return late = true, Result<void>(); }});
  std::vector<OptionGroup> groups{own, daemon.options(), rpc::control_options(control_path), log_options()};
  if (auto r = parse_options(groups, std::vector<std::string>(argv + 1, argv + argc)); !r) die(r.error().message);
  if (auto r = daemon.start(); !r) die(r.error().message);

  runtime::Loop loop;
  ControlTable table;
  add_commands(table, loop);
  loop.add_commands(table);
  daemon.add_commands(table);
  auto control = rpc::ControlServer::create(loop, table, control_path);
  if (!control) die(control.error().message);
  if (fail) die("told to fail", 3);
  if (crash_early) ::raise(SIGABRT);
  for (int signal : {SIGTERM, SIGINT}) loop.on_signal(signal, [&loop] { loop.stop(); });
  if (auto r = daemon.drop_privileges(); !r) die(r.error().message);
  table.add({.name = "begin", .synopsis = ""}, [&daemon](Words, ControlReply reply) {
    daemon.ready();
    reply.ok();
  });
  if (!late) daemon.ready();
  loop.run();
  return 0;
}
