#include <algorithm>
#include <array>

#include "vsctl/command.h"
#include "vsctl/handlers.h"

namespace ovs::vsctl {

namespace {

constexpr Access ro = Access::read_only;
constexpr Access rw = Access::read_write;

bool always(const Invocation&) { return true; }

constexpr std::string_view open_vswitch = "Open vSwitch commands";
constexpr std::string_view bridges = "Bridge commands";
constexpr std::string_view ports = "Port commands (a bond is considered to be a single port)";
constexpr std::string_view interfaces = "Interface commands (a bond consists of multiple interfaces)";
constexpr std::string_view controllers = "Controller commands";
constexpr std::string_view managers = "Manager commands";
constexpr std::string_view ssl = "SSL commands";
constexpr std::string_view auto_attach = "Auto Attach commands";
constexpr std::string_view datapaths = "Conntrack zone and datapath commands";
constexpr std::string_view database = "Database commands";

// name, arguments, what it does, options, access | heading | prepare, run, needs the schema
constexpr Command table[] = {
    {{"init", "", "initialize the database, if not yet initialized", "", rw},
     open_vswitch, nullptr, run_init, nullptr},
    {{"show", "", "print an overview of the database's contents", "", ro},
     open_vswitch, prepare_show, run_show, nullptr},
    {{"emer-reset", "", "reset the configuration to a clean state", "", rw},
     open_vswitch, nullptr, run_emer_reset, nullptr},

    {{"add-br", "BRIDGE [PARENT VLAN]", "create BRIDGE, or a fake BRIDGE in PARENT on VLAN", "--may-exist", rw},
     bridges, prepare_add_br, run_add_br, nullptr},
    {{"del-br", "BRIDGE", "delete BRIDGE and all of its ports", "--if-exists", rw},
     bridges, prepare_bridge, run_del_br, nullptr},
    {{"list-br", "", "print the names of all bridges", "--real,--fake", ro},
     bridges, prepare_list_br, run_list_br, nullptr},
    {{"br-exists", "BRIDGE", "exit with status 2 if BRIDGE does not exist", "", ro},
     bridges, prepare_bridge, run_br_exists, nullptr},
    {{"br-to-vlan", "BRIDGE", "print the VLAN of BRIDGE, 0 for a real one", "", ro},
     bridges, prepare_bridge, run_br_to_vlan, nullptr},
    {{"br-to-parent", "BRIDGE", "print the parent of BRIDGE", "", ro},
     bridges, prepare_bridge, run_br_to_parent, nullptr},
    {{"br-set-external-id", "BRIDGE KEY [VALUE]", "set KEY of BRIDGE's external IDs, or unset it", "", rw},
     bridges, prepare_bridge, run_br_set_external_id, nullptr},
    {{"br-get-external-id", "BRIDGE [KEY]", "print BRIDGE's external IDs, or that of KEY", "", ro},
     bridges, prepare_bridge, run_br_get_external_id, nullptr},

    {{"list-ports", "BRIDGE", "print the names of all ports of BRIDGE", "", ro},
     ports, prepare_bridge, run_list_ports, nullptr},
    {{"add-port", "BRIDGE PORT [COLUMN[:KEY]=VALUE]...", "add the network device PORT to BRIDGE", "--may-exist", rw},
     ports, prepare_add_port, run_add_port, add_port_needs_schema},
    {{"add-bond", "BRIDGE PORT IFACE IFACE... [COLUMN[:KEY]=VALUE]...", "add a PORT that bonds the IFACEs to BRIDGE",
      "--may-exist,--fake-iface", rw},
     ports, prepare_add_bond, run_add_bond, add_bond_needs_schema},
    {{"add-bond-iface", "BOND IFACE", "add IFACE to the bond BOND", "--may-exist", rw},
     ports, prepare_bond_iface, run_add_bond_iface, nullptr},
    {{"del-bond-iface", "[BOND] IFACE", "remove IFACE from its bond", "--if-exists", rw},
     ports, prepare_bond_iface, run_del_bond_iface, nullptr},
    {{"del-port", "[BRIDGE] PORT", "delete PORT (which may be a bond) from its bridge", "--if-exists,--with-iface", rw},
     ports, prepare_last_port, run_del_port, nullptr},
    {{"port-to-br", "PORT", "print the name of the bridge that contains PORT", "", ro},
     ports, prepare_last_port, run_port_to_br, nullptr},

    {{"list-ifaces", "BRIDGE", "print the names of all interfaces of BRIDGE", "", ro},
     interfaces, prepare_bridge, run_list_ifaces, nullptr},
    {{"iface-to-br", "IFACE", "print the name of the bridge that contains IFACE", "", ro},
     interfaces, nullptr, run_iface_to_br, nullptr},

    {{"get-controller", "BRIDGE", "print BRIDGE's controllers", "", ro},
     controllers, prepare_bridge, run_get_controller, nullptr},
    {{"del-controller", "BRIDGE", "delete BRIDGE's controllers", "", rw},
     controllers, prepare_bridge, run_del_controller, nullptr},
    {{"set-controller", "BRIDGE [TARGET]...", "set BRIDGE's controllers", "--inactivity-probe=", rw},
     controllers, prepare_bridge, run_set_controller, nullptr},
    {{"get-fail-mode", "BRIDGE", "print BRIDGE's fail mode", "", ro},
     controllers, prepare_bridge, run_get_fail_mode, nullptr},
    {{"del-fail-mode", "BRIDGE", "delete BRIDGE's fail mode", "", rw},
     controllers, prepare_bridge, run_del_fail_mode, nullptr},
    {{"set-fail-mode", "BRIDGE MODE", "set BRIDGE's fail mode to standalone or secure", "", rw},
     controllers, prepare_bridge, run_set_fail_mode, nullptr},

    {{"get-manager", "", "print the managers", "", ro}, managers, nullptr, run_get_manager, nullptr},
    {{"del-manager", "", "delete the managers", "", rw}, managers, nullptr, run_del_manager, nullptr},
    {{"set-manager", "TARGET...", "set the managers", "--inactivity-probe=", rw},
     managers, nullptr, run_set_manager, nullptr},

    {{"get-ssl", "", "print the SSL configuration", "", ro}, ssl, nullptr, run_get_ssl, nullptr},
    {{"del-ssl", "", "delete the SSL configuration", "", rw}, ssl, nullptr, run_del_ssl, nullptr},
    {{"set-ssl", "PRIVATE-KEY CERTIFICATE CA-CERT", "set the SSL configuration", "--bootstrap", rw},
     ssl, nullptr, run_set_ssl, nullptr},

    {{"add-aa-mapping", "BRIDGE I-SID VLAN", "add an Auto Attach mapping to BRIDGE", "", rw},
     auto_attach, prepare_bridge, run_add_aa_mapping, nullptr},
    {{"del-aa-mapping", "BRIDGE I-SID VLAN", "delete an Auto Attach mapping from BRIDGE", "", rw},
     auto_attach, prepare_bridge, run_del_aa_mapping, nullptr},
    {{"get-aa-mapping", "BRIDGE", "print BRIDGE's Auto Attach mappings", "", ro},
     auto_attach, prepare_bridge, run_get_aa_mapping, nullptr},

    {{"add-zone-tp", "DATAPATH zone=ZONE POLICY=SECONDS...", "set the conntrack timeouts of ZONE", "--may-exist", rw},
     datapaths, nullptr, run_add_zone_tp, nullptr},
    {{"del-zone-tp", "DATAPATH zone=ZONE", "delete the conntrack timeouts of ZONE", "--if-exists", rw},
     datapaths, nullptr, run_del_zone_tp, nullptr},
    {{"list-zone-tp", "DATAPATH", "print the conntrack timeouts of all zones", "", ro},
     datapaths, nullptr, run_list_zone_tp, nullptr},
    {{"list-dp-cap", "DATAPATH", "print what DATAPATH is capable of", "", ro},
     datapaths, nullptr, run_list_dp_cap, nullptr},

    {{"list", "TABLE [RECORD]...", "list RECORDs, or all records, of TABLE", "--if-exists,--columns=", ro},
     database, prepare_list, run_list, always},
    {{"find", "TABLE [COLUMN[:KEY]=VALUE]...",
      "list the records of TABLE that satisfy the conditions", "--columns=", ro},
     database, prepare_find, run_find, always},
    {{"get", "TABLE RECORD [COLUMN[:KEY]]...", "print values of RECORD's columns", "--if-exists,--id=", ro},
     database, prepare_record, run_get, always},
    {{"set", "TABLE RECORD COLUMN[:KEY]=VALUE...", "set RECORD's columns", "--if-exists", rw},
     database, prepare_record, run_set, always},
    {{"add", "TABLE RECORD COLUMN [KEY=]VALUE...", "add VALUEs, or pairs, to RECORD's COLUMN", "--if-exists", rw},
     database, prepare_record, run_add, always},
    {{"remove", "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...",
      "remove elements from RECORD's COLUMN", "--if-exists", rw},
     database, prepare_record, run_remove, always},
    {{"clear", "TABLE RECORD COLUMN...", "make RECORD's COLUMNs empty", "--if-exists", rw},
     database, prepare_record, run_clear, always},
    {{"create", "TABLE COLUMN[:KEY]=VALUE...", "make a new record and print its UUID", "--id=", rw},
     database, nullptr, run_create, always},
    {{"destroy", "TABLE [RECORD]...", "delete RECORDs from TABLE", "--if-exists,--all", rw},
     database, nullptr, run_destroy, always},
    {{"wait-until", "TABLE RECORD [COLUMN[:KEY]=VALUE]...",
      "wait until RECORD exists and satisfies the conditions", "", ro},
     database, prepare_record, run_wait_until, always},
    {{"comment", "[ARG]...", "add a comment to the database's log", "", ro},
     database, nullptr, run_comment, nullptr},
};

}  // namespace

std::span<const Command> commands() { return table; }

const Command* find_command(std::string_view name) {
  auto it = std::ranges::find(table, name, [](const Command& c) { return c.info.name; });
  return it == std::end(table) ? nullptr : &*it;
}

}  // namespace ovs::vsctl
