#include "vswitchd/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "flow/address.h"
#include "vswitchd/stored_settings.h"

namespace ovs::vswitchd {

namespace {

LogModule log{"bridge"}, bond_log{"bond"};

using dbclient::ReplicaRow;
using ovsdb::Datum;

// What has to be done to get from one set of rows to another.  Both are sorted.
struct SetChange {
  std::vector<Uuid> added, removed;
};

SetChange difference(const Datum& from, const Datum& to) {
  SetChange change;
  std::size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    const auto order = i == from.size() ? std::strong_ordering::greater
                       : j == to.size() ? std::strong_ordering::less
                                        : from.key(i) <=> to.key(j);
    if (order < 0)
      change.removed.push_back(from.key(i++).uuid());
    else if (order > 0)
      change.added.push_back(to.key(j++).uuid());
    else
      i++, j++;
  }
  return change;
}

PortColumns port_columns(const PortRow& row) {
  return {row.get<"vlan_mode">(), row.get<"tag">(),          row.get<"trunks">(),
          row.get<"cvlans">(),    row.get<"other_config">(), row.get<"protected">()};
}

BridgeColumns bridge_columns(const BridgeRow& row) {
  return {row.get<"fail_mode">(), !row.datum<"controller">().empty(), row.get<"flood_vlans">(),
          row.get<"other_config">()};
}

// What a bridge is asked for and this version does not do.
void missing_features(const BridgeRow& row, Complaints& complaints) {
  if (row.get<"stp_enable">()) complaints.push_back("spanning tree (stp_enable) is not supported yet: beware of loops");
  if (row.get<"rstp_enable">())
    complaints.push_back("spanning tree (rstp_enable) is not supported yet: beware of loops");
  if (row.get<"mcast_snooping_enable">())
    complaints.push_back("multicast snooping is not supported yet: multicast packets are flooded");
  if (!row.datum<"mirrors">().empty()) complaints.push_back("mirrors are not supported yet: nothing is mirrored");
  if (!row.datum<"netflow">().empty()) complaints.push_back("NetFlow is not supported yet: nothing is exported");
  if (!row.datum<"ipfix">().empty()) complaints.push_back("IPFIX is not supported yet: nothing is exported");
  if (!row.datum<"controller">().empty())
    complaints.push_back("OpenFlow controllers are not supported yet: none is connected to, and fail_mode decides");
}

void missing_bond_features(const PortRow& row, Complaints& complaints) {
  if (const auto mode = row.get<"bond_mode">(); mode && *mode != "active-backup")
    complaints.push_back(fmt::format("bond_mode {} is not supported yet: active-backup is used, one member carries all "
                                     "traffic and another takes over when its link fails", *mode));
  if (const auto lacp = row.get<"lacp">(); lacp && *lacp != "off")
    complaints.push_back("LACP is not supported yet: the switch at the other end must not aggregate these links, or it "
                         "will lose what it sends by others than the active one");
  if (row.get<"bond_updelay">() > 0 || row.get<"bond_downdelay">() > 0)
    complaints.push_back("bond_updelay and bond_downdelay are not supported yet: links count as what they are at once");
  if (row.get<"bond_fake_iface">())
    complaints.push_back("bond_fake_iface is not supported yet: there is no interface with the name of the bond");
  complain_of_stored_settings("Port", row.get<"other_config">(), complaints);
}

void missing_interface_features(const InterfaceRow& row, Complaints& complaints) {
  if (get_bool(row.get<"bfd">(), "enable", false))
    complaints.push_back("BFD is not supported yet: nothing watches the path to the other end");
  if (row.get<"cfm_mpid">())
    complaints.push_back("CFM (cfm_mpid) is not supported yet: nothing watches the path to the other end");
  if (get_bool(row.get<"lldp">(), "enable", false))
    complaints.push_back("LLDP is not supported yet: nothing is announced");
  complain_of_stored_settings("Interface", row.get<"other_config">(), complaints);
}

}  // namespace

// What one apply() finds to do.
struct Reconciler::Work {
  bool everything;
  std::vector<std::pair<Uuid, Uuid>> ports;       // (bridge, port) that came
  std::vector<std::pair<Uuid, Uuid>> interfaces;  // (port, interface) that came
  std::vector<InterfaceState*> attach;            // that have a device, or may have one
  std::set<PortState*> configure;
};

Reconciler::Reconciler(runtime::Loop& loop, dbclient::Replica& replica, Engines& engines, netdev::Registry& registry,
                       Model& model, Reporter& reporter)
    : replica_(replica), engines_(engines), registry_(registry), model_(model), reporter_(reporter),
      sflow_(loop, [this](BridgeState& bridge) {
        configure_bridge(bridge, bridge.config.mac);
        bridge.engine->kick();
      }),
      retry_(loop, [this] { make_missing_devices(); }) {}

const ReplicaRow* Reconciler::root() const {
  const ReplicaRow* found = nullptr;
  replica_.table(root_table).each([&found](const ReplicaRow& row) { found = &row; });
  return found;
}

void Reconciler::apply(bool everything) {
  Work work;
  work.everything = everything;

  // What is gone, and what is to come.
  apply_root(work);
  const auto visit = [&](Table table, auto&& each) {
    const dbclient::ReplicaTable& rows = replica_.table(table);
    if (everything) {
      rows.each(each);
    } else {
      for (const ReplicaRow* row : rows.changes())
        if (!row->deleted()) each(*row);
    }
  };
  visit(bridge_table, [&](const ReplicaRow& row) {
    if (BridgeState* bridge = Model::find(model_.bridges, row.uuid())) apply_bridge_row(work, *bridge, BridgeRow(row));
  });
  visit(port_table, [&](const ReplicaRow& row) {
    if (PortState* port = Model::find(model_.ports, row.uuid())) apply_port_row(work, *port, PortRow(row));
  });
  visit(interface_table, [&](const ReplicaRow& row) {
    if (InterfaceState* interface = Model::find(model_.interfaces, row.uuid()))
      apply_interface_row(work, *interface, InterfaceRow(row));
  });

  if (!everything && !replica_.table(sflow_table).changes().empty()) {
    for (const auto& [id, bridge] : model_.bridges) {
      const ReplicaRow* row = replica_.table(bridge_table).find(id);
      if (row && !BridgeRow(*row).datum<"sflow">().empty()) unsettled_.insert(bridge.get());
    }
  }

  // Claims that could not be met may be now; where not, that is said again.
  for (InterfaceState* interface : contested_) {
    interface->contest.clear();
    reporter_.touch(*interface);
  }
  contested_.clear();
  work.ports.insert(work.ports.end(), port_claims_.begin(), port_claims_.end());
  port_claims_.clear();
  for (const auto& [bridge_id, port_id] : work.ports) {
    BridgeState* bridge = Model::find(model_.bridges, bridge_id);
    const ReplicaRow* row = replica_.table(port_table).find(port_id);
    if (bridge && row && bridge->ports_seen.contains(ovsdb::Atom(port_id))) add_port(work, *bridge, PortRow(*row));
  }
  work.interfaces.insert(work.interfaces.end(), interface_claims_.begin(), interface_claims_.end());
  interface_claims_.clear();
  for (const auto& [port_id, interface_id] : work.interfaces) {
    PortState* port = Model::find(model_.ports, port_id);
    const ReplicaRow* row = replica_.table(interface_table).find(interface_id);
    if (port && row && port->interfaces_seen.contains(ovsdb::Atom(interface_id)))
      add_interface(work, *port, InterfaceRow(*row));
  }
  settle(work);
  retry_devices();
}

void Reconciler::settle(Work& work) {
  attach_all(work.attach);
  for (InterfaceState* interface : work.attach) work.configure.insert(interface->port);
  for (PortState* port : work.configure) configure_port(*port);
  for (BridgeState* bridge : unsettled_) {
    follow_mtu(*bridge);
    update_local_port(*bridge);
  }
  unsettled_.clear();
  engines_.each([](Engine& engine) { engine.kick(); });
}

void Reconciler::apply_root(Work& work) {
  const ReplicaRow* row = root();
  const Datum none;
  const Datum& wanted = row ? RootRow(*row).datum<"bridges">() : none;

  std::vector<BridgeState*> gone;
  for (const auto& [id, bridge] : model_.bridges) {
    const ReplicaRow* bridge_row = replica_.table(bridge_table).find(id);
    // A bridge of another type is another bridge.
    if (!wanted.contains(ovsdb::Atom(id)) || !bridge_row ||
        BridgeRow(*bridge_row).get<"datapath_type">() != bridge->datapath_type)
      gone.push_back(bridge.get());
  }
  for (BridgeState* bridge : gone) remove_bridge(*bridge, true);

  for (std::size_t i = 0; i < wanted.size(); i++) {
    const Uuid id = wanted.key(i).uuid();
    if (Model::find(model_.bridges, id)) continue;
    if (const ReplicaRow* bridge_row = replica_.table(bridge_table).find(id)) add_bridge(work, BridgeRow(*bridge_row));
  }
}

// ---- bridges

void Reconciler::add_bridge(Work& work, const BridgeRow& row) {
  auto made = std::make_unique<BridgeState>();
  BridgeState& bridge = *made;
  bridge.id = row.uuid();
  bridge.name = row.get<"name">();
  bridge.datapath_type = row.get<"datapath_type">();
  model_.bridges.emplace(bridge.id, std::move(made));
  model_.bridge_by_name.emplace(bridge.name, &bridge);

  auto engine = engines_.get(bridge.datapath_type);
  if (!engine) {
    bridge.error = fmt::format("bridge {}: {}", bridge.name, engine.error().message);
    log.err("{}", bridge.error);
  } else {
    bridge.engine = *engine;
    Complaints unused;  // configure_bridge() tells them
    bridge.config = bridge_config(bridge_columns(row), unused);
    bridge.number = bridge.engine->bridges().add_bridge(bridge.name, bridge.config);
    bridge.engine->bridge_names.insert(bridge.name);
    log.info("bridge {}: added", bridge.name);
  }
  apply_bridge_row(work, bridge, row);
  unsettled_.insert(&bridge);
  reporter_.touch(bridge);
}

void Reconciler::apply_bridge_row(Work& work, BridgeState& bridge, const BridgeRow& row) {
  const Datum& ports = row.datum<"ports">();
  if (work.everything || row.changed<"ports">() || row.row().inserted() || bridge.ports_seen.empty()) {
    const SetChange change = difference(bridge.ports_seen, ports);
    for (const Uuid& id : change.removed)
      if (PortState* port = Model::find(model_.ports, id); port && port->bridge == &bridge) remove_port(*port, true);
    for (const Uuid& id : change.added) work.ports.emplace_back(bridge.id, id);
    bridge.ports_seen = ports;
  }
  const bool only_ports = row.changed<"ports">() && !work.everything && !row.row().inserted() &&
                          !row.changed<"other_config">() && !row.changed<"fail_mode">() &&
                          !row.changed<"controller">() && !row.changed<"flood_vlans">() &&
                          !row.changed<"stp_enable">() && !row.changed<"rstp_enable">() &&
                          !row.changed<"mcast_snooping_enable">() && !row.changed<"mirrors">() &&
                          !row.changed<"sflow">();
  if (!only_ports) unsettled_.insert(&bridge);
  if (row.changed<"datapath_id">() || row.changed<"status">() || row.changed<"datapath_version">())
    reporter_.touch(bridge);
}

void Reconciler::remove_bridge(BridgeState& bridge, bool destroy) {
  const std::vector<PortState*> ports(bridge.ports.begin(), bridge.ports.end());
  sflow_.configure(bridge, std::nullopt);
  // The Switch forgets them all at once.
  if (bridge.number) {
    bridge.engine->bridges().remove_bridge(*bridge.number);
    bridge.engine->bridge_names.erase(bridge.name);
    bridge.engine->kick();
    log.info("bridge {}: removed", bridge.name);
    bridge.number.reset();
  }
  for (PortState* port : ports) remove_port(*port, destroy);
  unsettled_.erase(&bridge);
  model_.bridge_by_name.erase(bridge.name);
  model_.bridges.erase(bridge.id);
}

void Reconciler::configure_bridge(BridgeState& bridge, const flow::EthAddr& mac) {
  const ReplicaRow* found = replica_.table(bridge_table).find(bridge.id);
  if (!found || !bridge.number) return;
  const BridgeRow row(*found);
  Complaints complaints;
  ofproto::BridgeConfig config = bridge_config(bridge_columns(row), complaints);
  missing_features(row, complaints);
  configure_sflow(bridge, row, complaints);
  config.sflow = SflowExports::sampling(bridge);

  config.mac = mac;
  config.datapath_id = datapath_id_of(config.mac);
  const StringMap other_config = row.get<"other_config">();
  if (const auto text = other_config.find("datapath-id"); text != other_config.end()) {
    if (const auto id = parse_datapath_id(text->second))
      config.datapath_id = *id;
    else
      complaints.push_back(fmt::format("other_config:datapath-id={} is neither 16 hexadecimal digits nor up to 16 "
                                       "behind 0x, or zero: it is ignored",
                                       text->second));
  }
  log_new("bridge " + bridge.name, bridge.messages, Messages(complaints.begin(), complaints.end()));
  if (config == bridge.config) return;
  if (config.datapath_id != bridge.config.datapath_id)
    log.info("bridge {}: using datapath ID {}", bridge.name, format_datapath_id(config.datapath_id));
  bridge.config = config;
  bridge.engine->bridges().configure_bridge(*bridge.number, config);
  reporter_.touch(bridge);
}

void Reconciler::configure_sflow(BridgeState& bridge, const BridgeRow& row, Complaints& complaints) {
  std::optional<telemetry::SflowConfig> config;
  const auto id = row.get<"sflow">();
  if (const ReplicaRow* found = id ? replica_.table(sflow_table).find(*id) : nullptr) {
    const SflowRow sflow(*found);
    config = sflow_config({sflow.get<"targets">(), sflow.get<"agent">(), sflow.get<"header">(),
                           sflow.get<"sampling">(), sflow.get<"polling">()},
                          complaints);
  }
  sflow_.configure(bridge, config);
}

// ---- ports

void Reconciler::add_port(Work& work, BridgeState& bridge, const PortRow& row) {
  if (PortState* taken = Model::find(model_.ports, row.uuid())) {
    if (taken->bridge == &bridge) return;
    port_claims_.emplace(bridge.id, row.uuid());
    const std::string contest = fmt::format("port {} is in the bridges {} and {}: only {} has it", taken->name,
                                            taken->bridge->name, bridge.name, taken->bridge->name);
    for (InterfaceState* interface : taken->interfaces) contested(*interface, contest);
    return;
  }
  auto made = std::make_unique<PortState>();
  PortState& port = *made;
  port.id = row.uuid();
  port.name = row.get<"name">();
  port.bridge = &bridge;
  bridge.ports.insert(&port);
  model_.ports.emplace(port.id, std::move(made));
  apply_port_row(work, port, row);
  work.configure.insert(&port);
}

void Reconciler::apply_port_row(Work& work, PortState& port, const PortRow& row) {
  const Datum& interfaces = row.datum<"interfaces">();
  if (work.everything || row.changed<"interfaces">() || row.row().inserted() || port.interfaces_seen.empty()) {
    const SetChange change = difference(port.interfaces_seen, interfaces);
    for (const Uuid& id : change.removed)
      if (InterfaceState* interface = Model::find(model_.interfaces, id); interface && interface->port == &port)
        remove_interface(*interface, true);
    for (const Uuid& id : change.added) work.interfaces.emplace_back(port.id, id);
    port.interfaces_seen = interfaces;
  }
  work.configure.insert(&port);
  count_mac(port);
}

void Reconciler::remove_port(PortState& port, bool destroy) {
  BridgeState& bridge = *port.bridge;
  if (port.bundle && bridge.number) bridge.engine->bridges().remove_bundle(*bridge.number, *port.bundle);
  port.bundle.reset();
  const std::vector<InterfaceState*> interfaces = port.interfaces;
  for (InterfaceState* interface : interfaces) remove_interface(*interface, destroy);
  bridge.ports.erase(&port);
  model_.ports.erase(port.id);
}

void Reconciler::configure_port(PortState& port) {
  const ReplicaRow* found = replica_.table(port_table).find(port.id);
  BridgeState& bridge = *port.bridge;
  if (!found || !bridge.number) return;
  const PortRow row(*found);
  Complaints complaints;
  ofproto::BundleConfig config = bundle_config(port_columns(row), complaints);
  if (!row.datum<"qos">().empty()) complaints.push_back("QoS is not supported yet: nothing is shaped");
  if (port.is_bond()) missing_bond_features(row, complaints);
  log_new("port " + port.name, port.messages, Messages(complaints.begin(), complaints.end()));

  config.name = port.name;
  for (const InterfaceState* interface : port.interfaces)
    if (interface->number) config.members.push_back(*interface->number);
  choose_active_member(port, row);
  if (port.active) config.active = port.active->number;
  if (config.members.empty()) return;  // detach() took the bundle away
  if (!port.bundle)
    port.bundle = bridge.engine->bridges().add_bundle(*bridge.number, config);
  else if (config != port.config)
    bridge.engine->bridges().configure_bundle(*bridge.number, *port.bundle, config);
  port.config = std::move(config);
}

void Reconciler::choose_active_member(PortState& port, const PortRow& row) {
  InterfaceState* chosen = nullptr;
  if (port.is_bond()) {
    const StringMap other_config = row.get<"other_config">();
    const auto primary = other_config.find("bond-primary");
    chosen = choose_active(port, primary == other_config.end() ? "" : primary->second);
  }
  if (std::exchange(port.active, chosen) != chosen) {
    if (chosen)
      bond_log.info("bond {}: active member is now {}", port.name, chosen->name);
    else if (port.is_bond())
      bond_log.warn("bond {}: all members are disabled: nothing passes", port.name);
  }
  // The row may say something else after a restart.
  std::optional<std::string> address;
  if (chosen) address = flow::format_eth(chosen->device->state().mac);
  if (row.get<"bond_active_slave">() != address) reporter_.touch(port);
}

// ---- interfaces

void Reconciler::add_interface(Work& work, PortState& port, const InterfaceRow& row) {
  if (InterfaceState* taken = Model::find(model_.interfaces, row.uuid())) {
    if (taken->port == &port) return;
    interface_claims_.emplace(port.id, row.uuid());
    const std::string contest =
        fmt::format("interface {} is in the ports {} and {}: only {} has it", taken->name, taken->port->name, port.name,
                    taken->port->name);
    contested(*taken, contest);
    return;
  }
  auto made = std::make_unique<InterfaceState>();
  InterfaceState& interface = *made;
  interface.id = row.uuid();
  interface.name = row.get<"name">();
  interface.port = &port;
  interface.type = row.get<"type">();
  interface.options = row.get<"options">();
  interface.ofport_request = row.get<"ofport_request">();
  // After a restart ports keep their numbers where they can.
  if (const auto number = row.get<"ofport">(); number && *number > 0 && *number <= raw(openflow::max_port))
    interface.last_number = openflow::OfPort(static_cast<std::uint32_t>(*number));
  const auto place = std::ranges::lower_bound(port.interfaces, interface.name, {}, &InterfaceState::name);
  port.interfaces.insert(place, &interface);
  model_.interfaces.emplace(interface.id, std::move(made));
  model_.by_name.emplace(interface.name, &interface);
  reporter_.touch(interface);
  log_missing_features(interface, row);
  work.attach.push_back(&interface);
}

void Reconciler::apply_interface_row(Work& work, InterfaceState& interface, const InterfaceRow& row) {
  const StringMap options = row.get<"options">();
  const std::string type = row.get<"type">();
  const auto request = row.get<"ofport_request">();
  reporter_.touch(interface);  // somebody may have written what only the switch knows

  if (type != interface.type) {
    detach(interface);
    close_device(interface, true);
    interface.type = type;
    interface.options = options;
    work.attach.push_back(&interface);
  } else if (options != interface.options) {
    interface.options = options;
    if (interface.device) {
      if (auto set = interface.device->set_options(options); set) {
        apply_settings(interface);
        set_patch_peer(interface);
      } else {
        // Half of a configuration is none: the port is not used until it makes sense again.
        detach(interface);
        close_device(interface, true);
        work.attach.push_back(&interface);
      }
    } else {
      work.attach.push_back(&interface);
    }
  }
  if (request != interface.ofport_request) {
    interface.ofport_request = request;
    const bool has_it = interface.number && request && database_port(*interface.number) == *request;
    if (interface.number && request && !has_it && !interface.is_local() && !number_refused(interface)) {
      detach(interface);
      work.attach.push_back(&interface);
    }
  }
  log_missing_features(interface, row);
  if (row.changed<"mtu_request">() && interface.is_internal()) unsettled_.insert(interface.port->bridge);
  if (row.changed<"mac">() || row.changed<"mtu_request">() || row.changed<"ingress_policing_rate">() ||
      row.changed<"ingress_policing_kpkts_rate">() || work.everything)
    apply_settings(interface);
}

void Reconciler::contested(InterfaceState& interface, const std::string& text) {
  if (contests_.insert(text).second) log.warn("{}", text);
  interface.contest = text;
  contested_.insert(&interface);
  reporter_.touch(interface);
}

void Reconciler::remove_interface(InterfaceState& interface, bool destroy) {
  PortState& port = *interface.port;
  detach(interface);
  close_device(interface, destroy);
  if (port.active == &interface) port.active = nullptr;
  std::erase(port.interfaces, &interface);
  contested_.erase(&interface);
  missing_.erase(&interface);
  model_.by_name.erase(interface.name);
  model_.interfaces.erase(interface.id);
}

void Reconciler::device_changed(const std::string& name) {
  InterfaceState* interface = model_.interface(name);
  if (!interface || !interface->device) return;
  Work work;
  work.everything = false;
  if (interface->number) {
    BridgeState& bridge = *interface->port->bridge;
    bridge.engine->bridges().port_changed(*bridge.number, *interface->number);
    log_stop(*interface);
    apply_settings(*interface);
    count_mac(*interface->port);
    count_mtu(*interface);
    if (interface->is_internal()) unsettled_.insert(&bridge);
    if (interface->port->is_bond()) work.configure.insert(interface->port);
  } else {
    work.attach.push_back(interface);
  }
  reporter_.touch(*interface);
  settle(work);
}

void Reconciler::retry_devices() {
  // However often things change.
  constexpr runtime::Duration pause{200};
  if (!missing_.empty() && !retry_.running()) retry_.start(pause);
}

void Reconciler::make_missing_devices() {
  Work work;
  work.everything = false;
  work.attach.assign(missing_.begin(), missing_.end());
  settle(work);
}

void Reconciler::release(bool destroy) {
  std::vector<BridgeState*> all;
  for (const auto& [id, bridge] : model_.bridges) all.push_back(bridge.get());
  for (BridgeState* bridge : all) remove_bridge(*bridge, destroy);
  port_claims_.clear();
  interface_claims_.clear();
}

void Reconciler::log_missing_features(InterfaceState& interface, const InterfaceRow& row) {
  Complaints complaints;
  missing_interface_features(row, complaints);
  log_new("interface " + interface.name, interface.messages, Messages(complaints.begin(), complaints.end()));
}

void Reconciler::log_new(const std::string& subject, Messages& old, Messages now) {
  for (const std::string& message : now)
    if (!old.contains(message)) log.warn("{}: {}", subject, message);
  old = std::move(now);
}

}  // namespace ovs::vswitchd
