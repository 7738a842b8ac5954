#include "vswitchd/model.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "netdev/dummy.h"

namespace ovs::vswitchd {

InterfaceState* usable_peer(const Model& model, const InterfaceState& patch) {
  const auto option = patch.options.find("peer");
  if (option == patch.options.end()) return nullptr;
  InterfaceState* peer = model.interface(option->second);
  if (!peer || !peer->number || peer == &patch || peer->type != "patch") return nullptr;
  if (peer->port->bridge->engine != patch.port->bridge->engine) return nullptr;
  const auto back = peer->options.find("peer");
  return back != peer->options.end() && back->second == patch.name ? peer : nullptr;
}

std::int64_t database_port(openflow::OfPort port) {
  return port == openflow::port_local ? database_local_port : static_cast<std::int64_t>(raw(port));
}

std::string stopped_text(const std::string& name, const std::string& obstacle) {
  return fmt::format("nothing passes network device {} until that changes ({})", name, obstacle);
}

std::string error_text(const Model& model, const InterfaceState& interface) {
  std::vector<std::string> parts;
  if (!interface.number) {
    parts.push_back(interface.error);
  } else {
    if (const std::string why = obstacle(*interface.device); !why.empty())
      parts.push_back(stopped_text(interface.name, why));
    if (interface.type == "patch" && !usable_peer(model, interface)) {
      const auto peer = interface.options.find("peer");
      parts.push_back(fmt::format("no usable peer: {} must be a patch port of a bridge in the same datapath, with {} "
                                  "as its peer",
                                  peer == interface.options.end() ? "options:peer" : peer->second, interface.name));
    }
    parts.push_back(interface.trouble);
  }
  parts.push_back(interface.contest);
  std::string text;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!text.empty()) text += "; ";
    text += part;
  }
  return text;
}

bool is_virtual(const netdev::Netdev& device) {
  return device.type() == "patch" || dynamic_cast<const netdev::Dummy*>(&device);
}

bool is_present(const netdev::Netdev& device) { return is_virtual(device) || device.state().ifindex != 0; }

bool is_settling(const InterfaceState& interface) { return interface.device && interface.device->state().settling; }

bool can_carry(const InterfaceState& interface) {
  if (!interface.number || !interface.device) return false;
  return interface.device->state().link_up && obstacle(*interface.device).empty();
}

InterfaceState* choose_active(const PortState& bond, const std::string& primary) {
  InterfaceState* chosen = nullptr;
  for (InterfaceState* interface : bond.interfaces) {
    if (!can_carry(*interface)) continue;
    if (interface->name == primary) return interface;
    if (!chosen || interface == bond.active) chosen = interface;
  }
  return chosen;
}

std::string obstacle(const netdev::Netdev& device) {
  if (is_virtual(device)) return {};
  const netdev::State state = device.state();
  if (state.ifindex == 0) return std::strerror(ENODEV);
  if (!state.master.empty()) return fmt::format("it belongs to {}", state.master);
  if (!state.trouble.empty()) return state.trouble;
  return {};
}

}  // namespace ovs::vswitchd
