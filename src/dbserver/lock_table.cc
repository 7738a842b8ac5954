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

std::vector<std::string> LockTable::held(Holder who) const {
  std::vector<std::string> names;
  for (const auto& [name, queue] : queues_)
    if (queue.front() == who) names.push_back(name);
  return names;
}

std::vector<std::string> LockTable::waiting(Holder who) const {
  std::vector<std::string> names;
  for (const auto& [name, queue] : queues_)
    if (queue.front() != who && std::ranges::find(queue, who) != queue.end()) names.push_back(name);
  return names;
}

}  // namespace ovs::dbserver
