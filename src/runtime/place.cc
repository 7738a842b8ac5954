#include "runtime/place.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

#include "runtime/address.h"

namespace ovs::runtime {

namespace {

// Two names of one directory, such as by /var/run, are the same text then, even if it is not there yet.
std::filesystem::path true_name(const std::filesystem::path& directory) {
  std::error_code error;
  auto name = std::filesystem::weakly_canonical(directory, error);
  if (error) name = directory.lexically_normal();
  return name.has_filename() ? name : name.parent_path();
}

}  // namespace

std::string for_whom(int error) {
  if (error != EACCES) return {};
  const passwd* user = ::getpwuid(::geteuid());
  return user ? fmt::format(" for the user {}", user->pw_name) : fmt::format(" for user {}", ::geteuid());
}

Result<void> check_place(const std::string& path, const Directories& prepared) {
  std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  if (std::ranges::any_of(prepared, [&](const auto& one) { return true_name(one) == true_name(directory); })) return {};
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
  const int error = errno;
  Error why = system_error(fmt::format("it cannot be created in {}", directory.string()), error);
  why.message += for_whom(error);
  return Unexpected{std::move(why)};
}

Result<void> check_socket_place(const std::string& path, const Directories& prepared) {
  OVS_TRY_DO(check_place(path, prepared));
  auto address = UnixAddress::create(path);
  // What else is wrong with it may be repaired by who makes the directory.
  if (address || address.error().code != ENAMETOOLONG) return {};
  return Unexpected{system_error("the socket's name", ENAMETOOLONG)};
}

}  // namespace ovs::runtime
