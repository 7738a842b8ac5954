#include "ofproto/topology.h"

#include <gtest/gtest.h>

namespace ovs::ofproto {
namespace {

using openflow::OfPort;

TEST(Bridge, GivesOutTheLowestFreeNumber) {
  Topology topology;
  Bridge& bridge = topology.add_bridge("br0");
  EXPECT_EQ(bridge.free_number(), OfPort{1});
  for (std::uint32_t i = 1; i <= 200; i++) {
    ASSERT_EQ(bridge.free_number(), OfPort{i});
    topology.add_port(bridge, OfPort{i}, datapath::DpPort{i}, "p" + std::to_string(i), nullptr);
  }
  topology.remove_port(*bridge.port(OfPort{150}));
  topology.remove_port(*bridge.port(OfPort{3}));
  EXPECT_EQ(bridge.free_number(), OfPort{3});
  topology.add_port(bridge, OfPort{3}, datapath::DpPort{3}, "again", nullptr);
  EXPECT_EQ(bridge.free_number(), OfPort{150});
  topology.add_port(bridge, OfPort{5000}, datapath::DpPort{5000}, "far", nullptr);
  EXPECT_EQ(bridge.free_number(), OfPort{150});
}

TEST(Bridge, MayRunOutOfNumbers) {
  Topology topology;
  Bridge& bridge = topology.add_bridge("br0");
  for (std::uint32_t i = 1; i <= raw(openflow::max_port); i++)
    topology.add_port(bridge, OfPort{i}, datapath::DpPort{i}, "p" + std::to_string(i), nullptr);
  EXPECT_EQ(bridge.free_number(), std::nullopt);
  topology.remove_port(*bridge.port(openflow::max_port));
  EXPECT_EQ(bridge.free_number(), openflow::max_port);
}

TEST(Topology, APortLeavesItsBundleAndItsPeer) {
  Topology topology;
  Bridge& bridge = topology.add_bridge("br0");
  Port& a = topology.add_port(bridge, OfPort{1}, datapath::no_port, "a", nullptr);
  Port& b = topology.add_port(bridge, OfPort{2}, datapath::no_port, "b", nullptr);
  BundleConfig config;
  config.members = {OfPort{1}, OfPort{9}};
  const BundleId bundle = topology.add_bundle(bridge, config).id;
  EXPECT_EQ(a.bundle, bundle);
  topology.set_patch_peer(a, "b");
  EXPECT_EQ(a.peer, nullptr);
  topology.set_patch_peer(b, "a");
  EXPECT_EQ(a.peer, &b);
  EXPECT_EQ(b.peer, &a);
  topology.remove_port(a);
  EXPECT_EQ(b.peer, nullptr);
  EXPECT_EQ(bridge.bundle(bundle)->config.members, std::vector{OfPort{9}});
  EXPECT_EQ(topology.port("a"), nullptr);
  EXPECT_EQ(topology.port("b"), &b);
}

}  // namespace
}  // namespace ovs::ofproto
