// The part of the reconciler that has to do with devices: making them, plugging them into bridges, and what
// follows from their addresses and sizes.

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/log.h"
#include "flow/address.h"
#include "vswitchd/reconciler.h"

namespace ovs::vswitchd {

namespace {

LogModule log{"bridge"};

using dbclient::ReplicaRow;
using openflow::OfPort;

void count_down(auto& counts, const auto& key) {
  const auto it = counts.find(key);
  OVS_CHECK(it != counts.end(), "a value that was counted");
  if (--it->second == 0) counts.erase(it);
}

std::string could_not_open(const std::string& name, const std::string& why) {
  return fmt::format("could not open network device {} ({})", name, why);
}

// The type that the registry is asked for.
std::string device_type(const InterfaceState& interface) {
  const std::string type = interface.is_internal() ? "internal" : interface.type.empty() ? "system" : interface.type;
  const Engine* engine = interface.port->bridge->engine;
  // A datapath of dummies has no business in the kernel.
  if (type == "internal" && engine && engine->datapath().type() == "dummy") return "dummy-internal";
  return type;
}

bool is_of_kernel(std::string_view type) {
  return type == "system" || type == "internal" || type == "tap" || type.starts_with("afxdp");
}

}  // namespace

void Reconciler::open_device(InterfaceState& interface) {
  if (interface.device) return;
  const std::string type = device_type(interface);
  auto made = registry_.create(interface.name, type, interface.options);
  if (!made) {
    std::string why = made.error().message;
    if (is_of_kernel(type))
      if (const std::string bad_name = device_name_error(interface.name); !bad_name.empty()) why = bad_name;
    // The registry's messages may begin with the device, or be whole already.
    const std::string head = interface.name + ": ";
    if (why.starts_with(head)) why.erase(0, head.size());
    const bool whole = why.starts_with("could not open network device");
    interface.error = whole ? why : could_not_open(interface.name, why);
    missing_.insert(&interface);
    return;
  }
  interface.device = *std::move(made);
  missing_.erase(&interface);
}

void Reconciler::close_device(InterfaceState& interface, bool destroy) {
  if (!interface.device) return;
  if (destroy) interface.device->destroy();
  interface.device.reset();
}

void Reconciler::attach_all(std::vector<InterfaceState*>& interfaces) {
  // Those that ask for a number get theirs before others could take it; the order is the same in every run.
  const auto rank = [](const InterfaceState* i) {
    return std::tuple(!i->is_local(), !i->ofport_request, !i->last_number, std::string_view(i->name));
  };
  std::ranges::sort(interfaces, {}, rank);
  interfaces.erase(std::unique(interfaces.begin(), interfaces.end()), interfaces.end());
  for (InterfaceState* interface : interfaces) attach(*interface);
}

void Reconciler::attach(InterfaceState& interface) {
  PortState& port = *interface.port;
  BridgeState& bridge = *port.bridge;
  const std::string told = interface.error;
  if (interface.number) return;
  reporter_.touch(interface);
  if (!bridge.number) {
    interface.error = bridge.error;
    return;
  }

  interface.error.clear();
  open_device(interface);
  if (is_settling(interface)) return;  // device_changed() goes on
  if (interface.device)
    if (const std::string why = obstacle(*interface.device); !why.empty())
      interface.error = could_not_open(interface.name, why);
  if (interface.error.empty()) {
    std::optional<OfPort> wanted = interface.last_number;
    if (interface.ofport_request) {
      wanted = OfPort(static_cast<std::uint32_t>(*interface.ofport_request));
      // Whoever has that number by chance gets another one.
      const auto it = bridge.by_number.find(raw(*wanted));
      InterfaceState* holder = it == bridge.by_number.end() ? nullptr : it->second;
      if (number_refused(interface)) {
        wanted = interface.last_number;
      } else if (holder) {
        detach(*holder);
        holder->last_number.reset();
        settle_number(interface, wanted);
        attach(*holder);
        configure_port(*holder->port);
        wanted.reset();
      }
    }
    if (!interface.number && interface.error.empty()) settle_number(interface, wanted);
  }
  if (!interface.number) {
    if (interface.error != told) log.warn("bridge {}: {}", bridge.name, interface.error);
    return;
  }
  if (interface.is_internal()) bridge.internals.insert(&interface);
  apply_settings(interface);
  count_mac(port);
  count_mtu(interface);
  set_patch_peer(interface);
  peers_changed(interface);
  unsettled_.insert(&bridge);
}

// Who keeps the number that an interface asks for, because it has asked for it, too, and earlier; the log says so.
const InterfaceState* Reconciler::number_refused(const InterfaceState& interface) const {
  const BridgeState& bridge = *interface.port->bridge;
  const auto it = bridge.by_number.find(static_cast<std::uint32_t>(*interface.ofport_request));
  const InterfaceState* holder = it == bridge.by_number.end() ? nullptr : it->second;
  if (!holder || holder == &interface || holder->ofport_request != interface.ofport_request) return nullptr;
  log.warn("bridge {}: interface {} cannot have port {}: {} has asked for it, too, and has it", bridge.name,
           interface.name, *interface.ofport_request, holder->name);
  return holder;
}

void Reconciler::settle_number(InterfaceState& interface, std::optional<OfPort> wanted) {
  BridgeState& bridge = *interface.port->bridge;
  auto number = bridge.engine->bridges().add_port(*bridge.number, *interface.device, wanted);
  if (!number) {
    interface.error = fmt::format("could not add network device {} to bridge {} ({})", interface.name, bridge.name,
                                  number.error().message);
    return;
  }
  interface.number = interface.last_number = *number;
  bridge.by_number[raw(*number)] = &interface;
  SflowExports::add(interface);
  log.info("bridge {}: added interface {} on port {}", bridge.name, interface.name, database_port(*number));
}

void Reconciler::detach(InterfaceState& interface) {
  if (!interface.number) return;
  PortState& port = *interface.port;
  BridgeState& bridge = *port.bridge;
  if (bridge.number) {
    ofproto::Switch& bridges = bridge.engine->bridges();
    if (port.bundle && std::ranges::find(port.config.members, *interface.number) != port.config.members.end()) {
      bridges.remove_bundle(*bridge.number, *port.bundle);
      port.bundle.reset();
    }
    bridges.remove_port(*bridge.number, *interface.number);
    log.info("bridge {}: deleted interface {} on port {}", bridge.name, interface.name,
             database_port(*interface.number));
  } else {
    port.bundle.reset();  // the Switch has removed the whole bridge
  }
  bridge.by_number.erase(raw(*interface.number));
  SflowExports::remove(interface);
  interface.number.reset();
  if (port.active == &interface) port.active = nullptr;
  interface.trouble.clear();
  interface.stopped.clear();
  bridge.internals.erase(&interface);
  count_mac(port);
  count_mtu(interface);
  peers_changed(interface);
  unsettled_.insert(&bridge);
  reporter_.touch(interface);
}

// That a port has stopped working, for which reason, and that it works again.
void Reconciler::log_stop(InterfaceState& interface) const {
  static RateLimit stopped, works;
  if (is_settling(interface)) return;
  std::string why = obstacle(*interface.device);
  if (why == interface.stopped) return;
  const std::string& bridge = interface.port->bridge->name;
  if (why.empty())
    log.limited(works, LogLevel::info, "bridge {}: network device {} works again", bridge, interface.name);
  else
    log.limited(stopped, LogLevel::warn, "bridge {}: {}", bridge, stopped_text(interface.name, why));
  interface.stopped = std::move(why);
}

// MTU and address as the row asks for them.
void Reconciler::apply_settings(InterfaceState& interface) {
  const ReplicaRow* found = replica_.table(interface_table).find(interface.id);
  if (!found || !interface.number || !interface.device) return;
  const InterfaceRow row(*found);
  netdev::Netdev& device = *interface.device;
  const netdev::State state = device.state();
  Complaints troubles;

  if (const auto mtu = row.get<"mtu_request">();
      mtu && state.mtu != 0 && static_cast<std::int64_t>(state.mtu) != *mtu && is_present(device)) {
    constexpr std::int64_t largest = 65535;
    const auto set = *mtu > largest ? unexpected(fmt::format("at most {} is possible", largest))
                                    : device.set_mtu(static_cast<unsigned>(*mtu));
    if (!set)
      troubles.push_back(fmt::format("MTU {} could not be set ({})", *mtu, set.error().message));
    else
      count_mtu(interface);
  }
  if (const auto text = row.get<"mac">()) {
    const auto mac = flow::parse_eth(*text);
    if (!mac || is_multicast(*mac))
      troubles.push_back(fmt::format("mac {} is not the address of a device", *text));
    else if (interface.is_local())
      troubles.push_back("the address of a bridge's own port is set by Bridge other_config:hwaddr, not by mac");
    else if (interface.is_internal() && *mac != state.mac) {
      if (auto set = device.set_mac(*mac); !set)
        troubles.push_back(fmt::format("address {} could not be set ({})", *text, set.error().message));
    }
  }
  if (row.get<"ingress_policing_rate">() || row.get<"ingress_policing_kpkts_rate">())
    troubles.push_back("policing is not supported yet: what comes in is not limited");
  for (std::string& text : device.unknown_options(interface.options)) troubles.push_back(std::move(text));

  std::string trouble;
  for (const std::string& text : troubles) trouble += (trouble.empty() ? "" : "; ") + text;
  if (trouble == interface.trouble) return;
  if (!trouble.empty()) log.warn("interface {}: {}", interface.name, trouble);
  interface.trouble = std::move(trouble);
  reporter_.touch(interface);
}

void Reconciler::set_patch_peer(InterfaceState& interface) {
  if (interface.type != "patch" || !interface.number) return;
  BridgeState& bridge = *interface.port->bridge;
  const auto peer = interface.options.find("peer");
  const std::string name = peer == interface.options.end() ? "" : peer->second;
  bridge.engine->bridges().set_patch_peer(*bridge.number, *interface.number, name);
  if (interface.peer_entry) model_.by_peer.erase(*interface.peer_entry);
  interface.peer_entry = model_.by_peer.emplace(name, &interface);
  peers_changed(interface);
}

// Whether a patch port has a usable peer depends on both ends.
void Reconciler::peers_changed(InterfaceState& interface) {
  if (!interface.number && interface.peer_entry) {
    model_.by_peer.erase(*interface.peer_entry);
    interface.peer_entry.reset();
  }
  const auto [first, last] = model_.by_peer.equal_range(interface.name);
  for (auto it = first; it != last; ++it) reporter_.touch(*it->second);
}

void Reconciler::count_mac(PortState& port) {
  BridgeState& bridge = *port.bridge;
  std::optional<flow::EthAddr> mac;
  const InterfaceState* first = port.interfaces.empty() ? nullptr : port.interfaces.front();
  if (first && first->number && !first->is_local()) {
    const ReplicaRow* row = replica_.table(port_table).find(port.id);
    if (const auto text = row ? PortRow(*row).get<"mac">() : std::nullopt) mac = flow::parse_eth(*text);
    if (!mac) mac = first->device->state().mac;
    if (!is_lendable(*mac)) mac.reset();
  }
  if (mac == port.counted_mac) return;
  const auto lowest = [&bridge] { return bridge.macs.empty() ? flow::EthAddr{} : bridge.macs.begin()->first; };
  const flow::EthAddr before = lowest();
  if (port.counted_mac) count_down(bridge.macs, *port.counted_mac);
  if (mac) bridge.macs[*mac]++;
  port.counted_mac = mac;
  if (lowest() != before) unsettled_.insert(&bridge);
}

void Reconciler::count_mtu(InterfaceState& interface) {
  BridgeState& bridge = *interface.port->bridge;
  std::optional<unsigned> mtu;
  if (interface.number && !interface.is_internal())
    if (const unsigned now = interface.device->state().mtu; now != 0) mtu = now;
  if (mtu == interface.counted_mtu) return;
  if (interface.counted_mtu) count_down(bridge.mtus, *interface.counted_mtu);
  if (mtu) bridge.mtus[*mtu]++;
  interface.counted_mtu = mtu;
  unsettled_.insert(&bridge);
}

// Devices of ours take the least MTU of the others, so that what the host sends through them fits everywhere.
void Reconciler::follow_mtu(BridgeState& bridge) {
  if (bridge.mtus.empty()) return;
  const unsigned least = bridge.mtus.begin()->first;
  for (InterfaceState* interface : bridge.internals) {
    const ReplicaRow* row = replica_.table(interface_table).find(interface->id);
    if (!row || InterfaceRow(*row).get<"mtu_request">()) continue;
    const netdev::State state = interface->device->state();
    if (state.mtu == least || state.mtu == 0 || !is_present(*interface->device)) continue;
    if (auto set = interface->device->set_mtu(least); !set)
      log.warn("interface {}: MTU {} could not be set ({})", interface->name, least, set.error().message);
    reporter_.touch(*interface);
  }
}

// Its address: what the bridge is told, else the lowest one of the ports' devices, else its own.
void Reconciler::update_local_port(BridgeState& bridge) {
  const ReplicaRow* found = replica_.table(bridge_table).find(bridge.id);
  if (!found || !bridge.number) return;
  const StringMap other_config = BridgeRow(*found).get<"other_config">();
  std::optional<flow::EthAddr> wanted;
  Messages bad;
  if (const auto text = other_config.find("hwaddr"); text != other_config.end()) {
    wanted = flow::parse_eth(text->second);
    if (!wanted || is_multicast(*wanted) || *wanted == flow::EthAddr{}) {
      wanted.reset();
      bad.insert(fmt::format("other_config:hwaddr={} is not the address of a device: it is ignored", text->second));
    }
  }
  log_new("bridge " + bridge.name, bridge.bad_address, std::move(bad));
  if (!wanted && !bridge.macs.empty()) wanted = bridge.macs.begin()->first;

  InterfaceState* local = model_.interface(bridge.name);
  if (local && (!local->number || local->port->bridge != &bridge)) local = nullptr;
  flow::EthAddr mac = wanted ? *wanted : bridge.own_mac.value_or(mac_of_bridge(bridge.id));
  if (local) {
    const flow::EthAddr present = local->device->state().mac;
    if (!bridge.own_mac && !bridge.given_mac && present != flow::EthAddr{}) {
      // What it came with; an earlier run may have given it the address of a device that has left the bridge since.
      if (present == wanted || is_lendable(present))
        bridge.given_mac = present;
      else
        bridge.own_mac = present;
    }
    // An address that somebody has set by hand stays.
    if (!wanted) mac = present == bridge.given_mac ? bridge.own_mac.value_or(mac_of_bridge(bridge.id)) : present;
    if (mac != present) {
      if (auto set = local->device->set_mac(mac); set) {
        bridge.given_mac = wanted;
        if (!wanted) bridge.own_mac = mac;
      } else {
        log.warn("bridge {}: address {} could not be set ({})", bridge.name, flow::format_eth(mac),
                 set.error().message);
        mac = present;
      }
      reporter_.touch(*local);
    }
  }
  configure_bridge(bridge, mac);
}

}  // namespace ovs::vswitchd
