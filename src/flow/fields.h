// The table of match fields: what can be matched, set and moved, and all that any part of the
// switch needs to know about it (ovs-fields(7)).
//
// One row a field.  Look-up by name, OXM and NXM headers, masks, text, prerequisites, the legality
// of set_field, move and load, table features and the manual page are derived from the rows; there is no
// `switch` on a field outside this folder, and no second list.
//
// A field is a range of bits in FlowKey: `bits` of them, `shift` above the lowest bit of the
// `storage` bytes at `offset`, in network byte order.  On the wire (OXM) it is `wire_bytes` long, right-aligned,
// and `wire_shift` bits further left (nw_tos alone: DSCP as the upper six bits of a byte).
// Fields may overlap: ip_dscp and nw_tos are the same bits, `parent` names the register that a
// smaller one is a part of.  in_port is all of in_port_oxm, narrowed to 16 bits on the wire
// (flow/port_number.h).
//
// A consteval check holds names, headers and places unique and within range.
//
// Thread safety: constants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "flow/field_id.h"
#include "flow/flow_key.h"

namespace ovs::flow {

// How a value is written and read in text.
enum class Format : std::uint8_t {
  decimal, hexadecimal, ethernet, ipv4, ipv6, port16, port, frag, tunnel_flags, ct_state, tcp_flags, packet_type,
};

enum class Masking : std::uint8_t { exact_only, any };
enum class Access : std::uint8_t { read_only, read_write };

// What else a match must say before it may speak of a field (ovs-fields(7), "Prerequisites").
// flow/prerequisite.h tells whether it does.
enum class Prerequisite : std::uint8_t {
  none, conntrack, ethernet, vlan, mpls, ipv4, ipv6, ip, arp, nsh, tcp, udp, sctp, icmpv4, icmpv6, nd, nd_solicit, nd_advert,
};

// What the fixed matches of OpenFlow 1.0 and 1.1 can say of it.
enum class OldSupport : std::uint8_t { no, exact, cidr, masked };

// The class of an OXM or NXM header: its upper 16 bits, and the experimenter where that is 0xffff.
struct OxmClass {
  std::uint16_t id;
  std::uint32_t experimenter;
  friend constexpr bool operator==(OxmClass, OxmClass) = default;
};
inline constexpr OxmClass nxm_of{0x0000, 0};
inline constexpr OxmClass nxm_nx{0x0001, 0};
inline constexpr OxmClass ericsson{0x1000, 0};
inline constexpr OxmClass oxm_of{0x8000, 0};
inline constexpr OxmClass packet_registers{0x8001, 0};
inline constexpr OxmClass nxoxm_et{0xffff, 0x00002320};
inline constexpr OxmClass nxoxm_nsh{0xffff, 0x005ad650};
inline constexpr OxmClass onf_et{0xffff, 0x4f4e4600};

struct OxmCode {
  std::string_view name;  // empty: no code
  OxmClass oxm_class;
  std::uint8_t field;
  std::string_view since_openflow;  // "1.3"; empty for Open vSwitch's own
  std::string_view since_ovs;
};
inline constexpr std::size_t max_oxm_codes = 3;

struct Place {
  std::uint16_t offset;   // in FlowKey, bytes
  std::uint16_t storage;  // bytes
  std::uint16_t shift;    // bits above the lowest of the storage
  std::uint16_t bits;
  std::uint16_t wire_shift = 0;
};

struct Field {
  FieldId id;
  std::string_view name;
  std::string_view alias;  // empty: none
  Place place;
  std::uint16_t wire_bytes;
  Format format;
  Masking masking;
  Prerequisite prerequisite;
  Access access;
  OldSupport openflow10;
  OldSupport openflow11;
  std::array<OxmCode, max_oxm_codes> oxm;  // the first is the one to write: OXM before NXM
  FieldId parent;
  std::string_view help;
};

// The place of a member of FlowKey, or of `bits` bits in it, `shift` above its lowest.
#define FLOW_PLACE(member, shift, bits) \
  Place { offsetof(FlowKey, member), sizeof(static_cast<FlowKey*>(nullptr)->member), shift, bits }
// Registers, and the larger ones that overlay two (xreg) and four (xxreg) of them.
#define FLOW_REGISTER(id, first, width, oxm_codes, parent, help)                                       \
  {FieldId::id, #id, "", Place{offsetof(FlowKey, reg[first]), width, 0, 8 * (width)}, width,           \
   Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no, \
   oxm_codes, FieldId::parent, help}
#define FLOW_CODE(...) {{{__VA_ARGS__}}}
#define FLOW_REG(n, p, since) \
  FLOW_REGISTER(reg##n, n, 4, FLOW_CODE("NXM_NX_REG" #n, nxm_nx, n, "", since), xreg##p, "general-purpose register")
#define FLOW_XREG(n, first, p) \
  FLOW_REGISTER(xreg##n, first, 8, FLOW_CODE("OXM_OF_PKT_REG" #n, packet_registers, n, "1.3", "2.4"), xxreg##p, "two registers as one")
#define FLOW_XXREG(n, first, code) \
  FLOW_REGISTER(xxreg##n, first, 16, FLOW_CODE("NXM_NX_XXREG" #n, nxm_nx, code, "", "2.6"), none, "four registers as one")
// The place of a tunnel option is decided when it is bound to a TLV (ovs-ofctl add-tlv-map).
#define FLOW_TUN_METADATA(n, code)                                                                      \
  {FieldId::tun_metadata##n, "tun_metadata" #n, "", Place{offsetof(FlowKey, tun_metadata), 124, 0, 992}, 124, \
   Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no, \
   FLOW_CODE("NXM_NX_TUN_METADATA" #n, nxm_nx, code, "", "2.5"), FieldId::none, "tunnel option"}

// clang-format off
inline constexpr std::array<Field, field_count> fields{{
    {FieldId::conj_id, "conj_id", "", FLOW_PLACE(conj_id, 0, 32), 4,
     Format::decimal, Masking::exact_only, Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CONJ_ID", nxm_nx, 37, "", "2.4"}}},
     FieldId::none, "which conjunctive match this flow completes"},
    {FieldId::tun_id, "tun_id", "tunnel_id", FLOW_PLACE(tun_id, 0, 64), 8,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_TUNNEL_ID", oxm_of, 38, "1.3", "1.10"}, {"NXM_NX_TUN_ID", nxm_nx, 16, "", "1.1"}}},
     FieldId::none, "tunnel key: VNI, GRE key"},
    {FieldId::tun_src, "tun_src", "", FLOW_PLACE(tun_src, 0, 32), 4,
     Format::ipv4, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_TUN_IPV4_SRC", nxm_nx, 31, "", "2.0"}}}, FieldId::none, "outer IPv4 source"},
    {FieldId::tun_dst, "tun_dst", "", FLOW_PLACE(tun_dst, 0, 32), 4,
     Format::ipv4, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_TUN_IPV4_DST", nxm_nx, 32, "", "2.0"}}}, FieldId::none, "outer IPv4 destination"},
    {FieldId::tun_ipv6_src, "tun_ipv6_src", "", FLOW_PLACE(tun_ipv6_src, 0, 128), 16,
     Format::ipv6, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_TUN_IPV6_SRC", nxm_nx, 109, "", "2.5"}}}, FieldId::none, "outer IPv6 source"},
    {FieldId::tun_ipv6_dst, "tun_ipv6_dst", "", FLOW_PLACE(tun_ipv6_dst, 0, 128), 16,
     Format::ipv6, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_TUN_IPV6_DST", nxm_nx, 110, "", "2.5"}}}, FieldId::none, "outer IPv6 destination"},
    {FieldId::tun_gbp_id, "tun_gbp_id", "", FLOW_PLACE(tun_gbp_id, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_TUN_GBP_ID", nxm_nx, 38, "", "2.4"}}}, FieldId::none, "VXLAN group policy ID"},
    {FieldId::tun_gbp_flags, "tun_gbp_flags", "", FLOW_PLACE(tun_gbp_flags, 0, 8), 1,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_TUN_GBP_FLAGS", nxm_nx, 39, "", "2.4"}}}, FieldId::none, "VXLAN group policy flags"},
    {FieldId::tun_erspan_ver, "tun_erspan_ver", "", FLOW_PLACE(tun_erspan_ver, 0, 4), 1,
     Format::decimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_ET_ERSPAN_VER", nxoxm_et, 12, "", "2.10"}}}, FieldId::none, "ERSPAN version, 1 or 2"},
    {FieldId::tun_erspan_idx, "tun_erspan_idx", "", FLOW_PLACE(tun_erspan_idx, 0, 20), 4,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_ET_ERSPAN_IDX", nxoxm_et, 11, "", "2.10"}}}, FieldId::none, "ERSPAN session index"},
    {FieldId::tun_erspan_dir, "tun_erspan_dir", "", FLOW_PLACE(tun_erspan_dir, 0, 1), 1,
     Format::decimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_ET_ERSPAN_DIR", nxoxm_et, 13, "", "2.10"}}},
     FieldId::none, "ERSPAN v2 direction: 0 ingress, 1 egress"},
    {FieldId::tun_erspan_hwid, "tun_erspan_hwid", "", FLOW_PLACE(tun_erspan_hwid, 0, 6), 1,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_ET_ERSPAN_HWID", nxoxm_et, 14, "", "2.10"}}}, FieldId::none, "ERSPAN v2 hardware ID"},
    {FieldId::tun_gtpu_flags, "tun_gtpu_flags", "", FLOW_PLACE(tun_gtpu_flags, 0, 8), 1,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXOXM_ET_GTPU_FLAGS", nxoxm_et, 15, "", "2.13"}}}, FieldId::none, "GTP-U flags"},
    {FieldId::tun_gtpu_msgtype, "tun_gtpu_msgtype", "", FLOW_PLACE(tun_gtpu_msgtype, 0, 8), 1,
     Format::decimal, Masking::any, Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXOXM_ET_GTPU_MSGTYPE", nxoxm_et, 16, "", "2.13"}}}, FieldId::none, "GTP-U message type"},
    FLOW_TUN_METADATA(0, 40), FLOW_TUN_METADATA(1, 41), FLOW_TUN_METADATA(2, 42), FLOW_TUN_METADATA(3, 43),
    FLOW_TUN_METADATA(4, 44), FLOW_TUN_METADATA(5, 45), FLOW_TUN_METADATA(6, 46), FLOW_TUN_METADATA(7, 47),
    FLOW_TUN_METADATA(8, 48), FLOW_TUN_METADATA(9, 49), FLOW_TUN_METADATA(10, 50), FLOW_TUN_METADATA(11, 51),
    FLOW_TUN_METADATA(12, 52), FLOW_TUN_METADATA(13, 53), FLOW_TUN_METADATA(14, 54), FLOW_TUN_METADATA(15, 55),
    FLOW_TUN_METADATA(16, 56), FLOW_TUN_METADATA(17, 57), FLOW_TUN_METADATA(18, 58), FLOW_TUN_METADATA(19, 59),
    FLOW_TUN_METADATA(20, 60), FLOW_TUN_METADATA(21, 61), FLOW_TUN_METADATA(22, 62), FLOW_TUN_METADATA(23, 63),
    FLOW_TUN_METADATA(24, 64), FLOW_TUN_METADATA(25, 65), FLOW_TUN_METADATA(26, 66), FLOW_TUN_METADATA(27, 67),
    FLOW_TUN_METADATA(28, 68), FLOW_TUN_METADATA(29, 69), FLOW_TUN_METADATA(30, 70), FLOW_TUN_METADATA(31, 71),
    FLOW_TUN_METADATA(32, 72), FLOW_TUN_METADATA(33, 73), FLOW_TUN_METADATA(34, 74), FLOW_TUN_METADATA(35, 75),
    FLOW_TUN_METADATA(36, 76), FLOW_TUN_METADATA(37, 77), FLOW_TUN_METADATA(38, 78), FLOW_TUN_METADATA(39, 79),
    FLOW_TUN_METADATA(40, 80), FLOW_TUN_METADATA(41, 81), FLOW_TUN_METADATA(42, 82), FLOW_TUN_METADATA(43, 83),
    FLOW_TUN_METADATA(44, 84), FLOW_TUN_METADATA(45, 85), FLOW_TUN_METADATA(46, 86), FLOW_TUN_METADATA(47, 87),
    FLOW_TUN_METADATA(48, 88), FLOW_TUN_METADATA(49, 89), FLOW_TUN_METADATA(50, 90), FLOW_TUN_METADATA(51, 91),
    FLOW_TUN_METADATA(52, 92), FLOW_TUN_METADATA(53, 93), FLOW_TUN_METADATA(54, 94), FLOW_TUN_METADATA(55, 95),
    FLOW_TUN_METADATA(56, 96), FLOW_TUN_METADATA(57, 97), FLOW_TUN_METADATA(58, 98), FLOW_TUN_METADATA(59, 99),
    FLOW_TUN_METADATA(60, 100), FLOW_TUN_METADATA(61, 101), FLOW_TUN_METADATA(62, 102), FLOW_TUN_METADATA(63, 103),
    {FieldId::tun_flags, "tun_flags", "", FLOW_PLACE(tun_flags, 0, 1), 2,
     Format::tunnel_flags, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_TUN_FLAGS", nxm_nx, 104, "", "2.5"}}}, FieldId::none, "tunnel flags: oam"},
    {FieldId::in_port, "in_port", "", FLOW_PLACE(in_port, 0, 32), 2,
     Format::port16, Masking::exact_only, Prerequisite::none, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"NXM_OF_IN_PORT", nxm_of, 0, "", "1.1"}}},
     FieldId::in_port_oxm, "ingress port, OpenFlow 1.0 numbering"},
    {FieldId::in_port_oxm, "in_port_oxm", "", FLOW_PLACE(in_port, 0, 32), 4,
     Format::port, Masking::exact_only, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::exact,
     {{{"OXM_OF_IN_PORT", oxm_of, 0, "1.2", "1.7"}}}, FieldId::none, "ingress port"},
    {FieldId::skb_priority, "skb_priority", "", FLOW_PLACE(skb_priority, 0, 32), 4,
     Format::hexadecimal, Masking::exact_only, Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no,
     {}, FieldId::none, "queue chosen for output"},
    {FieldId::pkt_mark, "pkt_mark", "", FLOW_PLACE(pkt_mark, 0, 32), 4,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_PKT_MARK", nxm_nx, 33, "", "2.0"}}}, FieldId::none, "packet mark, shared with the kernel"},
    {FieldId::actset_output, "actset_output", "", FLOW_PLACE(actset_output, 0, 32), 4,
     Format::port, Masking::exact_only, Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_ACTSET_OUTPUT", oxm_of, 43, "1.5", "2.4"}, {"ONFOXM_ET_ACTSET_OUTPUT", onf_et, 43, "1.3", "2.4"}}},
     FieldId::none, "output port of the action set"},
    {FieldId::packet_type, "packet_type", "", FLOW_PLACE(packet_type, 0, 32), 4,
     Format::packet_type, Masking::exact_only, Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_PACKET_TYPE", oxm_of, 44, "1.5", "2.8"}}},
     FieldId::none, "outermost header: (namespace,type)"},
    {FieldId::ct_state, "ct_state", "", FLOW_PLACE(ct_state, 0, 32), 4,
     Format::ct_state, Masking::any, Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_STATE", nxm_nx, 105, "", "2.5"}}}, FieldId::none, "connection state"},
    {FieldId::ct_zone, "ct_zone", "", FLOW_PLACE(ct_zone, 0, 16), 2,
     Format::hexadecimal, Masking::exact_only, Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_ZONE", nxm_nx, 106, "", "2.5"}}}, FieldId::none, "connection tracking zone"},
    {FieldId::ct_mark, "ct_mark", "", FLOW_PLACE(ct_mark, 0, 32), 4,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_MARK", nxm_nx, 107, "", "2.5"}}}, FieldId::none, "connection mark"},
    {FieldId::ct_label, "ct_label", "", FLOW_PLACE(ct_label, 0, 128), 16,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_LABEL", nxm_nx, 108, "", "2.5"}}}, FieldId::none, "connection label"},
    {FieldId::ct_nw_src, "ct_nw_src", "", FLOW_PLACE(ct_nw_src, 0, 32), 4,
     Format::ipv4, Masking::any, Prerequisite::conntrack, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_NW_SRC", nxm_nx, 120, "", "2.8"}}}, FieldId::none, "original direction IPv4 source"},
    {FieldId::ct_nw_dst, "ct_nw_dst", "", FLOW_PLACE(ct_nw_dst, 0, 32), 4,
     Format::ipv4, Masking::any, Prerequisite::conntrack, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_NW_DST", nxm_nx, 121, "", "2.8"}}}, FieldId::none, "original direction IPv4 destination"},
    {FieldId::ct_ipv6_src, "ct_ipv6_src", "", FLOW_PLACE(ct_ipv6_src, 0, 128), 16,
     Format::ipv6, Masking::any, Prerequisite::conntrack, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_IPV6_SRC", nxm_nx, 122, "", "2.8"}}}, FieldId::none, "original direction IPv6 source"},
    {FieldId::ct_ipv6_dst, "ct_ipv6_dst", "", FLOW_PLACE(ct_ipv6_dst, 0, 128), 16,
     Format::ipv6, Masking::any, Prerequisite::conntrack, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_IPV6_DST", nxm_nx, 123, "", "2.8"}}},
     FieldId::none, "original direction IPv6 destination"},
    {FieldId::ct_nw_proto, "ct_nw_proto", "", FLOW_PLACE(ct_nw_proto, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::conntrack, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_NW_PROTO", nxm_nx, 119, "", "2.8"}}}, FieldId::none, "original direction IP protocol"},
    {FieldId::ct_tp_src, "ct_tp_src", "", FLOW_PLACE(ct_tp_src, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::conntrack, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_TP_SRC", nxm_nx, 124, "", "2.8"}}}, FieldId::none, "original direction source port"},
    {FieldId::ct_tp_dst, "ct_tp_dst", "", FLOW_PLACE(ct_tp_dst, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::conntrack, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_CT_TP_DST", nxm_nx, 125, "", "2.8"}}}, FieldId::none, "original direction destination port"},
    {FieldId::metadata, "metadata", "", FLOW_PLACE(metadata, 0, 64), 8,
     Format::hexadecimal, Masking::any, Prerequisite::none, Access::read_write, OldSupport::no, OldSupport::masked,
     {{{"OXM_OF_METADATA", oxm_of, 2, "1.2", "1.8"}}}, FieldId::none, "64 bits passed between tables"},
    FLOW_REG(0, 0, "1.1"), FLOW_REG(1, 0, "1.1"), FLOW_REG(2, 1, "1.1"), FLOW_REG(3, 1, "1.1"),
    FLOW_REG(4, 2, "1.3"), FLOW_REG(5, 2, "1.7"), FLOW_REG(6, 3, "1.7"), FLOW_REG(7, 3, "1.7"),
    FLOW_REG(8, 4, "2.6"), FLOW_REG(9, 4, "2.6"), FLOW_REG(10, 5, "2.6"), FLOW_REG(11, 5, "2.6"),
    FLOW_REG(12, 6, "2.6"), FLOW_REG(13, 6, "2.6"), FLOW_REG(14, 7, "2.6"), FLOW_REG(15, 7, "2.6"),
    FLOW_XREG(0, 0, 0), FLOW_XREG(1, 2, 0), FLOW_XREG(2, 4, 1), FLOW_XREG(3, 6, 1),
    FLOW_XREG(4, 8, 2), FLOW_XREG(5, 10, 2), FLOW_XREG(6, 12, 3), FLOW_XREG(7, 14, 3),
    FLOW_XXREG(0, 0, 111), FLOW_XXREG(1, 4, 112), FLOW_XXREG(2, 8, 113), FLOW_XXREG(3, 12, 114),
    {FieldId::eth_src, "eth_src", "dl_src", FLOW_PLACE(eth_src, 0, 48), 6,
     Format::ethernet, Masking::any, Prerequisite::ethernet, Access::read_write, OldSupport::exact, OldSupport::masked,
     {{{"OXM_OF_ETH_SRC", oxm_of, 4, "1.2", "1.7"}, {"NXM_OF_ETH_SRC", nxm_of, 2, "", "1.1"}}},
     FieldId::none, "Ethernet source"},
    {FieldId::eth_dst, "eth_dst", "dl_dst", FLOW_PLACE(eth_dst, 0, 48), 6,
     Format::ethernet, Masking::any, Prerequisite::ethernet, Access::read_write, OldSupport::exact, OldSupport::masked,
     {{{"OXM_OF_ETH_DST", oxm_of, 3, "1.2", "1.7"}, {"NXM_OF_ETH_DST", nxm_of, 1, "", "1.1"}}},
     FieldId::none, "Ethernet destination"},
    {FieldId::eth_type, "eth_type", "dl_type", FLOW_PLACE(eth_type, 0, 16), 2,
     Format::hexadecimal, Masking::exact_only, Prerequisite::ethernet, Access::read_only, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_ETH_TYPE", oxm_of, 5, "1.2", "1.7"}, {"NXM_OF_ETH_TYPE", nxm_of, 3, "", "1.1"}}},
     FieldId::none, "Ethertype"},
    {FieldId::dl_vlan, "dl_vlan", "", FLOW_PLACE(vlan[0].tci, 0, 12), 2,
     Format::decimal, Masking::exact_only, Prerequisite::ethernet, Access::read_write, OldSupport::exact, OldSupport::exact,
     {}, FieldId::none, "VLAN ID of the outer tag, as OpenFlow 1.0 has it; in a match, 65535: no tag"},
    {FieldId::dl_vlan_pcp, "dl_vlan_pcp", "", FLOW_PLACE(vlan[0].tci, 13, 3), 1,
     Format::decimal, Masking::exact_only, Prerequisite::ethernet, Access::read_write, OldSupport::exact, OldSupport::exact,
     {}, FieldId::none, "priority of the outer tag, as OpenFlow 1.0 has it"},
    {FieldId::vlan_vid, "vlan_vid", "", FLOW_PLACE(vlan[0].tci, 0, 13), 2,
     Format::decimal, Masking::any, Prerequisite::ethernet, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_VLAN_VID", oxm_of, 6, "1.2", "1.7"}}}, FieldId::none, "VLAN ID of the outer tag, with bit 0x1000 set if there is one"},
    {FieldId::vlan_pcp, "vlan_pcp", "", FLOW_PLACE(vlan[0].tci, 13, 3), 1,
     Format::decimal, Masking::exact_only, Prerequisite::vlan, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_VLAN_PCP", oxm_of, 7, "1.2", "1.7"}}}, FieldId::none, "priority of the outer tag"},
    {FieldId::vlan_tci, "vlan_tci", "", FLOW_PLACE(vlan[0].tci, 0, 16), 2,
     Format::hexadecimal, Masking::any, Prerequisite::ethernet, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"NXM_OF_VLAN_TCI", nxm_of, 4, "", "1.1"}}},
     FieldId::none, "outer tag, with bit 0x1000 set if there is one"},
    {FieldId::mpls_label, "mpls_label", "", FLOW_PLACE(mpls_lse[0], 12, 20), 4,
     Format::decimal, Masking::exact_only, Prerequisite::mpls, Access::read_write, OldSupport::no, OldSupport::exact,
     {{{"OXM_OF_MPLS_LABEL", oxm_of, 34, "1.2", "1.11"}}}, FieldId::none, "label of the outer MPLS entry"},
    {FieldId::mpls_tc, "mpls_tc", "", FLOW_PLACE(mpls_lse[0], 9, 3), 1,
     Format::decimal, Masking::exact_only, Prerequisite::mpls, Access::read_write, OldSupport::no, OldSupport::exact,
     {{{"OXM_OF_MPLS_TC", oxm_of, 35, "1.2", "1.11"}}},
     FieldId::none, "traffic class of the outer MPLS entry"},
    {FieldId::mpls_bos, "mpls_bos", "", FLOW_PLACE(mpls_lse[0], 8, 1), 1,
     Format::decimal, Masking::exact_only, Prerequisite::mpls, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_MPLS_BOS", oxm_of, 36, "1.3", "1.11"}}},
     FieldId::none, "whether the outer MPLS entry is the only one"},
    {FieldId::mpls_ttl, "mpls_ttl", "", FLOW_PLACE(mpls_lse[0], 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::mpls, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_MPLS_TTL", nxm_nx, 30, "", "2.6"}}}, FieldId::none, "TTL of the outer MPLS entry"},
    {FieldId::ip_src, "ip_src", "nw_src", FLOW_PLACE(nw_src, 0, 32), 4,
     Format::ipv4, Masking::any, Prerequisite::ipv4, Access::read_write, OldSupport::cidr, OldSupport::masked,
     {{{"OXM_OF_IPV4_SRC", oxm_of, 11, "1.2", "1.7"}, {"NXM_OF_IP_SRC", nxm_of, 7, "", "1.1"}}},
     FieldId::none, "IPv4 source"},
    {FieldId::ip_dst, "ip_dst", "nw_dst", FLOW_PLACE(nw_dst, 0, 32), 4,
     Format::ipv4, Masking::any, Prerequisite::ipv4, Access::read_write, OldSupport::cidr, OldSupport::masked,
     {{{"OXM_OF_IPV4_DST", oxm_of, 12, "1.2", "1.7"}, {"NXM_OF_IP_DST", nxm_of, 8, "", "1.1"}}},
     FieldId::none, "IPv4 destination"},
    {FieldId::ipv6_src, "ipv6_src", "", FLOW_PLACE(ipv6_src, 0, 128), 16,
     Format::ipv6, Masking::any, Prerequisite::ipv6, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_IPV6_SRC", oxm_of, 26, "1.2", "1.1"}, {"NXM_NX_IPV6_SRC", nxm_nx, 19, "", "1.1"}}},
     FieldId::none, "IPv6 source"},
    {FieldId::ipv6_dst, "ipv6_dst", "", FLOW_PLACE(ipv6_dst, 0, 128), 16,
     Format::ipv6, Masking::any, Prerequisite::ipv6, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_IPV6_DST", oxm_of, 27, "1.2", "1.1"}, {"NXM_NX_IPV6_DST", nxm_nx, 20, "", "1.1"}}},
     FieldId::none, "IPv6 destination"},
    {FieldId::ipv6_label, "ipv6_label", "", FLOW_PLACE(ipv6_label, 0, 20), 4,
     Format::hexadecimal, Masking::any, Prerequisite::ipv6, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_IPV6_FLABEL", oxm_of, 28, "1.2", "1.7"}, {"NXM_NX_IPV6_LABEL", nxm_nx, 27, "", "1.4"}}},
     FieldId::none, "IPv6 flow label"},
    {FieldId::nw_proto, "nw_proto", "ip_proto", FLOW_PLACE(nw_proto, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::ip, Access::read_only, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_IP_PROTO", oxm_of, 10, "1.2", "1.7"}, {"NXM_OF_IP_PROTO", nxm_of, 6, "", "1.1"}}},
     FieldId::none, "IP protocol"},
    {FieldId::nw_ttl, "nw_ttl", "", FLOW_PLACE(nw_ttl, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::ip, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_IP_TTL", nxm_nx, 29, "", "1.4"}}}, FieldId::none, "TTL or hop limit"},
    {FieldId::ip_frag, "ip_frag", "nw_frag", FLOW_PLACE(nw_frag, 0, 2), 1,
     Format::frag, Masking::any, Prerequisite::ip, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXM_NX_IP_FRAG", nxm_nx, 26, "", "1.3"}}}, FieldId::none, "whether a fragment, and which"},
    {FieldId::nw_tos, "nw_tos", "", Place{offsetof(FlowKey, nw_tos), 1, 2, 6, 2}, 1,
     Format::decimal, Masking::exact_only, Prerequisite::ip, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"NXM_OF_IP_TOS", nxm_of, 5, "", "1.1"}}}, FieldId::none, "DSCP as the upper six bits of a byte"},
    {FieldId::ip_dscp, "ip_dscp", "", FLOW_PLACE(nw_tos, 2, 6), 1,
     Format::decimal, Masking::exact_only, Prerequisite::ip, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_IP_DSCP", oxm_of, 8, "1.2", "1.7"}}}, FieldId::none, "DSCP"},
    {FieldId::nw_ecn, "nw_ecn", "ip_ecn", FLOW_PLACE(nw_tos, 0, 2), 1,
     Format::decimal, Masking::exact_only, Prerequisite::ip, Access::read_write, OldSupport::no, OldSupport::exact,
     {{{"OXM_OF_IP_ECN", oxm_of, 9, "1.2", "1.7"}, {"NXM_NX_IP_ECN", nxm_nx, 28, "", "1.4"}}},
     FieldId::none, "ECN bits"},
    {FieldId::arp_op, "arp_op", "", FLOW_PLACE(arp_op, 0, 16), 2,
     Format::decimal, Masking::exact_only, Prerequisite::arp, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_ARP_OP", oxm_of, 21, "1.2", "1.7"}, {"NXM_OF_ARP_OP", nxm_of, 15, "", "1.1"}}},
     FieldId::none, "ARP opcode"},
    {FieldId::arp_spa, "arp_spa", "", FLOW_PLACE(nw_src, 0, 32), 4,
     Format::ipv4, Masking::any, Prerequisite::arp, Access::read_write, OldSupport::cidr, OldSupport::masked,
     {{{"OXM_OF_ARP_SPA", oxm_of, 22, "1.2", "1.7"}, {"NXM_OF_ARP_SPA", nxm_of, 16, "", "1.1"}}},
     FieldId::none, "ARP sender protocol address"},
    {FieldId::arp_tpa, "arp_tpa", "", FLOW_PLACE(nw_dst, 0, 32), 4,
     Format::ipv4, Masking::any, Prerequisite::arp, Access::read_write, OldSupport::cidr, OldSupport::masked,
     {{{"OXM_OF_ARP_TPA", oxm_of, 23, "1.2", "1.7"}, {"NXM_OF_ARP_TPA", nxm_of, 17, "", "1.1"}}},
     FieldId::none, "ARP target protocol address"},
    {FieldId::arp_sha, "arp_sha", "", FLOW_PLACE(arp_sha, 0, 48), 6,
     Format::ethernet, Masking::any, Prerequisite::arp, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_ARP_SHA", oxm_of, 24, "1.2", "1.7"}, {"NXM_NX_ARP_SHA", nxm_nx, 17, "", "1.1"}}},
     FieldId::none, "ARP sender hardware address"},
    {FieldId::arp_tha, "arp_tha", "", FLOW_PLACE(arp_tha, 0, 48), 6,
     Format::ethernet, Masking::any, Prerequisite::arp, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_ARP_THA", oxm_of, 25, "1.2", "1.7"}, {"NXM_NX_ARP_THA", nxm_nx, 18, "", "1.1"}}},
     FieldId::none, "ARP target hardware address"},
    {FieldId::nsh_flags, "nsh_flags", "", FLOW_PLACE(nsh_flags, 0, 8), 1,
     Format::decimal, Masking::any, Prerequisite::nsh, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_FLAGS", nxoxm_nsh, 1, "", "2.8"}}}, FieldId::none, "NSH flags"},
    {FieldId::nsh_ttl, "nsh_ttl", "", FLOW_PLACE(nsh_ttl, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::nsh, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_TTL", nxoxm_nsh, 10, "", "2.9"}}}, FieldId::none, "NSH TTL"},
    {FieldId::nsh_mdtype, "nsh_mdtype", "", FLOW_PLACE(nsh_mdtype, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::nsh, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_MDTYPE", nxoxm_nsh, 2, "", "2.8"}}}, FieldId::none, "NSH metadata type"},
    {FieldId::nsh_np, "nsh_np", "", FLOW_PLACE(nsh_np, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::nsh, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_NP", nxoxm_nsh, 3, "", "2.8"}}}, FieldId::none, "NSH next protocol"},
    {FieldId::nsh_spi, "nsh_spi", "nsp", FLOW_PLACE(nsh_path, 8, 24), 4,
     Format::hexadecimal, Masking::exact_only, Prerequisite::nsh, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_SPI", nxoxm_nsh, 4, "", "2.8"}}}, FieldId::none, "NSH service path"},
    {FieldId::nsh_si, "nsh_si", "nsi", FLOW_PLACE(nsh_path, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::nsh, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_SI", nxoxm_nsh, 5, "", "2.8"}}}, FieldId::none, "NSH service index"},
    {FieldId::nsh_c1, "nsh_c1", "nshc1", FLOW_PLACE(nsh_context[0], 0, 32), 4,
     Format::hexadecimal, Masking::any, Prerequisite::nsh, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_C1", nxoxm_nsh, 6, "", "2.8"}}}, FieldId::none, "NSH context 1"},
    {FieldId::nsh_c2, "nsh_c2", "nshc2", FLOW_PLACE(nsh_context[1], 0, 32), 4,
     Format::hexadecimal, Masking::any, Prerequisite::nsh, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_C2", nxoxm_nsh, 7, "", "2.8"}}}, FieldId::none, "NSH context 2"},
    {FieldId::nsh_c3, "nsh_c3", "nshc3", FLOW_PLACE(nsh_context[2], 0, 32), 4,
     Format::hexadecimal, Masking::any, Prerequisite::nsh, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_C3", nxoxm_nsh, 8, "", "2.8"}}}, FieldId::none, "NSH context 3"},
    {FieldId::nsh_c4, "nsh_c4", "nshc4", FLOW_PLACE(nsh_context[3], 0, 32), 4,
     Format::hexadecimal, Masking::any, Prerequisite::nsh, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"NXOXM_NSH_C4", nxoxm_nsh, 9, "", "2.8"}}}, FieldId::none, "NSH context 4"},
    {FieldId::tcp_src, "tcp_src", "tp_src", FLOW_PLACE(tp_src, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::tcp, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_TCP_SRC", oxm_of, 13, "1.2", "1.7"}, {"NXM_OF_TCP_SRC", nxm_of, 9, "", "1.1"}}},
     FieldId::none, "TCP source port"},
    {FieldId::tcp_dst, "tcp_dst", "tp_dst", FLOW_PLACE(tp_dst, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::tcp, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_TCP_DST", oxm_of, 14, "1.2", "1.7"}, {"NXM_OF_TCP_DST", nxm_of, 10, "", "1.1"}}},
     FieldId::none, "TCP destination port"},
    {FieldId::tcp_flags, "tcp_flags", "", FLOW_PLACE(tcp_flags, 0, 12), 2,
     Format::tcp_flags, Masking::any, Prerequisite::tcp, Access::read_only, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_TCP_FLAGS", oxm_of, 42, "1.5", "2.3"}, {"ONFOXM_ET_TCP_FLAGS", onf_et, 42, "1.3", "2.4"}, {"NXM_NX_TCP_FLAGS", nxm_nx, 34, "", "2.1"}}},
     FieldId::none, "TCP flags"},
    {FieldId::udp_src, "udp_src", "", FLOW_PLACE(tp_src, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::udp, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_UDP_SRC", oxm_of, 15, "1.2", "1.7"}, {"NXM_OF_UDP_SRC", nxm_of, 11, "", "1.1"}}},
     FieldId::none, "UDP source port"},
    {FieldId::udp_dst, "udp_dst", "", FLOW_PLACE(tp_dst, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::udp, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_UDP_DST", oxm_of, 16, "1.2", "1.7"}, {"NXM_OF_UDP_DST", nxm_of, 12, "", "1.1"}}},
     FieldId::none, "UDP destination port"},
    {FieldId::sctp_src, "sctp_src", "", FLOW_PLACE(tp_src, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::sctp, Access::read_write, OldSupport::no, OldSupport::exact,
     {{{"OXM_OF_SCTP_SRC", oxm_of, 17, "1.2", "2.0"}}}, FieldId::none, "SCTP source port"},
    {FieldId::sctp_dst, "sctp_dst", "", FLOW_PLACE(tp_dst, 0, 16), 2,
     Format::decimal, Masking::any, Prerequisite::sctp, Access::read_write, OldSupport::no, OldSupport::exact,
     {{{"OXM_OF_SCTP_DST", oxm_of, 18, "1.2", "2.0"}}}, FieldId::none, "SCTP destination port"},
    {FieldId::icmp_type, "icmp_type", "", FLOW_PLACE(tp_src, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::icmpv4, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_ICMPV4_TYPE", oxm_of, 19, "1.2", "1.7"}, {"NXM_OF_ICMP_TYPE", nxm_of, 13, "", "1.1"}}},
     FieldId::none, "ICMP type"},
    {FieldId::icmp_code, "icmp_code", "", FLOW_PLACE(tp_dst, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::icmpv4, Access::read_write, OldSupport::exact, OldSupport::exact,
     {{{"OXM_OF_ICMPV4_CODE", oxm_of, 20, "1.2", "1.7"}, {"NXM_OF_ICMP_CODE", nxm_of, 14, "", "1.1"}}},
     FieldId::none, "ICMP code"},
    {FieldId::icmpv6_type, "icmpv6_type", "", FLOW_PLACE(tp_src, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::icmpv6, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_ICMPV6_TYPE", oxm_of, 29, "1.2", "1.7"}, {"NXM_NX_ICMPV6_TYPE", nxm_nx, 21, "", "1.1"}}},
     FieldId::none, "ICMPv6 type"},
    {FieldId::icmpv6_code, "icmpv6_code", "", FLOW_PLACE(tp_dst, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::icmpv6, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_ICMPV6_CODE", oxm_of, 30, "1.2", "1.7"}, {"NXM_NX_ICMPV6_CODE", nxm_nx, 22, "", "1.1"}}},
     FieldId::none, "ICMPv6 code"},
    {FieldId::nd_target, "nd_target", "", FLOW_PLACE(nd_target, 0, 128), 16,
     Format::ipv6, Masking::any, Prerequisite::nd, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_IPV6_ND_TARGET", oxm_of, 31, "1.2", "1.7"}, {"NXM_NX_ND_TARGET", nxm_nx, 23, "", "1.1"}}},
     FieldId::none, "neighbor discovery target"},
    {FieldId::nd_sll, "nd_sll", "", FLOW_PLACE(arp_sha, 0, 48), 6,
     Format::ethernet, Masking::any, Prerequisite::nd_solicit, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_IPV6_ND_SLL", oxm_of, 32, "1.2", "1.7"}, {"NXM_NX_ND_SLL", nxm_nx, 24, "", "1.1"}}},
     FieldId::none, "neighbor discovery source link-layer address"},
    {FieldId::nd_tll, "nd_tll", "", FLOW_PLACE(arp_tha, 0, 48), 6,
     Format::ethernet, Masking::any, Prerequisite::nd_advert, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"OXM_OF_IPV6_ND_TLL", oxm_of, 33, "1.2", "1.7"}, {"NXM_NX_ND_TLL", nxm_nx, 25, "", "1.1"}}},
     FieldId::none, "neighbor discovery target link-layer address"},
    {FieldId::nd_reserved, "nd_reserved", "", FLOW_PLACE(nd_reserved, 0, 32), 4,
     Format::decimal, Masking::exact_only, Prerequisite::nd, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"ERICOXM_OF_ICMPV6_ND_RESERVED", ericsson, 1, "", "2.11"}}},
     FieldId::none, "neighbor discovery reserved field"},
    {FieldId::nd_options_type, "nd_options_type", "", FLOW_PLACE(nd_options_type, 0, 8), 1,
     Format::decimal, Masking::exact_only, Prerequisite::nd, Access::read_write, OldSupport::no, OldSupport::no,
     {{{"ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", ericsson, 2, "", "2.11"}}},
     FieldId::none, "neighbor discovery option type"},
}};
// clang-format on
#undef FLOW_PLACE
#undef FLOW_REGISTER
#undef FLOW_CODE
#undef FLOW_REG
#undef FLOW_XREG
#undef FLOW_XXREG
#undef FLOW_TUN_METADATA

// How many bits actions may name ("vlan_vid[0..11]"): what tells whether there is a tag is not among them.
constexpr unsigned action_bits(const Field& f) {
  if (f.id == FieldId::vlan_vid) return 12;
  return f.format == Format::port16 ? 16 : f.place.bits + f.place.wire_shift;
}

constexpr const Field& field(FieldId id) { return fields[static_cast<std::size_t>(id)]; }
// Whether the place depends on a run-time binding.
constexpr bool is_tunnel_metadata(FieldId id) {
  return id >= FieldId::tun_metadata0 && id <= FieldId::tun_metadata63;
}

// By name or alias, or by an OXM or NXM name ("NXM_OF_ETH_TYPE"); upper and lower case are the same for the latter.
const Field* find_field(std::string_view name);
// By the numbers of an OXM or NXM header.
const Field* find_field(OxmClass oxm_class, std::uint8_t number);

}  // namespace ovs::flow
