// Model: what the switch is at the moment, as bridges, ports and interfaces that have the database's names.
//
// The reconciler makes it follow the database; the reporter tells the database about it.  A bridge,
// port or interface of the database is here once, whoever else may claim it; one that could not be set up
// is here too, with the reason.
//
// What depends on all ports of a bridge (the lowest MAC address, the least MTU) is kept as counted sets, so that
// one more port costs the same however many there are.
//
// Thread safety: the main thread.  Pointers between the parts are valid while both are in the model.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "netdev/netdev.h"
#include "ofproto/config.h"
#include "ofproto/switch.h"
#include "openflow/port.h"
#include "ovsdb/datum.h"
#include "telemetry/sflow.h"
#include "vswitchd/engines.h"
#include "vswitchd/rows.h"

namespace ovs::vswitchd {

struct BridgeState;
struct PortState;

// Messages about one row, each logged when it is new.
using Messages = std::set<std::string>;

struct InterfaceState {
  Uuid id;
  std::string name;
  PortState* port = nullptr;

  // As the device was asked for; the row may say something else by now.
  std::string type;  // "" is "system"
  StringMap options;
  std::optional<std::int64_t> ofport_request;
  std::unique_ptr<netdev::Netdev> device;  // null if it could not be made

  std::optional<openflow::OfPort> number;  // a port of the bridge
  std::optional<openflow::OfPort> last_number;
  std::string error;    // why it is not
  std::string trouble;  // a port all the same, but a setting could not be applied
  std::string contest;  // somebody else claims it too
  std::string stopped;  // why nothing passes the device of a port, as the log was told
  Messages messages;
  std::optional<std::multimap<std::string, InterfaceState*>::iterator> peer_entry;  // in Model::by_peer
  std::optional<unsigned> counted_mtu;  // as it stands in BridgeState::mtus
  ovsdb::Datum statistics{ovsdb::AtomType::string, ovsdb::AtomType::integer};  // as written last

  bool is_local() const;     // the bridge's own port
  bool is_internal() const;  // a device that is ours: its MTU follows the other ports
};

struct PortState {
  Uuid id;
  std::string name;
  BridgeState* bridge = nullptr;
  ovsdb::Datum interfaces_seen;             // the row's column as it was worked off
  std::vector<InterfaceState*> interfaces;  // by name; several are a bond
  InterfaceState* active = nullptr;         // of a bond, the one that carries its traffic; null: none can
  std::optional<ofproto::BundleId> bundle;
  ofproto::BundleConfig config;
  std::optional<flow::EthAddr> counted_mac;  // as it stands in BridgeState::macs
  Messages messages;

  bool is_bond() const { return interfaces.size() > 1; }
};

struct BridgeState {
  Uuid id;
  std::string name;
  std::string datapath_type;  // as the row has it
  Engine* engine = nullptr;
  std::optional<ofproto::BridgeId> number;  // in the engine's Switch
  std::string error;                        // why there is none
  ofproto::BridgeConfig config;
  ovsdb::Datum ports_seen;  // the row's column as it was worked off
  std::set<PortState*> ports;
  boost::unordered_flat_map<std::uint32_t, InterfaceState*> by_number;
  std::map<flow::EthAddr, unsigned> macs;  // that the local port may take over, with how many ports have each
  std::map<unsigned, unsigned> mtus;       // of the ports that are not internal, likewise
  std::set<InterfaceState*> internals;     // those that have a device
  // The address that the local port has when nothing else gives one, and the one that it was given in place of that.
  std::optional<flow::EthAddr> own_mac, given_mac;
  Messages messages, bad_address;
  std::unique_ptr<telemetry::Sflow> sflow;  // null: not configured
  std::uint32_t sflow_number = 0;           // that it has among those of all bridges
};

inline bool InterfaceState::is_local() const { return name == port->bridge->name; }
inline bool InterfaceState::is_internal() const { return type == "internal" || is_local(); }

struct Model {
  template <class T>
  using ById = boost::unordered_flat_map<Uuid, std::unique_ptr<T>, UuidHash>;

  ById<BridgeState> bridges;
  ById<PortState> ports;
  ById<InterfaceState> interfaces;
  boost::unordered_flat_map<std::string, InterfaceState*> by_name;
  boost::unordered_flat_map<std::string, BridgeState*> bridge_by_name;
  std::multimap<std::string, InterfaceState*> by_peer;  // patch ports that are ports, by options:peer

  template <class T>
  static T* find(const ById<T>& map, const Uuid& id) {
    const auto it = map.find(id);
    return it == map.end() ? nullptr : it->second.get();
  }
  InterfaceState* interface(const std::string& name) const {
    const auto it = by_name.find(name);
    return it == by_name.end() ? nullptr : it->second;
  }
  BridgeState* bridge(const std::string& name) const {
    const auto it = bridge_by_name.find(name);
    return it == bridge_by_name.end() ? nullptr : it->second;
  }
};

// The other end of a patch port's cable if there is one that is plugged in the right way, else null.
InterfaceState* usable_peer(const Model& model, const InterfaceState& patch);

// As Interface.ofport has it: the local port is 65534, as in OpenFlow 1.0.
std::int64_t database_port(openflow::OfPort port);
inline constexpr std::int64_t database_local_port = 65534;

// What there is to say of a device that obstacle() is in the way of.
std::string stopped_text(const std::string& name, const std::string& obstacle);
// What Interface.error says; empty if there is nothing to say.
std::string error_text(const Model& model, const InterfaceState& interface);

// A dummy or a patch port: nothing but our own memory.
bool is_virtual(const netdev::Netdev& device);
// Whether the device is there: one of the kernel's may not be.
bool is_present(const netdev::Netdev& device);
// Whether it is not known yet what becomes of the interface's device (State::settling).
bool is_settling(const InterfaceState& interface);
// Whether what is sent by the interface arrives somewhere.
bool can_carry(const InterfaceState& interface);
// The member that is to carry a bond's traffic: `primary` if it can, else the one that does if it still can, else the
// first that can; null if there is none.
InterfaceState* choose_active(const PortState& bond, const std::string& primary);
// Why nothing passes a device at the moment, as "No such device"; empty if something can.
std::string obstacle(const netdev::Netdev& device);

}  // namespace ovs::vswitchd
