// What the action Userspace carries for the one who gets the packet: which bridge sampled it, and what
// became of it.  A cookie never leaves this process, but it stays in megaflows for as long as they do.
//
// Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ofproto/ids.h"
#include "telemetry/sflow_message.h"

namespace ovs::ofproto {

struct SflowCookie {
  BridgeId bridge{};
  std::uint32_t rate = 0;  // one packet of so many is sampled
  telemetry::sflow::ExtendedSwitch vlans;
  telemetry::sflow::Interface output;
  std::uint32_t period = 0;  // Bridge::sampling_period

  friend bool operator==(const SflowCookie&, const SflowCookie&) = default;
};

std::vector<std::uint8_t> encode(const SflowCookie& cookie);
// Empty: it is of another kind.
std::optional<SflowCookie> decode_cookie(std::span<const std::uint8_t> bytes);

// "sFlow(vid=10,pcp=0,output=3),actions", as in the packaged switch's dumps; empty: it is of no kind that is known.
std::optional<std::string> format_cookie(std::span<const std::uint8_t> bytes);

}  // namespace ovs::ofproto
