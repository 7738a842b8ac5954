// Where the installation's files are.
//
// Each directory is fixed at configure time and can be overridden by an environment variable, so
// that a test or a second switch can run a private copy:
//
//     rundir     OVS_RUNDIR      /run/openvswitch        sockets, pidfiles, *.ctl
//     logdir     OVS_LOGDIR      /var/log/openvswitch
//     dbdir      OVS_DBDIR       /var/lib/openvswitch    conf.db (else OVS_SYSCONFDIR/openvswitch)
//     sysconfdir OVS_SYSCONFDIR  /etc                    /etc/openvswitch below it
//     pkgdatadir OVS_PKGDATADIR  /usr/share/openvswitch  vswitch.ovsschema
//
// Thread safety: reads the environment, which nobody changes after start-up.
#pragma once

#include <string>
#include <string_view>

namespace ovs {

std::string rundir();
std::string logdir();
std::string dbdir();
std::string sysconfdir();
std::string pkgdatadir();

// `name` itself if it is absolute, otherwise below `directory`.
std::string path_below(const std::string& directory, std::string_view name);

inline constexpr std::string_view package_name = "Open vSwitch";
std::string_view package_version();

// The last component of the program's path, set by set_program_name() at the beginning of main().
const std::string& program_name();
void set_program_name(std::string_view argv0);

}  // namespace ovs
