#include "base/check.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "base/log.h"

namespace ovs {

namespace {
LogModule log{"check"};
}  // namespace

void check_failed(const char* file, int line, const char* condition, std::string_view why) {
  // A check that fails while this one is being reported (in the logger, say) must still abort.
  static std::atomic_flag reporting = ATOMIC_FLAG_INIT;
  if (!reporting.test_and_set()) {
    std::string text = fmt::format("{}:{}: check failed: {}", file, line, condition);
    if (!why.empty()) text += fmt::format(" ({})", why);
    std::string to_stderr = text + "\n";
    // Nothing can be done about a failed write here.
    if (::write(STDERR_FILENO, to_stderr.data(), to_stderr.size()) < 0) {
    }
    log.emer("{}", text);
  }
  std::abort();
}

}  // namespace ovs
