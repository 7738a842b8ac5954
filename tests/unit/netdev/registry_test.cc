// The registry, and the kinds that have no kernel behind them.
#include "netdev/registry.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "netdev/afxdp_kind.h"
#include "netdev/dummy.h"
#include "netdev/patch.h"
#include "private_network.h"

namespace ovs::netdev {
namespace {

std::unique_ptr<Registry> registry_with(DummyMode mode) { return *Registry::open({mode, "test"}); }

std::string content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() { EXPECT_NE(::mkdtemp(path_), nullptr); }
  ~TemporaryDirectory() { test::run("rm -rf " + std::string(path_)); }
  std::string operator/(const std::string& name) const { return std::string(path_) + "/" + name; }

 private:
  char path_[32] = "/tmp/netdev-test-XXXXXX";
};

// The frames in a pcap file.
std::vector<test::Frame> frames_in(const std::string& file) {
  const std::string bytes = content(file);
  std::vector<test::Frame> frames;
  EXPECT_GE(bytes.size(), 24u);
  EXPECT_EQ(bytes.substr(0, 4), std::string("\xd4\xc3\xb2\xa1"));
  for (std::size_t at = 24; at + 16 <= bytes.size();) {
    std::uint32_t captured, length;
    std::memcpy(&captured, &bytes[at + 8], 4);
    std::memcpy(&length, &bytes[at + 12], 4);
    EXPECT_EQ(captured, length);
    frames.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at + 16),
                        bytes.begin() + static_cast<std::ptrdiff_t>(at + 16 + captured));
    at += 16 + captured;
  }
  return frames;
}

TEST(Registry, KnowsDummiesOnlyWhenAsked) {
  const auto expected = [](std::vector<std::string> types) {
    if (has_afxdp()) types.insert(types.begin(), {"afxdp", "afxdp-nonpmd"});
    return types;
  };
  EXPECT_EQ(registry_with(DummyMode::off)->types(), expected({"internal", "patch", "system", "tap"}));
  EXPECT_EQ(registry_with(DummyMode::on)->types(),
            expected({"dummy", "dummy-internal", "internal", "patch", "system", "tap"}));
}

TEST(Registry, NamesTheKnownTypes) {
  auto refused = registry_with(DummyMode::off)->create("x", "dummy", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EAFNOSUPPORT);
  EXPECT_EQ(refused.error().message,
            "could not open network device x (unknown type \"dummy\"; there are " +
                std::string(has_afxdp() ? "afxdp, afxdp-nonpmd, " : "") + "internal, patch, system, tap)");
}

TEST(Registry, OverridesTypesWithDummies) {
  const auto every = registry_with(DummyMode::override_all);
  EXPECT_EQ(test::create(*every, "a", "")->type(), "system");
  EXPECT_EQ(test::create(*every, "b", "internal")->type(), "dummy-internal");
  EXPECT_EQ(test::create(*every, "c", "dummy")->type(), "dummy");
  for (const char* type : {"", "internal", "tap", "dummy"})
    EXPECT_NE(dynamic_cast<Dummy*>(test::create(*every, "a-name-of-any-length", type).get()), nullptr);

  const auto system = registry_with(DummyMode::system);
  EXPECT_NE(dynamic_cast<Dummy*>(test::create(*system, "a", "system").get()), nullptr);
  EXPECT_EQ(dynamic_cast<Dummy*>(test::create(*system, "in0", "internal").get()), nullptr);
}

TEST(Dummy, HasAMacOfItsOwn) {
  const auto registry = registry_with(DummyMode::on);
  const auto first = test::create(*registry, "a", "dummy"), second = test::create(*registry, "b", "dummy");
  EXPECT_EQ(first->state().mac, (flow::EthAddr{{0xaa, 0x55, 0xaa, 0x55, 0, 0}}));
  EXPECT_EQ(second->state().mac, (flow::EthAddr{{0xaa, 0x55, 0xaa, 0x55, 0, 1}}));
  EXPECT_EQ(first->state().mtu, 1500u);
  EXPECT_TRUE(first->state().admin_up);
  EXPECT_TRUE(first->state().link_up);
}

TEST(Dummy, WritesWhatPassesToFiles) {
  const TemporaryDirectory directory;
  const auto registry = registry_with(DummyMode::on);
  const auto made = test::create(*registry, "a", "dummy");
  auto& dummy = dynamic_cast<Dummy&>(*made);
  ASSERT_TRUE(dummy.set_options({{"rxq_pcap", directory / "rx"}, {"tx_pcap", directory / "tx"}}));
  dummy.count_rx(flow::Packet::copy_of(test::text_frame("in")));
  test::send(dummy, flow::Packet::copy_of(test::text_frame("out")));
  test::send(dummy, flow::Packet::copy_of(test::text_frame("out again")));
  EXPECT_EQ(frames_in(directory / "rx"), std::vector<test::Frame>{test::text_frame("in")});
  EXPECT_EQ(frames_in(directory / "tx"), (std::vector<test::Frame>{test::text_frame("out"), test::text_frame("out again")}));

  // One file for both, and an existing one is continued.
  for (int round = 1; round <= 2; ++round) {
    ASSERT_TRUE(dummy.set_options({}));
    ASSERT_TRUE(dummy.set_options({{"pcap", directory / "both"}}));
    dummy.count_rx(flow::Packet::copy_of(test::text_frame("in")));
    test::send(dummy, flow::Packet::copy_of(test::text_frame("out")));
    EXPECT_EQ(frames_in(directory / "both").size(), 2u * static_cast<unsigned>(round));
  }
  const auto counters = *dummy.statistics();
  EXPECT_EQ(counters.rx_packets, 3u);
  EXPECT_EQ(counters.rx_bytes, 180u);
  EXPECT_EQ(counters.tx_packets, 4u);
  EXPECT_EQ(counters.tx_bytes, 240u);
}

TEST(Dummy, RefusesAFileThatCannotBe) {
  const auto registry = registry_with(DummyMode::on);
  auto refused = registry->create("a", "dummy", {{"tx_pcap", "/nonexistent/file"}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("/nonexistent/file"), std::string::npos) << refused.error().message;
}

TEST(Dummy, DropsWhatItsMtuForbids) {
  const auto registry = registry_with(DummyMode::on);
  const auto dummy = test::create(*registry, "a", "dummy");
  test::Frame frame = test::text_frame("long");
  frame.resize(1514);
  test::send(*dummy, flow::Packet::copy_of(frame));
  test::send(*dummy, flow::Packet::copy_of(test::with_tag(frame, 0x8100, 1)));
  EXPECT_EQ(dummy->statistics()->tx_packets, 2u);
  frame.resize(1515);
  test::send(*dummy, flow::Packet::copy_of(frame));
  EXPECT_EQ(dummy->statistics()->tx_packets, 2u);
  EXPECT_EQ(dummy->statistics()->tx_dropped, 1u);
  ASSERT_TRUE(dummy->set_mtu(9000));
  test::send(*dummy, flow::Packet::copy_of(frame));
  EXPECT_EQ(dummy->statistics()->tx_packets, 3u);
}

TEST(Dummy, GoesDownAndUp) {
  const auto registry = registry_with(DummyMode::on);
  const auto made = test::create(*registry, "a", "dummy");
  dynamic_cast<Dummy&>(*made).set_admin_state(false);
  EXPECT_FALSE(made->state().admin_up);
  EXPECT_FALSE(made->state().link_up);
}

TEST(Patch, NeedsAPeer) {
  const auto registry = registry_with(DummyMode::off);
  auto refused = registry->create("a", "patch", {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("options:peer"), std::string::npos);
  EXPECT_FALSE(registry->create("a", "patch", {{"peer", "a"}}));
  auto made = registry->create("patch-with-quite-a-long-name", "patch", {{"peer", "b"}});
  ASSERT_TRUE(made);
  auto& patch = dynamic_cast<Patch&>(**made);
  EXPECT_EQ(patch.peer(), "b");
  EXPECT_TRUE(patch.state().link_up);
  EXPECT_TRUE(patch.rx_descriptors().empty());
  patch.count_rx(2, 200);
  EXPECT_EQ(patch.statistics()->rx_packets, 2u);
  EXPECT_EQ(patch.statistics()->rx_bytes, 200u);
  EXPECT_EQ(patch.statistics()->tx_packets, 0u);
}

}  // namespace
}  // namespace ovs::netdev
