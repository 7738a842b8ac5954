// The text of matches and flow keys, as ovs-ofctl(8) and ofproto/trace write and read it.
//
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "flow/match.h"
#include "flow/match_builder.h"

namespace ovs::flow {

// "tcp,in_port=1,dl_vlan=10,nw_src=10.0.0.0/8".  See MatchBuilder.
Result<ParsedMatch> parse_match(std::string_view text, const PortNames& ports = {});
// Reads back as the same match.  A match that includes recirc_id is a datapath's: its packet type is written, too.
std::string format_match(const Match& match, const PortNames& ports = {});

// A whole packet's key: fields that are not named are zero, and wildcards are refused.
Result<FlowKey> parse_flow(std::string_view text, const PortNames& ports = {});
// All fields that the packet has, even if zero, and metadata other than zero.
std::string format_flow(const FlowKey& key, const PortNames& ports = {});

}  // namespace ovs::flow
