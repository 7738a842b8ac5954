// LockTable: who owns which lock, and who waits for it (RFC 7047 sections 4.1.8 to 4.1.10).
//
// A lock that is stolen leaves its owner first among those who wait.
//
// Thread safety: belongs to one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ovs::dbserver {

class LockTable {
 public:
  using Holder = std::uint64_t;

  bool asked(Holder who, std::string_view lock) const;  // owns it or waits for it
  bool owns(Holder who, std::string_view lock) const;

  // Returns whether `who` owns the lock now; it waits otherwise.  It must not have asked before.
  bool lock(Holder who, std::string_view lock);
  // `who` owns the lock now; returns whom it was taken from.
  std::optional<Holder> steal(Holder who, std::string_view lock);
  // Returns who owns the lock now because of it, if it is somebody else.
  std::optional<Holder> unlock(Holder who, std::string_view lock);
  // Gives up everything; calls `locked` for each lock that passes to somebody else.
  void forget(Holder who, const std::function<void(Holder, const std::string& lock)>& locked);

  // The names of what `who` owns, and of what it waits for.
  std::vector<std::string> held(Holder who) const;
  std::vector<std::string> waiting(Holder who) const;

 private:
  std::map<std::string, std::deque<Holder>, std::less<>> queues_;  // the owner first
};

}  // namespace ovs::dbserver
