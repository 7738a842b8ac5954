// A build without AF_XDP.
#include <gtest/gtest.h>

#include <cerrno>

#include "netdev/afxdp_kind.h"
#include "netdev/registry.h"
#include "private_network.h"

namespace ovs::netdev {
namespace {

TEST(Registry, SaysThatItWasBuiltWithoutAfxdp) {
  EXPECT_FALSE(has_afxdp());
  auto refused = test::open_registry()->create("x", "afxdp-nonpmd", {});
  EXPECT_FALSE(refused);
  refused = test::open_registry()->create("x", "afxdp", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EAFNOSUPPORT);
  EXPECT_NE(refused.error().message.find("built without AF_XDP"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace ovs::netdev
