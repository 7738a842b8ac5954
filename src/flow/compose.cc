#include "flow/compose.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "flow/checksum.h"
#include "flow/protocols.h"

namespace ovs::flow {

namespace {

// The frame so far.
class Writer {
 public:
  std::size_t size() const { return bytes_.size(); }
  std::span<const std::uint8_t> from(std::size_t at) const { return std::span(bytes_).subspan(at); }

  void put(std::uint8_t x) { bytes_.push_back(x); }
  template <class T>
  void put_object(const T& x) {
    const auto* p = reinterpret_cast<const std::uint8_t*>(&x);
    bytes_.insert(bytes_.end(), p, p + sizeof x);
  }
  void put(be16 x) { put_object(x); }
  void put(be32 x) { put_object(x); }
  void put(const EthAddr& x) { put_object(x); }
  void put(const Ipv6Addr& x) { put_object(x); }
  void zeros(std::size_t n) { bytes_.insert(bytes_.end(), n, 0); }
  void count(std::size_t n) {
    for (std::size_t i = 0; i < n; i++) put(static_cast<std::uint8_t>(i));
  }

  template <class T>
  void replace(std::size_t at, T x) { std::memcpy(bytes_.data() + at, &x, sizeof x); }

 private:
  std::vector<std::uint8_t> bytes_;
};

be16 length16(std::size_t n) { return be16::from_host(static_cast<std::uint16_t>(n)); }

// A fragment that is neither the first nor the last: one that follows others and has some to follow.
constexpr std::uint16_t later_offset = 100;  // in units of eight bytes

bool is_ipv6(const FlowKey& key) { return key.eth_type == eth_type::ipv6; }
bool is_later(const FlowKey& key) { return key.nw_frag & frag_later; }

std::uint8_t icmp_type(const FlowKey& key) { return static_cast<std::uint8_t>(key.tp_src.host()); }
std::uint8_t icmp_code(const FlowKey& key) { return static_cast<std::uint8_t>(key.tp_dst.host()); }

bool is_neighbor_discovery(const FlowKey& key) {
  return is_ipv6(key) && key.nw_proto == ip_proto::icmpv6 && icmp_code(key) == 0 &&
         (icmp_type(key) == nd_solicitation || icmp_type(key) == nd_advertisement);
}

// The sum that TCP, UDP and ICMPv6 begin with.
Sum pseudo_header_of(const FlowKey& key, std::size_t length) {
  if (is_ipv6(key)) return pseudo_header(key.ipv6_src, key.ipv6_dst, key.nw_proto, length);
  return pseudo_header(key.nw_src, key.nw_dst, key.nw_proto, length);
}

Sum l4_sum(const FlowKey& key, const Writer& out, std::size_t l4) {
  Sum sum = pseudo_header_of(key, out.size() - l4);
  sum.add(out.from(l4));
  return sum;
}

void put_nd_option(Writer& out, std::uint8_t type, const EthAddr& mac) {
  if (mac == EthAddr{}) return;
  out.put(type);
  out.put(std::uint8_t{1});
  out.put(mac);
}

void put_nd(Writer& out, const FlowKey& key) {
  out.put(key.nd_reserved);
  out.put(key.nd_target);
  const bool target_first = key.nd_options_type == nd_option_target;
  if (target_first) put_nd_option(out, nd_option_target, key.arp_tha);
  put_nd_option(out, nd_option_source, key.arp_sha);
  if (!target_first) put_nd_option(out, nd_option_target, key.arp_tha);
}

void put_l4(Writer& out, const FlowKey& key, std::size_t payload) {
  const std::size_t l4 = out.size();
  switch (key.nw_proto) {
    case ip_proto::tcp:
      out.put(key.tp_src);
      out.put(key.tp_dst);
      out.zeros(8);  // sequence numbers
      out.put((key.tcp_flags & tcp_flags_mask) | be16::from_host(0x5000));
      out.zeros(6);  // window, checksum, urgent pointer
      out.count(payload);
      out.replace(l4 + 16, l4_sum(key, out, l4).checksum());
      return;
    case ip_proto::udp:
      out.put(key.tp_src);
      out.put(key.tp_dst);
      out.put(length16(udp_header_bytes + payload));
      out.zeros(2);
      out.count(payload);
      out.replace(l4 + 6, l4_sum(key, out, l4).udp_checksum());
      return;
    case ip_proto::sctp:
      out.put(key.tp_src);
      out.put(key.tp_dst);
      out.zeros(8);
      out.count(payload);
      out.replace(l4 + 8, sctp_checksum(out.from(l4)));
      return;
    case ip_proto::icmp:
    case ip_proto::igmp:
    case ip_proto::icmpv6: {
      out.put(icmp_type(key));
      out.put(icmp_code(key));
      out.zeros(2);
      if (is_neighbor_discovery(key)) {
        put_nd(out, key);
      } else {
        out.zeros(4);
      }
      out.count(payload);
      const bool counts_addresses = is_ipv6(key) && key.nw_proto == ip_proto::icmpv6;
      out.replace(l4 + 2, counts_addresses ? l4_sum(key, out, l4).checksum() : checksum(out.from(l4)));
      return;
    }
    default:
      out.count(payload);
  }
}

void put_body(Writer& out, const FlowKey& key, std::size_t payload) {
  if (is_later(key)) {
    out.count(payload);
  } else {
    put_l4(out, key, payload);
  }
}

void put_ipv4(Writer& out, const FlowKey& key, std::size_t payload) {
  const std::size_t ip = out.size();
  constexpr std::uint16_t more_fragments = 0x2000;
  out.put(std::uint8_t{0x45});
  out.put(key.nw_tos);
  out.zeros(4);  // length, identification
  std::uint16_t fragment = key.nw_frag & frag_any ? more_fragments : 0;
  if (is_later(key)) fragment |= later_offset;
  out.put(be16::from_host(fragment));
  out.put(key.nw_ttl);
  out.put(key.nw_proto);
  out.zeros(2);
  out.put(key.nw_src);
  out.put(key.nw_dst);
  put_body(out, key, payload);
  out.replace(ip + 2, length16(out.size() - ip));
  out.replace(ip + 10, checksum(out.from(ip).first(ipv4_header_bytes)));
}

void put_ipv6(Writer& out, const FlowKey& key, std::size_t payload) {
  const std::size_t ip = out.size();
  const bool is_fragment = key.nw_frag & frag_any;
  const std::uint32_t label = key.ipv6_label.host() & 0xfffff;
  out.put(be32::from_host(6u << 28 | std::uint32_t{key.nw_tos} << 20 | label));
  out.zeros(2);
  out.put(is_fragment ? ip_proto::fragment : key.nw_proto);
  out.put(key.nw_ttl);
  out.put(key.ipv6_src);
  out.put(key.ipv6_dst);
  if (is_fragment) {
    // A later fragment does not say in its key what it is a part of.
    out.put(is_later(key) ? ip_proto::udp : key.nw_proto);
    out.zeros(1);
    out.put(be16::from_host(static_cast<std::uint16_t>((is_later(key) ? later_offset << 3 : 0) | 1)));
    out.zeros(4);
  }
  put_body(out, key, payload);
  out.replace(ip + 4, length16(out.size() - ip - ipv6_header_bytes));
}

void put_arp(Writer& out, const FlowKey& key, std::size_t payload) {
  out.put(be16::from_host(1));
  out.put(eth_type::ipv4);
  out.put(std::uint8_t{6});
  out.put(std::uint8_t{4});
  out.put(key.arp_op ? key.arp_op : be16::from_host(key.nw_proto));
  out.put(key.arp_sha);
  out.put(key.nw_src);
  out.put(key.arp_tha);
  out.put(key.nw_dst);
  out.count(payload);
}

void put_mpls(Writer& out, const FlowKey& key, std::size_t payload) {
  constexpr be32 bottom_of_stack = be32::from_host(0x100);
  for (const be32 label : key.mpls_lse) {
    out.put(label);
    if (label & bottom_of_stack) break;
  }
  out.count(payload);
}

void put_nsh(Writer& out, const FlowKey& key, std::size_t payload) {
  const bool has_context = key.nsh_mdtype == 1;
  const unsigned words = has_context ? 6 : 2;
  out.put(be16::from_host(static_cast<std::uint16_t>((key.nsh_flags & 3) << 12 | (key.nsh_ttl & 0x3f) << 6 | words)));
  out.put(key.nsh_mdtype);
  out.put(key.nsh_np);
  out.put(key.nsh_path);
  if (has_context) {
    for (const be32 context : key.nsh_context) out.put(context);
  }
  out.count(payload);
}

// 802.2 with both service access points 0, unnumbered information: nothing that anybody reads.
void put_llc(Writer& out, std::size_t payload) {
  constexpr std::uint8_t unnumbered_information = 0x03;
  out.put(length16(3 + payload));
  out.zeros(2);
  out.put(unnumbered_information);
  out.count(payload);
}

}  // namespace

Packet compose(const FlowKey& key, std::size_t payload) {
  Writer out;
  out.put(key.eth_dst);
  out.put(key.eth_src);
  for (const VlanTag& tag : key.vlan) {
    if (!(tag.tci & vlan_present)) break;
    out.put(tag.tpid ? tag.tpid : eth_type::vlan);
    out.put(tag.tci & ~vlan_present);
  }
  if (key.eth_type < eth_type::least) {
    put_llc(out, payload);
  } else {
    out.put(key.eth_type);
    if (key.eth_type == eth_type::ipv4) {
      put_ipv4(out, key, payload);
    } else if (is_ipv6(key)) {
      put_ipv6(out, key, payload);
    } else if (is_arp(key.eth_type)) {
      put_arp(out, key, payload);
    } else if (is_mpls(key.eth_type)) {
      put_mpls(out, key, payload);
    } else if (key.eth_type == eth_type::nsh) {
      put_nsh(out, key, payload);
    } else {
      out.count(payload);
    }
  }
  return Packet::copy_of(out.from(0));
}

std::size_t usual_payload(const FlowKey& key) {
  constexpr std::size_t usual = 64;
  constexpr be16 syn_fin_or_rst = be16::from_host(0x007);
  if ((key.eth_type != eth_type::ipv4 && !is_ipv6(key)) || is_later(key)) return 0;
  switch (key.nw_proto) {
    case ip_proto::udp:
      return usual;
    case ip_proto::tcp:
      return key.tcp_flags & syn_fin_or_rst ? 0 : usual;
    case ip_proto::icmp:
      return icmp_type(key) == 8 || icmp_type(key) == 0 ? usual : 0;
    case ip_proto::icmpv6:
      return is_ipv6(key) && (icmp_type(key) == 128 || icmp_type(key) == 129) ? usual : 0;
    default:
      return 0;
  }
}

}  // namespace ovs::flow
