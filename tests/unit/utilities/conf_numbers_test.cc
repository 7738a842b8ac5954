#include "conf/numbers.h"

#include <gtest/gtest.h>

#include "unit/utilities/conf_world.h"
#include "vswitchd/settings.h"

namespace ovs::conf {
namespace {

bool takes(const NumberSetting& n, const std::string& value) {
  return check_number(n.kind, n.column, n.key, value).has_value();
}

// Whether the switch takes it as it is.
bool switch_takes(const NumberSetting& n, const std::string& value) {
  vswitchd::Complaints complaints;
  if (n.kind == Id::bridge) {
    vswitchd::BridgeColumns columns;
    columns.other_config.emplace(std::string(n.key), value);
    (void)vswitchd::bridge_config(columns, complaints);
  } else {
    vswitchd::SflowColumns columns;
    columns.targets = {"192.0.2.1"};
    (n.column == "header" ? columns.header : n.column == "polling" ? columns.polling : columns.sampling) =
        std::stoll(value);
    (void)vswitchd::sflow_config(columns, complaints);
  }
  return complaints.empty();
}

// Those of Open_vSwitch are held against a running switch, by a system test.
TEST(ConfNumbers, AreTheSwitchesOwn) {
  for (const NumberSetting& n : number_settings()) {
    SCOPED_TRACE(n.key.empty() ? n.column : n.key);
    std::vector<std::pair<std::string, bool>> values{{std::to_string(n.least), true},
                                                     {std::to_string(n.most), true},
                                                     {std::to_string(n.least - 1), false},
                                                     {std::to_string(n.most + 1), false}};
    // The column of a number holds no text.
    if (!n.key.empty()) values.insert(values.end(), {{"abc", false}, {"", false}, {"1.5", false}});
    for (const auto& [value, good] : values) {
      EXPECT_EQ(takes(n, value), good) << value;
      if (n.kind != Id::root) {
        EXPECT_EQ(switch_takes(n, value), good) << value;
      }
    }
  }
}

TEST(ConfNumbers, OthersMayBeAnything) {
  EXPECT_TRUE(check_number(Id::bridge, "other_config", "hwaddr", "abc"));
  EXPECT_TRUE(check_number(Id::port, "other_config", "mac-aging-time", "abc"));
  EXPECT_TRUE(check_number(Id::sflow, "header", "", ""));
}

TEST(ConfNumbers, AreLookedAtInAFile) {
  std::vector<std::string> out;
  for (const Mistake& m : read_declaration(variables({{"ovs_bridges", "br0"},
                                                      {"ovs_bridge_br0", "other_config:mac-aging-time=abc"},
                                                      {"ovs_sflow_br0", "targets=10.0.0.1 header=-1 polling=[]"},
                                                      {"ovs_switch", "other_config:max-idle=1"}}),
                                           test_schema()).mistakes)
    out.push_back(m.text);
  EXPECT_EQ(out, (std::vector<std::string>{
                     "ovs_bridge_br0: other_config:mac-aging-time cannot be \"abc\"; it is a number from 15 to 3600",
                     "ovs_sflow_br0: header cannot be \"-1\"; it is a number from 0 to 1024",
                     "ovs_switch: other_config:max-idle cannot be \"1\"; it is a number from 500 to 31536000000"}));
}

}  // namespace
}  // namespace ovs::conf
