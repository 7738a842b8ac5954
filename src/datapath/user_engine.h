// UserEngine: a datapath of our own threads (datapath.h says what a datapath is).
//
// Forwarding threads own receive queues and read two tables: ports (port_table.h) and megaflows
// (megaflow_table.h).  The main thread alone changes both, by RCU, and has a Forwarder of its own
// for execute() and inject().  Queues are spread over the threads evenly, and again when ports come and go.
//
// Costs.  Adding a port and a megaflow cost the same however many there are.  Removing a port waits until
// all threads have ended their round, some microseconds; its device is not touched afterwards.
// A batch that is under way when a megaflow is removed may be missing in its last statistics.
//
// Port numbers are below 65,535; there are at most 4,194,303 megaflows, whatever the limit.
//
// Thread safety: the main thread's, as datapath.h says.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/rcu.h"
#include "datapath/datapath.h"
#include "datapath/worker.h"

namespace ovs::datapath {

struct UserEngineOptions {
  std::string type = "netdev";
  std::string name = "ovs-netdev";
  // Forwarding threads; empty: one for each processor that the process may use, up to 8.
  std::optional<unsigned> threads;
  std::size_t upcalls_per_port = 256;
  // Of hashes and samples; empty: from the system.
  std::optional<std::uint64_t> seed;
};

class UserEngine final : public Datapath {
 public:
  explicit UserEngine(UserEngineOptions options = {});
  ~UserEngine() override;

  std::size_t threads() const { return workers_.size(); }

  std::string_view type() const override { return options_.type; }
  std::string_view name() const override { return options_.name; }
  Result<DpPort> add_port(netdev::Netdev& device, std::optional<DpPort> wanted) override;
  Result<void> remove_port(DpPort port) override;
  std::vector<Port> ports() const override;
  void port_changed(DpPort port) override;
  Result<FlowId> add_flow(const flow::Match& match, Actions actions) override;
  Result<void> change_flow(FlowId flow, Actions actions) override;
  Result<FlowStats> remove_flow(FlowId flow) override;
  Result<FlowStats> flow_stats(FlowId flow) const override;
  void dump_flows(const std::function<bool(const FlowView&)>& each) const override;
  void flush_flows() override;
  std::size_t flow_limit() const override { return flow_limit_; }
  void set_flow_limit(std::size_t limit) override { flow_limit_ = limit; }
  void execute(flow::Packet packet, const flow::FlowKey& key, const Actions& actions) override;
  void inject(DpPort port, flow::Packet packet) override;
  int upcall_descriptor() const override { return shared_.upcalls.descriptor(); }
  std::size_t receive_upcalls(std::vector<Upcall>& out, std::size_t max) override;
  Result<SamplerId> add_sampler() override;
  void remove_sampler(SamplerId sampler) override;
  SamplerStats sampler_stats(SamplerId sampler) const override;
  void settle_sampler(SamplerId sampler) override;
  EngineStats stats() const override;
  void set_now(TimePoint now) override;

 private:
  struct Watched {
    DpPort port;
    std::size_t queue;
  };

  std::uint64_t next_seed();
  std::optional<DpPort> free_port_number();
  void watch_queues(EnginePort& port);
  // Takes the port's queues from their threads; waits until none of them uses them.
  void release_queues(EnginePort& port);
  void rebalance();
  void move_queue(EnginePort& port, std::size_t index, std::size_t to);
  FlowStats stats_of(SlotNumber slot) const;
  SamplerStats sampler_totals(SamplerId sampler) const;
  std::size_t take_samples(std::vector<Upcall>& out, std::size_t max);
  std::uint32_t newly_passed(const Upcall& sample, const Forwarder& by, std::size_t forwarder);
  template <class F>
  void for_each_forwarder(const F& f) const;

  const UserEngineOptions options_;
  std::uint64_t seed_;
  mutable RcuDomain domain_;
  Shared shared_;
  std::unique_ptr<Forwarder> own_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::map<int, Watched>> watched_;  // by worker, by descriptor
  std::map<DpPort, EnginePort*> ports_;
  std::uint32_t lowest_maybe_free_ = 1;
  struct Sampler {
    SamplerStats base;                // what its threads had counted when it was added
    std::vector<std::uint64_t> seen;  // by forwarder: of its counter, up to the last sample taken
    std::uint64_t settled = 0;        // beyond samples, for the next one to count
  };
  std::vector<std::optional<Sampler>> samplers_;  // empty: free
  std::size_t next_samples_ = 0;  // the forwarder whose samples are taken first
  std::size_t flow_limit_ = 200000;
  TimePoint ranked_at_{};
};

}  // namespace ovs::datapath
