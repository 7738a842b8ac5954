// What a bridge with sFlow counts of each VLAN: the packets that entered it, by what they were.
//
// The counts are as new as what is known of megaflows: half a second behind.
//
// Thread safety: values.
#pragma once

#include <cstdint>

namespace ovs::ofproto {

enum class Fate : std::uint8_t { unicast, multicast, broadcast, dropped };

struct VlanTraffic {
  std::uint64_t bytes = 0;  // of those that were not dropped, without FCS
  std::uint64_t unicast = 0, multicast = 0, broadcast = 0, dropped = 0;

  void count(Fate fate, std::uint64_t packets, std::uint64_t octets) {
    switch (fate) {
      case Fate::unicast: unicast += packets; break;
      case Fate::multicast: multicast += packets; break;
      case Fate::broadcast: broadcast += packets; break;
      case Fate::dropped: dropped += packets; return;
    }
    bytes += octets;
  }
};

}  // namespace ovs::ofproto
