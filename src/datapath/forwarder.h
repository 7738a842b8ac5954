// Forwarder: what one thread needs to forward packets: parse, look up, act, gather what is to be sent.
//
// The way of a batch: all its packets are parsed and hashed, then their places in the caches are
// fetched, then the megaflows are verified, so that the memory's latency is waited for once and not for
// each packet.  What the cache does not know is looked up mask by mask; what no megaflow matches goes up.
//
// Where the cache is keyed by the hash of all bits that any mask has: packets that differ in nothing that
// any megaflow looks at share an entry.  With a single mask its hash table serves as the cache.
//
// Thread safety: an object belongs to one thread, which is a reader of the tables' RCU domain (or the
// main thread); counters may be read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/megaflow_table.h"
#include "datapath/port_table.h"
#include "datapath/sampler.h"
#include "datapath/signature_cache.h"
#include "datapath/tx_batches.h"
#include "flow/packet.h"

namespace ovs::datapath {

// What one thread saw of one megaflow.  Written by that thread alone.
struct SlotCounters {
  std::atomic<std::uint64_t> packets{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::int64_t> used{0};  // milliseconds; 0: never
  std::atomic<std::uint16_t> tcp_flags{0};
};
static_assert(sizeof(SlotCounters) == 32);

inline constexpr std::size_t samplers_per_chunk = 64;
inline constexpr std::size_t max_samplers = 4096;

// What the threads of an engine share.
struct Shared {
  Shared(RcuDomain& domain, std::uint64_t seed) : table(domain, seed) {}

  MegaflowTable table;
  PortTable ports;
  UpcallQueues upcalls;
  std::atomic<std::int64_t> now{0};  // milliseconds
};

class Forwarder {
 public:
  Forwarder(Shared& shared, std::uint64_t seed);

  // Forwards what came in by one port, up to a batch.  The packets are used until it returns.
  void receive(EnginePort& port, std::span<flow::Packet> packets);
  // Does `actions` to a packet at once.
  void execute(flow::Packet& packet, const flow::FlowKey& key, const Actions& actions);

  // Packets for reception, with room for the largest frame.
  std::span<flow::Packet> slots();

  struct Counters {
    std::atomic<std::uint64_t> hit{0}, missed{0}, lost{0}, mask_hit{0}, cache_hit{0};
  };
  const Counters& counters() const { return counters_; }

  // Main thread: before the first slot of a chunk is used.
  void add_chunk(std::size_t chunk) {
    slot_counters_[chunk].store(new SlotCounters[slots_per_chunk], std::memory_order_release);
  }
  SlotCounters& slot_counters(SlotNumber slot) const {
    return slot_counters_[slot / slots_per_chunk].load(std::memory_order_acquire)[slot % slots_per_chunk];
  }
  // Main thread: before the first sampler of a chunk is used.
  void add_sampler_chunk(std::size_t chunk) {
    sampler_chunks_[chunk].store(new SkipCounter[samplers_per_chunk], std::memory_order_release);
    if (!has_ring_) ring_.store(new SampleRing, std::memory_order_release);
    has_ring_ = true;
  }
  SkipCounter& sampler(SamplerId id) const {
    const auto number = static_cast<std::size_t>(id);
    return sampler_chunks_[number / samplers_per_chunk].load(std::memory_order_acquire)[number % samplers_per_chunk];
  }
  // Main thread: null until there is a sampler.
  SampleRing* samples() const { return ring_.load(std::memory_order_acquire); }
  ~Forwarder();

 private:
  struct Found {
    SlotNumber slot;
    const FlowActions* actions;
  };
  // A packet on its way through a list of actions.
  struct Course {
    flow::Packet* packet;
    const flow::FlowKey* key;    // as it was received
    bool lent = false;           // gathered for sending: a copy must be made before it changes
    bool shared = false;         // the same, since an outer list of actions goes on with it
    bool changed = false;        // the frame is not what the key says any more
    std::optional<be32> mark;    // changed metadata
    std::optional<be32> priority;
    SamplerId sampler = no_sampler;  // whose sample this is
  };

  // Packets in a row that one sampler counts, in registers rather than in its counter.
  struct SampleRun {
    Sampling sampling;
    SkipCounter* counter = nullptr;
    std::uint64_t length = 0;  // up to the next sample, when the run began
    std::uint64_t left = 0;    // now

    void end() {
      if (counter != nullptr) counter->pass(length - left);
      *this = {};
    }
  };

  // Fills hashes_ and found_; the way for a single mask, and that for several.
  void look_up_one_mask(MaskTable& mask, std::size_t count);
  void look_up_cached(const MaskList& masks, std::size_t count);
  void count_flow(const Found& found, std::size_t bytes, be16 tcp_flags, std::int64_t now);
  void miss(EnginePort& port, const flow::Packet& packet, const flow::FlowKey& key);
  void run(Course& course, const Actions& actions);
  void do_action(Course& course, const Output& output);
  void do_action(Course& course, const PushVlan& push);
  void do_action(Course& course, const PopVlan&);
  template <class Header>
  void do_action(Course& course, const SetMasked<Header>& set);
  void do_action(Course& course, const SetMasked<SkbPriority>& set);
  void do_action(Course& course, const SetMasked<PktMark>& set);
  void do_action(Course& course, const Userspace& up);
  void do_action(Course& course, const Sample& sample);
  void take_sample(Course& course, const Sample& sample, SamplerId sampler);
  void count_lost(const Course& course);
  bool is_sample(SkipCounter& counter, std::uint32_t probability);
  void begin_run(SampleRun& run, Sampling sampling);
  void put_sample(SamplerId by, const flow::Packet& packet, const flow::FlowKey& key,
                  std::span<const std::uint8_t> cookie, std::size_t max_bytes);
  void do_action(Course& course, const Drop&);
  flow::Packet& own(Course& course);  // that may be changed
  void finish();
  std::uint32_t random();

  Shared& shared_;
  SignatureCache cache_;
  TxBatches tx_;
  Counters counters_;
  std::array<std::atomic<SlotCounters*>, max_chunks> slot_counters_{};
  std::uint64_t random_state_;
  std::array<std::atomic<SkipCounter*>, max_samplers / samplers_per_chunk> sampler_chunks_{};
  std::atomic<SampleRing*> ring_{nullptr};
  bool has_ring_ = false;  // the main thread's

  // Of the batch under way.
  std::array<flow::FlowKey, flow::batch_size> keys_{};
  std::array<std::uint64_t, flow::batch_size> hashes_{};
  std::array<Found, flow::batch_size> found_{};
  std::uint64_t explicit_drops_ = 0;

  std::vector<flow::Packet> slots_;
  // Copies of packets that were lent and then changed; the first `copies_used_` are in use until what is
  // gathered has been sent.
  std::vector<std::unique_ptr<flow::Packet>> copies_;
  std::size_t copies_used_ = 0;
};

}  // namespace ovs::datapath
