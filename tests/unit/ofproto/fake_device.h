// A device that only has a name and a type.
#pragma once

#include <string>
#include <utility>

#include "netdev/netdev.h"

namespace ovs::ofproto::test {

class FakeDevice final : public netdev::Netdev {
 public:
  explicit FakeDevice(std::string name, std::string type = "dummy")
      : Netdev(std::move(name)), type_(std::move(type)) {}

  std::string_view type() const override { return type_; }
  Result<void> set_options(const netdev::Options&) override { return {}; }
  netdev::State state() const override {
    netdev::State state;
    state.ifindex = ifindex;
    return state;
  }
  Result<netdev::Statistics> statistics() const override {
    netdev::Statistics statistics;
    statistics.rx_packets = 3;
    statistics.rx_bytes = 180;
    return statistics;
  }
  Result<void> set_mtu(unsigned) override { return {}; }
  Result<void> set_mac(const flow::EthAddr&) override { return {}; }
  Result<void> set_admin_up(bool) override { return {}; }
  std::size_t receive(std::size_t, std::span<flow::Packet>) override { return 0; }
  void send(std::span<flow::Packet* const>) override {}

  unsigned ifindex = 0;

 private:
  const std::string type_;
};

}  // namespace ovs::ofproto::test
