#include "flow/address.h"

#include <gtest/gtest.h>

#include "flow/port_number.h"

namespace ovs::flow {
namespace {

TEST(Address, Ethernet) {
  const auto address = parse_eth("0:1:AB:cd:Ef:ff");
  ASSERT_TRUE(address);
  EXPECT_EQ(format_eth(*address), "00:01:ab:cd:ef:ff");
  for (const char* bad : {"", "1:2:3:4:5", "1:2:3:4:5:6:7", "1:2:3:4:5:", ":1:2:3:4:5", "001:2:3:4:5:6", "1:2:3:4:5:g",
                          "1:2:3:4:5:6 ", "-1:2:3:4:5:6", "0x1:2:3:4:5:6", "1.2.3.4.5.6"}) {
    EXPECT_FALSE(parse_eth(bad)) << bad;
  }
}

TEST(Address, Ipv4) {
  const auto address = parse_ipv4("10.0.255.1");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host(), 0x0a00ff01U);
  EXPECT_EQ(format_ipv4(*address), "10.0.255.1");
  for (const char* bad : {"", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.x", "0x01020304"}) EXPECT_FALSE(parse_ipv4(bad)) << bad;
  EXPECT_FALSE(parse_ipv4(std::string_view("1.2.3.4\0x", 9)));
}

TEST(Address, Ipv6) {
  for (const char* good : {"::", "::1", "fe80::a", "2001:db8::1", "1:0:0:2::3", "::ffff:1.2.3.4"}) {
    const auto address = parse_ipv6(good);
    ASSERT_TRUE(address) << good;
    EXPECT_EQ(format_ipv6(*address), good);
  }
  for (const char* bad : {"", ":::", "1", "1::2::3", "1:2:3:4:5:6:7:8:9", "::g"}) EXPECT_FALSE(parse_ipv6(bad)) << bad;
}

TEST(PortNumber, NumbersAndNames) {
  EXPECT_EQ(parse_port_number("1"), 1U);
  EXPECT_EQ(parse_port_number("0"), 0U);
  EXPECT_EQ(parse_port_number("65279"), 65279U);
  EXPECT_EQ(parse_port_number("65534"), 0xfffffffeU);
  EXPECT_EQ(parse_port_number("4294967294"), 0xfffffffeU);
  EXPECT_EQ(parse_port_number("Local"), 0xfffffffeU);
  EXPECT_EQ(parse_port_number("NONE"), parse_port_number("any"));
  for (const char* bad : {"", "-1", "65536", "4294967039", "4294967296", "0x10", "lo", "1 "}) {
    EXPECT_FALSE(parse_port_number(bad)) << bad;
  }
  EXPECT_EQ(format_port_number(1), "1");
  EXPECT_EQ(format_port_number(0xfffffffd), "CONTROLLER");
  EXPECT_EQ(format_port_number(0xffffffff), "ANY");
  EXPECT_EQ(format_port_number(0xffffff00), "65280");
  EXPECT_EQ(format_port_number(0x10000), "65536");
  EXPECT_FALSE(narrow_port(0xff00));
  EXPECT_FALSE(narrow_port(0xfffffeff));
  for (std::uint32_t port = 0; port <= 0xffff; port++) {
    const std::uint32_t wide = widen_port(static_cast<std::uint16_t>(port));
    ASSERT_EQ(narrow_port(wide), port);
    ASSERT_EQ(parse_port_number(format_port_number(wide)), wide);
  }
}

}  // namespace
}  // namespace ovs::flow
