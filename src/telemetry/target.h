// Target: where a collector listens, as the database writes it.
//
//     10.0.0.1:6343   10.0.0.1   [2001:db8::1]:6343   [2001:db8::1]   [fe80::1%eth0]   collector.example:6343
//
// Thread safety: values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ovs::telemetry {

struct Target {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string text;  // as it was written, for messages

  friend bool operator==(const Target&, const Target&) = default;
};

// Errors begin with the text; their code is EINVAL.
Result<Target> parse_target(std::string_view text, std::uint16_t default_port);

}  // namespace ovs::telemetry
