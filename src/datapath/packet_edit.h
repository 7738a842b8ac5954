// What the actions "set", "push_vlan" and "pop_vlan" do to a frame, checksums included.
//
// The packet's header offsets are those that flow::parse() left; a header that the packet does not have,
// or not wholly, is left alone, as are the ports of a later fragment.  Checksums are changed by the
// difference (RFC 1624), so that one that was wrong stays wrong.  Where the checksum is left to the hardware
// (Offload::needs_checksum) only the sum of the pseudo header stands in the frame, and follows the addresses.
//
// Thread safety: pure functions.
#pragma once

#include "datapath/action.h"
#include "flow/packet.h"

namespace ovs::datapath {

void push_vlan(flow::Packet& packet, const flow::VlanTag& tag);
// Takes the outer tag away, if there is one.
void pop_vlan(flow::Packet& packet);

void edit(flow::Packet& packet, const SetMasked<EthernetHeader>& set);
void edit(flow::Packet& packet, const SetMasked<Ipv4Header>& set);
void edit(flow::Packet& packet, const SetMasked<Ipv6Header>& set);
void edit(flow::Packet& packet, const SetMasked<TcpPorts>& set);
void edit(flow::Packet& packet, const SetMasked<UdpPorts>& set);
void edit(flow::Packet& packet, const SetMasked<SctpPorts>& set);
void edit(flow::Packet& packet, const SetMasked<ArpHeader>& set);

}  // namespace ovs::datapath
