// A filter at a network interface's entrance that drops every frame before the host's own stack sees it (tc(8), tc-bpf(8)).
//
// Packet sockets get their copy before this filter is asked, so that a switch which reads an interface by such a
// socket has it for itself.  The filter is one instruction of classic BPF, "return TC_ACT_SHOT", in direct-action mode: this
// needs CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF, and no right beyond CAP_NET_ADMIN.
//
// A filter stays when the process that made it ends.  Its handle tells whose it is.  Filters of others
// at the same interface come first (ours has the last priority) and are left alone.
//
// Thread safety: as Rtnetlink.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "netlink/rtnetlink.h"

namespace ovs::netlink {

// No error if it is there already.  ENOENT: this kernel lacks what it takes.
Result<void> add_ingress_filter(Rtnetlink& rtnetlink, unsigned ifindex, std::uint32_t handle);
// No error if it is not there.
Result<void> remove_ingress_filter(Rtnetlink& rtnetlink, unsigned ifindex, std::uint32_t handle);
// Interfaces that have a filter with this handle.
Result<std::vector<unsigned>> find_ingress_filters(Rtnetlink& rtnetlink, std::uint32_t handle);

}  // namespace ovs::netlink
