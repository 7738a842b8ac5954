#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "vsctl/handlers.h"
#include "vsctl/model.h"
#include "vsctl/values.h"

namespace ovs::vsctl {

namespace {

// What distinguishes "IFACE..." from the "COLUMN[:KEY]=VALUE..." after it.
bool is_setting(const std::string& word) { return word.find('=') != std::string::npos; }

std::span<const std::string> settings_of_bond(std::span<const std::string> words) {
  auto at = std::ranges::find_if(words, is_setting);
  return words.subspan(static_cast<std::size_t>(at - words.begin()));
}

struct NewPort {
  std::string bridge, name;
  std::vector<std::string> interfaces;
  std::span<const std::string> settings;
  bool fake_interface = false;
};

// --may-exist: whether the port that is there is the one that was asked for.
Result<void> check_existing(Context& context, const NewPort& wanted, const PortInBridge& existing) {
  View& view = context.view();
  std::string command = "\"" + context.spelled() + "\" but ";
  if (wanted.bridge != existing.bridge.name)
    return unexpected(fmt::format("{}{} is actually attached to bridge {}", command, wanted.name,
                                  existing.bridge.name));
  auto have = sorted_names(view, rows_of(view, existing.port, "interfaces", "Interface", {"name"}));
  auto want = wanted.interfaces;
  std::ranges::sort(want);
  if (have != want)
    return unexpected(
        fmt::format("{}{} actually has interface(s) {}", command, wanted.name, join(have, ", ")));
  return {};
}

Result<void> add_port(Context& context, const NewPort& wanted) {
  View& view = context.view();
  if (wanted.name.empty()) return unexpected("port name must not be empty string");
  if (context.has("--may-exist"))
    if (auto existing = find_port(view, wanted.name); existing && !existing->local)
      return check_existing(context, wanted, *existing);
  OVS_TRY_DO(check_name_is_free(view, wanted.name, "a port named " + wanted.name));
  for (const std::string& name : wanted.interfaces) OVS_TRY_DO(check_interface_is_free(view, name));
  OVS_TRY(Bridge bridge, get_bridge(view, wanted.bridge));

  std::vector<Atom> interfaces;
  for (const std::string& name : wanted.interfaces) {
    Row* interface = view.insert("Interface");
    view.set(interface, "name", Datum(Atom(name)));
    context.attempt().new_interfaces.push_back(interface);
    interfaces.emplace_back(interface->uuid());
  }
  Row* port = view.insert("Port");
  view.set(port, "name", Datum(Atom(wanted.name)));
  view.set(port, "interfaces", Datum::set_of(AtomType::uuid, std::move(interfaces)));
  if (wanted.fake_interface) view.set(port, "bond_fake_iface", Datum(Atom(true)));
  // The port goes onto a bridge that may be deleted, or a VLAN that may change, before the change
  // arrives at the server.
  view.verify(bridge.row, "name");
  if (bridge.fake()) {
    view.verify(bridge.fake_port, "tag");
    view.set(port, "tag", Datum(Atom(bridge.vlan)));
  }
  for (const std::string& setting : wanted.settings) OVS_TRY_DO(set_column(context, port, wanted.name, setting));
  view.insert_elements(bridge.row, "ports", Datum(Atom(port->uuid())));
  return {};
}

}  // namespace

bool add_port_needs_schema(const Invocation& invocation) { return invocation.arguments.size() > 2; }

bool add_bond_needs_schema(const Invocation& invocation) {
  return std::ranges::any_of(invocation.arguments, is_setting);
}

void prepare_add_port(Context& context) {
  fetch_bridge(context, context.arg(0));
  fetch_name(context, context.arg(1));
  fetch_interface(context, context.arg(1));
}

Result<void> run_add_port(Context& context) {
  return add_port(context, {context.arg(0), context.arg(1), {context.arg(1)}, context.args_from(2), false});
}

void prepare_add_bond(Context& context) {
  fetch_bridge(context, context.arg(0));
  fetch_name(context, context.arg(1));
  auto words = context.args_from(2);
  for (const std::string& name : words.first(words.size() - settings_of_bond(words).size()))
    fetch_interface(context, name);
}

Result<void> run_add_bond(Context& context) {
  auto words = context.args_from(2);
  auto settings = settings_of_bond(words);
  auto names = words.first(words.size() - settings.size());
  if (names.size() < 2)
    return unexpected(fmt::format("add-bond requires at least 2 interfaces, but only {} were specified",
                                  names.size()));
  return add_port(context, {context.arg(0), context.arg(1), {names.begin(), names.end()}, settings,
                            context.has("--fake-iface")});
}

void prepare_last_port(Context& context) {
  const std::string& name = context.arg(context.count() - 1);
  fetch_name(context, name);
  context.fetch(Query::equal("Port", "fake_bridge", Atom(true), {"name", "tag", "fake_bridge"}));
  if (context.has("--with-iface")) fetch_interface(context, name);
  if (context.count() == 2) fetch_bridge(context, context.arg(0));
}

Result<void> run_del_port(Context& context) {
  View& view = context.view();
  bool must_exist = !context.has("--if-exists");
  bool with_interface = context.has("--with-iface");
  const std::string& name = context.arg(context.count() - 1);
  std::optional<Bridge> given;
  if (context.count() == 2) {
    OVS_TRY(Bridge bridge, get_bridge(view, context.arg(0)));
    given = std::move(bridge);
  }

  auto port = find_port(view, name);
  if (with_interface && !port)
    if (auto found = find_interface(view, name)) port = found->in;
  if (!port || port->local) {
    if (!must_exist) return {};
    if (port)
      return unexpected(
          fmt::format("cannot delete port {0} because it is the local port for bridge {1} (deleting this port "
                      "requires deleting the entire bridge)",
                      name, port->bridge.name));
    return unexpected(fmt::format("no port{} named {}", with_interface ? " or interface" : "", name));
  }
  if (given && given->name != port->bridge.name) {
    std::string text = fmt::format("bridge {} does not have a port {}", given->name, name);
    if (port->bridge.fake() && view.text(port->bridge.row, "name") == given->name)
      text += fmt::format(" (although its child bridge {} does)", port->bridge.name);
    if (given->fake() && view.text(given->row, "name") == port->bridge.name)
      text += fmt::format(" (although its parent bridge {} does)", port->bridge.name);
    return unexpected(std::move(text));
  }
  delete_port(view, port->bridge.row, port->port);
  return {};
}

Result<void> run_port_to_br(Context& context) {
  OVS_TRY(PortInBridge port, get_port(context.view(), context.arg(0)));
  context.print(port.bridge.name);
  return {};
}

Result<void> run_list_ports(Context& context) {
  View& view = context.view();
  OVS_TRY(Bridge bridge, get_bridge(view, context.arg(0)));
  for (const std::string& name : sorted_names(view, ports_of(view, bridge))) context.print(name);
  return {};
}

void prepare_bond_iface(Context& context) {
  fetch_interface(context, context.arg(context.count() - 1));
  if (context.count() == 2) fetch_name(context, context.arg(0));
  context.fetch(Query::equal("Port", "fake_bridge", Atom(true), {"name", "tag", "fake_bridge"}));
}

Result<void> run_add_bond_iface(Context& context) {
  View& view = context.view();
  const std::string& name = context.arg(1);
  OVS_TRY(PortInBridge port, get_port(view, context.arg(0)));
  if (context.has("--may-exist")) {
    if (auto existing = find_interface(view, name)) {
      if (existing->in.port == port.port) return {};
      return unexpected(fmt::format("\"{}\" but {} is actually attached to port {}", context.spelled(), name,
                                    view.text(existing->in.port, "name")));
    }
  }
  OVS_TRY_DO(check_interface_is_free(view, name));
  Row* interface = view.insert("Interface");
  view.set(interface, "name", Datum(Atom(name)));
  context.attempt().new_interfaces.push_back(interface);
  view.verify(port.port, "name");
  view.insert_elements(port.port, "interfaces", Datum(Atom(interface->uuid())));
  return {};
}

Result<void> run_del_bond_iface(Context& context) {
  View& view = context.view();
  const std::string& name = context.arg(context.count() - 1);
  std::optional<PortInBridge> given;
  if (context.count() == 2) {
    OVS_TRY(PortInBridge port, get_port(view, context.arg(0)));
    given = std::move(port);
  }
  auto found = find_interface(view, name);
  if (!found || found->in.local) {
    if (context.has("--if-exists")) return {};
    return unexpected(fmt::format("no interface named {}", name));
  }
  Row* port = found->in.port;
  if (given && given->port != port)
    return unexpected(fmt::format("port {} does not have an interface {}", context.arg(0), name));
  if (view.get(port, "interfaces").size() <= 1)
    return unexpected(
        fmt::format("cannot delete last interface from port {}", view.text(port, "name")));
  // Another call must not take the other one away meanwhile.
  view.verify(port, "interfaces");
  view.erase_elements(port, "interfaces", Datum(Atom(found->interface->uuid())));
  view.erase(found->interface);
  return {};
}

Result<void> run_list_ifaces(Context& context) {
  View& view = context.view();
  OVS_TRY(Bridge bridge, get_bridge(view, context.arg(0)));
  Query questions[] = {Query::equal("Bridge", "_uuid", Atom(bridge.row->uuid()), {"name", "ports"}),
                       Query::all("Port", {"name", "tag", "fake_bridge", "interfaces"}),
                       Query::all("Interface", {"name"})};
  view.prefetch(questions);
  std::vector<Row*> interfaces;
  for (Row* port : ports_of(view, bridge))
    for (Row* interface : rows_of(view, port, "interfaces", "Interface", {"name"}))
      interfaces.push_back(interface);
  for (const std::string& name : sorted_names(view, interfaces)) context.print(name);
  return {};
}

Result<void> run_iface_to_br(Context& context) {
  OVS_TRY(InterfaceInPort found, get_interface(context.view(), context.arg(0)));
  context.print(found.in.bridge.name);
  return {};
}

}  // namespace ovs::vsctl
