// What the switch says about itself and its host in the row of Open_vSwitch.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ovs::vswitchd {

struct HostFacts {
  std::string ovs_version;
  std::string db_version;  // of the server's schema; empty: not known yet
  // Written only where the database has none: an administrator may have chosen better names.
  std::string system_type, system_version;
  std::vector<std::string> datapath_types, iface_types;
};

// ID and VERSION_ID of os-release(5), the content of which is `text`; "unknown" for what is not there.
struct System {
  std::string type, version;
};
System parse_os_release(std::string_view text);
System this_system();  // from /etc/os-release

}  // namespace ovs::vswitchd
