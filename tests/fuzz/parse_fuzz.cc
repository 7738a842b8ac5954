// The packet parser: it reads nothing outside the frame, nothing behind the headers that it understands, and
// makes keys from which compose() makes frames that have them.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "flow/compose.h"
#include "flow/parse.h"
#include "flow/protocols.h"
#include "fuzz.h"

namespace {

using namespace ovs;
using namespace ovs::flow;

// A packet whose buffer has `noise` behind the frame.
Packet packet_with(const std::uint8_t* data, std::size_t size, std::uint8_t noise) {
  Packet packet(size + 64);
  packet.set_size(packet.capacity());
  std::memset(packet.data(), noise, packet.size());
  if (size != 0) std::memcpy(packet.data(), data, size);
  packet.set_size(size);
  return packet;
}

FlowKey key_of(Packet& packet) {
  FlowKey key{};
  parse(packet, key);
  return key;
}

// Where the headers that the parser understood end.
std::size_t end_of_headers(const Packet& packet, const FlowKey& key) {
  if (is_arp(key.eth_type) && packet.l3_offset != no_offset) return packet.l3_offset + arp_header_bytes;
  if (packet.l4_offset == no_offset) return packet.size();
  switch (key.nw_proto) {
    case ip_proto::tcp: return packet.l4_offset + tcp_header_bytes;
    case ip_proto::udp: return packet.l4_offset + udp_header_bytes;
    case ip_proto::sctp: return packet.l4_offset + sctp_header_bytes;
    case ip_proto::icmp:
    case ip_proto::igmp: return packet.l4_offset + icmp_header_bytes;
    default: return packet.size();
  }
}

// A zero address in an option of neighbor discovery, or one option twice: no key without the address makes it again.
bool has_option_without_address(const FlowKey& key) {
  const EthAddr& address = key.nd_options_type == nd_option_source ? key.arp_sha : key.arp_tha;
  return key.nd_options_type != 0 && address == EthAddr{};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > max_frame_bytes) return 0;
  Packet packet = packet_with(data, size, 0x00);
  const FlowKey key = key_of(packet);
  Packet noisy = packet_with(data, size, 0xff);
  OVS_CHECK(key_of(noisy) == key, "bytes behind the frame matter");
  OVS_CHECK(packet.l3_offset == no_offset || packet.l3_offset <= size);
  OVS_CHECK(packet.l4_offset == no_offset || (packet.l3_offset < packet.l4_offset && packet.l4_offset + 8u <= size));
  OVS_CHECK(packet.l2_5_offset == no_offset || packet.l2_5_offset + 4u <= size);

  const std::size_t end = end_of_headers(packet, key);
  OVS_CHECK(end <= size, "headers longer than the frame");
  std::for_each(noisy.data() + end, noisy.data() + size, [](std::uint8_t& byte) { byte ^= 0xff; });
  OVS_CHECK(key_of(noisy) == key, "bytes behind the headers matter");

  OVS_CHECK(five_tuple_hash(key) == five_tuple_hash(FlowKey(key)));
  if (size < eth_header_bytes || has_option_without_address(key)) return 0;
  Packet composed = compose(key, 0);
  FlowKey again = key_of(composed);
  again.cold_parts = key.cold_parts;  // a header that was cut off may be whole now, and zero
  OVS_CHECK(again == key, "a key that does not come back");
  return 0;
}
