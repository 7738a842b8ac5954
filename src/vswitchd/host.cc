#include "vswitchd/host.h"

#include <fstream>
#include <iterator>

#include "base/text.h"

namespace ovs::vswitchd {

namespace {

// Shell quoting, as far as os-release(5) has it: a value in single or double quotes, with backslashes.
std::string unquoted(std::string_view value) {
  value = trim(value);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.front() == value.back())
    value = value.substr(1, value.size() - 2);
  std::string text;
  for (std::size_t i = 0; i < value.size(); i++) {
    if (value[i] == '\\' && i + 1 < value.size()) i++;
    text += value[i];
  }
  return text;
}

}  // namespace

System parse_os_release(std::string_view text) {
  System system{"unknown", "unknown"};
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = trim(line.substr(0, equals));
    if (key == "ID") system.type = unquoted(line.substr(equals + 1));
    if (key == "VERSION_ID") system.version = unquoted(line.substr(equals + 1));
  }
  return system;
}

System this_system() {
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    std::ifstream file(path);
    if (file) return parse_os_release(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return {"unknown", "unknown"};
}

}  // namespace ovs::vswitchd
