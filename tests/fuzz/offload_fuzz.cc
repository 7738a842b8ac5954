// What a guest leaves to the hardware, with any description of it: segments and checksums are made or refused, and no
// byte of the payload is lost.
//
// The first eight bytes of the input describe, the others are the frame.
#include <cstring>
#include <vector>

#include "base/check.h"
#include "flow/offload.h"
#include "flow/parse.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ovs;
  using namespace ovs::flow;
  constexpr std::size_t description = 8;
  if (size < description || size > description + max_frame_bytes) return 0;
  const auto number = [data](std::size_t at) { return static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]); };
  Packet packet = Packet::copy_of({data + description, size - description});
  FlowKey key{};
  parse(packet, key);
  packet.offload.needs_checksum = data[0] & 1;
  packet.offload.gso = static_cast<Gso>(data[1] & 3);
  packet.offload.segment_bytes = number(2);
  packet.offload.checksum_start = number(4);
  packet.offload.checksum_offset = number(6);

  if (packet.offload.gso != Gso::none) {
    std::vector<Packet> segments;
    if (segment(packet, segments)) {
      OVS_CHECK(!segments.empty());
      std::size_t total = 0;
      for (const Packet& cut : segments) {
        OVS_CHECK(!cut.offload.any() && cut.size() <= packet.size());
        total += cut.size();
      }
      // Each has the headers and a part of the payload; all but the last have as much as was asked for.
      if (segments.size() == 1) {
        OVS_CHECK(total == packet.size(), "a single segment is the whole frame");
      } else {
        const std::size_t headers = segments[0].size() - packet.offload.segment_bytes;
        OVS_CHECK(total - segments.size() * headers == packet.size() - headers, "payload is lost");
      }
    } else {
      OVS_CHECK(segments.empty());
    }
  }
  const std::size_t before = packet.size();
  if (finish_checksum(packet)) OVS_CHECK(!packet.offload.needs_checksum);
  OVS_CHECK(packet.size() == before);
  return 0;
}
