#include "datapath/megaflow_table.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <memory_resource>
#include <utility>

#include "base/check.h"

namespace ovs::datapath {

namespace {

constexpr std::size_t least_capacity = 16;

// A FlowId has the slot in its low bits, so that it is found without a search; above it a number that is
// never used again.
constexpr std::uint64_t id_of(std::uint64_t serial, SlotNumber slot) { return serial << slot_bits | slot; }

flow::FlowKey joined(const std::vector<MaskTable*>& tables) {
  flow::FlowKey all{};
  auto* bytes = reinterpret_cast<std::uint8_t*>(&all);
  for (const MaskTable* table : tables) {
    for (std::size_t i = 0; i < table->sparse.count(); i++) {
      std::uint8_t* at = bytes + 8 * table->sparse.index(i);
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      word |= table->sparse.bits(i);
      std::memcpy(at, &word, 8);
    }
  }
  return all;
}

}  // namespace

FlowActions::FlowActions(Actions list) : shape(Shape::general), port(no_port), actions(std::move(list)) {
  if (actions.empty()) {
    shape = Shape::nothing;
  } else if (actions.size() == 1 && std::holds_alternative<Output>(actions.front())) {
    shape = Shape::one_output;
    port = std::get<Output>(actions.front()).port;
  } else if (actions.size() == 2 && std::holds_alternative<Output>(actions.back())) {
    const auto* outer = std::get_if<Sample>(&actions.front());
    if (outer == nullptr || outer->sampler == no_sampler || outer->actions.size() != 1) return;
    const auto* sample = std::get_if<Userspace>(&outer->actions.front());
    if (sample == nullptr || sample->cookie.size() > sizeof(Cookie::storage)) return;
    auto copy = std::make_unique<Cookie>();
    copy->max_bytes = sample->max_bytes;
    copy->size = static_cast<std::uint32_t>(sample->cookie.size());
    std::ranges::copy(sample->cookie, copy->storage.begin());
    cookie = std::move(copy);
    shape = Shape::sampled_output;
    port = std::get<Output>(actions.back()).port;
    sampling = {outer->sampler, outer->probability};
  }
}

namespace {

// Shared by all engines, which may have main threads of their own.
constexpr std::size_t line_bytes = 64;
static_assert(sizeof(FlowActions) == line_bytes && sizeof(FlowActions::Cookie) == line_bytes);

std::pmr::memory_resource& line_pool() {
  static auto* pool = new std::pmr::synchronized_pool_resource;  // never ends: engines may be static, too
  return *pool;
}

}  // namespace

void* PooledLine::operator new(std::size_t size) {
  OVS_CHECK(size == line_bytes);
  return line_pool().allocate(line_bytes, line_bytes);
}

void PooledLine::operator delete(void* line) { line_pool().deallocate(line, line_bytes, line_bytes); }

// ---- HashTable

HashTable::HashTable(std::size_t capacity)
    : mask_(capacity - 1), entries_(std::make_unique<std::atomic<std::uint64_t>[]>(capacity)) {
  for (std::size_t i = 0; i < capacity; i++) entries_[i].store(empty, std::memory_order_relaxed);
}

void HashTable::insert(std::uint64_t hash, SlotNumber slot) {
  std::size_t i = hash & mask_;
  while (static_cast<std::uint32_t>(entries_[i].load(std::memory_order_relaxed)) != empty) i = (i + 1) & mask_;
  used_++;
  entries_[i].store(std::uint64_t{signature_of(hash)} << 32 | slot, std::memory_order_release);
}

void HashTable::erase(std::uint64_t hash, SlotNumber slot) {
  for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
    const auto found = static_cast<std::uint32_t>(entries_[i].load(std::memory_order_relaxed));
    OVS_CHECK(found != empty, "a megaflow is not in its table");
    if (found != slot) continue;
    // Readers may be on their way past this entry to others: it cannot become empty.
    entries_[i].store(erased, std::memory_order_release);
    return;
  }
}

void HashTable::copy_live_to(HashTable& other, const std::function<std::uint64_t(SlotNumber)>& hash_of) const {
  for (std::size_t i = 0; i <= mask_; i++) {
    const auto slot = static_cast<std::uint32_t>(entries_[i].load(std::memory_order_relaxed));
    if (slot != empty && slot != erased) other.insert(hash_of(slot), slot);
  }
}

// ---- MaskList

MaskList::MaskList(std::vector<MaskTable*> in_order) : masks(std::move(in_order)), all_bits(joined(masks)) {}

// ---- MegaflowTable

MegaflowTable::MegaflowTable(RcuDomain& domain, std::uint64_t seed)
    : domain_(domain), secret_(seed), masks_(std::make_unique<const MaskList>(std::vector<MaskTable*>{})) {}

MegaflowTable::~MegaflowTable() {
  domain_.synchronize();
  for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
}

bool MegaflowTable::same_many_words(const Megaflow& flow, const SparseMask& mask, const flow::FlowKey& key) {
  for (std::size_t i = 0; i < mask.count(); i++) {
    if (mask.masked(key, i) != word(flow, i)) return false;
  }
  return true;
}

MegaflowTable::Found MegaflowTable::look_up(const flow::FlowKey& key, std::uint64_t& masks_seen) const {
  for (MaskTable* table : masks().masks) {
    masks_seen++;
    const Found found = look_up_in(*table, table->sparse.hash(key, secret_), key);
    if (found.actions != nullptr) {
      table->hits.store(table->hits.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return found;
    }
  }
  return {no_slot, nullptr};
}

std::size_t MegaflowTable::MaskHash::operator()(const flow::Mask& mask) const {
  static const HashSecret secret(0);
  const auto words = std::bit_cast<std::array<std::uint64_t, flow::key_words>>(mask.bits);
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < words.size(); i++) hash = (hash ^ words[i]) * secret.words[i] + (hash >> 29);
  return hash;
}

MegaflowTable::ActionsByHash::iterator MegaflowTable::share(Actions actions) {
  const std::uint64_t hash = hash_actions(actions);
  const auto [first, last] = actions_.equal_range(hash);
  for (auto known = first; known != last; ++known) {
    if (known->second.actions->actions != actions) continue;
    known->second.users++;
    return known;
  }
  return actions_.emplace(hash, SharedActions{std::make_unique<const FlowActions>(std::move(actions)), 1});
}

void MegaflowTable::release(ActionsByHash::iterator actions) {
  if (--actions->second.users > 0) return;
  domain_.retire(std::move(actions->second.actions));
  actions_.erase(actions);
}

std::optional<SlotNumber> MegaflowTable::take_slot() {
  if (free_.empty()) {
    const std::size_t chunk = owned_.size() / slots_per_chunk;
    if (chunk == max_chunks) return std::nullopt;
    on_new_chunk_(chunk);
    chunks_[chunk].store(new Megaflow[slots_per_chunk], std::memory_order_release);
    const std::size_t first = owned_.size();
    owned_.resize(first + slots_per_chunk);
    // The lowest is taken first.
    for (std::size_t i = slots_per_chunk; i-- > 0;) {
      if (first + i != no_slot) free_.push_back(static_cast<SlotNumber>(first + i));
    }
  }
  const SlotNumber slot = free_.back();
  free_.pop_back();
  on_new_slot_(slot);
  return slot;
}

std::uint64_t MegaflowTable::hash_of(SlotNumber slot) const {
  return owned_[slot].table->sparse.hash(match(slot).key, secret_);
}

MaskTable& MegaflowTable::table_for(const flow::Mask& mask) {
  auto& table = tables_[mask];
  if (!table) {
    table = std::make_unique<MaskTable>(mask.bits);
    table->slots.publish(std::make_unique<HashTable>(least_capacity), domain_);
    std::vector<MaskTable*> list = masks().masks;
    list.push_back(table.get());
    publish_masks(std::move(list));
  }
  return *table;
}

void MegaflowTable::drop_table(MaskTable& table) {
  std::vector<MaskTable*> list = masks().masks;
  std::erase(list, &table);
  publish_masks(std::move(list));
  flow::Mask mask;
  table.sparse.copy_to(mask.bits);
  const auto found = tables_.find(mask);
  domain_.retire(std::move(found->second));
  tables_.erase(found);
}

void MegaflowTable::publish_masks(std::vector<MaskTable*> masks) {
  masks_.publish(std::make_unique<const MaskList>(std::move(masks)), domain_);
}

Result<FlowId> MegaflowTable::add(const flow::Match& match, Actions actions) {
  OVS_CHECK((match.key & match.mask) == match.key, "a key has bits that its mask does not have");
  MaskTable& table = table_for(match.mask);
  const std::uint64_t hash = table.sparse.hash(match.key, secret_);
  if (look_up_in(table, hash, match.key).actions != nullptr) return unexpected("there is such a flow", EEXIST);
  const std::optional<SlotNumber> slot = take_slot();
  if (!slot) {
    if (table.flows == 0) drop_table(table);
    return unexpected("there are as many flows as can be", ENOSPC);
  }
  Megaflow& flow = at(*slot);
  flow.mask = &table.sparse;
  const std::size_t count = table.sparse.count();
  if (count > Megaflow::words_inside) {
    flow.more_words = std::make_unique<std::uint64_t[]>(count - Megaflow::words_inside);
  }
  for (std::size_t i = 0; i < count; i++) {
    const std::uint64_t word = table.sparse.masked(match.key, i);
    if (i < Megaflow::words_inside) {
      flow.words[i] = word;
    } else {
      flow.more_words[i - Megaflow::words_inside] = word;
    }
  }
  owned_[*slot] = {id_of(next_id_++, *slot), &table, share(std::move(actions))};
  flow.actions.store(owned_[*slot].actions->second.actions.get(), std::memory_order_release);

  HashTable* slots = table.slots.load();
  if (slots->is_full()) {
    // Erased entries go, too; without them the same size may do.
    const std::size_t capacity = std::max(least_capacity, std::bit_ceil(3 * (table.flows + 1)));
    auto larger = std::make_unique<HashTable>(capacity);
    slots->copy_live_to(*larger, [this](SlotNumber s) { return hash_of(s); });
    larger->insert(hash, *slot);
    table.slots.publish(std::move(larger), domain_);
  } else {
    slots->insert(hash, *slot);
  }
  table.flows++;
  size_.store(size() + 1, std::memory_order_relaxed);
  return FlowId{owned_[*slot].id};
}

std::optional<SlotNumber> MegaflowTable::find(FlowId id) const {
  const auto value = static_cast<std::uint64_t>(id);
  const auto slot = static_cast<SlotNumber>(value & no_slot);
  if (slot >= owned_.size() || owned_[slot].id != value || value == 0) return std::nullopt;
  return slot;
}

void MegaflowTable::change(SlotNumber slot, Actions actions) {
  const auto old = std::exchange(owned_[slot].actions, share(std::move(actions)));
  at(slot).actions.store(owned_[slot].actions->second.actions.get(), std::memory_order_release);
  release(old);
}

void MegaflowTable::remove(SlotNumber slot) {
  MaskTable& table = *owned_[slot].table;
  table.slots.load()->erase(hash_of(slot), slot);
  Megaflow& flow = at(slot);
  flow.actions.store(nullptr, std::memory_order_release);
  release(owned_[slot].actions);
  owned_[slot] = {};
  // Who looked at the slot before may still compare.
  domain_.defer([this, slot] {
    at(slot).more_words.reset();
    free_.push_back(slot);
  });
  size_.store(size() - 1, std::memory_order_relaxed);
  if (--table.flows == 0) drop_table(table);
}

flow::Match MegaflowTable::match(SlotNumber slot) const {
  const Megaflow& flow = at(slot);
  flow::Match match;
  flow.mask->copy_to(match.mask.bits);
  for (std::size_t i = 0; i < flow.mask->count(); i++) {
    if (flow.mask->bits(i) == 0) continue;
    const std::uint64_t value = word(flow, i);
    std::memcpy(reinterpret_cast<std::uint8_t*>(&match.key) + 8 * flow.mask->index(i), &value, 8);
  }
  return match;
}

void MegaflowTable::each(const std::function<bool(SlotNumber, FlowId)>& each) const {
  for (std::size_t i = 0; i < owned_.size(); i++) {
    if (owned_[i].id != 0 && !each(static_cast<SlotNumber>(i), FlowId{owned_[i].id})) return;
  }
}

void MegaflowTable::rank_masks() {
  std::vector<MaskTable*> list = masks().masks;
  if (list.size() < 2) return;
  std::unordered_map<const MaskTable*, std::uint64_t> recent;
  for (MaskTable* table : list) {
    const std::uint64_t hits = table->hits.load(std::memory_order_relaxed);
    recent[table] = hits - table->hits_when_sorted;
    table->hits_when_sorted = hits;
  }
  const auto more_hits = [&](const MaskTable* a, const MaskTable* b) { return recent[a] > recent[b]; };
  if (std::ranges::is_sorted(list, more_hits)) return;
  std::ranges::stable_sort(list, more_hits);
  publish_masks(std::move(list));
}

}  // namespace ovs::datapath
