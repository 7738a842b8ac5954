#include "netdev/kernel_device.h"

#include <cerrno>

#include "base/log.h"

namespace ovs::netdev {
namespace {

LogModule log{"netdev"};
RateLimit opening_failed;

}  // namespace

KernelDevice::~KernelDevice() {
  if (added_) links_.remove(*this);
}

Result<void> KernelDevice::start() {
  links_.drain();
  OVS_TRY_DO(links_.add(*this));
  added_ = true;
  OVS_TRY_DO(make_interface());
  OVS_TRY(auto link, links_.rtnetlink().find_link(name()));
  if (link) OVS_TRY_DO(adopt(*link));
  told_state_ = state_;
  told_generation_ = generation_;
  return {};
}

Result<void> KernelDevice::adopt(const netlink::Link& link) {
  links_.touched(*this);
  const bool yields = yields_to_master() && link.master;
  if (!yields) OVS_TRY_DO(open_interface(link));
  open_ = !yields;
  out_of_sight_ = false;
  master_ = 0;
  links_.rebind(*this, state_.ifindex, link.ifindex);
  state_.ifindex = link.ifindex;
  ++generation_;
  links_.ethtool().read_driver(name(), state_);
  links_.ethtool().read_speed(name(), state_);
  state_.link_up = link.running;  // not a reset: nobody has seen it otherwise
  apply(link);
  return {};
}

void KernelDevice::apply(const netlink::Link& link) {
  links_.touched(*this);
  state_.mac.bytes = link.mac;
  state_.mtu = link.mtu;
  state_.admin_up = link.admin_up;
  apply_master(link);
  link_changed(link);
  if (state_.link_up == link.running) return;
  state_.link_up = link.running;
  ++state_.link_resets;
  links_.ethtool().read_speed(name(), state_);
}

void KernelDevice::apply_master(const netlink::Link& link) {
  if (!yields_to_master() || link.master == master_) return;
  master_ = link.master;
  state_.master.clear();
  if (master_) {
    auto master = links_.rtnetlink().find_link(master_);
    state_.master = master && *master ? (*master)->name : std::to_string(master_);
  }
  if (open_ == !master_) return;
  ++generation_;
  if (open_) {
    close_interface();
    open_ = false;
  } else if (auto done = open_interface(link); done) {
    open_ = true;
  } else {
    log.limited(opening_failed, LogLevel::warn, "could not open network device {} ({})", name(),
                done.error().message);
  }
}

void KernelDevice::begin_generation(std::string trouble, bool settling) {
  links_.touched(*this);
  links_.set_settling(*this, settling);
  state_.trouble = std::move(trouble);
  state_.settling = settling;
  ++generation_;
}

void KernelDevice::forget_interface() {
  links_.touched(*this);
  links_.set_settling(*this, false);
  out_of_sight_ = false;
  open_ = false;
  master_ = 0;
  links_.rebind(*this, state_.ifindex, 0);
  const auto resets = state_.link_resets + (state_.link_up ? 1 : 0);
  state_ = State{};
  state_.link_resets = resets;
  ++generation_;
}

void KernelDevice::leave_sight() {
  links_.rebind(*this, state_.ifindex, 0);
  out_of_sight_ = true;
}

void KernelDevice::link_present(const netlink::Link& link) {
  if (link.ifindex == state_.ifindex && !out_of_sight_) return apply(link);
  // The message may be older than what is there now.
  auto now = links_.rtnetlink().find_link(name());
  if (!now || !*now) return link_gone();
  if ((*now)->ifindex == state_.ifindex && !out_of_sight_) return apply(**now);
  const bool was_up = state_.link_up;
  if (auto done = adopt(**now); !done) {
    log.limited(opening_failed, LogLevel::warn, "could not open network device {} ({})", name(),
                done.error().message);
    if (state_.ifindex) forget_interface();
    return;
  }
  if (was_up != state_.link_up) ++state_.link_resets;
}

void KernelDevice::link_gone() {
  if (state_.ifindex == 0) return;
  if (!interface_lost()) forget_interface();
}

bool KernelDevice::take_change() {
  if (told_generation_ == generation_ && told_state_ == state_) return false;
  told_generation_ = generation_;
  told_state_ = state_;
  return true;
}

Result<unsigned> KernelDevice::existing() const {
  if (state_.ifindex == 0) return Unexpected{system_error(name(), ENODEV)};
  return state_.ifindex;
}

Result<Statistics> KernelDevice::statistics() const {
  if (out_of_sight_) return own_statistics();
  OVS_TRY(const unsigned index, existing());
  OVS_TRY(const auto counters, links_.rtnetlink().counters(index));
  return to_statistics(counters);
}

// After a change: state() has it at once.
Result<void> KernelDevice::changed(Result<void> done) {
  if (!done) return Unexpected{std::move(done).error().in(name())};
  if (auto link = links_.rtnetlink().find_link(name()); link && *link && (*link)->ifindex == state_.ifindex)
    apply(**link);
  return {};
}

Result<void> KernelDevice::set_mtu(unsigned mtu) {
  OVS_TRY(const unsigned index, existing());
  return changed(links_.rtnetlink().set_mtu(index, mtu));
}

Result<void> KernelDevice::set_mac(const flow::EthAddr& mac) {
  OVS_TRY(const unsigned index, existing());
  return changed(links_.rtnetlink().set_mac(index, mac.bytes));
}

Result<void> KernelDevice::set_admin_up(bool up) {
  OVS_TRY(const unsigned index, existing());
  return changed(links_.rtnetlink().set_admin_up(index, up));
}

}  // namespace ovs::netdev
