#include "datapath/fake_datapath.h"

#include <algorithm>
#include <cerrno>

#include "flow/parse.h"
#include "netdev/netdev.h"

namespace ovs::datapath {

void FakeDatapath::count(FlowId flow, std::uint64_t packets, std::uint64_t bytes, std::uint16_t tcp_flags) {
  FlowStats& stats = flows_.at(flow).stats;
  stats.packets += packets;
  stats.bytes += bytes;
  stats.tcp_flags |= tcp_flags;
  stats.used = now_;
  hit_ += packets;
}

netdev::Netdev* FakeDatapath::device(DpPort port) const {
  const auto found = ports_.find(port);
  return found == ports_.end() ? nullptr : found->second;
}

Result<DpPort> FakeDatapath::add_port(netdev::Netdev& device, std::optional<DpPort> wanted) {
  DpPort number{1};
  if (wanted) {
    number = *wanted;
    if (ports_.contains(number)) return unexpected("the port number is taken", EBUSY);
  } else {
    while (ports_.contains(number)) number = DpPort{raw(number) + 1};
  }
  ports_.emplace(number, &device);
  return number;
}

Result<void> FakeDatapath::remove_port(DpPort port) {
  if (ports_.erase(port) == 0) return unexpected("there is no such port", ENODEV);
  return {};
}

std::vector<Port> FakeDatapath::ports() const {
  std::vector<Port> all;
  for (const auto& [number, device] : ports_) all.push_back({number, device->name(), std::string(device->type())});
  return all;
}

Result<FlowId> FakeDatapath::add_flow(const flow::Match& match, Actions actions) {
  if (flows_.size() >= flow_limit_) return unexpected("there are as many flows as may be", ENOSPC);
  if (std::ranges::any_of(flows_, [&](const auto& f) { return f.second.match == match; })) {
    return unexpected("there is such a flow", EEXIST);
  }
  const FlowId id{next_flow_++};
  flows_.emplace(id, Flow{match, std::move(actions), {}});
  return id;
}

Result<void> FakeDatapath::change_flow(FlowId flow, Actions actions) {
  const auto found = flows_.find(flow);
  if (found == flows_.end()) return unexpected("there is no such flow", ENOENT);
  found->second.actions = std::move(actions);
  return {};
}

Result<FlowStats> FakeDatapath::remove_flow(FlowId flow) {
  const auto found = flows_.find(flow);
  if (found == flows_.end()) return unexpected("there is no such flow", ENOENT);
  FlowStats stats = found->second.stats;
  flows_.erase(found);
  return stats;
}

Result<FlowStats> FakeDatapath::flow_stats(FlowId flow) const {
  const auto found = flows_.find(flow);
  if (found == flows_.end()) return unexpected("there is no such flow", ENOENT);
  return found->second.stats;
}

void FakeDatapath::dump_flows(const std::function<bool(const FlowView&)>& each) const {
  for (const auto& [id, flow] : flows_) {
    if (!each({id, flow.match, flow.actions, flow.stats})) return;
  }
}

void FakeDatapath::execute(flow::Packet packet, const flow::FlowKey& key, const Actions& actions) {
  executed.push_back({std::move(packet), key, actions});
}

void FakeDatapath::inject(DpPort port, flow::Packet packet) {
  flow::FlowKey key{};
  flow::parse(packet, key);
  key.in_port = be32::from_host(raw(port));
  for (auto& [id, flow] : flows_) {
    if (!flow.match.matches(key)) continue;
    count(id, 1, packet.size(), key.tcp_flags.host());
    execute(std::move(packet), key, flow.actions);
    return;
  }
  missed_++;
  push_upcall({Upcall::Kind::miss, std::move(packet), key, {}});
}

std::size_t FakeDatapath::receive_upcalls(std::vector<Upcall>& out, std::size_t max) {
  std::size_t count = 0;
  for (; count < max && !upcalls_.empty(); count++) {
    out.push_back(std::move(upcalls_.front()));
    upcalls_.pop_front();
  }
  return count;
}

Result<SamplerId> FakeDatapath::add_sampler() {
  const SamplerId id{next_sampler_++};
  samplers.emplace(id, SamplerStats{});
  return id;
}

EngineStats FakeDatapath::stats() const {
  EngineStats stats;
  stats.hit = hit_;
  stats.missed = missed_;
  stats.flows = flows_.size();
  return stats;
}

}  // namespace ovs::datapath
