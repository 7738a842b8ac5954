// A chain of nftables at a network interface's entrance that drops every frame before the host's own stack sees it:
// what ingress_filter.h does, for kernels that cannot do that.
//
// Packet sockets get their copy before this chain is asked, too.  It needs CONFIG_NF_TABLES_NETDEV and CAP_NET_ADMIN.
// The chain has no rule, but a policy; it is named after the interface, in a table of the family netdev that is named
// after `handle`, so that it is known whose it is.  It stays when the process that made it ends, and goes with the
// interface; and, which makes it the second choice, when somebody loads a firewall's rules with "flush ruleset".
//
// Messages are those of nfnetlink (linux/netfilter/nfnetlink.h, nf_tables.h): changes come as a batch that the kernel
// makes as a whole or not at all.
//
// Thread safety: pure functions but for what they do in the kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace ovs::netlink {

// No error if it is there already.
Result<void> add_netfilter_drop(const std::string& interface, std::uint32_t handle);
// No error if it is not there.
Result<void> remove_netfilter_drop(const std::string& interface, std::uint32_t handle);
// Interfaces that have a chain in the table of this handle.
Result<std::vector<std::string>> find_netfilter_drops(std::uint32_t handle);

}  // namespace ovs::netlink
