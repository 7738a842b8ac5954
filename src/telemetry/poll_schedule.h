// PollSchedule: when the counters of which source are due, so that each is polled once in an interval
// and all of them are spread over it.
//
// Each source has a phase of its own within the interval: the fractional part of its number times the golden
// ratio, which spreads the sources evenly however many there are, without moving those that are there
// when one comes or goes.
//
// Thread safety: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace ovs::telemetry {

using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

class PollSchedule {
 public:
  using Id = std::uint32_t;  // chosen by the caller

  // Every `interval` from `start` on; an interval of 0: never.
  void set_interval(std::chrono::milliseconds interval, TimePoint now);
  void add(Id id, TimePoint now);  // due within one interval
  void remove(Id id);
  bool contains(Id id) const { return sources_.contains(id); }

  // Those that are due, in the order of their times; each is due again one interval later.
  std::vector<Id> take_due(TimePoint now);
  std::optional<TimePoint> next() const;

 private:
  struct Due {
    TimePoint at;
    std::uint32_t phase;  // of 2^32
  };
  void plan(Id id, Due& due, TimePoint now);

  std::chrono::milliseconds interval_{0};
  TimePoint start_{};
  std::uint32_t next_phase_ = 0;
  std::map<Id, Due> sources_;
  std::set<std::pair<TimePoint, Id>> queue_;
};

}  // namespace ovs::telemetry
