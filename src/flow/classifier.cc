#include "flow/classifier.h"

#include <algorithm>

#include "base/check.h"
#include "flow/subtable.h"

namespace ovs::flow {

// ---- ClassifierRule

ClassifierRule::ClassifierRule(const Match& match, int priority)
    : mask_(std::make_shared<SparseMask>(SparseMask::of(match.mask))),
      values_(new std::uint64_t[mask_->words.size()]),
      priority_(priority) {
  for (std::size_t i = 0; i < mask_->words.size(); i++) {
    values_[i] = key_word(match.key, mask_->words[i].index) & mask_->words[i].bits;
  }
}

ClassifierRule::~ClassifierRule() { OVS_CHECK(subtable_ == nullptr, "a rule destroyed before it was removed"); }

Match ClassifierRule::match() const {
  Match match;
  match.mask = mask_->expanded();
  for (std::size_t i = 0; i < mask_->words.size(); i++) set_key_word(match.key, mask_->words[i].index, values_[i]);
  return match;
}

// ---- Classifier

Classifier::Classifier(RcuDomain& domain) : domain_(domain), order_(std::make_unique<Order>()) {
  for (std::size_t i = 0; i < tries_.size(); i++) {
    tries_[i] = std::make_unique<PrefixTrie>(static_cast<unsigned>(8 * prefix_fields[i].bytes), domain);
  }
}

Classifier::~Classifier() { OVS_CHECK(size_ == 0, "a classifier destroyed before its rules were removed"); }

const ClassifierRule* Classifier::lookup(const FlowKey& key, Version version, Mask* depends_on) const {
  PrefixAnswers prefixes(tries_, key);
  const ClassifierRule* best = nullptr;
  for (const Entry& entry : *order_.load()) {
    if (best != nullptr && entry.priority <= best->priority()) break;
    const ClassifierRule* rule = entry.subtable->find(key, version, prefixes, depends_on);
    if (rule != nullptr && (best == nullptr || rule->priority() > best->priority())) best = rule;
  }
  return best;
}

void Classifier::publish_order() {
  auto order = std::make_unique<Order>();
  order->reserve(by_mask_.size());
  for (const auto& [mask, subtable] : by_mask_) {
    if (!subtable->empty()) order->push_back({subtable->highest_priority(), subtable.get()});
  }
  std::ranges::stable_sort(*order, std::greater<>{}, &Entry::priority);
  order_.publish(std::move(order), domain_);
}

Subtable& Classifier::subtable_for(ClassifierRule& rule) {
  const auto found = by_mask_.find(rule.mask_.get());
  if (found != by_mask_.end()) {
    rule.mask_ = found->second->mask();
    return *found->second;
  }
  auto subtable = std::make_unique<Subtable>(rule.mask_, domain_);
  return *by_mask_.emplace(rule.mask_.get(), std::move(subtable)).first->second;
}

void Classifier::insert(ClassifierRule& rule, Version first) {
  OVS_CHECK(!rule.is_inserted(), "a rule inserted twice");
  Subtable& subtable = subtable_for(rule);
  const bool reorder = subtable.empty() || subtable.highest_priority() < rule.priority();
  rule.first_.store(first, std::memory_order_relaxed);
  rule.end_.store(never, std::memory_order_relaxed);
  rule.subtable_ = &subtable;
  subtable.insert(rule, tries_);
  size_++;
  if (reorder) publish_order();
}

void Classifier::remove(ClassifierRule& rule) {
  OVS_CHECK(rule.is_inserted(), "a rule that is not there");
  Subtable& subtable = *rule.subtable_;
  subtable.remove(rule, tries_);
  rule.subtable_ = nullptr;
  size_--;
  const bool reorder = subtable.empty() || subtable.highest_priority() < rule.priority();
  if (!reorder) return;
  if (!subtable.empty()) return publish_order();
  const auto place = by_mask_.find(subtable.mask().get());
  std::unique_ptr<Subtable> emptied = std::move(place->second);
  by_mask_.erase(place);
  publish_order();
  domain_.retire(std::move(emptied));
}

ClassifierRule* Classifier::find(const Match& match, int priority, Version version) const {
  const ClassifierRule wanted(match, priority);
  const auto subtable = by_mask_.find(wanted.mask_.get());
  if (subtable == by_mask_.end()) return nullptr;
  ClassifierRule* rule = subtable->second->find_values(wanted.values_.get());
  while (rule != nullptr && !(rule->priority() == priority && rule->visible(version))) rule = RuleIndex::next_of(*rule);
  return rule;
}

ClassifierRule* Classifier::find_overlapping(const Match& match, int priority, Version version) const {
  for (const auto& [mask, subtable] : by_mask_) {
    ClassifierRule* found = nullptr;
    subtable->for_each([&, &words = mask->words](ClassifierRule& rule) {
      if (rule.priority() != priority || !rule.visible(version)) return true;
      for (std::size_t i = 0; i < words.size(); i++) {
        // Bits that both look at must be the same in both.
        const std::uint64_t both = words[i].bits & key_word(match.mask.bits, words[i].index);
        if ((rule.values_[i] ^ key_word(match.key, words[i].index)) & both) return true;
      }
      found = &rule;
      return false;
    });
    if (found != nullptr) return found;
  }
  return nullptr;
}

void Classifier::for_each(const std::function<bool(ClassifierRule&)>& each) const { for_each_within(Match{}, each); }

void Classifier::for_each_within(const Match& criteria, const std::function<bool(ClassifierRule&)>& each) const {
  const ClassifierRule wanted(criteria, 0);
  const auto& wanted_words = wanted.mask_->words;
  // `each` may remove a rule, and with the last one its subtable.
  std::vector<Subtable*> subtables;
  for (const auto& [mask, subtable] : by_mask_) {
    const Mask bits = mask->expanded();
    const bool specific = std::ranges::all_of(wanted_words, [&](const SparseMask::Word& word) {
      return (word.bits & ~key_word(bits.bits, word.index)) == 0;
    });
    if (specific) subtables.push_back(subtable.get());
  }
  for (Subtable* subtable : subtables) {
    const auto& words = subtable->mask()->words;
    const bool more = subtable->for_each([&](ClassifierRule& rule) {
      for (std::size_t i = 0; i < words.size(); i++) {
        const std::size_t index = words[i].index;
        if ((rule.values_[i] ^ key_word(criteria.key, index)) & key_word(criteria.mask.bits, index)) return true;
      }
      return each(rule);
    });
    if (!more) return;
  }
}

}  // namespace ovs::flow
