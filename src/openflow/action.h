// OpenFlow actions: what a rule does with the packets that it matches (ovs-actions(7)).
//
// One alternative of `Action` for each kind; a kind that is not there is refused by parse_actions()
// with a message that says so.
//
// Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "openflow/port.h"

namespace ovs::openflow {

// To a port, or to what a reserved port stands for: NORMAL, FLOOD, ALL, LOCAL, IN_PORT.
struct Output {
  OfPort port;
  friend bool operator==(const Output&, const Output&) = default;
};

using Action = std::variant<Output>;
using Actions = std::vector<Action>;

// As ovs-ofctl(8) prints them: "NORMAL", "output:1,LOCAL", "drop" for none.
std::string format_actions(const Actions& actions);
// Takes "output:PORT" and "PORT" alike; an error names the action that it is about.
Result<Actions> parse_actions(std::string_view text);

}  // namespace ovs::openflow
