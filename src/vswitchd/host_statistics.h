// What Open_vSwitch.statistics says of the host: processors, load, memory, our daemons, file systems
// (ovs-vswitchd.conf.db(5)).
//
// Thread safety: pure functions; host_statistics() reads /proc, and no file system that may keep it waiting.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ovs::vswitchd {

// "cpu", "load_average", "memory", "process_NAME" for every locked NAME.pid in `run_directory`, "file_systems"; what
// cannot be found out is left out.
std::map<std::string, std::string> host_statistics(const std::string& run_directory);

// ---- what it is made of

// "TOTAL,USED,DISCARDABLE,SWAP,SWAP_USED" in KiB, from the content of /proc/meminfo; empty: it has not all of it.
std::optional<std::string> memory_statistics(std::string_view meminfo);

// From the content of /proc/PID/stat.
struct ProcessStat {
  std::string name;
  int parent = 0;
  std::uint64_t cpu_ticks = 0;    // of user and system
  std::uint64_t start_ticks = 0;  // since the system was started
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};
std::optional<ProcessStat> parse_process_stat(std::string_view text);

// Where local file systems that can be written are mounted, from the content of /proc/mounts; `types` are those that
// are on devices of this host.
std::vector<std::string> writable_mounts(std::string_view mounts, const std::set<std::string, std::less<>>& types);
// From the content of /proc/filesystems.
std::set<std::string, std::less<>> local_types(std::string_view filesystems);

}  // namespace ovs::vswitchd
