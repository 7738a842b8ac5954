#include "netdev/datagram_run.h"

#include <algorithm>
#include <cstring>

#include "flow/checksum.h"

namespace ovs::netdev {
namespace {

constexpr std::size_t udp_header_bytes = 8, udp_checksum_at = 6;
constexpr std::size_t ipv4_header_bytes = 20, ipv6_header_bytes = 40;
constexpr std::uint8_t proto_udp = 17;
// Larger ones gain little; and no Ethernet device has an MTU that these exceed (RFC 791: 576 bytes).
constexpr std::size_t largest_frame = 14 + 576;
// Who cuts a large datagram may refuse to cut it into dust (flow/offload.cc does).
constexpr std::size_t least_payload = 16;
constexpr std::size_t largest_ip = 65535;
constexpr std::size_t most_datagrams = 64;  // UDP_MAX_SEGMENTS of all kernels

std::uint16_t read16(const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] << 8 | p[1]); }
void write16(std::uint8_t* p, std::size_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 8);
  p[1] = static_cast<std::uint8_t>(value);
}

be16 be(std::size_t value) { return be16::from_host(static_cast<std::uint16_t>(value)); }
be16 read_be(const std::uint8_t* p) { return be(read16(p)); }

// What becomes of an unfinished checksum, which is the sum of the pseudo header, when the length in it changes.
be16 with_length(be16 sum, std::size_t from, std::size_t to) {
  return ~flow::updated_checksum(~sum, be(from), be(to));
}

// Where the headers of a datagram are that may be in a run.
struct Layout {
  std::size_t l3 = 0, l4 = 0;
  bool ipv4 = false;

  std::size_t payload_at() const { return l4 + udp_header_bytes; }
};

bool has_unfinished_checksum(const flow::Packet& packet) {
  return packet.offload.needs_checksum && packet.offload.checksum_offset == udp_checksum_at &&
         packet.offload.gso == flow::Gso::none && packet.size() <= largest_frame;
}

bool find_layout(const flow::Packet& packet, Layout& layout) {
  if (!has_unfinished_checksum(packet)) return false;
  const std::uint8_t* bytes = packet.data();
  const std::size_t size = packet.size();
  layout.l4 = packet.offload.checksum_start;
  if (layout.l4 + udp_header_bytes + least_payload > size || layout.l4 < 14 + ipv4_header_bytes) return false;
  std::size_t type_at = 12;
  for (int tags = 0; tags < 2 && (read16(bytes + type_at) == 0x8100 || read16(bytes + type_at) == 0x88a8); ++tags)
    type_at += 4;
  layout.l3 = type_at + 2;
  const std::uint8_t* ip = bytes + layout.l3;
  if (read16(bytes + type_at) == 0x0800 && layout.l4 == layout.l3 + ipv4_header_bytes) {
    layout.ipv4 = true;
    constexpr std::uint16_t more_or_offset = 0x3fff;
    return ip[0] == 0x45 && ip[9] == proto_udp && !(read16(ip + 6) & more_or_offset) &&
           read16(ip + 2) == size - layout.l3 && read16(bytes + layout.l4 + 4) == size - layout.l4;
  }
  if (read16(bytes + type_at) == 0x86dd && layout.l4 == layout.l3 + ipv6_header_bytes) {
    layout.ipv4 = false;
    return ip[0] >> 4 == 6 && ip[6] == proto_udp && read16(ip + 4) == size - layout.l4 &&
           read16(bytes + layout.l4 + 4) == size - layout.l4;
  }
  return false;
}

// Whether `other` is what cutting makes of the datagram number `index` after `first`.
bool follows(const flow::Packet& first, const Layout& layout, const flow::Packet& other, std::size_t index) {
  if (!has_unfinished_checksum(other) || other.size() > first.size() || other.size() <= layout.payload_at() ||
      other.offload.checksum_start != first.offload.checksum_start)
    return false;
  const std::uint8_t *a = first.data(), *b = other.data();
  const std::size_t l3 = layout.l3, l4 = layout.l4;
  if (std::memcmp(a, b, l3) != 0 || std::memcmp(a + l4, b + l4, 4) != 0 || read16(b + l4 + 4) != other.size() - l4)
    return false;
  if (read_be(b + l4 + udp_checksum_at) !=
      with_length(read_be(a + l4 + udp_checksum_at), first.size() - l4, other.size() - l4))
    return false;
  if (layout.ipv4) {
    // All but the length, the identification and the checksum are the same.
    if (std::memcmp(a + l3, b + l3, 2) != 0 || read16(b + l3 + 2) != other.size() - l3 ||
        read16(b + l3 + 4) != static_cast<std::uint16_t>(read16(a + l3 + 4) + index) ||
        std::memcmp(a + l3 + 6, b + l3 + 6, 4) != 0 || std::memcmp(a + l3 + 12, b + l3 + 12, 8) != 0)
      return false;
    const be16 sum = flow::updated_checksum(read_be(a + l3 + 10), read_be(a + l3 + 4), read_be(b + l3 + 4));
    return read_be(b + l3 + 10) == flow::updated_checksum(sum, read_be(a + l3 + 2), read_be(b + l3 + 2));
  }
  return std::memcmp(a + l3, b + l3, 4) == 0 && read16(b + l3 + 4) == other.size() - l4 &&
         std::memcmp(a + l3 + 6, b + l3 + 6, ipv6_header_bytes - 6) == 0;
}

void write_headers(const flow::Packet& first, const Layout& layout, std::size_t payload, DatagramRun& run) {
  std::uint8_t* bytes = run.headers.data();
  run.header_bytes = layout.payload_at();
  std::memcpy(bytes, first.data(), run.header_bytes);
  const std::size_t before = first.size() - layout.l4, now = udp_header_bytes + payload;
  std::uint8_t *ip = bytes + layout.l3, *udp = bytes + layout.l4;
  if (layout.ipv4) {
    write16(ip + 10, flow::updated_checksum(read_be(ip + 10), read_be(ip + 2), be(ipv4_header_bytes + now)).host());
    write16(ip + 2, ipv4_header_bytes + now);
  } else {
    write16(ip + 4, now);
  }
  write16(udp + 4, now);
  write16(udp + udp_checksum_at, with_length(read_be(udp + udp_checksum_at), before, now).host());

  run.offload = {};
  run.offload.flags = vnet_flag_needs_checksum;
  run.offload.csum_start = static_cast<std::uint16_t>(layout.l4);
  run.offload.csum_offset = udp_checksum_at;
  run.offload.gso_type = vnet_gso_udp_l4;
  run.offload.gso_size = static_cast<std::uint16_t>(first.size() - layout.payload_at());
  run.offload.hdr_len = static_cast<std::uint16_t>(run.header_bytes);
}

}  // namespace

std::size_t find_run(std::span<flow::Packet* const> packets, DatagramRun& run) {
  Layout layout;
  if (packets.size() < 2 || !find_layout(*packets[0], layout)) return 1;
  const flow::Packet& first = *packets[0];
  const std::size_t most = std::min(packets.size(), most_datagrams);
  std::size_t count = 1, payload = first.size() - layout.payload_at();
  while (count < most) {
    const flow::Packet& next = *packets[count];
    if (!follows(first, layout, next, count)) break;
    const std::size_t with_next = payload + next.size() - layout.payload_at();
    if (ipv6_header_bytes + udp_header_bytes + with_next > largest_ip) break;
    payload = with_next;
    ++count;
    if (next.size() < first.size()) break;  // only the last one may be shorter
  }
  if (count == 1) return 1;
  run.count = count;
  write_headers(first, layout, payload, run);
  return count;
}

}  // namespace ovs::netdev
