// The inside of Switch, shared by the files that implement it: configuration (switch.cc), packets and
// megaflows (forwarding.cc), control commands (fdb_commands.cc, flow_commands.cc, trace_command.cc).
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "netdev/netdev.h"
#include "ofproto/megaflows.h"
#include "ofproto/switch.h"
#include "ofproto/topology.h"
#include "ofproto/translate.h"

namespace ovs::ofproto {

using Arguments = std::span<const std::string>;

struct Switch::Impl {
  Impl(datapath::Datapath& engine_in, std::uint64_t hash_secret)
      : engine(engine_in), topology(hash_secret), megaflows(hash_secret) {}

  // ---- configuration
  Bridge& bridge(BridgeId id);
  Port& port(BridgeId bridge, openflow::OfPort number);
  void set_rules(Bridge& bridge, bool force);
  void bridge_changed(BridgeId bridge) { megaflows.invalidate(bridge); }
  void macs_changed(Bridge& bridge);
  Result<datapath::DpPort> plug_in(netdev::Netdev& device);

  // ---- forwarding
  void handle(datapath::Upcall& upcall);
  void handle_sample(const datapath::Upcall& upcall);
  void set_sampler(Bridge& bridge);
  // What a packet taught that came at `seen`.
  void apply(const std::vector<Learn>& learns, TimePoint seen);
  void count(const std::vector<RuleHit>& rules, const std::vector<Crossing>& crossings, std::uint64_t packets,
             std::uint64_t bytes);
  // `packet` is in the datapath's terms.
  void install(const flow::FlowKey& packet, const Translation& translation);
  // Accounts for what the datapath has counted since the last time.
  void account(Megaflow& flow, const datapath::FlowStats& stats);
  void remove(Megaflow& flow);
  void retranslate(Megaflow& flow);
  void age_macs();
  std::chrono::milliseconds idle_time() const;
  // Whether a port has no more megaflows than it may have without shortening their idle time.
  bool has_fair_share(datapath::DpPort port) const;
  // Works until `budget` is used up; what is left of it.
  long retranslate_some(long budget);
  long sweep_some(long budget);
  void revalidate_all();
  void purge();

  // ---- commands
  void add_fdb_commands(ControlTable& table);
  void add_flow_commands(ControlTable& table);
  void add_trace_command(ControlTable& table);
  Result<std::string> trace(Arguments arguments);
  Result<void> check_engine_name(const std::string& name) const;
  std::string show_bridges();
  std::string show_engine(bool with_statistics);
  Result<std::string> dump_engine(Arguments arguments);
  Result<std::string> dump_bridge(Arguments arguments);
  Result<std::string> dump_rules(Arguments arguments);
  std::string show_upcalls() const;
  Result<std::string> add_interfaces(Arguments arguments);
  Result<std::string> remove_interfaces(Arguments arguments);
  // "no such bridge" where there is none.
  Result<Bridge*> find_bridge(const std::string& name);
  std::string engine_name() const;  // TYPE@NAME
  std::optional<std::string> name_of(datapath::DpPort port) const;
  std::optional<datapath::DpPort> number_of(std::string_view name) const;

  datapath::Datapath& engine;
  Topology topology;
  Megaflows megaflows;
  std::map<BridgeId, std::vector<StaticMac>> static_macs;

  TimePoint now{};
  std::function<TimePoint()> clock;  // for commands
  std::chrono::milliseconds max_idle{10000};
  TimePoint next_sweep{};
  std::size_t sweep_left = 0;  // megaflows that the present sweep has not seen
  bool sweeping = false;
  // Numbers of ports that are gone, to which megaflows may still send: nobody gets them before those are mended.
  std::set<datapath::DpPort> quarantine;

  SampleHandler sample_handler;
  std::size_t samplers = 0;
  std::uint32_t sampling_periods = 0;  // that have begun

  // For upcall/show.
  double average_flows = 0;
  std::size_t most_flows = 0;
  TimePoint sweep_began{};
  std::chrono::milliseconds sweep_time{0};

  DeviceMaker device_maker;
  std::map<std::string, std::unique_ptr<netdev::Netdev>> extra_devices;  // of dpctl/add-if
  std::map<std::string, datapath::DpPort> extra_ports;

  // Kept for their memory.
  Translation translation;
  std::vector<datapath::Upcall> upcalls;
};

}  // namespace ovs::ofproto
