#include "conf/types.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "netdev/afxdp_kind.h"
#include "netdev/afxdp_options.h"
#include "netdev/registry.h"
#include "runtime/loop.h"
#include "vswitchd/engines.h"

namespace ovs::conf {
namespace {

using V = std::vector<std::string>;

TypesChecked check(const V& interfaces, const V& datapaths = {}, const MoreTypes& more = {}) {
  std::vector<NamedType> named;
  for (const std::string& name : interfaces) named.push_back({1, "ovs_port_x", Typed::interface, name});
  for (const std::string& name : datapaths) named.push_back({2, "ovs_bridge_x", Typed::datapath, name});
  return check_types(named, more);
}

V lines(const std::vector<Mistake>& mistakes) {
  V out;
  for (const Mistake& m : mistakes) out.push_back(std::to_string(m.line) + ": " + m.text);
  return out;
}

V types(const V& interfaces, const V& datapaths = {}, const MoreTypes& more = {}) {
  return lines(check(interfaces, datapaths, more).mistakes);
}

TEST(ConfTypes, Names) {
  EXPECT_EQ(types({"", "system", "internal", "tap", "patch", "afxdp", "dummy"}, {"", "system", "netdev", "dummy"}), V{});
  EXPECT_EQ(types({"afxpd"}, {"netdv"}),
            (V{"1: ovs_port_x: type=afxpd: the switch has no type \"afxpd\"; did you mean \"afxdp\"?",
               "2: ovs_bridge_x: datapath_type=netdv: the switch has no datapath_type \"netdv\"; did you mean \"netdev\"?"}));
  EXPECT_EQ(types({"mystery"}), (V{"1: ovs_port_x: type=mystery: the switch has no type \"mystery\"; there are afxdp, "
                                   "afxdp-nonpmd, internal, patch, system, tap"}));
  // Another version's switch says what it knows.
  const MoreTypes more{{"system", "srv6"}, {"xdp"}};
  EXPECT_EQ(types({"srv6", "afxdp"}, {"xdp", "netdev"}, more), V{});
  EXPECT_EQ(types({"srv7"}, {}, more), (V{"1: ovs_port_x: type=srv7: the switch has no type \"srv7\"; did you mean "
                                          "\"srv6\"?"}));
}

TEST(ConfTypes, WhatIsStoredOnlyIsNoMistake) {
  const TypesChecked found = check({"vxlan", "geneve", "system"}, {"netdev"});
  EXPECT_EQ(lines(found.mistakes), V{});
  EXPECT_EQ(lines(found.remarks), (V{"1: ovs_port_x: type=vxlan: the switch of this version does not have this type yet: "
                                     "the port is stored, and nothing passes it",
                                     "1: ovs_port_x: type=geneve: the switch of this version does not have this type "
                                     "yet: the port is stored, and nothing passes it"}));
  EXPECT_EQ(types({"vxlam"}), (V{"1: ovs_port_x: type=vxlam: the switch has no type \"vxlam\"; did you mean \"vxlan\"?"}));
  // Nothing to remark where the switch has it.
  EXPECT_EQ(lines(check({"vxlan"}, {}, {{"vxlan"}, {}}).remarks), V{});
}

std::string option(std::string_view type, std::string_view key, std::string_view value) {
  auto ok = check_option(type, key, value);
  return ok ? "" : ok.error().message;
}

TEST(ConfTypes, Options) {
  EXPECT_EQ(option("afxdp", "xdp-mod", "native"), "an interface of type afxdp has no option \"xdp-mod\"; did you mean "
                                                  "\"xdp-mode\"?");
  EXPECT_EQ(option("afxdp", "queues", "1"), "an interface of type afxdp has no option \"queues\"; there are n_rxq, "
                                            "use-need-wakeup, xdp-mode");
  EXPECT_EQ(option("afxdp", "xdp-mode", "nativ"), "options:xdp-mode cannot be \"nativ\"; did you mean \"native\"?");
  EXPECT_EQ(option("afxdp", "use-need-wakeup", "nope"), "options:use-need-wakeup cannot be \"nope\"; there are true, "
                                                        "false");
  EXPECT_EQ(option("afxdp", "n_rxq", "1000"), "options:n_rxq cannot be \"1000\"; it is a number from 1 to 64");
  EXPECT_EQ(option("patch", "per", "x"), "an interface of type patch has no option \"per\"; did you mean \"peer\"?");
  EXPECT_EQ(option("patch", "peer", "x"), "");
  EXPECT_EQ(option("system", "anything", "x"), "");
  EXPECT_EQ(option("vxlan", "remote_ip", "192.0.2.1"), "");
}

TEST(ConfTypes, PeersAreTheSwitchesOwn) {
  auto registry = netdev::Registry::open({netdev::DummyMode::on, "test"});
  ASSERT_TRUE(registry) << registry.error().message;
  for (const auto& [peer, good] : {std::pair(std::string("q"), true), {"", false}, {"p", false}}) {
    EXPECT_EQ(check_peer("patch", "p", peer).has_value(), good) << peer;
    EXPECT_EQ((*registry)->create("p", "patch", {{"peer", peer}}).has_value(), good) << peer;
  }
  EXPECT_FALSE((*registry)->create("p", "patch", {}));
  EXPECT_TRUE(check_peer("system", "p", ""));
}

// The table here is the second one; the switch has the first.
TEST(ConfTypes, AreTheSwitchesOwn) {
  auto registry = netdev::Registry::open({netdev::DummyMode::on, "test"});
  ASSERT_TRUE(registry) << registry.error().message;
  V here, there = (*registry)->types();
  for (const InterfaceType& t : interface_types())
    if (!t.stored_only && (!t.name.starts_with("afxdp") || netdev::has_afxdp())) here.emplace_back(t.name);
  std::ranges::sort(there);
  EXPECT_EQ(here, there);
  EXPECT_TRUE(std::ranges::is_sorted(interface_types(), {}, &InterfaceType::name));
}

TEST(ConfTypes, OfDatapathsAreTheSwitchesOwn) {
  runtime::Loop loop;
  for (const netdev::DummyMode dummies : {netdev::DummyMode::off, netdev::DummyMode::on}) {
    const V there = vswitchd::Engines(loop, dummies, nullptr, nullptr).types();
    for (const std::string& name : there) {
      const auto known = check_type(Typed::datapath, name);
      EXPECT_TRUE(known && *known == Support::works) << name;
    }
    const auto unknown = check_type(Typed::datapath, "mystery");
    ASSERT_FALSE(unknown);
    if (dummies == netdev::DummyMode::off) {
      EXPECT_EQ(unknown.error().message, "the switch has no datapath_type \"mystery\"; there are " + join(there, ", "));
    }
  }
}

TEST(ConfTypes, AfxdpOptionsAreTheSwitchesOwn) {
  const auto afxdp = std::ranges::find(interface_types(), std::string_view("afxdp"), &InterfaceType::name);
  for (const OptionKey& key : afxdp->options) {
    V good, bad{"", "x"};
    for (std::string_view word : key.words) {
      good.emplace_back(word);
      bad.push_back(std::string(word) + "x");
    }
    if (key.words.empty()) {
      good = {std::to_string(key.least), std::to_string(key.most)};
      bad.push_back("-1");
    }
    for (const std::string& value : good) {
      EXPECT_EQ(option("afxdp", key.name, value), "");
      EXPECT_TRUE(netdev::parse_afxdp_options({{std::string(key.name), value}})) << key.name << "=" << value;
    }
    for (const std::string& value : bad) {
      EXPECT_NE(option("afxdp", key.name, value), "");
      EXPECT_FALSE(netdev::parse_afxdp_options({{std::string(key.name), value}})) << key.name << "=" << value;
    }
  }
}

}  // namespace
}  // namespace ovs::conf
