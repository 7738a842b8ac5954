#include "vswitchd/stored_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ovs::vswitchd {

namespace {

struct Stored {
  std::string_view table;
  std::string_view key;      // with "*" at its end: every key that begins so
  std::string_view omitted;  // the value that asks for no more than the absence of the key
  std::string_view instead;
};

constexpr std::string_view no_dpdk = "there is no DPDK in this switch", in_software = "flows stay in software",
                           queues = "receive queues are spread evenly over the forwarding threads",
                           flow_cache = "the caches of flows are as they are",
                           one_thread = "one thread answers packets that the cache has no flow for, and checks flows",
                           checks = "flows are checked when what they depend on changes";

constexpr std::array all{
    Stored{"Open_vSwitch", "pmd-cpu-mask", "",
           "there is a forwarding thread for each processor that ovs-vswitchd may use (taskset), up to 8, and the kernel "
           "moves them"},
    Stored{"Open_vSwitch", "pmd-rxq-assign", "cycles", queues},
    Stored{"Open_vSwitch", "pmd-rxq-isolate", "true", queues},
    Stored{"Open_vSwitch", "pmd-auto-lb*", "false", queues},
    Stored{"Open_vSwitch", "pmd-maxsleep", "0", "forwarding threads sleep when there is nothing to do"},
    Stored{"Open_vSwitch", "pmd-perf-metrics", "false", "nothing is measured"},
    Stored{"Open_vSwitch", "tx-flush-interval", "0", "packets are sent at once"},
    Stored{"Open_vSwitch", "emc-insert-inv-prob", "100", flow_cache},
    Stored{"Open_vSwitch", "smc-enable", "false", flow_cache},
    Stored{"Open_vSwitch", "userspace-tso-enable", "false", "segments stay whole where both interfaces allow it"},
    Stored{"Open_vSwitch", "hw-offload", "false", in_software},
    Stored{"Open_vSwitch", "n-offload-threads", "1", in_software},
    Stored{"Open_vSwitch", "tc-policy", "none", in_software},
    Stored{"Open_vSwitch", "offload-rebalance", "false", in_software},
    Stored{"Open_vSwitch", "max-revalidator", "500", checks},
    Stored{"Open_vSwitch", "min-revalidate-pps", "5", checks},
    Stored{"Open_vSwitch", "n-handler-threads", "", one_thread},
    Stored{"Open_vSwitch", "n-revalidator-threads", "", one_thread},
    Stored{"Open_vSwitch", "bundle-idle-timeout", "10", "there are no OpenFlow connections"},
    Stored{"Open_vSwitch", "dpdk-*", "false", no_dpdk},
    Stored{"Open_vSwitch", "vhost-*", "false", no_dpdk},
    Stored{"Open_vSwitch", "per-port-memory", "false", no_dpdk},
    Stored{"Open_vSwitch", "shared-mempool-config", "", no_dpdk},
    Stored{"Port", "bond-detect-mode", "carrier", "links count as what their carrier signal says"},
    Stored{"Interface", "pmd-rxq-affinity", "", queues},
    Stored{"Interface", "tx-steering", "thread", "each forwarding thread sends by a queue of its own"},
    Stored{"Interface", "emc-enable", "true", flow_cache},
};

bool is_of(std::string_view key, std::string_view pattern) {
  if (!pattern.ends_with('*')) return key == pattern;
  pattern.remove_suffix(1);
  return key.starts_with(pattern);
}

}  // namespace

void complain_of_stored_settings(std::string_view table, const StringMap& other_config, Complaints& complaints) {
  for (const auto& [key, value] : other_config) {
    const auto found =
        std::ranges::find_if(all, [&, &key = key](const Stored& s) { return s.table == table && is_of(key, s.key); });
    if (found == all.end() || value == found->omitted) continue;
    complaints.push_back(fmt::format("other_config:{} is not supported yet: {}", key, found->instead));
  }
}

}  // namespace ovs::vswitchd
