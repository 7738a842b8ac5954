#include "dbserver/lock_table.h"

#include <algorithm>

namespace ovs::dbserver {

bool LockTable::asked(Holder who, std::string_view lock) const {
  auto it = queues_.find(lock);
  return it != queues_.end() && std::find(it->second.begin(), it->second.end(), who) != it->second.end();
}

bool LockTable::owns(Holder who, std::string_view lock) const {
  auto it = queues_.find(lock);
  return it != queues_.end() && it->second.front() == who;
}

bool LockTable::lock(Holder who, std::string_view lock) {
  auto& queue = queues_[std::string(lock)];
  queue.push_back(who);
  return queue.size() == 1;
}

std::optional<LockTable::Holder> LockTable::steal(Holder who, std::string_view lock) {
  auto& queue = queues_[std::string(lock)];
  std::optional<Holder> victim;
  if (!queue.empty()) victim = queue.front();
  queue.push_front(who);
  return victim;
}

std::optional<LockTable::Holder> LockTable::unlock(Holder who, std::string_view lock) {
  auto it = queues_.find(lock);
  if (it == queues_.end()) return {};
  auto& queue = it->second;
  auto place = std::find(queue.begin(), queue.end(), who);
  if (place == queue.end()) return {};
  const bool owned = place == queue.begin();
  queue.erase(place);
  if (queue.empty()) {
    queues_.erase(it);
    return {};
  }
  if (!owned) return {};
  return queue.front();
}

void LockTable::forget(Holder who, const std::function<void(Holder, const std::string& lock)>& locked) {
  std::deque<std::string> names;
  for (const auto& [name, queue] : queues_) {
    if (std::find(queue.begin(), queue.end(), who) != queue.end()) names.push_back(name);
  }
  for (const std::string& name : names) {
    if (auto next = unlock(who, name)) locked(*next, name);
  }
}

std::size_t LockTable::held(Holder who) const {
  return static_cast<std::size_t>(
      std::count_if(queues_.begin(), queues_.end(), [&](const auto& q) { return q.second.front() == who; }));
}

std::size_t LockTable::waiting(Holder who) const {
  return static_cast<std::size_t>(std::count_if(queues_.begin(), queues_.end(), [&](const auto& q) {
    return q.second.front() != who && std::find(q.second.begin(), q.second.end(), who) != q.second.end();
  }));
}

}  // namespace ovs::dbserver
