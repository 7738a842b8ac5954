// The counters that sFlow reports, in its terms.
//
// Thread safety: pure functions, but for those that ask the kernel: process_resources() and ProcessorLoad::observe().
// A ProcessorLoad belongs to one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "datapath/datapath.h"
#include "netdev/netdev.h"
#include "ofproto/vlan_traffic.h"
#include "openflow/port.h"
#include "telemetry/poll_schedule.h"
#include "telemetry/sflow_message.h"

namespace ovs::vswitchd {

struct CountedPort {
  const netdev::State& state;
  const netdev::Statistics& statistics;
  std::string name;
  std::uint64_t datapath_id;
  openflow::OfPort number;
};
std::vector<telemetry::sflow::CounterRecord> port_counters(const CountedPort& port);

telemetry::sflow::VlanCounters vlan_counters(std::uint16_t vlan, const ofproto::VlanTraffic& traffic);

// How busy the host's processors have been, from what is observed now and then: over 5 seconds, a minute and five
// minutes, or the shortest time beyond that for which there are observations.  Unknown until there are.
class ProcessorLoad {
 public:
  using TimePoint = telemetry::TimePoint;
  struct Ticks {
    std::uint64_t busy = 0, all = 0;  // of all processors, since the host was started
  };

  void observe(TimePoint now);
  void observe(TimePoint now, const Ticks& ticks);
  telemetry::sflow::Processor report(TimePoint now) const;

 private:
  struct Observation {
    TimePoint at;
    Ticks ticks;
  };
  std::uint32_t share(TimePoint now, std::chrono::seconds time) const;  // in hundredths of a percent

  std::deque<Observation> observations_;
};

telemetry::sflow::LookUpCounters look_up_counters(const datapath::EngineStats& stats);
telemetry::sflow::ProcessResources process_resources();

}  // namespace ovs::vswitchd
