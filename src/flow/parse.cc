#include "flow/parse.h"

#include <bit>
#include <cstddef>

#include "base/unaligned.h"
#include "flow/protocols.h"

namespace ovs::flow {

namespace {

// The usual frame, TCP or UDP over IPv4, costs a load for each word of the key and a store of the
// same width; no word is written twice, so that whoever reads the key next, eight bytes at a time, gets
// them from the store buffer.  The functions below build such words.

void store(FlowKey& key, std::size_t offset, std::uint64_t word) {
  std::memcpy(reinterpret_cast<std::uint8_t*>(&key) + offset, &word, sizeof word);
}

// Eight bytes, the first four first; each given as it stands in memory.
constexpr std::uint64_t join(std::uint32_t first, std::uint32_t second) {
  if constexpr (std::endian::native == std::endian::little) return first | std::uint64_t{second} << 32;
  return std::uint64_t{first} << 32 | second;
}

constexpr std::uint32_t join(std::uint16_t first, std::uint16_t second) {
  if constexpr (std::endian::native == std::endian::little) return first | std::uint32_t{second} << 16;
  return std::uint32_t{first} << 16 | second;
}

constexpr std::size_t at_ethernet = offsetof(FlowKey, eth_dst);
constexpr std::size_t at_eth_type_word = offsetof(FlowKey, eth_type) - 4;
constexpr std::size_t at_vlan = offsetof(FlowKey, vlan);
constexpr std::size_t at_ipv4 = offsetof(FlowKey, nw_src);
constexpr std::size_t at_ipv6_src = offsetof(FlowKey, ipv6_src);
constexpr std::size_t at_ipv6_dst = offsetof(FlowKey, ipv6_dst);
constexpr std::size_t at_ip = offsetof(FlowKey, ipv6_label);
constexpr std::size_t at_l4 = offsetof(FlowKey, tp_src);
static_assert(at_ethernet % 8 == 0 && at_eth_type_word == at_ethernet + 8 && at_vlan == at_ethernet + 16);
static_assert(at_ipv4 == at_vlan + 8 && at_ipv6_src == at_ipv4 + 8 && at_ipv6_dst == at_ipv6_src + 16);
static_assert(at_ip == at_ipv6_dst + 16 && at_l4 == at_ip + 8 && at_l4 + 8 == hot_bytes);
static_assert(offsetof(FlowKey, nw_dst) == at_ipv4 + 4 && sizeof(VlanTag) == 4);

// label, protocol, type of service, time to live, fragment: the word at_ip.
std::uint64_t ip_word(be32 label, std::uint8_t proto, std::uint8_t tos, std::uint8_t ttl, std::uint8_t frag) {
  const std::uint32_t rest = be32::from_host(std::uint32_t{proto} << 24 | std::uint32_t{tos} << 16 |
                                             std::uint32_t{ttl} << 8 | frag).raw;
  return join(label.raw, rest);
}

void clear_ipv6_addresses(FlowKey& key) { std::memset(key.ipv6_src.bytes.data(), 0, 32); }

void clear_l3(FlowKey& key) {
  std::memset(reinterpret_cast<std::uint8_t*>(&key) + at_ipv4, 0, hot_bytes - at_ipv4);
}

void set_offset(std::uint16_t& offset, const Packet& packet, const std::uint8_t* at) {
  // Frames are larger than 64 kB by the link layer's header only, and headers stand in front.
  const auto n = static_cast<std::size_t>(at - packet.data());
  offset = n < no_offset ? static_cast<std::uint16_t>(n) : no_offset;
}

std::size_t bytes_between(const std::uint8_t* p, const std::uint8_t* end) {
  return static_cast<std::size_t>(end - p);
}

// ---- transport layer

struct L4 {
  std::uint64_t word;  // at_l4
  bool whole;
};

L4 parse_icmp_or_other(const std::uint8_t* p, std::size_t left, std::uint8_t proto) {
  switch (proto) {
    case ip_proto::sctp:
      if (left < sctp_header_bytes) return {};
      return {join(load<std::uint32_t>(p), 0), true};
    case ip_proto::icmp:
    case ip_proto::igmp:
    case ip_proto::icmpv6:
      if (left < icmp_header_bytes) return {};
      return {join(join(be16::from_host(p[0]).raw, be16::from_host(p[1]).raw), 0), true};
    default:
      return {};
  }
}

inline L4 parse_l4(const std::uint8_t* p, std::size_t left, std::uint8_t proto) {
  if (proto == ip_proto::udp) {
    if (left < udp_header_bytes) return {};
    return {join(load<std::uint32_t>(p), 0), true};
  }
  if (proto == ip_proto::tcp) {
    if (left < tcp_header_bytes) return {};
    const std::size_t length = std::size_t{p[12]} / 16 * 4;
    if (length < tcp_header_bytes || length > left) return {};
    const be16 flags = load<be16>(p + 12) & tcp_flags_mask;
    return {join(load<std::uint32_t>(p), join(flags.raw, 0)), true};
  }
  return parse_icmp_or_other(p, left, proto);
}

// ---- IPv4

inline void parse_ipv4(Packet& packet, FlowKey& key, const std::uint8_t* p, const std::uint8_t* end) {
  const std::size_t left = bytes_between(p, end);
  if (left < ipv4_header_bytes) return clear_l3(key);
  const std::size_t header = std::size_t{p[0]} % 16 * 4;
  const std::size_t total = load<be16>(p + 2).host();
  if (header < ipv4_header_bytes || header > total || total > left) [[unlikely]] return clear_l3(key);
  set_offset(packet.l3_offset, packet, p);

  constexpr be16 more_or_offset = be16::from_host(0x3fff);
  constexpr be16 offset_bits = be16::from_host(0x1fff);
  const be16 fragment = load<be16>(p + 6);
  std::uint8_t frag = 0;
  if (fragment & more_or_offset) [[unlikely]] {
    frag = fragment & offset_bits ? frag_any | frag_later : frag_any;
  }
  const std::uint8_t proto = p[9];
  store(key, at_ipv4, load<std::uint64_t>(p + 12));
  clear_ipv6_addresses(key);
  store(key, at_ip, ip_word(be32{0}, proto, p[1], p[8], frag));
  L4 l4{};
  if (!(frag & frag_later)) [[likely]] l4 = parse_l4(p + header, total - header, proto);
  store(key, at_l4, l4.word);
  if (l4.whole) set_offset(packet.l4_offset, packet, p + header);
}

// ---- IPv6

std::uint8_t* neighbor_part(FlowKey& key) { return key.arp_sha.bytes.data(); }
constexpr std::size_t neighbor_bytes = sizeof(FlowKey) - offsetof(FlowKey, arp_sha);

bool is_zero(const EthAddr& mac) { return mac == EthAddr{}; }

// Options of a neighbor solicitation or advertisement (RFC 4861, section 4.6).  Returns false if one
// link-layer address is there twice.
bool parse_nd_options(FlowKey& key, const std::uint8_t* p, const std::uint8_t* end) {
  while (end - p >= 8) {
    const std::size_t length = std::size_t{p[1]} * 8;
    if (length == 0 || length > bytes_between(p, end)) break;
    if (length == 8 && (p[0] == nd_option_source || p[0] == nd_option_target)) {
      EthAddr& mac = p[0] == nd_option_source ? key.arp_sha : key.arp_tha;
      if (!is_zero(mac)) return false;
      mac = load<EthAddr>(p + 2);
      if (key.nd_options_type == 0) key.nd_options_type = p[0];
    }
    p += length;
  }
  return true;
}

void parse_nd(FlowKey& key, const std::uint8_t* p, const std::uint8_t* end) {
  std::memset(neighbor_part(key), 0, neighbor_bytes);
  key.cold_parts |= cold_neighbor;
  key.nd_reserved = load<be32>(p + 4);
  p += icmp_header_bytes;
  if (bytes_between(p, end) < sizeof(Ipv6Addr)) return;
  key.nd_target = load<Ipv6Addr>(p);
  if (!parse_nd_options(key, p + sizeof(Ipv6Addr), end)) {
    key.nd_target = {};
    key.arp_sha = key.arp_tha = {};
  }
}

// Where the extension headers (RFC 8200, section 4) end.
struct AfterExtensions {
  const std::uint8_t* p;
  std::uint8_t proto;
  std::uint8_t frag;
  bool sound;
};

AfterExtensions skip_extensions(const std::uint8_t* p, const std::uint8_t* end, std::uint8_t proto) {
  std::uint8_t frag = 0;
  for (;;) {
    const bool is_fragment = proto == ip_proto::fragment;
    const bool is_ah = proto == ip_proto::ah;
    if (!is_fragment && !is_ah && proto != ip_proto::hop_by_hop && proto != ip_proto::routing &&
        proto != ip_proto::destination) {
      return {p, proto, frag, true};
    }
    const std::size_t left = bytes_between(p, end);
    if (left < 8) return {p, 0, 0, false};
    std::size_t length = 8;
    if (is_fragment) {
      const std::uint16_t offset = load<be16>(p + 2).host();
      if (offset != 0) frag = frag_any;
      if (offset & 0xfff8) return {p + 8, ip_proto::fragment, frag_any | frag_later, true};
    } else {
      // RFC 4302, section 2.2: AH counts words of four bytes, less two; the others eight, less one.
      length = is_ah ? (std::size_t{p[1]} + 2) * 4 : (std::size_t{p[1]} + 1) * 8;
    }
    if (length > left) return {p, 0, 0, false};
    proto = p[0];
    p += length;
  }
}

void parse_ipv6(Packet& packet, FlowKey& key, const std::uint8_t* p, const std::uint8_t* end) {
  if (bytes_between(p, end) < ipv6_header_bytes) return clear_l3(key);
  const std::size_t payload = load<be16>(p + 4).host();
  if (payload > bytes_between(p, end) - ipv6_header_bytes) return clear_l3(key);
  set_offset(packet.l3_offset, packet, p);

  store(key, at_ipv4, 0);
  for (std::size_t i = 0; i < 32; i += 8) store(key, at_ipv6_src + i, load<std::uint64_t>(p + 8 + i));
  const std::uint8_t* const body = p + ipv6_header_bytes;
  end = body + payload;
  const AfterExtensions after = skip_extensions(body, end, p[6]);
  if (!after.sound) {
    store(key, at_ip, 0);
    store(key, at_l4, 0);
    return;
  }
  const std::uint32_t first = load<be32>(p).host();
  store(key, at_ip, ip_word(be32::from_host(first & 0xfffff), after.proto, static_cast<std::uint8_t>(first >> 20),
                            p[7], after.frag));
  L4 l4{};
  if (!(after.frag & frag_later)) l4 = parse_l4(after.p, bytes_between(after.p, end), after.proto);
  store(key, at_l4, l4.word);
  if (!l4.whole) return;
  set_offset(packet.l4_offset, packet, after.p);
  if (after.proto == ip_proto::icmpv6 && (after.p[0] == nd_solicitation || after.p[0] == nd_advertisement) &&
      after.p[1] == 0) {
    parse_nd(key, after.p, end);
  }
}

// ---- what else Ethernet carries

void parse_arp(Packet& packet, FlowKey& key, const std::uint8_t* p, const std::uint8_t* end) {
  clear_l3(key);
  if (bytes_between(p, end) < arp_header_bytes) return;
  // RFC 826: hardware type Ethernet, protocol IPv4, and the lengths of their addresses.
  constexpr std::uint64_t kind = 0x0001'0800'06'04;
  if (load<be64>(p).host() >> 16 != kind) return;
  set_offset(packet.l3_offset, packet, p);
  std::memset(neighbor_part(key), 0, neighbor_bytes);
  key.cold_parts |= cold_neighbor;
  const std::uint16_t operation = load<be16>(p + 6).host();
  if (operation <= 0xff) {
    key.nw_proto = static_cast<std::uint8_t>(operation);
    key.arp_op = be16::from_host(operation);
  }
  key.arp_sha = load<EthAddr>(p + 8);
  key.nw_src = load<be32>(p + 14);
  key.arp_tha = load<EthAddr>(p + 18);
  key.nw_dst = load<be32>(p + 24);
}

void parse_mpls(Packet& packet, FlowKey& key, const std::uint8_t* p, const std::uint8_t* end) {
  clear_l3(key);
  if (bytes_between(p, end) < mpls_label_bytes) return;
  set_offset(packet.l2_5_offset, packet, p);
  key.cold_parts |= cold_mpls;
  std::memset(key.mpls_lse, 0, sizeof key.mpls_lse);
  constexpr be32 bottom_of_stack = be32::from_host(0x100);
  for (be32& label : key.mpls_lse) {
    if (bytes_between(p, end) < mpls_label_bytes) break;
    label = load<be32>(p);
    if (label & bottom_of_stack) break;
    p += mpls_label_bytes;
  }
}

// RFC 8300, section 2.
void parse_nsh(Packet& packet, FlowKey& key, const std::uint8_t* p, const std::uint8_t* end) {
  constexpr std::size_t base_bytes = 8;
  constexpr std::size_t type1_bytes = 24;
  clear_l3(key);
  if (bytes_between(p, end) < base_bytes) return;
  const unsigned first = load<be16>(p).host();
  const unsigned version = first >> 14;
  const std::size_t length = std::size_t{first & 0x3f} * 4;
  const std::uint8_t type = p[2];
  if (version != 0 || length > bytes_between(p, end)) return;
  if (type == 1 && length != type1_bytes) return;
  if (type == 2 && length < base_bytes) return;  // other types have no metadata that we know
  set_offset(packet.l3_offset, packet, p);
  key.cold_parts |= cold_nsh;
  key.nsh_flags = first >> 12 & 3;
  key.nsh_ttl = first >> 6 & 0x3f;
  key.nsh_mdtype = type;
  key.nsh_np = p[3];
  key.nsh_path = load<be32>(p + 4);
  std::memset(key.nsh_context, 0, sizeof key.nsh_context);
  if (type == 1) std::memcpy(key.nsh_context, p + base_bytes, sizeof key.nsh_context);
}

void parse_other(Packet& packet, FlowKey& key, be16 type, const std::uint8_t* p, const std::uint8_t* end) {
  if (is_arp(type)) return parse_arp(packet, key, p, end);
  if (is_mpls(type)) return parse_mpls(packet, key, p, end);
  if (type == eth_type::nsh) return parse_nsh(packet, key, p, end);
  clear_l3(key);
}

// ---- link layer

// Two bytes of TPID, two of TCI, in the form of VlanTag.
std::uint32_t vlan_tag(const std::uint8_t* p) {
  return load<std::uint32_t>(p) | be32::from_host(vlan_present.host()).raw;
}

// An 802.2 header of SNAP with organization 0 and a real type is skipped (RFC 1042).
be16 parse_length(const std::uint8_t*& p, const std::uint8_t* end) {
  constexpr std::uint64_t snap_of_ethernet = 0xaaaa'03'000000;
  if (bytes_between(p, end) < snap_header_bytes || load<be64>(p).host() >> 16 != snap_of_ethernet) {
    return eth_type::none;
  }
  const be16 type = load<be16>(p + 6);
  if (type < eth_type::least) return eth_type::none;
  p += snap_header_bytes;
  return type;
}

}  // namespace

void parse(Packet& packet, FlowKey& key) {
  packet.l2_5_offset = packet.l3_offset = packet.l4_offset = no_offset;
  const std::uint8_t* const frame = packet.data();
  const std::uint8_t* const end = frame + packet.size();
  if (packet.size() < eth_header_bytes) [[unlikely]] {
    std::memset(reinterpret_cast<std::uint8_t*>(&key) + at_ethernet, 0, hot_bytes - at_ethernet);
    return;
  }
  const std::uint8_t* p = frame + 12;
  be16 type = load<be16>(p);
  std::uint32_t tags[max_vlan_tags] = {0, 0};
  constexpr std::ptrdiff_t tag_and_type = vlan_tag_bytes + 2;
  if (is_vlan(type) && end - p >= tag_and_type) {
    tags[0] = vlan_tag(p);
    p += vlan_tag_bytes;
    type = load<be16>(p);
    if (is_vlan(type) && end - p >= tag_and_type) {
      tags[1] = vlan_tag(p);
      p += vlan_tag_bytes;
      type = load<be16>(p);
    }
  }
  p += 2;
  if (type < eth_type::least) [[unlikely]] type = parse_length(p, end);

  store(key, at_ethernet, load<std::uint64_t>(frame));
  store(key, at_eth_type_word, join(load<std::uint32_t>(frame + 8), join(type.raw, 0)));
  store(key, at_vlan, join(tags[0], tags[1]));
  if (type == eth_type::ipv4) [[likely]] return parse_ipv4(packet, key, p, end);
  if (type == eth_type::ipv6) return parse_ipv6(packet, key, p, end);
  parse_other(packet, key, type, p, end);
}

void clear_cold(FlowKey& key) {
  struct Part {
    ColdPart bit;
    std::size_t from, to;
  };
  static constexpr Part parts[] = {
      {cold_tunnel, offsetof(FlowKey, tun_id), offsetof(FlowKey, metadata)},
      {cold_registers, offsetof(FlowKey, metadata), offsetof(FlowKey, ct_nw_src)},
      {cold_conntrack, offsetof(FlowKey, ct_nw_src), offsetof(FlowKey, mpls_lse)},
      {cold_mpls, offsetof(FlowKey, mpls_lse), offsetof(FlowKey, nsh_flags)},
      {cold_nsh, offsetof(FlowKey, nsh_flags), offsetof(FlowKey, arp_sha)},
      {cold_neighbor, offsetof(FlowKey, arp_sha), sizeof(FlowKey)},
  };
  for (const Part& part : parts) {
    if (key.cold_parts & part.bit) std::memset(reinterpret_cast<std::uint8_t*>(&key) + part.from, 0, part.to - part.from);
  }
  key.cold_parts = 0;
}

namespace {

// Multiplies and folds: every bit of either factor reaches the whole result.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint32_t five_tuple_hash(const FlowKey& key) {
  // Odd numbers without a pattern: the fractional digits of square roots of primes.
  constexpr std::uint64_t c[] = {0x6a09e667f3bcc909, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                 0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  const auto word = [&key](std::size_t offset) {
    return load<std::uint64_t>(reinterpret_cast<const std::uint8_t*>(&key) + offset);
  };
  const std::uint64_t port_and_protocol = join(key.in_port.raw, key.nw_proto);
  const std::uint64_t ports = join(join(key.tp_src.raw, key.tp_dst.raw), 0);
  std::uint64_t h = mix(word(at_ethernet) ^ c[0], word(at_eth_type_word) ^ c[1]) +
                    mix(word(at_vlan) ^ c[2], word(at_ipv4) ^ c[3]) + mix(port_and_protocol ^ c[4], ports ^ c[5]);
  if (key.eth_type == eth_type::ipv6) {
    h += mix(word(at_ipv6_src) ^ c[6], word(at_ipv6_src + 8) ^ c[7]) ^
         mix(word(at_ipv6_dst) ^ c[1], word(at_ipv6_dst + 8) ^ c[6]);
  }
  h = mix(h, c[7]);
  return static_cast<std::uint32_t>(h ^ h >> 32);
}

}  // namespace ovs::flow
