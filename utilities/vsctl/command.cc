#include "vsctl/command.h"

namespace ovs::vsctl {

std::string Context::spelled() const {
  std::string out;
  for (const auto& [name, value] : invocation_.options) out += name + (value.empty() ? "" : "=" + value) + " ";
  out += invocation_.command->info.name;
  for (const std::string& a : invocation_.arguments) out += " " + a;
  return out;
}

void Context::print(std::string_view line) {
  output += line;
  output += '\n';
}

Row* Context::root() {
  if (Row* row = view().find_one(Query::all("Open_vSwitch"))) return row;
  return view().insert("Open_vSwitch");
}

}  // namespace ovs::vsctl
