// Settings of other_config that the schema knows and that this version of the switch only stores.
//
// Whoever sets one believes it to be in force, so that the log says that it is not.  What goes together with a column
// that is told of already (spanning tree, LACP, ...) is not told once more.
//
// Thread safety: pure functions.
#pragma once

#include <string_view>

#include "vswitchd/settings.h"

namespace ovs::vswitchd {

// A complaint for each key of `other_config` in a row of `table` that would be acted upon elsewhere.
void complain_of_stored_settings(std::string_view table, const StringMap& other_config, Complaints& complaints);

}  // namespace ovs::vswitchd
