// A plan for people: in words, and as a call of ovs-vsctl that would do the same.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "conf/plan.h"

namespace ovs::conf {

// One line for each change, "add port tap0 to bridge br0: tag=1"; empty for an empty plan.
std::string in_words(const Plan& plan, const Present& present, const ovsdb::DatabaseSchema& schema);

// One call of ovs-vsctl, which a shell can run, over several lines; empty for an empty plan.
std::string as_commands(const Plan& plan, const ovsdb::DatabaseSchema& schema);

}  // namespace ovs::conf
