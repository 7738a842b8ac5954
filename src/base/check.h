// OVS_CHECK: an assertion about our own code, always on.
//
// A failed check is a bug of this program: it writes file, line and condition to the log and to
// standard error and aborts, so that a supervisor restarts the daemon from known-good state.
// Input from outside is never checked with this; it gets a Result (base/result.h).
#pragma once

#include <string_view>

namespace ovs {

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view why);

}  // namespace ovs

#define OVS_CHECK(condition, ...)                                                     \
  do {                                                                                \
    if (!(condition)) [[unlikely]]                                                    \
      ::ovs::check_failed(__FILE__, __LINE__, #condition, ::std::string_view{__VA_ARGS__}); \
  } while (0)
