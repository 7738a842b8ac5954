#include "telemetry/target.h"

#include <fmt/format.h>

#include "runtime/address.h"

namespace ovs::telemetry {

Result<Target> parse_target(std::string_view text, std::uint16_t default_port) {
  // The same names as a TCP remote's, but for the kind in front.
  constexpr std::string_view kind = "tcp:";
  auto endpoint = runtime::parse_active(fmt::format("{}{}", kind, text), default_port);
  if (!endpoint) {
    Error error = std::move(endpoint).error();
    if (error.message.starts_with(kind)) error.message.erase(0, kind.size());
    return Unexpected{std::move(error)};
  }
  return Target{std::move(endpoint->host), endpoint->port, std::string(text)};
}

}  // namespace ovs::telemetry
