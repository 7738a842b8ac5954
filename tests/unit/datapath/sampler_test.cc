// Samples: which packets become samples, and how they come up.
#include "datapath/sampler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "datapath/action_text.h"
#include "datapath/flow_text.h"
#include "datapath/user_engine.h"
#include "flow/compose.h"
#include "unit/datapath/memory_netdev.h"

namespace ovs::datapath {
namespace {

constexpr std::uint32_t always = std::numeric_limits<std::uint32_t>::max();

flow::Packet packet_of(std::uint8_t destination, std::size_t size) {
  flow::FlowKey key{};
  key.eth_src = {{2, 0, 0, 0, 0, 1}};
  key.eth_dst = {{2, 0, 0, 0, 0, destination}};
  key.eth_type = be16::from_host(0x88b5);
  return flow::compose(key, size - 14);
}

Actions sampled(SamplerId sampler, std::uint32_t probability, Actions rest, std::uint32_t max_bytes = 128) {
  rest.insert(rest.begin(), Sample{probability, {Userspace{{1, 2, 3}, max_bytes}}, sampler});
  return rest;
}

struct SamplerTest : testing::Test {
  SamplerTest() {
    EXPECT_TRUE(engine.add_port(in, DpPort{1}));
    EXPECT_TRUE(engine.add_port(out, DpPort{2}));
    out.keep = false;
  }
  SamplerId add_sampler() {
    auto id = engine.add_sampler();
    EXPECT_TRUE(id);
    return *id;
  }
  void add_flow(std::string_view match, Actions actions) {
    EXPECT_TRUE(engine.add_flow(*parse_match(match), std::move(actions))) << match;
  }
  std::vector<Upcall> take(std::size_t max = 1000) {
    std::vector<Upcall> all;
    engine.receive_upcalls(all, max);
    return all;
  }

  MemoryNetdev in{"in"}, out{"out"};
  UserEngine engine{{.threads = 0, .seed = 1}};
};

TEST_F(SamplerTest, ASampleIsTheBeginningOfThePacketAsItCame) {
  const SamplerId sampler = add_sampler();
  add_flow("in_port(1)", sampled(sampler, always, {PushVlan{{be16::from_host(0x8100), be16::from_host(0x100a)}},
                                                   Output{DpPort{2}}}));
  flow::Packet packet = packet_of(9, 600);
  const Frame frame(packet.data(), packet.data() + packet.size());
  engine.inject(DpPort{1}, std::move(packet));
  const auto samples = take();
  ASSERT_EQ(samples.size(), 1u);
  const Upcall& s = samples[0];
  EXPECT_EQ(s.kind, Upcall::Kind::action);
  EXPECT_EQ(s.whole_bytes, 600u);
  EXPECT_EQ(Frame(s.packet.data(), s.packet.data() + s.packet.size()), Frame(frame.begin(), frame.begin() + 128));
  EXPECT_EQ(s.cookie, (std::vector<std::uint8_t>{1, 2, 3}));
  EXPECT_EQ(s.key.in_port, be32::from_host(1));
  EXPECT_EQ(engine.sampler_stats(sampler).packets, 1u);
  EXPECT_EQ(engine.stats().hit, 1u);
}

// The estimate that a collector makes, samples times N, for a big flow and a small one, of packets of mixed
// sizes: within three standard deviations of the truth.
TEST_F(SamplerTest, EstimatesAreUnbiased) {
  for (const std::uint32_t n : {64u, 512u}) {
    SCOPED_TRACE(n);
    const SamplerId sampler = add_sampler();
    add_flow("in_port(1),eth(dst=02:00:00:00:00:09)", sampled(sampler, always / n, {Output{DpPort{2}}}));
    add_flow("in_port(1),eth(dst=02:00:00:00:00:0a)", sampled(sampler, always / n, {Output{DpPort{2}}}));
    std::mt19937 random(n);
    struct Totals {
      double packets = 0, bytes = 0, squares = 0;
    };
    std::map<std::uint8_t, Totals> sent, seen;
    constexpr int count = 1'000'000;
    const std::size_t sizes[] = {60, 60, 128, 590, 1514};
    for (int i = 0; i < count; i++) {
      const std::uint8_t flow = random() % 10 == 0 ? 10 : 9;
      const std::size_t size = sizes[random() % std::size(sizes)];
      Totals& s = sent[flow];
      s.packets++;
      s.bytes += static_cast<double>(size);
      s.squares += static_cast<double>(size) * static_cast<double>(size);
      engine.inject(DpPort{1}, packet_of(flow, size));
      if (i % 1000 != 999) continue;
      for (const Upcall& u : take()) {
        ASSERT_EQ(u.kind, Upcall::Kind::action);
        Totals& e = seen[u.packet.data()[5]];
        e.packets += n;
        e.bytes += static_cast<double>(n) * u.whole_bytes;
      }
    }
    EXPECT_EQ(engine.sampler_stats(sampler).packets, std::uint64_t{count});
    EXPECT_EQ(engine.sampler_stats(sampler).lost, 0u);
    for (const auto& [flow, truth] : sent) {
      // Each packet is a sample with the probability 1/N: variance N^2 * 1/N * (1 - 1/N) for each.
      const double variance = n - 1;
      EXPECT_NEAR(seen[flow].packets, truth.packets, 3 * std::sqrt(truth.packets * variance)) << int{flow};
      EXPECT_NEAR(seen[flow].bytes, truth.bytes, 3 * std::sqrt(truth.squares * variance)) << int{flow};
    }
    engine.remove_sampler(sampler);
    engine.flush_flows();
  }
}

// The same for actions that are more than one output, and where sampling of another sampler goes on beside it.
TEST_F(SamplerTest, EachSamplerCountsForItself) {
  const SamplerId one = add_sampler(), other = add_sampler();
  add_flow("in_port(1),eth(dst=02:00:00:00:00:09)", sampled(one, always / 10, {PopVlan{}, Output{DpPort{2}}}));
  add_flow("in_port(1),eth(dst=02:00:00:00:00:0a)", sampled(other, always / 20, {Output{DpPort{2}}}));
  add_flow("in_port(1),eth(dst=02:00:00:00:00:0b)", sampled(other, always / 20, {}));
  std::map<std::uint8_t, int> seen;
  for (int i = 0; i < 30'000; i++) {
    engine.inject(DpPort{1}, packet_of(static_cast<std::uint8_t>(9 + i % 3), 60));
    if (i % 300 != 299) continue;
    for (const Upcall& u : take()) seen[u.packet.data()[5]]++;
  }
  EXPECT_EQ(engine.sampler_stats(one).packets, 10'000u);
  EXPECT_EQ(engine.sampler_stats(other).packets, 20'000u);
  EXPECT_NEAR(seen[9], 1000, 4 * std::sqrt(1000));
  EXPECT_NEAR(seen[10], 500, 4 * std::sqrt(500));
  EXPECT_NEAR(seen[11], 500, 4 * std::sqrt(500));
}

TEST_F(SamplerTest, AnotherProbabilityCountsAtOnce) {
  const SamplerId sampler = add_sampler();
  add_flow("in_port(1),eth(dst=02:00:00:00:00:09)", sampled(sampler, 1, {}));  // practically never
  add_flow("in_port(1),eth(dst=02:00:00:00:00:0a)", sampled(sampler, always, {}));
  for (int i = 0; i < 100; i++) {
    engine.inject(DpPort{1}, packet_of(9, 60));
    engine.inject(DpPort{1}, packet_of(10, 60));
  }
  const auto samples = take();
  EXPECT_EQ(samples.size(), 100u);
  for (const Upcall& s : samples) EXPECT_EQ(s.packet.data()[5], 10);
  EXPECT_EQ(engine.sampler_stats(sampler).packets, 200u);
}

// What a sample says to have passed is exact as of that packet, whatever was sampled beside it, lost, or counted
// before the sampler was added.
TEST_F(SamplerTest, EachSampleKnowsHowManyPacketsPassed) {
  const SamplerId earlier = add_sampler(), other = add_sampler();
  add_flow("in_port(1),eth(dst=02:00:00:00:00:09)", sampled(earlier, always / 10, {Output{DpPort{2}}}));
  add_flow("in_port(1),eth(dst=02:00:00:00:00:0a)", sampled(other, always / 3, {}, 2000));
  for (int i = 0; i < 1005; i++) engine.inject(DpPort{1}, packet_of(9, 60));
  take();
  engine.remove_sampler(earlier);
  for (int i = 0; i < 95; i++) engine.inject(DpPort{1}, packet_of(9, 60));
  const SamplerId sampler = add_sampler();
  ASSERT_EQ(sampler, earlier);
  std::uint32_t passed = 0;
  for (std::uint32_t i = 1; i <= 20'000; i++) {
    engine.inject(DpPort{1}, packet_of(9, 60));
    engine.inject(DpPort{1}, packet_of(10, 1514));
    // Between 10,000 and 15,000, no one takes samples, and the ring gets full.
    if (i > 10'000 && i < 15'000) continue;
    for (const Upcall& u : take()) {
      if (u.sampler != sampler || u.passed == 0) continue;  // 0: from before it was added
      passed += u.passed;
      if (i < 10'000 || i > 15'100) {
        EXPECT_EQ(passed, i);
      }
    }
  }
  EXPECT_GT(passed, 19'000u);
  EXPECT_GT(engine.sampler_stats(sampler).lost, 0u);
}

// Collectors take the rate from what passed between two samples: packets of the time when hardly one was sampled, by
// a thread that samples nothing afterwards either, are all told by the first sample of another one.
TEST_F(SamplerTest, WhatPassedWithAnotherProbabilityIsSettled) {
  MemoryNetdev device{"in2"};
  UserEngine threaded{{.threads = 1, .seed = 1}};
  ASSERT_TRUE(threaded.add_port(device, DpPort{1}));
  ASSERT_TRUE(threaded.add_port(out, DpPort{2}));
  const SamplerId sampler = *threaded.add_sampler();
  const auto practically_never = threaded.add_flow(*parse_match("in_port(1)"), sampled(sampler, 1, {}));
  ASSERT_TRUE(practically_never);
  constexpr std::uint32_t count = 1000;
  device.push(Frame(60), 0, count);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (threaded.sampler_stats(sampler).packets < count) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    std::this_thread::yield();
  }

  threaded.settle_sampler(sampler);
  threaded.settle_sampler(sampler);
  ASSERT_TRUE(threaded.change_flow(*practically_never, sampled(sampler, always, {})));
  // By the main thread.
  for (int i = 0; i < 2; i++) threaded.inject(DpPort{1}, packet_of(9, 60));
  std::vector<Upcall> all;
  threaded.receive_upcalls(all, 64);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].passed, count + 1);
  EXPECT_EQ(all[1].passed, 1u);
}

TEST_F(SamplerTest, WhatFindsNoRoomIsCounted) {
  const SamplerId sampler = add_sampler();
  add_flow("in_port(1)", sampled(sampler, always, {Output{DpPort{2}}}));
  constexpr std::size_t count = 10'000;
  for (std::size_t i = 0; i < count; i++) engine.inject(DpPort{1}, packet_of(9, 200));
  std::size_t taken = 0;
  for (auto samples = take(); !samples.empty(); samples = take()) taken += samples.size();
  const SamplerStats stats = engine.sampler_stats(sampler);
  EXPECT_EQ(stats.packets, count);
  EXPECT_GT(stats.lost, 0u);
  EXPECT_EQ(taken + stats.lost, count);
  EXPECT_EQ(engine.stats().lost, 0u);  // no upcall of a miss
}

TEST_F(SamplerTest, SamplesDoNotKeepMissesWaitingNorMissesSamples) {
  const SamplerId sampler = add_sampler();
  add_flow("in_port(1),eth(dst=02:00:00:00:00:09)", sampled(sampler, always, {}));
  for (int i = 0; i < 200; i++) {
    engine.inject(DpPort{1}, packet_of(9, 60));
    engine.inject(DpPort{1}, packet_of(10, 60));
  }
  int misses = 0, samples = 0;
  for (const Upcall& u : take(64)) (u.kind == Upcall::Kind::miss ? misses : samples)++;
  EXPECT_EQ(misses, 32);
  EXPECT_EQ(samples, 32);
}

// Whoever takes stops when there are fewer than could have been: then there must not be more.
TEST_F(SamplerTest, FewerThanAskedForMeansThatThereAreNoMore) {
  MemoryNetdev device{"in2"};
  UserEngine threaded{{.threads = 3, .seed = 1}};
  ASSERT_TRUE(threaded.add_port(device, DpPort{1}));
  const SamplerId sampler = *threaded.add_sampler();
  ASSERT_TRUE(threaded.add_flow(*parse_match("in_port(1)"), sampled(sampler, always, {})));
  for (int i = 0; i < 200; i++) threaded.inject(DpPort{1}, packet_of(9, 60));
  std::vector<std::size_t> taken;
  do {
    std::vector<Upcall> all;
    taken.push_back(threaded.receive_upcalls(all, 64));
  } while (taken.back() == 64);
  EXPECT_EQ(taken, (std::vector<std::size_t>{64, 64, 64, 8}));
}

TEST_F(SamplerTest, ASamplerThatIsAddedAnewBeginsWithZero) {
  const SamplerId first = add_sampler();
  add_flow("in_port(1)", sampled(first, always, {}));
  engine.inject(DpPort{1}, packet_of(9, 60));
  EXPECT_EQ(engine.sampler_stats(first).packets, 1u);
  engine.remove_sampler(first);
  engine.inject(DpPort{1}, packet_of(9, 60));  // by a megaflow that is not mended yet
  const SamplerId again = add_sampler();
  EXPECT_EQ(again, first);
  EXPECT_EQ(engine.sampler_stats(again).packets, 0u);
}

TEST_F(SamplerTest, ThereIsAnEndToSamplers) {
  std::vector<SamplerId> all;
  for (;;) {
    auto id = engine.add_sampler();
    if (!id) {
      EXPECT_EQ(id.error().code, ENOSPC);
      break;
    }
    all.push_back(*id);
  }
  EXPECT_EQ(all.size(), max_samplers);
  engine.remove_sampler(all[1000]);
  EXPECT_EQ(*engine.add_sampler(), all[1000]);
}

TEST_F(SamplerTest, TheTextOfSamples) {
  const auto text = [](std::uint32_t probability) {
    return format_actions(sampled(SamplerId{3}, probability, {Output{DpPort{2}}}));
  };
  EXPECT_EQ(text(always / 64), "sample(sample=1.6%,actions(userspace(pid=0,userdata(010203)))),2");
  EXPECT_EQ(text(always), "userspace(pid=0,userdata(010203)),2");
}

TEST(SampleRingTest, KeepsOrderAndContentsRoundItsEnd) {
  SampleRing ring(4096);
  std::mt19937 random(1);
  std::uint32_t put = 0, taken = 0;
  for (int round = 0; round < 10'000; round++) {
    flow::Packet packet = packet_of(0, 60 + random() % 300);
    flow::FlowKey key{};
    key.in_port = be32::from_host(put);
    if (random() % 4 == 0) {  // one with more than the hot part
      key.tun_dst = be32::from_host(put);
      key.nw_proto = 6;
      key.cold_parts = flow::cold_tunnel;
    }
    packet.data()[0] = static_cast<std::uint8_t>(put);
    const std::vector<std::uint8_t> cookie(random() % 20, static_cast<std::uint8_t>(put));
    if (ring.put(packet, key, cookie, 100, {SamplerId{5}, put})) put++;
    if (random() % 3 != 0) continue;
    std::vector<Upcall> out;
    ring.take(out, 1 + random() % 3);
    for (const Upcall& u : out) {
      EXPECT_EQ(u.key.in_port, be32::from_host(taken));
      EXPECT_EQ(u.key.tun_dst, u.key.cold_parts ? be32::from_host(taken) : be32{});
      EXPECT_EQ(u.key.nw_proto, u.key.cold_parts ? 6 : 0);
      EXPECT_EQ(u.packet.data()[0], static_cast<std::uint8_t>(taken));
      EXPECT_EQ(u.packet.size(), std::min<std::size_t>(100, u.whole_bytes));
      for (std::uint8_t byte : u.cookie) EXPECT_EQ(byte, static_cast<std::uint8_t>(taken));
      EXPECT_EQ(u.sampler, SamplerId{5});
      EXPECT_EQ(u.passed, taken);
      taken++;
    }
  }
  EXPECT_GT(taken, 3000u);
}

TEST(SampleRingTest, OneThreadPutsAnotherTakes) {
  SampleRing ring(1 << 14);
  constexpr std::uint32_t count = 100'000;
  std::atomic<std::uint32_t> refused{0};
  std::thread writer([&] {
    const flow::Packet packet = packet_of(0, 100);
    flow::FlowKey key{};
    for (std::uint32_t i = 0; i < count; i++) {
      key.in_port = be32::from_host(i);
      if (!ring.put(packet, key, {}, 1000, {})) refused++;
    }
  });
  std::uint32_t taken = 0;
  std::int64_t last = -1;
  const auto take = [&] {
    std::vector<Upcall> out;
    ring.take(out, 100);
    for (const Upcall& u : out) {
      EXPECT_GT(u.key.in_port.host(), last);
      last = u.key.in_port.host();
    }
    taken += static_cast<std::uint32_t>(out.size());
    return !out.empty();
  };
  while (taken + refused < count) take();
  writer.join();
  while (take()) {
  }
  EXPECT_EQ(taken + refused, count);
}

}  // namespace
}  // namespace ovs::datapath
