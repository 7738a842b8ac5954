#include "datapath/user_engine.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "base/check.h"

namespace ovs::datapath {

namespace {

constexpr unsigned most_threads = 8;
constexpr std::chrono::seconds rank_interval{1};

unsigned usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

UserEngine::UserEngine(UserEngineOptions options)
    : options_(std::move(options)),
      seed_(options_.seed ? *options_.seed : random_seed()),
      shared_(domain_, next_seed()) {
  own_ = std::make_unique<Forwarder>(shared_, next_seed());
  const unsigned threads = options_.threads.value_or(std::min(usable_processors(), most_threads));
  for (unsigned i = 0; i < threads; i++) {
    workers_.push_back(std::make_unique<Worker>(static_cast<int>(i), domain_, shared_, next_seed()));
  }
  watched_.resize(workers_.size());
  shared_.table.on_new_chunk([this](std::size_t chunk) {
    for_each_forwarder([&](Forwarder& f) { f.add_chunk(chunk); });
  });
  shared_.table.on_new_slot([this](SlotNumber slot) {
    for_each_forwarder([&](Forwarder& f) {
      SlotCounters& counters = f.slot_counters(slot);
      counters.packets.store(0, std::memory_order_relaxed);
      counters.bytes.store(0, std::memory_order_relaxed);
      counters.used.store(0, std::memory_order_relaxed);
      counters.tcp_flags.store(0, std::memory_order_relaxed);
    });
  });
  for (auto& worker : workers_) worker->start();
}

UserEngine::~UserEngine() {
  workers_.clear();  // the threads end
  for (auto& [number, port] : ports_) shared_.upcalls.forget(port->upcalls);
}

// splitmix64: each caller gets a seed of its own.
std::uint64_t UserEngine::next_seed() {
  std::uint64_t z = seed_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

template <class F>
void UserEngine::for_each_forwarder(const F& f) const {
  f(*own_);
  for (const auto& worker : workers_) f(worker->forwarder());
}

// ---- ports

std::optional<DpPort> UserEngine::free_port_number() {
  while (lowest_maybe_free_ < max_ports) {
    const DpPort number{lowest_maybe_free_};
    if (shared_.ports.find(number) == nullptr) return number;
    lowest_maybe_free_++;
  }
  return std::nullopt;
}

Result<DpPort> UserEngine::add_port(netdev::Netdev& device, std::optional<DpPort> wanted) {
  if (wanted && raw(*wanted) >= max_ports) return unexpected("a port number is too large", EFBIG);
  if (wanted && shared_.ports.find(*wanted) != nullptr) return unexpected("the port number is taken", EBUSY);
  const std::optional<DpPort> number = wanted ? wanted : free_port_number();
  if (!number) return unexpected("there are as many ports as can be", ENOSPC);
  auto port = std::make_unique<EnginePort>(*number, device, options_.upcalls_per_port);
  EnginePort& added = *port;
  shared_.ports.put(std::move(port));
  ports_.emplace(*number, &added);
  watch_queues(added);
  return *number;
}

Result<void> UserEngine::remove_port(DpPort number) {
  const auto found = ports_.find(number);
  if (found == ports_.end()) return unexpected("there is no such port", ENODEV);
  EnginePort& port = *found->second;
  ports_.erase(found);
  const std::unique_ptr<EnginePort> taken = shared_.ports.take(number);
  release_queues(port);
  shared_.upcalls.forget(port.upcalls);
  lowest_maybe_free_ = std::clamp<std::uint32_t>(raw(number), 1, lowest_maybe_free_);
  rebalance();
  return {};
}

std::vector<Port> UserEngine::ports() const {
  std::vector<Port> all;
  for (const auto& [number, port] : ports_) {
    all.push_back({number, port->device.name(), std::string(port->device.type())});
  }
  return all;
}

void UserEngine::port_changed(DpPort number) {
  const auto found = ports_.find(number);
  if (found == ports_.end()) return;
  release_queues(*found->second);
  watch_queues(*found->second);
  rebalance();
}

void UserEngine::watch_queues(EnginePort& port) {
  const netdev::TxOffloads offloads = port.device.tx_offloads();
  port.takes_checksum.store(offloads.checksum, std::memory_order_relaxed);
  port.takes_segmentation.store(offloads.segmentation, std::memory_order_relaxed);
  const std::vector<int> descriptors = port.device.rx_descriptors();
  if (workers_.empty() || descriptors.empty()) return;
  port.queues.publish(std::make_unique<RxQueues>(descriptors.size()), domain_);
  RxQueues& queues = *port.queues.load();
  for (std::size_t i = 0; i < descriptors.size(); i++) {
    RxQueue& queue = queues.queues[i];
    queue.descriptor = descriptors[i];
    const auto least = std::ranges::min_element(watched_, {}, [](const auto& w) { return w.size(); });
    const auto worker = static_cast<std::size_t>(least - watched_.begin());
    // A device that went away may have had a descriptor of the same number, in any worker.
    for (auto& watched : watched_) watched.erase(queue.descriptor);
    queue.owner.store(static_cast<int>(worker), std::memory_order_release);
    watched_[worker].insert_or_assign(queue.descriptor, Watched{port.number, i});
    workers_[worker]->unwatch(queue.descriptor);
    (void)workers_[worker]->watch(queue.descriptor, port.number, i);
  }
}

void UserEngine::release_queues(EnginePort& port) {
  RxQueues* queues = port.queues.load();
  std::vector<int> owners;
  if (queues != nullptr) {
    for (std::size_t i = 0; i < queues->count; i++) {
      owners.push_back(queues->queues[i].owner.exchange(RxQueue::no_owner, std::memory_order_acq_rel));
    }
  }
  domain_.synchronize();
  if (queues == nullptr) return;
  for (std::size_t i = 0; i < queues->count; i++) {
    if (owners[i] == RxQueue::no_owner) continue;
    const auto worker = static_cast<std::size_t>(owners[i]);
    const int descriptor = queues->queues[i].descriptor;
    const auto found = watched_[worker].find(descriptor);
    // A descriptor that was closed may be another device's by now.
    if (found == watched_[worker].end() || found->second.port != port.number || found->second.queue != i) continue;
    workers_[worker]->unwatch(descriptor);
    watched_[worker].erase(found);
  }
  port.queues.publish(nullptr, domain_);
}

void UserEngine::rebalance() {
  if (workers_.size() < 2) return;
  for (;;) {
    const auto [least, most] =
        std::ranges::minmax_element(watched_, {}, [](const auto& w) { return w.size(); });
    if (most->size() < least->size() + 2) return;
    const Watched queue = most->begin()->second;
    move_queue(*ports_.at(queue.port), queue.queue, static_cast<std::size_t>(least - watched_.begin()));
  }
}

void UserEngine::move_queue(EnginePort& port, std::size_t index, std::size_t to) {
  RxQueue& queue = port.queues.load()->queues[index];
  const auto from = static_cast<std::size_t>(queue.owner.load(std::memory_order_relaxed));
  queue.owner.store(RxQueue::no_owner, std::memory_order_release);
  domain_.synchronize();
  workers_[from]->unwatch(queue.descriptor);
  watched_[from].erase(queue.descriptor);
  queue.active = false;
  queue.vain_reports = 0;
  queue.owner.store(static_cast<int>(to), std::memory_order_release);
  watched_[to].insert_or_assign(queue.descriptor, Watched{port.number, index});
  (void)workers_[to]->watch(queue.descriptor, port.number, index);
}

// ---- megaflows

Result<FlowId> UserEngine::add_flow(const flow::Match& match, Actions actions) {
  domain_.reclaim();
  if (shared_.table.size() >= flow_limit_) return unexpected("there are as many flows as may be", ENOSPC);
  return shared_.table.add(match, std::move(actions));
}

Result<void> UserEngine::change_flow(FlowId flow, Actions actions) {
  const std::optional<SlotNumber> slot = shared_.table.find(flow);
  if (!slot) return unexpected("there is no such flow", ENOENT);
  shared_.table.change(*slot, std::move(actions));
  domain_.reclaim();
  return {};
}

Result<FlowStats> UserEngine::remove_flow(FlowId flow) {
  const std::optional<SlotNumber> slot = shared_.table.find(flow);
  if (!slot) return unexpected("there is no such flow", ENOENT);
  FlowStats stats = stats_of(*slot);
  shared_.table.remove(*slot);
  domain_.reclaim();
  return stats;
}

Result<FlowStats> UserEngine::flow_stats(FlowId flow) const {
  const std::optional<SlotNumber> slot = shared_.table.find(flow);
  if (!slot) return unexpected("there is no such flow", ENOENT);
  return stats_of(*slot);
}

FlowStats UserEngine::stats_of(SlotNumber slot) const {
  FlowStats stats;
  std::int64_t used = 0;
  std::uint16_t tcp_flags = 0;
  for_each_forwarder([&](const Forwarder& forwarder) {
    const SlotCounters& counters = forwarder.slot_counters(slot);
    stats.packets += counters.packets.load(std::memory_order_relaxed);
    stats.bytes += counters.bytes.load(std::memory_order_relaxed);
    used = std::max(used, counters.used.load(std::memory_order_relaxed));
    tcp_flags |= counters.tcp_flags.load(std::memory_order_relaxed);
  });
  stats.tcp_flags = be16{tcp_flags}.host();
  if (stats.packets > 0) stats.used = TimePoint(std::chrono::milliseconds(used));
  return stats;
}

void UserEngine::dump_flows(const std::function<bool(const FlowView&)>& each) const {
  shared_.table.each([&](SlotNumber slot, FlowId id) {
    const flow::Match match = shared_.table.match(slot);
    const FlowActions& actions = *shared_.table.at(slot).actions.load(std::memory_order_relaxed);
    return each({id, match, actions.actions, stats_of(slot)});
  });
}

void UserEngine::flush_flows() {
  std::vector<SlotNumber> all;
  shared_.table.each([&](SlotNumber slot, FlowId) {
    all.push_back(slot);
    return true;
  });
  for (const SlotNumber slot : all) shared_.table.remove(slot);
  domain_.reclaim();
}

// ---- packets

void UserEngine::execute(flow::Packet packet, const flow::FlowKey& key, const Actions& actions) {
  own_->execute(packet, key, actions);
}

void UserEngine::inject(DpPort port, flow::Packet packet) {
  EnginePort* found = shared_.ports.find(port);
  if (found != nullptr) own_->receive(*found, {&packet, 1});
}

std::size_t UserEngine::receive_upcalls(std::vector<Upcall>& out, std::size_t max) {
  // Neither misses nor samples can keep the others waiting.
  const std::size_t for_samples = samplers_.empty() ? 0 : max / 2;
  std::size_t taken = shared_.upcalls.take(out, max - for_samples);
  if (for_samples == 0) return taken;
  taken += take_samples(out, max - taken);
  if (taken < max) taken += shared_.upcalls.take(out, max - taken);
  return taken;
}

std::size_t UserEngine::take_samples(std::vector<Upcall>& out, std::size_t max) {
  struct Ring {
    SampleRing* ring;
    const Forwarder* by;
    std::size_t forwarder;
  };
  std::vector<Ring> rings;
  std::size_t forwarder = 0;
  for_each_forwarder([&](const Forwarder& f) {
    if (SampleRing* ring = f.samples()) rings.push_back({ring, &f, forwarder});
    forwarder++;
  });
  if (rings.empty()) return 0;
  // As many from each, the next time another one first; then what some left to the others, since fewer than `max`
  // are to mean that there are no more.
  std::size_t taken = 0;
  for (int round = 0; round < 2; round++) {
    for (std::size_t left = rings.size(); left > 0 && taken < max; left--) {
      next_samples_ = (next_samples_ + 1) % rings.size();
      const Ring& from = rings[next_samples_];
      const std::size_t before = out.size();
      taken += from.ring->take(out, round == 0 ? (max - taken + left - 1) / left : max - taken);
      for (std::size_t i = before; i < out.size(); i++) out[i].passed = newly_passed(out[i], *from.by, from.forwarder);
    }
  }
  next_samples_ = (next_samples_ + 1) % rings.size();
  return taken;
}

std::uint32_t UserEngine::newly_passed(const Upcall& sample, const Forwarder& by, std::size_t forwarder) {
  auto& sampler = samplers_.at(static_cast<std::size_t>(sample.sampler));
  if (!sampler) return 0;
  // The sample has the lower half of the counter; no 2^32 packets have passed since.
  const std::uint64_t now = by.sampler(sample.sampler).passed();
  const std::uint64_t then = now - static_cast<std::uint32_t>(static_cast<std::uint32_t>(now) - sample.passed);
  std::uint64_t& seen = sampler->seen[forwarder];
  // A sample from before this sampler was added, or settled.
  if (then <= seen) return 0;
  const std::uint64_t more = then - std::exchange(seen, then) + std::exchange(sampler->settled, 0);
  return static_cast<std::uint32_t>(more);
}

// ---- samplers

SamplerStats UserEngine::sampler_totals(SamplerId sampler) const {
  SamplerStats totals;
  for_each_forwarder([&](const Forwarder& f) {
    totals.packets += f.sampler(sampler).passed();
    totals.lost += f.sampler(sampler).lost();
  });
  return totals;
}

Result<SamplerId> UserEngine::add_sampler() {
  auto place = std::ranges::find_if(samplers_, [](const auto& s) { return !s.has_value(); });
  if (place == samplers_.end()) {
    const std::size_t number = samplers_.size();
    if (number >= max_samplers) return unexpected("there are as many samplers as can be", ENOSPC);
    if (number % samplers_per_chunk == 0) {
      for_each_forwarder([&](Forwarder& f) { f.add_sampler_chunk(number / samplers_per_chunk); });
    }
    samplers_.emplace_back();
    place = samplers_.end() - 1;
  }
  const SamplerId id{static_cast<std::uint32_t>(place - samplers_.begin())};
  Sampler sampler{sampler_totals(id), {}};
  for_each_forwarder([&](const Forwarder& f) {
    sampler.seen.push_back(f.sampler(id).passed());
  });
  *place = std::move(sampler);
  return id;
}

void UserEngine::remove_sampler(SamplerId sampler) { samplers_.at(static_cast<std::size_t>(sampler)).reset(); }

SamplerStats UserEngine::sampler_stats(SamplerId sampler) const {
  const SamplerStats& base = samplers_.at(static_cast<std::size_t>(sampler))->base;
  SamplerStats stats = sampler_totals(sampler);
  stats.packets -= base.packets;
  stats.lost -= base.lost;
  return stats;
}

void UserEngine::settle_sampler(SamplerId id) {
  Sampler& sampler = *samplers_.at(static_cast<std::size_t>(id));
  std::size_t forwarder = 0;
  for_each_forwarder([&](const Forwarder& f) {
    const std::uint64_t passed = f.sampler(id).passed();
    std::uint64_t& seen = sampler.seen[forwarder++];
    sampler.settled += passed - std::exchange(seen, passed);
  });
}

EngineStats UserEngine::stats() const {
  EngineStats stats;
  for_each_forwarder([&](const Forwarder& forwarder) {
    const Forwarder::Counters& counters = forwarder.counters();
    stats.hit += counters.hit.load(std::memory_order_relaxed);
    stats.missed += counters.missed.load(std::memory_order_relaxed);
    stats.lost += counters.lost.load(std::memory_order_relaxed);
    stats.mask_hit += counters.mask_hit.load(std::memory_order_relaxed);
    stats.cache_hit += counters.cache_hit.load(std::memory_order_relaxed);
  });
  stats.flows = shared_.table.size();
  stats.masks = shared_.table.masks().masks.size();
  return stats;
}

void UserEngine::set_now(TimePoint now) {
  shared_.now.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  if (now - ranked_at_ >= rank_interval) {
    shared_.table.rank_masks();
    ranked_at_ = now;
  }
  domain_.reclaim();
}

}  // namespace ovs::datapath
