// Between flow::Offload and struct virtio_net_hdr (virtio 1.2, section 5.1.6), which packet sockets and TAP
// interfaces put before each frame, in the byte order of this host.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "flow/packet.h"

namespace ovs::netdev {

// struct virtio_net_hdr; linux/virtio_net.h is no C++.
struct VnetHeader {
  std::uint8_t flags;  // vnet_flag_*
  std::uint8_t gso_type;  // vnet_gso_*
  std::uint16_t hdr_len;
  std::uint16_t gso_size;
  std::uint16_t csum_start;
  std::uint16_t csum_offset;
};
inline constexpr std::size_t vnet_header_bytes = sizeof(VnetHeader);
static_assert(vnet_header_bytes == 10);
static_assert(vnet_header_bytes <= flow::packet_headroom);

inline constexpr std::uint8_t vnet_flag_needs_checksum = 1, vnet_flag_data_valid = 2;
inline constexpr std::uint8_t vnet_gso_none = 0, vnet_gso_tcp4 = 1, vnet_gso_tcp6 = 4;
inline constexpr std::uint8_t vnet_gso_udp_l4 = 5;  // since Linux 6.2
inline constexpr std::uint8_t vnet_gso_ecn = 0x80;  // or-ed to one of TCP's

// False for what makes no sense: a checksum outside of the frame, an unknown kind of segmentation.
inline bool read_vnet_header(const VnetHeader& header, std::size_t frame_bytes, flow::Offload& offload) {
  offload = {};
  if ((header.flags | header.gso_type) == 0) [[likely]]
    return true;
  if (header.flags & vnet_flag_needs_checksum) {
    if (header.csum_start + header.csum_offset + 2u > frame_bytes) return false;
    offload.needs_checksum = true;
    offload.checksum_start = header.csum_start;
    offload.checksum_offset = header.csum_offset;
  }
  offload.checksum_good = header.flags & vnet_flag_data_valid;
  switch (header.gso_type & ~vnet_gso_ecn) {
    case vnet_gso_none: return true;
    case vnet_gso_tcp4: offload.gso = flow::Gso::tcp4; break;
    case vnet_gso_tcp6: offload.gso = flow::Gso::tcp6; break;
    case vnet_gso_udp_l4: offload.gso = flow::Gso::udp; break;
    default: return false;
  }
  offload.gso_ecn = header.gso_type & vnet_gso_ecn;
  offload.segment_bytes = header.gso_size;
  return header.gso_size != 0;
}

inline VnetHeader make_vnet_header(const flow::Packet& packet) {
  VnetHeader header{};
  const flow::Offload& offload = packet.offload;
  // checksum_good is not passed on: a receiver that was told so would not look at a frame that was damaged in here.
  if (!offload.any()) [[likely]]
    return header;
  if (offload.needs_checksum) {
    header.flags = vnet_flag_needs_checksum;
    header.csum_start = offload.checksum_start;
    header.csum_offset = offload.checksum_offset;
  }
  if (offload.gso == flow::Gso::none) return header;
  header.gso_size = offload.segment_bytes;
  // The headers' length lets the kernel keep them together and the payload in pages.
  std::size_t headers = offload.checksum_start;
  if (offload.gso == flow::Gso::udp) {
    header.gso_type = vnet_gso_udp_l4;
    headers += 8;
  } else {
    header.gso_type = offload.gso == flow::Gso::tcp4 ? vnet_gso_tcp4 : vnet_gso_tcp6;
    if (offload.gso_ecn) header.gso_type |= vnet_gso_ecn;
    constexpr std::size_t data_offset_at = 12;  // in the TCP header, RFC 9293 section 3.1
    if (headers + data_offset_at < packet.size()) headers += (packet.data()[headers + data_offset_at] >> 4) * 4u;
  }
  if (offload.needs_checksum && headers <= packet.size()) header.hdr_len = static_cast<std::uint16_t>(headers);
  return header;
}

}  // namespace ovs::netdev
