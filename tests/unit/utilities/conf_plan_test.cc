#include "conf/plan.h"

#include <gtest/gtest.h>

#include "conf/describe.h"
#include "conf/undo.h"
#include "unit/utilities/conf_world.h"

namespace ovs::conf {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;
using V = std::vector<std::string>;

const Lines two_bridges{{"ovs_bridges", "br0 br1"},
                        {"ovs_ports_br0", "tap0 bond0"},
                        {"ovs_ports_br1", "tap1"},
                        {"ovs_port_tap0", "tag=1 other_config:a=b"},
                        {"ovs_bond_bond0", "eth0 eth1"},
                        {"ovs_qos_tap0", "type=linux-htb"},
                        {"ovs_queue_tap0_1", "dscp=3"},
                        {"ovs_mirror_br0_m", "select_src_port=tap0 output_port=bond0"},
                        {"ovs_sflow_br0", "targets=10.0.0.1:6343"},
                        {"ovs_controller_br1", "tcp:10.0.0.1 tcp:10.0.0.2"},
                        {"ovs_manager", "ptcp:6640"}};

Lines without(Lines lines, std::string_view name) {
  std::erase_if(lines, [&](const auto& l) { return l.first == name; });
  return lines;
}
Lines with(Lines lines, const std::string& name, const std::string& value) {
  lines = without(std::move(lines), name);
  lines.emplace_back(name, value);
  return lines;
}

std::string words_of(const World& world, const Lines& lines) {
  return in_words(world.plan(declared(lines)), world.present(), test_schema());
}

TEST(ConfPlan, AnEmptyDatabaseGetsEverythingAndThenNothing) {
  World world;
  world.apply(declared(two_bridges));  // which plans again, for nothing
  EXPECT_EQ(world.names("Bridge"), (V{"br0", "br1"}));
  EXPECT_EQ(world.names("Port"), (V{"bond0", "br0", "br1", "tap0", "tap1"}));
  EXPECT_EQ(world.names("Interface"), (V{"br0", "br1", "eth0", "eth1", "tap0", "tap1"}));
  EXPECT_EQ(world.value("Interface", "br0", "type"), "\"internal\"");
  EXPECT_EQ(world.value("Port", "tap0", "tag"), "1");
  EXPECT_EQ(world.count("QoS"), 1u);
  EXPECT_EQ(world.count("Queue"), 1u);
  EXPECT_EQ(world.count("Controller"), 2u);
  EXPECT_EQ(world.count("Manager"), 1u);
}

TEST(ConfPlan, NothingDeclaredInAnEmptyDatabaseIsNothing) {
  World world;
  EXPECT_TRUE(world.plan(declared({})).empty());
}

TEST(ConfPlan, OnlyWhatDiffersIsTouched) {
  World world;
  world.apply(declared(two_bridges));
  const Plan plan = world.plan(declared(with(two_bridges, "ovs_port_tap0", "tag=2 other_config:a=b")));
  ASSERT_EQ(plan.edits.size(), 1u);
  EXPECT_EQ(plan.edits[0].label(), "port tap0");
  ASSERT_EQ(plan.edits[0].columns.size(), 1u);
  EXPECT_EQ(plan.edits[0].columns.begin()->first, "tag");
  EXPECT_EQ(words_of(world, with(two_bridges, "ovs_port_tap0", "tag=2 other_config:a=b")),
            "change port tap0 of br0: tag=2 (was 1)\n");
}

TEST(ConfPlan, WhatIsNoLongerDeclaredGoes) {
  World world;
  world.apply(declared(two_bridges));
  world.apply(declared(with(two_bridges, "ovs_port_tap0", "")));
  EXPECT_EQ(world.value("Port", "tap0", "tag"), "[\"set\",[]]");
  EXPECT_EQ(world.value("Port", "tap0", "other_config"), "[\"map\",[]]");
  world.apply(declared({}));
  EXPECT_EQ(world.count("Bridge") + world.count("Port") + world.count("Interface") + world.count("QoS") + world.count("Queue") +
                world.count("Controller") + world.count("Manager") + world.count("Mirror") + world.count("sFlow"),
            0u);
}

TEST(ConfPlan, KeepUndeclaredKeeps) {
  World world;
  world.apply(declared(two_bridges));
  EXPECT_TRUE(world.plan(declared({{"ovs_keep_undeclared", "yes"}})).empty());
  EXPECT_TRUE(world.plan(declared(with(with(two_bridges, "ovs_port_tap0", ""), "ovs_keep_undeclared", "yes"))).empty());
}

// A port that somebody adds to br0 with ovs-vsctl.
void add_foreign_port(World& world, const std::string& bridge, const std::string& name) {
  const Uuid interface = world.insert("Interface", "{\"name\":\"" + name + "\"}");
  const Uuid port = world.insert("Port",
                                 "{\"name\":\"" + name + "\",\"interfaces\":[\"uuid\",\"" + interface.to_string() + "\"]}");
  json::array all = array_of(json::array{"uuid", port.to_string()});
  const Datum ports = *world.named("Bridge", bridge).find("ports");
  for (std::size_t i = 0; i < ports.size(); i++) all.push_back(json::array{"uuid", ports.key(i).uuid().to_string()});
  world.set("Bridge", bridge, ovs::to_text(json::object{{"ports", json::array{"set", all}}}));
}

TEST(ConfPlan, WhatOthersPutThereStays) {
  World world;
  world.apply(declared(two_bridges));
  add_foreign_port(world, "br0", "vnet0");
  world.set("Port", "tap0", R"({"vlan_mode":"access"})");
  EXPECT_TRUE(world.plan(declared(two_bridges)).empty());
  // A bridge with somebody's port in it is not removed, but everything of ours in it is.
  const Plan plan = world.apply(declared({}));
  EXPECT_EQ(plan.remarks,
            (V{"bridge br0 stays, although it is not declared: somebody else has put port vnet0 into it"}));
  EXPECT_EQ(world.names("Bridge"), V{"br0"});
  EXPECT_EQ(world.names("Port"), (V{"br0", "vnet0"}));
}

TEST(ConfPlan, WhatWasThereAlreadyIsNotOurs) {
  World world;
  const Uuid root = world.insert("Open_vSwitch", "{}");
  const Uuid bridge = world.insert("Bridge", R"({"name":"br0"})");
  world.put("Open_vSwitch", root, R"({"bridges":["uuid",")" + bridge.to_string() + "\"]}");
  add_foreign_port(world, "br0", "tap0");
  const Lines lines{{"ovs_bridges", "br0"}, {"ovs_ports_br0", "tap0"}, {"ovs_port_tap0", "tag=3"}};
  world.apply(declared(lines));
  EXPECT_EQ(world.value("Port", "tap0", "tag"), "3");
  EXPECT_EQ(world.names("Port"), V{"tap0"});  // nor is a local port made that somebody did not want
  // The setting is ours, the port is not.
  world.apply(declared({}));
  EXPECT_EQ(world.names("Port"), V{"tap0"});
  EXPECT_EQ(world.value("Port", "tap0", "tag"), "[\"set\",[]]");
  EXPECT_EQ(world.value("Port", "tap0", "external_ids"), "[\"map\",[]]");
  // Unless it is adopted.
  world.apply(declared(lines), {.adopt = true});
  world.apply(declared({}));
  EXPECT_EQ(world.count("Port") + world.count("Bridge"), 0u);
}

TEST(ConfPlan, APortMovesWithItsRow) {
  World world;
  world.apply(declared(two_bridges));
  const Uuid before = world.named("Port", "tap0").uuid();
  Lines moved = with(with(two_bridges, "ovs_ports_br0", "bond0"), "ovs_ports_br1", "tap1 tap0");
  EXPECT_EQ(words_of(world, moved), "move port tap0 to bridge br1\n");
  world.apply(declared(moved));
  EXPECT_EQ(world.named("Port", "tap0").uuid(), before);
  EXPECT_EQ(world.count("QoS"), 1u);
}

TEST(ConfPlan, AnInterfaceMovesBetweenPortAndBond) {
  World world;
  world.apply(declared(two_bridges));
  const Uuid eth1 = world.named("Interface", "eth1").uuid();
  Lines apart = with(with(two_bridges, "ovs_bond_bond0", "eth0 eth5"), "ovs_ports_br1", "tap1 eth1");
  world.apply(declared(apart));
  EXPECT_EQ(world.named("Interface", "eth1").uuid(), eth1);
  EXPECT_EQ(world.names("Port"), (V{"bond0", "br0", "br1", "eth1", "tap0", "tap1"}));
  world.apply(declared(two_bridges));
  EXPECT_EQ(world.named("Interface", "eth1").uuid(), eth1);
  EXPECT_EQ(world.names("Interface"), (V{"br0", "br1", "eth0", "eth1", "tap0", "tap1"}));
}

TEST(ConfPlan, AnInterfaceOfSomebodysPortIsNotTaken) {
  World world;
  world.apply(declared(two_bridges));
  add_foreign_port(world, "br1", "eth7");
  const Plan plan = world.plan(declared(with(two_bridges, "ovs_bond_bond0", "eth0 eth7")));
  EXPECT_EQ(plan.refusals,
            (V{"interface eth7 is to be in bond0: it is in port eth7, which ovs-conf did not make and does not "
                              "remove (ovs-vsctl del-port eth7)"}));
}

TEST(ConfPlan, QueuesAndQosComeAndGo) {
  World world;
  world.apply(declared(two_bridges));
  world.apply(declared(with(two_bridges, "ovs_queue_tap0_2", "")));
  EXPECT_EQ(world.count("Queue"), 2u);
  world.apply(declared(without(two_bridges, "ovs_queue_tap0_1")));
  EXPECT_EQ(world.count("Queue"), 0u);
  world.apply(declared(without(without(two_bridges, "ovs_queue_tap0_1"), "ovs_qos_tap0")));
  EXPECT_EQ(world.count("QoS"), 0u);
  EXPECT_EQ(world.value("Port", "tap0", "qos"), "[\"set\",[]]");
}

TEST(ConfPlan, ASharedQosGoesFromAllItsPorts) {
  World world;
  world.apply(declared(two_bridges));
  add_foreign_port(world, "br1", "vnet0");
  world.set("Port", "vnet0", "{\"qos\":" + world.value("Port", "tap0", "qos") + "}");
  EXPECT_TRUE(world.plan(declared(two_bridges)).edits.size() == 1);  // the other port's is not declared
  world.apply(declared(without(without(two_bridges, "ovs_queue_tap0_1"), "ovs_qos_tap0")));
  EXPECT_EQ(world.count("QoS") + world.count("Queue"), 0u);
  EXPECT_EQ(world.value("Port", "vnet0", "qos"), "[\"set\",[]]");
}

TEST(ConfPlan, MirrorsFollowTheirPorts) {
  World world;
  world.apply(declared(two_bridges));
  Lines other = with(two_bridges, "ovs_mirror_br0_m", "select_src_port=tap0,tap9 output_port=bond0");
  other = with(other, "ovs_ports_br0", "tap0 tap9 bond0");
  const Plan plan = world.apply(declared(other));
  EXPECT_EQ(world.named("Mirror", "m").find("select_src_port")->size(), 2u);
  EXPECT_EQ(plan.edits.size(), 4u);  // the bridge, the port, its interface, the mirror
}

TEST(ConfPlan, CommandsAreWordsForAShell) {
  World world;
  const Plan plan = world.plan(declared({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "tap0"},
                                         {"ovs_port_tap0", "tag=1 external_ids:d=\"$(x) '\""}}));
  EXPECT_EQ(as_commands(plan, test_schema()),
            "ovs-vsctl \\\n    -- init \\\n    -- add-br br0 \\\n    -- set Bridge br0 external_ids:ovs-conf=made \\\n"
            "    -- add-port br0 tap0 'external_ids:d=\"$(x) '\\''\"' 'external_ids:ovs-conf=\"made external_ids:d tag\"' tag=1 \\\n"
            "    -- set Interface tap0 external_ids:ovs-conf=made\n");
}

// What the plan was made from is checked by the server: each edited column, and whose ports go with their bridge.
TEST(ConfPlan, AChangeOfTheSameMomentIsNoticed) {
  World world;
  world.apply(declared(two_bridges));
  Lines other = with(two_bridges, "ovs_port_tap0", "tag=2 other_config:a=b");
  other = with(with(other, "ovs_controller_br0", "tcp:10.0.0.9"), "ovs_bridges", "br0");
  for (const char* gone : {"ovs_ports_br1", "ovs_controller_br1"}) other = without(other, gone);
  const Plan plan = world.plan(declared(other));
  dbclient::Transaction transaction("Open_vSwitch");
  fill(transaction, plan, true);
  const std::string request = transaction.request();
  auto expect_wait = [&](const std::string& table, const std::string& name, const std::string& column) {
    const Uuid row = world.named(table, name).uuid();
    json::object until;
    until[column] = world.named(table, name).find(column)->to_json();
    const std::string wait = R"({"op":"wait","timeout":0,"table":")" + table + R"(","where":[["_uuid","==",["uuid",")" +
        row.to_string() + R"("]]],"columns":[")" + column + R"("],"until":"==","rows":[)" + ovs::to_text(until) + "]}";
    EXPECT_NE(request.find(wait), std::string::npos) << wait << "\n" << request;
  };
  expect_wait("Port", "tap0", "tag");
  expect_wait("Bridge", "br0", "controller");
  expect_wait("Open_vSwitch", "", "bridges");
  expect_wait("Bridge", "br1", "ports");  // nobody has put one into what is removed
  // Going back, too.
  const Undo undo(plan, world.present(), test_schema(), [](const Uuid& uuid) { return uuid; });
  world.carry_out(plan);
  dbclient::Transaction back("Open_vSwitch");
  undo.fill(back, world.present(), test_schema());
  const std::string text = back.request();
  EXPECT_NE(text.find(R"("columns":["tag"],"until":"==","rows":[{"tag":2}])"), std::string::npos) << text;
}

// What a database holds does not become another line, an option or another command.
TEST(ConfPlan, NamesOfTheDatabaseStayNames) {
  World world;
  world.apply(declared({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "p0 p1"}}));
  world.set("Port", "p0", R"({"name":"--"})");
  world.set("Port", "p1", R"({"name":"p\nemer-reset"})");
  const Plan plan = world.plan(declared({{"ovs_bridges", "br0"}}));
  const std::string words = in_words(plan, world.present(), test_schema());
  EXPECT_EQ(words, "remove port -- from bridge br0\nremove port \"p\\nemer-reset\" from bridge br0\n");
  const std::string commands = as_commands(plan, test_schema());
  EXPECT_NE(commands.find("remove Bridge br0 ports " + world.named("Port", "--").uuid().to_string()),
            std::string::npos) << commands;
  EXPECT_NE(commands.find("del-port br0 'p\nemer-reset'"), std::string::npos) << commands;
}

}  // namespace
}  // namespace ovs::conf
