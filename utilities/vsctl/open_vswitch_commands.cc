#include <fmt/core.h>

#include <algorithm>

#include "vsctl/handlers.h"
#include "vsctl/model.h"

namespace ovs::vsctl {

namespace {

// One line of `show`: "COLUMN: VALUE", unless the value is the default.
void show_column(Context& context, Row* row, std::string_view column, int indent) {
  const ovsdb::ColumnSchema* c = row->table().find(column);
  if (!c) return;
  Datum value = context.view().get(row, column);
  if (value.is_default(c->type)) return;
  context.print(fmt::format("{:{}}{}: {}", "", indent, column, value.to_text(c->type)));
}

std::string label(View& view, Row* row, std::string_view column) {
  return Atom(view.text(row, column)).view().to_text();
}

std::vector<Row*> sorted_by(View& view, std::vector<Row*> rows, std::string_view column) {
  if (rows.size() < 2) return rows;
  std::vector<std::pair<std::string, Row*>> keyed;
  keyed.reserve(rows.size());
  for (Row* row : rows) keyed.emplace_back(view.text(row, column), row);
  std::ranges::sort(keyed);
  std::ranges::transform(keyed, rows.begin(), [](const auto& entry) { return entry.second; });
  return rows;
}

void show_connections(Context& context, Row* owner, std::string_view column, std::string_view table, int indent) {
  View& view = context.view();
  for (Row* row : sorted_by(view, rows_of(view, owner, column, table, {"target", "is_connected"}), "target")) {
    context.print(fmt::format("{:{}}{} {}", "", indent, table, label(view, row, "target")));
    show_column(context, row, "is_connected", indent + 4);
  }
}

}  // namespace

Result<void> run_init(Context& context) {
  context.root();
  return {};
}

void prepare_show(Context& context) {
  context.fetch(Query::all("Open_vSwitch", {"manager_options", "bridges", "ovs_version"}));
  context.fetch(Query::all("Manager", {"target", "is_connected"}));
  context.fetch(Query::all("Controller", {"target", "is_connected"}));
  context.fetch(Query::all("Bridge", {"name", "controller", "fail_mode", "datapath_type", "ports"}));
  context.fetch(Query::all("Port", {"name", "tag", "trunks", "interfaces"}));
  context.fetch(Query::all("Interface", {"name", "type", "options", "error"}));
}

Result<void> run_show(Context& context) {
  View& view = context.view();
  Row* root = context.root();
  context.print(root->uuid().to_string());
  show_connections(context, root, "manager_options", "Manager", 4);
  for (Row* bridge : sorted_by(view, rows_of(view, root, "bridges", "Bridge", {"name"}), "name")) {
    context.print(fmt::format("    Bridge {}", label(view, bridge, "name")));
    show_connections(context, bridge, "controller", "Controller", 8);
    show_column(context, bridge, "fail_mode", 8);
    show_column(context, bridge, "datapath_type", 8);
    for (Row* port : sorted_by(view, rows_of(view, bridge, "ports", "Port", {"name"}), "name")) {
      context.print(fmt::format("        Port {}", label(view, port, "name")));
      show_column(context, port, "tag", 12);
      show_column(context, port, "trunks", 12);
      for (Row* interface : sorted_by(view, rows_of(view, port, "interfaces", "Interface", {"name"}), "name")) {
        context.print(fmt::format("            Interface {}", label(view, interface, "name")));
        for (std::string_view column : {"type", "options", "error"}) show_column(context, interface, column, 16);
      }
    }
  }
  show_column(context, root, "ovs_version", 4);
  return {};
}

Result<void> run_emer_reset(Context& context) {
  View& view = context.view();
  context.root();
  // Sets a column of every row of a table to its empty value, but for the keys that are kept.
  auto clear = [&](std::string_view table, std::string_view column, std::string_view kept_key = {}) {
    for (Row* row : view.find(Query::all(table, {std::string(column)}))) {
      const ovsdb::ColumnSchema* c = row->table().find(column);
      if (!c) continue;
      Datum old = view.get(row, column);
      Datum empty(c->type.key.type, c->type.value.type);
      if (!kept_key.empty())
        if (auto at = old.find(Atom(kept_key))) empty.insert(Atom(old.key(*at)), Atom(old.value(*at)), true);
      view.set(row, column, std::move(empty));
    }
  };
  clear("Open_vSwitch", "manager_options");
  clear("Open_vSwitch", "ssl");
  clear("Open_vSwitch", "other_config");
  for (std::string_view column : {"controller", "fail_mode", "mirrors", "netflow", "sflow", "ipfix"})
    clear("Bridge", column);
  clear("Bridge", "other_config", "hwaddr");
  for (std::string_view table : {"Port", "Interface", "Mirror", "QoS", "Queue"}) clear(table, "other_config");
  for (std::string_view table : {"Controller", "Manager", "SSL", "NetFlow", "sFlow", "IPFIX", "Mirror"})
    for (Row* row : view.find(Query::all(table))) view.erase(row);
  return {};
}

}  // namespace ovs::vsctl
