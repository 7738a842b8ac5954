// Numbers: settings that the switch takes from a range only, and replaces by another value, with a line in its log,
// where they are not.
//
// The table here is a second one, for the programs do without the switch's own code; tests hold it against that code
// and against the switch's log.
//
// Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "conf/kind.h"

namespace ovs::conf {

struct NumberSetting {
  Id kind;
  std::string_view column;
  std::string_view key;  // empty where the column has none
  std::int64_t least, most;
};

std::span<const NumberSetting> number_settings();

// Whether the switch takes the value.  It is good where the setting is none of these, and where a column is empty.
Result<void> check_number(Id kind, std::string_view column, std::string_view key, std::string_view value);

}  // namespace ovs::conf
