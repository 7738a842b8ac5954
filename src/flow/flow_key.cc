#include "flow/flow_key.h"

#include <algorithm>

namespace ovs::flow {

namespace {

struct Part {
  std::uint8_t bits;
  std::size_t begin;
  std::size_t end;
};

// In the order in which the members stand; arp_sha begins what ARP and ND share.
constexpr Part parts[] = {
    {cold_tunnel, offsetof(FlowKey, tun_id), offsetof(FlowKey, metadata)},
    {cold_registers, offsetof(FlowKey, metadata), offsetof(FlowKey, ct_nw_src)},
    {cold_conntrack, offsetof(FlowKey, ct_nw_src), offsetof(FlowKey, mpls_lse)},
    {cold_mpls, offsetof(FlowKey, mpls_lse), offsetof(FlowKey, nsh_flags)},
    {cold_nsh, offsetof(FlowKey, nsh_flags), offsetof(FlowKey, arp_sha)},
    {cold_neighbor, offsetof(FlowKey, arp_sha), sizeof(FlowKey)},
};

}  // namespace

std::uint8_t find_cold_parts(const FlowKey& key) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&key);
  std::uint8_t found = 0;
  for (const Part& part : parts) {
    const bool used = std::any_of(bytes + part.begin, bytes + part.end, [](std::uint8_t b) { return b != 0; });
    if (used) found |= part.bits;
  }
  return found;
}

}  // namespace ovs::flow
