// Coverage counters: how often rare and not so rare things happened, for `coverage/show`.
//
//     static Coverage txn_success{"txn_success"};
//     txn_success.add();
//
// Thread safety: add() is a relaxed atomic increment; show() may run at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
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
  static constexpr std::size_t slots_of_minute = 12;  // of five seconds each

  // What happened in each of the last 12 slots of five seconds, and in each of the last 60 minutes,
  // for the rates in show(); guarded by the registry's mutex.
  std::array<std::uint64_t, slots_of_minute> minute_{};
  std::array<std::uint64_t, 60> hour_{};
  std::uint64_t at_last_tick_ = 0;
};

// Called every five seconds by the main loop: the rates in show() are over these slots.
void coverage_tick();
std::string coverage_show();
// Puts the total of one counter in *count; false if there is no such counter.  For
// `coverage/read-counter`.
bool coverage_read(const std::string& name, std::uint64_t* count);

}  // namespace ovs
