// compose(): from a FlowKey to a frame that has it: the opposite of parse().
//
// For netdev-dummy/receive, ofproto/trace --generate and tests.  Lengths and checksums (IPv4, TCP, UDP, SCTP, ICMP,
// ICMPv6) are right; what a key does not say is zero.  parse(compose(key)) == key for every key that some frame has;
// there are keys that none has: ports without a protocol, a later fragment with ports, an option type of
// neighbor discovery without its address.  What cannot be, is left out.
//
// Payload is what follows the last header that is composed; the bytes 0, 1, 2, ... as in the field.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>

#include "flow/flow_key.h"
#include "flow/packet.h"

namespace ovs::flow {

Packet compose(const FlowKey& key, std::size_t payload);

// How much payload such a packet has in the field when nobody says: 64 bytes for UDP, for an ICMP echo, and
// for TCP without SYN, FIN and RST; nothing for others.
std::size_t usual_payload(const FlowKey& key);

}  // namespace ovs::flow
