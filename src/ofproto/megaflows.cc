#include "ofproto/megaflows.h"

namespace ovs::ofproto {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  const unsigned __int128 product =
      static_cast<unsigned __int128>(hash ^ value ^ 0x9e3779b97f4a7c15ULL) * 0xd6e8feb86659fd93ULL;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::size_t Megaflows::LookUpHash::operator()(const LookUp& look_up) const noexcept {
  return mix(proto::MacAddressHash{secret}(look_up.address), static_cast<std::uint32_t>(look_up.bridge));
}

Megaflows::~Megaflows() {
  while (!order_.empty()) remove(order_.front());
}

Megaflow& Megaflows::add(datapath::FlowId id, const flow::FlowKey& packet, const Translation& translation,
                         datapath::TimePoint now) {
  auto* flow = new Megaflow(id, packet, translation.mask);
  order_.push_back(*flow);
  by_port_[flow->port].push_back(*flow);
  flow->installed = now;
  take(*flow, translation);
  return *flow;
}

void Megaflows::take(Megaflow& flow, const Translation& translation) {
  flow.actions_hash = hash_actions(translation.actions);
  flow.learns = translation.learns;
  flow.crossings = translation.crossings;
  flow.rules = translation.rules;

  flow.dependency_count_ = translation.bridges.size() + translation.look_ups.size();
  flow.dependencies_ = std::make_unique<Dependency[]>(flow.dependency_count_);
  Dependency* next = flow.dependencies_.get();
  const auto depend = [&](const LookUp& on) {
    next->flow = &flow;
    next->on = on;
    index_[on].push_back(*next++);
  };
  for (const BridgeId bridge : translation.bridges) depend({bridge, {whole_bridge, {}}});
  for (const LookUp& look_up : translation.look_ups) depend(look_up);
}

void Megaflows::unlink(Megaflow& flow) {
  for (std::size_t i = 0; i < flow.dependency_count_; i++) {
    Dependency& dependency = flow.dependencies_[i];
    dependency.unlink();
    const auto list = index_.find(dependency.on);
    if (list != index_.end() && list->second.empty()) index_.erase(list);
  }
  flow.dependency_count_ = 0;
}

void Megaflows::update(Megaflow& flow, const Translation& translation) {
  unlink(flow);
  take(flow, translation);
}

void Megaflows::remove(Megaflow& flow) {
  unlink(flow);
  order_.erase(order_.iterator_to(flow));
  const auto port = by_port_.find(flow.port);
  port->second.erase(port->second.iterator_to(flow));
  if (port->second.empty()) by_port_.erase(port);
  delete &flow;
}

void Megaflows::invalidate(BridgeId bridge) { invalidate(LookUp{bridge, {whole_bridge, {}}}); }

void Megaflows::invalidate(const LookUp& look_up) {
  const auto list = index_.find(look_up);
  if (list == index_.end()) return;
  invalid_.splice(invalid_.end(), list->second);
  index_.erase(list);
}

Megaflow* Megaflows::next_invalid() { return invalid_.empty() ? nullptr : invalid_.front().flow; }

Megaflow* Megaflows::rotate() {
  if (order_.empty()) return nullptr;
  Megaflow& flow = order_.front();
  order_.splice(order_.end(), order_, order_.begin());
  PortOrder& port = by_port_.find(flow.port)->second;
  port.splice(port.end(), port, port.iterator_to(flow));
  return &flow;
}

std::size_t Megaflows::count_of(datapath::DpPort port) const {
  const auto found = by_port_.find(port);
  return found == by_port_.end() ? 0 : found->second.size();
}

Megaflow* Megaflows::for_room(datapath::DpPort port) {
  PortOrder* most = nullptr;
  for (auto& [number, flows] : by_port_)
    if (most == nullptr || flows.size() > most->size()) most = &flows;
  // With one more here and one less there, this port must not be the one that has more.
  if (most == nullptr || most->size() < count_of(port) + 2) return nullptr;
  return &most->front();
}

}  // namespace ovs::ofproto
