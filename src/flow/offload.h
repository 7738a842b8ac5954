// The work that a guest left to the hardware, done in software: for ports that cannot pass it on.
//
// Both functions take what a guest handed over, which may be nonsense: a checksum outside the frame, a
// segment size of one byte, TCP where there is none.  They return false then, and the packet is to be dropped, as
// a device would.
//
// Thread safety: pure functions.
#pragma once

#include <vector>

#include "flow/packet.h"

namespace ovs::flow {

// Completes the partial checksum, if the packet has one; the pseudo header is in its place already
// (virtio 1.2, section 5.1.6.2), or it is SCTP's CRC.  Afterwards `offload` has nothing left to do.
[[nodiscard]] bool finish_checksum(Packet& packet);

// Cuts a packet with Gso other than none into segments of `segment_bytes` of payload, each complete with
// its checksums, and appends them to `out`.  Headers before TCP or UDP may be Ethernet, any number of
// tags, MPLS labels, IPv4 with options or IPv6 with extension headers.  As the Linux kernel does: the
// identification of IPv4 counts up from segment to segment, CWR stays on the first, FIN and PSH on the
// last.  Fills `out` either with all segments or, if false is returned, with none.
[[nodiscard]] bool segment(const Packet& packet, std::vector<Packet>& out);

}  // namespace ovs::flow
