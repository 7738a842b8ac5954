// FlowKey: the headers and the metadata of one packet, as everything above the parser sees them.
//
// A plain struct, all of it zero where a packet lacks a header; every member is in network byte
// order, so that a match field is nothing but a range of bits in it (flow/fields.h) and masks,
// OXM, set-field and text need no case for a single field.
//
// Order of members: the first 128 bytes, `hot`, are what nearly every packet fills and nearly every
// rule looks at; a packet without tunnel, registers, conntrack tuple, MPLS, NSH, ARP or ND fills nothing else, so
// that the parser zeroes, the caches hash and compare two cache lines.  `cold` follows; `cold_parts` in
// the hot part says which of its members may hold something other than zero.
//
// Staged look-up (metadata, L2, L3, L4): each 64-bit word belongs to one stage, stage_of_word().
//
// Thread safety: a value.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/byte_order.h"

namespace ovs::flow {

struct EthAddr {
  std::array<std::uint8_t, 6> bytes;
  friend bool operator==(const EthAddr&, const EthAddr&) = default;
  friend auto operator<=>(const EthAddr&, const EthAddr&) = default;
};

struct Ipv6Addr {
  std::array<std::uint8_t, 16> bytes;
  friend bool operator==(const Ipv6Addr&, const Ipv6Addr&) = default;
  friend auto operator<=>(const Ipv6Addr&, const Ipv6Addr&) = default;
};

// One 802.1Q or 802.1ad tag.  `tci` has the bit vlan_present set where there is a tag, as the
// field's vlan_tci does (it stands where the header has its CFI/DEI bit).
struct VlanTag {
  be16 tpid;
  be16 tci;
};
inline constexpr be16 vlan_present = be16::from_host(0x1000);
inline constexpr be16 vlan_vid_mask = be16::from_host(0x0fff);
inline constexpr be16 vlan_pcp_mask = be16::from_host(0xe000);

inline constexpr std::size_t max_vlan_tags = 2;
inline constexpr std::size_t max_mpls_labels = 3;
inline constexpr std::size_t register_count = 16;
inline constexpr std::size_t tunnel_metadata_count = 64;
inline constexpr std::size_t tunnel_metadata_bytes = 256;  // shared by all tun_metadata fields

// nw_frag, ovs-fields(7) "ip_frag".
inline constexpr std::uint8_t frag_any = 1;    // a fragment
inline constexpr std::uint8_t frag_later = 2;  // not the first one: no L4 header

// Which cold members may be other than zero.
enum ColdPart : std::uint8_t {
  cold_tunnel = 1,
  cold_registers = 2,  // registers, metadata, and other OpenFlow pipeline state
  cold_conntrack = 4,  // original tuple
  cold_mpls = 8,
  cold_nsh = 16,
  cold_neighbor = 32,  // ARP and ND addresses
};

struct FlowKey {
  // ---- hot: metadata
  be32 in_port;       // datapath or OpenFlow port, as the user of the key says
  be32 recirc_id;     // 0 for a packet that just came in
  be32 packet_type;   // namespace << 16 | type; 0: Ethernet
  be32 pkt_mark;
  be32 ct_state;
  be32 ct_mark;
  be16 ct_zone;
  std::uint8_t ct_nw_proto;
  std::uint8_t cold_parts;  // ColdPart bits; not a field, never matched on
  be32 dp_hash;
  Ipv6Addr ct_label;
  // ---- hot: L2
  EthAddr eth_dst;
  EthAddr eth_src;
  be16 eth_type;      // of the payload behind all tags; 0x05ff for 802.2 without SNAP
  std::uint8_t pad_l2[2];
  VlanTag vlan[max_vlan_tags];  // outermost first
  // ---- hot: L3
  be32 nw_src;        // IPv4, or ARP's SPA
  be32 nw_dst;        // IPv4, or ARP's TPA
  Ipv6Addr ipv6_src;
  Ipv6Addr ipv6_dst;
  be32 ipv6_label;
  std::uint8_t nw_proto;  // or the low eight bits of ARP's opcode
  std::uint8_t nw_tos;
  std::uint8_t nw_ttl;
  std::uint8_t nw_frag;
  // ---- hot: L4
  be16 tp_src;        // or ICMP's type
  be16 tp_dst;        // or ICMP's code
  be16 tcp_flags;
  std::uint8_t pad_l4[2];

  // ---- cold: tunnel metadata
  be64 tun_id;
  be32 tun_src;
  be32 tun_dst;
  Ipv6Addr tun_ipv6_src;
  Ipv6Addr tun_ipv6_dst;
  be16 tun_flags;
  be16 tun_gbp_id;
  std::uint8_t tun_gbp_flags;
  std::uint8_t tun_tos;  // with tun_ttl: not OpenFlow fields, but part of what outer headers say
  std::uint8_t tun_ttl;
  std::uint8_t tun_gtpu_flags;
  std::uint8_t tun_gtpu_msgtype;
  std::uint8_t tun_erspan_ver;
  std::uint8_t tun_erspan_dir;
  std::uint8_t tun_erspan_hwid;
  be32 tun_erspan_idx;
  be16 tun_tp_src;
  be16 tun_tp_dst;
  std::uint8_t pad_tunnel[4];
  be64 tun_metadata_present;
  std::uint8_t tun_metadata[tunnel_metadata_bytes];
  // ---- cold: OpenFlow pipeline
  be64 metadata;
  be32 reg[register_count];
  be32 conj_id;
  be32 actset_output;
  be32 skb_priority;
  std::uint8_t pad_pipeline[4];
  // ---- cold: conntrack's original tuple
  be32 ct_nw_src;
  be32 ct_nw_dst;
  Ipv6Addr ct_ipv6_src;
  Ipv6Addr ct_ipv6_dst;
  be16 ct_tp_src;
  be16 ct_tp_dst;
  std::uint8_t pad_ct[4];
  // ---- cold: MPLS and NSH
  be32 mpls_lse[max_mpls_labels];  // outermost first
  std::uint8_t pad_mpls[4];
  std::uint8_t nsh_flags;
  std::uint8_t nsh_ttl;
  std::uint8_t nsh_mdtype;
  std::uint8_t nsh_np;
  be32 nsh_path;  // service path (24 bits), service index (8 bits)
  be32 nsh_context[4];
  // ---- cold: ARP and ND
  EthAddr arp_sha;  // or ND's source link-layer address
  EthAddr arp_tha;  // or ND's target link-layer address
  be16 arp_op;
  std::uint8_t nd_options_type;
  std::uint8_t pad_nd;
  Ipv6Addr nd_target;
  be32 nd_reserved;
  std::uint8_t pad_end[4];

  friend bool operator==(const FlowKey& a, const FlowKey& b) { return std::memcmp(&a, &b, sizeof a) == 0; }
};

// The ColdPart bits that a key should have, found by looking: for a key that was filled by field.
std::uint8_t find_cold_parts(const FlowKey& key);

inline constexpr std::size_t hot_bytes = offsetof(FlowKey, tun_id);
inline constexpr std::size_t key_words = sizeof(FlowKey) / 8;
static_assert(hot_bytes == 128, "the hot part is two cache lines");
static_assert(sizeof(FlowKey) % 8 == 0);
static_assert(std::is_trivially_copyable_v<FlowKey>);

}  // namespace ovs::flow
