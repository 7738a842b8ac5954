#include "telemetry/exporter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "runtime/loop.h"
#include "unit/telemetry/receiver.h"

namespace ovs::telemetry {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;

Target target(const std::string& text) {
  auto t = parse_target(text, 6343);
  EXPECT_TRUE(t) << t.error().message;
  return *t;
}

std::string on_loopback(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

TEST(ExporterTest, SendsToEveryTarget) {
  runtime::Loop loop;
  Receiver a(loop, AF_INET), b(loop, AF_INET), c(loop, AF_INET6);
  std::vector<Target> targets{target(on_loopback(a.port())), target("localhost:" + std::to_string(b.port()))};
  if (c.works()) targets.push_back(target("[::1]:" + std::to_string(c.port())));
  int ready = 0;
  Exporter exporter(loop, "test", targets, [&] { ready++; });
  const Bytes datagram{1, 2, 3};
  // The name may be found at any time from now on; until then its datagrams are dropped.
  runtime::Timer again(loop, [&] {
    exporter.send(datagram);
    again.start(10ms);
  });
  again.start(0ms);
  EXPECT_TRUE(loop.run_until(
      [&] { return !a.received.empty() && !b.received.empty() && (!c.works() || !c.received.empty()); }, 30s));
  EXPECT_EQ(a.received[0], datagram);
  EXPECT_EQ(b.received[0], datagram);
  EXPECT_EQ(ready, static_cast<int>(targets.size()));
  const auto addresses = exporter.addresses();
  ASSERT_EQ(addresses.size(), targets.size());
  EXPECT_EQ(addresses.front().to_string(), on_loopback(a.port()));
}

TEST(ExporterTest, AnAddressGetsWhatIsSentAtOnce) {
  runtime::Loop loop;
  Receiver a(loop, AF_INET);
  Exporter exporter(loop, "test", {target(on_loopback(a.port()))}, [] {});
  exporter.send(Bytes{1});
  EXPECT_EQ(exporter.counters().sent, 1u);
  EXPECT_TRUE(loop.run_until([&] { return a.received == std::vector<Bytes>{{1}}; }, 10s));
}

TEST(ExporterTest, ATargetThatDoesNotAnswerHarmsNoOther) {
  runtime::Loop loop;
  auto gone = std::make_unique<Receiver>(loop, AF_INET);
  const std::uint16_t port = gone->port();
  gone.reset();
  Receiver good(loop, AF_INET);
  Exporter exporter(loop, "test", {target(on_loopback(port)), target(on_loopback(good.port()))}, [] {});
  ASSERT_TRUE(loop.run_until([&] { return exporter.addresses().size() == 2; }, 10s));
  for (std::size_t i = 1; i <= 50; i++) {
    exporter.send(Bytes{static_cast<std::uint8_t>(i)});
    ASSERT_TRUE(loop.run_until([&] { return good.received.size() == i; }, 10s)) << i;
  }
  // When it is back, it gets what is sent from then on.
  Receiver back(loop, AF_INET, port);
  ASSERT_TRUE(back.works());
  exporter.send(Bytes{99});
  EXPECT_TRUE(loop.run_until([&] { return back.received == std::vector<Bytes>{{99}}; }, 10s));
}

TEST(ExporterTest, NobodyWaitsForANameThatDoesNotResolve) {
  runtime::Loop loop;
  Exporter exporter(loop, "test", {target("no-such-name.invalid:6343")}, [] { FAIL(); });
  exporter.send(Bytes{1});
  EXPECT_EQ(exporter.counters().dropped, 1u);
  EXPECT_EQ(exporter.counters().sent, 0u);
  // Nothing here waits for the resolver, however long it takes.
  bool round = false;
  loop.post([&] { round = true; });
  EXPECT_TRUE(loop.run_until([&] { return round; }, 10s));
}

TEST(ExporterTest, MayEndWhileANameIsLookedUp) {
  runtime::Loop loop;
  for (int i = 0; i < 10; i++) {
    Exporter exporter(loop, "test", {target("localhost:1")}, [] {});
    bool round = false;
    loop.post([&] { round = true; });
    loop.run_until([&] { return round; }, 10s);
  }
}

TEST(ExporterTest, ADatagramThatIsTooLargeIsDropped) {
  runtime::Loop loop;
  Receiver a(loop, AF_INET);
  Exporter exporter(loop, "test", {target(on_loopback(a.port()))}, [] {});
  ASSERT_TRUE(loop.run_until([&] { return !exporter.addresses().empty(); }, 10s));
  exporter.send(Bytes(70000));
  EXPECT_EQ(exporter.counters().dropped, 1u);
  exporter.send(Bytes{5});
  EXPECT_TRUE(loop.run_until([&] { return a.received == std::vector<Bytes>{{5}}; }, 10s));
}

}  // namespace
}  // namespace ovs::telemetry
