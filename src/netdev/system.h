// A Linux interface that exists without us: a network card, one end of a veth pair, a virtual machine's TAP
// interface, ...
//
// While it is a port, the host's own stack does not see what it receives (netlink/ingress_filter.h).  An interface
// that belongs to a Linux bridge or a bond is left alone until it does no more: State::master.
//
// Thread safety: as netdev.h.
#pragma once

#include "netdev/kernel_device.h"
#include "netdev/packet_socket.h"

namespace ovs::netdev {

class System final : public KernelDevice {
 public:
  System(std::string name, LinkTable& links) : KernelDevice(std::move(name), links) {}

  std::string_view type() const override { return "system"; }
  Result<void> set_options(const Options&) override { return {}; }  // there are none
  std::map<std::string, std::string> status() const override;
  void destroy() override;

  std::vector<int> rx_descriptors() const override;
  std::size_t receive(std::size_t queue, std::span<flow::Packet> slots) override;
  void send(std::span<flow::Packet* const> packets) override { socket_.send(packets); }
  // The kernel finishes in software what the hardware cannot.
  TxOffloads tx_offloads() const override { return {.checksum = true, .segmentation = true}; }

  Statistics to_statistics(const netlink::LinkCounters& counters) const override;

 protected:
  Result<void> open_interface(const netlink::Link& link) override;
  void close_interface() override;
  bool yields_to_master() const override { return true; }
  bool interface_lost() override {
    // It may live on under another name: as the host's own, unless that is a port, too.
    if (is_open()) close_interface();
    return false;
  }

 private:
  PacketSocket socket_;
};

// The counters of an interface under the names that users know.
Statistics statistics_of(const netlink::LinkCounters& counters);
// driver_name and its like, for Interface.status.
std::map<std::string, std::string> driver_status(const State& state);

}  // namespace ovs::netdev
