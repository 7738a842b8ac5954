#include "conf/declared.h"

#include <gtest/gtest.h>

#include "telemetry/sflow_message.h"
#include "telemetry/target.h"
#include "unit/utilities/conf_world.h"

namespace ovs::conf {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> mistakes(const Lines& lines) {
  std::vector<std::string> out;
  for (const Mistake& m : read_declaration(variables(lines), test_schema()).mistakes)
    out.push_back(std::to_string(m.line) + ": " + m.text);
  return out;
}
using V = std::vector<std::string>;

TEST(ConfDeclared, TheExampleOfTheManual) {
  const Declared d = declared({{"ovs_bridges", "br0"},
                               {"ovs_ports_br0", "eth0 tap0 bond0"},
                               {"ovs_port_tap0", "tag=1"},
                               {"ovs_sflow_br0", "agent=eth1 targets=10.0.0.1:6343 header=128 sampling=64 polling=10"},
                               {"ovs_bridge_br0", "fail_mode=standalone datapath_type=system"},
                               {"ovs_bond_bond0", "eth2 eth3"},
                               {"ovs_port_bond0", "bond_mode=active-backup lacp=active"},
                               {"ovs_internal_mgmt0", "br0"},
                               {"ovs_port_mgmt0", "tag=10"},
                               {"ovs_controller_br0", "tcp:192.0.2.1:6653"},
                               {"ovs_keep_undeclared", "no"}});
  ASSERT_EQ(d.root.children.size(), 1u);
  const Item& br0 = d.root.children[0];
  std::string labels;
  for (const Item& child : br0.children) labels += child.label() + ", ";
  EXPECT_EQ(labels, "port br0, port eth0, port tap0, port bond0, port mgmt0, controller tcp:192.0.2.1:6653, sFlow, ");
  EXPECT_TRUE(br0.children[0].implied);
  EXPECT_EQ(br0.children[3].children.size(), 2u);
  EXPECT_EQ(br0.children[4].children[0].settings.columns.at("type").string(), "internal");
  EXPECT_EQ(br0.settings.columns.at("fail_mode").string(), "standalone");
}

TEST(ConfDeclared, AllMistakesAtOnce) {
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0 br1"},
                      {"ovs_ports_br0", "tap0 eth0"},
                      {"ovs_port_tap0", "tags=1"},
                      {"ovs_port_eth0", "tag=5000"},
                      {"ovs_ports_br1", "tap0"},
                      {"ovs_prot_tap0", "tag=1"},
                      {"ovs_port_tap9", "tag=1"},
                      {"ovs_netflow_br0", "targets=10.0.0.1"},
                      {"ovs_controller_br1", "tpc:10.0.0.1"}}),
            (V{"3: ovs_port_tap0: there is no setting \"tags\"; did you mean \"tag\"?",
               "4: ovs_port_eth0: tag=5000: 5000 is not in the valid range 0 to 4095 (inclusive)",
               "5: ovs_ports_br1: \"tap0\" is a port of br0 already: a port is in one bridge",
               "6: ovs_prot_tap0: there is no such variable; did you mean ovs_port_tap0?",
               "7: ovs_port_tap9: no port \"tap9\" is declared; did you mean ovs_port_tap0?",
               "8: ovs_netflow_br0: 10.0.0.1: the port is missing: write HOST:PORT, such as 192.0.2.1:6343 or "
               "[2001:db8::1]:6343",
               "9: ovs_controller_br1: tpc:10.0.0.1: there is no \"tpc:\"; did you mean \"tcp:\"?"}));
}

TEST(ConfDeclared, NamesThatCollide) {
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "eth0.1 eth0_1"}}),
            (V{"2: ovs_ports_br0: the ports \"eth0.1\" and \"eth0_1\" would have the same variables (ovs_port_eth0_1): rename one of them"}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br-a br_a"}}),
            (V{"1: ovs_bridges: the bridges \"br-a\" and \"br_a\" would have the same variables (ovs_bridge_br_a): rename one of them"}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "eth0.100"}, {"ovs_port_eth0_100", "tag=1"}}), V{});
}

TEST(ConfDeclared, Names) {
  EXPECT_EQ(mistakes({{"ovs_bridges", "br/0 br0 br0"}}),
            (V{"1: ovs_bridges: \"br/0\" cannot be a name: it has a \"/\"",
               "1: ovs_bridges: \"br0\" stands there twice"}));
  // In what diff prints it would be an option of ovs-vsctl, or the end of a command.
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "bond0"}, {"ovs_bond_bond0", "-- eth0 -x"}}),
            (V{"3: ovs_bond_bond0: \"--\" cannot be a name: it begins with \"-\"",
               "3: ovs_bond_bond0: \"-x\" cannot be a name: it begins with \"-\""}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "br0 tap0 tag=1"}}),
            (V{"2: ovs_ports_br0: \"br0\" is the bridge's own port, which need not be named here",
               "2: ovs_ports_br0: \"tag=1\" is a setting where names are expected: settings of a port or bridge have variables of "
               "their own (ovs_port_NAME, ovs_bridge_NAME)"}));
  EXPECT_EQ(mistakes({{"ovs_ports_br0", "tap0"}}),
            (V{"1: ovs_ports_br0: no bridge \"br0\" is declared: add it to ovs_bridges"}));
}

TEST(ConfDeclared, NamesOfDevices) {
  const auto of_port = [](const std::string& name) {
    return mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", name}});
  };
  EXPECT_EQ(of_port("eth0,tap0"), (V{"2: ovs_ports_br0: \"eth0,tap0\" cannot be a device: names are separated by spaces"}));
  EXPECT_EQ(of_port("eth0; tap0"), (V{"2: ovs_ports_br0: \"eth0;\" cannot be a device: names are separated by spaces"}));
  EXPECT_EQ(of_port("tap*"), (V{"2: ovs_ports_br0: \"tap*\" cannot be a device: a pattern is not expanded here, or no "
                                "device matched it; write $(cd /sys/class/net && ls -d tap* 2>/dev/null)"}));
  EXPECT_EQ(of_port("tap:1"), (V{"2: ovs_ports_br0: \"tap:1\" cannot be a device: it has a \":\""}));
  EXPECT_EQ(of_port("abcdefghijklmno"), V{});
  EXPECT_EQ(of_port("abcdefghijklmnop"), (V{"2: ovs_ports_br0: \"abcdefghijklmnop\" cannot be a device: it has 16 "
                                            "characters, and may have 15"}));
  for (const char* name : {"-x", ".", "..", "\"a b\"", "'a'", "a/b", "\u201ctap0\u201d"}) EXPECT_EQ(of_port(name).size(), 1u) << name;
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0,br1 br:2"}}),
            (V{"1: ovs_bridges: \"br0,br1\" cannot be a device: names are separated by spaces",
               "1: ovs_bridges: \"br:2\" cannot be a device: it has a \":\""}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_internal_a_very_long_name", "br0"}}),
            (V{"2: ovs_internal_a_very_long_name: \"a_very_long_name\" cannot be a device: it has 16 characters, and may have 15"}));
  // The members of a bond are devices; its own name is one for the database alone.  So is that of a patch port.
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "bond-of-two-cards,1"}, {"ovs_bond_bond_of_two_cards_1", "a,b c"}}),
            (V{"3: ovs_bond_bond_of_two_cards_1: \"a,b\" cannot be a device: names are separated by spaces"}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "patch-to-another-bridge:1"},
                      {"ovs_port_patch_to_another_bridge_1", "type=patch options:peer=x"}}), V{});
}

TEST(ConfDeclared, Types) {
  const Declared d = declared({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "eth0 tap0"}, {"ovs_bridge_br0", "datapath_type=netdv"},
                               {"ovs_port_eth0", "tag=1 type=afxpd"}, {"ovs_interface_tap0", "type=tap"}});
  std::vector<std::string> types;
  for (const NamedType& t : d.types) types.push_back(std::to_string(t.line) + ": " + t.variable + " " + t.name);
  EXPECT_EQ(types, (V{"3: ovs_bridge_br0 netdv", "4: ovs_port_eth0 afxpd", "5: ovs_interface_tap0 tap"}));
  auto with = [&](const std::string& value) {
    return mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "eth0"}, {"ovs_port_eth0", value}});
  };
  EXPECT_EQ(with("type=afxdp options:xdp-mode=native options:n_rxq=1 options:use-need-wakeup=false"), V{});
  // In whichever order, and wherever the type stands.
  EXPECT_EQ(with("options:xdp-mode=nativ tag=1 type=afxdp options:n_rxq=1000").size(), 2u);
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "eth0"}, {"ovs_port_eth0", "options:xdp-mod=native"},
                      {"ovs_interface_eth0", "type=afxdp"}}),
            (V{"3: ovs_port_eth0: an interface of type afxdp has no option \"xdp-mod\"; did you mean \"xdp-mode\"?"}));
  EXPECT_EQ(with("options:n_rxq=2"), V{});  // of a system interface: it is another program's
}

TEST(ConfDeclared, CharactersOfWordProcessors) {
  auto with = [&](const std::string& value) {
    return mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "eth0"}, {"ovs_port_eth0", value}});
  };
  EXPECT_EQ(with("tag=1 type=\u201cafxdp\u201d"),
            (V{"3: ovs_port_eth0: type=\u201cafxdp\u201d: the character \u201c (U+201C, left double quotation mark) comes from "
               "a word processor or a web page; type \" instead (or put the whole value in double quotes, if it is meant)"}));
  for (const char* value : {"vlan_mode=native\u2013tagged", "external_ids:a=\u2018b\u2019", "external_ids:\u2014=b"})
    EXPECT_EQ(with(value).size(), 1u) << value;
  EXPECT_EQ(with("external_ids:a=\"\u201cb\u201d\" external_ids:b='\u2013'"), V{});
  EXPECT_EQ(mistakes({{"ovs_manager", "ptcp:6640 external_ids:a=\u201cb\u201d"}}).size(), 1u);
}

TEST(ConfDeclared, KeysOfTls) {
  auto with = [&](const std::string& value) { return mistakes({{"ovs_ssl", value}}); };
  const std::string all = "private_key=/k certificate=/c ca_cert=/a";
  EXPECT_EQ(with(all), V{});
  EXPECT_EQ(with(all + " bootstrap_ca_cert=true"), V{});
  EXPECT_EQ(with("private_key=/k certificate=/c ca_cert=none"), V{});
  EXPECT_EQ(with("private_key=/k ca_cert=ca.pem"),
            (V{"1: ovs_ssl: certificate= is missing: write certificate=/FILE",
               "1: ovs_ssl: ca_cert=ca.pem: write the whole name, from \"/\" on: the database server reads the file"}));
}

TEST(ConfDeclared, UsualTypos) {
  const Lines base{{"ovs_bridges", "br0"}, {"ovs_ports_br0", "tap0 bond0"}, {"ovs_bond_bond0", "eth3 eth4"}};
  auto with = [&](const std::string& name, const std::string& value) {
    Lines all = base;
    all.emplace_back(name, value);
    return mistakes(all);
  };
  EXPECT_EQ(with("ovs_port_br0", "tap0"), (V{"4: ovs_port_br0: this is no setting (COLUMN=VALUE); for ports of br0, did you "
                                             "mean ovs_ports_br0=\"tap0\"?"}));
  EXPECT_EQ(with("ovs_bridge_br0", "eth0 tap0"), (V{"4: ovs_bridge_br0: these are no settings (COLUMN=VALUE); for ports of br0, "
                                                    "did you mean ovs_ports_br0=\"eth0 tap0\"?"}));
  EXPECT_EQ(with("ovs_port_br0", "tag=1"), V{});
  EXPECT_EQ(with("ovs_bridge_br0", "stp_enable"), (V{"4: ovs_bridge_br0: stp_enable: write stp_enable=VALUE, without spaces"}));
  EXPECT_EQ(with("ovs_port_eth4", "mtu_request=9000"),
            (V{"4: ovs_port_eth4: \"eth4\" is an interface of bond0: write ovs_interface_eth4 for settings of the interface, "
               "ovs_port_bond0 for those of the port"}));
  for (const char* value : {"tag=1; vlan_mode=access", "tag=1;vlan_mode=access"})
    EXPECT_EQ(with("ovs_port_tap0", value), (V{"4: ovs_port_tap0: " + std::string(value).substr(0, std::string(value).find(' ')) +
                                               ": settings are separated by spaces, not by \";\""}));
  EXPECT_EQ(with("ovs_port_tap0", "vlan_mode=access,tag=1"),
            (V{"4: ovs_port_tap0: vlan_mode=access,tag=1: settings are separated by spaces, not by \",\""}));
  EXPECT_EQ(with("ovs_port_tap0", "trunks=1,x"), (V{"4: ovs_port_tap0: trunks=1,x: \"x\" is not a valid integer or range"}));
  EXPECT_NE(with("ovs_port_tap0", "tag=\u201c1\u201d").at(0).find("U+201C"), std::string::npos);
}

TEST(ConfDeclared, WhatAFileSetsAtAll) {
  EXPECT_FALSE(declared({}).sets_anything);
  EXPECT_FALSE(declared({{"ovs_keep_undeclared", "no"}}).sets_anything);
  const Declared none = declared({{"ovs_bridges", ""}}), other = declared({{"ovs_switch", ""}});
  EXPECT_TRUE(none.sets_anything && none.sets_bridges);
  EXPECT_TRUE(other.sets_anything && !other.sets_bridges);
}

TEST(ConfDeclared, BridgesMayBeEmpty) {
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", ""}, {"ovs_sflow_br0", ""},
                      {"ovs_controller_br0", ""}}), V{});
  EXPECT_EQ(mistakes({}), V{});
}

TEST(ConfDeclared, Bonds) {
  const Lines base{{"ovs_bridges", "br0"}, {"ovs_ports_br0", "bond0 bond1 eth2"}};
  auto with = [&](Lines more) {
    Lines all = base;
    all.insert(all.end(), more.begin(), more.end());
    return mistakes(all);
  };
  EXPECT_EQ(with({{"ovs_bond_bond0", "eth2 eth3"}}),
            (V{"3: ovs_bond_bond0: \"eth2\" is a port of br0 itself: take it out of ovs_ports_br0"}));
  EXPECT_EQ(with({{"ovs_bond_bond0", "eth4 eth3"}, {"ovs_bond_bond1", "eth3 eth5"}}),
            (V{"4: ovs_bond_bond1: \"eth3\" belongs to bond0 already"}));
  EXPECT_EQ(with({{"ovs_bond_bond0", ""}}), (V{"3: ovs_bond_bond0: a bond has interfaces: write their names"}));
  EXPECT_EQ(with({{"ovs_bond_bond0", "a b"}, {"ovs_port_bond0", "mtu_request=9000"}}),
            (V{"4: ovs_port_bond0: mtu_request=9000: bond0 has several interfaces: write it into ovs_interface_a and so on"}));
  EXPECT_EQ(with({{"ovs_bond_bond0", "a b"}, {"ovs_interface_a", "mtu_request=9000"}}), V{});
  // Names of ports and of interfaces are apart.
  EXPECT_EQ(with({{"ovs_bond_bond0", "bond1"}, {"ovs_bond_bond1", "bond0"}}), V{});
}

TEST(ConfDeclared, InternalPorts) {
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_internal_m", "br1"}}),
            (V{"2: ovs_internal_m: no bridge \"br1\" is declared; did you mean \"br0\"?"}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0 br1"}, {"ovs_ports_br1", "m"}, {"ovs_internal_m", "br0"}}),
            (V{"3: ovs_internal_m: \"m\" is a port of br1, not of br0"}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_internal_m", ""}}),
            (V{"2: ovs_internal_m: write the name of the one bridge that the port is in"}));
  const Declared d = declared({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "v.1"}, {"ovs_internal_v_1", "br0"}});
  EXPECT_EQ(d.root.children[0].children[1].name, "v.1");
}

TEST(ConfDeclared, Mirrors) {
  const Lines base{{"ovs_bridges", "br br_a"}, {"ovs_ports_br", "tap0 tap1"}};
  auto with = [&](const std::string& name, const std::string& value) {
    Lines all = base;
    all.emplace_back(name, value);
    return all;
  };
  // The longest name of a bridge counts.
  const Declared d = declared(with("ovs_mirror_br_a_m", "select_all=true"));
  EXPECT_EQ(d.root.children[1].children.back().label(), "mirror m");
  EXPECT_EQ(declared(with("ovs_mirror_br_m", "name=\"x y\"")).root.children[0].children.back().name, "x y");
  EXPECT_EQ(mistakes(with("ovs_mirror_br_m", "output_port=tap7")),
            (V{"3: ovs_mirror_br_m: output_port: the file declares no port \"tap7\"; did you mean \"tap0\"?"}));
  EXPECT_EQ(mistakes(with("ovs_mirror_br", "")),
            (V{"3: ovs_mirror_br: a mirror has a name: write ovs_mirror_br_NAME"}));
}

TEST(ConfDeclared, Queues) {
  const Lines base{{"ovs_bridges", "br0"}, {"ovs_ports_br0", "tap0"}};
  auto with = [&](Lines more) {
    Lines all = base;
    all.insert(all.end(), more.begin(), more.end());
    return mistakes(all);
  };
  EXPECT_EQ(with({{"ovs_queue_tap0_0", ""}}),
            (V{"3: ovs_queue_tap0_0: tap0 has no QoS for this queue: set ovs_qos_tap0, too"}));
  EXPECT_EQ(with({{"ovs_qos_tap0", "type=linux-htb"}, {"ovs_queue_tap0", ""}}),
            (V{"4: ovs_queue_tap0: write ovs_queue_PORT_NUMBER, such as ovs_queue_tap0_0"}));
  EXPECT_EQ(with({{"ovs_qos_tap0", "type=linux-htb"}, {"ovs_queue_tap0_3", "dscp=99"}}).size(), 1u);
}

TEST(ConfDeclared, TargetsWithSettings) {
  const Declared d = declared({{"ovs_bridges", "br0"},
                               {"ovs_controller_br0",
                                "max_backoff=2000 tcp:a:1 ssl:[::1]:2 connection_mode=out-of-band max_backoff=3000"}});
  const auto& children = d.root.children[0].children;
  const Item &a = children[1], &b = children[2];
  EXPECT_EQ(a.settings.columns.at("max_backoff").integer(), 2000);
  EXPECT_EQ(a.settings.columns.size(), 1u);
  EXPECT_EQ(b.settings.columns.at("max_backoff").integer(), 3000);
  EXPECT_EQ(b.settings.columns.size(), 2u);
  EXPECT_EQ(mistakes({{"ovs_manager", "ptcp:6640 ptcp:6640 tcp:host:99999"}}).size(), 2u);
}

TEST(ConfDeclared, ABracketHidesNoOtherMistake) {
  EXPECT_EQ(mistakes({{"ovs_manager", "foo:1 tcp:[::1:33 ptcp:99999 tcp:[::1]:5 tcp:-1:3"}}),
            (V{"1: ovs_manager: tcp:[::1:33: \"]\" is missing",
               "1: ovs_manager: foo:1: write tcp:HOST:PORT, ssl:HOST:PORT, unix:FILE, or ptcp:, pssl:, punix: to be "
               "connected to",
               "1: ovs_manager: ptcp:99999: \"99999\" is not a port number (0 to 65535)",
               "1: ovs_manager: tcp:-1:3: \"-1\" is not a host"}));
  // Where a list was to end is not known.
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_bridge_br0", "fail_mod=x flood_vlans=[1, 2 stp_enable=true"}}),
            (V{"2: ovs_bridge_br0: flood_vlans=[1, 2 stp_enable=true: \"]\" is missing",
               "2: ovs_bridge_br0: there is no setting \"fail_mod\"; did you mean \"fail_mode\"?"}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_netflow_br0", "engine_id=1 targets=[10.0.0.1:1"}}),
            V{"2: ovs_netflow_br0: targets=[10.0.0.1:1: \"]\" is missing"});
}

TEST(ConfDeclared, SwitchAndKeeping) {
  EXPECT_TRUE(declared({{"ovs_keep_undeclared", "yes"}}).keep_undeclared);
  EXPECT_EQ(mistakes({{"ovs_keep_undeclared", "maybe"}}),
            (V{"1: ovs_keep_undeclared: \"maybe\" is neither \"yes\" nor \"no\""}));
  EXPECT_EQ(mistakes({{"ovs_switch", "other_config:max-idle=10000 cur_cfg=3"}}),
            (V{"1: ovs_switch: \"cur_cfg\" is what the switch reports, and cannot be set"}));
}

TEST(ConfDeclared, WhatTwoVariablesSayOfAnInterfaceIsToldOfBoth) {
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_internal_y0", "br0"}, {"ovs_port_y0", "type=tap mtu_request=1400"},
                      {"ovs_interface_y0", "mtu_request=1500"}}),
            (V{"3: ovs_port_y0: \"type\" is set to another value by ovs_internal_y0 in line 2",
               "4: ovs_interface_y0: \"mtu_request\" is set to another value by ovs_port_y0 in line 3"}));
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_internal_y0", "br0"}, {"ovs_port_y0", "type=internal tag=1 tag=2"}}),
            V{"3: ovs_port_y0: \"tag\" is set twice, to different values"});
}

TEST(ConfDeclared, APatchPortHasAPeer) {
  EXPECT_EQ(mistakes({{"ovs_bridges", "br0"}, {"ovs_ports_br0", "p q"}, {"ovs_port_p", "type=patch"},
                      {"ovs_port_q", "type=patch"}, {"ovs_interface_q", "options:peer=r"}}),
            V{"3: ovs_port_p: an interface of type patch needs options:peer, the name of its other end"});
}

TEST(ConfDeclared, Collectors) {
  for (const Id id : {Id::netflow, Id::ipfix}) {
    for (std::string_view good : {"10.0.0.1:6343", "[2001:db8::1]:1", "collector.example:65535"})
      EXPECT_TRUE(check_collector(id, good)) << good;
    for (std::string_view bad : {"", ":1", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0:1", "2001:db8::1:6343",
                                 "[::1]", "[zz]:1", "a:b"})
      EXPECT_FALSE(check_collector(id, bad)) << bad;
  }
}

// What the switch exports to can be declared, and nothing else.
TEST(ConfDeclared, CollectorsOfSflowAreTheSwitchesOwn) {
  const auto there = [](std::string_view target) {
    return telemetry::parse_target(target, telemetry::sflow::default_port).has_value();
  };
  for (std::string_view good : {"10.0.0.1:6343", "10.0.0.1", "10.0.0.1:", "[2001:db8::1]:1", "[2001:db8::1]",
                                "[fe80::1%eth0]", "collector.example", "collector.example:65535", "tcp:6343",
                                "12:6343"}) {
    const auto ok = check_collector(Id::sflow, good);
    EXPECT_TRUE(ok) << ok.error().message;
    EXPECT_TRUE(there(good)) << good;
  }
  for (std::string_view bad : {"", ":1", ":", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:-1", "10.0.0.256", "1.2.3.4.5",
                               "2001:db8::1:6343", "2001:db8::1", "[::1", "[]", "[zz]:1", "[1.2.3.4]", "a:b", "a,b",
                               "10.0.0.1:6343,10.0.0.2:6343", "udp:10.0.0.1", "udp:10.0.0.1:6343", "tcp:x", "a b",
                               "a/24", "a\nb"}) {
    EXPECT_FALSE(check_collector(Id::sflow, bad)) << bad;
    EXPECT_FALSE(there(bad)) << bad;
  }
  // Short for 10.0.0.0 to the switch, and a slip to everybody else.
  for (std::string_view bad : {"10.0.0:1", "10.0.0"}) EXPECT_FALSE(check_collector(Id::sflow, bad)) << bad;
  EXPECT_EQ(check_collector(Id::sflow, "10.0.0.1:x").error().message,
            "10.0.0.1:x: \"x\" is not a port number (1 to 65535): write HOST or HOST:PORT, such as 192.0.2.1 or "
            "[2001:db8::1]:6343");
}

}  // namespace
}  // namespace ovs::conf
