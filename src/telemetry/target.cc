#include "telemetry/target.h"

#include <fmt/format.h>

#include "runtime/address.h"

namespace ovs::telemetry {

Result<Target> parse_target(std::string_view text, std::uint16_t default_port) {
  // The same names as a TCP remote's, but for the kind in front.
  constexpr std::string_view kind = "tcp:";
  auto endpoint = runtime::parse_active(fmt::format("{}{}", kind, text), default_port);
  if (!endpoint) {
    const Error& error = endpoint.error();
    const std::size_t skipped = error.message.starts_with(kind) ? kind.size() : 0;
    return Unexpected{Error{error.message.substr(skipped), error.code}};
  }
  return Target{std::move(endpoint->host), endpoint->port, std::string(text)};
}

}  // namespace ovs::telemetry
