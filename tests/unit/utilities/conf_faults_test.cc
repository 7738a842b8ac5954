#include "conf/faults.h"

#include <gtest/gtest.h>

#include "netdev/registry.h"
#include "runtime/tls_config.h"
#include "unit/utilities/conf_world.h"
#include "vswitchd/model.h"

namespace ovs::conf {
namespace {

using Names = std::set<std::string>;

// What the switch says about an interface, as it stands in the database.
Names working(const std::string& ofport, const std::string& error) {
  World world;
  json::object row{{"name", "p"}, {"error", error}};
  if (error.empty()) row.erase("error");
  if (!ofport.empty()) row["ofport"] = std::stoll(ofport);
  world.insert("Interface", ovs::to_text(row));
  return working_interfaces(world.present());
}

TEST(ConfFaults, WhatIsNoPortDoesNotWork) {
  EXPECT_EQ(working("1", ""), Names{"p"});
  EXPECT_EQ(working("65534", ""), Names{"p"});
  EXPECT_EQ(working("", ""), Names{});
  EXPECT_EQ(working("-1", "could not open network device p (No such device)"), Names{});
}

// The words are the switch's own.
TEST(ConfFaults, APortThatNothingPassesDoesNotWork) {
  EXPECT_EQ(working("1", vswitchd::stopped_text("p", "No such device")), Names{});
  EXPECT_EQ(working("1", vswitchd::stopped_text("p", "it belongs to br9") + "; MTU 9 could not be set (no)"), Names{});

  auto registry = netdev::Registry::open({netdev::DummyMode::on, "test"});
  ASSERT_TRUE(registry) << registry.error().message;
  vswitchd::Model model;
  vswitchd::InterfaceState patch;
  patch.name = "p";
  patch.type = "patch";
  patch.options = {{"peer", "q"}};
  patch.number = openflow::OfPort(1);
  auto device = (*registry)->create(patch.name, patch.type, patch.options);
  ASSERT_TRUE(device) << device.error().message;
  patch.device = *std::move(device);
  EXPECT_EQ(working("1", vswitchd::error_text(model, patch)), Names{});
  patch.trouble = "MTU 9 could not be set (no)";
  EXPECT_EQ(working("1", vswitchd::error_text(model, patch)), Names{});
}

TEST(ConfFaults, ASettingThatCouldNotBeAppliedStopsNothing) {
  auto registry = netdev::Registry::open({netdev::DummyMode::on, "test"});
  ASSERT_TRUE(registry) << registry.error().message;
  vswitchd::Model model;
  vswitchd::InterfaceState interface;
  interface.name = "p";
  interface.type = "dummy";
  interface.number = openflow::OfPort(1);
  auto device = (*registry)->create(interface.name, interface.type, {});
  ASSERT_TRUE(device) << device.error().message;
  interface.device = *std::move(device);
  interface.trouble = "MTU 100000 could not be set (at most 65535 is possible)";
  interface.contest = "port p is in the bridges a and b: only a has it";
  const std::string error = vswitchd::error_text(model, interface);
  EXPECT_NE(error, "");
  EXPECT_EQ(working("1", error), Names{"p"});
}

using Strings = std::vector<std::string>;

// A manager of the file, and its status in the database as JSON.
Strings manager(const std::string& target, const std::string& status, const std::string& ssl = "") {
  World world;
  world.insert("Manager", "{\"target\":\"" + target + "\",\"status\":[\"map\",[" + status + "]]}");
  world.insert("Manager", R"({"target":"ptcp:9","status":["map",[["state","VOID"]]]})");  // somebody else's
  const ManagerFaults found =
      manager_faults(world.present(), declared({{"ovs_manager", target}, {"ovs_ssl", ssl}}));
  EXPECT_EQ(found.unknown, status.empty() ? Strings{target} : Strings{});
  Strings out;
  for (const ManagerFault& fault : found.faults) {
    EXPECT_EQ(fault.of_last_try, target.starts_with("ssl:"));
    out.push_back(fault.text);
  }
  return out;
}

TEST(ConfFaults, Managers) {
  EXPECT_EQ(manager("ptcp:1", ""), Strings{});
  EXPECT_EQ(manager("ptcp:1", R"(["bound_port","1"])"), Strings{});
  EXPECT_EQ(manager("ptcp:1", R"(["state","VOID"],["last_error","ptcp:1: in use"])"),
            Strings{"the database server cannot use the manager ptcp:1: in use"});
  // Whoever is to be connected to may not be there yet.
  EXPECT_EQ(manager("ssl:192.0.2.1:1", R"(["state","BACKOFF"],["last_error","Connection refused"])"), Strings{});
}

TEST(ConfFaults, KeysOfAManagerThatIsOpen) {
  EXPECT_EQ(manager("pssl:1", R"(["bound_port","1"])"), Strings{});
  EXPECT_EQ(manager("pssl:1", R"(["state","ACTIVE"],["bound_port","1"],["last_error","/k: no key"])"),
            Strings{"the database server cannot use the keys for the manager pssl:1: /k: no key"});
}

// What cannot heal while the server waits for somebody to be there.
TEST(ConfFaults, KeysOfAManagerThatTheServerConnectsTo) {
  const auto missing = runtime::check_tls_settings(runtime::TlsSettings{});
  ASSERT_FALSE(missing);
  const std::string reason = missing.error().message;
  const std::string ssl = "private_key=/k certificate=/c ca_cert=/a";
  const auto backoff = [&](const std::string& error) {
    return manager("ssl:192.0.2.1:1", R"(["state","BACKOFF"],["last_error",")" + error + R"("])", ssl);
  };
  if (runtime::tls_supported()) {
    EXPECT_EQ(backoff(reason),
              Strings{"the database server cannot use the keys for the manager ssl:192.0.2.1:1: " + reason});
  }
  EXPECT_EQ(backoff("/c: no certificate"),
            Strings{"the database server cannot use the keys for the manager ssl:192.0.2.1:1: /c: no certificate"});
  EXPECT_EQ(backoff("/cert: no certificate"), Strings{});
  EXPECT_EQ(backoff("Connection refused"), Strings{});
}

}  // namespace
}  // namespace ovs::conf
