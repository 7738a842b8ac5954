// BareNetdev: a device that has a name and a type, takes every setting and every packet, and never has one to give.
// Tests and benchmarks derive from it those that do more.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "netdev/netdev.h"

namespace ovs::test {

class BareNetdev : public netdev::Netdev {
 public:
  explicit BareNetdev(std::string name, std::string type = "dummy") : Netdev(std::move(name)), type_(std::move(type)) {}

  std::string_view type() const override { return type_; }
  Result<void> set_options(const netdev::Options&) override { return {}; }
  netdev::State state() const override { return {}; }
  Result<netdev::Statistics> statistics() const override { return netdev::Statistics{}; }
  Result<void> set_mtu(unsigned) override { return {}; }
  Result<void> set_mac(const flow::EthAddr&) override { return {}; }
  Result<void> set_admin_up(bool) override { return {}; }
  std::size_t receive(std::size_t, std::span<flow::Packet>) override { return 0; }
  void send(std::span<flow::Packet* const>) override {}

 private:
  const std::string type_;
};

}  // namespace ovs::test
