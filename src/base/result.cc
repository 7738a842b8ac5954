#include "base/result.h"

#include <cstring>

namespace ovs {

Error system_error(std::string_view doing, int code) {
  // The GNU form of strerror_r returns the text, which is not always in the buffer.
  char buffer[128];
  const char* text = strerror_r(code, buffer, sizeof buffer);
  return Error{std::string(doing) + ": " + text, code};
}

}  // namespace ovs
