// The hash tables of a classifier's subtable, which many threads read while one changes them.
//
// Both use open addressing.  A slot that was used and is free again stays marked until the table is built anew, so
// that a search that is under way does not end there; a table is at most half full, marks included, so that
// every search ends.  A new table is published as a whole.
//
// Thread safety: one writer; contains() and find() by any number of threads, under the RCU domain.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/rcu.h"
#include "flow/classifier.h"

namespace ovs::flow {

// A multiset of hashes: which values of the first stages the rules of a subtable have.
class HashSet {
 public:
  explicit HashSet(RcuDomain& domain);

  bool contains(std::uint32_t hash) const;
  void insert(std::uint32_t hash);
  void remove(std::uint32_t hash);

 private:
  // The hash, not 0, in the upper half and how often it is there in the lower.  0: never used.
  using Slot = std::atomic<std::uint64_t>;
  struct Table {
    explicit Table(std::size_t size) : mask(size - 1), slots(new Slot[size]()) {}
    const std::size_t mask;
    std::unique_ptr<Slot[]> slots;
  };

  // The slot of the hash, or the unused one where it would be.
  static Slot& slot_of(const Table& table, std::uint32_t hash);
  void rebuild();

  RcuDomain& domain_;
  RcuPointer<Table> table_;
  std::size_t used_ = 0;  // slots that are not unused
  std::size_t live_ = 0;  // slots whose count is not 0
};

// Rules by the hash of their values.  Rules of equal values hang in a chain, highest priority first.
class RuleIndex {
 public:
  explicit RuleIndex(RcuDomain& domain);

  // The first of the chain for which `equal` holds, or nullptr.
  template <class Equal>
  ClassifierRule* find(std::uint32_t hash, const Equal& equal) const {
    const Table& table = *table_.load();
    for (std::size_t i = hash & table.mask;; i = (i + 1) & table.mask) {
      ClassifierRule* head = table.slots[i].head.load(std::memory_order_acquire);
      if (head == nullptr) return nullptr;
      if (head != removed() && table.slots[i].hash.load(std::memory_order_relaxed) == hash && equal(*head)) return head;
    }
  }
  void insert(ClassifierRule& rule);
  void remove(ClassifierRule& rule);

  // The heads of all chains, until `each` returns false; returns whether it never did.  `each` may remove
  // rules.
  template <class Each>
  bool for_each_chain(const Each& each) const {
    const Table& table = *table_.load();
    for (std::size_t i = 0; i <= table.mask; i++) {
      ClassifierRule* head = table.slots[i].head.load(std::memory_order_relaxed);
      if (head != nullptr && head != removed() && !each(*head)) return false;
    }
    return true;
  }
  static ClassifierRule* next_of(const ClassifierRule& rule) { return rule.next_.load(std::memory_order_acquire); }

 private:
  struct Slot {
    std::atomic<std::uint32_t> hash{0};
    std::atomic<ClassifierRule*> head{nullptr};  // nullptr: never used
  };
  struct Table {
    explicit Table(std::size_t size) : mask(size - 1), slots(new Slot[size]()) {}
    const std::size_t mask;
    std::unique_ptr<Slot[]> slots;
  };

  // Marks a slot that is free again: an address that no rule has.
  static ClassifierRule* removed() { return reinterpret_cast<ClassifierRule*>(alignof(ClassifierRule)); }
  // The slot of the chain that `rule` is or would be part of, or nullptr.
  Slot* chain_of(const ClassifierRule& rule) const;
  void rebuild();

  RcuDomain& domain_;
  RcuPointer<Table> table_;
  std::size_t used_ = 0;
  std::size_t live_ = 0;
};

}  // namespace ovs::flow
