#include "flow/match_text.h"

#include <fmt/format.h>

#include "flow/extra_fields.h"
#include "flow/port_number.h"
#include "flow/prerequisite.h"
#include "flow/protocols.h"

namespace ovs::flow {

namespace {

// The word for a protocol, by Ethertype and IP protocol; empty if there is none.
struct ProtocolWord {
  be16 type;
  std::uint8_t protocol;
  std::string_view word;
};
constexpr ProtocolWord ip_words[] = {
    {eth_type::ipv4, ip_proto::icmp, "icmp"},    {eth_type::ipv4, ip_proto::tcp, "tcp"},
    {eth_type::ipv4, ip_proto::udp, "udp"},      {eth_type::ipv4, ip_proto::sctp, "sctp"},
    {eth_type::ipv6, ip_proto::icmpv6, "icmp6"}, {eth_type::ipv6, ip_proto::tcp, "tcp6"},
    {eth_type::ipv6, ip_proto::udp, "udp6"},     {eth_type::ipv6, ip_proto::sctp, "sctp6"},
};
constexpr ProtocolWord type_words[] = {
    {eth_type::ipv4, 0, "ip"},   {eth_type::ipv6, 0, "ipv6"}, {eth_type::arp, 0, "arp"},
    {eth_type::rarp, 0, "rarp"}, {eth_type::mpls, 0, "mpls"}, {eth_type::mpls_multicast, 0, "mplsm"},
};

// Whether the name of a port can be nothing but a name, so that it needs no quotes.
bool is_plain_word(std::string_view name) {
  if (parse_port_number(name)) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (name.empty() || !letter(name.front())) return false;
  for (const char c : name) {
    if (!letter(c) && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

std::string quoted_unless_plain(std::string_view name) {
  if (is_plain_word(name)) return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

class Writer {
 public:
  Writer(const Match& match, const PortNames& ports) : match_(match), ports_(ports) {}

  std::string write() {
    write_metadata();
    write_protocol();
    write_pipeline();
    write_ports_and_l2();
    write_l3();
    write_l4();
    return std::move(out_);
  }

 private:
  std::string& name(std::string_view text) {
    if (!out_.empty()) out_ += ',';
    out_ += text;
    return out_;
  }

  MaskedValue value_of(const Field& f) const {
    return {get_field(match_.key, f), get_field(match_.mask.bits, f)};
  }

  // As the field's format has it, under another name if one is given.
  void write_field(const Field& f, std::string_view as = {}) {
    const MaskedValue v = value_of(f);
    if (is_zero(f, v.mask)) return;
    name(as.empty() ? f.name : as) += '=';
    append_field(out_, f, v.value, v.mask);
  }
  void write_field(FieldId id, std::string_view as = {}) { write_field(field(id), as); }

  // In decimal if matched wholly, or else both value and mask in hexadecimal, `digits` of them at least.
  void write_decimal(FieldId id, std::string_view as = {}, int digits = 1) {
    const Field& f = field(id);
    const MaskedValue v = value_of(f);
    if (is_zero(f, v.mask)) return;
    name(as.empty() ? f.name : as);
    if (v.mask == exact_mask(f)) {
      fmt::format_to(std::back_inserter(out_), "={}", v.value.number(f));
    } else {
      fmt::format_to(std::back_inserter(out_), "=0x{:0{}x}/0x{:0{}x}", v.value.number(f), digits, v.mask.number(f), digits);
    }
  }

  // In hexadecimal, `digits` of them at least.
  void write_hexadecimal(const Field& f, int digits, std::string_view as = {}) {
    const MaskedValue v = value_of(f);
    if (is_zero(f, v.mask)) return;
    name(as.empty() ? f.name : as);
    fmt::format_to(std::back_inserter(out_), "=0x{:0{}x}", v.value.number(f), digits);
    if (v.mask != exact_mask(f)) fmt::format_to(std::back_inserter(out_), "/0x{:0{}x}", v.mask.number(f), digits);
  }

  void write_metadata() {
    write_field(FieldId::pkt_mark);
    write_field(extra_fields[extra_recirc_id]);
    write_field(extra_fields[extra_dp_hash]);
    write_field(FieldId::conj_id);
    write_field(FieldId::skb_priority);
    write_port(FieldId::actset_output);
    write_field(FieldId::ct_state);
    write_decimal(FieldId::ct_zone);
    for (const FieldId id : {FieldId::ct_mark, FieldId::ct_label, FieldId::ct_nw_src, FieldId::ct_nw_dst,
                             FieldId::ct_ipv6_src, FieldId::ct_ipv6_dst}) {
      write_field(id);
    }
    for (const FieldId id : {FieldId::ct_nw_proto, FieldId::ct_tp_src, FieldId::ct_tp_dst}) write_decimal(id);
  }

  // The packet type goes without saying where fields of a packet imply Ethernet, except in a datapath's match.
  void write_packet_type() {
    if (!match_.mask.bits.packet_type) return;
    if (match_.key.packet_type) {
      write_field(FieldId::packet_type);
      return;
    }
    Match without = match_;
    without.mask.bits.packet_type = {};
    imply_packet_type(without);
    if (match_.mask.bits.recirc_id || !without.mask.bits.packet_type) name("eth");
  }

  void write_protocol() {
    write_packet_type();
    if (match_.mask.bits.eth_type.raw != 0xffff) return;
    type_written_ = true;
    if (match_.mask.bits.nw_proto == 0xff) {
      for (const ProtocolWord& w : ip_words) {
        if (w.type == match_.key.eth_type && w.protocol == match_.key.nw_proto) {
          name(w.word);
          proto_written_ = true;
          return;
        }
      }
    }
    for (const ProtocolWord& w : type_words) {
      if (w.type == match_.key.eth_type) {
        name(w.word);
        return;
      }
    }
    type_written_ = false;
  }

  void write_pipeline() {
    for (auto id = FieldId::reg0; id <= FieldId::reg15; id = static_cast<FieldId>(static_cast<int>(id) + 1)) {
      write_field(id);
    }
    for (const FieldId id : {FieldId::tun_id, FieldId::tun_src, FieldId::tun_dst, FieldId::tun_ipv6_src, FieldId::tun_ipv6_dst}) {
      write_field(id);
    }
    write_decimal(FieldId::tun_gbp_id);
    write_field(FieldId::tun_gbp_flags);
    write_field(extra_fields[extra_tun_tos]);
    write_field(extra_fields[extra_tun_ttl]);
    for (const FieldId id :
         {FieldId::tun_erspan_ver, FieldId::tun_erspan_idx, FieldId::tun_erspan_dir, FieldId::tun_erspan_hwid,
          FieldId::tun_gtpu_flags, FieldId::tun_gtpu_msgtype}) {
      write_field(id);
    }
    write_tunnel_flags();
    write_field(FieldId::metadata);
  }

  // A mask of the whole 16 bits is a packet's own flags; one of those that can be matched is a match on them.
  void write_tunnel_flags() {
    const be16 mask = match_.mask.bits.tun_flags;
    if (mask.raw == 0xffff) {
      write_field(FieldId::tun_flags);
    } else if (mask) {
      name(match_.key.tun_flags ? "tun_flags=+oam" : "tun_flags=-oam");
    }
  }

  void write_port(FieldId id, std::string_view as = {}) {
    const Field& f = field(id);
    const MaskedValue v = value_of(f);
    if (is_zero(f, v.mask)) return;
    const auto port = static_cast<std::uint32_t>(v.value.number(f));
    std::optional<std::string> known;
    // The reserved ports keep their names: one of them is that of the bridge, too.
    if (ports_.name_of && port < reserved_ports) known = ports_.name_of(port);
    name(as.empty() ? f.name : as) += '=';
    out_ += known ? quoted_unless_plain(*known) : format_port_number(port);
  }

  // Of the outer tag, and of the inner one, whose fields end in 1.
  void write_vlan(std::size_t i, const Field& whole, std::string_view suffix) {
    const std::uint16_t tci = match_.key.vlan[i].tci.host();
    const std::uint16_t mask = match_.mask.bits.vlan[i].tci.host();
    const bool vid_whole = (mask & 0x1fff) == 0x1fff;
    const bool pcp_whole = (mask & 0xf000) == 0xf000;
    // What only speaks of a tag that is there, and of whole parts of it, is said part by part.
    const bool by_parts = (tci & 0x1000) && (mask == 0xffff || mask == 0x1fff || mask == 0xf000);
    if (by_parts) {
      if (vid_whole) fmt::format_to(std::back_inserter(name("dl_vlan")), "{}={}", suffix, tci & 0xfff);
      if (pcp_whole) fmt::format_to(std::back_inserter(name("dl_vlan_pcp")), "{}={}", suffix, tci >> 13);
    } else {
      write_hexadecimal(whole, 4);
    }
  }

  void write_ports_and_l2() {
    write_port(FieldId::in_port_oxm, "in_port");
    write_vlan(0, field(FieldId::vlan_tci), "");
    write_vlan(1, extra_fields[extra_vlan_tci1], "1");
    write_field(FieldId::eth_src, "dl_src");
    write_field(FieldId::eth_dst, "dl_dst");
    if (!type_written_) write_hexadecimal(field(FieldId::eth_type), 4, "dl_type");
  }

  void write_l3() {
    write_decimal(FieldId::nsh_flags, {}, 2);
    for (const FieldId id : {FieldId::nsh_ttl, FieldId::nsh_mdtype, FieldId::nsh_np}) write_decimal(id);
    write_hexadecimal(field(FieldId::nsh_spi), 1);
    write_decimal(FieldId::nsh_si);
    for (const FieldId id : {FieldId::nsh_c1, FieldId::nsh_c2, FieldId::nsh_c3, FieldId::nsh_c4}) {
      write_hexadecimal(field(id), 1);
    }

    const auto type = demanded_eth_type(match_);
    const bool arp = type && is_arp(*type);
    write_field(arp ? FieldId::arp_spa : FieldId::ip_src, arp ? "arp_spa" : "nw_src");
    write_field(arp ? FieldId::arp_tpa : FieldId::ip_dst, arp ? "arp_tpa" : "nw_dst");
    write_field(FieldId::ipv6_src);
    write_field(FieldId::ipv6_dst);
    write_hexadecimal(field(FieldId::ipv6_label), 5);
    write_decimal(FieldId::arp_op);
    if (arp) {
      write_field(FieldId::arp_sha);
      write_field(FieldId::arp_tha);
    }
    if (!proto_written_) write_decimal(FieldId::nw_proto);
    write_tos();
    write_decimal(FieldId::nw_ttl);
    for (const FieldId id : {FieldId::mpls_label, FieldId::mpls_tc, FieldId::mpls_ttl, FieldId::mpls_bos}) write_decimal(id);
    write_field(extra_fields[extra_mpls_lse1]);
    write_field(extra_fields[extra_mpls_lse2]);
    write_field(FieldId::ip_frag, "nw_frag");
  }

  void write_tos() {
    const Field& f = field(FieldId::nw_tos);
    const MaskedValue v = value_of(f);
    if (!is_zero(f, v.mask)) {
      name("nw_tos=");
      append_field(out_, f, v.value, v.mask);
    }
    write_decimal(FieldId::nw_ecn);
  }

  void write_l4() {
    const auto type = demanded_eth_type(match_);
    const auto protocol = demanded_ip_proto(match_);
    const bool icmp = (type == eth_type::ipv4 && protocol == ip_proto::icmp) ||
                      (type == eth_type::ipv6 && protocol == ip_proto::icmpv6);
    if (icmp) {
      write_decimal(FieldId::icmp_type);
      write_decimal(FieldId::icmp_code);
    } else {
      write_decimal(FieldId::tcp_src, "tp_src");
      write_decimal(FieldId::tcp_dst, "tp_dst");
    }
    write_field(FieldId::tcp_flags);
    write_field(FieldId::nd_target);
    if (!type || !is_arp(*type)) {
      write_field(FieldId::nd_sll);
      write_field(FieldId::nd_tll);
    }
    write_decimal(FieldId::nd_reserved);
    write_decimal(FieldId::nd_options_type);
  }

  static constexpr std::uint32_t reserved_ports = 0xffffff00;

  const Match& match_;
  const PortNames& ports_;
  std::string out_;
  bool type_written_ = false;
  bool proto_written_ = false;
};

}  // namespace

Result<ParsedMatch> parse_match(std::string_view text, const PortNames& ports) {
  MatchBuilder builder(ports);
  while (const auto item = next_item(text)) {
    OVS_TRY(const bool known, builder.add(*item));
    if (!known) return unexpected(unknown_name(item->name));
  }
  return builder.finish();
}

std::string format_match(const Match& match, const PortNames& ports) { return Writer(match, ports).write(); }

}  // namespace ovs::flow
