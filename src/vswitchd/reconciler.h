// Reconciler: makes the bridges, ports and devices be what the database says.
//
// apply() works off what has changed in the replica, and no more: rows that did not change cost
// nothing, but for one pass over the set of identifiers in Bridge.ports of a bridge that gained or lost a port.
// What goes is removed before what comes is added, so that a port can move from one
// bridge to another in one transaction.
//
// Nothing here fails as a whole.  What cannot be done for a row is said in the row (Interface.error) and in the log,
// and tried again when the row or the device changes.  A device that could not be made, because somebody else has
// its name or holds it, is tried again when anything in the database or about the kernel's devices has changed.
//
// A row that two others claim (a Port in two bridges, an Interface in two ports) belongs to the one that had it
// first, as long as that keeps it.
//
// Thread safety: the main thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dbclient/replica.h"
#include "netdev/registry.h"
#include "runtime/loop.h"
#include "vswitchd/engines.h"
#include "vswitchd/model.h"
#include "vswitchd/reporter.h"
#include "vswitchd/settings.h"
#include "vswitchd/sflow.h"

namespace ovs::vswitchd {

class Reconciler {
 public:
  Reconciler(runtime::Loop& loop, dbclient::Replica& replica, Engines& engines, netdev::Registry& registry,
             Model& model, Reporter& reporter);

  // Works off the replica's changes; with `everything`, all that differs from the model.
  void apply(bool everything);
  // For each name of Registry::process_events(); then once retry_devices().
  void device_changed(const std::string& name);
  // Tries soon to make the devices that could not be made.
  void retry_devices();
  // Removes all bridges; with `destroy`, also what would outlive the process.
  void release(bool destroy);

 private:
  struct Work;

  const dbclient::ReplicaRow* root() const;
  void apply_root(Work& work);
  void apply_bridge_row(Work& work, BridgeState& bridge, const BridgeRow& row);
  void apply_port_row(Work& work, PortState& port, const PortRow& row);
  void apply_interface_row(Work& work, InterfaceState& interface, const InterfaceRow& row);

  void add_bridge(Work& work, const BridgeRow& row);
  void remove_bridge(BridgeState& bridge, bool destroy);
  void configure_bridge(BridgeState& bridge, const flow::EthAddr& mac);
  void configure_sflow(BridgeState& bridge, const BridgeRow& row, Complaints& complaints);
  void update_local_port(BridgeState& bridge);
  void add_port(Work& work, BridgeState& bridge, const PortRow& row);
  void remove_port(PortState& port, bool destroy);
  void configure_port(PortState& port);
  void choose_active_member(PortState& port, const PortRow& row);
  void add_interface(Work& work, PortState& port, const InterfaceRow& row);
  void contested(InterfaceState& interface, const std::string& text);
  void remove_interface(InterfaceState& interface, bool destroy);

  void open_device(InterfaceState& interface);
  void close_device(InterfaceState& interface, bool destroy);
  void attach(InterfaceState& interface);
  void settle_number(InterfaceState& interface, std::optional<openflow::OfPort> wanted);
  const InterfaceState* number_refused(const InterfaceState& interface) const;
  void attach_all(std::vector<InterfaceState*>& interfaces);
  void detach(InterfaceState& interface);
  void apply_settings(InterfaceState& interface);
  void log_stop(InterfaceState& interface) const;
  void set_patch_peer(InterfaceState& interface);
  void peers_changed(InterfaceState& interface);
  void count_mac(PortState& port);
  void count_mtu(InterfaceState& interface);
  void follow_mtu(BridgeState& bridge);
  void log_missing_features(InterfaceState& interface, const InterfaceRow& row);
  void log_new(const std::string& subject, Messages& old, Messages now);
  void settle(Work& work);
  void make_missing_devices();

  dbclient::Replica& replica_;
  Engines& engines_;
  netdev::Registry& registry_;
  Model& model_;
  Reporter& reporter_;

  // Claims to what somebody else has: (bridge, port), (port, interface).
  using Claims = std::set<std::pair<Uuid, Uuid>>;
  Claims port_claims_, interface_claims_;
  std::set<InterfaceState*> contested_;  // that a claim is about
  Messages contests_;                    // that the log has been told of
  SflowExports sflow_;
  struct ByName {
    bool operator()(const BridgeState* a, const BridgeState* b) const { return a->name < b->name; }
  };
  // Whose lowest MAC or least MTU may be another one now, or whose settings.  In this order, so that what numbers them
  // (SflowExports) gives the same numbers after a restart.
  std::set<BridgeState*, ByName> unsettled_;
  std::set<InterfaceState*> missing_;  // whose device could not be made
  runtime::Timer retry_;
};

}  // namespace ovs::vswitchd
