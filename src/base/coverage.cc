#include "base/coverage.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/sha1.h"

namespace ovs {

struct CoverageRegistry {
  std::mutex mutex;
  std::vector<Coverage*> counters;

  // Never destroyed: counters live as long as the program, in no particular order of destruction.
  static CoverageRegistry& instance() {
    static auto* registry = new CoverageRegistry;
    return *registry;
  }

  void tick() {
    const std::lock_guard lock(mutex);
    for (Coverage* c : counters) {
      const std::uint64_t now = c->count();
      const std::uint64_t delta = now - c->at_last_tick_;
      c->at_last_tick_ = now;
      c->minute_[ticks % c->minute_.size()] = delta;
      c->hour_[ticks / c->minute_.size() % c->hour_.size()] += delta;
    }
    ticks++;
    if (ticks % Coverage::slots_of_minute == 0) {
      // The next minute's slot still holds what happened an hour ago.
      for (Coverage* c : counters) c->hour_[ticks / c->minute_.size() % c->hour_.size()] = 0;
    }
  }

  std::string show() {
    const std::lock_guard lock(mutex);
    std::ranges::sort(counters, {}, [](const Coverage* c) { return std::string_view(c->name()); });
    std::string lines, names;
    std::size_t never = 0;
    for (const Coverage* c : counters) {
      if (c->count() == 0) {
        never++;
        continue;
      }
      names.append(c->name()) += '\n';
      const auto sum = [](const auto& slots) {
        double total = 0;
        for (const std::uint64_t n : slots) total += static_cast<double>(n);
        return total;
      };
      const std::uint64_t last = ticks == 0 ? 0 : c->minute_[(ticks - 1) % c->minute_.size()];
      lines += fmt::format("{:<24} {:5.1f}/sec {:9.3f}/sec {:13.4f}/sec   total: {}\n", c->name(),
                           static_cast<double>(last) / 5, sum(c->minute_) / 60,
                           sum(c->hour_) / 3600, c->count());
    }
    // The hash tells at a glance whether two reports are about the same set of events.
    return fmt::format("Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash={}:\n"
                       "{}{} events never hit\n",
                       sha1_hex(names).substr(0, 8), lines, never);
  }

  bool read(const std::string& name, std::uint64_t* count) {
    const std::lock_guard lock(mutex);
    for (const Coverage* c : counters) {
      if (name == c->name()) {
        *count = c->count();
        return true;
      }
    }
    return false;
  }

  std::uint64_t ticks = 0;
};

Coverage::Coverage(const char* name) : name_(name) {
  CoverageRegistry& registry = CoverageRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  registry.counters.push_back(this);
}

void coverage_tick() { CoverageRegistry::instance().tick(); }
std::string coverage_show() { return CoverageRegistry::instance().show(); }
bool coverage_read(const std::string& name, std::uint64_t* count) {
  return CoverageRegistry::instance().read(name, count);
}

}  // namespace ovs
