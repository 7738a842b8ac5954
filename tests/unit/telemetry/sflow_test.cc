#include "telemetry/sflow.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/loop.h"
#include "telemetry/sflow_codec.h"
#include "unit/telemetry/receiver.h"

namespace ovs::telemetry {
namespace {

using namespace std::chrono_literals;

class SflowTest : public testing::Test {
 protected:
  SflowTest() {
    // Timers run when a test moves the clock, and not before.
    loop.stop_time();
    hooks.counters = [this](PollSchedule::Id id) { return counters(id); };
    hooks.drops = [] { return 2; };
    hooks.changed = [this] { changes++; };
  }

  SflowConfig config() {
    SflowConfig c;
    c.agent = "192.0.2.1";
    c.targets = {*parse_target("127.0.0.1:" + std::to_string(collector.port()), 6343)};
    c.polling = 10s;
    return c;
  }

  std::optional<Sflow::Report> counters(PollSchedule::Id id) {
    polls[id]++;
    if (id == 13) return {};
    return Sflow::Report{{sflow::Source::interface, id}, {sflow::PortName{"p" + std::to_string(id)}}};
  }

  void warp(std::chrono::milliseconds by) {
    bool done = false;
    ASSERT_TRUE(loop.warp_time(by, [&] { done = true; }, 100ms));
    ASSERT_TRUE(loop.run_until([&] { return done; }, 30s));
  }

  // Waits for as many samples in all and returns them.
  std::vector<sflow::Sample> samples(std::size_t count) {
    std::vector<sflow::Sample> all;
    auto collect = [&] {
      all.clear();
      for (const auto& bytes : collector.received) {
        auto d = sflow::decode(bytes);
        EXPECT_TRUE(d) << d.error().message;
        agent = to_text(d->agent);
        all.insert(all.end(), d->samples.begin(), d->samples.end());
      }
      return all.size() >= count;
    };
    EXPECT_TRUE(loop.run_until(collect, 30s)) << all.size() << " of " << count;
    return all;
  }

  SampledPacket packet() {
    SampledPacket p;
    p.passed = 640;
    p.frame = frame;
    p.frame_bytes = frame.size();
    p.rate = 64;
    return p;
  }

  runtime::Loop loop;
  Receiver collector{loop, AF_INET};
  Sflow::Hooks hooks;
  std::vector<std::uint8_t> frame = std::vector<std::uint8_t>(60, 1);
  std::map<PollSchedule::Id, int> polls;
  std::string agent;
  int changes = 0;
};

TEST_F(SflowTest, SamplesArriveWithinASecond) {
  Sflow sflow(loop, "br0", 0, hooks);
  EXPECT_FALSE(sflow.active());
  sflow.configure(config());
  EXPECT_TRUE(sflow.active());
  EXPECT_EQ(changes, 1);
  warp(1s);
  sflow.add_sample(packet());
  warp(1s);
  auto all = samples(1);
  EXPECT_EQ(agent, "192.0.2.1");
  const auto& s = std::get<sflow::FlowSample>(all.at(0));
  EXPECT_EQ(s.source, (sflow::Source{sflow::Source::entity, 1000}));
  EXPECT_EQ(s.pool, 640u);
  EXPECT_EQ(s.drops, 2u);
}

TEST_F(SflowTest, CountersArePolledOncePerInterval) {
  Sflow sflow(loop, "br0", 0, hooks);
  for (PollSchedule::Id id = 1; id <= 20; id++) sflow.add_source(id);
  sflow.configure(config());
  warp(30s);
  for (PollSchedule::Id id = 1; id <= 20; id++) EXPECT_NEAR(polls[id], 3, 1) << id;
  sflow.remove_source(7);
  const int before = polls[7];
  warp(20s);
  EXPECT_EQ(polls[7], before);
  for (const auto& s : samples(50)) {
    EXPECT_NE(std::get<sflow::CounterSample>(s).source.index, 13u);  // which had nothing to report
  }
}

TEST_F(SflowTest, WithoutPollingNoCounters) {
  Sflow sflow(loop, "br0", 0, hooks);
  sflow.add_source(1);
  SflowConfig c = config();
  c.polling = 0s;
  sflow.configure(c);
  warp(60s);
  EXPECT_TRUE(polls.empty());
}

TEST_F(SflowTest, TheAgentIsFoundByTheRouteToTheFirstCollector) {
  Sflow sflow(loop, "br0", 0, hooks);
  SflowConfig c = config();
  c.agent.clear();
  sflow.configure(c);
  warp(1s);
  EXPECT_TRUE(sflow.active());
  sflow.add_sample(packet());
  warp(1s);
  samples(1);
  EXPECT_EQ(agent, "127.0.0.1");
}

TEST_F(SflowTest, ACollectorThatCannotBeReachedKeepsTheAgentFromNoOther) {
  Sflow sflow(loop, "br0", 0, hooks);
  SflowConfig c = config();
  c.agent.clear();
  c.targets.insert(c.targets.begin(), *parse_target("no-such-name.invalid", 6343));
  c.targets.insert(c.targets.begin(), *parse_target("255.255.255.255", 6343));  // to whom one may not connect
  sflow.configure(c);
  warp(1s);
  ASSERT_TRUE(sflow.active());
  sflow.add_sample(packet());
  warp(1s);
  samples(1);
  EXPECT_EQ(agent, "127.0.0.1");
}

// By whom it tells that it is active, while a collector of the exporter that is replaced is being connected.
TEST_F(SflowTest, MayGetOtherTargetsWhileItBecomesActive) {
  SflowConfig c = config();
  const std::vector<Target> targets = std::exchange(c.targets, {*parse_target("127.0.0.1:9", 6343)});
  c.agent.clear();
  Sflow* subject = nullptr;
  hooks.changed = [&] {
    if (changes++ > 0) return;
    c.targets = targets;
    subject->configure(c);
  };
  Sflow sflow(loop, "br0", 0, hooks);
  subject = &sflow;
  sflow.configure(c);
  warp(1s);
  ASSERT_TRUE(sflow.active());
  sflow.add_sample(packet());
  warp(1s);
  samples(1);
  EXPECT_EQ(changes, 1);
}

TEST_F(SflowTest, AnAgentWithoutAddressStopsIt) {
  Sflow sflow(loop, "br0", 0, hooks);
  SflowConfig c = config();
  c.agent = "no-such-dev";
  sflow.configure(c);
  EXPECT_FALSE(sflow.active());
  EXPECT_EQ(changes, 0);
  sflow.add_sample(packet());  // leads nowhere
  c.agent = "lo";
  sflow.configure(c);
  EXPECT_TRUE(sflow.active());
  EXPECT_EQ(changes, 1);
  warp(1s);
  sflow.add_sample(packet());
  c.agent = "no-such-dev";
  sflow.configure(c);
  EXPECT_FALSE(sflow.active());
  EXPECT_EQ(changes, 2);
  samples(1);  // not when there is an agent again
  EXPECT_EQ(agent, "127.0.0.1");
  sflow.add_sample(packet());
  warp(30s);
  EXPECT_EQ(collector.received.size(), 1u);
}

// Whatever changes beside it.
TEST_F(SflowTest, AnotherHeaderCountsAtOnce) {
  Sflow sflow(loop, "br0", 0, hooks);
  Receiver other(loop, AF_INET);
  SflowConfig c = config();
  sflow.configure(c);
  c.header_bytes = 20;
  sflow.configure(c);
  warp(1s);
  sflow.add_sample(packet());
  c.header_bytes = 10;
  c.targets.push_back(*parse_target("127.0.0.1:" + std::to_string(other.port()), 6343));
  sflow.configure(c);
  warp(1s);
  sflow.add_sample(packet());
  warp(1s);
  std::vector<std::size_t> sizes;
  for (const auto& s : samples(2)) {
    const auto& header = std::get<sflow::SampledHeader>(std::get<sflow::FlowSample>(s).records.at(0));
    sizes.push_back(header.header.size());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{20, 10}));
}

// A collector takes it for another one then.
TEST_F(SflowTest, AnInterfaceThatComesBackIsNumberedFromOne) {
  std::uint32_t ifindex = 5;
  std::size_t reports = 0;
  hooks.counters = [&](PollSchedule::Id) {
    reports++;
    return Sflow::Report{{sflow::Source::interface, ifindex}, {sflow::PortName{"p"}}};
  };
  {
    Sflow sflow(loop, "br0", 0, hooks);
    SflowConfig c = config();
    c.polling = 1s;
    sflow.configure(c);
    sflow.add_source(1);
    warp(3s);
    ifindex = 6;  // another device by the same name
    warp(3s);
    ifindex = 5;
    warp(3s);
    sflow.remove_source(1);
    sflow.add_source(1);
    warp(3s);
  }
  std::vector<std::uint32_t> begun;  // by which source, each time that numbers begin
  std::uint32_t last = 0;
  for (const auto& sample : samples(reports)) {
    const auto& s = std::get<sflow::CounterSample>(sample);
    if (s.sequence == 1) {
      begun.push_back(s.source.index);
    } else {
      EXPECT_EQ(s.sequence, last + 1);
    }
    last = s.sequence;
  }
  EXPECT_EQ(begun, (std::vector<std::uint32_t>{5, 6, 5, 5}));
}

TEST_F(SflowTest, WhatIsThereIsSentWhenItEnds) {
  {
    Sflow sflow(loop, "br0", 0, hooks);
    sflow.configure(config());
    warp(1s);
    sflow.add_sample(packet());
  }
  samples(1);
}

TEST_F(SflowTest, OtherTargetsGetWhatComesAfterwards) {
  Sflow sflow(loop, "br0", 0, hooks);
  sflow.configure(config());
  warp(1s);
  sflow.add_sample(packet());
  Receiver other(loop, AF_INET);
  SflowConfig c = config();
  c.targets = {*parse_target("127.0.0.1:" + std::to_string(other.port()), 6343)};
  sflow.configure(c);
  warp(1s);
  samples(1);
  sflow.add_sample(packet());
  warp(1s);
  ASSERT_TRUE(loop.run_until([&] { return !other.received.empty(); }, 10s));
  auto d = sflow::decode(other.received[0]);
  ASSERT_TRUE(d);
  EXPECT_EQ(std::get<sflow::FlowSample>(d->samples.at(0)).sequence, 2u);
  EXPECT_EQ(collector.received.size(), 1u);
}

}  // namespace
}  // namespace ovs::telemetry
