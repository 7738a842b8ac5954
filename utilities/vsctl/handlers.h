// The functions behind the command table (vsctl/commands.cc), by noun.  prepare_X() goes with
// run_X() where a command has both; see vsctl/command.h.
#pragma once

#include "base/result.h"
#include "vsctl/command.h"

namespace ovs::vsctl {

// Open vSwitch: open_vswitch_commands.cc
void prepare_show(Context& context);
Result<void> run_init(Context& context);
Result<void> run_show(Context& context);
Result<void> run_emer_reset(Context& context);

// Bridges: bridge_commands.cc
void prepare_bridge(Context& context);  // the first argument is a bridge
void prepare_add_br(Context& context);
void prepare_list_br(Context& context);
Result<void> run_add_br(Context& context);
Result<void> run_del_br(Context& context);
Result<void> run_list_br(Context& context);
Result<void> run_br_exists(Context& context);
Result<void> run_br_to_vlan(Context& context);
Result<void> run_br_to_parent(Context& context);
Result<void> run_br_set_external_id(Context& context);
Result<void> run_br_get_external_id(Context& context);

// Ports, bonds and interfaces: port_commands.cc
void prepare_add_port(Context& context);
void prepare_add_bond(Context& context);
void prepare_last_port(Context& context);  // the last argument is a port, possibly by an interface
void prepare_bond_iface(Context& context);
Result<void> run_list_ports(Context& context);
Result<void> run_add_port(Context& context);
Result<void> run_del_port(Context& context);
Result<void> run_port_to_br(Context& context);
Result<void> run_add_bond(Context& context);
Result<void> run_add_bond_iface(Context& context);
Result<void> run_del_bond_iface(Context& context);
Result<void> run_list_ifaces(Context& context);
Result<void> run_iface_to_br(Context& context);
bool add_port_needs_schema(const Invocation& invocation);  // column settings
bool add_bond_needs_schema(const Invocation& invocation);

// Controllers, managers, SSL: controller_commands.cc
Result<void> run_get_controller(Context& context);
Result<void> run_del_controller(Context& context);
Result<void> run_set_controller(Context& context);
Result<void> run_get_fail_mode(Context& context);
Result<void> run_del_fail_mode(Context& context);
Result<void> run_set_fail_mode(Context& context);
Result<void> run_get_manager(Context& context);
Result<void> run_del_manager(Context& context);
Result<void> run_set_manager(Context& context);
Result<void> run_get_ssl(Context& context);
Result<void> run_del_ssl(Context& context);
Result<void> run_set_ssl(Context& context);

// Auto-attach: auto_attach_commands.cc
Result<void> run_add_aa_mapping(Context& context);
Result<void> run_del_aa_mapping(Context& context);
Result<void> run_get_aa_mapping(Context& context);

// Conntrack zones and datapath capabilities: datapath_commands.cc
Result<void> run_add_zone_tp(Context& context);
Result<void> run_del_zone_tp(Context& context);
Result<void> run_list_zone_tp(Context& context);
Result<void> run_list_dp_cap(Context& context);

// Any table: database_commands.cc, database_change_commands.cc
void prepare_record(Context& context);  // the first two arguments are a table and a record
void prepare_list(Context& context);
void prepare_find(Context& context);
Result<void> run_list(Context& context);
Result<void> run_find(Context& context);
Result<void> run_get(Context& context);
Result<void> run_wait_until(Context& context);
Result<void> run_set(Context& context);
Result<void> run_add(Context& context);
Result<void> run_remove(Context& context);
Result<void> run_clear(Context& context);
Result<void> run_create(Context& context);
Result<void> run_destroy(Context& context);
Result<void> run_comment(Context& context);

}  // namespace ovs::vsctl
