#include "telemetry/target.h"

#include <gtest/gtest.h>

#include <string>

namespace ovs::telemetry {
namespace {

std::string parsed(const std::string& text) {
  auto t = parse_target(text, 6343);
  return t ? t->host + "|" + std::to_string(t->port) : "error: " + t.error().message;
}

TEST(TargetTest, FormsWithAndWithoutPort) {
  EXPECT_EQ(parsed("10.0.0.1:6344"), "10.0.0.1|6344");
  EXPECT_EQ(parsed("10.0.0.1"), "10.0.0.1|6343");
  EXPECT_EQ(parsed("10.0.0.1:"), "10.0.0.1|6343");
  EXPECT_EQ(parsed("[2001:db8::1]:99"), "2001:db8::1|99");
  EXPECT_EQ(parsed("[::1]"), "::1|6343");
  EXPECT_EQ(parsed("collector.example:99"), "collector.example|99");
  EXPECT_EQ(parsed("collector.example"), "collector.example|6343");
  EXPECT_EQ(parsed("udp:99"), "udp|99");  // a host may have that name
  EXPECT_EQ(parse_target("10.0.0.1", 1)->text, "10.0.0.1");
}

TEST(TargetTest, WhatIsWrongIsSaid) {
  EXPECT_EQ(parsed("10.0.0.1:99999"), "error: 10.0.0.1:99999: \"99999\" is not a port number (1 to 65535)");
  EXPECT_EQ(parsed("10.0.0.1:0"), "error: 10.0.0.1:0: \"0\" is not a port number (1 to 65535)");
  EXPECT_EQ(parsed("10.0.0.1:x"), "error: 10.0.0.1:x: \"x\" is not a port number (1 to 65535)");
  EXPECT_EQ(parsed(""), "error: \"\": the target is empty");
  EXPECT_EQ(parsed(":6343"), "error: :6343: the host is missing");
  EXPECT_EQ(parsed("2001:db8::1"), "error: 2001:db8::1: an IPv6 address must stand in brackets");
  EXPECT_EQ(parsed("a b"), "error: a b: \"a b\" is not a host");
  EXPECT_EQ(parsed("10.0.0.1:6343,10.0.0.1:6344"),
            "error: 10.0.0.1:6343,10.0.0.1:6344: these are several targets: write "
            "\"ADDRESS:PORT\",\"ADDRESS:PORT\"");
  EXPECT_EQ(parsed("udp:10.0.0.1:6343"), "error: udp:10.0.0.1:6343: a target is ADDRESS:PORT, without udp:");
  EXPECT_EQ(parsed("tcp:[::1]:6343"), "error: tcp:[::1]:6343: a target is ADDRESS:PORT, without tcp:");
  EXPECT_EQ(parsed("10.0.0.300:6343"), "error: 10.0.0.300:6343: \"10.0.0.300\" is not an IP address");
  EXPECT_EQ(parsed("10.0.0.1.5"), "error: 10.0.0.1.5: \"10.0.0.1.5\" is not an IP address");
}

}  // namespace
}  // namespace ovs::telemetry
