// MacTable: which port each MAC address of a VLAN is behind, as a learning switch knows it
// (IEEE 802.1Q-2018, section 8.8, "filtering database").
//
// Entries are learned from source addresses, move when the address shows up elsewhere, and age out
// when it is silent.  Static entries are put in by an operator: they neither move nor age.  Of a
// table that is full the port that has the most learned entries loses the one of these that has
// been silent longest: so a port that invents addresses pushes out its own, and not those of others.
//
// Whoever keeps results of look-ups learns from take_changes() which of them no longer hold: every
// (VLAN, address) whose port is another than before, or came, or went.
//
// Ports are whatever number the owner gives them.  Time is an argument.  What a packet teaches may be told late, when
// its megaflow's counters are read: it does not undo what a later packet has taught.
//
// Complexity: learn(), find() constant but for the port counts (logarithmic in the number of ports);
// expire() and flush() linear in what they remove.
//
// Thread safety: one thread.
#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "flow/flow_key.h"

namespace ovs::proto {

using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

enum class MacPort : std::uint32_t {};

struct MacAddress {
  std::uint16_t vlan;
  flow::EthAddr mac;
  friend bool operator==(const MacAddress&, const MacAddress&) = default;
  friend auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

// Spreads addresses; `secret` keeps who invents addresses from choosing the buckets.
struct MacAddressHash {
  using is_avalanching = void;
  std::uint64_t secret = 0;
  std::size_t operator()(const MacAddress& address) const noexcept;
};

class MacTable {
 public:
  static constexpr std::chrono::seconds default_aging{300};
  static constexpr std::size_t default_size = 8192;

  struct Entry : boost::intrusive::list_base_hook<> {
    MacAddress address;
    MacPort port;
    bool is_static;
    TimePoint used;  // when the last packet came that taught it

   private:
    friend class MacTable;
    boost::intrusive::list_member_hook<> port_hook_;
  };

  struct Statistics {  // since the beginning or clear_statistics()
    std::uint64_t learned = 0;
    std::uint64_t expired = 0;
    std::uint64_t evicted = 0;
    std::uint64_t moved = 0;
  };

  explicit MacTable(std::uint64_t hash_secret = 0);
  ~MacTable();
  MacTable(const MacTable&) = delete;
  MacTable& operator=(const MacTable&) = delete;

  // What stands beyond the new size goes, by the rule of a full table; at least one entry stays possible.
  void set_size(std::size_t entries);
  void set_aging(std::chrono::seconds aging);  // at the next expire()
  std::size_t max_size() const { return max_size_; }

  // nullptr if the address is unknown.
  const Entry* find(const MacAddress& address) const;
  // Whether learn() would do more than note the time.
  bool would_learn(const MacAddress& address, MacPort port) const;

  // refused: static, or all the table is; outdated: a later packet came by another port
  enum class Learned { refreshed, added, moved, refused, outdated };
  // By a packet that came at `seen`.
  Learned learn(const MacAddress& address, MacPort port, TimePoint seen);

  // A static entry, in place of what there is; the port that the address was behind before.
  std::optional<MacPort> add_static(const MacAddress& address, MacPort port, TimePoint now);
  bool remove_static(const MacAddress& address);  // false if there is none

  void flush();                   // all learned entries
  void forget_port(MacPort port);  // all of a port, static ones too
  void forget_learned(MacPort port);
  void expire(TimePoint now);
  // When the first entry is due to expire.
  std::optional<TimePoint> next_expiry() const;

  std::size_t size() const { return entries_.size(); }
  std::size_t static_count() const { return static_count_; }
  const Statistics& statistics() const { return statistics_; }
  void clear_statistics() { statistics_ = {}; }
  // From the one that was silent longest to the latest.
  void for_each(const std::function<void(const Entry&)>& each) const;

  // The addresses whose look-up gives another result than at the last call; some may be named twice.
  std::vector<MacAddress> take_changes() { return std::exchange(changes_, {}); }
  bool has_changes() const { return !changes_.empty(); }

 private:
  using PortList = boost::intrusive::list<
      Entry, boost::intrusive::member_hook<Entry, boost::intrusive::list_member_hook<>, &Entry::port_hook_>>;
  using PortMap = std::unordered_map<MacPort, PortList>;

  void link(Entry& entry);
  void unlink(Entry& entry);
  void touch(Entry& entry, TimePoint seen);
  void remove(Entry& entry);
  bool evict();
  Entry& insert(const MacAddress& address, MacPort port, bool is_static, TimePoint now);

  boost::unordered_flat_map<MacAddress, std::unique_ptr<Entry>, MacAddressHash> entries_;
  boost::intrusive::list<Entry> by_use_;  // all entries
  PortMap by_port_;                       // learned ones, each list by use
  std::set<std::pair<std::size_t, MacPort>> by_count_;  // of learned ones
  std::size_t static_count_ = 0;
  std::size_t max_size_ = default_size;
  std::chrono::seconds aging_ = default_aging;
  Statistics statistics_;
  std::vector<MacAddress> changes_;
};

}  // namespace ovs::proto
