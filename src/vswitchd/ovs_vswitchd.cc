// ovs-vswitchd: the switch daemon.

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/coverage.h"
#include "base/log.h"
#include "base/log_end.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/print.h"
#include "datapath/user_engine.h"
#include "netdev/afxdp_kind.h"
#include "rpc/control.h"
#include "rpc/session.h"
#include "runtime/daemon.h"
#include "runtime/loop.h"
#include "runtime/place.h"
#include "runtime/tls_options.h"
#include "vswitchd/vswitchd.h"

namespace ovs::vswitchd {

namespace {

LogModule log{"vswitchd"};

struct Arguments {
  std::string database;
  std::optional<std::string> control_path;
  netdev::DummyMode dummies = netdev::DummyMode::off;
  bool lock_memory = false;
  std::vector<std::string> ignored;
  runtime::TlsSettings tls;
  bool check = false;
  std::optional<std::string> log_file;
};

OptionGroup switch_options(Arguments& arguments) {
  return {"Switch options:",
          {{0, "enable-dummy", ArgumentKind::optional, "WHAT",
            "devices without a kernel, for tests: of type dummy, or in place of those of type \"system\" too "
            "(system), or of all types (override)",
            [&arguments](std::optional<std::string_view> value) -> Result<void> {
              if (!value)
                arguments.dummies = netdev::DummyMode::on;
              else if (*value == "system")
                arguments.dummies = netdev::DummyMode::system;
              else if (*value == "override")
                arguments.dummies = netdev::DummyMode::override_all;
              else
                return unexpected(fmt::format("--enable-dummy={}: only \"system\" and \"override\" are known", *value));
              return {};
            }},
           {0, "mlockall", ArgumentKind::none, "", "keep all memory of the process in RAM",
            [&arguments](std::optional<std::string_view>) -> Result<void> {
              arguments.lock_memory = true;
              return {};
            }},
           // Boot scripts give it: there is no other setting in this program.
           {0, "disable-system", ArgumentKind::none, "", "accepted and not used: the kernel's datapath is never used",
            [&arguments](std::optional<std::string_view>) -> Result<void> {
              arguments.ignored.emplace_back("--disable-system has no effect: the kernel's datapath is never used");
              return {};
            }},
           {0, "check", ArgumentKind::none, "", "say what is wrong with the command line and its files, and end",
            [&arguments](std::optional<std::string_view>) -> Result<void> {
              arguments.check = true;
              return {};
            }}}};
}

// What is wrong with the names of the database, and with the keys and certificates for it.
Result<void> check_database(const Arguments& arguments) {
  OVS_TRY(const auto remotes, rpc::Session::check_remotes(arguments.database));
  if (std::ranges::none_of(remotes, runtime::wants_tls)) return {};
  runtime::Loop loop;
  runtime::use_tls(loop, arguments.tls);
  OVS_TRY_DO(runtime::check_tls(loop));
  const std::string& ca = arguments.tls.ca_cert;
  std::error_code error;
  if (!arguments.tls.bootstrap || ca == "none" || std::filesystem::exists(ca, error) || error) return {};
  // The switch starts, and goes on trying in vain.
  if (auto place = runtime::check_place(ca); !place) {
    std::fprintf(stderr, "%s: warning: --bootstrap-ca-cert=%s: %s\n", program_name().c_str(), ca.c_str(),
                 place.error().message.c_str());
  }
  return {};
}

// --check; the exit status.
int check(const Arguments& arguments, runtime::Daemon& daemon) {
  // Its service makes these, and gives them to the user.
  const runtime::Directories prepared{rundir(), logdir()};
  const Result<void> pidfile = daemon.check_pidfile(prepared);
  // What the switch itself cannot read it cannot use.
  if (auto is_user = daemon.become_user(); !is_user) die(is_user.error().message);
  int status = EXIT_SUCCESS;
  for (const Result<void>& found :
       {pidfile, check_database(arguments), rpc::ControlServer::check_place(arguments.control_path, prepared)}) {
    if (found) continue;
    std::fprintf(stderr, "%s: %s\n", program_name().c_str(), found.error().message.c_str());
    status = EXIT_FAILURE;
  }
  return status;
}

void lock_memory() {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) log.err("--mlockall: {}", std::strerror(errno));
}

Result<std::unique_ptr<datapath::Datapath>> make_engine(std::string_view type, std::string_view name) {
  datapath::UserEngineOptions options;
  options.type = type;
  options.name = name;
  // Dummies are fed by control commands, which the main thread does.
  if (type == "dummy") options.threads = 0;
  return std::make_unique<datapath::UserEngine>(std::move(options));
}

int run(int argc, char** argv) {
  set_program_name(argv[0]);
  reserve_standard_descriptors();
  Arguments arguments;
  runtime::Daemon daemon;
  std::vector<OptionGroup> groups;
  groups.push_back(switch_options(arguments));
  groups.push_back(rpc::control_options(arguments.control_path));
  groups.push_back(daemon.options());
  groups.push_back(runtime::tls_options(arguments.tls));
  groups.push_back(log_options(&arguments.log_file));
  const std::string default_database = "unix:" + path_below(rundir(), "db.sock");
  const auto help = [&] {
    return fmt::format("{}: Open vSwitch daemon\nusage: {} [OPTIONS] [DATABASE]\n"
                       "where DATABASE is where ovsdb-server listens (default: {}).\n\n{}",
                       program_name(), program_name(), default_database, options_help(groups));
  };
  const auto version = [] {
    return fmt::format("{} ({}) {}\n", program_name(), package_name, package_version());
  };
  groups.push_back(common_options(help, version));
  auto words = parse_options(groups, std::vector<std::string>(argv + 1, argv + argc), false, true);
  if (!words) die(words.error().message);
  if (words->size() > 1) die("at most one DATABASE may be given; use --help for usage");
  arguments.database = words->empty() ? default_database : words->front();
  if (auto good = runtime::check_tls_settings(arguments.tls, arguments.database); !good) die(good.error().message);

  // To make and change devices, and to receive and send frames of any kind.
  if (netdev::has_afxdp())
    daemon.keep_capabilities({"net_admin", "net_raw", "net_broadcast", "ipc_lock", "bpf"});
  else
    daemon.keep_capabilities({"net_admin", "net_raw", "net_broadcast", "ipc_lock"});
  if (arguments.check) return check(arguments, daemon);
  if (arguments.log_file) (void)log_open_file(*arguments.log_file);
  if (auto started = daemon.start(); !started) die(started.error().message);
  if (arguments.lock_memory) lock_memory();
  if (auto dropped = daemon.drop_privileges(); !dropped) die(dropped.error().message);
  log_enable_syslog(program_name());
  signal(SIGPIPE, SIG_IGN);
  runtime::raise_file_limit();

  runtime::Loop loop;
  runtime::use_tls(loop, arguments.tls, runtime::TlsUser::daemon);
  log.info("{} ({}) {}", program_name(), package_name, package_version());
  for (const std::string& text : arguments.ignored) log.info("{}", text);
  // Whoever started this program waits for it, and sees no log.
  const Vswitchd* started = nullptr;
  runtime::Timer waiting(loop, [&] {
    const bool connected = started->client().is_connected();
    const std::string reason = connected ? std::string() : started->client().session().last_reason();
    complain(fmt::format("waiting for {} at {}{}", connected ? "the database Open_vSwitch" : "ovsdb-server",
                         arguments.database, reason.empty() ? "" : " (the last attempt: " + reason + ")"));
  });
  if (daemon.detached()) waiting.start(std::chrono::seconds(2));
  auto created = Vswitchd::create(
      loop, {.database = arguments.database, .dummies = arguments.dummies, .owner = rundir(), .make_engine = make_engine},
      [&] {
        waiting.cancel();
        daemon.ready();
      });
  if (!created) die(created.error().message);
  const std::unique_ptr<Vswitchd> vswitchd = *std::move(created);
  started = vswitchd.get();

  ControlTable commands;
  if (auto added = vswitchd->add_commands(commands); !added) die(added.error().message);
  loop.add_commands(commands);
  daemon.add_commands(commands);
  bool cleanup = false;
  std::unique_ptr<ControlReply> exit_reply;
  commands.add({"exit", "[--cleanup]", "end; with --cleanup, remove the bridges' devices from the system too", "",
                Access::read_write},
               [&](std::span<const std::string> option, ControlReply reply) {
                 if (!option.empty() && option[0] != "--cleanup") return reply.error("exit takes only --cleanup");
                 cleanup |= !option.empty();
                 exit_reply = std::make_unique<ControlReply>(std::move(reply));
                 loop.stop();
               });
  auto control = rpc::ControlServer::create(loop, commands, arguments.control_path);
  if (!control) die(control.error().message);

  loop.on_signal(SIGTERM, [&] { loop.stop(); });
  loop.on_signal(SIGINT, [&] { loop.stop(); });
  loop.on_signal(SIGHUP, [] { (void)log_reopen_file().has_value(); });
  runtime::Timer coverage(loop, [&] {
    coverage_tick();
    coverage.start(std::chrono::seconds(5));
  });
  coverage.start(std::chrono::seconds(5));

  loop.run();
  vswitchd->end(cleanup);
  // Only now, so that who asked finds the devices gone.
  if (exit_reply) exit_reply->ok();
  loop.run_until([&] { return (*control)->idle(); }, std::chrono::seconds(5));
  log_held_back();
  log.info("ending");
  return 0;
}

}  // namespace

}  // namespace ovs::vswitchd

int main(int argc, char** argv) { return ovs::vswitchd::run(argc, argv); }
