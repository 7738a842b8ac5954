// Classifier: of all rules that a packet matches, the one of highest priority, and which bits of the packet
// decided that.
//
// Tuple space search.  Rules with one mask form a subtable; in it, a packet's masked bits are looked up in a hash
// table.  Subtables are searched in the order of the highest priority in each, until none that is left could have a
// better rule.  Real tables have few masks, however many rules they have.
//
// Which bits decided.  A cached answer (a megaflow) may be used for every packet that agrees on the bits that
// lookup() adds to its mask: any change of the other bits leaves the result the same.  The fewer they
// are, the more packets share the answer.  Three things keep them few:
//   - Stages: a subtable is looked up stage by stage (metadata, L2, L3, L4); where no rule has the packet's bits up to
//     some stage, the later ones are not looked at.
//   - Prefixes: tries over nw_src, nw_dst, ipv6_src and ipv6_dst say which lengths of prefix could match, and
//     the few leading bits that settle it (prefix_trie.h).
//   - Ports: where only L4 differs, a trie over the ports of the subtable's rules does the same for tp_src and tp_dst.
//
// Versions.  A rule is visible to a look-up of version v if its first version <= v < its last.  So a bundle of
// changes is prepared beside what is in use and takes effect all at once, by a new number for look-ups.
//
// Equal priorities: if rules of one priority match one packet, which of them is found is undefined (OpenFlow
// 1.5.1, section 5.3), but the same one as long as no rule comes or goes.
//
// Ownership.  The caller makes a ClassifierRule a base or member of its own and owns it.  A rule that was removed
// may still be in use by readers: it is to be destroyed through the same RcuDomain.
//
// Thread safety: one writer calls everything; lookup() may be called by any number of threads meanwhile, each an
// RcuDomain::Reader, and what it returns is valid until that reader's next quiescent state.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/rcu.h"
#include "flow/match.h"
#include "flow/prefix_trie.h"
#include "flow/sparse_mask.h"

namespace ovs::flow {

enum class Version : std::uint64_t {};
inline constexpr Version first_version{0};
inline constexpr Version never{std::numeric_limits<std::uint64_t>::max()};

class Subtable;

class ClassifierRule {
 public:
  ClassifierRule(const Match& match, int priority);
  ~ClassifierRule();
  ClassifierRule(const ClassifierRule&) = delete;
  ClassifierRule& operator=(const ClassifierRule&) = delete;

  int priority() const { return priority_; }
  // Put together anew at each call: rules keep only the words that they match on.
  Match match() const;

  bool is_inserted() const { return subtable_ != nullptr; }
  bool visible(Version version) const {
    return first_.load(std::memory_order_acquire) <= version && version < end_.load(std::memory_order_acquire);
  }
  // The rule is not visible from `version` on; it stays in the classifier until it is removed.
  void hide_from(Version version) { end_.store(version, std::memory_order_release); }

 private:
  friend class Classifier;
  friend class RuleIndex;
  friend class Subtable;

  std::shared_ptr<const SparseMask> mask_;  // the subtable's as soon as there is one
  std::unique_ptr<std::uint64_t[]> values_;  // for each word of the mask
  const int priority_;
  std::uint32_t hash_ = 0;  // of all the values
  Subtable* subtable_ = nullptr;
  std::atomic<ClassifierRule*> next_{nullptr};  // the same match, no higher priority
  std::atomic<Version> first_{first_version};
  std::atomic<Version> end_{never};
};

class Classifier {
 public:
  explicit Classifier(RcuDomain& domain);
  // No rule may be left in it.
  ~Classifier();
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  // Adds to `depends_on`, unless it is nullptr, what the result depends on.
  const ClassifierRule* lookup(const FlowKey& key, Version version, Mask* depends_on) const;

  // ---- the writer's

  // A rule of the same match and priority must not be visible in `first` or later.  Constant time but for the
  // subtables' order, which is made anew when the highest priority of one changes.
  void insert(ClassifierRule& rule, Version first = first_version);
  void remove(ClassifierRule& rule);

  ClassifierRule* find(const Match& match, int priority, Version version) const;
  // A rule of this priority that some packet could match beside `match` (OpenFlow's check_overlap).
  ClassifierRule* find_overlapping(const Match& match, int priority, Version version) const;
  // All rules, visible or not, or those at least as specific as `criteria`: all that they match it does too
  // (OpenFlow's non-strict delete and dump).  Until `each` returns false.  The rule given to `each` may be removed.
  void for_each(const std::function<bool(ClassifierRule&)>& each) const;
  void for_each_within(const Match& criteria, const std::function<bool(ClassifierRule&)>& each) const;

  std::size_t size() const { return size_; }
  std::size_t subtable_count() const { return by_mask_.size(); }

  // The prefixes that are tracked.
  static constexpr std::size_t tracked_prefixes = 4;

 private:
  // In the order of look-up.
  struct Entry {
    int priority;  // the highest in it
    const Subtable* subtable;
  };
  using Order = std::vector<Entry>;
  struct MaskHash {
    std::size_t operator()(const SparseMask* mask) const { return mask->hash(); }
  };
  struct MaskEqual {
    bool operator()(const SparseMask* a, const SparseMask* b) const { return *a == *b; }
  };

  Subtable& subtable_for(ClassifierRule& rule);
  void publish_order();

  RcuDomain& domain_;
  RcuPointer<Order> order_;
  std::array<std::unique_ptr<PrefixTrie>, tracked_prefixes> tries_;
  std::unordered_map<const SparseMask*, std::unique_ptr<Subtable>, MaskHash, MaskEqual> by_mask_;
  std::size_t size_ = 0;
};

}  // namespace ovs::flow
