#include "vsctl/schema.h"

#include <gtest/gtest.h>

#include "ovsdb/schema.h"

namespace ovs::vsctl {
namespace {

std::shared_ptr<const ovsdb::DatabaseSchema> switch_schema() {
  auto schema = ovsdb::read_schema_file(OVS_SCHEMA_FILE);
  EXPECT_TRUE(schema) << schema.error().message;
  return *schema;
}

TEST(VsctlSchema, KnownColumnsAreThoseOfTheSchema) {
  auto schema = switch_schema();
  for (const auto& table : known_tables()) {
    auto ok = dbclient::check_declaration(table, *schema);
    EXPECT_TRUE(ok) << ok.error().message;
  }
  EXPECT_EQ(schema->version, known_schema_version);
}

TEST(VsctlSchema, RecordNamesNameWhatIsThere) {
  auto schema = switch_schema();
  for (const RecordName& r : record_names()) {
    ASSERT_TRUE(schema->find(r.table)) << r.table;
    if (r.name_table.empty()) continue;
    const auto* table = schema->find(r.name_table);
    ASSERT_TRUE(table) << r.name_table;
    EXPECT_TRUE(table->find(r.name_column)) << r.name_column;
    if (r.via.empty()) continue;
    const auto* via = table->find(r.via);
    ASSERT_TRUE(via) << r.via;
    EXPECT_EQ(via->type.key.ref_table, r.table);
  }
}

TEST(VsctlSchema, TablesByNameAndBeginning) {
  auto schema = switch_schema();
  auto table = [&](std::string_view name) {
    auto r = find_table(*schema, name);
    return r ? (*r)->name : r.error().message;
  };
  EXPECT_EQ(table("Bridge"), "Bridge");
  EXPECT_EQ(table("bridge"), "Bridge");
  EXPECT_EQ(table("b"), "Bridge");
  EXPECT_EQ(table("n"), "NetFlow");
  EXPECT_EQ(table("open-vswitch"), "Open_vSwitch");
  EXPECT_EQ(table("ct-z"), "CT_Zone");
  EXPECT_EQ(table("q"), "\"q\" matches multiple table names: QoS, Queue");
  EXPECT_EQ(table("brdge"), "unknown table \"brdge\"; did you mean \"Bridge\"?");
  EXPECT_EQ(table("prot"), "unknown table \"prot\"; did you mean \"Port\"?");
  EXPECT_EQ(table("zone"), "unknown table \"zone\"; did you mean \"CT_Zone\"?");
  EXPECT_EQ(table("iface"), "unknown table \"iface\"; did you mean \"Interface\"?");
  for (std::string_view name : {"pro", "xyzzy"})
    EXPECT_EQ(table(name), "unknown table \"" + std::string(name) +
                               "\"; the tables are AutoAttach, Bridge, CT_Timeout_Policy, CT_Zone, Controller, Datapath, "
                               "Flow_Sample_Collector_Set, Flow_Table, IPFIX, Interface, Manager, Mirror, NetFlow, "
                               "Open_vSwitch, Port, QoS, Queue, SSL, sFlow");
}

TEST(VsctlSchema, ColumnsByNameAndBeginning) {
  auto schema = switch_schema();
  auto column = [&](std::string_view name) {
    auto r = find_column(*schema->find("Bridge"), name);
    return r ? (*r)->name : r.error().message;
  };
  EXPECT_EQ(column("other-config"), "other_config");
  EXPECT_EQ(column("FAIL"), "fail_mode");
  EXPECT_EQ(column("_uuid"), "_uuid");
  EXPECT_EQ(column("name"), "name");
  EXPECT_EQ(column("f"), "Bridge contains more than one column whose name matches \"f\": "
                         "fail_mode, flood_vlans, flow_tables");
  EXPECT_EQ(column("faill_mode"),
            "Bridge does not contain a column whose name matches \"faill_mode\"; did you mean \"fail_mode\"?");
  EXPECT_EQ(column("enable"), "Bridge does not contain a column whose name matches \"enable\"; did you mean "
                              "\"mcast_snooping_enable\" or \"rstp_enable\" or \"stp_enable\"?");
  EXPECT_EQ(column("vlan_ports"), "Bridge does not contain a column whose name matches \"vlan_ports\"; did you mean "
                                  "\"ports\"?");
  EXPECT_EQ(column("_version"), "Bridge does not contain a column whose name matches \"_version\"; did you mean "
                                "\"datapath_version\"?");
  EXPECT_EQ(column("xyzzy"), "Bridge does not contain a column whose name matches \"xyzzy\"; "
                             "see ovs-vswitchd.conf.db(5) for its columns");
}

}  // namespace
}  // namespace ovs::vsctl
