// The work of the switch: upcalls become megaflows, megaflows are kept right and removed when idle.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "base/log.h"
#include "ofproto/cookie.h"
#include "ofproto/switch_impl.h"
#include "ofproto/vlan.h"

namespace ovs::ofproto {

namespace {

LogModule log{"ofproto_dpif_upcall"};
RateLimit loop_limit;

Coverage upcall_handled{"upcall_handled"};
Coverage upcall_unknown_port{"upcall_unknown_port"};
Coverage upcall_flow_limit{"upcall_flow_limit_reached"};
Coverage flow_evicted{"megaflow_evicted"};
Coverage flow_expired{"megaflow_expired"};
Coverage flow_changed{"megaflow_changed"};
Coverage flow_removed{"megaflow_revalidation_removed"};

// Upcalls that are handled in one go: more would keep others waiting, fewer would wake up too often.
constexpr std::size_t upcall_batch = 64;
// What a slice of revalidate() may cost: an action translated or a counter read is one; well below a millisecond.
constexpr long slice_budget = 4000;
constexpr long translation_cost = 8;
constexpr long removal_cost = 8;

constexpr std::chrono::milliseconds sweep_interval{500};
constexpr std::chrono::milliseconds least_idle{100};
constexpr std::chrono::hours nothing_to_do{24};

}  // namespace

// ---- upcalls

bool Switch::handle_upcalls(TimePoint now) {
  impl_->now = now;
  impl_->upcalls.clear();
  const std::size_t count = impl_->engine.receive_upcalls(impl_->upcalls, upcall_batch);
  for (datapath::Upcall& upcall : impl_->upcalls) impl_->handle(upcall);
  return count == upcall_batch;
}

void Switch::Impl::handle(datapath::Upcall& upcall) {
  if (upcall.kind == datapath::Upcall::Kind::action) return handle_sample(upcall);
  upcall_handled.add();
  const Port* port = topology.port(datapath::DpPort{upcall.key.in_port.host()});
  if (port == nullptr) {
    upcall_unknown_port.add();
    return;
  }
  flow::FlowKey key = upcall.key;
  key.in_port = wire(port->number);
  translate({topology, port->bridge->id, key}, translation);
  if (translation.error != TranslationError::none) {
    log.limited(loop_limit, LogLevel::warn, "{}: packet received on {}: {}", port->bridge->name, port->name,
                to_text(translation.error));
  }
  apply(translation.learns, now);
  count(translation.rules, translation.crossings, 1, upcall.packet.size());
  install(upcall.key, translation);
  if (!translation.actions.empty()) engine.execute(std::move(upcall.packet), upcall.key, translation.actions);
}

void Switch::Impl::handle_sample(const datapath::Upcall& upcall) {
  const auto cookie = decode_cookie(upcall.cookie);
  // The bridge may be gone, or not sample any more, or sample again for somebody else by now.
  const Bridge* bridge = cookie ? topology.bridge(cookie->bridge) : nullptr;
  if (bridge == nullptr || !bridge->sampler || bridge->sampling_period != cookie->period || !sample_handler) return;
  telemetry::SampledPacket packet;
  packet.frame = upcall.packet.bytes();
  packet.frame_bytes = upcall.whole_bytes != 0 ? upcall.whole_bytes : upcall.packet.size();
  packet.rate = cookie->rate;
  packet.passed = upcall.passed;
  const Port* port = topology.port(datapath::DpPort{upcall.key.in_port.host()});
  packet.input = {telemetry::sflow::Interface::single, port == nullptr ? 0 : port->ifindex};
  packet.output = cookie->output;
  packet.vlans = cookie->vlans;
  packet.key = &upcall.key;
  sample_handler(bridge->id, packet);
}

void Switch::Impl::install(const flow::FlowKey& packet, const Translation& result) {
  const flow::Match match = flow::Match::of(packet, result.mask);
  Result<datapath::FlowId> id = engine.add_flow(match, result.actions);
  if (!id && id.error().code == ENOSPC) {
    upcall_flow_limit.add();
    next_sweep = std::min(next_sweep, now);
    // A port that has less than others must not wait until these need theirs no longer.
    if (Megaflow* victim = megaflows.for_room(datapath::DpPort{packet.in_port.host()})) {
      flow_evicted.add();
      remove(*victim);
      id = engine.add_flow(match, result.actions);
    }
  }
  // EEXIST: an earlier packet of the same flow was faster.
  if (!id) return;
  megaflows.add(*id, packet, result, now);
  most_flows = std::max(most_flows, megaflows.size());
}

void Switch::Impl::apply(const std::vector<Learn>& learns, TimePoint seen) {
  for (const Learn& learn : learns) {
    Bridge* bridge = topology.bridge(learn.bridge);
    // What a megaflow teaches that is not yet revalidated may be about a port that is gone, or in a VLAN where it is
    // no more, or where nothing is learned any more.
    const Bundle* bundle = bridge == nullptr ? nullptr : bridge->bundle(learn.bundle);
    if (bundle == nullptr || !is_in_vlan(bundle->config, learn.address.vlan)) continue;
    if (bridge->config.flood_vlans[learn.address.vlan]) continue;
    bridge->macs.learn(learn.address, mac_port(learn.bundle), seen);
    macs_changed(*bridge);
  }
}

void Switch::Impl::count(const std::vector<RuleHit>& rules, const std::vector<Crossing>& crossings,
                         std::uint64_t packets, std::uint64_t bytes) {
  for (const RuleHit& hit : rules) {
    Bridge* bridge = topology.bridge(hit.bridge);
    if (bridge == nullptr) continue;
    bridge->table.count(hit.rule, packets, bytes);
    if (hit.vlan != 0) bridge->vlan_traffic[hit.vlan].count(hit.fate, packets, bytes);
  }
  for (const Crossing& crossing : crossings) {
    if (Bridge* bridge = topology.bridge(crossing.from_bridge)) {
      if (Port* port = bridge->port(crossing.from)) port->tx_packets += packets, port->tx_bytes += bytes;
    }
    if (Bridge* bridge = topology.bridge(crossing.to_bridge)) {
      if (Port* port = bridge->port(crossing.to)) port->rx_packets += packets, port->rx_bytes += bytes;
    }
  }
}

void Switch::Impl::macs_changed(Bridge& bridge) {
  if (!bridge.macs.has_changes()) return;
  for (const proto::MacAddress& address : bridge.macs.take_changes()) megaflows.invalidate({bridge.id, address});
}

// ---- megaflows

void Switch::Impl::account(Megaflow& flow, const datapath::FlowStats& stats) {
  if (stats.packets == flow.packets) return;
  const std::uint64_t packets = stats.packets - flow.packets, bytes = stats.bytes - flow.bytes;
  flow.packets = stats.packets;
  flow.bytes = stats.bytes;
  count(flow.rules, flow.crossings, packets, bytes);
  apply(flow.learns, stats.used.value_or(flow.installed));
}

void Switch::Impl::remove(Megaflow& flow) {
  if (const auto stats = engine.remove_flow(flow.id)) account(flow, *stats);
  megaflows.remove(flow);
}

void Switch::Impl::retranslate(Megaflow& flow) {
  const flow::Match match = flow.match.unpack();
  const Port* port = topology.port(datapath::DpPort{match.key.in_port.host()});
  if (port == nullptr) {
    flow_removed.add();
    return remove(flow);
  }
  // What its packets did so far, they did by the old translation.
  if (const auto stats = engine.flow_stats(flow.id)) account(flow, *stats);

  flow::FlowKey key = match.key;
  key.in_port = wire(port->number);
  translate({topology, port->bridge->id, key, false}, translation);
  const bool fits = flow.match.covers(translation.mask);
  if (fits && hash_actions(translation.actions) == flow.actions_hash) return megaflows.update(flow, translation);
  // A megaflow that looks at too little is made anew by the next packet.
  if (!fits || !engine.change_flow(flow.id, translation.actions)) {
    flow_removed.add();
    return remove(flow);
  }
  flow_changed.add();
  megaflows.update(flow, translation);
}

long Switch::Impl::retranslate_some(long budget) {
  while (budget > 0) {
    Megaflow* flow = megaflows.next_invalid();
    if (flow == nullptr) break;
    translation.clear();
    retranslate(*flow);
    budget -= translation_cost + static_cast<long>(translation.actions.size());
  }
  // No megaflow sends to a port that is gone any longer.
  if (!megaflows.has_invalid()) quarantine.clear();
  return budget;
}

bool Switch::Impl::has_fair_share(datapath::DpPort port) const {
  const std::size_t share = engine.flow_limit() / std::max<std::size_t>(1, megaflows.ports());
  return megaflows.count_of(port) <= share - share / 4;
}

std::chrono::milliseconds Switch::Impl::idle_time() const {
  // The last quarter of the table is for those that are used: the fuller it is, the less idle a megaflow may be.
  const std::size_t limit = engine.flow_limit(), flows = megaflows.size(), easy = limit - limit / 4;
  if (flows <= easy) return max_idle;
  const std::size_t left = flows < limit ? limit - flows : 0;
  return std::clamp(max_idle * static_cast<long>(left) / static_cast<long>(std::max<std::size_t>(1, limit - easy)),
                    std::min(least_idle, max_idle), max_idle);
}

long Switch::Impl::sweep_some(long budget) {
  if (!sweeping) {
    if (now < next_sweep) return budget;
    sweeping = true;
    sweep_began = now;
    sweep_left = megaflows.size();
    average_flows = (average_flows * 9 + static_cast<double>(megaflows.size())) / 10;
  }
  const std::chrono::milliseconds idle = idle_time();
  for (; sweep_left > 0 && budget > 0; sweep_left--, budget--) {
    Megaflow* flow = megaflows.rotate();
    if (flow == nullptr) break;
    const auto stats = engine.flow_stats(flow->id);
    if (!stats) {  // the engine has lost it
      megaflows.remove(*flow);
      continue;
    }
    // The engine's clock goes in steps: what was counted may bear the time of the step before.
    const bool in_use = stats->packets != flow->packets;
    account(*flow, *stats);
    const TimePoint used = std::max(flow->installed, stats->used.value_or(flow->installed));
    // It is who fills the table that has to clear it up.
    if (!in_use && now - used >= idle && (now - used >= max_idle || !has_fair_share(flow->port))) {
      flow_expired.add();
      remove(*flow);
      budget -= removal_cost;
    }
  }
  if (sweep_left == 0 || megaflows.size() == 0) {
    sweeping = false;
    sweep_left = 0;
    sweep_time = now - sweep_began;
    // A table that is full is swept all the time.
    next_sweep = now + (idle < max_idle ? least_idle : sweep_interval);
  }
  return budget;
}

void Switch::Impl::age_macs() {
  for (const auto& [name, bridge] : topology.bridges()) {
    bridge->macs.expire(now);
    macs_changed(*bridge);
  }
}

TimePoint Switch::revalidate(TimePoint now) {
  Impl& impl = *impl_;
  impl.now = now;
  // Counters first: a megaflow that is hit keeps its source address from ageing.
  long budget = impl.sweep_some(slice_budget);
  if (!impl.sweeping) impl.age_macs();
  budget = impl.retranslate_some(budget);
  if (impl.sweeping || impl.megaflows.has_invalid()) return now;

  TimePoint next = impl.megaflows.size() > 0 ? impl.next_sweep : now + nothing_to_do;
  for (const auto& [name, bridge] : impl.topology.bridges())
    if (const auto expiry = bridge->macs.next_expiry()) next = std::min(next, std::max(*expiry, now + least_idle));
  return next;
}

void Switch::Impl::revalidate_all() {
  next_sweep = now;
  do {
    sweep_some(slice_budget);
  } while (sweeping);
  age_macs();
  while (megaflows.has_invalid()) retranslate_some(slice_budget);
}

void Switch::revalidate_all(TimePoint now) {
  impl_->now = now;
  impl_->revalidate_all();
}

void Switch::Impl::purge() {
  while (Megaflow* flow = megaflows.rotate()) remove(*flow);
  engine.flush_flows();  // also those that are not ours
  quarantine.clear();
}

void Switch::purge_flows() { impl_->purge(); }

}  // namespace ovs::ofproto
