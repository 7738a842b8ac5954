// parse(): from a frame to its FlowKey.
//
// Reads Ethernet II, 802.2 LLC with and without SNAP, up to two 802.1Q/802.1ad tags, ARP and RARP,
// IPv4 with options, IPv6 with extension headers, fragments, TCP, UDP, SCTP, ICMP, ICMPv6 with
// neighbor discovery, MPLS and NSH.  A header that is cut off or contradicts itself ends the
// parsing there: what came before stays, what should follow is zero, as for a packet that ends
// there.  So a rule that names a port never matches a packet that has none.
//
// The metadata members of the key (in_port ... ct_label, the tunnel, the registers) belong to the caller, who fills
// them before or after; parse() writes everything from eth_dst on in the hot part, and the cold parts
// that the frame fills, which it adds to `cold_parts`.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>

#include "flow/flow_key.h"
#include "flow/packet.h"

namespace ovs::flow {

// Also sets the packet's header offsets.  Never reads outside the frame.
void parse(Packet& packet, FlowKey& key);

// A hash of what tells connections apart: addresses, tags, protocol, ports and in_port.  Equal for
// the packets of one connection in one direction; spreads packets over caches and, later, over
// members of bonds and buckets of groups.
std::uint32_t five_tuple_hash(const FlowKey& key);

}  // namespace ovs::flow
