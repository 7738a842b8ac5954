#include "ofproto/rule_table.h"

#include <algorithm>
#include <utility>

namespace ovs::ofproto {

namespace {

// All rules are in force from the beginning, and for as long as they are there.
constexpr flow::Version present = flow::first_version;

}  // namespace

RuleId RuleTable::add(int priority, const flow::Match& match, openflow::Actions actions, proto::TimePoint now) {
  if (const auto* same = static_cast<const Rule*>(classifier_.find(match, priority, present))) remove(same->id);
  const RuleId id{next_id_++};
  auto rule = std::make_unique<Rule>(id, priority, match, std::move(actions), now);
  classifier_.insert(*rule);
  rules_.emplace(id, std::move(rule));
  return id;
}

void RuleTable::take_out(std::unique_ptr<Rule> rule) {
  classifier_.remove(*rule);
  domain_.retire(std::move(rule));
}

void RuleTable::remove(RuleId id) {
  const auto found = rules_.find(id);
  if (found == rules_.end()) return;
  take_out(std::move(found->second));
  rules_.erase(found);
  domain_.reclaim();
}

void RuleTable::clear() {
  for (auto& [id, rule] : rules_) take_out(std::move(rule));
  rules_.clear();
  domain_.reclaim();
}

const Rule* RuleTable::look_up(const flow::FlowKey& key, flow::Mask& mask) const {
  return static_cast<const Rule*>(classifier_.lookup(key, present, &mask));
}

void RuleTable::count(RuleId id, std::uint64_t packets, std::uint64_t bytes) {
  const auto found = rules_.find(id);
  if (found == rules_.end()) return;
  found->second->packets += packets;
  found->second->bytes += bytes;
}

const Rule* RuleTable::find(RuleId id) const {
  const auto found = rules_.find(id);
  return found == rules_.end() ? nullptr : found->second.get();
}

std::vector<const Rule*> RuleTable::rules() const {
  std::vector<const Rule*> sorted;
  sorted.reserve(rules_.size());
  for (const auto& [id, rule] : rules_) sorted.push_back(rule.get());
  std::sort(sorted.begin(), sorted.end(), [](const Rule* a, const Rule* b) {
    return a->priority() != b->priority() ? a->priority() > b->priority() : a->id < b->id;
  });
  return sorted;
}

}  // namespace ovs::ofproto
