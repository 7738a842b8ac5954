// The datapath's text form of keys and matches, as `dpctl/dump-flows` prints it and `ofproto/trace`
// and `netdev-dummy/receive` read it:
//
//     recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a),
//     eth_type(0x8100),vlan(vid=10,pcp=0),encap(eth_type(0x0800),ipv4(proto=17,frag=no),udp(dst=53/0xff))
//
// What is not written is not matched.  A tag stands around what it encloses; FlowKey::eth_type is that of the
// innermost encap().  An eth_type() without a vlan() before it means a packet without (a further) tag.
//
// Tunnel keys, NSH and the original tuple of conntrack have no text here yet: matches on them are
// written without, and their names refused.
//
// Thread safety: pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "datapath/action.h"
#include "flow/match.h"

namespace ovs::datapath {

// How ports are named in text: numbers where these are empty, or know no name.
using PortName = std::function<std::optional<std::string>(DpPort)>;
using PortNumber = std::function<std::optional<DpPort>(std::string_view)>;

// `all`: also what is not matched, with masks of zero (dump-flows -m).
std::string format_match(const flow::Match& match, const PortName& name = {}, bool all = false);
// What the packet has, without masks.
std::string format_key(const flow::FlowKey& key, const PortName& name = {});

Result<flow::Match> parse_match(std::string_view text, const PortNumber& number = {});
// A packet's key: masks are refused.
Result<flow::FlowKey> parse_key(std::string_view text, const PortNumber& number = {});

}  // namespace ovs::datapath
