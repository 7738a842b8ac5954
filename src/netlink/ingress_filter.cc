#include "netlink/ingress_filter.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cerrno>
#include <string_view>

#include "base/check.h"

namespace ovs::netlink {
namespace {

constexpr std::uint32_t last_priority = 0xffff;
// The entrance, whether the interface has the queueing discipline "ingress" or "clsact".
constexpr std::uint32_t entrance = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
constexpr std::uint32_t ingress_handle = TC_H_MAKE(TC_H_INGRESS, 0);

Rtnetlink::Message new_message(int type, int flags, const tcmsg& about) {
  Rtnetlink::Message message(nlmsg_alloc_simple(type, flags));
  OVS_CHECK(message != nullptr, "out of memory");
  OVS_CHECK(nlmsg_append(message.get(), const_cast<tcmsg*>(&about), sizeof about, NLMSG_ALIGNTO) == 0,
            "a netlink message is full");
  return message;
}

tcmsg about_interface(unsigned ifindex, std::uint32_t parent) {
  tcmsg about{};
  about.tcm_family = AF_UNSPEC;
  about.tcm_ifindex = static_cast<int>(ifindex);
  about.tcm_parent = parent;
  return about;
}

tcmsg about_filter(unsigned ifindex, std::uint32_t handle) {
  tcmsg about = about_interface(ifindex, entrance);
  about.tcm_handle = handle;
  about.tcm_info = TC_H_MAKE(last_priority << 16, htons(ETH_P_ALL));
  return about;
}

Result<void> add_ingress_discipline(Rtnetlink& rtnetlink, unsigned ifindex) {
  tcmsg about = about_interface(ifindex, TC_H_INGRESS);
  about.tcm_handle = ingress_handle;
  auto message = new_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, about);
  nla_put_string(message.get(), TCA_KIND, "ingress");
  auto done = rtnetlink.transact("adding an ingress queueing discipline", std::move(message));
  if (!done && done.error().code == EEXIST) return {};
  return done;
}

bool is_filter(nlmsghdr* header, std::uint32_t handle) {
  if (header->nlmsg_type != RTM_NEWTFILTER) return false;
  const auto* about = static_cast<const tcmsg*>(nlmsg_data(header));
  return about->tcm_handle == handle && about->tcm_info >> 16 == last_priority;
}

// Calls `each` for every filter at the entrance.
Result<void> dump_filters(Rtnetlink& rtnetlink, unsigned ifindex, const std::function<void(nlmsghdr*)>& each) {
  return rtnetlink.transact("listing the filters of a network device",
                            new_message(RTM_GETTFILTER, NLM_F_DUMP, about_interface(ifindex, entrance)), each);
}

}  // namespace

Result<void> add_ingress_filter(Rtnetlink& rtnetlink, unsigned ifindex, std::uint32_t handle) {
  OVS_TRY_DO(add_ingress_discipline(rtnetlink, ifindex));
  auto message = new_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, about_filter(ifindex, handle));
  nla_put_string(message.get(), TCA_KIND, "bpf");
  nlattr* options = nla_nest_start(message.get(), TCA_OPTIONS);
  OVS_CHECK(options != nullptr, "a netlink message is full");
  const sock_filter drop = BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT);
  nla_put_u16(message.get(), TCA_BPF_OPS_LEN, 1);
  nla_put(message.get(), TCA_BPF_OPS, sizeof drop, &drop);
  nla_put_u32(message.get(), TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
  nla_nest_end(message.get(), options);
  auto done = rtnetlink.transact("adding a filter that drops", std::move(message));
  if (!done && done.error().code == EEXIST) return {};
  return done;
}

Result<void> remove_ingress_filter(Rtnetlink& rtnetlink, unsigned ifindex, std::uint32_t handle) {
  auto message = new_message(RTM_DELTFILTER, 0, about_filter(ifindex, handle));
  nla_put_string(message.get(), TCA_KIND, "bpf");
  auto done = rtnetlink.transact("removing the filter that drops", std::move(message));
  // EINVAL: there is no queueing discipline that it could be in.
  if (!done && done.error().code != ENOENT && done.error().code != EINVAL) return done;

  // The discipline goes, too, unless someone else uses it.
  bool used = false;
  auto listed = dump_filters(rtnetlink, ifindex, [&](nlmsghdr* header) {
    if (header->nlmsg_type == RTM_NEWTFILTER) used = true;
  });
  if (!listed || used) return {};
  tcmsg about = about_interface(ifindex, TC_H_INGRESS);
  about.tcm_handle = ingress_handle;
  auto remove = new_message(RTM_DELQDISC, 0, about);
  nla_put_string(remove.get(), TCA_KIND, "ingress");  // not "clsact", which is none of ours
  (void)rtnetlink.transact("removing the ingress queueing discipline", std::move(remove));
  return {};
}

Result<std::vector<unsigned>> find_ingress_filters(Rtnetlink& rtnetlink, std::uint32_t handle) {
  std::vector<unsigned> candidates, found;
  OVS_TRY_DO(rtnetlink.transact(
      "listing the queueing disciplines", new_message(RTM_GETQDISC, NLM_F_DUMP, about_interface(0, 0)),
      [&](nlmsghdr* header) {
        if (header->nlmsg_type != RTM_NEWQDISC) return;
        const auto* about = static_cast<const tcmsg*>(nlmsg_data(header));
        if (about->tcm_parent == TC_H_INGRESS) candidates.push_back(static_cast<unsigned>(about->tcm_ifindex));
      }));
  for (const unsigned ifindex : candidates) {
    bool ours = false;
    auto listed = dump_filters(rtnetlink, ifindex, [&](nlmsghdr* header) { ours |= is_filter(header, handle); });
    if (listed && ours) found.push_back(ifindex);
  }
  return found;
}

}  // namespace ovs::netlink
