// The options of an Interface of type afxdp, as ovs-vswitchd.conf.db(5) has them.
//
// Thread safety: values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "netdev/netdev.h"

namespace ovs::netdev {

// What xdp-mode asks for; those that are tried, best first, for best_effort.
enum class XdpMode : std::uint8_t { best_effort, native_with_zerocopy, native, generic };

std::string_view name_of(XdpMode mode);

struct AfxdpOptions {
  XdpMode mode = XdpMode::best_effort;
  bool need_wakeup = true;
  unsigned queues = 0;  // n_rxq; 0: as many as the device has
  static constexpr unsigned most_queues = 64;

  friend bool operator==(const AfxdpOptions&, const AfxdpOptions&) = default;
};

// An error names the option.  Others than these are not looked at.
Result<AfxdpOptions> parse_afxdp_options(const Options& options);
// A sentence for each of those.
std::vector<std::string> unknown_afxdp_options(const Options& options);

}  // namespace ovs::netdev
