#include "proto/mac_learning.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace ovs::proto {

std::size_t MacAddressHash::operator()(const MacAddress& address) const noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, address.mac.bytes.data(), address.mac.bytes.size());
  bits |= std::uint64_t{address.vlan} << 48;
  // Two rounds of multiplication: after one, the secret would only shift where equal differences meet.
  for (const std::uint64_t factor : {0x9e3779b97f4a7c15ULL, 0xd6e8feb86659fd93ULL}) {
    const unsigned __int128 product =
        static_cast<unsigned __int128>(bits ^ secret) * (factor ^ (secret >> 7));
    bits = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  return bits;
}

MacTable::MacTable(std::uint64_t hash_secret) : entries_(0, MacAddressHash{hash_secret}) {}

MacTable::~MacTable() {
  by_use_.clear();
  for (auto& [port, list] : by_port_) list.clear();
}

void MacTable::set_size(std::size_t entries) {
  max_size_ = std::max<std::size_t>(entries, 1);
  while (entries_.size() > max_size_ && evict()) {
  }
}

void MacTable::set_aging(std::chrono::seconds aging) { aging_ = aging; }

const MacTable::Entry* MacTable::find(const MacAddress& address) const {
  const auto found = entries_.find(address);
  return found == entries_.end() ? nullptr : found->second.get();
}

bool MacTable::would_learn(const MacAddress& address, MacPort port) const {
  const Entry* entry = find(address);
  if (entry == nullptr) return entries_.size() < max_size_ || static_count_ < entries_.size();
  return !entry->is_static && entry->port != port;
}

void MacTable::link(Entry& entry) {
  by_use_.push_back(entry);
  if (entry.is_static) {
    static_count_++;
    return;
  }
  PortList& list = by_port_[entry.port];
  const std::size_t count = list.size();
  if (count > 0) by_count_.erase({count, entry.port});
  list.push_back(entry);
  by_count_.emplace(count + 1, entry.port);
}

void MacTable::unlink(Entry& entry) {
  by_use_.erase(by_use_.iterator_to(entry));
  if (entry.is_static) {
    static_count_--;
    return;
  }
  const auto found = by_port_.find(entry.port);
  PortList& list = found->second;
  const std::size_t count = list.size();
  by_count_.erase({count, entry.port});
  list.erase(list.iterator_to(entry));
  if (count == 1) {
    by_port_.erase(found);
  } else {
    by_count_.emplace(count - 1, entry.port);
  }
}

void MacTable::touch(Entry& entry, TimePoint seen) {
  entry.used = std::max(entry.used, seen);
  by_use_.splice(by_use_.end(), by_use_, by_use_.iterator_to(entry));
  if (entry.is_static) return;
  PortList& list = by_port_.find(entry.port)->second;
  list.splice(list.end(), list, list.iterator_to(entry));
}

MacTable::Entry& MacTable::insert(const MacAddress& address, MacPort port, bool is_static, TimePoint now) {
  auto entry = std::make_unique<Entry>();
  entry->address = address;
  entry->port = port;
  entry->is_static = is_static;
  entry->used = now;
  Entry& result = *entry;
  entries_.emplace(address, std::move(entry));
  link(result);
  changes_.push_back(address);
  return result;
}

void MacTable::remove(Entry& entry) {
  const MacAddress address = entry.address;
  unlink(entry);
  entries_.erase(address);
  changes_.push_back(address);
}

bool MacTable::evict() {
  if (by_count_.empty()) return false;
  remove(by_port_.find(by_count_.rbegin()->second)->second.front());
  statistics_.evicted++;
  return true;
}

MacTable::Learned MacTable::learn(const MacAddress& address, MacPort port, TimePoint seen) {
  const auto found = entries_.find(address);
  if (found != entries_.end()) {
    Entry& entry = *found->second;
    if (entry.is_static) return Learned::refused;
    if (entry.port == port) {
      touch(entry, seen);
      return Learned::refreshed;
    }
    if (seen < entry.used) return Learned::outdated;
    unlink(entry);
    entry.port = port;
    entry.used = seen;
    link(entry);
    changes_.push_back(address);
    statistics_.moved++;
    return Learned::moved;
  }
  if (entries_.size() >= max_size_ && !evict()) return Learned::refused;
  insert(address, port, false, seen);
  statistics_.learned++;
  return Learned::added;
}

std::optional<MacPort> MacTable::add_static(const MacAddress& address, MacPort port, TimePoint now) {
  std::optional<MacPort> before;
  if (const auto found = entries_.find(address); found != entries_.end()) {
    before = found->second->port;
    remove(*found->second);
  }
  // An operator's entry always has room: a learned one makes way, or the table grows.
  if (entries_.size() >= max_size_) evict();
  insert(address, port, true, now);
  return before;
}

bool MacTable::remove_static(const MacAddress& address) {
  const auto found = entries_.find(address);
  if (found == entries_.end() || !found->second->is_static) return false;
  remove(*found->second);
  return true;
}

void MacTable::flush() {
  while (!by_port_.empty()) remove(by_port_.begin()->second.front());
}

void MacTable::forget_learned(MacPort port) {
  for (auto found = by_port_.find(port); found != by_port_.end(); found = by_port_.find(port))
    remove(found->second.front());
}

void MacTable::forget_port(MacPort port) {
  forget_learned(port);
  if (static_count_ == 0) return;
  std::vector<Entry*> gone;
  for (Entry& entry : by_use_)
    if (entry.is_static && entry.port == port) gone.push_back(&entry);
  for (Entry* entry : gone) remove(*entry);
}

void MacTable::expire(TimePoint now) {
  auto next = by_use_.begin();
  while (next != by_use_.end() && next->used + aging_ <= now) {
    Entry& entry = *next++;
    if (entry.is_static) continue;
    remove(entry);
    statistics_.expired++;
  }
}

std::optional<TimePoint> MacTable::next_expiry() const {
  for (const Entry& entry : by_use_)
    if (!entry.is_static) return entry.used + aging_;
  return std::nullopt;
}

void MacTable::for_each(const std::function<void(const Entry&)>& each) const {
  for (const Entry& entry : by_use_) each(entry);
}

}  // namespace ovs::proto
