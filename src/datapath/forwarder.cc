#include "datapath/forwarder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/coverage.h"
#include "datapath/packet_edit.h"
#include "flow/parse.h"

namespace ovs::datapath {

namespace {

Coverage explicit_drop{"drop_action_explicit"};
Coverage upcall_lost{"datapath_drop_upcall_lost"};

// A batch needs few copies; a flood to ports of many VLANs needs many.  Beyond this what was
// gathered is sent first.
constexpr std::size_t many_copies = 64;
constexpr std::size_t least_copy_bytes = 2048;

void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace

Forwarder::Forwarder(Shared& shared, std::uint64_t seed)
    : shared_(shared), tx_(shared.ports), random_state_(seed | 1) {}

Forwarder::~Forwarder() {
  for (auto& chunk : slot_counters_) delete[] chunk.load(std::memory_order_relaxed);
  for (auto& chunk : sampler_chunks_) delete[] chunk.load(std::memory_order_relaxed);
  delete ring_.load(std::memory_order_relaxed);
}

std::span<flow::Packet> Forwarder::slots() {
  if (slots_.empty()) {
    slots_.reserve(flow::batch_size);
    for (std::size_t i = 0; i < flow::batch_size; i++) slots_.emplace_back(flow::max_frame_bytes);
  }
  return slots_;
}

void Forwarder::receive(EnginePort& port, std::span<flow::Packet> packets) {
  const std::size_t count = packets.size();
  const be32 in_port = be32::from_host(raw(port.number));
  for (std::size_t i = 0; i < count; i++) {
    flow::begin_key(keys_[i], in_port);
    flow::parse(packets[i], keys_[i]);
  }
  const MaskList& masks = shared_.table.masks();
  if (masks.masks.size() == 1) {
    look_up_one_mask(*masks.masks.front(), count);
  } else {
    look_up_cached(masks, count);
  }
  const std::int64_t now = shared_.now.load(std::memory_order_relaxed);
  std::uint64_t hits = 0;
  SampleRun samples;
  for (std::size_t i = 0; i < count; i++) {
    const Found& found = found_[i];
    flow::Packet& packet = packets[i];
    if (found.actions == nullptr) [[unlikely]] {
      miss(port, packet, keys_[i]);
      continue;
    }
    hits++;
    count_flow(found, packet.size(), keys_[i].tcp_flags, now);
    if (found.actions->shape == FlowActions::Shape::one_output) [[likely]] {
      tx_.add(found.actions->port, packet);
    } else if (found.actions->shape == FlowActions::Shape::sampled_output) {
      const FlowActions& actions = *found.actions;
      if (actions.sampling != samples.sampling) [[unlikely]] begin_run(samples, actions.sampling);
      if (--samples.left == 0) [[unlikely]] {
        SkipCounter& counter = *samples.counter;
        samples.end();
        counter.draw_next(random());
        put_sample(actions.sampling.sampler, packet, keys_[i], actions.cookie->bytes(), actions.cookie->max_bytes);
      }
      tx_.add(actions.port, packet);
    } else {
      samples.end();
      Course course{&packet, &keys_[i]};
      run(course, found.actions->actions);
    }
  }
  samples.end();
  add(counters_.hit, hits);
  finish();
}

void Forwarder::look_up_one_mask(MaskTable& mask, std::size_t count) {
  const HashTable& slots = *mask.slots.load();
  for (std::size_t i = 0; i < count; i++) {
    hashes_[i] = mask.sparse.hash(keys_[i], shared_.table.secret());
    slots.prefetch(hashes_[i]);
  }
  for (std::size_t i = 0; i < count; i++) {
    found_[i].slot = no_slot;
    slots.find(hashes_[i], [&](SlotNumber slot) {
      found_[i].slot = slot;
      __builtin_prefetch(&shared_.table.at(slot));
      __builtin_prefetch(&slot_counters(slot), 1);
      return true;
    });
  }
  for (std::size_t i = 0; i < count; i++) {
    Found& found = found_[i];
    found.actions = nullptr;
    if (found.slot == no_slot) continue;
    found.actions = MegaflowTable::verify(shared_.table.at(found.slot), keys_[i]);
    if (found.actions != nullptr) [[likely]] continue;
    // Another megaflow has the same half of the hash.
    const auto second = shared_.table.look_up_in(mask, hashes_[i], keys_[i]);
    found = {second.slot, second.actions};
  }
  add(counters_.mask_hit, count);
}

void Forwarder::look_up_cached(const MaskList& masks, std::size_t count) {
  cache_.fit(shared_.table.size());
  for (std::size_t i = 0; i < count; i++) {
    hashes_[i] = masks.all_bits.hash(keys_[i], shared_.table.secret());
    cache_.prefetch(hashes_[i]);
  }
  for (std::size_t i = 0; i < count; i++) {
    const SlotNumber slot = cache_.candidate(hashes_[i]);
    found_[i].slot = slot;
    if (slot == no_slot) continue;
    __builtin_prefetch(&shared_.table.at(slot));
    __builtin_prefetch(&slot_counters(slot), 1);
  }
  std::uint64_t from_cache = 0, masks_seen = 0;
  for (std::size_t i = 0; i < count; i++) {
    Found& found = found_[i];
    found.actions = nullptr;
    if (found.slot != no_slot) {
      found.actions = MegaflowTable::verify(shared_.table.at(found.slot), keys_[i]);
      if (found.actions == nullptr) {
        cache_.find(hashes_[i], [&](SlotNumber slot) {
          found = {slot, MegaflowTable::verify(shared_.table.at(slot), keys_[i])};
          return found.actions != nullptr;
        });
      }
    }
    if (found.actions != nullptr) [[likely]] {
      from_cache++;
      continue;
    }
    const auto walked = shared_.table.look_up(keys_[i], masks_seen);
    found = {walked.slot, walked.actions};
    if (found.actions != nullptr) cache_.insert(hashes_[i], found.slot);
  }
  add(counters_.cache_hit, from_cache);
  add(counters_.mask_hit, masks_seen);
}

void Forwarder::count_flow(const Found& found, std::size_t bytes, be16 tcp_flags, std::int64_t now) {
  SlotCounters& counters = slot_counters(found.slot);
  add(counters.packets, 1);
  add(counters.bytes, bytes);
  counters.used.store(now, std::memory_order_relaxed);
  const std::uint16_t flags = counters.tcp_flags.load(std::memory_order_relaxed);
  if ((flags | tcp_flags.raw) != flags) {
    counters.tcp_flags.store(flags | tcp_flags.raw, std::memory_order_relaxed);
  }
}

void Forwarder::miss(EnginePort& port, const flow::Packet& packet, const flow::FlowKey& key) {
  add(counters_.missed, 1);
  if (port.upcalls.is_full() ||
      !shared_.upcalls.put(port.upcalls, {Upcall::Kind::miss, packet.clone(), key, {}})) {
    add(counters_.lost, 1);
    upcall_lost.add();
  }
}

void Forwarder::execute(flow::Packet& packet, const flow::FlowKey& key, const Actions& actions) {
  // Who calls may have the packet from anywhere: its header offsets are found anew.
  flow::FlowKey& unused = keys_.front();
  flow::begin_key(unused, key.in_port);
  flow::parse(packet, unused);
  Course course{&packet, &key};
  run(course, actions);
  finish();
}

void Forwarder::run(Course& course, const Actions& actions) {
  for (const Action& action : actions) {
    if (const auto* output = std::get_if<Output>(&action)) {
      do_action(course, *output);
    } else {
      std::visit([&](const auto& a) { do_action(course, a); }, action);
    }
  }
}

void Forwarder::do_action(Course& course, const Output& output) {
  tx_.add(output.port, *course.packet);
  course.lent = true;
}

void Forwarder::do_action(Course& course, const PushVlan& push) {
  push_vlan(own(course), push.tag);
  course.changed = true;
}

void Forwarder::do_action(Course& course, const PopVlan&) {
  pop_vlan(own(course));
  course.changed = true;
}

template <class Header>
void Forwarder::do_action(Course& course, const SetMasked<Header>& set) {
  edit(own(course), set);
  course.changed = true;
}

void Forwarder::do_action(Course& course, const SetMasked<SkbPriority>& set) {
  const be32 old = course.priority.value_or(course.key->skb_priority);
  course.priority = (old & ~set.mask.priority) | (set.value.priority & set.mask.priority);
}

void Forwarder::do_action(Course& course, const SetMasked<PktMark>& set) {
  const be32 old = course.mark.value_or(course.key->pkt_mark);
  course.mark = (old & ~set.mask.mark) | (set.value.mark & set.mask.mark);
}

void Forwarder::count_lost(const Course& course) {
  if (course.sampler != no_sampler) return sampler(course.sampler).count_lost();
  add(counters_.lost, 1);
  upcall_lost.add();
}

bool Forwarder::is_sample(SkipCounter& counter, std::uint32_t probability) {
  const std::uint64_t left = counter.left(probability, [this] { return random(); });
  counter.pass(1);
  if (left > 1) [[likely]] return false;
  counter.draw_next(random());
  return true;
}

void Forwarder::begin_run(SampleRun& run, Sampling sampling) {
  run.end();
  run.sampling = sampling;
  run.counter = &sampler(sampling.sampler);
  run.length = run.left = run.counter->left(sampling.probability, [this] { return random(); });
}

void Forwarder::put_sample(SamplerId by, const flow::Packet& packet, const flow::FlowKey& key,
                           std::span<const std::uint8_t> cookie, std::size_t max_bytes) {
  SampleRing& ring = *ring_.load(std::memory_order_relaxed);
  SkipCounter& counter = sampler(by);
  const SampleRing::Origin origin{by, static_cast<std::uint32_t>(counter.passed())};
  if (!ring.put(packet, key, cookie, max_bytes, origin)) counter.count_lost();
  if (ring.is_filling_up()) shared_.upcalls.wake();
}

void Forwarder::do_action(Course& course, const Userspace& up) {
  // A sample of the packet as it came needs nothing but room.
  if (course.sampler != no_sampler && !course.changed && !course.mark && !course.priority) {
    return put_sample(course.sampler, *course.packet, *course.key, up.cookie, up.max_bytes);
  }
  EnginePort* port = shared_.ports.find(DpPort{course.key->in_port.host()});
  if (port == nullptr || port->upcalls.is_full()) return count_lost(course);
  Upcall upcall{Upcall::Kind::action, course.packet->clone(), *course.key, up.cookie};
  if (course.changed) {
    // The metadata stays; the rest is what the frame has now.
    flow::FlowKey key{};
    std::memcpy(reinterpret_cast<std::uint8_t*>(&key), course.key, offsetof(flow::FlowKey, eth_dst));
    key.cold_parts = 0;
    flow::parse(upcall.packet, key);
    upcall.key = key;
  }
  if (course.mark) upcall.key.pkt_mark = *course.mark;
  if (course.priority) {
    upcall.key.skb_priority = *course.priority;
    upcall.key.cold_parts |= flow::cold_registers;
  }
  if (!shared_.upcalls.put(port->upcalls, std::move(upcall))) count_lost(course);
}

void Forwarder::do_action(Course& course, const Sample& sample) {
  if (sample.sampler != no_sampler) [[likely]] {
    SkipCounter& counter = sampler(sample.sampler);
    if (is_sample(counter, sample.probability)) take_sample(course, sample, sample.sampler);
    return;
  }
  constexpr std::uint32_t always = std::numeric_limits<std::uint32_t>::max();
  if (sample.probability == always || random() < sample.probability) take_sample(course, sample, course.sampler);
}

void Forwarder::take_sample(Course& course, const Sample& sample, SamplerId sampler) {
  Course branch = course;
  branch.shared = true;
  branch.sampler = sampler;
  run(branch, sample.actions);
  course.lent |= branch.packet == course.packet && branch.lent;
}

void Forwarder::do_action(Course&, const Drop&) { explicit_drops_++; }

flow::Packet& Forwarder::own(Course& course) {
  if (!course.lent && !course.shared) return *course.packet;
  if (!course.shared && copies_used_ >= many_copies) {
    tx_.flush();
    course.lent = false;
    return *course.packet;
  }
  if (copies_used_ == copies_.size()) copies_.push_back(std::make_unique<flow::Packet>());
  flow::Packet& copy = *copies_[copies_used_++];
  const flow::Packet& original = *course.packet;
  copy.reset();
  if (copy.capacity() < original.size()) {
    copy = flow::Packet(std::max(original.size(), least_copy_bytes));
  }
  copy.set_size(original.size());
  std::memcpy(copy.data(), original.data(), original.size());
  copy.offload = original.offload;
  copy.l2_5_offset = original.l2_5_offset;
  copy.l3_offset = original.l3_offset;
  copy.l4_offset = original.l4_offset;
  course.packet = &copy;
  course.lent = course.shared = false;
  return copy;
}

void Forwarder::finish() {
  tx_.flush();
  copies_used_ = 0;
  if (explicit_drops_ > 0) explicit_drop.add(std::exchange(explicit_drops_, 0));
}

// xorshift64*, whose upper half is good enough to sample by.
std::uint32_t Forwarder::random() {
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return static_cast<std::uint32_t>(random_state_ * 0x2545f4914f6cdd1d >> 32);
}

}  // namespace ovs::datapath
