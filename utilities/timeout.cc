#include "timeout.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>

#include "base/paths.h"
#include "base/text.h"

namespace ovs::utilities {

namespace {

// The signal's handler may only write what is ready: the message is made beforehand, in the one of
// two buffers that the handler does not look at.
struct Message {
  std::array<char, 2048> text{};
  std::size_t size = 0;
};
std::array<Message, 2> messages;
std::atomic<const Message*> current{nullptr};
unsigned limit_seconds = 0;

void set_message(std::string_view waiting_for) {
  Message& m = current.load() == &messages[0] ? messages[1] : messages[0];
  std::string text = fmt::format("{}: timed out after {} second{}", program_name(), limit_seconds,
                                 limit_seconds == 1 ? "" : "s");
  if (!waiting_for.empty()) text += fmt::format(", waiting for {}", waiting_for);
  text.resize(std::min(text.size(), m.text.size() - 1));
  text += '\n';
  std::copy(text.begin(), text.end(), m.text.begin());
  m.size = text.size();
  current.store(&m);
}

extern "C" void timed_out(int signal) {
  if (const Message* m = current.load()) {
    // Nothing can be done about a standard error that takes nothing.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, m->text.data(), m->size);
  }
  ::raise(signal);  // its handler was reset on entry
}

}  // namespace

Option timeout_option() {
  return {'t', "timeout", ArgumentKind::required, "SECS", "give up after SECS seconds",
          [](std::optional<std::string_view> value) -> Result<void> {
            const auto n = parse_integer(*value);
            if (!n || *n < 1 || *n > std::numeric_limits<std::int32_t>::max()) {
              return unexpected(fmt::format("value {} on -t or --timeout is invalid", *value));
            }
            limit_seconds = static_cast<unsigned>(*n);
            set_message({});
            struct sigaction action {};
            action.sa_handler = timed_out;
            action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
            sigemptyset(&action.sa_mask);
            ::sigaction(SIGALRM, &action, nullptr);
            ::alarm(limit_seconds);
            return {};
          }};
}

void set_waiting_for(std::string_view what) {
  if (limit_seconds != 0) set_message(what);
}

}  // namespace ovs::utilities
