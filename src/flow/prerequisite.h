// Prerequisites: what a match must say of the headers before it may speak of a field within them
// (ovs-fields(7), "Prerequisites").
//
// A match that names no packet type, but fields of a packet, means an Ethernet packet: imply_packet_type().
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "flow/fields.h"
#include "flow/match.h"

namespace ovs::flow {

// The Ethertype that the match demands, whether as eth_type or as packet_type=(1,TYPE); nothing if it leaves it open.
std::optional<be16> demanded_eth_type(const Match& match);
// The IP protocol that the match demands; nothing if it leaves it open, or demands no IP.
std::optional<std::uint8_t> demanded_ip_proto(const Match& match);
// Whether the match demands a tag.
bool demands_vlan(const Match& match);

// Whether it is about packets whose key has a type and a code in place of ports although no field is for them: IGMP,
// ICMP within IPv6 and ICMPv6 within IPv4.
bool has_type_as_ports(const Match& match);

// Whether the match says what `field` needs.  Beyond the field's Prerequisite, a few fields need the value of
// another one: NSH contexts need metadata type 1, tunnel fields of ERSPAN their version, ports of the
// original direction its protocol.
bool prerequisites_met(const Match& match, const Field& field);

// Whether a match whose text lacks the prerequisites of `field` is taken without the field, as it always was
// for fields of L2.5, L3 and L4 headers; for others it is an error.
bool may_be_left_out(const Match& match, const Field& field);

// What the match has to say, for messages: "ip or ipv6".
std::string describe_prerequisites(const Field& field);

void imply_packet_type(Match& match);

}  // namespace ovs::flow
