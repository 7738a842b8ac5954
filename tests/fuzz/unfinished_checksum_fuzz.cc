// Any frame: what is found of an unfinished checksum lies within the frame, and finishing it leaves nothing to be
// found.
#include "base/check.h"
#include "flow/offload.h"
#include "fuzz.h"
#include "netdev/unfinished_checksum.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ovs;
  if (size > flow::max_frame_bytes) return 0;
  flow::Packet packet = flow::Packet::copy_of({data, size});
  netdev::find_unfinished_checksum(packet);
  OVS_CHECK(packet.size() == size && packet.offload.gso == flow::Gso::none);
  if (!packet.offload.needs_checksum) return 0;
  OVS_CHECK(packet.offload.checksum_start + packet.offload.checksum_offset + 2u <= size);
  OVS_CHECK(flow::finish_checksum(packet), "what was found can be finished");
  OVS_CHECK(!packet.offload.needs_checksum && packet.size() == size);
  return 0;
}
