#include "netdev/link_table.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "netdev/kernel_device.h"
#include "netlink/ingress_filter.h"
#include "netlink/netfilter_drop.h"

namespace ovs::netdev {
namespace {

LogModule log{"netdev"};

// FNV-1a; a filter's handle is not 0.
std::uint32_t handle_of(const std::string& owner) {
  std::uint32_t hash = 2166136261u;
  for (const char c : owner) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619u;
  return hash ? hash : 1;
}

constexpr const char* tap_kind = "tun";

}  // namespace

LinkTable::LinkTable(netlink::Rtnetlink rtnetlink, netlink::LinkMonitor monitor, const std::string& owner)
    : rtnetlink_(std::move(rtnetlink)),
      monitor_(std::move(monitor)),
      waiting_(::epoll_create1(EPOLL_CLOEXEC)),
      drained_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      filter_handle_(handle_of(owner)),
      alias_("Open vSwitch internal port (" + owner + ")") {}

Result<std::unique_ptr<LinkTable>> LinkTable::open(const std::string& owner) {
  OVS_TRY(auto rtnetlink, netlink::Rtnetlink::open());
  OVS_TRY(auto monitor, netlink::LinkMonitor::open());
  std::unique_ptr<LinkTable> table(new LinkTable(std::move(rtnetlink), std::move(monitor), owner));
  for (const int fd : {table->monitor_.descriptor(), table->drained_.get(), table->timer_.get()}) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    if (::epoll_ctl(table->waiting_.get(), EPOLL_CTL_ADD, fd, &wanted) < 0)
      return Unexpected{system_error("cannot wait for the kernel's announcements of network devices", errno)};
  }
  return table;
}

Result<void> LinkTable::add(KernelDevice& device) {
  if (by_name_.try_emplace(device.name(), &device).second) return {};
  return unexpected("it is in use already", EBUSY);
}

void LinkTable::remove(KernelDevice& device) {
  by_name_.erase(device.name());
  touched_.erase(&device);
  settling_.erase(&device);
  look_again_at_.erase(&device);
  rebind(device, device.state().ifindex, 0);
}

void LinkTable::rebind(KernelDevice& device, unsigned before, unsigned now) {
  if (const auto found = by_ifindex_.find(before); found != by_ifindex_.end() && found->second == &device)
    by_ifindex_.erase(found);
  if (now) by_ifindex_[now] = &device;
}

void LinkTable::present(const netlink::Link& link) {
  // One of our interfaces has another name now: for whoever knows it by the old one, it is gone.
  if (const auto known = by_ifindex_.find(link.ifindex);
      known != by_ifindex_.end() && known->second->name() != link.name)
    known->second->link_gone();
  if (const auto named = by_name_.find(link.name); named != by_name_.end()) named->second->link_present(link);
}

void LinkTable::gone(const netlink::Link& link) {
  if (const auto known = by_ifindex_.find(link.ifindex); known != by_ifindex_.end()) known->second->link_gone();
}

void LinkTable::ask_again() {
  auto links = rtnetlink_.links();
  if (!links) {
    log.warn("cannot find out which network devices there are: {}", links.error().message);
    return;
  }
  std::unordered_map<std::string, const netlink::Link*> there;
  for (const auto& link : *links) there.emplace(link.name, &link);
  for (const auto& [name, device] : by_name_) {
    if (const auto found = there.find(name); found != there.end()) {
      device->link_present(*found->second);
    } else {
      device->link_gone();
    }
  }
}

void LinkTable::read_monitor() {
  const bool complete = monitor_.read([this](netlink::LinkMonitor::Event event, const netlink::Link& link) {
    if (event == netlink::LinkMonitor::Event::gone) {
      gone(link);
    } else {
      present(link);
    }
  });
  if (!complete) ask_again();
}

void LinkTable::drain() {
  read_monitor();
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(drained_.get(), &one, sizeof one);
}

void LinkTable::look_again(KernelDevice& device, std::chrono::milliseconds in) {
  look_again_at_[&device] = std::chrono::steady_clock::now() + in;
  set_timer();
}

void LinkTable::set_settling(KernelDevice& device, bool settling) {
  if (settling)
    settling_.insert(&device);
  else
    settling_.erase(&device);
}

void LinkTable::set_timer() {
  itimerspec when{};  // without a value: never
  if (!look_again_at_.empty()) {
    const auto first = std::ranges::min_element(look_again_at_, {}, [](const auto& entry) { return entry.second; });
    const auto nanoseconds = std::max<std::int64_t>(
        1, std::chrono::nanoseconds(first->second - std::chrono::steady_clock::now()).count());
    when.it_value = {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  }
  (void)::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

void LinkTable::look_again_at_some() {
  if (look_again_at_.empty()) return;
  const auto now = std::chrono::steady_clock::now();
  std::vector<KernelDevice*> due;
  for (const auto& [device, at] : look_again_at_)
    if (at <= now) due.push_back(device);
  for (KernelDevice* device : due) {
    look_again_at_.erase(device);
    device->look_again();
  }
  set_timer();
}

std::vector<std::string> LinkTable::process_events() {
  std::uint64_t count;
  [[maybe_unused]] ssize_t n = ::read(drained_.get(), &count, sizeof count);
  n = ::read(timer_.get(), &count, sizeof count);
  read_monitor();
  look_again_at_some();
  std::vector<std::string> changed;
  for (KernelDevice* device : std::exchange(touched_, {}))
    if (device->take_change()) changed.push_back(device->name());
  std::sort(changed.begin(), changed.end());
  return changed;
}

Result<std::map<std::string, Statistics>> LinkTable::all_statistics() {
  std::map<std::string, Statistics> all;
  OVS_TRY_DO(rtnetlink_.all_counters([&](unsigned ifindex, const netlink::LinkCounters& counters) {
    const auto found = by_ifindex_.find(ifindex);
    if (found == by_ifindex_.end()) return;
    all.emplace(found->second->name(), found->second->to_statistics(counters));
    if (found->second->is_outdated()) look_again(*found->second, {});
  }));
  for (const auto& [name, device] : by_name_)
    if (device->out_of_sight()) all.emplace(name, device->own_statistics());
  return all;
}

void LinkTable::block_ingress(const std::string& name, unsigned ifindex) {
  const auto done = netlink::add_ingress_filter(rtnetlink_, ifindex, filter_handle_);
  if (done) return;
  const auto other = netlink::add_netfilter_drop(name, filter_handle_);
  if (other) {
    if (!std::exchange(has_netfilter_drops_, true))
      log.info("{}: a chain of nftables keeps frames from the host's own network stack, because a traffic control filter "
               "cannot ({})", name, done.error().message);
    return;
  }
  if (std::exchange(told_of_filters_, true)) return;
  log.warn("{}: the host's own network stack also sees the frames that this port receives ({}; {}); to keep them from "
           "it, the kernel needs CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF, or CONFIG_NF_TABLES_NETDEV", name,
           done.error().message, other.error().message);
}

void LinkTable::unblock_ingress(const std::string& name, unsigned ifindex) {
  (void)netlink::remove_ingress_filter(rtnetlink_, ifindex, filter_handle_);
  if (has_netfilter_drops_) (void)netlink::remove_netfilter_drop(name, filter_handle_);
}

void LinkTable::remove_leftovers(const std::function<bool(const std::string&)>& wanted) {
  if (auto filtered = netlink::find_ingress_filters(rtnetlink_, filter_handle_)) {
    for (const unsigned ifindex : *filtered)
      if (!by_ifindex_.contains(ifindex)) (void)netlink::remove_ingress_filter(rtnetlink_, ifindex, filter_handle_);
  }
  if (auto dropping = netlink::find_netfilter_drops(filter_handle_)) {
    for (const std::string& name : *dropping)
      if (!by_name_.contains(name)) (void)netlink::remove_netfilter_drop(name, filter_handle_);
  }
  if (auto links = rtnetlink_.links()) {
    for (const auto& link : *links) {
      if (link.kind != tap_kind || link.alias != alias_ || by_ifindex_.contains(link.ifindex)) continue;
      if (wanted && wanted(link.name)) continue;
      log.info("removing the interface {}, which is no port any more", link.name);
      (void)rtnetlink_.remove_link(link.ifindex);
    }
  }
}

}  // namespace ovs::netdev
