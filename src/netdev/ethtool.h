// What only the interface ETHTOOL tells about a device (linux/ethtool.h): its driver, speed, duplex and number of
// queues; and settings that would change frames before we have them.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "base/descriptor.h"
#include "netdev/netdev.h"

namespace ovs::netdev {

class Ethtool {
 public:
  Ethtool();

  // Fills in speed and duplex as they are now; unknown where the device does not say.
  void read_speed(const std::string& device, State& state) const;
  // Fills in driver, driver_version and firmware_version.
  void read_driver(const std::string& device, State& state) const;
  // Large receive offload makes frames that cannot be forwarded as they were (unlike generic
  // receive offload, which can be undone): turns it off if it is on.
  void disable_large_receive(const std::string& device) const;
  // The same for tags that the device takes off and tells beside the frame.
  void disable_vlan_stripping(const std::string& device) const;

  struct Channels {
    unsigned rx = 1, tx = 1;  // queues in use
    bool combined = false;    // a receive queue and a transmit queue are set together
  };
  Channels channels(const std::string& device) const;

 private:
  bool ask(const std::string& device, void* command) const;
  void clear_flag(const std::string& device, std::uint32_t flag) const;
  Descriptor socket_;
};

}  // namespace ovs::netdev
