// Quotes and dashes as word processors and web pages make them: what was meant is a plain one.
//
// Thread safety: a pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ovs::utilities {

// The first typographic character outside double quotes, said as an error; nothing if there is none.
std::optional<std::string> typographic_complaint(std::string_view word);

}  // namespace ovs::utilities
