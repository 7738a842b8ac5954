// Coverage counters: how often rare and not so rare things happened, for `coverage/show`.
//
//     static Coverage txn_success{"txn_success"};
//     txn_success.add();
//
// Thread safety: add() is a relaxed atomic increment; show() may run at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace ovs {

class Coverage {
 public:
  explicit Coverage(const char* name);
  Coverage(const Coverage&) = delete;

  void add(std::uint64_t n = 1) { count_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  const char* name() const { return name_; }

 private:
  friend struct CoverageRegistry;
  const char* name_;
  std::atomic<std::uint64_t> count_{0};
  // Totals at the ends of the last 5 s, minute and hour slots, for the rates in show().
  std::uint64_t at_5s_ = 0, at_minute_ = 0, at_hour_ = 0;
  double rate_5s_ = 0, rate_minute_ = 0, rate_hour_ = 0;
};

// Called every five seconds by the main loop with the time in ms since start.
void coverage_tick();
std::string coverage_show();
// The total of one counter, or nothing known: for `coverage/read-counter`.
bool coverage_read(const std::string& name, std::uint64_t* count);

}  // namespace ovs
