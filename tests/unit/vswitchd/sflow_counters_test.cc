#include "vswitchd/sflow_counters.h"

#include <gtest/gtest.h>

namespace ovs::vswitchd {
namespace {

using namespace std::chrono_literals;
using telemetry::sflow::unknown32;

telemetry::TimePoint at(std::chrono::milliseconds time) { return telemetry::TimePoint(1000s + time); }

TEST(ProcessorLoadTest, SharesOfTheTimesThatAreKnown) {
  ProcessorLoad load;
  load.observe(at(0s), {100, 1000});
  EXPECT_EQ(load.report(at(0s)).load_5s, unknown32);
  load.observe(at(10s), {150, 1100});  // half of the time
  EXPECT_EQ(load.report(at(10s)).load_5s, 5000u);
  EXPECT_EQ(load.report(at(10s)).load_1m, unknown32);
  load.observe(at(60s), {150, 1600});  // idle since
  EXPECT_EQ(load.report(at(60s)).load_5s, 0u);
  EXPECT_EQ(load.report(at(60s)).load_1m, 50u * 10000 / 600);
  EXPECT_EQ(load.report(at(60s)).load_5m, unknown32);
}

TEST(ProcessorLoadTest, MemoryIsBoundedByTheLongestTime) {
  ProcessorLoad load;
  for (unsigned i = 0; i < 100'000; i++) load.observe(at(i * 100ms), {i, 2 * i});
  EXPECT_NEAR(load.report(at(10'000s)).load_5m, 5000, 1);
  EXPECT_NEAR(load.report(at(10'000s)).load_5s, 5000, 1);
}

TEST(ProcessorLoadTest, TheKernelIsAsked) {
  ProcessorLoad load;
  load.observe(at(0s));
  const auto p = load.report(at(0s));
  EXPECT_GT(p.memory_total, p.memory_free);
  EXPECT_GT(p.memory_free, 0u);
}

TEST(VlanCountersTest, AreThoseOfTheBridge) {
  ofproto::VlanTraffic traffic;
  traffic.count(ofproto::Fate::unicast, 10, 1000);
  traffic.count(ofproto::Fate::multicast, 2, 200);
  traffic.count(ofproto::Fate::broadcast, 3, 180);
  traffic.count(ofproto::Fate::dropped, 4, 400);
  EXPECT_EQ(vlan_counters(7, traffic), (telemetry::sflow::VlanCounters{7, 1380, 10, 2, 3, 4}));
}

}  // namespace
}  // namespace ovs::vswitchd
