#include "conf/kind.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/check.h"
#include "base/paths.h"

namespace ovs::conf {

namespace {

constexpr std::array<Kind, 13> all{{
    {Id::root, "switch", "Open_vSwitch", Id::root, "", ""},
    {Id::bridge, "bridge", "Bridge", Id::root, "bridges", "name"},
    {Id::port, "port", "Port", Id::bridge, "ports", "name"},
    {Id::interface, "interface", "Interface", Id::port, "interfaces", "name"},
    {Id::controller, "controller", "Controller", Id::bridge, "controller", "target"},
    {Id::mirror, "mirror", "Mirror", Id::bridge, "mirrors", "name"},
    {Id::netflow, "NetFlow", "NetFlow", Id::bridge, "netflow", ""},
    {Id::sflow, "sFlow", "sFlow", Id::bridge, "sflow", ""},
    {Id::ipfix, "IPFIX", "IPFIX", Id::bridge, "ipfix", ""},
    {Id::qos, "QoS", "QoS", Id::port, "qos", ""},
    {Id::queue, "queue", "Queue", Id::qos, "queues", "", true},
    {Id::manager, "manager", "Manager", Id::root, "manager_options", "target"},
    {Id::ssl, "SSL", "SSL", Id::root, "ssl", ""},
}};

// What the switch writes although the schema does not call it ephemeral.
struct State {
  std::string_view table, column;
};
constexpr State states[] = {
    {"Open_vSwitch", "next_cfg"},        {"Open_vSwitch", "cur_cfg"},       {"Open_vSwitch", "ovs_version"},
    {"Open_vSwitch", "db_version"},      {"Open_vSwitch", "system_type"},   {"Open_vSwitch", "system_version"},
    {"Open_vSwitch", "datapath_types"},  {"Open_vSwitch", "iface_types"},   {"Open_vSwitch", "dpdk_initialized"},
    {"Open_vSwitch", "dpdk_version"},    {"Open_vSwitch", "datapaths"},     {"Bridge", "datapath_version"},
    {"Port", "bond_active_slave"},       {"Interface", "ofport"},           {"Interface", "error"},
    {"Interface", "cfm_flap_count"},
};

// Of these, what says how far the switch and the database server are, and what they can do.
constexpr State reports[] = {
    {"Open_vSwitch", "next_cfg"},       {"Open_vSwitch", "cur_cfg"}, {"Open_vSwitch", "datapath_types"},
    {"Open_vSwitch", "iface_types"},    {"Interface", "error"},      {"Interface", "ofport"},
    {"Manager", "status"},
};

bool is_report(std::string_view table, std::string_view column) {
  return std::ranges::any_of(reports, [&](const State& s) { return s.table == table && s.column == column; });
}

bool is_reference(const ovsdb::ColumnType& type) {
  return type.key.type == ovsdb::AtomType::uuid || type.value.type == ovsdb::AtomType::uuid;
}

}  // namespace

std::span<const Kind> kinds() { return all; }

const Kind& kind(Id id) {
  const Kind& k = all[static_cast<std::size_t>(id)];
  OVS_CHECK(k.id == id);
  return k;
}

bool is_state(std::string_view table, const ovsdb::ColumnSchema& column) {
  return !column.persistent || std::ranges::any_of(states, [&](const State& s) {
    return s.table == table && s.column == column.name;
  });
}

bool names_ports(const ovsdb::ColumnSchema& column) {
  return column.type.key.ref_table == "Port" && column.type.key.is_weak_ref();
}

bool is_setting(const Kind& kind, const ovsdb::ColumnSchema& column) {
  if (column.index < ovsdb::first_column || is_state(kind.table, column)) return false;
  if (names_ports(column)) return true;
  // What tells records apart comes from the name of the variable; a mirror's name may also be given.
  if (column.name == kind.key) return kind.id == Id::mirror;
  return !is_reference(column.type);
}

std::vector<dbclient::TableDecl> declarations(const ovsdb::DatabaseSchema& schema) {
  std::vector<std::string> tables;
  for (const Kind& k : all) tables.emplace_back(k.table);
  // What belongs to them comes along, so that it can be put back.
  for (std::size_t i = 0; i < tables.size(); i++) {
    const ovsdb::TableSchema* table = schema.find(tables[i]);
    if (!table) continue;
    for (const ovsdb::ColumnSchema& column : table->columns) {
      if (is_state(table->name, column)) continue;
      for (const ovsdb::BaseType* type : {&column.type.key, &column.type.value})
        if (type->is_strong_ref() && std::ranges::find(tables, type->ref_table) == tables.end())
          tables.push_back(type->ref_table);
    }
  }
  std::vector<dbclient::TableDecl> out;
  for (const std::string& name : tables) {
    const ovsdb::TableSchema* table = schema.find(name);
    if (!table) continue;
    dbclient::TableDecl declaration{name, {}};
    for (const ovsdb::ColumnSchema& column : table->columns) {
      if (column.index < ovsdb::first_column || (is_state(name, column) && !is_report(name, column.name))) continue;
      declaration.columns.push_back({column.name, column.type});
    }
    out.push_back(std::move(declaration));
  }
  return out;
}

Result<std::shared_ptr<const ovsdb::DatabaseSchema>> installed_schema() {
  return ovsdb::read_schema_file(pkgdatadir() + "/vswitch.ovsschema");
}

}  // namespace ovs::conf
