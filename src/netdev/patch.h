// One end of a cable between two bridges.  No packet passes here: translation goes on in the other
// bridge; who does so may count here what passed.
//
// Option: `peer`, the name of the other end.
//
// Thread safety: as netdev.h; count_rx() and count_tx() on any thread.
#pragma once

#include <atomic>
#include <string>

#include "netdev/netdev.h"

namespace ovs::netdev {

class Patch final : public Netdev {
 public:
  Patch(std::string name, const flow::EthAddr& mac);

  std::string_view type() const override { return "patch"; }
  const std::string& peer() const { return peer_; }  // empty: none
  Result<void> set_options(const Options& options) override;
  State state() const override { return state_; }
  Result<Statistics> statistics() const override;
  Result<void> set_mtu(unsigned mtu) override;
  Result<void> set_mac(const flow::EthAddr& mac) override;
  Result<void> set_admin_up(bool) override { return {}; }  // it is always up
  std::size_t receive(std::size_t, std::span<flow::Packet>) override { return 0; }
  void send(std::span<flow::Packet* const>) override {}

  void count_rx(std::uint64_t packets, std::uint64_t bytes);
  void count_tx(std::uint64_t packets, std::uint64_t bytes);

 private:
  State state_;
  std::string peer_;
  std::atomic<std::uint64_t> rx_packets_{0}, rx_bytes_{0}, tx_packets_{0}, tx_bytes_{0};
};

}  // namespace ovs::netdev
