#include "netdev/afxdp_options.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string>

#include "base/text.h"

namespace ovs::netdev {
namespace {

constexpr std::array mode_names{std::string_view("best-effort"), std::string_view("native-with-zerocopy"),
                                std::string_view("native"), std::string_view("generic")};

Unexpected<Error> bad(const std::string& key, const std::string& value, const std::string& wanted) {
  return unexpected("options:" + key + " is " + wanted + ", not \"" + value + "\"", EINVAL);
}

}  // namespace

std::string_view name_of(XdpMode mode) { return mode_names[static_cast<std::size_t>(mode)]; }

Result<AfxdpOptions> parse_afxdp_options(const Options& options) {
  AfxdpOptions parsed;
  for (const auto& [key, value] : options) {
    if (key == "xdp-mode") {
      std::size_t i = 0;
      while (i < mode_names.size() && mode_names[i] != value) ++i;
      if (i == mode_names.size())
        return bad(key, value, "one of best-effort, native-with-zerocopy, native and generic");
      parsed.mode = static_cast<XdpMode>(i);
    } else if (key == "use-need-wakeup") {
      if (value != "true" && value != "false") return bad(key, value, "true or false");
      parsed.need_wakeup = value == "true";
    } else if (key == "n_rxq") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed.queues);
      if (error != std::errc{} || end != value.data() + value.size() || parsed.queues == 0 ||
          parsed.queues > AfxdpOptions::most_queues)
        return bad(key, value, "a number of queues from 1 to " + std::to_string(AfxdpOptions::most_queues));
    }
  }
  return parsed;
}

std::vector<std::string> unknown_afxdp_options(const Options& options) {
  static constexpr std::array keys{std::string_view("n_rxq"), std::string_view("use-need-wakeup"),
                                   std::string_view("xdp-mode")};
  std::vector<std::string> unknown;
  for (const auto& [key, value] : options) {
    if (std::ranges::find(keys, key) != keys.end()) continue;
    std::string text = "options:" + key + " is none of an interface of type afxdp";
    if (const auto meant = nearest(key, keys)) text += " (did you mean " + std::string(*meant) + "?)";
    unknown.push_back(std::move(text));
  }
  return unknown;
}

}  // namespace ovs::netdev
