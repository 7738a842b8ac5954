#include "ofproto/rule_table.h"

#include <algorithm>
#include <cstring>

namespace ovs::ofproto {

namespace {

void add_bits(flow::Mask& mask, const flow::Mask& more) {
  std::array<std::uint64_t, flow::key_words> a, b;
  std::memcpy(a.data(), &mask.bits, sizeof a);
  std::memcpy(b.data(), &more.bits, sizeof b);
  for (std::size_t i = 0; i < a.size(); i++) a[i] |= b[i];
  std::memcpy(&mask.bits, a.data(), sizeof a);
}

}  // namespace

RuleId RuleTable::add(int priority, const flow::Match& match, openflow::Actions actions, proto::TimePoint now) {
  const auto place = std::find_if(rules_.begin(), rules_.end(),
                                  [&](const Rule& rule) { return rule.priority < priority; });
  const RuleId id{next_id_++};
  rules_.insert(place, Rule{id, priority, match, std::move(actions), now});
  return id;
}

const Rule* RuleTable::look_up(const flow::FlowKey& key, flow::Mask& mask) const {
  for (const Rule& rule : rules_) {
    add_bits(mask, rule.match.mask);
    if (rule.match.matches(key)) return &rule;
  }
  return nullptr;
}

void RuleTable::count(RuleId rule, std::uint64_t packets, std::uint64_t bytes) {
  for (Rule& each : rules_) {
    if (each.id != rule) continue;
    each.packets += packets;
    each.bytes += bytes;
    return;
  }
}

}  // namespace ovs::ofproto
