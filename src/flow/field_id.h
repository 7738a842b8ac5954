// FieldId: the names of the match fields, one a row of flow/fields.h, in the same order.
#pragma once

#include <cstdint>

namespace ovs::flow {

// clang-format off
enum class FieldId : std::uint8_t {
  conj_id, tun_id, tun_src, tun_dst, tun_ipv6_src, tun_ipv6_dst, tun_gbp_id, tun_gbp_flags,
  tun_erspan_ver, tun_erspan_idx, tun_erspan_dir, tun_erspan_hwid, tun_gtpu_flags,
  tun_gtpu_msgtype, tun_metadata0, tun_metadata1, tun_metadata2, tun_metadata3, tun_metadata4,
  tun_metadata5, tun_metadata6, tun_metadata7, tun_metadata8, tun_metadata9, tun_metadata10,
  tun_metadata11, tun_metadata12, tun_metadata13, tun_metadata14, tun_metadata15,
  tun_metadata16, tun_metadata17, tun_metadata18, tun_metadata19, tun_metadata20,
  tun_metadata21, tun_metadata22, tun_metadata23, tun_metadata24, tun_metadata25,
  tun_metadata26, tun_metadata27, tun_metadata28, tun_metadata29, tun_metadata30,
  tun_metadata31, tun_metadata32, tun_metadata33, tun_metadata34, tun_metadata35,
  tun_metadata36, tun_metadata37, tun_metadata38, tun_metadata39, tun_metadata40,
  tun_metadata41, tun_metadata42, tun_metadata43, tun_metadata44, tun_metadata45,
  tun_metadata46, tun_metadata47, tun_metadata48, tun_metadata49, tun_metadata50,
  tun_metadata51, tun_metadata52, tun_metadata53, tun_metadata54, tun_metadata55,
  tun_metadata56, tun_metadata57, tun_metadata58, tun_metadata59, tun_metadata60,
  tun_metadata61, tun_metadata62, tun_metadata63, tun_flags, in_port, in_port_oxm, skb_priority,
  pkt_mark, actset_output, packet_type, ct_state, ct_zone, ct_mark, ct_label, ct_nw_src,
  ct_nw_dst, ct_ipv6_src, ct_ipv6_dst, ct_nw_proto, ct_tp_src, ct_tp_dst, metadata, reg0, reg1,
  reg2, reg3, reg4, reg5, reg6, reg7, reg8, reg9, reg10, reg11, reg12, reg13, reg14, reg15,
  xreg0, xreg1, xreg2, xreg3, xreg4, xreg5, xreg6, xreg7, xxreg0, xxreg1, xxreg2, xxreg3,
  eth_src, eth_dst, eth_type, dl_vlan, dl_vlan_pcp, vlan_vid, vlan_pcp, vlan_tci,
  mpls_label, mpls_tc, mpls_bos, mpls_ttl, ip_src, ip_dst, ipv6_src, ipv6_dst, ipv6_label, nw_proto, nw_ttl, ip_frag, nw_tos,
  ip_dscp, nw_ecn, arp_op, arp_spa, arp_tpa, arp_sha, arp_tha, nsh_flags, nsh_ttl, nsh_mdtype,
  nsh_np, nsh_spi, nsh_si, nsh_c1, nsh_c2, nsh_c3, nsh_c4, tcp_src, tcp_dst, tcp_flags, udp_src,
  udp_dst, sctp_src, sctp_dst, icmp_type, icmp_code, icmpv6_type, icmpv6_code, nd_target,
  nd_sll, nd_tll, nd_reserved, nd_options_type,
  none,
};
// clang-format on

inline constexpr unsigned field_count = static_cast<unsigned>(FieldId::none);

}  // namespace ovs::flow
