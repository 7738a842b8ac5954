// Sflow: sFlow of one bridge at work: an agent (sflow_agent.h), an exporter, a clock, and whoever knows
// the counters.
//
// It is active while its agent address is known; otherwise, nothing needs to be sampled.  The address is asked for
// again every second, since devices get theirs late, get another one, or lose it.
//
// Thread safety: the Loop's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/loop.h"
#include "telemetry/exporter.h"
#include "telemetry/sflow_agent.h"

namespace ovs::telemetry {

// A record of the database's table sFlow, with the defaults put in.
struct SflowConfig {
  std::string agent;  // empty: by the route to the first target that has one
  std::vector<Target> targets;
  std::uint32_t sampling = 400;  // one packet of so many; 0: none
  std::size_t header_bytes = 128;
  std::chrono::seconds polling{30};  // 0: never

  friend bool operator==(const SflowConfig&, const SflowConfig&) = default;
};

class Sflow {
 public:
  static constexpr std::chrono::seconds address_check_interval{1};

  struct Report {
    sflow::Source source;
    std::vector<sflow::CounterRecord> records;
  };
  struct Hooks {
    // The counters of what was added under this number; empty: there is nothing to report about it.
    std::function<std::optional<Report>(PollSchedule::Id)> counters;
    // How many samples did not get here.
    std::function<std::uint64_t()> drops;
    // active() is another than before; may be called from within configure().
    std::function<void()> changed;
  };

  // `number` distinguishes the bridges of this process: 0, 1, ...
  Sflow(runtime::Loop& loop, std::string bridge, std::uint32_t number, Hooks hooks);
  ~Sflow();
  Sflow(const Sflow&) = delete;
  Sflow& operator=(const Sflow&) = delete;

  void configure(const SflowConfig& config);
  const SflowConfig& config() const { return config_; }
  bool active() const { return active_; }
  // Of what is about the bridge as a whole.
  sflow::Source source() const;

  // Whose counters are reported.
  void add_source(PollSchedule::Id id);
  void remove_source(PollSchedule::Id id);

  void add_sample(const SampledPacket& packet);

 private:
  void check_address();
  Result<IpAddress> find_address() const;  // none: the exporter will say when to ask again
  bool has_link_local_collector() const;
  void set_address(const IpAddress& address);
  void set_active(bool active);
  void poll();
  void send_due();
  void send_all();
  void plan();

  runtime::Loop& loop_;
  const std::string bridge_;
  const std::uint32_t number_;
  const Hooks hooks_;
  SflowConfig config_;
  std::unique_ptr<Exporter> exporter_;
  std::optional<SflowAgent> agent_;
  bool active_ = false;
  IpAddress address_;
  bool complained_ = false;
  PollSchedule schedule_;
  std::map<PollSchedule::Id, sflow::Source> reported_;  // as what each was reported last
  runtime::Timer timer_, address_timer_;
};

}  // namespace ovs::telemetry
