// The tables and columns of the database that the switch daemon reads or writes.
//
// What is declared here is monitored (dbclient/typed.h); tests/unit/vswitchd holds it against the schema.
// Interface.statistics is not declared: it changes all the time, nobody but us writes it, and its
// echo would be work for nothing (reporter.h).
//
// Thread safety: types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dbclient/typed.h"

namespace ovs::vswitchd {

inline constexpr std::string_view database_name = "Open_vSwitch";
inline constexpr std::string_view lock_name = "ovs_vswitchd";

using StringMap = std::map<std::string, std::string>;
using dbclient::Col;

using RootRow =
    dbclient::Row<"Open_vSwitch", Col<"bridges", std::vector<Uuid>>, Col<"other_config", StringMap>,
                  Col<"next_cfg", std::int64_t>, Col<"cur_cfg", std::int64_t>,
                  Col<"ovs_version", std::optional<std::string>>, Col<"db_version", std::optional<std::string>>,
                  Col<"system_type", std::optional<std::string>>, Col<"system_version", std::optional<std::string>>,
                  Col<"datapath_types", std::vector<std::string>>, Col<"iface_types", std::vector<std::string>>,
                  Col<"dpdk_initialized", bool>, Col<"dpdk_version", std::optional<std::string>>>;

using BridgeRow =
    dbclient::Row<"Bridge", Col<"name", std::string>, Col<"datapath_type", std::string>,
                  Col<"datapath_version", std::string>, Col<"datapath_id", std::optional<std::string>>,
                  Col<"ports", std::vector<Uuid>>, Col<"controller", std::vector<Uuid>>,
                  Col<"fail_mode", std::optional<std::string>>, Col<"flood_vlans", std::vector<std::int64_t>>,
                  Col<"status", StringMap>, Col<"other_config", StringMap>, Col<"stp_enable", bool>,
                  Col<"rstp_enable", bool>, Col<"mcast_snooping_enable", bool>, Col<"mirrors", std::vector<Uuid>>,
                  Col<"netflow", std::optional<Uuid>>, Col<"sflow", std::optional<Uuid>>,
                  Col<"ipfix", std::optional<Uuid>>>;

using PortRow =
    dbclient::Row<"Port", Col<"name", std::string>, Col<"interfaces", std::vector<Uuid>>,
                  Col<"vlan_mode", std::optional<std::string>>, Col<"tag", std::optional<std::int64_t>>,
                  Col<"trunks", std::vector<std::int64_t>>, Col<"cvlans", std::vector<std::int64_t>>,
                  Col<"other_config", StringMap>, Col<"protected", bool>, Col<"mac", std::optional<std::string>>,
                  Col<"qos", std::optional<Uuid>>, Col<"bond_mode", std::optional<std::string>>,
                  Col<"bond_updelay", std::int64_t>, Col<"bond_downdelay", std::int64_t>,
                  Col<"lacp", std::optional<std::string>>, Col<"bond_active_slave", std::optional<std::string>>,
                  Col<"bond_fake_iface", bool>>;

using InterfaceRow =
    dbclient::Row<"Interface", Col<"name", std::string>, Col<"type", std::string>, Col<"options", StringMap>,
                  Col<"ofport_request", std::optional<std::int64_t>>, Col<"mac", std::optional<std::string>>,
                  Col<"mtu_request", std::optional<std::int64_t>>, Col<"ingress_policing_rate", std::int64_t>,
                  Col<"ingress_policing_kpkts_rate", std::int64_t>, Col<"ofport", std::optional<std::int64_t>>,
                  Col<"error", std::optional<std::string>>, Col<"ifindex", std::optional<std::int64_t>>,
                  Col<"mac_in_use", std::optional<std::string>>, Col<"admin_state", std::optional<std::string>>,
                  Col<"link_state", std::optional<std::string>>, Col<"link_resets", std::optional<std::int64_t>>,
                  Col<"link_speed", std::optional<std::int64_t>>, Col<"duplex", std::optional<std::string>>,
                  Col<"mtu", std::optional<std::int64_t>>, Col<"status", StringMap>,
                  Col<"other_config", StringMap>, Col<"bfd", StringMap>, Col<"cfm_mpid", std::optional<std::int64_t>>,
                  Col<"lldp", StringMap>>;

using SflowRow = dbclient::Row<"sFlow", Col<"targets", std::vector<std::string>>,
                               Col<"agent", std::optional<std::string>>, Col<"header", std::optional<std::int64_t>>,
                               Col<"sampling", std::optional<std::int64_t>>,
                               Col<"polling", std::optional<std::int64_t>>>;

// In this order in the replica.
enum Table : std::size_t { root_table, bridge_table, port_table, interface_table, sflow_table };
inline std::vector<dbclient::TableDecl> declarations() {
  return dbclient::declarations<RootRow, BridgeRow, PortRow, InterfaceRow, SflowRow>();
}

}  // namespace ovs::vswitchd
