// Subtable: the rules of a classifier that have one mask (flow/classifier.h).
//
// Thread safety: one writer; find() by any number of threads, under the RCU domain.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "flow/classifier.h"
#include "flow/rule_index.h"

namespace ovs::flow {

// What the tries say of one packet, looked up when first asked for.
class PrefixAnswers {
 public:
  using Tries = std::array<std::unique_ptr<PrefixTrie>, Classifier::tracked_prefixes>;
  PrefixAnswers(const Tries& tries, const FlowKey& key) : tries_(tries), key_(key) {}
  const PrefixTrie::Found& operator[](std::size_t field);

 private:
  const Tries& tries_;
  const FlowKey& key_;
  std::array<std::optional<PrefixTrie::Found>, Classifier::tracked_prefixes> found_;
};

// A tracked field: where it stands in the key.
struct PrefixField {
  std::size_t offset;
  std::size_t bytes;
};
extern const std::array<PrefixField, Classifier::tracked_prefixes> prefix_fields;

class Subtable {
 public:
  Subtable(std::shared_ptr<const SparseMask> mask, RcuDomain& domain);

  const std::shared_ptr<const SparseMask>& mask() const { return mask_; }
  bool empty() const { return priorities_.empty(); }
  int highest_priority() const { return priorities_.begin()->first; }

  // Of the visible rules that the packet matches, the one of highest priority.
  const ClassifierRule* find(const FlowKey& key, Version version, PrefixAnswers& prefixes, Mask* depends_on) const;

  // `tries` are the classifier's.
  void insert(ClassifierRule& rule, const PrefixAnswers::Tries& tries);
  void remove(ClassifierRule& rule, const PrefixAnswers::Tries& tries);

  // The first rule with these values.
  ClassifierRule* find_values(const std::uint64_t* values) const;
  bool for_each(const std::function<bool(ClassifierRule&)>& each) const;

 private:
  struct PortTrie {
    std::size_t offset;
    unsigned length;  // of the prefix that the mask has of the port; 0: none, and no trie
    std::unique_ptr<PrefixTrie> trie;
  };

  // Whether no rule here can have the packet's addresses; `depends_on` gets what settles that.
  bool ruled_out_by_prefix(PrefixAnswers& prefixes, Mask* depends_on) const;
  bool ruled_out_by_port(const FlowKey& key, Mask* depends_on) const;
  // The hashes of the values up to each stage.
  std::array<std::uint32_t, stage_count> hashes_of(const std::uint64_t* values) const;
  // The address or port at `offset` as far as the rule matches it.
  PrefixTrie::Value prefix_of(const ClassifierRule& rule, std::size_t offset, std::size_t bytes) const;
  template <class Function>
  void for_each_trie(const ClassifierRule& rule, const PrefixAnswers::Tries& tries, const Function& function);

  const std::shared_ptr<const SparseMask> mask_;
  // Whether a stage has words of its own and others come after it: only then is there something to look up.
  std::array<std::unique_ptr<HashSet>, stage_count> stages_;
  std::array<unsigned, Classifier::tracked_prefixes> prefix_lengths_{};
  std::array<PortTrie, 2> ports_;
  RuleIndex rules_;
  std::map<int, std::size_t, std::greater<>> priorities_;  // of the rules, and how many have each
};

}  // namespace ovs::flow
