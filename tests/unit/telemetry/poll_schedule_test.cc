#include "telemetry/poll_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace ovs::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint at(std::int64_t ms) { return TimePoint(milliseconds(ms)); }

// When each source was due between two times, asking as a timer would.
std::map<PollSchedule::Id, std::vector<std::int64_t>> run(PollSchedule& schedule, std::int64_t end) {
  std::map<PollSchedule::Id, std::vector<std::int64_t>> times;
  while (auto next = schedule.next()) {
    if (*next > at(end)) break;
    for (auto id : schedule.take_due(*next)) times[id].push_back(next->time_since_epoch().count());
  }
  return times;
}

TEST(PollScheduleTest, EachSourceOnceInAnInterval) {
  PollSchedule schedule;
  schedule.set_interval(seconds(10), at(5000));
  for (PollSchedule::Id id = 0; id < 100; id++) schedule.add(id, at(5000));
  auto times = run(schedule, 5000 + 30000 - 1);
  ASSERT_EQ(times.size(), 100u);
  for (auto& [id, t] : times) {
    ASSERT_EQ(t.size(), 3u) << id;
    EXPECT_LT(t[0], 15000) << id;
    EXPECT_EQ(t[1] - t[0], 10000) << id;
    EXPECT_EQ(t[2] - t[1], 10000) << id;
  }
}

TEST(PollScheduleTest, SourcesAreSpreadEvenlyOverTheInterval) {
  for (unsigned count : {2u, 7u, 100u, 1300u}) {
    PollSchedule schedule;
    schedule.set_interval(seconds(10), at(0));
    for (PollSchedule::Id id = 0; id < count; id++) schedule.add(id, at(0));
    std::vector<std::int64_t> all;
    for (auto& [id, t] : run(schedule, 9999)) all.insert(all.end(), t.begin(), t.end());
    ASSERT_EQ(all.size(), count);
    std::sort(all.begin(), all.end());
    std::int64_t gap = all.front() + 10000 - all.back();
    for (std::size_t i = 1; i < all.size(); i++) gap = std::max(gap, all[i] - all[i - 1]);
    EXPECT_LE(gap, 3 * 10000 / static_cast<std::int64_t>(count)) << count;
  }
}

TEST(PollScheduleTest, ANewSourceIsDueWithinOneInterval) {
  PollSchedule schedule;
  schedule.set_interval(seconds(10), at(0));
  for (PollSchedule::Id id = 0; id < 20; id++) {
    const auto now = at(100000 + 777 * id);
    schedule.add(id, now);
    ASSERT_TRUE(schedule.next());
  }
  auto times = run(schedule, 100000 + 777 * 20 + 10000);
  ASSERT_EQ(times.size(), 20u);
  for (auto& [id, t] : times) {
    EXPECT_GE(t[0], 100000 + 777 * id);
    EXPECT_LE(t[0], 110000 + 777 * id);
  }
}

TEST(PollScheduleTest, WhatIsRemovedIsNotDue) {
  PollSchedule schedule;
  schedule.set_interval(seconds(1), at(0));
  schedule.add(1, at(0));
  schedule.add(2, at(0));
  schedule.add(2, at(0));  // is there already
  schedule.remove(1);
  schedule.remove(1);
  EXPECT_FALSE(schedule.contains(1));
  auto times = run(schedule, 2999);
  EXPECT_EQ(times.size(), 1u);
  EXPECT_EQ(times[2].size(), 3u);
}

TEST(PollScheduleTest, AnIntervalOfZeroMeansNever) {
  PollSchedule schedule;
  schedule.add(1, at(0));
  EXPECT_FALSE(schedule.next());
  schedule.set_interval(seconds(2), at(100));
  EXPECT_TRUE(schedule.next());
  schedule.set_interval(seconds(0), at(200));
  EXPECT_FALSE(schedule.next());
}

TEST(PollScheduleTest, WhatWasMissedIsNotMadeUpFor) {
  PollSchedule schedule;
  schedule.set_interval(seconds(1), at(0));
  schedule.add(1, at(0));
  EXPECT_EQ(schedule.take_due(at(60500)).size(), 1u);
  EXPECT_TRUE(schedule.take_due(at(60500)).empty());
  EXPECT_EQ(*schedule.next(), at(61000));
}

}  // namespace
}  // namespace ovs::telemetry
