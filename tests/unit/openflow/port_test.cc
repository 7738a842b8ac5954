#include "openflow/port.h"

#include <gtest/gtest.h>

namespace ovs::openflow {
namespace {

TEST(Port, ReservedPortsHaveNames) {
  const std::pair<OfPort, const char*> named[] = {
      {port_unset, "UNSET"}, {port_in_port, "IN_PORT"}, {port_table, "TABLE"},           {port_normal, "NORMAL"}, {port_flood, "FLOOD"},
      {port_all, "ALL"},     {port_local, "LOCAL"},     {port_controller, "CONTROLLER"}, {port_none, "ANY"},
  };
  for (const auto& [port, name] : named) {
    EXPECT_EQ(format_port(port), name);
    EXPECT_EQ(parse_port(name), port);
    EXPECT_EQ(widen_port(*narrow_port(port)), port) << name;
  }
  EXPECT_EQ(parse_port("none"), port_none);
}

TEST(Port, OthersAreNumbers) {
  EXPECT_EQ(format_port(max_port), "65279");
  EXPECT_EQ(parse_port("65279"), max_port);
  EXPECT_EQ(parse_port("65534"), port_local) << "as OpenFlow 1.0 has it";
  EXPECT_FALSE(parse_port("65536"));
  EXPECT_FALSE(parse_port("eth0"));
  EXPECT_FALSE(narrow_port(OfPort{0x10000}));
  EXPECT_EQ(wire(port_local).host(), 0xfffffffeU);
}

}  // namespace
}  // namespace ovs::openflow
