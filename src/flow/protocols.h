// Numbers of protocols: Ethertypes, IP protocols, and the sizes of headers.
//
// Thread safety: constants.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/byte_order.h"

namespace ovs::flow {

// IEEE 802 numbers, "Ethertype".
namespace eth_type {
inline constexpr be16 ipv4 = be16::from_host(0x0800);
inline constexpr be16 arp = be16::from_host(0x0806);
inline constexpr be16 teb = be16::from_host(0x6558);
inline constexpr be16 rarp = be16::from_host(0x8035);
inline constexpr be16 vlan = be16::from_host(0x8100);      // 802.1Q: customer tag
inline constexpr be16 ipv6 = be16::from_host(0x86dd);
inline constexpr be16 mpls = be16::from_host(0x8847);
inline constexpr be16 mpls_multicast = be16::from_host(0x8848);
inline constexpr be16 qinq = be16::from_host(0x88a8);      // 802.1ad: service tag
inline constexpr be16 nsh = be16::from_host(0x894f);
// Not a number of the wire: stands in a key for a frame without one (ovs-fields(7), "eth_type").
inline constexpr be16 none = be16::from_host(0x05ff);
// Smaller ones are lengths (IEEE 802.3).
inline constexpr be16 least = be16::from_host(0x0600);
}  // namespace eth_type

constexpr bool is_vlan(be16 type) { return type == eth_type::vlan || type == eth_type::qinq; }
constexpr bool is_mpls(be16 type) { return type == eth_type::mpls || type == eth_type::mpls_multicast; }
constexpr bool is_arp(be16 type) { return type == eth_type::arp || type == eth_type::rarp; }

// IANA, "Assigned Internet Protocol Numbers".
namespace ip_proto {
inline constexpr std::uint8_t hop_by_hop = 0;
inline constexpr std::uint8_t icmp = 1;
inline constexpr std::uint8_t igmp = 2;
inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;
inline constexpr std::uint8_t routing = 43;
inline constexpr std::uint8_t fragment = 44;
inline constexpr std::uint8_t ah = 51;
inline constexpr std::uint8_t icmpv6 = 58;
inline constexpr std::uint8_t destination = 60;
inline constexpr std::uint8_t sctp = 132;
}  // namespace ip_proto

// ICMPv6 types of neighbor discovery (RFC 4861), and the options that carry link-layer addresses.
inline constexpr std::uint8_t nd_solicitation = 135;
inline constexpr std::uint8_t nd_advertisement = 136;
inline constexpr std::uint8_t nd_option_source = 1;
inline constexpr std::uint8_t nd_option_target = 2;

// The least sizes of headers, in bytes.
inline constexpr std::size_t eth_header_bytes = 14;
inline constexpr std::size_t vlan_tag_bytes = 4;
inline constexpr std::size_t snap_header_bytes = 8;  // 802.2 LLC and SNAP
inline constexpr std::size_t arp_header_bytes = 28;
inline constexpr std::size_t ipv4_header_bytes = 20;
inline constexpr std::size_t ipv6_header_bytes = 40;
inline constexpr std::size_t tcp_header_bytes = 20;
inline constexpr std::size_t udp_header_bytes = 8;
inline constexpr std::size_t sctp_header_bytes = 12;
inline constexpr std::size_t icmp_header_bytes = 8;
inline constexpr std::size_t mpls_label_bytes = 4;

// Within TCP's 16 bits of header length and flags.
inline constexpr be16 tcp_flags_mask = be16::from_host(0x0fff);

}  // namespace ovs::flow
