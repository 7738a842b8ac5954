#include "vswitchd/settings.h"

#include <gtest/gtest.h>

#include "flow/address.h"
#include "ovsdb/schema.h"
#include "vswitchd/host.h"
#include "vswitchd/rows.h"
#include "vswitchd/stored_settings.h"

namespace ovs::vswitchd {
namespace {

using ofproto::PriorityTags;
using ofproto::VlanMode;

TEST(Rows, AgreeWithTheSchema) {
  const auto schema = ovsdb::read_schema_file(OVS_SCHEMA_FILE);
  ASSERT_TRUE(schema) << schema.error().message;
  const auto all = declarations();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[root_table].name, "Open_vSwitch");
  EXPECT_EQ(all[interface_table].name, "Interface");
  EXPECT_EQ(all[sflow_table].name, "sFlow");
  for (const auto& declaration : all) {
    const auto checked = dbclient::check_declaration(declaration, **schema);
    EXPECT_TRUE(checked) << checked.error().message;
  }
}

TEST(StoredSettings, AreNamed) {
  const auto complaints = [](std::string_view table, const StringMap& other_config) {
    Complaints all;
    complain_of_stored_settings(table, other_config, all);
    return all;
  };
  EXPECT_EQ(complaints("Open_vSwitch", {{"pmd-auto-lb-load-threshold", "50"}, {"dpdk-socket-mem", "1024"}}),
            (Complaints{"other_config:dpdk-socket-mem is not supported yet: there is no DPDK in this switch",
                        "other_config:pmd-auto-lb-load-threshold is not supported yet: receive queues are spread "
                        "evenly over the forwarding threads"}));
  // What is in force, what others keep there, what asks for nothing, and what belongs to another table.
  EXPECT_EQ(complaints("Open_vSwitch", {{"max-idle", "1000"}, {"mine", "1"}, {"pmd", "1"}, {"dpdk-init", "false"},
                                        {"pmd-maxsleep", "0"}, {"pmd-rxq-affinity", "0:1"}}),
            Complaints{});
  EXPECT_EQ(complaints("Interface", {{"pmd-rxq-affinity", "0:1"}, {"tx-steering", "thread"}}).size(), 1U);
  // What is on when nobody says so.
  EXPECT_EQ(complaints("Open_vSwitch", {{"pmd-rxq-isolate", "true"}, {"emc-insert-inv-prob", "100"}}), Complaints{});
  EXPECT_EQ(complaints("Open_vSwitch", {{"pmd-rxq-isolate", "false"}, {"emc-insert-inv-prob", "0"}}).size(), 2U);
  EXPECT_EQ(complaints("Interface", {{"emc-enable", "true"}}), Complaints{});
  EXPECT_EQ(complaints("Interface", {{"emc-enable", "false"}}).size(), 1U);
}

ofproto::BundleConfig bundle(PortColumns columns, Complaints* complaints = nullptr) {
  Complaints mine;
  auto config = bundle_config(columns, complaints ? *complaints : mine);
  EXPECT_EQ(mine, Complaints{});
  return config;
}

TEST(BundleConfig, ModeFollowsTheTag) {
  EXPECT_EQ(bundle({}).vlan_mode, VlanMode::trunk);
  EXPECT_TRUE(bundle({}).trunks.all());
  EXPECT_TRUE(bundle({}).cvlans.all());
  const auto access = bundle({.tag = 7});
  EXPECT_EQ(access.vlan_mode, VlanMode::access);
  EXPECT_EQ(access.vlan, 7);
}

TEST(BundleConfig, Trunks) {
  const auto config = bundle({.trunks = {1, 4095}});
  EXPECT_EQ(config.trunks.count(), 2U);
  EXPECT_TRUE(config.trunks[1] && config.trunks[4095]);
}

TEST(BundleConfig, NativeVlanIsCarriedAlways) {
  for (const char* mode : {"native-tagged", "native-untagged"}) {
    const auto config = bundle({.vlan_mode = mode, .tag = 9, .trunks = {1}});
    EXPECT_EQ(config.vlan, 9);
    EXPECT_EQ(config.trunks.count(), 2U);
    EXPECT_TRUE(config.trunks[9]);
  }
}

TEST(BundleConfig, Tunnel) {
  const auto config = bundle({.vlan_mode = "dot1q-tunnel", .tag = 5, .cvlans = {8}});
  EXPECT_EQ(config.vlan_mode, VlanMode::dot1q_tunnel);
  EXPECT_EQ(config.vlan, 5);
  EXPECT_EQ(config.cvlans.count(), 1U);
  EXPECT_EQ(config.qinq_ethertype.host(), 0x88a8);
  EXPECT_EQ(bundle({.vlan_mode = "dot1q-tunnel", .tag = 5, .other_config = {{"qinq-ethtype", "802.1q"}}})
                .qinq_ethertype.host(),
            0x8100);
}

TEST(BundleConfig, PriorityTags) {
  const auto of = [](const char* text) {
    return bundle({.other_config = {{"priority-tags", text}}}).priority_tags;
  };
  EXPECT_EQ(bundle({}).priority_tags, PriorityTags::no);
  EXPECT_EQ(of("never"), PriorityTags::no);
  EXPECT_EQ(of("if-nonzero"), PriorityTags::if_nonzero);
  EXPECT_EQ(of("true"), PriorityTags::if_nonzero);
  EXPECT_EQ(of("always"), PriorityTags::always);
}

TEST(BundleConfig, NonsenseIsSafeAndTold) {
  const auto complaint = [](const PortColumns& columns) {
    Complaints complaints;
    bundle_config(columns, complaints);
    EXPECT_EQ(complaints.size(), 1U);
    return complaints.empty() ? "" : complaints[0];
  };
  EXPECT_EQ(complaint({.vlan_mode = "trunk", .tag = 3}), "a trunk has no tag: it is ignored");
  EXPECT_EQ(complaint({.vlan_mode = "access"}), "vlan_mode access without a tag: VLAN 0 is used");
  EXPECT_EQ(complaint({.tag = 3, .trunks = {1}}), "trunks are ignored: the port carries VLAN 3 alone");
  EXPECT_EQ(complaint({.vlan_mode = "crazy"}), "vlan_mode crazy is not known: trunk is used");
  EXPECT_EQ(complaint({.other_config = {{"priority-tags", "maybe"}}}),
            "other_config:priority-tags=maybe is none of never, if-nonzero and always: never is used");
  EXPECT_EQ(complaint({.vlan_mode = "dot1q-tunnel", .tag = 1, .other_config = {{"qinq-ethtype", "x"}}}),
            "other_config:qinq-ethtype=x is neither 802.1ad nor 802.1q: 802.1ad is used");
  Complaints complaints;
  EXPECT_EQ(bundle_config({.vlan_mode = "trunk", .tag = 3}, complaints).vlan, 0);
  EXPECT_TRUE(bundle_config({.tag = 3, .trunks = {1}}, complaints).trunks.all());
}

TEST(BridgeConfig, Defaults) {
  Complaints complaints;
  EXPECT_EQ(bridge_config({}, complaints), ofproto::BridgeConfig{});
  EXPECT_EQ(complaints, Complaints{});
}

TEST(BridgeConfig, Values) {
  Complaints complaints;
  const auto config = bridge_config({.fail_mode = "secure",
                                     .has_controller = true,
                                     .flood_vlans = {3, 5},
                                     .other_config = {{"forward-bpdu", "true"}, {"mac-aging-time", "60"},
                                                      {"mac-table-size", "100"}}},
                                    complaints);
  EXPECT_EQ(config.fail_mode, ofproto::FailMode::secure);
  EXPECT_TRUE(config.has_controller);
  EXPECT_EQ(config.flood_vlans.count(), 2U);
  EXPECT_TRUE(config.forward_bpdu);
  EXPECT_EQ(config.mac_aging_time.count(), 60);
  EXPECT_EQ(config.mac_table_size, 100U);
  EXPECT_EQ(complaints, Complaints{});
}

TEST(BridgeConfig, ValuesOutOfRange) {
  Complaints complaints;
  const auto config =
      bridge_config({.other_config = {{"mac-aging-time", "1"}, {"mac-table-size", "many"}}}, complaints);
  EXPECT_EQ(config.mac_aging_time.count(), 15);
  EXPECT_EQ(config.mac_table_size, 8192U);
  EXPECT_EQ(complaints, (Complaints{"other_config:mac-aging-time=1 is not from 15 to 3600: 15 is used",
                                    "other_config:mac-table-size=many is no number: 8192 is used"}));
}

TEST(DatapathId, Forms) {
  EXPECT_EQ(parse_datapath_id("0000000000000abc"), 0xabcU);
  EXPECT_EQ(parse_datapath_id("0x123"), 0x123U);
  EXPECT_EQ(parse_datapath_id("0xffffffffffffffff"), ~std::uint64_t{0});
  for (const char* bad : {"", "123", "0x", "0x0", "0000000000000000", "zz", "0x12345678901234567", "000000000000000g"})
    EXPECT_EQ(parse_datapath_id(bad), std::nullopt) << bad;
  EXPECT_EQ(format_datapath_id(0xabc), "0000000000000abc");
  EXPECT_EQ(datapath_id_of(*flow::parse_eth("00:01:02:03:04:05")), 0x000102030405U);
}

// What a row means, in one line.
std::string sflow(SflowColumns columns, std::string* complaint = nullptr) {
  if (columns.targets.empty()) columns.targets = {"10.0.0.1:6343"};
  Complaints complaints;
  const auto config = sflow_config(columns, complaints);
  if (complaint)
    *complaint = complaints.empty() ? "" : complaints.front();
  else
    EXPECT_EQ(complaints, Complaints{});
  if (!config) return "nothing";
  std::string text;
  for (const telemetry::Target& target : config->targets) text += target.host + ":" + std::to_string(target.port) + " ";
  return text + "agent=" + config->agent + " sampling=" + std::to_string(config->sampling) +
         " header=" + std::to_string(config->header_bytes) + " polling=" + std::to_string(config->polling.count());
}

TEST(SflowConfig, DefaultsAndValues) {
  EXPECT_EQ(sflow({}), "10.0.0.1:6343 agent= sampling=400 header=128 polling=30");
  EXPECT_EQ(sflow({.targets = {"10.0.0.2", "[::1]:99"}, .agent = "eth1", .header = 64, .sampling = 1, .polling = 10}),
            "10.0.0.2:6343 ::1:99 agent=eth1 sampling=1 header=64 polling=10");
  EXPECT_EQ(sflow({.header = 0, .sampling = 0, .polling = 0}), "10.0.0.1:6343 agent= sampling=0 header=0 polling=0");
}

TEST(SflowConfig, WhatMakesNoSenseIsSaid) {
  std::string complaint;
  EXPECT_EQ(sflow({.header = 65536}, &complaint), "10.0.0.1:6343 agent= sampling=400 header=1024 polling=30");
  EXPECT_EQ(complaint, "sFlow header=65536 is not from 0 to 1024: 1024 is used");
  EXPECT_EQ(sflow({.sampling = std::int64_t{1} << 32}, &complaint),
            "10.0.0.1:6343 agent= sampling=4294967295 header=128 polling=30");
  EXPECT_EQ(complaint, "sFlow sampling=4294967296 is not from 0 to 4294967295: 4294967295 is used");
  EXPECT_EQ(sflow({.polling = -1}, &complaint), "10.0.0.1:6343 agent= sampling=400 header=128 polling=30");
  EXPECT_EQ(complaint, "sFlow polling=-1 is not from 0 to 31536000: 30 is used");
  EXPECT_EQ(sflow({.targets = {"10.0.0.1:99999", "10.0.0.2"}}, &complaint),
            "10.0.0.2:6343 agent= sampling=400 header=128 polling=30");
  EXPECT_EQ(complaint,
            "sFlow target 10.0.0.1:99999: \"99999\" is not a port number (1 to 65535): it is left out");
  EXPECT_EQ(sflow({.targets = {":1"}}, &complaint), "nothing");
}

TEST(Mac, WhatALocalPortMayTakeOver) {
  EXPECT_TRUE(is_lendable(*flow::parse_eth("00:16:3e:00:00:01")));
  for (const char* bad : {"00:00:00:00:00:00", "02:00:00:00:00:01", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"})
    EXPECT_FALSE(is_lendable(*flow::parse_eth(bad))) << bad;
}

TEST(DeviceName, Possible) {
  EXPECT_EQ(device_name_error("eth0"), "");
  EXPECT_EQ(device_name_error("123456789012345"), "");
  EXPECT_EQ(device_name_error("1234567890123456"), "the name has 16 bytes, at most 15 are possible");
  EXPECT_EQ(device_name_error(""), "the name is empty");
  for (const char* bad : {".", "..", "a/b", "a b", "a:b"})
    EXPECT_EQ(device_name_error(bad), "no network device can have this name") << bad;
}

TEST(Values, OfMaps) {
  const StringMap map{{"yes", "true"}, {"no", "false"}, {"odd", "perhaps"}, {"seven", "7"}};
  EXPECT_TRUE(get_bool(map, "yes", false));
  EXPECT_FALSE(get_bool(map, "no", true));
  EXPECT_FALSE(get_bool(map, "odd", false));
  EXPECT_TRUE(get_bool(map, "odd", true));
  EXPECT_TRUE(get_bool(map, "absent", true));
}

TEST(Values, NumbersOfMaps) {
  const StringMap map{{"odd", "perhaps"}, {"seven", "7"}};
  Complaints complaints;
  EXPECT_EQ(get_number(map, "absent", 1, 0, 9, complaints), 1);
  EXPECT_EQ(get_number(map, "seven", 1, 0, 9, complaints), 7);
  EXPECT_EQ(complaints, Complaints{});
  EXPECT_EQ(get_number(map, "odd", 1, 0, 9, complaints), 1);
  EXPECT_EQ(get_number(map, "seven", 1, 8, 9, complaints), 8);
  EXPECT_EQ(get_number(map, "seven", 1, 0, 6, complaints), 6);
  EXPECT_EQ(complaints, (Complaints{"other_config:odd=perhaps is no number: 1 is used",
                                    "other_config:seven=7 is not from 8 to 9: 8 is used",
                                    "other_config:seven=7 is not from 0 to 6: 6 is used"}));
}

TEST(Addresses, OfBridges) {
  const auto id = *Uuid::parse("f13a2d80-8f6b-4d1c-9a0b-ff0203040506");
  // Its own, which nobody takes over.
  EXPECT_EQ(flow::format_eth(mac_of_bridge(id)), "fe:02:03:04:05:06");
  EXPECT_FALSE(is_lendable(mac_of_bridge(id)));
}

TEST(Host, OsRelease) {
  const auto system = parse_os_release("NAME=\"Gentoo Linux\"\nID=gentoo\nVERSION_ID=\"2.17\"\n");
  EXPECT_EQ(system.type, "gentoo");
  EXPECT_EQ(system.version, "2.17");
  EXPECT_EQ(parse_os_release("PRETTY_NAME='x'\nID='a\\'b'\n").type, "a'b");
  EXPECT_EQ(parse_os_release("").version, "unknown");
}

}  // namespace
}  // namespace ovs::vswitchd
