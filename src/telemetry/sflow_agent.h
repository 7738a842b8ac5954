// SflowAgent: the sFlow agent of one bridge, as a machine: sampled packets, counters and the time go in,
// datagrams come out.  It knows no socket, no clock and no switch.
//
// Flow samples have one source for the whole bridge (entity, Settings::source); counters have the
// interface that they are about, or that source.  Each source numbers its flow samples and its counter samples.
//
// Samples are gathered into datagrams of up to max_datagram_bytes; one that is not full leaves
// flush_delay after its first sample at the latest, if take_datagrams() is called at next_flush().  What
// is not taken is bounded: beyond max_waiting datagrams the oldest is dropped and its number missing, as
// if the network had lost it.
//
// Thread safety: one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "flow/flow_key.h"
#include "telemetry/ip_address.h"
#include "telemetry/poll_schedule.h"
#include "telemetry/sflow_message.h"

namespace ovs::telemetry {

// Of the frame; so much fits into a datagram with all other records of a sample.
inline constexpr std::size_t max_header_bytes = 1024;

struct SflowSettings {
  IpAddress agent;              // whom the collector takes the datagrams to be from
  std::uint32_t sub_agent = 0;  // distinguishes the agents of one address
  sflow::Source source{sflow::Source::entity, 1000};
  std::size_t header_bytes = 128;  // of a packet that are sent, at most max_header_bytes
};

// A packet that was sampled, and what the switch did with it.
struct SampledPacket {
  std::span<const std::uint8_t> frame;  // as received, or its first bytes
  std::size_t frame_bytes = 0;          // of the whole, without FCS
  std::uint32_t rate = 0;               // one packet of so many is sampled
  std::uint32_t passed = 0;             // packets since the last one, this one included, that could have been sampled
  sflow::Interface input, output;
  sflow::ExtendedSwitch vlans;
  // The packet's, for tunnels and labels; null: none.
  const flow::FlowKey* key = nullptr;
};

class SflowAgent {
 public:
  static constexpr std::chrono::milliseconds flush_delay{500};
  static constexpr std::size_t max_waiting = 64;

  SflowAgent(const SflowSettings& settings, TimePoint started);
  // Sequence numbers go on.
  void configure(const SflowSettings& settings, TimePoint now);

  // What the samples that follow report: so many did not reach the agent.  It wraps at 2^32, as it does on the wire.
  void set_drops(std::uint64_t drops);
  void add_sample(const SampledPacket& packet, TimePoint now);
  void add_counters(const sflow::Source& source, std::vector<sflow::CounterRecord> records, TimePoint now);
  // The interface is gone: if its number comes back, its sequence starts again.
  void forget_source(const sflow::Source& source) { counter_sequences_.erase(source); }

  // When a datagram that waits must be taken; empty: none waits.
  std::optional<TimePoint> next_flush() const;
  // Those that are full or due.
  std::vector<std::vector<std::uint8_t>> take_datagrams(TimePoint now);
  // All samples that are there (the agent ends).
  std::vector<std::vector<std::uint8_t>> take_all(TimePoint now);

 private:
  void append(const sflow::Sample& sample, TimePoint now);
  void close_datagram(TimePoint now);
  std::vector<std::vector<std::uint8_t>> take_waiting();

  SflowSettings settings_;
  const TimePoint started_;
  std::uint32_t pool_ = 0, drops_ = 0;
  std::uint32_t datagram_sequence_ = 0, flow_sequence_ = 0;
  std::map<sflow::Source, std::uint32_t> counter_sequences_;

  std::vector<std::uint8_t> samples_;  // of the datagram that is being filled, encoded
  std::uint32_t sample_count_ = 0;
  TimePoint first_sample_{};
  std::vector<std::uint8_t> scratch_;
  std::deque<std::vector<std::uint8_t>> waiting_;
};

}  // namespace ovs::telemetry
