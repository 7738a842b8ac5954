#include "telemetry/local_address.h"

#include <gtest/gtest.h>

#include <string>

namespace ovs::telemetry {
namespace {

std::string agent(const std::string& name) {
  auto a = address_of_agent(name);
  return a ? to_text(*a) : "error: " + a.error().message;
}

TEST(LocalAddressTest, AnAgentIsAnAddressOrADevice) {
  EXPECT_EQ(agent("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(agent("2001:db8::7"), "2001:db8::7");
  EXPECT_EQ(agent("lo"), "127.0.0.1");
  EXPECT_EQ(agent("no-such-dev"), "error: \"no-such-dev\" is neither an IP address nor a device");
  EXPECT_EQ(agent(""), "error: \"\" is neither an IP address nor a device");
}

TEST(LocalAddressTest, LinkLocalAddresses) {
  EXPECT_EQ(agent("fe80::7"), "fe80::7");  // as it was asked for
  EXPECT_TRUE(is_link_local(*address_of_agent("fe80::7")));
  EXPECT_TRUE(is_link_local(*address_of_agent("febf::7")));
  EXPECT_FALSE(is_link_local(*address_of_agent("fec0::7")));
  EXPECT_FALSE(is_link_local(*address_of_agent("169.254.0.1")));
  EXPECT_FALSE(is_link_local({}));
}

TEST(LocalAddressTest, TheSourceAddressOfARoute) {
  auto loopback = runtime::numeric_address("127.0.0.9", 6343);
  ASSERT_TRUE(loopback);
  auto a = address_towards(*loopback);
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(to_text(*a), "127.0.0.1");
}

}  // namespace
}  // namespace ovs::telemetry
