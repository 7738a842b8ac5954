#include <fmt/core.h>

#include <array>

#include "base/text.h"
#include "vsctl/arguments.h"
#include "vsctl/handlers.h"
#include "vsctl/model.h"

namespace ovs::vsctl {

namespace {

constexpr std::string_view fake_prefix = "fake-bridge-";

// A port with one internal interface of the same name, as every bridge has.
Row* make_local_port(Context& context, std::string_view name) {
  View& view = context.view();
  Row* interface = view.insert("Interface");
  view.set(interface, "name", Datum(Atom(name)));
  view.set(interface, "type", Datum(Atom("internal")));
  context.attempt().new_interfaces.push_back(interface);
  Row* port = view.insert("Port");
  view.set(port, "name", Datum(Atom(name)));
  view.set(port, "interfaces", Datum(Atom(interface->uuid())));
  return port;
}

// --may-exist: whether the bridge that is there is the one that was asked for.
Result<void> check_existing(Context& context, const Bridge& existing, std::optional<std::int64_t> vlan) {
  std::string command = "\"" + context.spelled() + "\" but ";
  if (!vlan) {
    if (existing.fake())
      return unexpected(fmt::format("{}{} is a VLAN bridge for VLAN {}", command, existing.name, existing.vlan));
    return {};
  }
  if (!existing.fake()) return unexpected(fmt::format("{}{} is not a VLAN bridge", command, existing.name));
  std::string parent = context.view().text(existing.row, "name");
  if (parent != context.arg(1))
    return unexpected(fmt::format("{}{} has the wrong parent {}", command, existing.name, parent));
  if (existing.vlan != *vlan)
    return unexpected(
        fmt::format("{}{} is a VLAN bridge for the wrong VLAN {}", command, existing.name, existing.vlan));
  return {};
}

}  // namespace

void prepare_bridge(Context& context) { fetch_bridge(context, context.arg(0)); }

void prepare_add_br(Context& context) {
  context.fetch(Query::all("Open_vSwitch"));
  fetch_bridge(context, context.arg(0));
  if (context.count() == 3) fetch_bridge(context, context.arg(1));
}

Result<void> run_add_br(Context& context) {
  View& view = context.view();
  const std::string& name = context.arg(0);
  if (name.empty()) return unexpected("bridge name must not be empty string");
  if (context.count() == 2) {
    const std::array arguments{name, context.arg(1)};
    return unexpected("'add-br' command takes exactly 1 or 3 arguments" + misplaced_option_hint("add-br", arguments));
  }
  std::optional<std::int64_t> vlan;
  if (context.count() == 3) {
    vlan = parse_integer(context.arg(2));
    if (!vlan || *vlan < 0 || *vlan > 4095)
      return unexpected("add-br: vlan must be between 0 and 4095");
  }
  if (context.has("--may-exist"))
    if (auto existing = find_bridge(view, name)) return check_existing(context, *existing, vlan);
  OVS_TRY_DO(check_name_is_free(view, name, "a bridge named " + name));

  if (!vlan) {
    Row* root = context.root();
    Row* port = make_local_port(context, name);
    Row* bridge = view.insert("Bridge");
    view.set(bridge, "name", Datum(Atom(name)));
    view.set(bridge, "ports", Datum(Atom(port->uuid())));
    view.insert_elements(root, "bridges", Datum(Atom(bridge->uuid())));
    return {};
  }

  const std::string& parent_name = context.arg(1);
  auto parent = find_bridge(view, parent_name);
  if (parent && parent->fake())
    return unexpected("cannot create bridge with fake bridge as parent");
  if (!parent) return unexpected(fmt::format("parent bridge {} does not exist", parent_name));
  for (const Bridge& sibling : fake_bridges_of(view, *parent)) {
    if (sibling.vlan == *vlan)
      return unexpected(fmt::format("bridge {} already has a child VLAN bridge {} on VLAN {}", parent_name,
                                    sibling.name, *vlan));
  }
  view.verify(parent->row, "name");
  Row* port = make_local_port(context, name);
  view.set(port, "fake_bridge", Datum(Atom(true)));
  view.set(port, "tag", Datum(Atom(*vlan)));
  view.insert_elements(parent->row, "ports", Datum(Atom(port->uuid())));
  return {};
}

Result<void> run_del_br(Context& context) {
  View& view = context.view();
  auto bridge = find_bridge(view, context.arg(0));
  if (!bridge) {
    if (context.has("--if-exists")) return {};
    return unexpected(fmt::format("no bridge named {}", context.arg(0)));
  }
  if (bridge->fake()) {
    for (Row* port : ports_of(view, *bridge)) delete_port(view, bridge->row, port);
    delete_port(view, bridge->row, bridge->fake_port);
    return {};
  }
  // The ports and interfaces are named one by one, so that the rest of this call sees their names free.
  Query questions[] = {
      Query::equal("Bridge", "_uuid", Atom(bridge->row->uuid()), {"ports"}),
      Query::all("Port", {"name", "tag", "fake_bridge", "interfaces"})};
  view.prefetch(questions);
  for (Row* port : rows_of(view, bridge->row, "ports", "Port", {"name", "interfaces"})) {
    for (Row* interface : rows_of(view, port, "interfaces", "Interface", {"name"})) view.erase(interface);
    view.erase(port);
  }
  view.erase_elements(context.root(), "bridges", Datum(Atom(bridge->row->uuid())));
  view.erase(bridge->row);
  return {};
}

void prepare_list_br(Context& context) {
  bool real = context.has("--real") || !context.has("--fake");
  bool fake = context.has("--fake") || !context.has("--real");
  if (real) context.fetch(Query::all("Bridge", {"name"}));
  if (fake) context.fetch(Query::equal("Port", "fake_bridge", Atom(true), {"name", "tag", "fake_bridge"}));
}

Result<void> run_list_br(Context& context) {
  bool real = context.has("--real") || !context.has("--fake");
  bool fake = context.has("--fake") || !context.has("--real");
  for (const Bridge& bridge : all_bridges(context.view(), real, fake)) context.print(bridge.name);
  return {};
}

Result<void> run_br_exists(Context& context) {
  if (!find_bridge(context.view(), context.arg(0))) context.attempt().exit_code = 2;
  return {};
}

Result<void> run_br_to_vlan(Context& context) {
  OVS_TRY(Bridge bridge, get_bridge(context.view(), context.arg(0)));
  context.print(fmt::format("{}", bridge.vlan));
  return {};
}

Result<void> run_br_to_parent(Context& context) {
  OVS_TRY(Bridge bridge, get_bridge(context.view(), context.arg(0)));
  context.print(context.view().text(bridge.row, "name"));
  return {};
}

Result<void> run_br_set_external_id(Context& context) {
  View& view = context.view();
  OVS_TRY(Bridge bridge, get_bridge(view, context.arg(0)));
  Row* row = bridge.fake() ? bridge.fake_port : bridge.row;
  std::string key = (bridge.fake() ? std::string(fake_prefix) : "") + context.arg(1);
  view.get(row, "external_ids");
  if (context.count() < 3) {
    view.erase_elements(row, "external_ids", Datum(Atom(key)));
    return {};
  }
  view.insert_elements(row, "external_ids",
                       Datum::map_of(AtomType::string, AtomType::string, {{Atom(key), Atom(context.arg(2))}}));
  return {};
}

Result<void> run_br_get_external_id(Context& context) {
  View& view = context.view();
  OVS_TRY(Bridge bridge, get_bridge(view, context.arg(0)));
  Datum ids = view.get(bridge.fake() ? bridge.fake_port : bridge.row, "external_ids");
  std::string_view prefix = bridge.fake() ? fake_prefix : std::string_view{};
  if (context.count() > 1) {
    if (auto at = ids.find(Atom(std::string(prefix) + context.arg(1)))) context.print(ids.value(*at).string());
    return {};
  }
  for (std::size_t i = 0; i < ids.size(); i++) {
    std::string_view key = ids.key(i).string();
    if (!key.starts_with(prefix)) continue;
    context.print(fmt::format("{}={}", key.substr(prefix.size()), ids.value(i).string()));
  }
  return {};
}

}  // namespace ovs::vsctl
