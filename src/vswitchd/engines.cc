#include "vswitchd/engines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace ovs::vswitchd {

namespace {

LogModule log{"engines"};

// While there are megaflows the engine's clock must not stand still, though the main loop may have nothing to do.
constexpr std::chrono::milliseconds tick{1000};

// At which the engine is asked for samples that do not wake it up (datapath::Datapath::add_sampler()).
constexpr std::chrono::milliseconds samples_interval{100};

// Collects the answers of several Switches to one command.
struct Answers {
  explicit Answers(ControlReply reply) : reply(std::move(reply)) {}
  ~Answers() {
    // What succeeded somewhere is the answer; a bridge or flow that nobody knows is an error of all.
    if (any_ok)
      reply.ok(std::move(text));
    else
      reply.error(std::move(error));
  }
  ControlReply reply;
  bool any_ok = false;
  std::string text, error;
};

}  // namespace

Engine::Engine(runtime::Loop& loop, std::unique_ptr<datapath::Datapath> datapath)
    : loop_(loop),
      datapath_(std::move(datapath)),
      switch_(*datapath_),
      more_upcalls_(loop, [this] { handle_upcalls(); }),
      revalidate_soon_(loop, [this] { revalidate(); }),
      revalidation_(loop, [this] { revalidate(); }),
      samples_(loop, [this] { handle_upcalls(); }) {
  switch_.add_commands(commands, [this] {
    const datapath::TimePoint now = loop_.now();
    datapath_->set_now(now);
    return now;
  });
  datapath_->set_now(loop_.now());
  hold(false);
}

void Engine::hold(bool on_hold) {
  if (std::exchange(on_hold_, on_hold) == on_hold) return;
  if (on_hold) {
    upcalls_.reset();
  } else if (const int fd = datapath_->upcall_descriptor(); fd >= 0) {
    upcalls_ = std::make_unique<runtime::FdWatch>(loop_, fd, runtime::FdWatch::Interest::read,
                                                  [this] { handle_upcalls(); });
  }
}

Engine::~Engine() = default;

std::string Engine::full_name() const { return fmt::format("{}@{}", datapath_->type(), datapath_->name()); }

// First: the database is told at the end of the round that the switch does what was asked for.
void Engine::kick() { revalidate_soon_.schedule_first(); }

void Engine::handle_upcalls() {
  if (on_hold_) return;
  const datapath::TimePoint now = loop_.now();
  datapath_->set_now(now);
  // A bounded piece of work, then whatever else the loop has to do.
  if (switch_.handle_upcalls(now)) more_upcalls_.schedule();
  revalidate_soon_.schedule();
}

void Engine::drain() {
  if (on_hold_) return;
  const datapath::TimePoint now = loop_.now();
  datapath_->set_now(now);
  while (switch_.handle_upcalls(now)) continue;
  revalidate_soon_.schedule();
}

void Engine::revalidate() {
  const datapath::TimePoint now = loop_.now();
  datapath_->set_now(now);
  datapath::TimePoint next = switch_.revalidate(now);
  if (datapath_->stats().flows) next = std::min(next, now + tick);
  revalidation_.start_at(next);
  if (switch_.samples() && !samples_.running()) samples_.start(samples_interval);
}

Engines::Engines(runtime::Loop& loop, netdev::DummyMode dummies, Make make, ofproto::Switch::DeviceMaker devices)
    : loop_(loop), dummies_(dummies), make_(std::move(make)), devices_(std::move(devices)) {}
Engines::~Engines() = default;

std::vector<std::string> Engines::types() const {
  std::vector<std::string> types{"netdev", "system"};
  if (dummies_ != netdev::DummyMode::off) types.insert(types.begin(), "dummy");
  return types;
}

Result<Engine*> Engines::make(const std::string& type) {
  if (const auto it = engines_.find(type); it != engines_.end()) return it->second.get();
  OVS_TRY(auto datapath, make_(type, "ovs-" + type));
  auto engine = std::make_unique<Engine>(loop_, std::move(datapath));
  engine->bridges().set_device_maker(devices_);
  apply_tuning(*engine);
  log.info("{}: started", engine->full_name());
  return engines_.emplace(type, std::move(engine)).first->second.get();
}

Result<Engine*> Engines::get(const std::string& datapath_type) {
  const std::string type = datapath_type.empty() ? "system" : datapath_type;
  if (const auto known = types(); std::ranges::find(known, type) == known.end())
    return unexpected(fmt::format("datapath type \"{}\" is not known; there are {}", type, join(known, ", ")),
                      EAFNOSUPPORT);
  const bool system_is_dummy = dummies_ == netdev::DummyMode::system || dummies_ == netdev::DummyMode::override_all;
  if (type != "system" || system_is_dummy) return make(type);
  if (!fallback_told_) {
    fallback_told_ = true;
    log.info("this version does not use the kernel's datapath: bridges whose datapath_type is empty or \"system\" are "
             "forwarded in user space, like those with \"netdev\"");
  }
  return make("netdev");
}

void Engines::tune(const Tuning& tuning) {
  if (tuning == tuning_) return;
  tuning_ = tuning;
  each([this](Engine& engine) { apply_tuning(engine); });
}

void Engines::apply_tuning(Engine& engine) const {
  engine.bridges().set_flow_idle_time(tuning_.flow_idle_time);
  engine.bridges().set_vlan_limit(tuning_.vlan_limit);
  engine.datapath().set_flow_limit(tuning_.flow_limit);
  engine.hold(tuning_.on_hold);
  engine.kick();
}

Result<void> Engines::add_commands(ControlTable& table) {
  // Any Switch's commands are every Switch's.
  OVS_TRY(const Engine* any, make("netdev"));
  for (const auto& [name, command] : any->commands.commands())
    table.add(command.info, [this, name = name](std::span<const std::string> arguments, ControlReply reply) {
      route(name, arguments, std::move(reply));
    });
  return {};
}

void Engines::route(const std::string& command, std::span<const std::string> arguments, ControlReply reply) {
  std::vector<Engine*> meant;
  each([&](Engine& engine) {
    const std::string name = engine.full_name();
    if (std::ranges::any_of(arguments, [&](const std::string& word) {
          return word == name || engine.bridge_names.contains(word);
        }))
      meant.push_back(&engine);
  });
  if (meant.empty())
    each([&](Engine& engine) {
      if (!engine.bridge_names.empty()) meant.push_back(&engine);
    });
  if (meant.empty()) meant.push_back(engines_.begin()->second.get());
  if (meant.size() == 1) return meant[0]->commands.run(command, arguments, std::move(reply));

  const auto answers = std::make_shared<Answers>(std::move(reply));
  for (Engine* engine : meant)
    engine->commands.run(command, arguments, ControlReply([answers](bool ok, std::string text) {
                           answers->any_ok |= ok;
                           if (ok)
                             answers->text += text;
                           else if (answers->error.empty())
                             answers->error = std::move(text);
                         }));
}

}  // namespace ovs::vswitchd
