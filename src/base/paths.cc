#include "base/paths.h"

#include <cerrno>
#include <cstdlib>

namespace ovs {

namespace {

std::string from_environment(const char* variable, std::string fallback) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? std::string(value) : std::move(fallback);
}

std::string& name_of_program() {
  static std::string name = program_invocation_short_name;
  return name;
}

}  // namespace

std::string rundir() { return from_environment("OVS_RUNDIR", OVS_DEFAULT_RUNDIR); }
std::string logdir() { return from_environment("OVS_LOGDIR", OVS_DEFAULT_LOGDIR); }
std::string sysconfdir() { return from_environment("OVS_SYSCONFDIR", OVS_DEFAULT_SYSCONFDIR); }
std::string pkgdatadir() { return from_environment("OVS_PKGDATADIR", OVS_DEFAULT_PKGDATADIR); }

std::string dbdir() {
  // Whoever moves the configuration alone moves the database with it.
  const std::string moved = from_environment("OVS_SYSCONFDIR", "");
  return from_environment("OVS_DBDIR", moved.empty() ? OVS_DEFAULT_DBDIR : moved + "/openvswitch");
}

std::string path_below(const std::string& directory, std::string_view name) {
  if (name.starts_with('/')) return std::string(name);
  std::string path = directory;
  if (!path.ends_with('/')) path += '/';
  return path.append(name);
}

std::string_view package_version() { return OVS_PACKAGE_VERSION; }

const std::string& program_name() { return name_of_program(); }

void set_program_name(std::string_view argv0) {
  const std::size_t slash = argv0.rfind('/');
  name_of_program() = slash == std::string_view::npos ? argv0 : argv0.substr(slash + 1);
}

}  // namespace ovs
