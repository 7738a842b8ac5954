#include "netdev/system.h"

#include <cerrno>

namespace ovs::netdev {

Statistics statistics_of(const netlink::LinkCounters& counters) {
  Statistics s;
  s.rx_packets = counters.rx_packets;
  s.tx_packets = counters.tx_packets;
  s.rx_bytes = counters.rx_bytes;
  s.tx_bytes = counters.tx_bytes;
  s.rx_errors = counters.rx_errors;
  s.tx_errors = counters.tx_errors;
  s.rx_dropped = counters.rx_dropped;
  s.tx_dropped = counters.tx_dropped;
  s.rx_crc_err = counters.rx_crc_errors;
  s.rx_frame_err = counters.rx_frame_errors;
  s.rx_over_err = counters.rx_over_errors;
  s.rx_missed_errors = counters.rx_missed_errors;
  s.collisions = counters.collisions;
  s.multicast = counters.multicast;
  return s;
}

std::map<std::string, std::string> driver_status(const State& state) {
  if (state.driver.empty()) return {};
  return {{"driver_name", state.driver},
          {"driver_version", state.driver_version},
          {"firmware_version", state.firmware_version}};
}

std::map<std::string, std::string> System::status() const { return driver_status(state()); }

Result<void> System::open_interface(const netlink::Link& link) {
  if (!link.ethernet) return unexpected("it is no Ethernet device", EINVAL);
  links().ethtool().disable_large_receive(name());
  OVS_TRY_DO(socket_.open(link.ifindex));
  links().block_ingress(name(), link.ifindex);
  return {};
}

void System::destroy() {
  if (ifindex() == 0) return;
  close_interface();
  forget_interface();
}

void System::close_interface() {
  links().unblock_ingress(name(), ifindex());
  socket_.close();
}

std::vector<int> System::rx_descriptors() const {
  // Also after it was closed: the thread that receives may have to let go of the old socket (PacketSocket::close()).
  if (socket_.descriptor() < 0) return {};
  return {socket_.descriptor()};
}

std::size_t System::receive(std::size_t, std::span<flow::Packet> slots) { return socket_.receive(slots); }

Statistics System::to_statistics(const netlink::LinkCounters& counters) const {
  Statistics s = statistics_of(counters);
  *s.rx_dropped += socket_.rx_dropped();
  *s.tx_dropped += socket_.tx_dropped();
  return s;
}

}  // namespace ovs::netdev
