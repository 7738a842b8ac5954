// RuleTable: the rules of one OpenFlow table, and what has matched them.
//
// A bridge's table 0 holds one rule, priority 0, actions NORMAL, unless the bridge waits for a
// controller (fail_mode secure): then it holds none, and what no rule matches is dropped.
//
// Rules are looked at from the highest priority down; what a look-up had to read of a key is added to the
// mask.  Rules are named by ids that are not given again, so that statistics of a rule that is gone are harmless.
//
// Thread safety: one thread writes and counts.
#pragma once

#include <cstdint>
#include <vector>

#include "flow/match.h"
#include "openflow/action.h"
#include "proto/mac_learning.h"

namespace ovs::ofproto {

enum class RuleId : std::uint64_t {};

struct Rule {
  RuleId id;
  int priority;
  flow::Match match;
  openflow::Actions actions;
  proto::TimePoint added;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

class RuleTable {
 public:
  RuleId add(int priority, const flow::Match& match, openflow::Actions actions, proto::TimePoint now);
  void clear() { rules_.clear(); }

  // The rule with the highest priority that matches; nullptr if none does.
  const Rule* look_up(const flow::FlowKey& key, flow::Mask& mask) const;
  void count(RuleId rule, std::uint64_t packets, std::uint64_t bytes);
  const std::vector<Rule>& rules() const { return rules_; }  // highest priority first

 private:
  std::vector<Rule> rules_;
  std::uint64_t next_id_ = 1;
};

}  // namespace ovs::ofproto
