#include "datapath/packet_edit.h"

#include <array>
#include <cstring>

#include "base/unaligned.h"
#include "flow/checksum.h"
#include "flow/protocols.h"

namespace ovs::datapath {

namespace {

using flow::EthAddr;
using flow::Ipv6Addr;
using flow::Packet;

constexpr std::size_t tpid_offset = 12;  // in the frame

// Offsets within headers.
namespace ipv4 {
constexpr std::size_t tos = 1, total_length = 2, ttl = 8, proto = 9, checksum = 10, src = 12, dst = 16;
}
namespace ipv6 {
constexpr std::size_t payload_length = 4, next = 6, hop_limit = 7, src = 8, dst = 24;
}
namespace arp {
constexpr std::size_t op = 6, sha = 8, sip = 14, tha = 18, tip = 24;
}
namespace l4 {
constexpr std::size_t src = 0, dst = 2, udp_checksum = 6, sctp_checksum = 8, tcp_checksum = 16, icmpv6_checksum = 2;
}

// The bits of `value` where `mask` has some, those of `old` elsewhere; byte by byte, whatever the type.
template <class T>
T merged(const T& old, const T& value, const T& mask) {
  std::array<std::uint8_t, sizeof(T)> o, v, m;
  std::memcpy(o.data(), &old, sizeof(T));
  std::memcpy(v.data(), &value, sizeof(T));
  std::memcpy(m.data(), &mask, sizeof(T));
  for (std::size_t i = 0; i < sizeof(T); i++) o[i] = static_cast<std::uint8_t>((o[i] & ~m[i]) | (v[i] & m[i]));
  T result;
  std::memcpy(&result, o.data(), sizeof(T));
  return result;
}

// The header at `offset`, if at least `bytes` of it are there.
std::uint8_t* header_at(Packet& packet, std::uint16_t offset, std::size_t bytes) {
  if (offset == flow::no_offset || offset + bytes > packet.size()) return nullptr;
  return packet.data() + offset;
}

be16 network_type(const Packet& packet) {
  if (packet.l3_offset == flow::no_offset || packet.l3_offset < 2) return be16{0};
  return load<be16>(packet.data() + packet.l3_offset - 2);
}

// Where the network layer's packet ends, which may be before the frame does.
const std::uint8_t* end_of_network(const Packet& packet) {
  const std::uint8_t* ip = packet.data() + packet.l3_offset;
  const bool is_ipv6 = network_type(packet) == flow::eth_type::ipv6;
  const std::size_t length = is_ipv6 ? flow::ipv6_header_bytes + load<be16>(ip + ipv6::payload_length).host()
                                     : load<be16>(ip + ipv4::total_length).host();
  const std::size_t end = packet.l3_offset + length;
  return packet.data() + (end > packet.l4_offset && end < packet.size() ? end : packet.size());
}

// Changes a checksum that covers what changed from `from` to `to`.
template <class T>
void change_sum(std::uint8_t* at, const T& from, const T& to) {
  store(at, flow::updated_checksum(load<be16>(at), from, to));
}

// An unfinished checksum is the sum itself and not its complement.
template <class T>
void change_partial_sum(std::uint8_t* at, const T& from, const T& to) {
  store(at, ~flow::updated_checksum(~load<be16>(at), from, to));
}

template <class T>
void change_udp_sum(std::uint8_t* at, const T& from, const T& to) {
  if (!load<be16>(at)) return;  // the sender computed none
  be16 sum = flow::updated_checksum(load<be16>(at), from, to);
  if (!sum) sum = be16{0xffff};
  store(at, sum);
}

// What of the transport layer's checksum follows from an address that changes.
template <class Address>
void address_changed(Packet& packet, std::uint8_t proto, const Address& from, const Address& to) {
  const bool partial = packet.offload.needs_checksum;
  std::uint8_t* header;
  switch (proto) {
    case flow::ip_proto::tcp:
      header = header_at(packet, packet.l4_offset, flow::tcp_header_bytes);
      if (header == nullptr) return;
      partial ? change_partial_sum(header + l4::tcp_checksum, from, to) : change_sum(header + l4::tcp_checksum, from, to);
      return;
    case flow::ip_proto::udp:
      header = header_at(packet, packet.l4_offset, flow::udp_header_bytes);
      if (header == nullptr) return;
      partial ? change_partial_sum(header + l4::udp_checksum, from, to)
              : change_udp_sum(header + l4::udp_checksum, from, to);
      return;
    case flow::ip_proto::icmpv6:
      if constexpr (sizeof(Address) == 16) {
        header = header_at(packet, packet.l4_offset, 4);
        if (header == nullptr) return;
        partial ? change_partial_sum(header + l4::icmpv6_checksum, from, to)
                : change_sum(header + l4::icmpv6_checksum, from, to);
      }
      return;
    default: return;
  }
}

// The protocol of the transport header at l4_offset: the last of the chain of next headers.
std::uint8_t ipv6_transport(const Packet& packet, const std::uint8_t* ip) {
  std::uint8_t next = ip[ipv6::next];
  std::size_t at = packet.l3_offset + flow::ipv6_header_bytes;
  while (at < packet.l4_offset && at + 8 <= packet.size()) {
    const std::uint8_t* extension = packet.data() + at;
    switch (next) {
      case flow::ip_proto::hop_by_hop:
      case flow::ip_proto::routing:
      case flow::ip_proto::destination: at += 8 * (extension[1] + std::size_t{1}); break;
      case flow::ip_proto::ah: at += 4 * (extension[1] + std::size_t{2}); break;
      case flow::ip_proto::fragment: at += 8; break;
      default: return next;
    }
    next = extension[0];
  }
  return next;
}

// With a routing header that has stations to go, the checksum has the last one's address and not the
// header's destination (RFC 8200, section 8.1).
bool has_open_routing_header(const Packet& packet, const std::uint8_t* ip) {
  std::uint8_t next = ip[ipv6::next];
  std::size_t at = packet.l3_offset + flow::ipv6_header_bytes;
  while (at + 8 <= packet.size() && (packet.l4_offset == flow::no_offset || at < packet.l4_offset)) {
    const std::uint8_t* extension = packet.data() + at;
    switch (next) {
      case flow::ip_proto::routing: return extension[3] != 0;
      case flow::ip_proto::hop_by_hop:
      case flow::ip_proto::destination: at += 8 * (extension[1] + std::size_t{1}); break;
      case flow::ip_proto::ah: at += 4 * (extension[1] + std::size_t{2}); break;
      case flow::ip_proto::fragment: at += 8; break;
      default: return false;
    }
    next = extension[0];
  }
  return false;
}

template <class Ports>
struct NewPorts {
  NewPorts(const std::uint8_t* header, const SetMasked<Ports>& set)
      : old_src(load<be16>(header + l4::src)),
        old_dst(load<be16>(header + l4::dst)),
        src(merged(old_src, set.value.src, set.mask.src)),
        dst(merged(old_dst, set.value.dst, set.mask.dst)) {}
  void put(std::uint8_t* header) const {
    store(header + l4::src, src);
    store(header + l4::dst, dst);
  }
  be16 old_src, old_dst, src, dst;
};

}  // namespace

void push_vlan(Packet& packet, const flow::VlanTag& tag) {
  if (packet.size() < flow::eth_header_bytes) return;
  std::uint8_t* at = packet.insert(tpid_offset, flow::vlan_tag_bytes);
  store(at, tag.tpid);
  store(at + 2, tag.tci & ~flow::vlan_present);
}

void pop_vlan(Packet& packet) {
  if (packet.size() < tpid_offset + flow::vlan_tag_bytes + 2) return;
  if (!flow::is_vlan(load<be16>(packet.data() + tpid_offset))) return;
  packet.remove(tpid_offset, flow::vlan_tag_bytes);
}

void edit(Packet& packet, const SetMasked<EthernetHeader>& set) {
  std::uint8_t* frame = header_at(packet, 0, flow::eth_header_bytes);
  if (frame == nullptr) return;
  store(frame, merged(load<EthAddr>(frame), set.value.dst, set.mask.dst));
  store(frame + 6, merged(load<EthAddr>(frame + 6), set.value.src, set.mask.src));
}

void edit(Packet& packet, const SetMasked<Ipv4Header>& set) {
  std::uint8_t* ip = header_at(packet, packet.l3_offset, flow::ipv4_header_bytes);
  if (ip == nullptr || network_type(packet) != flow::eth_type::ipv4) return;
  const auto set_address = [&](std::size_t at, be32 value, be32 mask) {
    if (!mask) return;
    const be32 from = load<be32>(ip + at);
    const be32 to = merged(from, value, mask);
    if (from == to) return;
    address_changed(packet, ip[ipv4::proto], from, to);
    change_sum(ip + ipv4::checksum, from, to);
    store(ip + at, to);
  };
  set_address(ipv4::src, set.value.src, set.mask.src);
  set_address(ipv4::dst, set.value.dst, set.mask.dst);
  // A checksum is over 16 bits: the byte and its neighbor.
  const auto set_byte = [&](std::size_t at, std::uint8_t value, std::uint8_t mask) {
    if (mask == 0) return;
    std::uint8_t* word = ip + (at & ~std::size_t{1});
    const be16 from = load<be16>(word);
    ip[at] = merged(ip[at], value, mask);
    change_sum(ip + ipv4::checksum, from, load<be16>(word));
  };
  set_byte(ipv4::tos, set.value.tos, set.mask.tos);
  set_byte(ipv4::ttl, set.value.ttl, set.mask.ttl);
}

void edit(Packet& packet, const SetMasked<Ipv6Header>& set) {
  std::uint8_t* ip = header_at(packet, packet.l3_offset, flow::ipv6_header_bytes);
  if (ip == nullptr || network_type(packet) != flow::eth_type::ipv6) return;
  const auto set_address = [&](std::size_t at, const Ipv6Addr& value, const Ipv6Addr& mask, bool in_checksum) {
    const auto from = load<Ipv6Addr>(ip + at);
    const Ipv6Addr to = merged(from, value, mask);
    if (from == to) return;
    if (in_checksum && packet.l4_offset != flow::no_offset) {
      address_changed(packet, ipv6_transport(packet, ip), from, to);
    }
    store(ip + at, to);
  };
  set_address(ipv6::src, set.value.src, set.mask.src, true);
  const bool dst_in_checksum = set.mask.dst != Ipv6Addr{} && !has_open_routing_header(packet, ip);
  set_address(ipv6::dst, set.value.dst, set.mask.dst, dst_in_checksum);
  // Version (4 bits), traffic class (8), flow label (20).
  const std::uint32_t value = std::uint32_t{set.value.tclass} << 20 | (set.value.label.host() & 0xfffff);
  const std::uint32_t mask = std::uint32_t{set.mask.tclass} << 20 | (set.mask.label.host() & 0xfffff);
  store(ip, merged(load<be32>(ip), be32::from_host(value), be32::from_host(mask)));
  ip[ipv6::hop_limit] = merged(ip[ipv6::hop_limit], set.value.hlimit, set.mask.hlimit);
}

void edit(Packet& packet, const SetMasked<TcpPorts>& set) {
  std::uint8_t* tcp = header_at(packet, packet.l4_offset, flow::tcp_header_bytes);
  if (tcp == nullptr) return;
  const NewPorts<TcpPorts> ports(tcp, set);
  if (!packet.offload.needs_checksum) {
    change_sum(tcp + l4::tcp_checksum, ports.old_src, ports.src);
    change_sum(tcp + l4::tcp_checksum, ports.old_dst, ports.dst);
  }
  ports.put(tcp);
}

void edit(Packet& packet, const SetMasked<UdpPorts>& set) {
  std::uint8_t* udp = header_at(packet, packet.l4_offset, flow::udp_header_bytes);
  if (udp == nullptr) return;
  const NewPorts<UdpPorts> ports(udp, set);
  if (!packet.offload.needs_checksum) {
    change_udp_sum(udp + l4::udp_checksum, ports.old_src, ports.src);
    change_udp_sum(udp + l4::udp_checksum, ports.old_dst, ports.dst);
  }
  ports.put(udp);
}

void edit(Packet& packet, const SetMasked<SctpPorts>& set) {
  std::uint8_t* sctp = header_at(packet, packet.l4_offset, flow::sctp_header_bytes);
  if (sctp == nullptr) return;
  const NewPorts<SctpPorts> ports(sctp, set);
  if (packet.offload.needs_checksum) {
    ports.put(sctp);
    return;
  }
  // CRC-32C is linear: the difference of two packets' sums is what their own difference makes of it, so
  // that an error stays one.
  const std::span bytes(sctp, static_cast<std::size_t>(end_of_network(packet) - sctp));
  const be32 sum = load<be32>(sctp + l4::sctp_checksum);
  store(sctp + l4::sctp_checksum, be32{0});
  const be32 right_before = flow::sctp_checksum(bytes);
  ports.put(sctp);
  const be32 right_now = flow::sctp_checksum(bytes);
  store(sctp + l4::sctp_checksum, be32{sum.raw ^ right_before.raw ^ right_now.raw});
}

void edit(Packet& packet, const SetMasked<ArpHeader>& set) {
  std::uint8_t* arp = header_at(packet, packet.l3_offset, flow::arp_header_bytes);
  if (arp == nullptr || !flow::is_arp(network_type(packet))) return;
  store(arp + arp::op, merged(load<be16>(arp + arp::op), set.value.op, set.mask.op));
  store(arp + arp::sha, merged(load<EthAddr>(arp + arp::sha), set.value.sha, set.mask.sha));
  store(arp + arp::sip, merged(load<be32>(arp + arp::sip), set.value.sip, set.mask.sip));
  store(arp + arp::tha, merged(load<EthAddr>(arp + arp::tha), set.value.tha, set.mask.tha));
  store(arp + arp::tip, merged(load<be32>(arp + arp::tip), set.value.tip, set.mask.tip));
}

}  // namespace ovs::datapath
