// parse(): from a frame to its FlowKey.
//
// Reads Ethernet II, 802.2 LLC with and without SNAP, up to two 802.1Q/802.1ad tags, ARP and RARP,
// IPv4 with options, IPv6 with extension headers, fragments, TCP, UDP, SCTP, ICMP, IGMP, ICMPv6 with
// neighbor discovery, MPLS and NSH.  A header that is cut off or contradicts itself ends the
// parsing there: what came before stays, what should follow is zero, as for a packet that ends
// there.  So a rule that names a port never matches a packet that has none.
//
// Where a frame is odd but not broken, what the field's switch makes of it is what we make of it:
//   - a frame shorter than an Ethernet header has no header at all;
//   - a tag that is cut off is none: eth_type is then the tag's own;
//   - 802.2 without SNAP, or with a SNAP header of another organization, has eth_type 0x05ff;
//   - ARP has fields only for Ethernet and IPv4; an operation above 255 is 0;
//   - the version within an IP header is not looked at, the Ethertype is;
//   - bytes beyond the IP header's total length do not belong to the packet;
//   - an extension header of IPv6 that is cut off leaves nothing but the addresses;
//   - a later fragment of IPv6 has nw_proto 44, one of IPv4 its protocol;
//   - a TCP header whose length makes no sense has no ports and no flags; UDP's length is not looked at;
//   - neighbor discovery that has one link-layer option twice has no target and no addresses.
//
// Who writes what.  parse() writes all of the key's hot part from eth_dst on, and of the cold members those
// that the frame fills (ARP and ND, MPLS, NSH), whose bits it adds to `cold_parts`.  Metadata (in_port to
// ct_label), tunnel, registers and conntrack tuple belong to the caller.  A key that is used again is
// begun anew by begin_key(), so that what an earlier packet left is gone: usually six stores.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <cstring>

#include "flow/flow_key.h"
#include "flow/packet.h"

namespace ovs::flow {

// Also sets the packet's header offsets: l3_offset where the network header is whole, l4_offset where
// the transport header is (so that ports and checksum may be read and written there), l2_5_offset at
// the first MPLS label.  Never reads outside the frame.
void parse(Packet& packet, FlowKey& key);

// Zeroes the cold members that `cold_parts` names, and then that.
void clear_cold(FlowKey& key);

// Makes a key, zero or used before, ready for parse() and a packet that has no metadata but its port.
inline void begin_key(FlowKey& key, be32 in_port) {
  if (key.cold_parts != 0) [[unlikely]] clear_cold(key);
  std::memset(reinterpret_cast<std::uint8_t*>(&key), 0, offsetof(FlowKey, eth_dst));
  key.in_port = in_port;
}

// A hash of what tells connections apart: addresses, tags, protocol, ports and in_port.  Equal for
// the packets of one connection in one direction; spreads packets over caches and, later, over
// members of bonds and buckets of groups.
std::uint32_t five_tuple_hash(const FlowKey& key);

}  // namespace ovs::flow
