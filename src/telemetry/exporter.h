// Exporter: sends datagrams to collectors over UDP, and never makes anybody wait.
//
// Each target has a socket of its own.  Names are looked up in the background (runtime::Lookup); until
// then, and while a collector cannot be reached, its datagrams are dropped: a collector sees the gap in their
// numbers.  A target that does not resolve or has no route is tried again after an interval; what is wrong
// with it is said in the log once, not for each datagram, and that it works again when nothing has failed for
// least_proof: reports that nobody listens, or that a neighbour does not answer, come after the datagram.  That time
// doubles, up to longest_proof, where a target comes and goes.
//
// Thread safety: the Loop's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "runtime/address.h"
#include "runtime/loop.h"
#include "telemetry/target.h"

namespace ovs::telemetry {

class Exporter {
 public:
  static constexpr std::chrono::seconds route_retry_interval{1}, name_retry_interval{5};
  static constexpr std::chrono::seconds least_proof{5}, longest_proof{60};

  // `ready` is called when it is known how a target can be reached (and again if that changes), never from
  // within the constructor.  `name` is for messages: "sFlow of br0".
  Exporter(runtime::Loop& loop, std::string name, std::vector<Target> targets, std::function<void()> ready);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  void send(std::span<const std::uint8_t> datagram);

  const std::vector<Target>& targets() const { return targets_; }
  // Of those to whom there was a route when it was last looked for, in the order of the targets.
  std::vector<runtime::SocketAddress> addresses() const;

  struct Counters {
    std::uint64_t sent = 0;     // datagrams, over all targets
    std::uint64_t dropped = 0;  // that could not be sent
  };
  const Counters& counters() const { return counters_; }

 private:
  class Collector;
  runtime::Loop& loop_;
  const std::string name_;
  const std::vector<Target> targets_;
  const std::function<void()> ready_;
  Counters counters_;
  std::vector<std::unique_ptr<Collector>> collectors_;
};

}  // namespace ovs::telemetry
