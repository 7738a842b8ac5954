// Ports share the table of megaflows: one that floods must not take the others' places.
#include <gtest/gtest.h>

#include <cstring>

#include "base/check.h"
#include "datapath/user_engine.h"
#include "flow/compose.h"
#include "switch_fixture.h"

namespace ovs::ofproto::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string mac(unsigned number) {
  char text[18];
  std::snprintf(text, sizeof text, "02:00:%02x:%02x:%02x:%02x", number >> 24 & 0xff, number >> 16 & 0xff,
                number >> 8 & 0xff, number & 0xff);
  return text;
}

// p1, p2, p3 are ports 2, 3, 4 of the datapath; packets are of flows that nobody else has.
class Fairness : public SwitchTest {
 protected:
  Fairness() {
    const BridgeId bridge = add_bridge("br0");
    for (const char* name : {"p1", "p2", "p3"}) add_port(bridge, name);
    engine.set_flow_limit(100);
  }

  void send(int port, unsigned flow) {
    receive("in=" + std::to_string(port) + " type=88b5 src=" + mac(0x1000000u * static_cast<unsigned>(port)) +
            " dst=" + mac(0x80000000u + flow));
  }
  std::size_t flows_of(int port) const {
    std::size_t count = 0;
    engine.dump_flows([&](const datapath::Datapath::FlowView& flow) {
      count += flow.match.key.in_port.host() == static_cast<std::uint32_t>(port);
      return true;
    });
    return count;
  }
};

TEST_F(Fairness, AFullTableHasRoomForThoseThatHaveLess) {
  for (unsigned i = 0; i < 150; i++) send(2, i);
  EXPECT_EQ(flows_of(2), 100u);
  for (unsigned i = 0; i < 10; i++) send(3, i);
  EXPECT_EQ(flows_of(3), 10u);
  EXPECT_EQ(flows_of(2), 90u);
  // No port takes from one that has as little as itself.
  for (unsigned i = 10; i < 300; i++) send(3, i);
  EXPECT_EQ(flows_of(2), 50u);
  EXPECT_EQ(flows_of(3), 50u);
  for (unsigned i = 300; i < 400; i++) send(2, i);
  EXPECT_EQ(flows_of(2), 50u);
  EXPECT_EQ(flows_of(3), 50u);
  for (unsigned i = 0; i < 200; i++) send(4, i);
  EXPECT_EQ(flows_of(4), 33u);
}

TEST_F(Fairness, WhoFillsTheTableClearsItUp) {
  for (unsigned i = 0; i < 10; i++) send(3, i);
  for (unsigned i = 0; i < 150; i++) send(2, i);
  EXPECT_EQ(flows_of(2), 90u);
  advance(seconds(3));  // the flood goes on, in other flows
  for (unsigned i = 150; i < 300; i++) send(2, i);
  advance(milliseconds(200));
  EXPECT_EQ(flows_of(3), 10u);
  EXPECT_LT(flows_of(2), 90u);
  advance(seconds(10));
  EXPECT_EQ(flows_of(3), 0u);  // idle by any measure
}

// The user-space engine, a limit of 50,000, and 100,000 flows of one port.
TEST(FairnessOfTheEngine, AFloodLeavesOtherPortsTheirFlows) {
  datapath::UserEngineOptions options;
  options.threads = 0;
  datapath::UserEngine engine(options);
  engine.set_flow_limit(50'000);
  Switch subject(engine);
  TimePoint now{seconds(1000)};
  engine.set_now(now);
  const BridgeId bridge = subject.add_bridge("br0", {});
  FakeDevice a("a"), b("b");
  for (FakeDevice* device : {&a, &b}) {
    BundleConfig config;
    config.name = device->name();
    config.members = {*subject.add_port(bridge, *device, std::nullopt)};
    config.trunks.set();
    subject.add_bundle(bridge, config);
  }
  const auto send = [&](std::uint32_t port, unsigned flow) {
    flow::FlowKey key{};
    key.eth_src = parse_mac(mac(0x1000000u * port));
    key.eth_dst = parse_mac(mac(0x80000000u + flow));
    key.eth_type = be16::from_host(0x88b5);
    engine.inject(datapath::DpPort{port}, flow::compose(key, 46));
    while (subject.handle_upcalls(now)) {
    }
  };
  // Whether b's packet finds a megaflow.
  const auto is_known = [&](unsigned flow) {
    const std::uint64_t before = engine.stats().missed;
    send(2, flow);
    return engine.stats().missed == before;
  };
  send(2, 1);
  unsigned flows = 0;
  while (flows < 60'000) send(1, flows++);
  EXPECT_EQ(engine.stats().flows, 50'000u);
  EXPECT_TRUE(is_known(1));
  for (unsigned i = 2; i < 100; i++) {
    EXPECT_FALSE(is_known(i)) << i;
    EXPECT_TRUE(is_known(i)) << i;
  }
  // The flood goes on for four seconds; once in a second, b needs its flows.
  while (flows < 100'000) {
    send(1, flows++);
    if (flows % 100 == 0) {
      now += milliseconds(10);
      engine.set_now(now);
      subject.revalidate(now);
    }
    if (flows % 10'000 != 0) continue;
    EXPECT_GT(engine.stats().flows, 40'000u);
    for (unsigned i = 1; i < 100; i++) EXPECT_TRUE(is_known(i)) << i << " after " << flows;
  }
}

// The engine's clock stands still between two rounds: what is in use all the time always seems as old as a sweep.
TEST(IdleTime, AMegaflowInUseIsNotIdle) {
  datapath::UserEngineOptions options;
  options.threads = 0;
  datapath::UserEngine engine(options);
  Switch subject(engine);
  subject.set_flow_idle_time(milliseconds(500));
  TimePoint now{seconds(1000)};
  engine.set_now(now);
  const BridgeId bridge = subject.add_bridge("br0", {});
  FakeDevice device("a");
  BundleConfig config;
  config.name = "a";
  config.members = {*subject.add_port(bridge, device, std::nullopt)};
  config.trunks.set();
  subject.add_bundle(bridge, config);
  flow::FlowKey key{};
  key.eth_src = parse_mac(mac_a);
  key.eth_dst = parse_mac(mac_b);
  key.eth_type = be16::from_host(0x88b5);
  for (int i = 0; i < 10; i++) {
    for (int packet = 0; packet < 2; packet++) {
      engine.inject(datapath::DpPort{1}, flow::compose(key, 46));
      while (subject.handle_upcalls(now)) {
      }
    }
    now += milliseconds(500);
    engine.set_now(now);
    while (subject.revalidate(now) <= now) {
    }
  }
  EXPECT_EQ(engine.stats().missed, 1u);
  now += milliseconds(1000);
  engine.set_now(now);
  while (subject.revalidate(now) <= now) {
  }
  EXPECT_EQ(engine.stats().flows, 0u);
}

}  // namespace
}  // namespace ovs::ofproto::test
