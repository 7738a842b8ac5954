#include "flow/offload.h"

#include <algorithm>
#include <cstring>

#include "base/unaligned.h"
#include "flow/checksum.h"
#include "flow/protocols.h"

namespace ovs::flow {

namespace {

// Below this a frame would only serve to make work: 64 kB are 65,000 segments at one byte each.
constexpr std::size_t least_segment_bytes = 8;

constexpr std::size_t tcp_checksum_offset = 16;
constexpr std::size_t udp_checksum_offset = 6;

constexpr std::uint8_t tcp_fin = 0x01;
constexpr std::uint8_t tcp_psh = 0x08;
constexpr std::uint8_t tcp_cwr = 0x80;

// Where the network header begins, behind tags and labels; 0 if there is no IP.
std::size_t find_ip(const Packet& packet) {
  const std::uint8_t* frame = packet.data();
  std::size_t at = 12;
  if (packet.size() < eth_header_bytes) return 0;
  be16 type = load<be16>(frame + at);
  while (is_vlan(type) && packet.size() >= at + vlan_tag_bytes + 2) {
    at += vlan_tag_bytes;
    type = load<be16>(frame + at);
  }
  at += 2;
  if (is_mpls(type)) {
    constexpr std::uint8_t bottom_of_stack = 1;
    bool last = false;
    while (!last && packet.size() >= at + mpls_label_bytes) {
      last = frame[at + 2] & bottom_of_stack;
      at += mpls_label_bytes;
    }
    return last ? at : 0;
  }
  return type == eth_type::ipv4 || type == eth_type::ipv6 ? at : 0;
}

// What segment() has to know of the headers that it repeats.
struct Headers {
  std::size_t ip;       // where IP begins
  std::size_t l4;       // where TCP or UDP does
  std::size_t payload;  // where they end
  bool is_ipv6;
  bool is_tcp;
};

bool find_headers(const Packet& packet, Headers& h) {
  const std::uint8_t* frame = packet.data();
  h.ip = find_ip(packet);
  if (h.ip == 0 || packet.size() <= h.ip) return false;
  h.is_ipv6 = frame[h.ip] >> 4 == 6;
  if (!h.is_ipv6 && frame[h.ip] >> 4 != 4) return false;
  h.l4 = packet.offload.needs_checksum ? packet.offload.checksum_start : packet.l4_offset;
  if (h.l4 == no_offset) return false;
  std::size_t ip_header = ipv6_header_bytes;
  if (!h.is_ipv6) {
    ip_header = std::size_t{frame[h.ip]} % 16 * 4;
    if (ip_header < ipv4_header_bytes || h.ip + ip_header != h.l4) return false;
  }
  h.is_tcp = packet.offload.gso != Gso::udp;
  const std::size_t least = h.is_tcp ? tcp_header_bytes : udp_header_bytes;
  if (h.l4 < h.ip + ip_header || h.l4 + least > packet.size()) return false;
  std::size_t length = least;
  if (h.is_tcp) {
    length = std::size_t{frame[h.l4 + 12]} / 16 * 4;
    if (length < least || h.l4 + length > packet.size()) return false;
  }
  h.payload = h.l4 + length;
  return true;
}

// The sum of the pseudo header without the length.
Sum addresses_sum(const Packet& packet, const Headers& h) {
  const std::uint8_t* ip = packet.data() + h.ip;
  const std::size_t checksum_at = h.l4 + (h.is_tcp ? tcp_checksum_offset : udp_checksum_offset);
  Sum sum;
  if (packet.offload.needs_checksum) {
    // The guest's is right even where a routing header hides the final destination.
    sum.add(load<be16>(packet.data() + checksum_at));
    sum.remove(be16::from_host(static_cast<std::uint16_t>(packet.size() - h.l4)));
    return sum;
  }
  const std::uint8_t proto = h.is_tcp ? ip_proto::tcp : ip_proto::udp;
  if (h.is_ipv6) return pseudo_header(load<Ipv6Addr>(ip + 8), load<Ipv6Addr>(ip + 24), proto, 0);
  return pseudo_header(load<be32>(ip + 12), load<be32>(ip + 16), proto, 0);
}

// Makes the IP header of segment number `index` say what is true of it.
void correct_ip(std::uint8_t* ip, std::size_t size, const Headers& h, std::size_t index) {
  if (h.is_ipv6) {
    store(ip + 4, be16::from_host(static_cast<std::uint16_t>(size - ipv6_header_bytes)));
    return;
  }
  store(ip + 2, be16::from_host(static_cast<std::uint16_t>(size)));
  const std::uint16_t identification = load<be16>(ip + 4).host();
  store(ip + 4, be16::from_host(static_cast<std::uint16_t>(identification + index)));
  store(ip + 10, be16{0});
  store(ip + 10, checksum({ip, h.l4 - h.ip}));
}

void correct_tcp(std::uint8_t* tcp, std::size_t payload_before, bool first, bool last) {
  const std::uint32_t sequence = load<be32>(tcp + 4).host();
  store(tcp + 4, be32::from_host(static_cast<std::uint32_t>(sequence + payload_before)));
  std::uint8_t flags = tcp[13];
  if (!first) flags &= static_cast<std::uint8_t>(~tcp_cwr);
  if (!last) flags &= static_cast<std::uint8_t>(~(tcp_fin | tcp_psh));
  tcp[13] = flags;
}

}  // namespace

bool finish_checksum(Packet& packet) {
  if (!packet.offload.needs_checksum) return true;
  const std::size_t start = packet.offload.checksum_start;
  const std::size_t at = start + packet.offload.checksum_offset;
  const bool is_crc = packet.offload.needs_crc();
  if (at + (is_crc ? sizeof(be32) : sizeof(be16)) > packet.size()) return false;
  packet.offload.needs_checksum = false;
  if (is_crc) {
    store(packet.data() + at, be32{0});
    store(packet.data() + at, sctp_checksum(packet.bytes().subspan(start)));
    return true;
  }
  Sum sum;
  sum.add(packet.bytes().subspan(start));
  const bool is_udp = packet.offload.checksum_offset == udp_checksum_offset;
  store(packet.data() + at, is_udp ? sum.udp_checksum() : sum.checksum());
  return true;
}

bool segment(const Packet& packet, std::vector<Packet>& out) {
  Headers h;
  const std::size_t step = packet.offload.segment_bytes;
  if (step < least_segment_bytes || !find_headers(packet, h)) return false;
  const std::size_t total = packet.size() - h.payload;
  const Sum addresses = addresses_sum(packet, h);
  const std::size_t checksum_at = h.l4 + (h.is_tcp ? tcp_checksum_offset : udp_checksum_offset);

  std::size_t done = 0;
  std::size_t index = 0;
  do {
    const std::size_t payload = std::min(step, total - done);
    const bool last = done + payload == total;
    const std::size_t size = h.payload + payload;
    if (size - h.ip > 0xffff) return false;  // only the first can be too large: nothing is appended yet
    Packet& cut = out.emplace_back(size);
    cut.set_size(size);
    cut.l2_5_offset = packet.l2_5_offset;
    cut.l3_offset = packet.l3_offset;
    cut.l4_offset = packet.l4_offset;
    std::uint8_t* frame = cut.data();
    std::memcpy(frame, packet.data(), h.payload);
    std::memcpy(frame + h.payload, packet.data() + h.payload + done, payload);
    correct_ip(frame + h.ip, size - h.ip, h, index);
    const be16 length = be16::from_host(static_cast<std::uint16_t>(size - h.l4));
    if (h.is_tcp) {
      correct_tcp(frame + h.l4, done, index == 0, last);
    } else {
      store(frame + h.l4 + 4, length);
    }
    store(frame + checksum_at, be16{0});
    Sum sum = addresses;
    sum.add(length);
    sum.add(cut.bytes().subspan(h.l4));
    store(frame + checksum_at, h.is_tcp ? sum.checksum() : sum.udp_checksum());
    done += payload;
    index++;
  } while (done < total);
  return true;
}

}  // namespace ovs::flow
