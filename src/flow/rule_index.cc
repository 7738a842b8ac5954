#include "flow/rule_index.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace ovs::flow {

namespace {

constexpr std::size_t least_size = 8;

// A quarter full, so that a table of n stays as it is until twice as many have come.
std::size_t size_for(std::size_t n) { return std::bit_ceil(std::max(least_size, 4 * n)); }

constexpr std::uint64_t slot_value(std::uint32_t hash, std::uint64_t count) { return std::uint64_t{hash} << 32 | count; }
constexpr std::uint32_t hash_in(std::uint64_t slot) { return static_cast<std::uint32_t>(slot >> 32); }
constexpr std::uint32_t count_in(std::uint64_t slot) { return static_cast<std::uint32_t>(slot); }
constexpr std::uint32_t not_zero(std::uint32_t hash) { return hash != 0 ? hash : 1; }

}  // namespace

HashSet::HashSet(RcuDomain& domain) : domain_(domain), table_(std::make_unique<Table>(least_size)) {}

HashSet::Slot& HashSet::slot_of(const Table& table, std::uint32_t hash) {
  std::size_t i = hash & table.mask;
  for (;;) {
    const std::uint64_t slot = table.slots[i].load(std::memory_order_acquire);
    if (slot == 0 || hash_in(slot) == hash) return table.slots[i];
    i = (i + 1) & table.mask;
  }
}

bool HashSet::contains(std::uint32_t hash) const {
  return count_in(slot_of(*table_.load(), not_zero(hash)).load(std::memory_order_acquire)) != 0;
}

void HashSet::insert(std::uint32_t hash) {
  hash = not_zero(hash);
  if (2 * (used_ + 1) > table_.load()->mask + 1) rebuild();
  Slot& slot = slot_of(*table_.load(), hash);
  const std::uint64_t before = slot.load(std::memory_order_relaxed);
  if (before == 0) used_++;
  if (count_in(before) == 0) live_++;
  slot.store(slot_value(hash, count_in(before) + 1), std::memory_order_release);
}

void HashSet::remove(std::uint32_t hash) {
  hash = not_zero(hash);
  Slot& slot = slot_of(*table_.load(), hash);
  const std::uint32_t count = count_in(slot.load(std::memory_order_relaxed));
  OVS_CHECK(count != 0, "a hash that is not there");
  slot.store(slot_value(hash, count - 1), std::memory_order_release);
  if (count == 1) live_--;
}

void HashSet::rebuild() {
  const Table& old = *table_.load();
  auto table = std::make_unique<Table>(size_for(live_ + 1));
  for (std::size_t i = 0; i <= old.mask; i++) {
    const std::uint64_t slot = old.slots[i].load(std::memory_order_relaxed);
    if (count_in(slot) != 0) slot_of(*table, hash_in(slot)).store(slot, std::memory_order_relaxed);
  }
  used_ = live_;
  table_.publish(std::move(table), domain_);
}

RuleIndex::RuleIndex(RcuDomain& domain) : domain_(domain), table_(std::make_unique<Table>(least_size)) {}

RuleIndex::Slot* RuleIndex::chain_of(const ClassifierRule& rule) const {
  const Table& table = *table_.load();
  const std::size_t words = rule.mask_->words.size();
  for (std::size_t i = rule.hash_ & table.mask;; i = (i + 1) & table.mask) {
    Slot& slot = table.slots[i];
    ClassifierRule* head = slot.head.load(std::memory_order_relaxed);
    if (head == nullptr) return nullptr;
    if (head != removed() && slot.hash.load(std::memory_order_relaxed) == rule.hash_ &&
        std::equal(rule.values_.get(), rule.values_.get() + words, head->values_.get())) {
      return &slot;
    }
  }
}

void RuleIndex::insert(ClassifierRule& rule) {
  if (Slot* slot = chain_of(rule)) {
    std::atomic<ClassifierRule*>* link = &slot->head;
    ClassifierRule* next = link->load(std::memory_order_relaxed);
    while (next != nullptr && next->priority_ >= rule.priority_) {
      link = &next->next_;
      next = link->load(std::memory_order_relaxed);
    }
    rule.next_.store(next, std::memory_order_relaxed);
    link->store(&rule, std::memory_order_release);
    return;
  }
  if (2 * (used_ + 1) > table_.load()->mask + 1) rebuild();
  rule.next_.store(nullptr, std::memory_order_relaxed);
  const Table& table = *table_.load();
  std::size_t i = rule.hash_ & table.mask;
  for (;; i = (i + 1) & table.mask) {
    ClassifierRule* head = table.slots[i].head.load(std::memory_order_relaxed);
    if (head == nullptr) used_++;
    if (head == nullptr || head == removed()) break;
  }
  table.slots[i].hash.store(rule.hash_, std::memory_order_relaxed);
  table.slots[i].head.store(&rule, std::memory_order_release);
  live_++;
}

// The rule keeps its link: a reader that stands on it goes on from there.
void RuleIndex::remove(ClassifierRule& rule) {
  Slot* slot = chain_of(rule);
  OVS_CHECK(slot != nullptr, "a rule that is not there");
  ClassifierRule* const next = rule.next_.load(std::memory_order_relaxed);
  std::atomic<ClassifierRule*>* link = &slot->head;
  ClassifierRule* at = link->load(std::memory_order_relaxed);
  if (at == &rule) {
    link->store(next != nullptr ? next : removed(), std::memory_order_release);
    if (next == nullptr) live_--;
    return;
  }
  while (at != &rule) {
    OVS_CHECK(at != nullptr, "a rule that is not there");
    link = &at->next_;
    at = link->load(std::memory_order_relaxed);
  }
  link->store(next, std::memory_order_release);
}

void RuleIndex::rebuild() {
  const Table& old = *table_.load();
  auto table = std::make_unique<Table>(size_for(live_ + 1));
  for (std::size_t i = 0; i <= old.mask; i++) {
    ClassifierRule* head = old.slots[i].head.load(std::memory_order_relaxed);
    if (head == nullptr || head == removed()) continue;
    const std::uint32_t hash = old.slots[i].hash.load(std::memory_order_relaxed);
    std::size_t to = hash & table->mask;
    while (table->slots[to].head.load(std::memory_order_relaxed) != nullptr) to = (to + 1) & table->mask;
    table->slots[to].hash.store(hash, std::memory_order_relaxed);
    table->slots[to].head.store(head, std::memory_order_relaxed);
  }
  used_ = live_;
  table_.publish(std::move(table), domain_);
}

}  // namespace ovs::flow
