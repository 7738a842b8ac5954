// PrefixTrie: the prefixes of one field that rules ask for.
//
// A look-up says which lengths of prefix some rule has for this value, and how many leading bits of the value
// settle that.  So the classifier can pass over a mask none of whose rules can match, and depend on those few bits
// rather than on the whole prefix: a packet to 192.0.2.1 against rules for 10.0.0.0/8 depends on one bit.
//
// A binary trie with paths compressed up to 32 bits a node; a node counts the rules whose prefix ends in
// it.  Nodes do not change but for that count and their children.
//
// Thread safety: one writer; look-ups by any number of threads meanwhile, under the RCU domain.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <cstdint>
#include <span>

#include "base/rcu.h"

namespace ovs::flow {

class PrefixTrie {
 public:
  static constexpr unsigned max_bits = 128;

  // A value, left-aligned: its first bit is the highest of the first word.
  using Value = std::array<std::uint32_t, max_bits / 32>;
  static Value value_of(std::span<const std::uint8_t> bytes);

  PrefixTrie(unsigned bits, RcuDomain& domain) : bits_(bits), domain_(domain) {}
  ~PrefixTrie();
  PrefixTrie(const PrefixTrie&) = delete;
  PrefixTrie& operator=(const PrefixTrie&) = delete;

  // One more rule, one rule less, with the prefix of `length` bits of `value`; 0 < length <= bits.
  void insert(const Value& value, unsigned length);
  void remove(const Value& value, unsigned length);

  struct Found {
    std::bitset<max_bits + 1> lengths;  // for which a rule has this value's prefix
    unsigned looked_at = 0;             // every value with the same first bits gets the same answer
    // How many bits settle that no rule has the prefix of this length.
    unsigned settled_by(unsigned length) const { return looked_at < length ? looked_at : length; }
  };
  Found lookup(const Value& value) const;

 private:
  struct Node {
    Node(std::uint32_t first_bits, unsigned bit_count, unsigned rule_count)
        : bits(first_bits), length(bit_count), rules(rule_count) {}
    const std::uint32_t bits;  // left-aligned; the first is the one that chose this child
    const unsigned length;
    std::atomic<unsigned> rules;
    std::array<std::atomic<Node*>, 2> child{};
  };
  using Edge = std::atomic<Node*>;

  static Node* make_branch(const Value& value, unsigned from, unsigned to);
  static Node* copy_of(const Node& node, std::uint32_t bits, unsigned length);
  static void destroy(Node* node);
  void retire(Node* node);
  bool prune(Edge& edge);

  const unsigned bits_;
  RcuDomain& domain_;
  Edge root_{nullptr};
};

}  // namespace ovs::flow
