// The counters that sFlow reports, in its terms.
//
// Thread safety: pure functions, but for process_resources(), which asks the kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datapath/datapath.h"
#include "netdev/netdev.h"
#include "openflow/port.h"
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

telemetry::sflow::LookUpCounters look_up_counters(const datapath::EngineStats& stats);
telemetry::sflow::ProcessResources process_resources();

}  // namespace ovs::vswitchd
