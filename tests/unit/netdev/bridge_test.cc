// Two hosts with nothing but a loop around two Netdevs between them, all offload settings as they come.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "netdev/registry.h"
#include "private_network.h"

namespace ovs::netdev {
namespace {

using namespace test;

// Sends on one device what it receives on the other.  With a `tag`, `b` is a trunk: what goes there gets this VLAN tag,
// and what comes from there loses it.
class Loop {
 public:
  Loop(Netdev& a, Netdev& b, std::optional<std::uint16_t> tag = {})
      : tag_(tag), stop_(::eventfd(0, 0)), thread_([this, &a, &b] { run(a, b); }) {}
  ~Loop() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(stop_.get(), &one, sizeof one), 8);
    thread_.join();
  }
  // After stop():
  std::size_t largest() const { return largest_; }
  std::size_t untagged() const { return untagged_; }  // that came from a trunk

 private:
  void run(Netdev& a, Netdev& b) {
    Netdev* const devices[] = {&a, &b};
    std::vector<flow::Packet> slots;
    for (std::size_t i = 0; i < flow::batch_size; ++i) slots.emplace_back(flow::max_frame_bytes);
    std::vector<flow::Packet*> pointers;
    for (;;) {
      pollfd wanted[] = {{a.rx_descriptors()[0], POLLIN, 0}, {b.rx_descriptors()[0], POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      ::poll(wanted, 3, -1);
      if (wanted[2].revents) return;
      for (int i = 0; i < 2; ++i) {
        if (!wanted[i].revents) continue;
        for (auto& slot : slots) slot.reset();
        pointers.clear();
        const std::size_t n = devices[i]->receive(0, slots);
        for (std::size_t k = 0; k < n; ++k) {
          pointers.push_back(&slots[k]);
          largest_ = std::max(largest_, slots[k].size());
          if (tag_ && i == 0) {
            const std::uint8_t tag[] = {0x81, 0x00, static_cast<std::uint8_t>(*tag_ >> 8),
                                        static_cast<std::uint8_t>(*tag_)};
            std::copy(std::begin(tag), std::end(tag), slots[k].insert(12, sizeof tag));
          } else if (tag_) {
            untagged_ += slots[k].data()[12] != 0x81;
            slots[k].remove(12, 4);
          }
        }
        devices[1 - i]->send(pointers);
      }
    }
  }

  const std::optional<std::uint16_t> tag_;
  Descriptor stop_;
  std::size_t largest_ = 0, untagged_ = 0;
  std::thread thread_;
};

sockaddr_in address_of(const char* host) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(5001);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

constexpr std::size_t stream_bytes = 64 << 20;

// What stands at `position` of the stream.
std::uint8_t byte_at(std::size_t position) { return static_cast<std::uint8_t>(position * 131 + (position >> 13)); }

void send_stream(const char* to) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = address_of(to);
  ASSERT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  std::vector<std::uint8_t> bytes(1 << 20);
  for (std::size_t sent = 0; sent < stream_bytes;) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(sent + i);
    const ssize_t n = ::send(socket.get(), bytes.data(), std::min(bytes.size(), stream_bytes - sent), 0);
    ASSERT_GT(n, 0);
    sent += static_cast<std::size_t>(n);
  }
}

// How much of the stream came, all of it right.
std::size_t receive_stream(int listener) {
  const Descriptor socket(::accept(listener, nullptr, nullptr));
  std::vector<std::uint8_t> bytes(1 << 20);
  std::size_t received = 0;
  for (;;) {
    const ssize_t n = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
    if (n <= 0) return received;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      if (bytes[i] != byte_at(received + i)) return received + i;
    received += static_cast<std::size_t>(n);
  }
}

void pass_a_stream(Host& from, Host& to, const char* address) {
  Descriptor listener;
  to.call([&] {
    listener = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in own = address_of(address);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    // Nobody waits forever for a sender that could not connect.
    const timeval patience{10, 0};
    ASSERT_EQ(::setsockopt(listener.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  });
  std::size_t received = 0;
  to.start([&] { received = receive_stream(listener.get()); });
  from.call([&] { send_stream(address); });
  to.wait();
  EXPECT_EQ(received, stream_bytes);
}

class BridgeTest : public testing::Test {
 protected:
  void SetUp() override {
    run("ip link add left type veth peer name eth-a netns " + std::to_string(a.pid()));
    run("ip link add right type veth peer name eth-b netns " + std::to_string(b.pid()));
    run("ip link set left up && ip link set right up");
    left = create(*registry, "left");
    right = create(*registry, "right");
  }

  // The namespaces go later, and their ends of the cables with them.
  void TearDown() override { run("ip link del left && ip link del right"); }

  std::unique_ptr<Registry> registry = open_registry();
  Host a, b;
  std::unique_ptr<Netdev> left, right;
};

TEST_F(BridgeTest, PassesTcpWithEveryOffloadOn) {
  a.run("ip addr add 192.0.2.1/24 dev eth-a && ip link set eth-a up");
  b.run("ip addr add 192.0.2.2/24 dev eth-b && ip link set eth-b up");
  Loop loop(*left, *right);
  pass_a_stream(a, b, "192.0.2.2");
  pass_a_stream(b, a, "192.0.2.1");
  loop.stop();
  EXPECT_GT(loop.largest(), 10'000u) << "no large segment came: offloads are off";
}

TEST_F(BridgeTest, PassesTcpThroughATrunkWithEveryOffloadOn) {
  a.run("ip addr add 192.0.2.1/24 dev eth-a && ip link set eth-a up");
  b.run("ip addr add 192.0.2.2/24 dev eth-b && ip link set eth-b up");
  run("ip link add trunk1 type veth peer name trunk2 && ip link set trunk1 up && ip link set trunk2 up");
  const auto trunk1 = create(*registry, "trunk1"), trunk2 = create(*registry, "trunk2");
  Loop first(*left, *trunk1, 7), second(*right, *trunk2, 7);
  pass_a_stream(a, b, "192.0.2.2");
  pass_a_stream(b, a, "192.0.2.1");
  first.stop();
  second.stop();
  EXPECT_GT(first.largest(), 10'000u) << "no large segment came: offloads are off";
  EXPECT_EQ(first.untagged() + second.untagged(), 0u);
  run("ip link del trunk1");
}

TEST(InternalBridgeTest, PassesTcpBetweenTheHostAndAPort) {
  auto registry = open_registry();
  Host a;
  run("ip link add left type veth peer name eth-a netns " + std::to_string(a.pid()) + " && ip link set left up");
  a.run("ip addr add 192.0.2.1/24 dev eth-a && ip link set eth-a up");
  // The switch's own port, in a namespace that stands for the host's.
  Host host;
  const auto left = create(*registry, "left"), internal = create(*registry, "br0", "internal");
  run("ip link set br0 netns " + std::to_string(host.pid()));
  registry->process_events();
  host.run("ip addr add 192.0.2.2/24 dev br0 && ip link set br0 up");
  Loop loop(*left, *internal);
  pass_a_stream(a, host, "192.0.2.2");
  pass_a_stream(host, a, "192.0.2.1");
  loop.stop();
  EXPECT_GT(loop.largest(), 10'000u) << "no large segment came: offloads are off";
  internal->destroy();
  run("ip link del left");
}

}  // namespace
}  // namespace ovs::netdev
