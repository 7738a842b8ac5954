// Engines: the forwarding engines of this process, one for each type of datapath in use, each with the
// Switch whose bridges share it.
//
// An engine is made when the first bridge asks for its type, and kept.  What runs them hangs on the
// event loop: upcalls are handled when the engine's descriptor is readable, revalidation when
// the Switch says that it is due.
//
// Types.  "netdev" asks for the user-space engine.  "" and "system" ask for the best one that the host
// has, which is the user-space engine too until there is another one; the log says so once.  With
// --enable-dummy there is "dummy", the same engine for tests; --enable-dummy=system and =override give
// "system" an engine of its own as well, so that tests may tell them apart.
//
// Control commands.  Every Switch has the same ones.  Engines serves each of them once and hands it to the Switch
// that is meant: by a bridge's name, by TYPE@NAME, or else to all of those that have bridges.
//
// Thread safety: the loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/command.h"
#include "base/result.h"
#include "datapath/datapath.h"
#include "netdev/registry.h"
#include "ofproto/switch.h"
#include "runtime/loop.h"

namespace ovs::vswitchd {

class Engine {
 public:
  Engine(runtime::Loop& loop, std::unique_ptr<datapath::Datapath> datapath);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  datapath::Datapath& datapath() { return *datapath_; }
  const datapath::Datapath& datapath() const { return *datapath_; }
  ofproto::Switch& bridges() { return switch_; }
  std::string full_name() const;  // "netdev@ovs-netdev"

  // The configuration has changed: what depends on it is revalidated soon.
  void kick();
  // Handles all upcalls that wait now, unless the engine is on hold.
  void drain();
  void hold(bool on_hold);

  std::set<std::string, std::less<>> bridge_names;  // kept by the reconciler
  ControlTable commands;                            // of the Switch

 private:
  void handle_upcalls();
  void revalidate();

  runtime::Loop& loop_;
  std::unique_ptr<datapath::Datapath> datapath_;
  ofproto::Switch switch_;
  runtime::RoundHook more_upcalls_, revalidate_soon_;
  runtime::Timer revalidation_, samples_;
  std::unique_ptr<runtime::FdWatch> upcalls_;  // null: the engine has no descriptor, or is on hold
  bool on_hold_ = true;
};

class Engines {
 public:
  // Makes an engine: "netdev", "ovs-netdev".
  using Make = std::function<Result<std::unique_ptr<datapath::Datapath>>(std::string_view type, std::string_view name)>;
  // `devices` makes those that dpctl/add-if adds.
  Engines(runtime::Loop& loop, netdev::DummyMode dummies, Make make, ofproto::Switch::DeviceMaker devices);
  ~Engines();

  // The engine for a value of Bridge.datapath_type; an error names the types that there are.
  Result<Engine*> get(const std::string& datapath_type);
  std::vector<std::string> types() const;  // for Open_vSwitch.datapath_types; sorted

  // For all engines, those that come later too.
  struct Tuning {
    std::chrono::milliseconds flow_idle_time{10'000};
    std::size_t flow_limit = 200'000;
    unsigned vlan_limit = 1;  // 0: as many tags as there can be
    bool on_hold = false;     // packets that no megaflow matches wait, as far as there is room for them
    friend bool operator==(const Tuning&, const Tuning&) = default;
  };
  void tune(const Tuning& tuning);

  template <class F>
  void each(F&& visit) {
    for (auto& [type, engine] : engines_) visit(*engine);
  }

  // The commands of the Switches.
  Result<void> add_commands(ControlTable& table);

 private:
  Result<Engine*> make(const std::string& type);
  void apply_tuning(Engine& engine) const;
  void route(const std::string& command, std::span<const std::string> arguments, ControlReply reply);

  runtime::Loop& loop_;
  const netdev::DummyMode dummies_;
  const Make make_;
  const ofproto::Switch::DeviceMaker devices_;
  bool fallback_told_ = false;
  Tuning tuning_;
  std::map<std::string, std::unique_ptr<Engine>, std::less<>> engines_;
};

}  // namespace ovs::vswitchd
