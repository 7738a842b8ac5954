#include "vsctl/model.h"

#include <fmt/core.h>

#include <algorithm>

namespace ovs::vsctl {

namespace {

const std::vector<std::string> port_columns{"name", "tag", "fake_bridge"};

Query bridge_query(std::string_view name) { return Query::equal("Bridge", "name", Atom(name)); }
Query port_query(std::string_view name) { return Query::equal("Port", "name", Atom(name), port_columns); }
Query interface_query(std::string_view name) { return Query::equal("Interface", "name", Atom(name)); }
Query fake_ports_query() { return Query::equal("Port", "fake_bridge", Atom(true), port_columns); }

bool flag(View& view, Row* row, std::string_view column) {
  Datum d = view.get(row, column);
  return !d.empty() && d.boolean();
}

Row* bridge_with(View& view, Row* port) {
  return view.find_one(Query::includes("Bridge", "ports", port->uuid(), {"name"}));
}

}  // namespace

void fetch_bridge(Context& context, std::string_view name) {
  context.fetch(bridge_query(name));
  context.fetch(port_query(name));
  context.fetch(fake_ports_query());
}

void fetch_name(Context& context, std::string_view name) {
  context.fetch(bridge_query(name));
  context.fetch(port_query(name));
}

void fetch_interface(Context& context, std::string_view name) { context.fetch(interface_query(name)); }

std::optional<std::int64_t> fake_vlan(View& view, Row* port) {
  if (!flag(view, port, "fake_bridge")) return std::nullopt;
  Datum tag = view.get(port, "tag");
  if (tag.size() != 1 || tag.integer() < 0 || tag.integer() > 4095) return std::nullopt;
  return tag.integer();
}

std::optional<Bridge> find_bridge(View& view, std::string_view name) {
  if (Row* row = view.find_one(bridge_query(name))) return Bridge{row, nullptr, 0, std::string(name)};
  Row* port = view.find_one(port_query(name));
  if (!port) return std::nullopt;
  auto vlan = fake_vlan(view, port);
  Row* parent = vlan ? bridge_with(view, port) : nullptr;
  if (!parent) return std::nullopt;
  return Bridge{parent, port, *vlan, std::string(name)};
}

Result<Bridge> get_bridge(View& view, std::string_view name) {
  if (auto bridge = find_bridge(view, name)) return *bridge;
  return unexpected(fmt::format("no bridge named {}", name));
}

Result<Bridge> get_real_bridge(View& view, std::string_view name) {
  OVS_TRY(Bridge bridge, get_bridge(view, name));
  if (bridge.fake()) return unexpected(fmt::format("{} is a fake bridge", name));
  return bridge;
}

std::vector<Bridge> all_bridges(View& view, bool real, bool fake) {
  Query questions[] = {Query::all("Bridge", {"name"}), fake_ports_query()};
  view.prefetch(questions);
  std::vector<Bridge> out;
  if (real)
    for (Row* row : view.find(questions[0])) out.push_back({row, nullptr, 0, view.text(row, "name")});
  if (fake)
    for (Row* port : view.find(questions[1]))
      if (auto vlan = fake_vlan(view, port)) out.push_back({nullptr, port, *vlan, view.text(port, "name")});
  std::ranges::sort(out, {}, &Bridge::name);
  return out;
}

std::vector<Bridge> fake_bridges_of(View& view, const Bridge& real) {
  std::vector<Bridge> out;
  for (Row* port : view.find(fake_ports_query())) {
    auto vlan = fake_vlan(view, port);
    if (vlan && view.contains(real.row, "ports", Atom(port->uuid())))
      out.push_back({real.row, port, *vlan, view.text(port, "name")});
  }
  return out;
}

std::optional<PortInBridge> bridge_of(View& view, Row* port) {
  Row* row = bridge_with(view, port);
  if (!row) return std::nullopt;
  std::string port_name = view.text(port, "name");
  Bridge real{row, nullptr, 0, view.text(row, "name")};
  if (port_name == real.name) return PortInBridge{port, real, true};
  if (auto vlan = fake_vlan(view, port)) return PortInBridge{port, {row, port, *vlan, port_name}, true};
  Datum tag = view.get(port, "tag");
  if (tag.size() == 1 && !view.find(fake_ports_query()).empty())
    for (Bridge& fake : fake_bridges_of(view, real))
      if (fake.vlan == tag.integer()) return PortInBridge{port, std::move(fake), false};
  return PortInBridge{port, std::move(real), false};
}

std::optional<PortInBridge> find_port(View& view, std::string_view name) {
  Row* port = view.find_one(port_query(name));
  return port ? bridge_of(view, port) : std::nullopt;
}

Result<PortInBridge> get_port(View& view, std::string_view name) {
  auto port = find_port(view, name);
  if (!port || port->local) return unexpected(fmt::format("no port named {}", name));
  return *port;
}

std::optional<InterfaceInPort> find_interface(View& view, std::string_view name) {
  Row* row = view.find_one(interface_query(name));
  if (!row) return std::nullopt;
  Row* port = view.find_one(Query::includes("Port", "interfaces", row->uuid(), port_columns));
  auto in = port ? bridge_of(view, port) : std::nullopt;
  if (!in) return std::nullopt;
  return InterfaceInPort{row, std::move(*in)};
}

Result<InterfaceInPort> get_interface(View& view, std::string_view name) {
  auto found = find_interface(view, name);
  if (!found || found->in.local) return unexpected(fmt::format("no interface named {}", name));
  return *found;
}

std::vector<Row*> rows_of(View& view, Row* row, std::string_view column, std::string_view table,
                          std::vector<std::string> columns) {
  Datum refs = view.get(row, column);
  std::vector<Row*> out;
  if (refs.empty()) return out;
  std::vector<Query> questions;
  for (std::size_t i = 0; i < refs.size(); i++)
    if (Uuid uuid = refs.key(i).uuid(); !view.is_known(uuid, columns))
      questions.push_back(Query::equal(table, "_uuid", Atom(uuid), columns));
  // Many rows are dearer one by one than all of the table.
  if (questions.size() > 4) questions.assign(1, Query::all(table, columns));
  if (!questions.empty()) view.prefetch(questions);
  for (std::size_t i = 0; i < refs.size(); i++)
    if (Row* r = view.by_uuid(table, refs.key(i).uuid())) out.push_back(r);
  return out;
}

std::vector<Row*> ports_of(View& view, const Bridge& bridge) {
  Query questions[] = {Query::equal("Bridge", "_uuid", Atom(bridge.row->uuid()), {"name", "ports"}),
                       Query::all("Port", port_columns)};
  view.prefetch(questions);
  std::vector<Row*> rows = rows_of(view, bridge.row, "ports", "Port", port_columns);
  std::vector<std::int64_t> fake_vlans;
  for (Row* port : rows)
    if (auto vlan = fake_vlan(view, port)) fake_vlans.push_back(*vlan);
  std::string bridge_name = view.text(bridge.row, "name");

  std::vector<Row*> out;
  for (Row* port : rows) {
    if (view.text(port, "name") == bridge_name || fake_vlan(view, port)) continue;
    Datum tag = view.get(port, "tag");
    bool tagged = tag.size() == 1 && std::ranges::find(fake_vlans, tag.integer()) != fake_vlans.end();
    bool mine = bridge.fake() ? tagged && tag.integer() == bridge.vlan : !tagged;
    if (mine) out.push_back(port);
  }
  return out;
}

std::vector<std::string> sorted_names(View& view, const std::vector<Row*>& rows) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (Row* row : rows) names.push_back(view.text(row, "name"));
  std::ranges::sort(names);
  return names;
}

Result<void> check_name_is_free(View& view, std::string_view name, std::string_view wanted) {
  if (find_bridge(view, name))
    return unexpected(
        fmt::format("cannot create {} because a bridge named {} already exists", wanted, name));
  if (auto port = find_port(view, name))
    return unexpected(fmt::format("cannot create {} because a port named {} already exists on bridge {}", wanted,
                                  name, port->bridge.name));
  return {};
}

Result<void> check_interface_is_free(View& view, std::string_view name) {
  if (auto found = find_interface(view, name))
    return unexpected(
        fmt::format("cannot create an interface named {0} because an interface named {0} already exists on "
                    "bridge {1}",
                    name, found->in.bridge.name));
  return {};
}

void delete_port(View& view, Row* bridge, Row* port) {
  for (Row* interface : rows_of(view, port, "interfaces", "Interface", {"name"})) view.erase(interface);
  view.erase_elements(bridge, "ports", Datum(Atom(port->uuid())));
  view.erase(port);
}

}  // namespace ovs::vsctl
