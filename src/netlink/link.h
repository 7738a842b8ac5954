// Link: what rtnetlink (rtnetlink(7)) says about one network interface.
//
// Thread safety: values.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace ovs::netlink {

// struct rtnl_link_stats64, as the interface itself counts; what no one here asks for is left out.
struct LinkCounters {
  std::uint64_t rx_packets = 0, tx_packets = 0, rx_bytes = 0, tx_bytes = 0, rx_errors = 0, tx_errors = 0,
                rx_dropped = 0, tx_dropped = 0, multicast = 0, collisions = 0, rx_over_errors = 0,
                rx_crc_errors = 0, rx_frame_errors = 0, rx_missed_errors = 0;
};

struct Link {
  unsigned ifindex = 0;
  std::string name;
  std::array<std::uint8_t, 6> mac{};  // zero where the address is none of Ethernet's
  unsigned mtu = 0;
  bool ethernet = false;  // ARPHRD_ETHER
  bool admin_up = false;  // IFF_UP
  bool running = false;   // IFF_RUNNING: up, and with a carrier
  std::string kind;       // "veth", "tun", ...; empty for hardware
  std::string alias;      // ip link set alias
  unsigned master = 0;    // ifindex of the bridge, bond, ... that it belongs to; 0: none
};

}  // namespace ovs::netlink
