#include "ofproto/switch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "base/uuid.h"
#include "netdev/netdev.h"
#include "ofproto/switch_impl.h"

namespace ovs::ofproto {

using openflow::OfPort;

namespace {

LogModule log{"ofproto"};

std::uint64_t random_secret() {
  const Uuid random = Uuid::random();
  std::uint64_t secret;
  std::memcpy(&secret, random.bytes.data(), sizeof secret);
  return secret;
}

// In a dummy datapath a port whose name has a number in it gets that number, a bridge's own port a hundred
// more: tests of the field count on it.
std::optional<datapath::DpPort> number_in(std::string_view name) {
  const std::size_t begin = name.find_first_of("0123456789");
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = std::min(name.find_first_not_of("0123456789", begin), name.size());
  const auto number = parse_integer(name.substr(begin, end - begin));
  if (!number || *number > raw(openflow::max_port)) return std::nullopt;
  const std::int64_t wanted = *number + (name.starts_with("br") ? 100 : 0);
  if (wanted < 1 || wanted > raw(openflow::max_port)) return std::nullopt;
  return datapath::DpPort{static_cast<std::uint32_t>(wanted)};
}

bool is_patch(const netdev::Netdev& device) { return device.type() == "patch"; }

}  // namespace

Switch::Switch(datapath::Datapath& engine) : impl_(std::make_unique<Impl>(engine, random_secret())) {}

Switch::~Switch() {
  for (const auto& [name, port] : impl_->extra_ports) (void)impl_->engine.remove_port(port);
}

Bridge& Switch::Impl::bridge(BridgeId id) {
  Bridge* bridge = topology.bridge(id);
  OVS_CHECK(bridge != nullptr, "no such bridge");
  return *bridge;
}

Port& Switch::Impl::port(BridgeId id, OfPort number) {
  Port* port = bridge(id).port(number);
  OVS_CHECK(port != nullptr, "no such port");
  return *port;
}

// ---- bridges

void Switch::Impl::set_rules(Bridge& bridge, bool force) {
  const bool is_normal = bridge.config.fail_mode != FailMode::secure;
  if (!force && is_normal == (bridge.table.size() > 0)) return;
  bridge.table.clear();
  if (is_normal) bridge.table.add(0, flow::Match{}, {openflow::Output{openflow::port_normal}}, now);
  bridge_changed(bridge.id);
}

BridgeId Switch::add_bridge(const std::string& name, const BridgeConfig& config) {
  if (impl_->clock) impl_->now = impl_->clock();
  Bridge& bridge = impl_->topology.add_bridge(name);
  bridge.config = config;
  impl_->set_sampler(bridge);
  bridge.macs.set_aging(config.mac_aging_time);
  bridge.macs.set_size(config.mac_table_size);
  impl_->set_rules(bridge, true);
  return bridge.id;
}

void Switch::configure_bridge(BridgeId id, const BridgeConfig& config) {
  Bridge& bridge = impl_->bridge(id);
  const BridgeConfig before = std::exchange(bridge.config, config);
  if (before == config) return;
  bridge.macs.set_aging(config.mac_aging_time);
  bridge.macs.set_size(config.mac_table_size);
  if (before.flood_vlans != config.flood_vlans) bridge.macs.flush();
  impl_->macs_changed(bridge);
  impl_->set_rules(bridge, false);
  impl_->set_sampler(bridge);
  if (bridge.sampler && before.sflow && config.sflow && before.sflow->one_in != config.sflow->one_in) {
    impl_->engine.settle_sampler(*bridge.sampler);
  }
  if (before.flood_vlans != config.flood_vlans || before.forward_bpdu != config.forward_bpdu ||
      before.sflow != config.sflow)
    impl_->bridge_changed(id);
}

void Switch::remove_bridge(BridgeId id) {
  Bridge& bridge = impl_->bridge(id);
  while (!bridge.ports.empty()) remove_port(id, bridge.ports.begin()->first);
  impl_->bridge_changed(id);
  impl_->static_macs.erase(id);
  bridge.config.sflow.reset();
  impl_->set_sampler(bridge);
  impl_->topology.remove_bridge(id);
}

// ---- sFlow

void Switch::Impl::set_sampler(Bridge& bridge) {
  const bool wanted = bridge.config.sflow.has_value();
  if (wanted == bridge.sampler.has_value()) return;
  if (!wanted) {
    engine.remove_sampler(*bridge.sampler);
    bridge.sampler.reset();
    samplers--;
  } else if (auto sampler = engine.add_sampler()) {
    bridge.sampler = *sampler;
    bridge.sampling_period = ++sampling_periods;
    bridge.vlan_traffic.clear();
    samplers++;
  } else {
    log.warn("{}: no sFlow: {}", bridge.name, sampler.error().message);
  }
}

void Switch::set_sample_handler(SampleHandler handler) { impl_->sample_handler = std::move(handler); }

bool Switch::samples() const { return impl_->samplers > 0; }

datapath::SamplerStats Switch::sample_statistics(BridgeId id) const {
  const Bridge& bridge = impl_->bridge(id);
  return bridge.sampler ? impl_->engine.sampler_stats(*bridge.sampler) : datapath::SamplerStats{};
}

const std::map<std::uint16_t, VlanTraffic>& Switch::vlan_traffic(BridgeId id) const {
  return impl_->bridge(id).vlan_traffic;
}

// ---- ports

Result<datapath::DpPort> Switch::Impl::plug_in(netdev::Netdev& device) {
  if (engine.type() == "dummy") {
    if (const auto wanted = number_in(device.name()); wanted && !quarantine.contains(*wanted)) {
      auto added = engine.add_port(device, wanted);
      if (added || added.error().code != EBUSY) return added;
    }
  }
  if (quarantine.empty()) return engine.add_port(device, std::nullopt);
  for (std::uint32_t number = 1;; number++) {
    const datapath::DpPort wanted{number};
    if (quarantine.contains(wanted) || topology.port(wanted) != nullptr) continue;
    auto added = engine.add_port(device, wanted);
    if (added || added.error().code != EBUSY) return added;
  }
}

Result<OfPort> Switch::add_port(BridgeId id, netdev::Netdev& device, std::optional<OfPort> wanted) {
  Bridge& bridge = impl_->bridge(id);
  const std::string& name = device.name();
  if (const Port* other = impl_->topology.port(name)) {
    return unexpected("device " + name + " is already a port of bridge " + other->bridge->name, EEXIST);
  }
  std::optional<OfPort> number;
  if (name == bridge.name) {
    number = openflow::port_local;
  } else if (wanted && raw(*wanted) >= 1 && raw(*wanted) <= raw(openflow::max_port) &&
             bridge.port(*wanted) == nullptr) {
    number = wanted;
  } else {
    number = bridge.free_number();
  }
  if (!number) return unexpected("bridge " + bridge.name + " has no OpenFlow port number left", ENOSPC);

  datapath::DpPort datapath_port = datapath::no_port;
  if (!is_patch(device)) {
    OVS_TRY(datapath_port, impl_->plug_in(device));
  }
  impl_->topology.add_port(bridge, *number, datapath_port, name, &device).ifindex = device.state().ifindex;
  impl_->bridge_changed(id);
  return *number;
}

void Switch::remove_port(BridgeId id, OfPort number) {
  Port& port = impl_->port(id, number);
  impl_->bridge_changed(id);
  if (port.peer != nullptr) impl_->bridge_changed(port.peer->bridge->id);
  if (!port.is_patch()) {
    if (auto removed = impl_->engine.remove_port(port.datapath_port); !removed)
      log.warn("{}: {}", port.name, removed.error().message);
    impl_->quarantine.insert(port.datapath_port);
  }
  impl_->topology.remove_port(port);
}

void Switch::port_changed(BridgeId id, OfPort number) {
  Port& port = impl_->port(id, number);
  if (!port.is_patch()) impl_->engine.port_changed(port.datapath_port);
  // Samples name it.
  const unsigned ifindex = port.device->state().ifindex;
  if (std::exchange(port.ifindex, ifindex) != ifindex && impl_->samplers > 0) impl_->bridge_changed(id);
}

void Switch::set_patch_peer(BridgeId id, OfPort number, const std::string& peer) {
  Port& port = impl_->port(id, number);
  if (port.peer_name == peer) return;
  for (const BridgeId changed : impl_->topology.set_patch_peer(port, peer)) impl_->bridge_changed(changed);
}

// ---- bundles

BundleId Switch::add_bundle(BridgeId id, const BundleConfig& config) {
  const Bundle& bundle = impl_->topology.add_bundle(impl_->bridge(id), config);
  impl_->bridge_changed(id);
  return bundle.id;
}

void Switch::configure_bundle(BridgeId id, BundleId which, const BundleConfig& config) {
  Bridge& bridge = impl_->bridge(id);
  const auto bundle = bridge.bundles.find(which);
  OVS_CHECK(bundle != bridge.bundles.end(), config.name);
  BundleConfig before = bundle->second.config;
  if (before == config) return;
  impl_->topology.configure_bundle(bridge, bundle->second, config);
  before.is_protected = config.is_protected;
  // Who is behind a bond stays there, whichever member carries.
  before.members = config.members;
  before.active = config.active;
  if (before != config) {
    // Its addresses were learned in VLANs that it may no longer be in.
    bridge.macs.forget_learned(mac_port(which));
    impl_->macs_changed(bridge);
  }
  impl_->bridge_changed(id);
}

void Switch::remove_bundle(BridgeId id, BundleId which) {
  Bridge& bridge = impl_->bridge(id);
  bridge.macs.forget_port(mac_port(which));
  impl_->macs_changed(bridge);
  impl_->topology.remove_bundle(bridge, which);
  impl_->bridge_changed(id);
}

void Switch::set_static_macs(BridgeId id, std::vector<StaticMac> macs) {
  Bridge& bridge = impl_->bridge(id);
  std::vector<StaticMac>& present = impl_->static_macs[id];
  for (const StaticMac& old : present)
    if (std::find(macs.begin(), macs.end(), old) == macs.end()) bridge.macs.remove_static({old.vlan, old.mac});
  for (const StaticMac& mac : macs) {
    const Port* port = bridge.port(mac.port);
    if (port != nullptr && port->bundle != no_bundle)
      bridge.macs.add_static({mac.vlan, mac.mac}, mac_port(port->bundle), impl_->now);
  }
  present = std::move(macs);
  impl_->macs_changed(bridge);
}

// ---- the whole switch

void Switch::set_flow_idle_time(std::chrono::milliseconds idle) { impl_->max_idle = idle; }

void Switch::set_vlan_limit(unsigned tags) {
  const unsigned limit = tags == 0 ? flow::max_vlan_tags : std::min<unsigned>(tags, flow::max_vlan_tags);
  if (std::exchange(impl_->topology.vlan_limit, limit) == limit) return;
  for (const auto& [name, bridge] : impl_->topology.bridges()) impl_->bridge_changed(bridge->id);
}

void Switch::set_device_maker(DeviceMaker maker) { impl_->device_maker = std::move(maker); }

Switch::PortStatistics Switch::patch_statistics(BridgeId id, OfPort number) const {
  const Port& port = impl_->port(id, number);
  return {port.rx_packets, port.rx_bytes, port.tx_packets, port.tx_bytes};
}

void Switch::add_commands(ControlTable& table, std::function<TimePoint()> now) {
  impl_->clock = std::move(now);
  impl_->add_fdb_commands(table);
  impl_->add_flow_commands(table);
  impl_->add_trace_command(table);
}

}  // namespace ovs::ofproto
