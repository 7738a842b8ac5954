#include "flow/prefix_trie.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <vector>

#include "base/check.h"

namespace ovs::flow {

namespace {

constexpr unsigned node_bits = 32;

unsigned bit_at(const PrefixTrie::Value& value, unsigned at) { return value[at / 32] >> (31 - at % 32) & 1; }

// 32 bits from `at` on; zeros behind the end.
std::uint32_t bits_from(const PrefixTrie::Value& value, unsigned at) {
  if (at >= PrefixTrie::max_bits) return 0;
  const std::uint64_t high = value[at / 32];
  const std::uint64_t low = at / 32 + 1 < value.size() ? value[at / 32 + 1] : 0;
  return static_cast<std::uint32_t>((high << 32 | low) >> (32 - at % 32));
}

std::uint32_t first_bits(std::uint32_t bits, unsigned n) { return n == 0 ? 0 : bits & ~std::uint32_t{0} << (32 - n); }

// How many of the node's bits the value has from `at` on, up to bit `end` of the value.
unsigned common_bits(std::uint32_t bits, unsigned length, const PrefixTrie::Value& value, unsigned at, unsigned end) {
  const auto same = static_cast<unsigned>(std::countl_zero(bits ^ bits_from(value, at)));
  return std::min({same, length, end - at});
}

}  // namespace

PrefixTrie::Value PrefixTrie::value_of(std::span<const std::uint8_t> bytes) {
  Value value{};
  for (std::size_t i = 0; i < bytes.size(); i++) value[i / 4] |= std::uint32_t{bytes[i]} << (24 - i % 4 * 8);
  return value;
}

PrefixTrie::~PrefixTrie() { destroy(root_.load(std::memory_order_relaxed)); }

void PrefixTrie::destroy(Node* node) {
  if (node == nullptr) return;
  for (Edge& edge : node->child) destroy(edge.load(std::memory_order_relaxed));
  delete node;
}

void PrefixTrie::retire(Node* node) { domain_.retire(std::unique_ptr<Node>(node)); }

// The nodes for bits [from, to) of the value; the last has one rule.
PrefixTrie::Node* PrefixTrie::make_branch(const Value& value, unsigned from, unsigned to) {
  const unsigned length = std::min(to - from, node_bits);
  const unsigned next = from + length;
  const bool is_last = next == to;
  auto node = std::make_unique<Node>(first_bits(bits_from(value, from), length), length, is_last ? 1 : 0);
  if (!is_last) {
    node->child[bit_at(value, next)].store(make_branch(value, next, to), std::memory_order_relaxed);
  }
  return node.release();
}

PrefixTrie::Node* PrefixTrie::copy_of(const Node& node, std::uint32_t bits, unsigned length) {
  auto copy = std::make_unique<Node>(bits, length, node.rules.load(std::memory_order_relaxed));
  for (std::size_t i = 0; i < 2; i++) {
    copy->child[i].store(node.child[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  return copy.release();
}

void PrefixTrie::insert(const Value& value, unsigned length) {
  OVS_CHECK(length > 0 && length <= bits_, "a prefix longer than its field");
  Edge* edge = &root_;
  unsigned at = 0;
  while (Node* node = edge->load(std::memory_order_relaxed)) {
    const unsigned common = common_bits(node->bits, node->length, value, at, length);
    at += common;
    if (common < node->length) {
      // The node is split in two, and what is new hangs between them.
      auto upper = std::make_unique<Node>(first_bits(node->bits, common), common, 0);
      const std::uint32_t rest = node->bits << common;
      upper->child[rest >> 31].store(copy_of(*node, rest, node->length - common), std::memory_order_relaxed);
      if (at == length) {
        upper->rules.store(1, std::memory_order_relaxed);
      } else {
        upper->child[bit_at(value, at)].store(make_branch(value, at, length), std::memory_order_relaxed);
      }
      edge->store(upper.release(), std::memory_order_release);
      retire(node);
      return;
    }
    if (at == length) {
      node->rules.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    edge = &node->child[bit_at(value, at)];
  }
  edge->store(make_branch(value, at, length), std::memory_order_release);
}

// Takes the node at the end of `edge` away if no rule needs it, or joins it with its only child.  Whether its
// parent has lost a child.
bool PrefixTrie::prune(Edge& edge) {
  Node* node = edge.load(std::memory_order_relaxed);
  if (node->rules.load(std::memory_order_relaxed) != 0) return false;
  Node* left = node->child[0].load(std::memory_order_relaxed);
  Node* right = node->child[1].load(std::memory_order_relaxed);
  if (left != nullptr && right != nullptr) return false;
  Node* only = left != nullptr ? left : right;
  if (only == nullptr) {
    edge.store(nullptr, std::memory_order_release);
    retire(node);
    return true;
  }
  if (node->length + only->length <= node_bits) {
    const std::uint32_t bits = node->bits | only->bits >> node->length;
    edge.store(copy_of(*only, bits, node->length + only->length), std::memory_order_release);
    retire(node);
    retire(only);
  }
  return false;
}

void PrefixTrie::remove(const Value& value, unsigned length) {
  std::vector<Edge*> path;
  Edge* edge = &root_;
  unsigned at = 0;
  for (;;) {
    Node* node = edge->load(std::memory_order_relaxed);
    OVS_CHECK(node != nullptr, "a prefix that is not there");
    at += common_bits(node->bits, node->length, value, at, length);
    path.push_back(edge);
    if (at == length) {
      OVS_CHECK(node->rules.load(std::memory_order_relaxed) != 0, "a prefix that is not there");
      node->rules.fetch_sub(1, std::memory_order_relaxed);
      break;
    }
    edge = &node->child[bit_at(value, at)];
  }
  while (!path.empty() && prune(*path.back())) path.pop_back();
}

PrefixTrie::Found PrefixTrie::lookup(const Value& value) const {
  Found found;
  unsigned at = 0;
  const Node* node = root_.load(std::memory_order_acquire);
  while (node != nullptr) {
    const unsigned common = common_bits(node->bits, node->length, value, at, bits_);
    at += common;
    if (common < node->length) {
      found.looked_at = std::min(at + 1, bits_);
      return found;
    }
    if (node->rules.load(std::memory_order_relaxed) != 0) found.lengths.set(at);
    if (at == bits_) break;
    const unsigned bit = bit_at(value, at);
    const Node* next = node->child[bit].load(std::memory_order_acquire);
    if (next == nullptr && node->child[!bit].load(std::memory_order_relaxed) != nullptr) {
      found.looked_at = at + 1;
      return found;
    }
    node = next;
  }
  found.looked_at = at;
  return found;
}

}  // namespace ovs::flow
