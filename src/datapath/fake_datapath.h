// FakeDatapath: a Datapath for tests of what is above one.  It forwards nothing: it keeps ports and megaflows,
// records what it was asked to execute, and hands out the upcalls that a test puts in.
//
//     FakeDatapath engine;
//     engine.push_upcall(miss(port, packet, key));      // what the main loop will find
//     ...
//     EXPECT_EQ(engine.executed.at(0).actions, ...);
//
// inject() makes an upcall of each packet that no megaflow matches, and records under `executed` the
// actions of the one that does.
//
// Thread safety: one thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "datapath/datapath.h"

namespace ovs::datapath {

class FakeDatapath final : public Datapath {
 public:
  explicit FakeDatapath(std::string type = "dummy", std::string name = "ovs-dummy")
      : type_(std::move(type)), name_(std::move(name)) {}

  // ---- for the test
  struct Executed {
    flow::Packet packet;
    flow::FlowKey key;
    Actions actions;
  };
  std::vector<Executed> executed;
  void push_upcall(Upcall upcall) { upcalls_.push_back(std::move(upcall)); }
  std::size_t waiting_upcalls() const { return upcalls_.size(); }
  // As if packets had hit the megaflow.
  void count(FlowId flow, std::uint64_t packets, std::uint64_t bytes, std::uint16_t tcp_flags = 0);
  netdev::Netdev* device(DpPort port) const;
  std::vector<DpPort> changed_ports;  // what port_changed() was called with
  std::map<SamplerId, SamplerStats> samplers;
  std::vector<SamplerId> settled_samplers;  // in this order

  // ---- Datapath
  std::string_view type() const override { return type_; }
  std::string_view name() const override { return name_; }
  Result<DpPort> add_port(netdev::Netdev& device, std::optional<DpPort> wanted) override;
  Result<void> remove_port(DpPort port) override;
  std::vector<Port> ports() const override;
  void port_changed(DpPort port) override { changed_ports.push_back(port); }
  Result<FlowId> add_flow(const flow::Match& match, Actions actions) override;
  Result<void> change_flow(FlowId flow, Actions actions) override;
  Result<FlowStats> remove_flow(FlowId flow) override;
  Result<FlowStats> flow_stats(FlowId flow) const override;
  void dump_flows(const std::function<bool(const FlowView&)>& each) const override;
  void flush_flows() override { flows_.clear(); }
  std::size_t flow_limit() const override { return flow_limit_; }
  void set_flow_limit(std::size_t limit) override { flow_limit_ = limit; }
  void execute(flow::Packet packet, const flow::FlowKey& key, const Actions& actions) override;
  void inject(DpPort port, flow::Packet packet) override;
  int upcall_descriptor() const override { return -1; }
  std::size_t receive_upcalls(std::vector<Upcall>& out, std::size_t max) override;
  Result<SamplerId> add_sampler() override;
  void remove_sampler(SamplerId sampler) override { samplers.erase(sampler); }
  SamplerStats sampler_stats(SamplerId sampler) const override { return samplers.at(sampler); }
  void settle_sampler(SamplerId sampler) override { settled_samplers.push_back(sampler); }
  EngineStats stats() const override;
  void set_now(TimePoint now) override { now_ = now; }

 private:
  struct Flow {
    flow::Match match;
    Actions actions;
    FlowStats stats;
  };

  std::string type_, name_;
  std::map<DpPort, netdev::Netdev*> ports_;
  std::map<FlowId, Flow> flows_;
  std::uint64_t next_flow_ = 1;
  std::uint32_t next_sampler_ = 0;
  std::size_t flow_limit_ = 200000;
  std::deque<Upcall> upcalls_;
  std::uint64_t hit_ = 0, missed_ = 0;
  TimePoint now_{};
};

}  // namespace ovs::datapath
