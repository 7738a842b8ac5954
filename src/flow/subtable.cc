#include "flow/subtable.h"

#include <algorithm>
#include <bit>

namespace ovs::flow {

const std::array<PrefixField, Classifier::tracked_prefixes> prefix_fields = {{
    {offsetof(FlowKey, nw_src), sizeof(be32)},
    {offsetof(FlowKey, nw_dst), sizeof(be32)},
    {offsetof(FlowKey, ipv6_src), sizeof(Ipv6Addr)},
    {offsetof(FlowKey, ipv6_dst), sizeof(Ipv6Addr)},
}};

namespace {

constexpr std::size_t port_offsets[] = {offsetof(FlowKey, tp_dst), offsetof(FlowKey, tp_src)};

std::span<const std::uint8_t> bytes_at(const FlowKey& key, std::size_t offset, std::size_t bytes) {
  return {reinterpret_cast<const std::uint8_t*>(&key) + offset, bytes};
}

// How many leading bits are set.
unsigned prefix_length(std::span<const std::uint8_t> mask) {
  unsigned length = 0;
  for (const std::uint8_t byte : mask) {
    length += static_cast<unsigned>(std::countl_one(byte));
    if (byte != 0xff) break;
  }
  return length;
}

void add_prefix(Mask& mask, std::size_t offset, unsigned length) {
  auto* p = reinterpret_cast<std::uint8_t*>(&mask.bits) + offset;
  for (; length >= 8; length -= 8) *p++ = 0xff;
  if (length != 0) *p |= static_cast<std::uint8_t>(0xff00 >> length);
}

}  // namespace

const PrefixTrie::Found& PrefixAnswers::operator[](std::size_t field) {
  if (!found_[field]) {
    const PrefixField& place = prefix_fields[field];
    found_[field] = tries_[field]->lookup(PrefixTrie::value_of(bytes_at(key_, place.offset, place.bytes)));
  }
  return *found_[field];
}

Subtable::Subtable(std::shared_ptr<const SparseMask> mask, RcuDomain& domain) : mask_(std::move(mask)), rules_(domain) {
  std::size_t begin = 0;
  for (std::size_t stage = 0; stage < stage_count; stage++) {
    const std::size_t end = mask_->stage_end[stage];
    if (end != begin && end != mask_->words.size()) stages_[stage] = std::make_unique<HashSet>(domain);
    begin = end;
  }
  const Mask expanded = mask_->expanded();
  for (std::size_t i = 0; i < prefix_fields.size(); i++) {
    prefix_lengths_[i] = prefix_length(bytes_at(expanded.bits, prefix_fields[i].offset, prefix_fields[i].bytes));
  }
  for (std::size_t i = 0; i < ports_.size(); i++) {
    ports_[i].offset = port_offsets[i];
    ports_[i].length = prefix_length(bytes_at(expanded.bits, port_offsets[i], sizeof(be16)));
    if (ports_[i].length != 0) ports_[i].trie = std::make_unique<PrefixTrie>(8 * sizeof(be16), domain);
  }
}

bool Subtable::ruled_out_by_prefix(PrefixAnswers& prefixes, Mask* depends_on) const {
  for (std::size_t i = 0; i < prefix_lengths_.size(); i++) {
    const unsigned length = prefix_lengths_[i];
    if (length == 0) continue;
    const PrefixTrie::Found& found = prefixes[i];
    if (found.lengths[length]) continue;
    if (depends_on != nullptr) add_prefix(*depends_on, prefix_fields[i].offset, found.settled_by(length));
    return true;
  }
  return false;
}

bool Subtable::ruled_out_by_port(const FlowKey& key, Mask* depends_on) const {
  for (const PortTrie& port : ports_) {
    if (port.length == 0) continue;
    const PrefixTrie::Found found = port.trie->lookup(PrefixTrie::value_of(bytes_at(key, port.offset, sizeof(be16))));
    if (found.lengths[port.length]) continue;
    add_prefix(*depends_on, port.offset, found.settled_by(port.length));
    return true;
  }
  return false;
}

const ClassifierRule* Subtable::find(const FlowKey& key, Version version, PrefixAnswers& prefixes,
                                     Mask* depends_on) const {
  const auto& words = mask_->words;
  const auto depend_on_first = [&](std::size_t n) {
    if (depends_on != nullptr) mask_->add_to(*depends_on, n);
  };
  std::uint64_t hash = 0;
  std::size_t done = 0;
  for (std::size_t stage = 0; stage < stage_count; stage++) {
    const std::size_t end = mask_->stage_end[stage];
    if (end == done) continue;
    if (static_cast<Stage>(stage) == Stage::l3 && ruled_out_by_prefix(prefixes, depends_on)) {
      depend_on_first(done);
      return nullptr;
    }
    for (; done < end; done++) hash = hash_step(hash, key_word(key, words[done].index) & words[done].bits);
    if (stages_[stage] && !stages_[stage]->contains(finish_hash(hash))) {
      depend_on_first(done);
      return nullptr;
    }
  }
  const ClassifierRule* rule = rules_.find(finish_hash(hash), [&](const ClassifierRule& candidate) {
    for (std::size_t i = 0; i < words.size(); i++) {
      if ((key_word(key, words[i].index) & words[i].bits) != candidate.values_[i]) return false;
    }
    return true;
  });
  if (rule == nullptr && depends_on != nullptr && ruled_out_by_port(key, depends_on)) {
    depend_on_first(mask_->stage_end[static_cast<std::size_t>(Stage::l3)]);
    return nullptr;
  }
  depend_on_first(words.size());
  while (rule != nullptr && !rule->visible(version)) rule = RuleIndex::next_of(*rule);
  return rule;
}

std::array<std::uint32_t, stage_count> Subtable::hashes_of(const std::uint64_t* values) const {
  std::array<std::uint32_t, stage_count> hashes{};
  std::uint64_t hash = 0;
  std::size_t done = 0;
  for (std::size_t stage = 0; stage < stage_count; stage++) {
    for (; done < mask_->stage_end[stage]; done++) hash = hash_step(hash, values[done]);
    hashes[stage] = finish_hash(hash);
  }
  return hashes;
}

PrefixTrie::Value Subtable::prefix_of(const ClassifierRule& rule, std::size_t offset, std::size_t bytes) const {
  FlowKey key{};
  for (std::size_t i = 0; i < mask_->words.size(); i++) set_key_word(key, mask_->words[i].index, rule.values_[i]);
  return PrefixTrie::value_of(bytes_at(key, offset, bytes));
}

// Calls function(trie, value, length) for each trie that the rule has a part in.
template <class Function>
void Subtable::for_each_trie(const ClassifierRule& rule, const PrefixAnswers::Tries& tries, const Function& function) {
  for (std::size_t i = 0; i < prefix_lengths_.size(); i++) {
    if (prefix_lengths_[i] == 0) continue;
    function(*tries[i], prefix_of(rule, prefix_fields[i].offset, prefix_fields[i].bytes), prefix_lengths_[i]);
  }
  for (PortTrie& port : ports_) {
    if (port.length != 0) function(*port.trie, prefix_of(rule, port.offset, sizeof(be16)), port.length);
  }
}

// What a reader sees first, it finds: prefixes and stages come before the rule itself, and go after it.
void Subtable::insert(ClassifierRule& rule, const PrefixAnswers::Tries& tries) {
  const auto hashes = hashes_of(rule.values_.get());
  rule.hash_ = hashes.back();
  for_each_trie(rule, tries, [](PrefixTrie& trie, const PrefixTrie::Value& value, unsigned length) {
    trie.insert(value, length);
  });
  for (std::size_t stage = 0; stage < stage_count; stage++) {
    if (stages_[stage]) stages_[stage]->insert(hashes[stage]);
  }
  rules_.insert(rule);
  priorities_[rule.priority()]++;
}

void Subtable::remove(ClassifierRule& rule, const PrefixAnswers::Tries& tries) {
  const auto hashes = hashes_of(rule.values_.get());
  rules_.remove(rule);
  for (std::size_t stage = 0; stage < stage_count; stage++) {
    if (stages_[stage]) stages_[stage]->remove(hashes[stage]);
  }
  for_each_trie(rule, tries, [](PrefixTrie& trie, const PrefixTrie::Value& value, unsigned length) {
    trie.remove(value, length);
  });
  const auto count = priorities_.find(rule.priority());
  if (--count->second == 0) priorities_.erase(count);
}

ClassifierRule* Subtable::find_values(const std::uint64_t* values) const {
  return rules_.find(hashes_of(values).back(), [&](const ClassifierRule& candidate) {
    return std::equal(values, values + mask_->words.size(), candidate.values_.get());
  });
}

bool Subtable::for_each(const std::function<bool(ClassifierRule&)>& each) const {
  return rules_.for_each_chain([&](ClassifierRule& head) {
    for (ClassifierRule* rule = &head; rule != nullptr;) {
      ClassifierRule* const next = RuleIndex::next_of(*rule);
      if (!each(*rule)) return false;
      rule = next;
    }
    return true;
  });
}

}  // namespace ovs::flow
