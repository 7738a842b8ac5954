#include "telemetry/target.h"

#include <fmt/format.h>

#include <cerrno>

#include "runtime/address.h"

namespace ovs::telemetry {

namespace {

// What people write who think of other columns; empty: nothing is known to be wrong.
std::string misunderstanding(std::string_view text) {
  if (text.empty()) return "\"\": the target is empty";
  if (text.find(',') != text.npos) {
    return fmt::format("{}: these are several targets: write \"ADDRESS:PORT\",\"ADDRESS:PORT\"", text);
  }
  for (const std::string_view kind : {"udp:", "tcp:", "ssl:", "udp6:", "tcp6:"}) {
    // A host may have that name, with a port behind it.
    if (text.starts_with(kind) && text.find_first_not_of("0123456789", kind.size()) != text.npos)
      return fmt::format("{}: a target is ADDRESS:PORT, without {}", text, kind);
  }
  return {};
}

// No host name looks like that, so that it is not worth looking up.
bool is_meant_as_ipv4(std::string_view host) {
  return host.find('.') != host.npos && host.find_first_not_of("0123456789.") == host.npos;
}

}  // namespace

Result<Target> parse_target(std::string_view text, std::uint16_t default_port) {
  if (std::string wrong = misunderstanding(text); !wrong.empty()) return unexpected(std::move(wrong), EINVAL);
  // The same names as a TCP remote's, but for the kind in front.
  constexpr std::string_view kind = "tcp:";
  auto endpoint = runtime::parse_active(fmt::format("{}{}", kind, text), default_port);
  if (!endpoint) {
    const Error& error = endpoint.error();
    const std::size_t skipped = error.message.starts_with(kind) ? kind.size() : 0;
    return Unexpected{Error{error.message.substr(skipped), error.code}};
  }
  if (is_meant_as_ipv4(endpoint->host) && !runtime::numeric_address(endpoint->host, endpoint->port)) {
    return unexpected(fmt::format("{}: \"{}\" is not an IP address", text, endpoint->host), EINVAL);
  }
  return Target{std::move(endpoint->host), endpoint->port, std::string(text)};
}

}  // namespace ovs::telemetry
