// From the database's columns to the plain structs that the switch takes (ofproto/config.h).
//
// Every value that makes no sense has a safe meaning, and a sentence that says so; the caller logs it.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "flow/flow_key.h"
#include "ofproto/config.h"
#include "telemetry/sflow.h"
#include "vswitchd/rows.h"

namespace ovs::vswitchd {

using Complaints = std::vector<std::string>;  // each a sentence without the row's name

// A Port's VLANs and its like; `members` and `name` stay empty.  ovs-vswitchd.conf.db(5), Port.
struct PortColumns {
  std::optional<std::string> vlan_mode;
  std::optional<std::int64_t> tag;
  std::vector<std::int64_t> trunks, cvlans;
  StringMap other_config;
  bool is_protected = false;
};
ofproto::BundleConfig bundle_config(const PortColumns& columns, Complaints& complaints);

// A Bridge's settings; `mac` and `datapath_id` stay zero, since they depend on its ports.
struct BridgeColumns {
  std::optional<std::string> fail_mode;
  bool has_controller = false;
  std::vector<std::int64_t> flood_vlans;
  StringMap other_config;
};
ofproto::BridgeConfig bridge_config(const BridgeColumns& columns, Complaints& complaints);

// A row of sFlow; empty if it has no target that can be used.
struct SflowColumns {
  std::vector<std::string> targets;
  std::optional<std::string> agent;
  std::optional<std::int64_t> header, sampling, polling;
};
std::optional<telemetry::SflowConfig> sflow_config(const SflowColumns& columns, Complaints& complaints);

// other_config:datapath-id: 16 hexadecimal digits, or up to 16 behind 0x; never zero.
std::optional<std::uint64_t> parse_datapath_id(std::string_view text);
std::string format_datapath_id(std::uint64_t id);
// That of a bridge which is not told one: the address of its local port.
std::uint64_t datapath_id_of(const flow::EthAddr& mac);

bool is_multicast(const flow::EthAddr& mac);
// Whether the local port of a bridge may take over this address of one of its ports: it is a real device's
// own one, neither multicast nor locally administered nor zero.
bool is_lendable(const flow::EthAddr& mac);
// An address of its own for the local port of the bridge with this row: the same one in every run, and locally
// administered.
flow::EthAddr mac_of_bridge(const Uuid& id);

// Why a device of the kernel cannot have this name; empty if it can.
std::string device_name_error(std::string_view name);

// "true" is true, anything else is not.
bool get_bool(const StringMap& map, const std::string& key, bool otherwise);
// other_config:KEY, moved to the nearest bound; `otherwise` where it is absent or no whole number.
std::int64_t get_number(const StringMap& other_config, const std::string& key, std::int64_t otherwise,
                        std::int64_t least, std::int64_t most, Complaints& complaints);

}  // namespace ovs::vswitchd
