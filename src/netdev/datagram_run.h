// DatagramRun: datagrams that can leave as one.
//
// Small UDP datagrams of one flow that come one after the other are handed to the kernel as one
// large datagram with the order to cut it (UDP segmentation, VIRTIO_NET_HDR_GSO_UDP_L4), which costs
// a small part of sending each by itself; the receiver, or the hardware, cuts it.  What comes out is bit by bit
// what was there before: a run holds datagrams with the same headers, IPv4 identifications that count up as the cutting
// will make them, lengths that are alike but for the last one, and checksums that were left to the hardware anyway.
//
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "flow/packet.h"
#include "netdev/vnet_header.h"

namespace ovs::netdev {

struct DatagramRun {
  // Ethernet with up to two tags, IPv6, UDP.
  static constexpr std::size_t longest_headers = 14 + 8 + 40 + 8;

  std::size_t count = 1;         // datagrams
  std::size_t header_bytes = 0;  // before each one's payload; of the large one they are in `headers`
  std::array<std::uint8_t, longest_headers> headers;
  VnetHeader offload;
};

// How many packets at the front of `packets` make a run; 1 if the first one cannot.  Fills in `run` if there are more.
std::size_t find_run(std::span<flow::Packet* const> packets, DatagramRun& run);

}  // namespace ovs::netdev
