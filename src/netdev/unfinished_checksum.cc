#include "netdev/unfinished_checksum.h"

#include <cstdint>
#include <cstring>
#include <span>

#include "flow/checksum.h"

namespace ovs::netdev {
namespace {

using flow::Sum;

constexpr std::size_t addresses_bytes = 12, tag_bytes = 4;
constexpr unsigned most_extensions = 4;

std::uint16_t word_at(const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] << 8 | p[1]); }

// Where TCP, UDP or SCTP begins, how long it is, and the sum of its pseudo header.
struct Transport {
  std::size_t at = 0;
  std::size_t length = 0;
  std::uint8_t protocol = 0;
  Sum pseudo;
};

bool find_in_ipv4(std::span<const std::uint8_t> frame, std::size_t at, Transport& found) {
  if (frame.size() < at + 20) return false;
  const std::uint8_t* ip = &frame[at];
  const std::size_t header = (ip[0] & 0xfu) * 4, total = word_at(ip + 2);
  constexpr std::uint16_t fragment = 0x3fff;  // "more fragments", and the offset
  if (header < 20 || total < header || frame.size() < at + total || word_at(ip + 6) & fragment) return false;
  found.at = at + header;
  found.length = total - header;
  found.protocol = ip[9];
  be32 src, dst;
  std::memcpy(&src, ip + 12, sizeof src);
  std::memcpy(&dst, ip + 16, sizeof dst);
  found.pseudo = flow::pseudo_header(src, dst, found.protocol, found.length);
  return true;
}

bool find_in_ipv6(std::span<const std::uint8_t> frame, std::size_t at, Transport& found) {
  if (frame.size() < at + 40) return false;
  const std::uint8_t* ip = &frame[at];
  const std::size_t end = at + 40 + word_at(ip + 4);
  if (frame.size() < end) return false;
  std::uint8_t next = ip[6];
  std::size_t here = at + 40;
  constexpr std::uint8_t hop_by_hop = 0, destination = 60;  // a routing header would change the pseudo header
  for (unsigned i = 0; i < most_extensions && (next == hop_by_hop || next == destination); ++i) {
    if (end < here + 8) return false;
    const std::size_t length = (frame[here + 1] + 1u) * 8;
    next = frame[here];
    here += length;
  }
  if (here > end) return false;
  found.at = here;
  found.length = end - here;
  found.protocol = next;
  flow::Ipv6Addr src, dst;
  std::memcpy(src.bytes.data(), ip + 8, src.bytes.size());
  std::memcpy(dst.bytes.data(), ip + 24, dst.bytes.size());
  found.pseudo = flow::pseudo_header(src, dst, next, found.length);
  return true;
}

}  // namespace

void find_unfinished_checksum(flow::Packet& packet) {
  const std::span<const std::uint8_t> frame = packet.bytes();
  std::size_t at = addresses_bytes;
  std::uint16_t type;
  for (;; at += tag_bytes) {
    if (frame.size() < at + 2) return;
    type = word_at(&frame[at]);
    if (type != 0x8100 && type != 0x88a8) break;
  }
  at += 2;
  Transport found;
  if (type == 0x0800 ? !find_in_ipv4(frame, at, found) : type != 0x86dd || !find_in_ipv6(frame, at, found)) return;
  constexpr std::uint8_t tcp = 6, udp = 17, sctp = 132;
  std::size_t offset;
  switch (found.protocol) {
    case tcp: offset = 16; break;
    case udp: offset = 6; break;
    case sctp: offset = 8; break;
    default: return;
  }
  const std::size_t bytes = found.protocol == sctp ? 4 : 2;
  if (found.length < offset + bytes) return;
  const std::uint8_t* checksum = &frame[found.at + offset];
  if (found.protocol == sctp) {
    be32 crc;
    std::memcpy(&crc, checksum, sizeof crc);
    if (crc) return;
  } else {
    be16 sum;
    std::memcpy(&sum, checksum, sizeof sum);
    // Of UDP, zero says that there is none.
    if (!sum || sum != found.pseudo.folded()) return;
  }
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = static_cast<std::uint16_t>(found.at);
  packet.offload.checksum_offset = static_cast<std::uint16_t>(offset);
}

}  // namespace ovs::netdev
