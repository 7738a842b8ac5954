#include "flow/prerequisite.h"

#include <algorithm>

#include "flow/flags.h"
#include "flow/protocols.h"

namespace ovs::flow {

namespace {

constexpr std::uint32_t all_bits = 0xffffffff;
constexpr std::uint16_t ethertype_name_space = 1;

bool demands_eth_type(const Match& match, be16 type) { return demanded_eth_type(match) == type; }

bool demands_ipv4(const Match& m) { return demands_eth_type(m, eth_type::ipv4); }
bool demands_ipv6(const Match& m) { return demands_eth_type(m, eth_type::ipv6); }
bool demands_ip(const Match& m) { return demands_ipv4(m) || demands_ipv6(m); }

// Only a first fragment, or a whole datagram, has the header of the protocol above.
bool demands_later_fragment(const Match& m) { return (m.key.nw_frag & m.mask.bits.nw_frag & frag_later) != 0; }

bool demands_transport(const Match& m, std::uint8_t protocol) {
  return demanded_ip_proto(m) == protocol && !demands_later_fragment(m);
}

bool demands_icmpv6(const Match& m) { return demands_ipv6(m) && demanded_ip_proto(m) == ip_proto::icmpv6; }

// A match that leaves the code open is taken, too: what has another code has no such field, so that it is zero.
bool demands_nd(const Match& m, std::uint8_t type) {
  return demands_icmpv6(m) && (m.mask.bits.tp_src.host() & 0xff) == 0xff && m.key.tp_src.host() == type &&
         !m.key.tp_dst;
}

bool demands_connection(const Match& m) {
  const std::uint32_t mask = m.mask.bits.ct_state.host();
  const std::uint32_t state = m.key.ct_state.host();
  if (state & (ct_state::new_connection | ct_state::established | ct_state::related)) return true;
  return (state & ct_state::tracked) && (mask & ct_state::invalid) && !(state & ct_state::invalid);
}

bool demands_ethernet(const Match& m) {
  return m.mask.bits.packet_type.host() == 0 || (m.mask.bits.packet_type.raw == all_bits && !m.key.packet_type);
}

bool met(const Match& m, Prerequisite prerequisite) {
  switch (prerequisite) {
    case Prerequisite::none: return true;
    case Prerequisite::conntrack: return demands_connection(m);
    case Prerequisite::ethernet: return demands_ethernet(m);
    case Prerequisite::vlan: return demands_vlan(m);
    case Prerequisite::mpls:
      return demands_eth_type(m, eth_type::mpls) || demands_eth_type(m, eth_type::mpls_multicast);
    case Prerequisite::ipv4: return demands_ipv4(m);
    case Prerequisite::ipv6: return demands_ipv6(m);
    case Prerequisite::ip: return demands_ip(m);
    case Prerequisite::arp: return demands_eth_type(m, eth_type::arp) || demands_eth_type(m, eth_type::rarp);
    case Prerequisite::nsh: return demands_eth_type(m, eth_type::nsh);
    case Prerequisite::tcp: return demands_transport(m, ip_proto::tcp);
    case Prerequisite::udp: return demands_transport(m, ip_proto::udp);
    case Prerequisite::sctp: return demands_transport(m, ip_proto::sctp);
    case Prerequisite::icmpv4: return demands_ipv4(m) && demanded_ip_proto(m) == ip_proto::icmp;
    case Prerequisite::icmpv6: return demands_icmpv6(m);
    case Prerequisite::nd: return demands_nd(m, nd_solicitation) || demands_nd(m, nd_advertisement);
    case Prerequisite::nd_solicit: return demands_nd(m, nd_solicitation);
    case Prerequisite::nd_advert: return demands_nd(m, nd_advertisement);
  }
  return false;
}

// What single fields need besides.
struct ValueNeed {
  FieldId field;
  bool (*met)(const Match&);
  std::string_view what;
};

template <std::uint8_t version>
bool demands_erspan(const Match& m) {
  return (m.mask.bits.tun_erspan_ver & 0xf) != 0 && m.key.tun_erspan_ver == version;
}
bool demands_nsh_contexts(const Match& m) { return m.mask.bits.nsh_mdtype == 0xff && m.key.nsh_mdtype == 1; }
bool demands_ct_proto(const Match& m) { return m.mask.bits.ct_nw_proto == 0xff; }

constexpr ValueNeed value_needs[] = {
    {FieldId::tun_erspan_idx, demands_erspan<1>, "tun_erspan_ver=1"},
    {FieldId::tun_erspan_dir, demands_erspan<2>, "tun_erspan_ver=2"},
    {FieldId::tun_erspan_hwid, demands_erspan<2>, "tun_erspan_ver=2"},
    {FieldId::nsh_c1, demands_nsh_contexts, "nsh_mdtype=1"},
    {FieldId::nsh_c2, demands_nsh_contexts, "nsh_mdtype=1"},
    {FieldId::nsh_c3, demands_nsh_contexts, "nsh_mdtype=1"},
    {FieldId::nsh_c4, demands_nsh_contexts, "nsh_mdtype=1"},
    {FieldId::ct_nw_src, demands_ipv4, "ip"},
    {FieldId::ct_nw_dst, demands_ipv4, "ip"},
    {FieldId::ct_ipv6_src, demands_ipv6, "ipv6"},
    {FieldId::ct_ipv6_dst, demands_ipv6, "ipv6"},
    {FieldId::ct_tp_src, demands_ct_proto, "ct_nw_proto"},
    {FieldId::ct_tp_dst, demands_ct_proto, "ct_nw_proto"},
};

const ValueNeed* value_need(FieldId id) {
  const auto* need = std::ranges::find(value_needs, id, &ValueNeed::field);
  return need == std::end(value_needs) ? nullptr : need;
}

// "ip" stands for what a user would add to the match.
std::string_view describe(Prerequisite prerequisite) {
  switch (prerequisite) {
    case Prerequisite::none: return "nothing";
    case Prerequisite::conntrack: return "ct_state=+new, +est, +rel or +trk-inv";
    case Prerequisite::ethernet: return "an Ethernet packet (packet_type=(0,0))";
    case Prerequisite::vlan: return "a VLAN tag (vlan_tci=0x1000/0x1000)";
    case Prerequisite::mpls: return "mpls or mplsm";
    case Prerequisite::ipv4: return "ip";
    case Prerequisite::ipv6: return "ipv6";
    case Prerequisite::ip: return "ip or ipv6";
    case Prerequisite::arp: return "arp or rarp";
    case Prerequisite::nsh: return "dl_type=0x894f";
    case Prerequisite::tcp: return "tcp or tcp6, and not nw_frag=later";
    case Prerequisite::udp: return "udp or udp6, and not nw_frag=later";
    case Prerequisite::sctp: return "sctp or sctp6, and not nw_frag=later";
    case Prerequisite::icmpv4: return "icmp";
    case Prerequisite::icmpv6: return "icmp6";
    case Prerequisite::nd: return "icmp6 with icmp_type=135 or 136 and icmp_code=0";
    case Prerequisite::nd_solicit: return "icmp6,icmp_type=135,icmp_code=0";
    case Prerequisite::nd_advert: return "icmp6,icmp_type=136,icmp_code=0";
  }
  return "";
}

}  // namespace

std::optional<be16> demanded_eth_type(const Match& match) {
  if (match.mask.bits.eth_type.raw == 0xffff) return match.key.eth_type;
  const std::uint32_t packet_type = match.key.packet_type.host();
  if (match.mask.bits.packet_type.raw == all_bits && packet_type >> 16 == ethertype_name_space) {
    return be16::from_host(static_cast<std::uint16_t>(packet_type));
  }
  return std::nullopt;
}

std::optional<std::uint8_t> demanded_ip_proto(const Match& match) {
  if (!demands_ip(match) || match.mask.bits.nw_proto != 0xff) return std::nullopt;
  return match.key.nw_proto;
}

bool has_type_as_ports(const Match& match) {
  const auto protocol = demanded_ip_proto(match);
  if (!protocol || demands_later_fragment(match)) return false;
  if (demands_ipv4(match)) return *protocol == ip_proto::igmp || *protocol == ip_proto::icmpv6;
  return *protocol == ip_proto::igmp || *protocol == ip_proto::icmp;
}

bool demands_vlan(const Match& match) { return static_cast<bool>(match.key.vlan[0].tci & vlan_present); }

bool prerequisites_met(const Match& match, const Field& field) {
  if (!met(match, field.prerequisite)) return false;
  const ValueNeed* need = value_need(field.id);
  return need == nullptr || need->met(match);
}

bool may_be_left_out(const Match& match, const Field& field) {
  switch (field.prerequisite) {
    case Prerequisite::ethernet:
    case Prerequisite::vlan: return false;
    case Prerequisite::conntrack:
      return met(match, field.prerequisite) && (field.id == FieldId::ct_tp_src || field.id == FieldId::ct_tp_dst);
    case Prerequisite::nsh: return met(match, field.prerequisite);
    case Prerequisite::tcp:
    case Prerequisite::udp:
    case Prerequisite::sctp: return !demands_later_fragment(match);
    default: return true;
  }
}

std::string describe_prerequisites(const Field& field) {
  const ValueNeed* need = value_need(field.id);
  std::string text(describe(field.prerequisite));
  if (need == nullptr) return text;
  if (field.prerequisite == Prerequisite::none) return std::string(need->what);
  return text + ", and " + std::string(need->what);
}

void imply_packet_type(Match& match) {
  if (match.mask.bits.packet_type) return;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&match.mask.bits);
  const auto any = [bytes](std::size_t begin, std::size_t end) {
    return std::any_of(bytes + begin, bytes + end, [](std::uint8_t b) { return b != 0; });
  };
  if (any(offsetof(FlowKey, eth_dst), hot_bytes) || any(offsetof(FlowKey, mpls_lse), sizeof(FlowKey))) {
    match.mask.bits.packet_type.raw = all_bits;
  }
}

}  // namespace ovs::flow
