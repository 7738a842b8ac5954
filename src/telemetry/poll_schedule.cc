#include "telemetry/poll_schedule.h"

namespace ovs::telemetry {

namespace {

// 2^32 divided by the golden ratio.
constexpr std::uint32_t golden = 0x9e3779b9;

}  // namespace

void PollSchedule::plan(Id id, Due& due, TimePoint now) {
  const auto offset = std::chrono::milliseconds(
      static_cast<std::int64_t>((static_cast<unsigned __int128>(interval_.count()) * due.phase) >> 32));
  // The first time of its phase that is not over.
  const auto since = now - start_ - offset;
  auto rounds = since / interval_;
  if (since.count() > 0 && since % interval_ != std::chrono::milliseconds(0)) rounds++;
  if (rounds < 0) rounds = 0;
  due.at = start_ + offset + rounds * interval_;
  queue_.emplace(due.at, id);
}

void PollSchedule::set_interval(std::chrono::milliseconds interval, TimePoint now) {
  if (interval == interval_) return;
  interval_ = interval;
  start_ = now;
  queue_.clear();
  if (interval_.count() == 0) return;
  for (auto& [id, due] : sources_) plan(id, due, now);
}

void PollSchedule::add(Id id, TimePoint now) {
  auto [place, added] = sources_.try_emplace(id, Due{TimePoint{}, next_phase_});
  if (!added) return;
  next_phase_ += golden;
  if (interval_.count() != 0) plan(id, place->second, now);
}

void PollSchedule::remove(Id id) {
  auto place = sources_.find(id);
  if (place == sources_.end()) return;
  queue_.erase({place->second.at, id});
  sources_.erase(place);
}

std::vector<PollSchedule::Id> PollSchedule::take_due(TimePoint now) {
  std::vector<Id> ids;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    const Id id = queue_.begin()->second;
    queue_.erase(queue_.begin());
    ids.push_back(id);
    // What was missed while nobody looked is not made up for.
    plan(id, sources_.find(id)->second, now + std::chrono::milliseconds(1));
  }
  return ids;
}

std::optional<TimePoint> PollSchedule::next() const {
  if (queue_.empty()) return {};
  return queue_.begin()->first;
}

}  // namespace ovs::telemetry
