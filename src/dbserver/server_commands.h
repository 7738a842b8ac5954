// The commands of ovsdb-server's control socket (ovsdb-server(1)).
//
// Thread safety: the table belongs to the server's thread.
#pragma once

#include <functional>

#include "base/command.h"
#include "dbserver/remotes.h"
#include "dbserver/server.h"

namespace ovs::dbserver {

// `exit` is called when the program shall end.  All must outlive the table.
void add_server_commands(ControlTable& table, Server& server, Remotes& remotes, std::function<void()> exit);

}  // namespace ovs::dbserver
