#include "vswitchd/sflow.h"

#include "base/check.h"

namespace ovs::vswitchd {

namespace {

using telemetry::PollSchedule;

// The source of what is about the bridge as a whole; ports have their numbers.
constexpr PollSchedule::Id bridge_source = 0xffffffff;
// That of what is about VLAN 0; those of the others follow.
constexpr PollSchedule::Id first_vlan_source = 0xfffe0000;
constexpr PollSchedule::Id vlan_sources = 4096;

}  // namespace

SflowExports::SflowExports(runtime::Loop& loop, std::function<void(BridgeState&)> changed)
    : loop_(loop), changed_(std::move(changed)) {}

void SflowExports::configure(BridgeState& bridge, const std::optional<telemetry::SflowConfig>& config) {
  if (!config) return stop(bridge);
  configuring_ = true;
  if (!bridge.sflow) start(bridge);
  bridge.sflow->configure(*config);
  configuring_ = false;
}

void SflowExports::start(BridgeState& bridge) {
  std::uint32_t number = 0;
  while (numbers_.contains(number)) number++;
  numbers_.insert(number);
  bridge.sflow_number = number;

  telemetry::Sflow::Hooks hooks;
  hooks.counters = [this, &bridge](PollSchedule::Id source) { return counters(bridge, source); };
  hooks.drops = [&bridge] { return bridge.engine->bridges().sample_statistics(*bridge.number).lost; };
  hooks.changed = [this, &bridge] {
    if (!configuring_) changed_(bridge);
  };
  bridge.sflow = std::make_unique<telemetry::Sflow>(loop_, bridge.name, number, std::move(hooks));
  bridge.sflow->add_source(bridge_source);
  for (const auto& [port, interface] : bridge.by_number) bridge.sflow->add_source(port);

  const Engine* engine = bridge.engine;
  bridges_.emplace(std::pair(engine, *bridge.number), &bridge);
  bridge.engine->bridges().set_sample_handler(
      [this, engine](ofproto::BridgeId id, const telemetry::SampledPacket& packet) {
        const auto found = bridges_.find({engine, id});
        if (found != bridges_.end()) found->second->sflow->add_sample(packet);
      });
}

void SflowExports::stop(BridgeState& bridge) {
  if (!bridge.sflow) return;
  bridge.sflow.reset();
  numbers_.erase(bridge.sflow_number);
  bridges_.erase({bridge.engine, *bridge.number});
}

std::optional<ofproto::SflowSampling> SflowExports::sampling(const BridgeState& bridge) {
  if (!bridge.sflow) return {};
  const telemetry::SflowConfig& config = bridge.sflow->config();
  return ofproto::SflowSampling{bridge.sflow->active() ? config.sampling : 0,
                                static_cast<std::uint32_t>(config.header_bytes)};
}

void SflowExports::add(const InterfaceState& interface) {
  if (auto& sflow = interface.port->bridge->sflow) sflow->add_source(raw(*interface.number));
}

void SflowExports::remove(const InterfaceState& interface) {
  if (auto& sflow = interface.port->bridge->sflow) sflow->remove_source(raw(*interface.number));
}

std::optional<SflowExports::Report> SflowExports::counters(const BridgeState& bridge, PollSchedule::Id source) {
  const auto& vlans = bridge.engine->bridges().vlan_traffic(*bridge.number);
  if (source == bridge_source) {
    // VLANs are reported as soon as somebody uses them.
    for (const auto& [vlan, traffic] : vlans) bridge.sflow->add_source(first_vlan_source + vlan);
    load_.observe(loop_.now());
    return Report{bridge.sflow->source(), {load_.report(loop_.now()), process_resources(),
                                           look_up_counters(bridge.engine->datapath().stats())}};
  }
  if (source >= first_vlan_source && source - first_vlan_source < vlan_sources) {
    const auto vlan = vlans.find(static_cast<std::uint16_t>(source - first_vlan_source));
    if (vlan == vlans.end()) return {};
    return Report{{telemetry::sflow::Source::vlan, vlan->first}, {vlan_counters(vlan->first, vlan->second)}};
  }
  const auto found = bridge.by_number.find(source);
  if (found == bridge.by_number.end()) return {};
  const InterfaceState& interface = *found->second;
  const netdev::State state = interface.device->state();
  if (state.ifindex == 0) return {};
  const netdev::Statistics statistics = interface.device->statistics().value_or(netdev::Statistics{});
  return Report{{telemetry::sflow::Source::interface, state.ifindex},
                port_counters({state, statistics, interface.name, bridge.config.datapath_id, *interface.number})};
}

}  // namespace ovs::vswitchd
