// Internal ports and taps, in a network namespace.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "netdev/registry.h"
#include "private_network.h"

namespace ovs::netdev {
namespace {

using namespace test;

class TapTest : public testing::Test {
 protected:
  void SetUp() override {
    registry = open_registry();
    device = create(*registry, "br0", "internal");
    ASSERT_NE(device, nullptr);
  }
  void TearDown() override {
    if (device) device->destroy();
    device.reset();
    registry.reset();
    succeeds("ip link del br0");
  }

  std::unique_ptr<Registry> registry;
  std::unique_ptr<Netdev> device;
};

// A UDP socket of the host, which reaches 192.0.2.2 through br0.
class Talker {
 public:
  Talker() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = at("192.0.2.1");
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  void say(const std::string& text) const {
    sockaddr_in to = at("192.0.2.2");
    EXPECT_EQ(::sendto(socket_.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(text.size()));
  }
  std::string hear() const {
    pollfd wanted{socket_.get(), POLLIN, 0};
    char text[100];
    if (::poll(&wanted, 1, 10'000) <= 0) return {};
    const ssize_t n = ::recv(socket_.get(), text, sizeof text, 0);
    return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string{};
  }

 private:
  static sockaddr_in at(const char* host) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(4000);
    ::inet_pton(AF_INET, host, &address.sin_addr);
    return address;
  }
  Descriptor socket_;
};

void give_address() {
  run("ip addr add 192.0.2.1/24 dev br0 && ip link set br0 up && "
      "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:0b dev br0");
}

// The datagram that `packet` holds, on its way back.
flow::Packet reflected(const flow::Packet& packet) {
  flow::Packet back = packet.clone();
  std::uint8_t* bytes = back.data();
  std::swap_ranges(bytes, bytes + 6, bytes + 6);
  std::swap_ranges(bytes + 26, bytes + 30, bytes + 30);  // the checksum of swapped addresses is the same
  return back;
}

TEST_F(TapTest, TalksWithTheHost) {
  give_address();
  const Talker talker;
  talker.say("hello, switch");
  const auto received = receive(*device, has_text("hello, switch"));
  ASSERT_TRUE(received);
  EXPECT_EQ(received->size(), 14u + 20 + 8 + 13);
  EXPECT_TRUE(received->offload.needs_checksum) << "the host finishes checksums that it could leave to us";
  EXPECT_EQ(received->offload.checksum_start, 34);
  EXPECT_EQ(received->offload.checksum_offset, 6);
  send(*device, reflected(*received));
  EXPECT_EQ(talker.hear(), "hello, switch");
}

TEST_F(TapTest, ReadsUntilThereIsNoMore) {
  give_address();
  const Talker talker;
  for (int i = 0; i < 40; ++i) talker.say("message " + std::to_string(i) + ".");
  ASSERT_TRUE(receive(*device, has_text("message 0.")));
  std::vector<flow::Packet> slots;
  for (std::size_t i = 0; i < flow::batch_size; ++i) slots.emplace_back(flow::max_frame_bytes);
  ASSERT_EQ(device->receive(0, slots), flow::batch_size);
  for (std::size_t i = 0; i < flow::batch_size; ++i) {
    EXPECT_TRUE(has_text("message " + std::to_string(i + 1) + ".")(slots[i]));
    slots[i].reset();
  }
  EXPECT_EQ(device->receive(0, slots), 7u);
  EXPECT_EQ(device->receive(0, slots), 0u);
}

TEST_F(TapTest, CountsFromTheSwitchsSide) {
  give_address();
  const Talker talker;
  talker.say("one");
  const auto received = receive(*device, has_text("one"));
  ASSERT_TRUE(received);
  for (int i = 0; i < 3; ++i) send(*device, reflected(*received));
  const auto counters = device->statistics();
  ASSERT_TRUE(counters);
  EXPECT_GE(*counters->rx_packets, 1u);
  EXPECT_LT(*counters->rx_packets, 3u);
  EXPECT_EQ(counters->tx_packets, 3u);
  EXPECT_EQ(counters->tx_bytes, 3 * received->size());
  EXPECT_EQ(registry->all_statistics()->at("br0").tx_packets, 3u);

  ASSERT_TRUE(device->set_admin_up(false));
  send(*device, reflected(*received));
  EXPECT_EQ(device->statistics()->tx_dropped, 1u);
}

TEST_F(TapTest, SurvivesARestart) {
  ASSERT_TRUE(device->set_mtu(1400));
  ASSERT_TRUE(device->set_mac({{2, 0, 0, 0, 0, 0x42}}));
  give_address();
  run("ip route add 198.51.100.0/24 via 192.0.2.2");
  const State before = device->state();
  device.reset();
  registry.reset();
  EXPECT_TRUE(succeeds("ip addr show br0 | grep 192.0.2.1"));

  registry = open_registry();
  device = create(*registry, "br0", "internal");
  ASSERT_NE(device, nullptr);
  registry->remove_leftovers();
  ASSERT_TRUE(follow(*registry, [&] { return device->state().link_up; }));
  EXPECT_EQ(device->state().ifindex, before.ifindex);
  EXPECT_EQ(device->state().mac, before.mac);
  EXPECT_EQ(device->state().mtu, 1400u);
  EXPECT_TRUE(succeeds("ip addr show br0 | grep 192.0.2.1"));
  EXPECT_TRUE(succeeds("ip route get 198.51.100.1 | grep br0"));
  const Talker talker;
  talker.say("still here");
  EXPECT_TRUE(receive(*device, has_text("still here")));
}

TEST_F(TapTest, GoesWhenThePortIsDeleted) {
  const auto tap = create(*registry, "tap0", "tap");
  ASSERT_TRUE(succeeds("ip link show tap0"));
  EXPECT_EQ(tap->type(), "tap");
  tap->destroy();
  EXPECT_FALSE(succeeds("ip link show tap0"));
  EXPECT_EQ(tap->state().ifindex, 0u);
  EXPECT_TRUE(tap->rx_descriptors().empty());
  send(*tap, flow::Packet::copy_of(text_frame("lost")));
  registry->process_events();
  EXPECT_EQ(tap->state().ifindex, 0u);
}

TEST_F(TapTest, ComesBackWhenSomebodyRemovesIt) {
  const unsigned before = device->state().ifindex;
  const auto generation = device->generation();
  run("ip link del br0");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().ifindex != 0 && device->state().ifindex != before; }));
  EXPECT_GT(device->generation(), generation);
  give_address();
  const Talker talker;
  talker.say("made again");
  EXPECT_TRUE(receive(*device, has_text("made again")));
}

TEST_F(TapTest, IsNotReadyForeverWhenItIsRemoved) {
  run("ip link del br0");
  std::vector<flow::Packet> slot;
  slot.emplace_back(flow::max_frame_bytes);
  const int fd = device->rx_descriptors().at(0);
  EXPECT_EQ(device->receive(0, slot), 0u);
  pollfd wanted{fd, POLLIN, 0};
  EXPECT_EQ(::poll(&wanted, 1, 0), 0) << "a thread that waits for it would never sleep";
}

TEST_F(TapTest, GoesOnWorkingFromAnotherNamespace) {
  Host host;
  run("ip link set br0 netns " + std::to_string(host.pid()));
  ASSERT_FALSE(succeeds("ip link show br0"));
  registry->process_events();
  ASSERT_EQ(device->rx_descriptors().size(), 1u);
  host.call([&] {
    run("ip addr add 192.0.2.1/24 dev br0 && ip link set br0 up && "
        "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:0b dev br0");
    const Talker talker;
    talker.say("from far away");
    const auto received = receive(*device, has_text("from far away"));
    ASSERT_TRUE(received);
    send(*device, reflected(*received));
    EXPECT_EQ(talker.hear(), "from far away");
  });
  device->destroy();
  EXPECT_FALSE(succeeds("nsenter --net=" + host.namespace_file() + " ip link show br0"));
}

TEST_F(TapTest, CountsOnInAnotherNamespace) {
  give_address();
  const Talker here;
  here.say("one");
  auto received = receive(*device, has_text("one"));
  ASSERT_TRUE(received);
  send(*device, reflected(*received));
  const Statistics before = *device->statistics();
  EXPECT_EQ(before.tx_packets, 1u);
  send(*device, reflected(*received));  // not seen before the interface goes

  Host host;
  run("ip link set br0 netns " + std::to_string(host.pid()));
  registry->process_events();
  host.call([&] {
    run("ip addr add 192.0.2.1/24 dev br0 && ip link set br0 up && "
        "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:0b dev br0");
    const Talker there;
    there.say("two");
    received = receive(*device, has_text("two"));
    ASSERT_TRUE(received);
    for (int i = 0; i < 3; ++i) send(*device, reflected(*received));
  });
  const auto after = device->statistics();
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->tx_packets, 5u);
  EXPECT_EQ(after->tx_bytes, 5 * received->size());
  EXPECT_GT(*after->rx_packets, *before.rx_packets);
  EXPECT_EQ(registry->all_statistics()->at("br0").tx_packets, 5u);

  // Back again, the kernel's own counters are those that count.
  run("nsenter --net=" + host.namespace_file() + " ip link set br0 netns " + std::to_string(::getpid()));
  registry->process_events();
  EXPECT_EQ(device->statistics()->tx_packets, 5u);
}

TEST_F(TapTest, TellsWhoHasIt) {
  const auto other = open_registry("other");
  auto held = other->create("br0", "internal", {});
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, EBUSY);
  EXPECT_EQ(held.error().message,
            "could not open network device br0 (another program has this TAP interface open)");
  run("ip link add no-tap type veth peer name no-tap2");
  auto wrong = registry->create("no-tap", "internal", {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("no TAP interface"), std::string::npos) << wrong.error().message;
  run("ip link del no-tap");
  EXPECT_FALSE(registry->create("abcdefghijklmnop", "internal", {}));
}

TEST_F(TapTest, RemovesWhatAnEarlierProcessLeft) {
  device.reset();
  registry.reset();
  run("ip tuntap add dev not-ours mode tap");
  registry = open_registry("somebody else");
  registry->remove_leftovers();
  EXPECT_TRUE(succeeds("ip link show br0"));
  registry = open_registry();
  registry->remove_leftovers([](const std::string& name) { return name == "br0"; });
  EXPECT_TRUE(succeeds("ip link show br0"));
  registry->remove_leftovers();
  EXPECT_FALSE(succeeds("ip link show br0"));
  EXPECT_TRUE(succeeds("ip link show not-ours"));
  run("ip link del not-ours");
}

}  // namespace
}  // namespace ovs::netdev
