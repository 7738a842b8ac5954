// show-log: the history in a database's log, for people.
//
// Thread safety: none.
#pragma once

#include "ovsdb_tool/commands.h"

namespace ovs::utilities::ovsdb_tool {

// `settings.more`: 0 a line for each record, 1 also the rows that it changed, 2 also their columns.
Result<int> show_log(const Settings& settings, Arguments arguments);

}  // namespace ovs::utilities::ovsdb_tool
