// The text of whole flow keys.
#include <algorithm>

#include <fmt/format.h>

#include "flow/flags.h"
#include "flow/match_text.h"
#include "flow/prerequisite.h"
#include "flow/protocols.h"

namespace ovs::flow {

namespace {

// Builds the mask of what a packet with a given key has.
class Relevant {
 public:
  explicit Relevant(const FlowKey& key) : key_(key) {}

  Mask find() {
    find_metadata();
    find_tunnel();
    const bool ethernet = !key_.packet_type;
    exact(FieldId::packet_type);
    mask_.bits.in_port.raw = 0xffffffff;
    be16 type = key_.eth_type;
    if (ethernet) {
      find_l2();
    } else {
      type = be16::from_host(static_cast<std::uint16_t>(key_.packet_type.host()));
    }
    find_l3(type);
    return mask_;
  }

 private:
  void exact(FieldId id) { mask_.look_at(id); }
  void exact_unless_zero(FieldId id) {
    if (!is_zero(field(id), get_field(key_, field(id)))) exact(id);
  }

  void find_metadata() {
    for (const FieldId id : {FieldId::pkt_mark, FieldId::skb_priority, FieldId::ct_state, FieldId::ct_zone, FieldId::ct_mark,
                             FieldId::ct_label, FieldId::metadata}) {
      exact_unless_zero(id);
    }
    if (key_.recirc_id) mask_.bits.recirc_id.raw = 0xffffffff;
    if (key_.dp_hash) mask_.bits.dp_hash.raw = 0xffffffff;
    for (auto id = FieldId::reg0; id <= FieldId::reg15; id = static_cast<FieldId>(static_cast<int>(id) + 1)) {
      exact_unless_zero(id);
    }
    if (key_.ct_nw_proto == 0) return;
    const bool v6 = key_.eth_type == eth_type::ipv6;
    exact(v6 ? FieldId::ct_ipv6_src : FieldId::ct_nw_src);
    exact(v6 ? FieldId::ct_ipv6_dst : FieldId::ct_nw_dst);
    exact(FieldId::ct_nw_proto);
    exact(FieldId::ct_tp_src);
    exact(FieldId::ct_tp_dst);
  }

  // A packet came through a tunnel if the tunnel has a destination.
  void find_tunnel() {
    exact_unless_zero(FieldId::tun_id);
    if (!key_.tun_dst && key_.tun_ipv6_dst == Ipv6Addr{}) return;
    for (const FieldId id : {FieldId::tun_src, FieldId::tun_dst, FieldId::tun_ipv6_src, FieldId::tun_ipv6_dst,
                             FieldId::tun_gbp_id, FieldId::tun_gbp_flags, FieldId::tun_erspan_ver, FieldId::tun_gtpu_flags,
                             FieldId::tun_gtpu_msgtype}) {
      exact(id);
    }
    mask_.bits.tun_tos = mask_.bits.tun_ttl = 0xff;
    mask_.bits.tun_flags.raw = 0xffff;
    if (key_.tun_erspan_ver == 1) exact(FieldId::tun_erspan_idx);
    if (key_.tun_erspan_ver == 2) {
      exact(FieldId::tun_erspan_dir);
      exact(FieldId::tun_erspan_hwid);
    }
  }

  void find_l2() {
    exact(FieldId::eth_src);
    exact(FieldId::eth_dst);
    exact(FieldId::eth_type);
    exact(FieldId::vlan_tci);
    if (key_.vlan[0].tci) mask_.bits.vlan[1].tci.raw = 0xffff;
  }

  void find_l3(be16 type) {
    if (type == eth_type::ipv4) {
      exact(FieldId::ip_src);
      exact(FieldId::ip_dst);
      find_ip(ip_proto::icmp);
    } else if (type == eth_type::ipv6) {
      exact(FieldId::ipv6_src);
      exact(FieldId::ipv6_dst);
      exact(FieldId::ipv6_label);
      find_ip(ip_proto::icmpv6);
    } else if (is_arp(type)) {
      for (const FieldId id :
           {FieldId::arp_spa, FieldId::arp_tpa, FieldId::arp_op, FieldId::arp_sha, FieldId::arp_tha}) {
        exact(id);
      }
    } else if (is_mpls(type)) {
      find_mpls();
    } else if (type == eth_type::nsh) {
      for (const FieldId id : {FieldId::nsh_flags, FieldId::nsh_ttl, FieldId::nsh_mdtype, FieldId::nsh_np,
                               FieldId::nsh_spi, FieldId::nsh_si}) {
        exact(id);
      }
      if (key_.nsh_mdtype != 1) return;
      for (const FieldId id : {FieldId::nsh_c1, FieldId::nsh_c2, FieldId::nsh_c3, FieldId::nsh_c4}) exact(id);
    }
  }

  // Labels up to the one at the bottom of the stack.
  void find_mpls() {
    constexpr be32 bottom = be32::from_host(0x100);
    for (std::size_t i = 0; i < max_mpls_labels; i++) {
      mask_.bits.mpls_lse[i].raw = 0xffffffff;
      if (key_.mpls_lse[i] & bottom) break;
    }
  }

  void find_ip(std::uint8_t icmp_protocol) {
    for (const FieldId id : {FieldId::nw_proto, FieldId::nw_tos, FieldId::nw_ecn, FieldId::nw_ttl, FieldId::ip_frag}) exact(id);
    if (key_.nw_frag & frag_later) return;
    const std::uint8_t protocol = key_.nw_proto;
    if (protocol == ip_proto::tcp || protocol == ip_proto::udp || protocol == ip_proto::sctp) {
      exact(FieldId::tcp_src);
      exact(FieldId::tcp_dst);
      if (protocol == ip_proto::tcp) exact(FieldId::tcp_flags);
    } else if (protocol == icmp_protocol) {
      exact(FieldId::icmp_type);
      exact(FieldId::icmp_code);
      const std::uint16_t type = key_.tp_src.host();
      if (protocol != ip_proto::icmpv6 || key_.tp_dst || (type != nd_solicitation && type != nd_advertisement)) return;
      exact(FieldId::nd_target);
      exact(FieldId::nd_sll);
      exact(FieldId::nd_tll);
    } else if (has_type_as_ports({key_, mask_})) {
      exact(FieldId::tcp_src);
      exact(FieldId::tcp_dst);
    }
  }

  const FlowKey& key_;
  Mask mask_;
};

}  // namespace

std::string format_flow(const FlowKey& key, const PortNames& ports) {
  return format_match(Match::of(key, Relevant(key).find()), ports);
}

Result<FlowKey> parse_flow(std::string_view text, const PortNames& ports) {
  MatchBuilder builder(ports, MatchBuilder::Kind::whole_flow);
  std::vector<std::string_view> seen;
  while (const auto item = next_item(text)) {
    OVS_TRY(const bool known, builder.add(*item));
    if (!known) return unexpected(unknown_name(item->name));
    if (!builder.all_exact()) {
      return unexpected(fmt::format("{}: a flow cannot have wildcards (\"{}\")", item->name, item->value));
    }
    if (!item->has_value) continue;
    if (std::ranges::find(seen, item->name) != seen.end()) {
      return unexpected(fmt::format("{}: the field is set twice", item->name));
    }
    seen.push_back(item->name);
  }
  OVS_TRY(const ParsedMatch parsed, builder.finish());
  // A packet has zeros where it lacks a header, and format_flow() writes some of them.
  for (const MatchBuilder::LeftOut& field : builder.left_out()) {
    if (!field.zero) return unexpected(fmt::format("{}: the flow must also say {}", field.name, field.needs));
  }
  FlowKey key = parsed.match.key;
  if (!parsed.match.mask.bits.in_port) key.in_port.raw = 0xffffffff;
  if (key.packet_type) key.eth_type = be16::from_host(static_cast<std::uint16_t>(key.packet_type.host()));
  if (is_arp(key.eth_type)) key.nw_proto = static_cast<std::uint8_t>(key.arp_op.host());
  if (key.vlan[0].tci & vlan_present) key.vlan[0].tpid = eth_type::vlan;
  if (key.vlan[1].tci & vlan_present) key.vlan[1].tpid = eth_type::vlan;
  key.cold_parts = find_cold_parts(key);
  return key;
}

}  // namespace ovs::flow
