// Does to frames what the switch does, for tests that compare the results with those of other programs.
//
//     frame_tool flow < FRAMES               each frame's flow, as ovs-ofctl writes it
//     frame_tool recompose < FRAMES          the frame that is composed from each frame's flow
//     frame_tool segment BYTES < FRAMES      each frame's segments with BYTES of payload
//     frame_tool checksum < FRAMES           each frame with its transport checksum left out and put in again
//
// Frames are hexadecimal, one in a line; several in an answer have spaces between them.  What is refused is
// answered by "refused".
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "flow/checksum.h"
#include "flow/compose.h"
#include "flow/match_text.h"
#include "flow/offload.h"
#include "flow/parse.h"
#include "flow/protocols.h"

using namespace ovs;
using namespace ovs::flow;

namespace {

Packet packet_of(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return Packet::copy_of(bytes);
}

std::string hex_of(const Packet& packet) {
  std::string hex;
  for (const std::uint8_t byte : packet.bytes()) hex += fmt::format("{:02x}", byte);
  return hex;
}

FlowKey key_of(Packet& packet) {
  FlowKey key{};
  parse(packet, key);
  return key;
}

// What a guest hands over: the sum of the pseudo header where the checksum will be.
void leave_checksum(Packet& packet, const FlowKey& key) {
  const std::size_t length = packet.size() - packet.l4_offset;
  const Sum sum = key.eth_type == eth_type::ipv6 ? pseudo_header(key.ipv6_src, key.ipv6_dst, key.nw_proto, length)
                                                 : pseudo_header(key.nw_src, key.nw_dst, key.nw_proto, length);
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = packet.l4_offset;
  packet.offload.checksum_offset = key.nw_proto == ip_proto::tcp ? 16 : 6;
  const be16 unfinished = sum.folded();
  std::memcpy(packet.data() + packet.l4_offset + packet.offload.checksum_offset, &unfinished, sizeof unfinished);
}

std::string flow_of(const std::string& line) {
  Packet packet = packet_of(line);
  FlowKey key = key_of(packet);
  key.in_port = be32{0xffffffff};
  return format_flow(key);
}

std::string recomposed(const std::string& line) {
  Packet packet = packet_of(line);
  const FlowKey key = key_of(packet);
  return hex_of(compose(key, usual_payload(key)));
}

std::string checksummed(const std::string& line) {
  Packet packet = packet_of(line);
  const FlowKey key = key_of(packet);
  if (packet.l4_offset == no_offset) return "refused";
  leave_checksum(packet, key);
  return finish_checksum(packet) ? hex_of(packet) : "refused";
}

std::string segmented(const std::string& line, std::uint16_t bytes) {
  Packet packet = packet_of(line);
  const FlowKey key = key_of(packet);
  if (packet.l4_offset == no_offset) return "refused";
  leave_checksum(packet, key);
  packet.offload.segment_bytes = bytes;
  packet.offload.gso = key.nw_proto == ip_proto::udp ? Gso::udp
                       : key.eth_type == eth_type::ipv6 ? Gso::tcp6
                                                        : Gso::tcp4;
  std::vector<Packet> segments;
  if (!segment(packet, segments)) return "refused";
  std::string text;
  for (const Packet& cut : segments) text += (text.empty() ? "" : " ") + hex_of(cut);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const auto bytes = static_cast<std::uint16_t>(argc > 2 ? std::atoi(argv[2]) : 0);
  for (std::string line; std::getline(std::cin, line);) {
    if (what == "flow") {
      std::cout << flow_of(line) << '\n';
    } else if (what == "recompose") {
      std::cout << recomposed(line) << '\n';
    } else if (what == "checksum") {
      std::cout << checksummed(line) << '\n';
    } else if (what == "segment" && bytes != 0) {
      std::cout << segmented(line, bytes) << '\n';
    } else {
      std::cerr << "usage: frame_tool flow|recompose|checksum|segment BYTES\n";
      return 2;
    }
  }
}
