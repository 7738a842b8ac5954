#include "openflow/action.h"

#include "base/text.h"

namespace ovs::openflow {

namespace {

void append(std::string& out, const Output& output) {
  // A reserved port's name is an action by itself.
  if (raw(output.port) > raw(max_port)) {
    out += format_port(output.port);
  } else {
    out += "output:" + format_port(output.port);
  }
}

bool can_output_to(OfPort port) {
  return port == port_in_port || port == port_normal || port == port_flood || port == port_all ||
         port == port_local || (raw(port) != 0 && raw(port) <= raw(max_port));
}

Result<Action> parse_action(std::string_view text) {
  std::string_view port_text = text;
  constexpr std::string_view prefix = "output:";
  if (text.size() > prefix.size() && iequals(text.substr(0, prefix.size()), prefix))
    port_text = text.substr(prefix.size());
  const auto port = parse_port(port_text);
  if (!port) return unexpected(std::string(text) + ": unknown action");
  if (!can_output_to(*port)) return unexpected(std::string(text) + ": no packet can be sent to this port");
  return Action(Output{*port});
}

}  // namespace

std::string format_actions(const Actions& actions) {
  if (actions.empty()) return "drop";
  std::string out;
  for (const Action& action : actions) {
    if (!out.empty()) out += ',';
    std::visit([&](const auto& alternative) { append(out, alternative); }, action);
  }
  return out;
}

Result<Actions> parse_actions(std::string_view text) {
  Actions actions;
  const auto parts = split_any(text, ", ");
  if (parts.size() == 1 && iequals(parts[0], "drop")) return actions;
  for (const std::string_view part : parts) {
    OVS_TRY(Action action, parse_action(part));
    actions.push_back(action);
  }
  return actions;
}

}  // namespace ovs::openflow
