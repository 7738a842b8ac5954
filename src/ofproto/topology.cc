#include "ofproto/topology.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "ofproto/vlan.h"

namespace ovs::ofproto {

const Port* Bridge::port(openflow::OfPort number) const {
  const auto found = ports.find(number);
  return found == ports.end() ? nullptr : found->second.get();
}

Port* Bridge::port(openflow::OfPort number) { return const_cast<Port*>(std::as_const(*this).port(number)); }

const Bundle* Bridge::bundle(BundleId which) const {
  const auto found = bundles.find(which);
  return found == bundles.end() ? nullptr : &found->second;
}

const std::vector<const Bundle*>& Bridge::bundles_in(std::uint16_t vlan) const {
  const auto [place, is_new] = by_vlan_.try_emplace(vlan);
  if (is_new) {
    for (const auto& [id, bundle] : bundles)
      if (is_in_vlan(bundle.config, vlan)) place->second.push_back(&bundle);
  }
  return place->second;
}

std::optional<openflow::OfPort> Bridge::free_number() const {
  std::uint32_t number = 0;
  for (std::size_t word = first_free_word_; word < taken_.size(); word++) {
    if (~taken_[word] == 0) continue;
    number = static_cast<std::uint32_t>(word * 64 + static_cast<unsigned>(std::countr_one(taken_[word])));
    break;
  }
  if (number == 0) number = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(taken_.size() * 64));
  if (number > raw(openflow::max_port)) return std::nullopt;
  return openflow::OfPort{number};
}

void Bridge::take_number(openflow::OfPort port, bool taken) {
  const std::uint32_t number = raw(port);
  if (number > raw(openflow::max_port)) return;
  const std::size_t word = number / 64;
  if (word >= taken_.size()) {
    taken_.resize(word + 1);
    taken_[0] |= 1;  // there is no port 0
  }
  const std::uint64_t bit = std::uint64_t{1} << number % 64;
  if (taken) {
    taken_[word] |= bit;
    while (first_free_word_ < taken_.size() && ~taken_[first_free_word_] == 0) first_free_word_++;
  } else {
    taken_[word] &= ~bit;
    first_free_word_ = std::min(first_free_word_, word);
  }
}

Bridge& Topology::add_bridge(const std::string& name) {
  const BridgeId id{++last_bridge_};
  auto [place, is_new] = bridges_.try_emplace(name);
  OVS_CHECK(is_new, name);
  place->second = std::make_unique<Bridge>(id, name, hash_secret_, domain_);
  by_id_.emplace(id, place->second.get());
  return *place->second;
}

void Topology::remove_bridge(BridgeId id) {
  const auto found = by_id_.find(id);
  OVS_CHECK(found != by_id_.end() && found->second->ports.empty());
  bridges_.erase(bridges_.find(found->second->name));
  by_id_.erase(found);
}

const Bridge* Topology::bridge(BridgeId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

Bridge* Topology::bridge(BridgeId id) { return const_cast<Bridge*>(std::as_const(*this).bridge(id)); }

const Bridge* Topology::bridge(std::string_view name) const {
  const auto found = bridges_.find(name);
  return found == bridges_.end() ? nullptr : found->second.get();
}

Bridge* Topology::bridge(std::string_view name) {
  return const_cast<Bridge*>(std::as_const(*this).bridge(name));
}

Port& Topology::add_port(Bridge& bridge, openflow::OfPort number, datapath::DpPort datapath_port,
                         std::string name, netdev::Netdev* device) {
  auto port = std::make_unique<Port>(Port{&bridge, number, datapath_port, std::move(name), device});
  Port& result = *port;
  OVS_CHECK(by_name_.emplace(result.name, &result).second, result.name);
  OVS_CHECK(bridge.ports.emplace(number, std::move(port)).second, result.name);
  bridge.take_number(number, true);
  if (!result.is_patch()) by_datapath_port_[raw(datapath_port)] = &result;
  return result;
}

void Topology::remove_port(Port& port) {
  unplug(port);
  Bridge& bridge = *port.bridge;
  if (const auto bundle = bridge.bundles.find(port.bundle); bundle != bridge.bundles.end())
    std::erase(bundle->second.config.members, port.number);
  if (!port.is_patch()) by_datapath_port_.erase(raw(port.datapath_port));
  by_name_.erase(port.name);
  const openflow::OfPort number = port.number;
  bridge.ports.erase(number);
  bridge.take_number(number, false);
}

const Port* Topology::port(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Port* Topology::port(std::string_view name) { return const_cast<Port*>(std::as_const(*this).port(name)); }

const Port* Topology::port(datapath::DpPort number) const {
  const auto found = by_datapath_port_.find(raw(number));
  return found == by_datapath_port_.end() ? nullptr : found->second;
}

std::vector<BridgeId> Topology::unplug(Port& port) {
  if (port.peer == nullptr) return {};
  Port& peer = *std::exchange(port.peer, nullptr);
  peer.peer = nullptr;
  return {peer.bridge->id};
}

std::vector<BridgeId> Topology::set_patch_peer(Port& port, std::string peer_name) {
  std::vector<BridgeId> changed = unplug(port);
  changed.push_back(port.bridge->id);
  port.peer_name = std::move(peer_name);
  Port* peer = this->port(port.peer_name);
  // A cable has two ends: both must want it.
  if (peer != nullptr && peer != &port && peer->is_patch() && peer->peer == nullptr && peer->peer_name == port.name) {
    port.peer = peer;
    peer->peer = &port;
    changed.push_back(peer->bridge->id);
  }
  return changed;
}

void Topology::join(Bridge& bridge, const Bundle& bundle) {
  bridge.by_vlan_.clear();
  for (const openflow::OfPort member : bundle.config.members)
    if (Port* port = bridge.port(member)) port->bundle = bundle.id;
}

void Topology::leave(Bridge& bridge, const Bundle& bundle) {
  bridge.by_vlan_.clear();
  for (const openflow::OfPort member : bundle.config.members)
    if (Port* port = bridge.port(member); port != nullptr && port->bundle == bundle.id) port->bundle = no_bundle;
}

Bundle& Topology::add_bundle(Bridge& bridge, BundleConfig config) {
  const BundleId id{static_cast<std::uint32_t>(bridge.last_bundle) + 1};
  bridge.last_bundle = id;
  Bundle& bundle = bridge.bundles.emplace(id, Bundle{id, std::move(config)}).first->second;
  join(bridge, bundle);
  return bundle;
}

void Topology::configure_bundle(Bridge& bridge, Bundle& bundle, BundleConfig config) {
  leave(bridge, bundle);
  bundle.config = std::move(config);
  join(bridge, bundle);
}

void Topology::remove_bundle(Bridge& bridge, BundleId id) {
  const auto found = bridge.bundles.find(id);
  OVS_CHECK(found != bridge.bundles.end());
  leave(bridge, found->second);
  bridge.bundles.erase(found);
}

}  // namespace ovs::ofproto
