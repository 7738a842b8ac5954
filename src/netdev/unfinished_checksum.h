// Checksums that a sender on the same host left to the hardware, and that AF_XDP does not tell of.
//
// What comes over a veth pair or a TAP interface from a sender with checksum offload has, in place of the checksum,
// the sum of the pseudo header alone (SCTP: zero).  Packet sockets and TAP interfaces tell so beside the frame
// (vnet_header.h); AF_XDP cannot.  But the frame itself shows it: a checksum that is finished, and right, equals that
// sum once in 65,536 times, and finishing it again gives the same checksum then.  So no whole packet is harmed; a
// damaged one would be repaired, which is why this is not done for what comes from a cable.
//
// Thread safety: pure functions.
#pragma once

#include "flow/packet.h"

namespace ovs::netdev {

// Notes in packet.offload a checksum of TCP, UDP or SCTP that is not finished.  Of IPv4, and of IPv6 with its usual
// extension headers, behind any VLAN tags; not of fragments, nor within tunnels.
void find_unfinished_checksum(flow::Packet& packet);

}  // namespace ovs::netdev
