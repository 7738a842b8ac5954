// SflowExports: sFlow of the bridges that are configured to have it.
//
// Each bridge with sFlow has an agent of its own (telemetry/sflow.h), with a number that distinguishes it from the
// others of this host, even where several bridges share one record of the database.  Packets come from the engines'
// Switches; counters are asked for by the agent, one source at a time.  An interface without an ifindex
// (a patch port, a dummy) has no name that a collector would know, so that nothing is reported about it.
//
// Thread safety: the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "ofproto/config.h"
#include "runtime/loop.h"
#include "telemetry/sflow.h"
#include "vswitchd/model.h"
#include "vswitchd/sflow_counters.h"

namespace ovs::vswitchd {

class SflowExports {
 public:
  // `changed`: sampling() of the bridge says something else than before, though its configuration is the same.
  SflowExports(runtime::Loop& loop, std::function<void(BridgeState&)> changed);

  // What the database says; empty: the bridge has no sFlow, or is about to go.
  void configure(BridgeState& bridge, const std::optional<telemetry::SflowConfig>& config);
  // What the bridge's datapath is to sample.
  static std::optional<ofproto::SflowSampling> sampling(const BridgeState& bridge);
  // The interface has become a port of its bridge, or is none any more.
  static void add(const InterfaceState& interface);
  static void remove(const InterfaceState& interface);

 private:
  using Report = telemetry::Sflow::Report;
  void start(BridgeState& bridge);
  void stop(BridgeState& bridge);
  std::optional<Report> counters(const BridgeState& bridge, telemetry::PollSchedule::Id source);

  runtime::Loop& loop_;
  const std::function<void(BridgeState&)> changed_;
  bool configuring_ = false;
  std::set<std::uint32_t> numbers_;  // that are taken
  ProcessorLoad load_;
  std::map<std::pair<const Engine*, ofproto::BridgeId>, BridgeState*> bridges_;
};

}  // namespace ovs::vswitchd
