// Text of actions with names of ports, and of what a cookie means (action.h has the plain form).
//
// Thread safety: pure functions.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "datapath/action.h"
#include "datapath/flow_text.h"

namespace ovs::datapath {

struct ActionText {
  PortName port;  // may be empty, as the others
  // What stands in userspace(pid=0,...) for a cookie: "slow_path(action)"; none: "userdata(HEX)".
  std::function<std::optional<std::string>(std::span<const std::uint8_t>)> cookie;
};

std::string format_actions(const Actions& actions, const ActionText& text);

}  // namespace ovs::datapath
