// pipeline: what forwarding a packet costs without a kernel in the way (bench/README.md).
//
// One thread takes 64-byte frames from an array in memory, copies each into a packet buffer, and has the
// user-space engine's forwarder parse it, look it up, count it and send it to a port that throws it away.
// What is measured is the time from the first frame to the last one sent, divided by their number.
//
// With --sampling each case is measured a second time with megaflows that sample one packet of so many, as
// for sFlow; another thread takes the samples, as the switch's main thread does.
//
//     pipeline [--packets N] [--rounds N] [--filter TEXT] [--sampling N]

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/rcu.h"
#include "base/text.h"
#include "datapath/forwarder.h"
#include "flow/compose.h"
#include "flow/flow_key.h"
#include "support/bare_netdev.h"

#ifdef __x86_64__
#include <x86intrin.h>
#endif

namespace {

using namespace ovs;
using namespace ovs::datapath;

constexpr std::size_t frame_bytes = 64;
using Frame = std::array<std::uint8_t, frame_bytes>;

// Counts what it is given.
class NullDevice final : public test::BareNetdev {
 public:
  NullDevice() : BareNetdev("null") {}
  void send(std::span<flow::Packet* const> packets) override { sent += packets.size(); }

  std::uint64_t sent = 0;
};

// Gives frames from memory, from the first to the last and again.
class ReplayDevice final : public test::BareNetdev {
 public:
  explicit ReplayDevice(std::vector<Frame> frames) : BareNetdev("replay"), frames_(std::move(frames)) {}
  std::size_t receive(std::size_t, std::span<flow::Packet> slots) override {
    for (flow::Packet& slot : slots) {
      slot.set_size(frame_bytes);
      std::memcpy(slot.data(), frames_[next_].data(), frame_bytes);
      if (++next_ == frames_.size()) next_ = 0;
    }
    return slots.size();
  }

 private:
  std::vector<Frame> frames_;
  std::size_t next_ = 0;
};

enum class Rules { in_port, l4 };

struct Case {
  std::string name;
  Rules rules;
  std::size_t flows;
  std::size_t masks;
};

flow::FlowKey key_of(std::size_t flow) {
  flow::FlowKey key{};
  key.in_port = be32::from_host(1);
  key.eth_src = {{2, 0, 0, 0, 0, 1}};
  key.eth_dst = {{2, 0, 0, 0, 0, 2}};
  key.eth_type = be16::from_host(0x0800);
  key.nw_proto = 17;
  key.nw_ttl = 64;
  key.nw_src = be32::from_host(0x0a000000 + static_cast<std::uint32_t>(flow % 65536));
  key.nw_dst = be32::from_host(0x0b000000 + static_cast<std::uint32_t>(flow / 65536));
  key.tp_src = be16::from_host(static_cast<std::uint16_t>(1024 + flow % 60000));
  key.tp_dst = be16::from_host(53);
  return key;
}

Frame frame_of(std::size_t flow) {
  const flow::Packet packet = flow::compose(key_of(flow), frame_bytes - 42);
  OVS_CHECK(packet.size() == frame_bytes);
  Frame frame;
  std::memcpy(frame.data(), packet.data(), frame_bytes);
  return frame;
}

// What translation of a rule on the port matches in every packet, and what one on L4 fields adds.
flow::Mask mask_of(Rules rules, std::size_t number) {
  flow::Mask mask;
  mask.bits.in_port = be32{0xffffffff};
  mask.bits.recirc_id = be32{0xffffffff};
  mask.bits.packet_type = be32{0xffffffff};
  mask.bits.eth_type = be16{0xffff};
  mask.bits.nw_frag = 3;
  if (rules == Rules::l4) {
    mask.bits.nw_proto = 0xff;
    mask.bits.nw_src = mask.bits.nw_dst = be32{0xffffffff};
    mask.bits.tp_src = mask.bits.tp_dst = be16{0xffff};
    // Masks that differ, in bits that the packets have alike.
    mask.bits.nw_tos = static_cast<std::uint8_t>(number);
  }
  return mask;
}

struct Figures {
  double nanoseconds;
  double cycles;
};

std::uint64_t cycles_now() {
#ifdef __x86_64__
  return __rdtsc();
#else
  return 0;
#endif
}

// A forwarder with the megaflows of a case.
class Pipeline {
 public:
  Pipeline(const Case& c, std::uint32_t sampling) : replay_(frames_of(c)) {
    shared_.table.on_new_chunk([this](std::size_t chunk) { forwarder_.add_chunk(chunk); });
    forwarder_.add_sampler_chunk(0);
    Actions actions;
    if (sampling > 0) {
      const Userspace up{std::vector<std::uint8_t>(40), 128};
      actions.push_back(Sample{std::numeric_limits<std::uint32_t>::max() / sampling, {up}, SamplerId{0}});
    }
    actions.push_back(Output{DpPort{2}});
    shared_.ports.put(std::make_unique<EnginePort>(DpPort{1}, replay_, 256));
    shared_.ports.put(std::make_unique<EnginePort>(DpPort{2}, null_, 256));
    const std::size_t megaflows = c.rules == Rules::in_port ? c.masks : c.flows;
    for (std::size_t i = 0; i < megaflows; i++) {
      const flow::Mask mask = mask_of(c.rules, i % c.masks);
      OVS_CHECK(shared_.table.add(flow::Match::of(key_of(i), mask), actions).has_value());
    }
    // Masks without a packet of theirs, that a search has to pass.
    for (std::size_t i = megaflows; i < c.masks; i++) {
      flow::Match match = flow::Match::of(key_of(0), mask_of(c.rules, i));
      match.key.in_port = be32::from_host(99);
      OVS_CHECK(shared_.table.add(match, actions).has_value());
    }
    if (sampling > 0) taker_ = std::thread([this] { take_samples(); });
    forward(std::max<std::size_t>(2 * c.flows, 100000));  // caches are filled
  }

  ~Pipeline() {
    OVS_CHECK(forwarder_.counters().missed.load() == 0, "a packet found no megaflow");
    ended_ = true;
    if (taker_.joinable()) taker_.join();
    // Samples that are lost cost less than those that are not.
    OVS_CHECK(forwarder_.sampler(SamplerId{0}).lost() * 50 <= samples_, "over 2 % of the samples were lost");
  }

  Figures round(std::size_t packets) {
    const std::uint64_t sent_before = null_.sent;
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t first = cycles_now();
    forward(packets);
    const std::uint64_t last = cycles_now();
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    const auto sent = static_cast<double>(null_.sent - sent_before);
    OVS_CHECK(null_.sent - sent_before >= packets, "packets were lost");
    return {time.count() / sent, static_cast<double>(last - first) / sent};
  }

 private:
  static std::vector<Frame> frames_of(const Case& c) {
    std::vector<Frame> frames;
    for (std::size_t i = 0; i < c.flows; i++) frames.push_back(frame_of(i));
    // Not in the order in which the megaflows were made.
    std::shuffle(frames.begin(), frames.end(), std::mt19937(1));
    return frames;
  }

  void forward(std::size_t packets) {
    EnginePort& in = *shared_.ports.find(DpPort{1});
    for (std::size_t done = 0; done < packets; done += flow::batch_size) {
      const auto slots = forwarder_.slots();
      const std::size_t count = in.device.receive(0, slots);
      forwarder_.receive(in, slots.first(count));
      for (flow::Packet& slot : slots.first(count)) slot.reset();
    }
  }

  void take_samples() {
    std::vector<Upcall> samples;
    while (!ended_) {
      samples.clear();
      const std::size_t count = forwarder_.samples()->take(samples, 1000);
      samples_ += count;
      if (count == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  RcuDomain domain_;
  Shared shared_{domain_, 1};
  Forwarder forwarder_{shared_, 1};
  NullDevice null_;
  ReplayDevice replay_;
  std::atomic<bool> ended_{false};
  std::atomic<std::uint64_t> samples_{0};
  std::thread taker_;
};

template <class T, class Projection>
auto median(std::vector<T> all, Projection projection) {
  std::ranges::sort(all, {}, projection);
  return all[all.size() / 2];
}

// Rounds without and with sampling take turns, so that both meet the same disturbances.
void measure(const Case& c, std::size_t packets, std::size_t rounds, std::uint32_t sampling) {
  Pipeline plain(c, 0);
  std::vector<Figures> all;
  std::vector<double> sampled, ratios;
  std::optional<Pipeline> sampler;
  if (sampling > 0) sampler.emplace(c, sampling);
  for (std::size_t round = 0; round < rounds; round++) {
    all.push_back(plain.round(packets));
    if (!sampler) continue;
    sampled.push_back(sampler->round(packets).cycles);
    ratios.push_back(sampled.back() / all.back().cycles);
  }
  const Figures figures = median(all, &Figures::cycles);
  fmt::print("{:<46} {:>10.1f} {:>12.1f}", c.name, figures.nanoseconds, figures.cycles);
  if (sampler) fmt::print(" {:>12.1f} {:>8.2f}", median(sampled, std::identity()), median(ratios, std::identity()));
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t packets = 2000000, rounds = 7;
  std::uint32_t sampling = 0;
  std::string_view filter;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    const auto number = parse_integer(value);
    if (option == "--filter") {
      filter = value;
    } else if (option == "--packets" && number && *number > 0) {
      packets = static_cast<std::size_t>(*number);
    } else if (option == "--rounds" && number && *number > 0) {
      rounds = static_cast<std::size_t>(*number);
    } else if (option == "--sampling" && number && *number > 0) {
      sampling = static_cast<std::uint32_t>(*number);
    } else {
      fmt::print(stderr, "usage: pipeline [--packets N] [--rounds N] [--filter TEXT] [--sampling N]\n");
      return 1;
    }
  }
  std::vector<Case> cases{{"rule on in_port, 1 flow, 1 mask", Rules::in_port, 1, 1},
                          {"rule on in_port, 1000 connections, 1 mask", Rules::in_port, 1000, 1}};
  for (const std::size_t masks : {1, 8, 64}) {
    for (const std::size_t flows : {1, 1000, 10000, 100000}) {
      cases.push_back({fmt::format("rules on L4 fields, {} flow{}, {} mask{}", flows, flows > 1 ? "s" : "", masks,
                                   masks > 1 ? "s" : ""),
                       Rules::l4, flows, masks});
    }
  }
  fmt::print("{:<46} {:>10} {:>12}", "", "ns/packet", "cycles (TSC)");
  if (sampling > 0) fmt::print(" {:>12} {:>8}", fmt::format("1 in {}", sampling), "ratio");
  fmt::print("\n");
  for (const Case& c : cases) {
    if (c.name.find(filter) != std::string::npos) measure(c, packets, rounds, sampling);
  }
  return 0;
}
