// RuleTable: the rules of one OpenFlow table, and what has matched them.
//
// A rule is a match, a priority, actions and counters (OpenFlow 1.5.1, section 5.2).  They are found by a
// flow::Classifier, so that a look-up costs by the number of different masks, and what it adds to a megaflow's mask is
// what decided, not all that any rule looks at.
//
// A bridge's table 0 holds one rule, priority 0, actions NORMAL, unless the bridge waits for a
// controller (fail_mode secure): then it holds none, and what no rule matches is dropped.
//
// Rules are named by ids that are not given again, so that statistics of a rule that is gone are harmless.
//
// Thread safety: one thread changes and counts; look_up() may be called by any number of threads meanwhile, each a
// reader of the RCU domain.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "flow/classifier.h"
#include "flow/match.h"
#include "openflow/action.h"
#include "proto/mac_learning.h"

namespace ovs::ofproto {

enum class RuleId : std::uint64_t {};

struct Rule : flow::ClassifierRule {
  Rule(RuleId which, int priority, const flow::Match& match, openflow::Actions what, proto::TimePoint now)
      : ClassifierRule(match, priority), id(which), actions(std::move(what)), added(now) {}

  const RuleId id;
  const openflow::Actions actions;
  const proto::TimePoint added;
  // The writer's.
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

class RuleTable {
 public:
  // `domain` must outlive the table.
  explicit RuleTable(RcuDomain& domain) : domain_(domain), classifier_(domain) {}
  ~RuleTable() { clear(); }
  RuleTable(const RuleTable&) = delete;
  RuleTable& operator=(const RuleTable&) = delete;

  // Takes the place of the rule of the same match and priority, if there is one.
  RuleId add(int priority, const flow::Match& match, openflow::Actions actions, proto::TimePoint now);
  void remove(RuleId rule);  // if it is still there
  void clear();

  // The rule with the highest priority that matches, nullptr if none does; `mask` gets what decided that.
  const Rule* look_up(const flow::FlowKey& key, flow::Mask& mask) const;
  void count(RuleId rule, std::uint64_t packets, std::uint64_t bytes);

  const Rule* find(RuleId rule) const;
  std::size_t size() const { return rules_.size(); }
  // Highest priority first, those of one priority in the order in which they were added.
  std::vector<const Rule*> rules() const;

 private:
  void take_out(std::unique_ptr<Rule> rule);

  RcuDomain& domain_;
  flow::Classifier classifier_;
  std::unordered_map<RuleId, std::unique_ptr<Rule>> rules_;
  std::uint64_t next_id_ = 1;
};

}  // namespace ovs::ofproto
