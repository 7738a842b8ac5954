// Bridges, fake bridges, ports and interfaces as users see them, over the tables of the database.
//
// A fake bridge is a port of a real bridge with fake_bridge set and a VLAN; the ports of its parent on that
// VLAN are its ports.  A bridge's local port, which has its name, is not shown among its ports, nor
// is a fake bridge's.
//
// The functions fetch what they need through the View and no more: a port's bridge, for example, is
// asked for by condition, however many ports there are.
//
// Thread safety: none; one attempt of one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "vsctl/command.h"

namespace ovs::vsctl {

struct Bridge {
  Row* row = nullptr;        // of the real bridge: its own, or its parent's
  Row* fake_port = nullptr;  // the port that stands for a fake bridge
  std::int64_t vlan = 0;     // of a fake bridge
  std::string name;

  bool fake() const { return fake_port != nullptr; }
};

// The bridge of that name; nothing if there is none.
std::optional<Bridge> find_bridge(View& view, std::string_view name);
// The same, or the error "no bridge named NAME".
Result<Bridge> get_bridge(View& view, std::string_view name);
// The same, and the error "NAME is a fake bridge".
Result<Bridge> get_real_bridge(View& view, std::string_view name);
// All of them, by name.
std::vector<Bridge> all_bridges(View& view, bool real, bool fake);
std::vector<Bridge> fake_bridges_of(View& view, const Bridge& real);

// The VLAN of a port that is a fake bridge.
std::optional<std::int64_t> fake_vlan(View& view, Row* port);

// A port, with the bridge, real or fake, that users see it in.
struct PortInBridge {
  Row* port = nullptr;
  Bridge bridge;
  bool local = false;  // the local port of its bridge: not a port to users
};
std::optional<PortInBridge> find_port(View& view, std::string_view name);
// The bridge that users see a port in; nothing if no bridge has it.
std::optional<PortInBridge> bridge_of(View& view, Row* port);
// Without local ports: the error is "no port named NAME".
Result<PortInBridge> get_port(View& view, std::string_view name);

struct InterfaceInPort {
  Row* interface = nullptr;
  PortInBridge in;
};
std::optional<InterfaceInPort> find_interface(View& view, std::string_view name);
Result<InterfaceInPort> get_interface(View& view, std::string_view name);

// The ports that users see in a bridge (without local ports).
std::vector<Row*> ports_of(View& view, const Bridge& bridge);
std::vector<std::string> sorted_names(View& view, const std::vector<Row*>& rows);
std::vector<Row*> rows_of(View& view, Row* row, std::string_view column, std::string_view table,
                          std::vector<std::string> columns);

// Whether a name is free for a bridge, port or interface; the error says who has it.
Result<void> check_name_is_free(View& view, std::string_view name, std::string_view wanted);
Result<void> check_interface_is_free(View& view, std::string_view name);
// The questions that check_name_is_free() will ask.
void fetch_name(Context& context, std::string_view name);
void fetch_bridge(Context& context, std::string_view name);
void fetch_interface(Context& context, std::string_view name);

// Deletes a port with its interfaces and its place in the bridge.
void delete_port(View& view, Row* bridge, Row* port);

}  // namespace ovs::vsctl
