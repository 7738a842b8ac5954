// MegaflowTable: (key, mask) -> actions, read by forwarding threads without a lock while the main thread
// changes it.
//
// A megaflow lives in a slot of a slab that never moves, so that a number of 22 bits names it; caches
// hold such numbers, and verify what they find.  There is one hash table for each mask, from hash to
// slot.  A look-up goes through the masks, those that were hit most often first.
//
// A slot is free, or live: `actions` is set.  Everything else in a slot is written only while no reader
// can look at it: between a grace period after `actions` was cleared, and setting it again.  So a
// number may be stale at any time; whoever uses one loads `actions` first, and compares the key then.
//
// Megaflows of equal actions share them: to each new address that invents itself on one port the same flood
// answers, of as many actions as the bridge has ports.
//
// Thread safety: look_up(), verify() and what they need are for readers of the RCU domain, between two
// quiescent states, and for the main thread; all else is the main thread's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/rcu.h"
#include "datapath/datapath.h"
#include "datapath/sparse_mask.h"
#include "flow/match.h"

namespace ovs::datapath {

// Base of what has a cache line for itself, and is together with others of its kind: many to a page.
struct PooledLine {
  static void* operator new(std::size_t size);
  static void operator delete(void* line);
};

// Who counts samples, and what part of the packets they are.
struct Sampling {
  SamplerId sampler = no_sampler;
  std::uint32_t probability = 0;
  friend bool operator==(Sampling, Sampling) = default;
};

// The actions of a megaflow, with the cases named that need no interpretation.
struct alignas(64) FlowActions : PooledLine {
  explicit FlowActions(Actions list);

  // sampled_output: a sample that a sampler counts and that only sends the packet up, then one output.
  enum class Shape : std::uint8_t { general, one_output, sampled_output, nothing };
  Shape shape;
  DpPort port;  // of one_output and sampled_output
  Sampling sampling;
  // A copy of what is in `actions`: there, it would be two more accesses to cold memory for each sample.
  struct alignas(64) Cookie : PooledLine {
    std::uint32_t max_bytes = 0;
    std::uint32_t size = 0;
    std::array<std::uint8_t, 56> storage;
    std::span<const std::uint8_t> bytes() const { return {storage.data(), size}; }
  };
  std::unique_ptr<const Cookie> cookie;
  Actions actions;
};

using SlotNumber = std::uint32_t;
inline constexpr unsigned slot_bits = 22;
inline constexpr SlotNumber no_slot = (SlotNumber{1} << slot_bits) - 1;
inline constexpr std::size_t slots_per_chunk = 4096;
inline constexpr std::size_t max_chunks = (std::size_t{1} << slot_bits) / slots_per_chunk;

struct alignas(64) Megaflow {
  static constexpr std::size_t words_inside = 13;

  std::atomic<const FlowActions*> actions{nullptr};  // nullptr: not live
  const SparseMask* mask = nullptr;
  std::uint64_t words[words_inside] = {};       // of the key, under the mask, in its order
  std::unique_ptr<std::uint64_t[]> more_words;  // those that did not fit
};
static_assert(sizeof(Megaflow) == 128);

// Hash to slot for one mask.  Open addressing; an entry is half of the hash, and the slot.
class HashTable {
 public:
  explicit HashTable(std::size_t capacity);  // a power of two

  static constexpr std::uint32_t empty = 0xffffffff;
  static constexpr std::uint32_t erased = 0xfffffffe;

  // Calls `try_slot` with each slot whose entry may be meant, until it returns true.
  template <class Try>
  bool find(std::uint64_t hash, const Try& try_slot) const {
    const std::uint32_t signature = signature_of(hash);
    for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const std::uint64_t entry = entries_[i].load(std::memory_order_acquire);
      const auto slot = static_cast<std::uint32_t>(entry);
      if (slot == empty) return false;
      if (entry >> 32 == signature && slot != erased && try_slot(slot)) return true;
    }
  }
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&entries_[hash & mask_]); }

  // Writer's.
  void insert(std::uint64_t hash, SlotNumber slot);
  void erase(std::uint64_t hash, SlotNumber slot);
  bool is_full() const { return 2 * (used_ + 1) > mask_ + 1; }
  void copy_live_to(HashTable& other, const std::function<std::uint64_t(SlotNumber)>& hash_of) const;

 private:
  static std::uint32_t signature_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

  std::size_t mask_;
  std::size_t used_ = 0;  // entries that are not empty
  std::unique_ptr<std::atomic<std::uint64_t>[]> entries_;
};

// All megaflows of one mask.
struct MaskTable {
  explicit MaskTable(const flow::FlowKey& mask) : sparse(mask) {}

  const SparseMask sparse;
  RcuPointer<HashTable> slots;
  // Found here by a walk over the masks.  Written by several threads, where a lost count does no harm.
  std::atomic<std::uint64_t> hits{0};
  std::size_t flows = 0;             // writer's
  std::uint64_t hits_when_sorted = 0;  // writer's
};

// The masks in the order of look-up; immutable.
struct MaskList {
  explicit MaskList(std::vector<MaskTable*> in_order);

  std::vector<MaskTable*> masks;
  // All bits that any mask has: packets that are equal under this one match the same megaflow.
  SparseMask all_bits;
};

class MegaflowTable {
 public:
  MegaflowTable(RcuDomain& domain, std::uint64_t seed);
  ~MegaflowTable();

  // ---- reading

  const MaskList& masks() const { return *masks_.load(); }
  const HashSecret& secret() const { return secret_; }

  Megaflow& at(SlotNumber slot) const {
    return chunks_[slot / slots_per_chunk].load(std::memory_order_acquire)[slot % slots_per_chunk];
  }
  // The actions of a megaflow that is live and that the key matches; nullptr otherwise.
  static const FlowActions* verify(const Megaflow& flow, const flow::FlowKey& key) {
    const FlowActions* actions = flow.actions.load(std::memory_order_acquire);
    if (actions == nullptr || !same_words(flow, *flow.mask, key)) return nullptr;
    return actions;
  }

  struct Found {
    SlotNumber slot;
    const FlowActions* actions;  // nullptr: none matches
  };
  // In one table; `hash` is the key's under its mask.
  Found look_up_in(const MaskTable& table, std::uint64_t hash, const flow::FlowKey& key) const {
    Found found{no_slot, nullptr};
    table.slots.load()->find(hash, [&](SlotNumber slot) {
      found.actions = verify(at(slot), key);
      if (found.actions != nullptr) found.slot = slot;
      return found.actions != nullptr;
    });
    return found;
  }
  // In all of them; `masks_seen` grows by how many were looked at.
  Found look_up(const flow::FlowKey& key, std::uint64_t& masks_seen) const;

  // How many megaflows there are, roughly, for who sizes a cache.
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

  // ---- changing

  // Refuses with EEXIST, and with ENOSPC when all slots are taken.
  Result<FlowId> add(const flow::Match& match, Actions actions);
  // The slot of a megaflow that is there.
  std::optional<SlotNumber> find(FlowId id) const;
  void change(SlotNumber slot, Actions actions);
  void remove(SlotNumber slot);
  flow::Match match(SlotNumber slot) const;
  // Until `each` returns false.
  void each(const std::function<bool(SlotNumber, FlowId)>& each) const;
  // Sorts the masks by what they were hit since the last time.
  void rank_masks();
  // Called with the number of a chunk before any of its slots is used.
  void on_new_chunk(std::function<void(std::size_t)> f) { on_new_chunk_ = std::move(f); }
  // Called with a slot that no reader knows any more, before it is used.
  void on_new_slot(std::function<void(SlotNumber)> f) { on_new_slot_ = std::move(f); }

 private:
  struct SharedActions {
    std::unique_ptr<const FlowActions> actions;
    std::size_t users;  // megaflows
  };
  using ActionsByHash = std::multimap<std::uint64_t, SharedActions>;
  struct Owned {  // what only the writer needs to know of a slot
    std::uint64_t id = 0;  // 0: not live
    MaskTable* table = nullptr;
    ActionsByHash::iterator actions{};
  };
  struct MaskHash {
    std::size_t operator()(const flow::Mask& mask) const;
  };

  static bool same_words(const Megaflow& flow, const SparseMask& mask, const flow::FlowKey& key) {
    const std::size_t count = mask.count();
    if (count > Megaflow::words_inside) [[unlikely]] return same_many_words(flow, mask, key);
    std::uint64_t differences = 0;
    for (std::size_t i = 0; i < count; i += 2) {
      differences |= mask.masked(key, i) ^ flow.words[i];
      differences |= mask.masked(key, i + 1) ^ flow.words[i + 1];
    }
    return differences == 0;
  }
  static bool same_many_words(const Megaflow& flow, const SparseMask& mask, const flow::FlowKey& key);
  static std::uint64_t word(const Megaflow& flow, std::size_t i) {
    return i < Megaflow::words_inside ? flow.words[i] : flow.more_words[i - Megaflow::words_inside];
  }

  ActionsByHash::iterator share(Actions actions);
  void release(ActionsByHash::iterator actions);
  std::optional<SlotNumber> take_slot();
  std::uint64_t hash_of(SlotNumber slot) const;
  MaskTable& table_for(const flow::Mask& mask);
  void drop_table(MaskTable& table);
  void publish_masks(std::vector<MaskTable*> masks);

  RcuDomain& domain_;
  const HashSecret secret_;
  std::array<std::atomic<Megaflow*>, max_chunks> chunks_{};
  RcuPointer<const MaskList> masks_;
  std::atomic<std::size_t> size_{0};

  // Writer's.
  std::unordered_map<flow::Mask, std::unique_ptr<MaskTable>, MaskHash> tables_;
  ActionsByHash actions_;
  std::vector<Owned> owned_;          // by slot
  std::vector<SlotNumber> free_;
  std::uint64_t next_id_ = 1;
  std::function<void(std::size_t)> on_new_chunk_ = [](std::size_t) {};
  std::function<void(SlotNumber)> on_new_slot_ = [](SlotNumber) {};
};

}  // namespace ovs::datapath
