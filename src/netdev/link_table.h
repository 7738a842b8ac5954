// LinkTable: which Netdev stands for which Linux interface, and what all of them share: the
// sockets to ask the kernel and to hear from it.
//
// Thread safety: the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "netdev/ethtool.h"
#include "netdev/netdev.h"
#include "netlink/link_monitor.h"
#include "netlink/rtnetlink.h"

namespace ovs::netdev {

class KernelDevice;

class LinkTable {
 public:
  static Result<std::unique_ptr<LinkTable>> open(const std::string& owner);

  netlink::Rtnetlink& rtnetlink() { return rtnetlink_; }
  const Ethtool& ethtool() const { return ethtool_; }

  // EBUSY if there is a device of that name.
  Result<void> add(KernelDevice& device);
  void remove(KernelDevice& device);
  // `device` stands for the interface `now` and no longer for `before`; 0: none.
  void rebind(KernelDevice& device, unsigned before, unsigned now);

  // The device's state may be another one now: process_events() has a look at it.
  void touched(KernelDevice& device) { touched_.insert(&device); }

  // process_events() calls the device's look_again() when this time is over; what was asked before is forgotten.
  void look_again(KernelDevice& device, std::chrono::milliseconds in);

  // Its State::settling.
  void set_settling(KernelDevice& device, bool settling);
  bool is_settling() const { return !settling_.empty(); }

  int descriptor() const { return waiting_.get(); }
  std::vector<std::string> process_events();
  // Reads what has come, so that what is asked from the kernel now is not older than what is read later; the
  // changes are told by the next process_events(), for which the descriptor becomes readable.
  void drain();
  Result<std::map<std::string, Statistics>> all_statistics();

  // Keeps the frames that an interface receives from the host's own stack.  Where the kernel
  // cannot, the log says so, once.
  void block_ingress(const std::string& name, unsigned ifindex);
  void unblock_ingress(const std::string& name, unsigned ifindex);
  // What marks a TAP interface as one of ours.
  const std::string& alias() const { return alias_; }
  void remove_leftovers(const std::function<bool(const std::string&)>& wanted);

 private:
  LinkTable(netlink::Rtnetlink rtnetlink, netlink::LinkMonitor monitor, const std::string& owner);
  void read_monitor();
  void present(const netlink::Link& link);
  void gone(const netlink::Link& link);
  void ask_again();
  void set_timer();
  void look_again_at_some();

  netlink::Rtnetlink rtnetlink_;
  netlink::LinkMonitor monitor_;
  Ethtool ethtool_;
  Descriptor waiting_;  // an epoll instance of the monitor, and the two below
  Descriptor drained_;  // an eventfd, readable when drain() has found something
  Descriptor timer_;    // a timerfd, for the first of those to look at again
  std::unordered_map<KernelDevice*, std::chrono::steady_clock::time_point> look_again_at_;
  std::uint32_t filter_handle_;
  std::string alias_;
  bool told_of_filters_ = false;
  bool has_netfilter_drops_ = false;
  std::unordered_map<std::string, KernelDevice*> by_name_;
  std::unordered_map<unsigned, KernelDevice*> by_ifindex_;
  std::unordered_set<KernelDevice*> touched_, settling_;
};

}  // namespace ovs::netdev
