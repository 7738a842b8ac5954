#include "datapath/user_engine.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <chrono>
#include <random>
#include <thread>

#include "base/text.h"
#include "datapath/flow_text.h"
#include "flow/compose.h"
#include "flow/parse.h"
#include "unit/datapath/memory_netdev.h"

namespace ovs::datapath {
namespace {

using std::chrono::milliseconds;

Frame frame_from(std::uint32_t source, std::size_t payload = 18) {
  flow::FlowKey key{};
  key.eth_src = {{0x02, 0, 0, static_cast<std::uint8_t>(source >> 16), static_cast<std::uint8_t>(source >> 8),
                  static_cast<std::uint8_t>(source)}};
  key.eth_dst = {{0x02, 0xff, 0, 0, 0, 1}};
  key.eth_type = be16::from_host(0x0800);
  key.nw_proto = 17;
  key.nw_ttl = 64;
  key.nw_src = be32::from_host(0x0a000000 + source);
  key.nw_dst = be32::from_host(0x0a800000);
  key.tp_src = be16::from_host(static_cast<std::uint16_t>(source));
  key.tp_dst = be16::from_host(53);
  const flow::Packet packet = flow::compose(key, payload);
  return {packet.data(), packet.data() + packet.size()};
}

Actions output(std::uint32_t port) { return {Output{DpPort{port}}}; }

struct Engine : testing::Test {
  FlowId add(std::string_view match, Actions actions) {
    const auto id = engine.add_flow(*parse_match(match), std::move(actions));
    EXPECT_TRUE(id) << match;
    return *id;
  }
  // Waits for upcalls until there are `count`.
  std::vector<Upcall> upcalls(std::size_t count) {
    std::vector<Upcall> all;
    while (all.size() < count) {
      pollfd p{engine.upcall_descriptor(), POLLIN, 0};
      if (::poll(&p, 1, 60000) != 1) break;
      engine.receive_upcalls(all, count - all.size());
    }
    EXPECT_EQ(all.size(), count);
    return all;
  }

  MemoryNetdev a{"a"}, b{"b"}, c{"c"};
  UserEngine engine{{.threads = 2, .seed = 1}};
};

TEST_F(Engine, NumbersPorts) {
  EXPECT_EQ(*engine.add_port(a, std::nullopt), DpPort{1});
  EXPECT_EQ(*engine.add_port(b, DpPort{2}), DpPort{2});
  EXPECT_EQ(*engine.add_port(c, std::nullopt), DpPort{3});
  MemoryNetdev d("d");
  EXPECT_EQ(engine.add_port(d, DpPort{2}).error().code, EBUSY);
  EXPECT_EQ(engine.add_port(d, DpPort{65535}).error().code, EFBIG);
  ASSERT_TRUE(engine.remove_port(DpPort{1}));
  EXPECT_EQ(engine.remove_port(DpPort{1}).error().code, ENODEV);
  EXPECT_EQ(*engine.add_port(d, std::nullopt), DpPort{1});
  std::string names;
  for (const Port& port : engine.ports()) names += port.name + std::to_string(raw(port.number)) + port.type + " ";
  EXPECT_EQ(names, "d1memory b2memory c3memory ");
  EXPECT_TRUE(engine.remove_port(DpPort{1}));
}

TEST_F(Engine, AMissGoesUpAndAMegaflowForwardsTheNext) {
  engine.add_port(a, DpPort{1}).value();
  engine.add_port(b, DpPort{2}).value();
  const Frame frame = frame_from(1);
  a.push(frame);
  const auto missed = upcalls(1);
  EXPECT_EQ(missed[0].kind, Upcall::Kind::miss);
  EXPECT_EQ(missed[0].key.in_port, be32::from_host(1));
  EXPECT_EQ(missed[0].key.nw_src, be32::from_host(0x0a000001));
  EXPECT_EQ(Frame(missed[0].packet.bytes().begin(), missed[0].packet.bytes().end()), frame);
  add("in_port(1)", output(2));
  a.push(frame, 0, 100);
  ASSERT_TRUE(b.wait_sent(100));
  for (const Frame& sent : b.take_sent()) ASSERT_EQ(sent, frame);
  const EngineStats stats = engine.stats();
  EXPECT_EQ(stats.missed, 1u);
  EXPECT_EQ(stats.lost, 0u);
  EXPECT_EQ(stats.flows, 1u);
  EXPECT_EQ(stats.masks, 1u);
}

TEST_F(Engine, InjectIsDoneWhenItReturns) {
  UserEngine own{{.type = "dummy", .name = "ovs-dummy", .threads = 0}};
  own.add_port(a, DpPort{1}).value();
  own.add_port(b, DpPort{2}).value();
  own.set_now(TimePoint(milliseconds(5000)));
  own.inject(DpPort{1}, flow::Packet::copy_of(frame_from(1)));
  std::vector<Upcall> missed;
  EXPECT_EQ(own.receive_upcalls(missed, 10), 1u);
  const FlowId id = *own.add_flow(*parse_match("in_port(1)"), output(2));
  EXPECT_EQ(own.flow_stats(id)->used, std::nullopt);
  own.inject(DpPort{1}, flow::Packet::copy_of(frame_from(1)));
  EXPECT_EQ(b.sent_count(), 1u);
  own.inject(DpPort{9}, flow::Packet::copy_of(frame_from(1)));
  EXPECT_EQ(b.sent_count(), 1u);
  const FlowStats stats = *own.flow_stats(id);
  EXPECT_EQ(stats.packets, 1u);
  EXPECT_EQ(stats.bytes, frame_from(1).size());
  EXPECT_EQ(stats.used, TimePoint(milliseconds(5000)));
  EXPECT_EQ(own.stats().hit, 1u);
}

TEST_F(Engine, StatisticsStartAnewInASlotThatIsUsedAgain) {
  UserEngine own{{.threads = 0}};
  own.add_port(a, DpPort{1}).value();
  own.set_now(TimePoint(milliseconds(1)));
  FlowId id = *own.add_flow(*parse_match("in_port(1)"), {});
  for (int i = 0; i < 5; i++) own.inject(DpPort{1}, flow::Packet::copy_of(frame_from(1)));
  EXPECT_EQ(own.remove_flow(id)->packets, 5u);
  EXPECT_EQ(own.flow_stats(id).error().code, ENOENT);
  id = *own.add_flow(*parse_match("in_port(1)"), {});
  EXPECT_EQ(own.flow_stats(id)->packets, 0u);
  EXPECT_EQ(own.flow_stats(id)->used, std::nullopt);
}

TEST_F(Engine, CollectsTcpFlags) {
  UserEngine own{{.threads = 0}};
  own.add_port(a, DpPort{1}).value();
  const FlowId id = *own.add_flow(*parse_match("in_port(1)"), {});
  for (const char* flags : {"syn", "ack", "fin|ack"}) {
    const auto key = parse_key("eth_type(0x0800),ipv4(proto=6,ttl=1),tcp(src=1,dst=2),tcp_flags(" + std::string(flags) + ")");
    own.inject(DpPort{1}, flow::compose(*key, 0));
  }
  EXPECT_EQ(own.flow_stats(id)->tcp_flags, 0x13);
}

TEST_F(Engine, ManagesMegaflows) {
  const FlowId first = add("in_port(1)", output(2));
  const FlowId second = add("in_port(2),eth_type(0x0800)", {});
  EXPECT_EQ(engine.add_flow(*parse_match("in_port(1)"), {}).error().code, EEXIST);
  EXPECT_TRUE(engine.change_flow(first, output(3)));
  std::map<std::string, std::string> dumped;
  engine.dump_flows([&](const Datapath::FlowView& flow) {
    EXPECT_TRUE(flow.id == first || flow.id == second);
    dumped[format_match(flow.match)] = format_actions(flow.actions);
    return true;
  });
  EXPECT_EQ(dumped, (std::map<std::string, std::string>{{"in_port(1)", "3"}, {"in_port(2),eth_type(0x0800)", "drop"}}));
  int seen = 0;
  engine.dump_flows([&](const auto&) { return ++seen < 1; });
  EXPECT_EQ(seen, 1);
  engine.flush_flows();
  EXPECT_EQ(engine.stats().flows, 0u);
  EXPECT_EQ(engine.change_flow(first, {}).error().code, ENOENT);
  EXPECT_EQ(engine.remove_flow(first).error().code, ENOENT);
}

TEST_F(Engine, HoldsTheFlowLimit) {
  engine.set_flow_limit(2);
  add("in_port(1)", {});
  const FlowId second = add("in_port(2)", {});
  EXPECT_EQ(engine.add_flow(*parse_match("in_port(3)"), {}).error().code, ENOSPC);
  ASSERT_TRUE(engine.remove_flow(second));
  add("in_port(3)", {});
}

TEST_F(Engine, ChangedActionsHoldForTheNextPacket) {
  UserEngine own{{.threads = 0}};
  own.add_port(a, DpPort{1}).value();
  own.add_port(b, DpPort{2}).value();
  own.add_port(c, DpPort{3}).value();
  const FlowId id = *own.add_flow(*parse_match("in_port(1)"), output(2));
  own.inject(DpPort{1}, flow::Packet::copy_of(frame_from(1)));
  ASSERT_TRUE(own.change_flow(id, output(3)));
  own.inject(DpPort{1}, flow::Packet::copy_of(frame_from(1)));
  EXPECT_EQ(b.sent_count(), 1u);
  EXPECT_EQ(c.sent_count(), 1u);
}

// With many masks the cache is used; whatever it holds, each packet must meet the megaflow that a search
// would find, while megaflows come and go.
TEST_F(Engine, TheCacheNeverLies) {
  UserEngine own{{.threads = 0, .seed = 5}};
  own.add_port(a, DpPort{1}).value();
  std::vector<std::unique_ptr<MemoryNetdev>> devices;
  for (std::uint32_t i = 0; i < 4; i++) {
    devices.push_back(std::make_unique<MemoryNetdev>("o" + std::to_string(i)));
    own.add_port(*devices.back(), DpPort{10 + i}).value();
  }
  std::mt19937 random(7);
  std::map<std::uint32_t, FlowId> flows;  // by source
  std::map<std::uint32_t, std::uint32_t> ports;
  for (int round = 0; round < 20000; round++) {
    const std::uint32_t source = random() % 500;
    if (random() % 10 == 0) {
      if (flows.contains(source)) {
        ASSERT_TRUE(own.remove_flow(flows.at(source)));
        flows.erase(source);
      } else {
        // One of 16 masks, each of which tells sources apart.
        flow::Match match = *parse_match("in_port(1),eth_type(0x0800)");
        match.mask.bits.nw_src = be32{0xffffffff};
        match.mask.bits.nw_ttl = static_cast<std::uint8_t>(source % 16);
        match.key.nw_src = be32::from_host(0x0a000000 + source);
        match.key.nw_ttl = 64 & static_cast<std::uint8_t>(source % 16);
        ports[source] = 10 + random() % 4;
        flows[source] = *own.add_flow(match, output(ports[source]));
      }
      continue;
    }
    const EngineStats before = own.stats();
    std::size_t sent_before = 0;
    if (flows.contains(source)) sent_before = devices[ports[source] - 10]->sent_count();
    own.inject(DpPort{1}, flow::Packet::copy_of(frame_from(source)));
    if (flows.contains(source)) {
      ASSERT_EQ(devices[ports[source] - 10]->sent_count(), sent_before + 1);
    } else {
      ASSERT_EQ(own.stats().missed, before.missed + 1);
    }
  }
  EXPECT_GT(own.stats().cache_hit, 5000u);
}

TEST_F(Engine, PacketsOfABatchGoOutTogether) {
  engine.add_port(b, DpPort{2}).value();
  add("in_port(1)", output(2));
  a.push(frame_from(1), 0, 3200);
  engine.add_port(a, DpPort{1}).value();
  ASSERT_TRUE(b.wait_sent(3200));
  EXPECT_EQ(b.send_calls(), 100u);
}

TEST_F(Engine, EachPacketOfAQueueLeavesInOrder) {
  engine.add_port(a, DpPort{1}).value();
  engine.add_port(b, DpPort{2}).value();
  add("in_port(1)", output(2));
  for (std::uint32_t i = 0; i < 1000; i++) a.push(frame_from(i));
  ASSERT_TRUE(b.wait_sent(1000));
  const auto sent = b.take_sent();
  for (std::uint32_t i = 0; i < 1000; i++) ASSERT_EQ(sent[i], frame_from(i));
}

// A port that floods with packets that nothing matches loses its own upcalls, and no one else's.
TEST_F(Engine, AFloodOfMissesDoesNotStarveOthers) {
  engine.add_port(a, DpPort{1}).value();
  engine.add_port(b, DpPort{2}).value();
  for (std::uint32_t i = 0; i < 100000; i++) a.push(frame_from(i));
  // All of them are received before anything is taken.
  for (std::uint32_t i = 0; i < 200; i++) b.push(frame_from(1000000 + i));
  while (engine.stats().missed < 100200) std::this_thread::yield();
  EXPECT_EQ(engine.stats().lost, 100000u - 256u);
  std::vector<Upcall> all = upcalls(256 + 200);
  std::size_t of_b = 0;
  for (std::size_t i = 0; i < all.size(); i++) {
    if (all[i].key.in_port == be32::from_host(2)) of_b++;
    if (i == 399) { EXPECT_EQ(of_b, 200u) << "they were taken in turn"; }
  }
  EXPECT_EQ(of_b, 200u);
  EXPECT_EQ(engine.receive_upcalls(all, 1), 0u);
}

TEST_F(Engine, UpcallsOfARemovedPortGoWithIt) {
  engine.add_port(a, DpPort{1}).value();
  a.push(frame_from(1), 0, 10);
  while (engine.stats().missed < 10) std::this_thread::yield();
  ASSERT_TRUE(engine.remove_port(DpPort{1}));
  std::vector<Upcall> all;
  EXPECT_EQ(engine.receive_upcalls(all, 10), 0u);
}

TEST_F(Engine, SleepsWhenThereIsNothingToDo) {
  std::vector<std::unique_ptr<MemoryNetdev>> devices;
  for (std::uint32_t i = 1; i <= 100; i++) {
    devices.push_back(std::make_unique<MemoryNetdev>("d" + std::to_string(i)));
    engine.add_port(*devices.back(), DpPort{i}).value();
  }
  devices[0]->push(frame_from(1));
  upcalls(1);
  const auto cpu = [] {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
  };
  // Not a wait for something: what must not happen meanwhile is the use of the processor.
  std::this_thread::sleep_for(milliseconds(20));
  const auto before = cpu();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(cpu() - before, 30000) << "microseconds of processor time in 300 ms";
  for (std::uint32_t i = 1; i <= 100; i++) EXPECT_TRUE(engine.remove_port(DpPort{i}));
}

// A descriptor that is always ready and never has anything must not keep a thread busy.
class BrokenNetdev final : public test::BareNetdev {
 public:
  BrokenNetdev() : BareNetdev("broken"), event_(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  std::vector<int> rx_descriptors() const override { return {event_.get()}; }
  std::size_t receive(std::size_t, std::span<flow::Packet> slots) override {
    calls++;
    if (!has_packet.exchange(false)) return 0;
    const Frame frame = frame_from(1);
    slots[0].set_size(frame.size());
    std::memcpy(slots[0].data(), frame.data(), frame.size());
    return 1;
  }
  std::atomic<std::uint64_t> calls{0};
  std::atomic<bool> has_packet{false};

 private:
  Descriptor event_;
};

TEST_F(Engine, AQueueThatIsReadyInVainIsLeftAloneForAWhile) {
  BrokenNetdev broken;
  engine.add_port(broken, DpPort{1}).value();
  while (broken.calls < 64) std::this_thread::yield();
  std::this_thread::sleep_for(milliseconds(20));
  const std::uint64_t before = broken.calls;
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(broken.calls - before, 1000u);
  broken.has_packet = true;
  upcalls(1);
  EXPECT_TRUE(engine.remove_port(DpPort{1}));
}

// ... nor may it be forgotten while others keep the thread from sleeping.
TEST_F(Engine, AQueueThatIsLeftAloneIsAskedAgainUnderLoad) {
  UserEngine own{{.threads = 1, .seed = 1}};
  BrokenNetdev broken;
  own.add_port(broken, DpPort{1}).value();
  own.add_port(a, DpPort{2}).value();
  own.add_flow(*parse_match("in_port(2)"), {}).value();
  while (broken.calls < 64) std::this_thread::yield();
  std::atomic<bool> enough{false};
  std::thread load([&] {
    while (!enough) {
      if (a.waiting() < 100) a.push(frame_from(2), 0, 100);
      std::this_thread::yield();
    }
  });
  broken.has_packet = true;
  std::vector<Upcall> missed;
  pollfd p{own.upcall_descriptor(), POLLIN, 0};
  ::poll(&p, 1, 5000);
  own.receive_upcalls(missed, 1);
  enough = true;
  load.join();
  EXPECT_EQ(missed.size(), 1u);
  EXPECT_TRUE(own.remove_port(DpPort{1}));
  EXPECT_TRUE(own.remove_port(DpPort{2}));
}

TEST_F(Engine, QueuesAreSpreadAndSpreadAgain) {
  // Eight devices on two threads; when those of one thread are gone the others must still be served, by
  // both.  Which thread serves is not visible; that each queue is, and by one at a time, is (MemoryNetdev).
  engine.add_port(b, DpPort{100}).value();
  std::vector<std::unique_ptr<MemoryNetdev>> devices;
  for (std::uint32_t i = 1; i <= 8; i++) {
    devices.push_back(std::make_unique<MemoryNetdev>("d" + std::to_string(i), 2));
    engine.add_port(*devices.back(), DpPort{i}).value();
  }
  add("", output(100));
  for (std::uint32_t i = 1; i <= 8; i += 2) ASSERT_TRUE(engine.remove_port(DpPort{i}));
  for (std::uint32_t i = 2; i <= 8; i += 2) {
    devices[i - 1]->push(frame_from(i), 0, 500);
    devices[i - 1]->push(frame_from(i), 1, 500);
  }
  ASSERT_TRUE(b.wait_sent(4000));
  for (std::uint32_t i = 2; i <= 8; i += 2) ASSERT_TRUE(engine.remove_port(DpPort{i}));
}

TEST_F(Engine, ADeviceMayComeLater) {
  a.has_descriptors = false;
  engine.add_port(a, DpPort{1}).value();
  engine.add_port(b, DpPort{2}).value();
  add("in_port(1)", output(2));
  a.push(frame_from(1), 0, 10);
  a.has_descriptors = true;
  engine.port_changed(DpPort{1});
  ASSERT_TRUE(b.wait_sent(10));
  a.has_descriptors = false;
  engine.port_changed(DpPort{1});
  a.push(frame_from(1));
  a.has_descriptors = true;
  engine.port_changed(DpPort{1});
  ASSERT_TRUE(b.wait_sent(11));
}

// Ports and megaflows come and go while packets flow through two others, and through those.
TEST_F(Engine, EverythingChangesUnderTraffic) {
  engine.add_port(a, DpPort{1}).value();
  engine.add_port(b, DpPort{2}).value();
  b.keep = c.keep = false;
  add("in_port(1),eth_type(0x0800),ipv4(proto=17)", output(2));
  std::atomic<bool> stop = false;
  std::atomic<std::size_t> pushed = 0;
  std::thread sender([&] {
    for (std::uint32_t i = 0; !stop; i++) {
      if (a.waiting() > 1000) {
        std::this_thread::yield();
        continue;
      }
      a.push(frame_from(i % 1000), 0, 20);
      pushed += 20;
    }
  });
  std::mt19937 random(11);
  std::map<std::uint32_t, FlowId> flows;
  std::vector<Upcall> ignored;
  for (std::uint32_t round = 0; round < 300; round++) {
    auto flapping = std::make_unique<MemoryNetdev>("flapping", 2);
    flapping->keep = false;
    const DpPort number = *engine.add_port(*flapping, std::nullopt);
    flapping->push(frame_from(5000), 0, 100);
    flapping->push(frame_from(5001), 1, 100);
    for (int i = 0; i < 20; i++) {
      const std::uint32_t source = random() % 1000;
      if (const auto found = flows.find(source); found != flows.end()) {
        if (random() % 2) {
          ASSERT_TRUE(engine.change_flow(found->second, {Output{number}, PushVlan{}, Output{DpPort{2}}}));
        } else {
          ASSERT_TRUE(engine.remove_flow(found->second));
          flows.erase(found);
        }
      } else {
        // Tells more than the first one, and says the same of where to: they do not contradict each other.
        flow::Match match = *parse_match(source % 3 ? "in_port(1),eth_type(0x0800),ipv4(src=0.0.0.0,proto=17)"
                                                    : "in_port(1),eth_type(0x0800),ipv4(src=0.0.0.0,proto=17,ttl=64)");
        match.key.nw_src = be32::from_host(0x0a000000 + source);
        flows[source] = *engine.add_flow(match, {Output{DpPort{2}}, Output{number}});
      }
    }
    if (round % 10 == 0) {
      engine.set_now(TimePoint(std::chrono::seconds(round)));
      engine.execute(flow::Packet::copy_of(frame_from(1)), {}, output(2));
    }
    engine.receive_upcalls(ignored, 1000);
    ignored.clear();
    ASSERT_TRUE(engine.remove_port(number));
    flapping.reset();  // a thread that still used it would be noticed
  }
  stop = true;
  sender.join();
  while (a.waiting() > 0) std::this_thread::yield();
  ASSERT_TRUE(b.wait_sent(pushed));
  EXPECT_GT(pushed, 0u);
}

// The time for adding a port does not grow with their number.
TEST_F(Engine, ManyPortsCostWhatFewCost) {
  std::vector<std::unique_ptr<MemoryNetdev>> devices;
  for (std::uint32_t i = 0; i < 1300; i++) {
    devices.push_back(std::make_unique<MemoryNetdev>("d" + std::to_string(i)));
    devices.back()->has_descriptors = i % 2 == 0;
  }
  const auto add_range = [&](std::size_t from, std::size_t to) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = from; i < to; i++) engine.add_port(*devices[i], std::nullopt).value();
    return std::chrono::steady_clock::now() - start;
  };
  add_range(0, 100);
  const auto few = add_range(100, 200);
  add_range(200, 1200);
  const auto many = add_range(1200, 1300);
  // Generous: other programs run here, too.  A walk over all ports would be far beyond.
  EXPECT_LT(many, 4 * few + milliseconds(5));
  for (std::uint32_t i = 1; i <= 1300; i++) ASSERT_TRUE(engine.remove_port(DpPort{i}));
}

TEST_F(Engine, AFloodReachesManyPorts) {
  std::vector<std::unique_ptr<MemoryNetdev>> devices;
  Actions flood;
  for (std::uint32_t i = 0; i < 1000; i++) {
    devices.push_back(std::make_unique<MemoryNetdev>("d" + std::to_string(i)));
    engine.add_port(*devices.back(), DpPort{10 + i}).value();
    flood.push_back(Output{DpPort{10 + i}});
  }
  flood.push_back(Output{DpPort{60000}});  // no such port
  add("in_port(1)", flood);
  a.push(frame_from(1), 0, 64);
  engine.add_port(a, DpPort{1}).value();
  for (auto& device : devices) ASSERT_TRUE(device->wait_sent(64));
  for (std::uint32_t i = 0; i < 1000; i++) ASSERT_TRUE(engine.remove_port(DpPort{10 + i}));
}

}  // namespace
}  // namespace ovs::datapath
