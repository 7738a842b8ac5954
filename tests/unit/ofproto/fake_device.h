// A device with an ifindex and counters.
#pragma once

#include "support/bare_netdev.h"

namespace ovs::ofproto::test {

class FakeDevice final : public ovs::test::BareNetdev {
 public:
  using BareNetdev::BareNetdev;

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

  unsigned ifindex = 0;
};

}  // namespace ovs::ofproto::test
