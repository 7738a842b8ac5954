// System devices on veth pairs, in a network namespace.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>

#include <cerrno>

#include "netdev/registry.h"
#include "netlink/ingress_filter.h"
#include "netlink/link_monitor.h"
#include "netlink/rtnetlink.h"
#include "private_network.h"

namespace ovs::netdev {
namespace {

using namespace test;

// A device "port" whose cable's other end is "far".
class SystemTest : public testing::Test {
 protected:
  void SetUp() override {
    run("ip link add port type veth peer name far && ip link set port up && ip link set far up");
    registry = open_registry();
    device = create(*registry, "port");
    ASSERT_NE(device, nullptr);
    for (std::size_t i = 0; i < flow::batch_size; ++i) slots.emplace_back(flow::max_frame_bytes);
  }
  void TearDown() override {
    device.reset();
    registry.reset();
    // Some tests remove or rename it.
    succeeds("ip link del far");
    succeeds("ip link del port");
  }

  // How many packets wait on the device, which are gone then.
  std::size_t receive_all() {
    std::size_t all = 0;
    while (const std::size_t n = device->receive(0, slots)) {
      all += n;
      for (auto& slot : slots) slot.reset();
    }
    return all;
  }

  std::unique_ptr<Registry> registry;
  std::unique_ptr<Netdev> device;
  std::vector<flow::Packet> slots;  // a batch to receive into
};

// Whether a device has nothing to receive from, or something that is never ready.
bool is_silent(const Netdev& device) {
  for (const int fd : device.rx_descriptors()) {
    pollfd wanted{fd, POLLIN, 0};
    if (::poll(&wanted, 1, 0) != 0) return false;
  }
  return true;
}

TEST_F(SystemTest, PassesFramesBothWays) {
  FarEnd far("far");
  far.send(text_frame("hello"));
  const auto received = receive(*device, has_text("hello"));
  ASSERT_TRUE(received);
  EXPECT_EQ(bytes_of(*received), text_frame("hello"));
  EXPECT_FALSE(received->offload.any());

  send(*device, flow::Packet::copy_of(text_frame("answer")));
  const auto answer = far.receive(has_text("answer"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(bytes_of(*answer), text_frame("answer"));
}

TEST_F(SystemTest, DoesNotReceiveWhatItSends) {
  FarEnd far("far");
  send(*device, flow::Packet::copy_of(text_frame("mine")));
  ASSERT_TRUE(far.receive(has_text("mine")));
  while (const std::size_t n = device->receive(0, slots)) {
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_FALSE(has_text("mine")(slots[i]));
      slots[i].reset();
    }
  }
}

TEST_F(SystemTest, KeepsVlanTags) {
  FarEnd far("far");
  const Frame frames[] = {
      with_tag(text_frame("one tag"), 0x8100, 0x6064), with_tag(text_frame("priority tag"), 0x8100, 0xe000),
      with_tag(text_frame("service tag"), 0x88a8, 0x0fff),
      with_tag(with_tag(text_frame("two tags"), 0x8100, 10), 0x88a8, 20),
      with_tag(with_tag(text_frame("two tags alike"), 0x8100, 10), 0x8100, 20)};
  const char* texts[] = {"one tag", "priority tag", "service tag", "two tags", "two tags alike"};
  for (std::size_t i = 0; i < std::size(frames); ++i) {
    far.send(frames[i]);
    const auto received = receive(*device, has_text(texts[i]));
    ASSERT_TRUE(received) << texts[i];
    EXPECT_EQ(bytes_of(*received), frames[i]) << texts[i];
    send(*device, *received);
    const auto back = far.receive(has_text(texts[i]));
    ASSERT_TRUE(back) << texts[i];
    EXPECT_EQ(bytes_of(*back), frames[i]) << texts[i];
  }
}

TEST_F(SystemTest, PassesLargeSegmentsAsTheyAre) {
  FarEnd far("far");
  for (const bool tagged : {false, true}) {
    const auto sent = large_segment(60000, tagged ? std::optional<std::uint16_t>(0x2005) : std::nullopt);
    const auto is_large = [](const flow::Packet& packet) { return packet.size() > 60000; };
    const auto check = [&](const flow::Packet& packet) {
      EXPECT_EQ(bytes_of(packet), bytes_of(sent));
      EXPECT_TRUE(packet.offload.needs_checksum);
      EXPECT_EQ(packet.offload.checksum_start, sent.offload.checksum_start);
      EXPECT_EQ(packet.offload.checksum_offset, 16);
      EXPECT_EQ(packet.offload.gso, flow::Gso::tcp4);
      EXPECT_EQ(packet.offload.segment_bytes, 1448);
    };
    far.send(sent);
    const auto received = receive(*device, is_large);
    ASSERT_TRUE(received) << (tagged ? "tagged" : "untagged");
    check(*received);
    send(*device, *received);
    const auto back = far.receive(is_large);
    ASSERT_TRUE(back) << (tagged ? "tagged" : "untagged");
    check(*back);
  }
}

TEST_F(SystemTest, PassesLargeDatagramsAsTheyAre) {
  FarEnd far("far");
  auto sent = large_segment(20000);
  sent.data()[23] = 17;  // UDP in place of TCP: 8 bytes of header, the rest is payload
  sent.data()[38] = static_cast<std::uint8_t>((sent.size() - 34) >> 8);
  sent.data()[39] = static_cast<std::uint8_t>(sent.size() - 34);
  sent.offload.gso = flow::Gso::udp;
  sent.offload.checksum_offset = 6;
  sent.offload.segment_bytes = 1400;
  send(*device, sent);
  const auto received = far.receive([](const flow::Packet& packet) { return packet.size() > 20000; });
  ASSERT_TRUE(received);
  EXPECT_EQ(received->offload.gso, flow::Gso::udp);
  EXPECT_EQ(received->offload.segment_bytes, 1400);
}

TEST_F(SystemTest, ReceivesABatchInOrder) {
  FarEnd far("far");
  for (int i = 0; i < 70; ++i) far.send(text_frame("number " + std::to_string(i) + "."));
  int next = 0;
  while (const std::size_t n = device->receive(0, slots)) {
    ASSERT_LE(n, flow::batch_size);
    for (std::size_t i = 0; i < n; ++i) {
      if (has_text("number")(slots[i])) {
        EXPECT_TRUE(has_text("number " + std::to_string(next) + ".")(slots[i]));
        ++next;
      }
      slots[i].reset();
    }
  }
  EXPECT_EQ(next, 70);
}

TEST_F(SystemTest, SendsABatchInOrderAndDropsOnlyWhatCannotGo) {
  FarEnd far("far");
  std::vector<flow::Packet> packets;
  for (int i = 0; i < 70; ++i) {
    Frame frame = text_frame("number " + std::to_string(i) + ".");
    if (i % 10 == 3) frame.resize(1600);  // longer than the MTU allows
    packets.push_back(flow::Packet::copy_of(frame));
  }
  std::vector<flow::Packet*> pointers;
  for (auto& packet : packets) pointers.push_back(&packet);
  device->send(pointers);
  for (int i = 0; i < 70; ++i) {
    if (i % 10 == 3) continue;
    const auto received = far.receive(has_text("number"));
    ASSERT_TRUE(received);
    EXPECT_TRUE(has_text("number " + std::to_string(i) + ".")(*received)) << i;
  }
  const auto counters = device->statistics();
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->tx_dropped, 7u);
}

// Sends an echo request to 192.0.2.1, which "port" has: its own stack answers if it sees the request.
class Asker {
 public:
  Asker(FarEnd& far, const Netdev& device) : far_(far) {
    run("ip addr replace 192.0.2.1/24 dev port && ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:0a dev port");
    run("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.port.rp_filter=0 net.ipv4.conf.all.accept_local=1");
    const auto mac = device.state().mac.bytes;
    std::copy(mac.begin(), mac.end(), request_.begin());
    const Frame rest = {0x02, 0, 0, 0, 0, 0x0a, 0x08, 0x00};
    std::copy(rest.begin(), rest.end(), request_.begin() + 6);
    const Frame ip = {0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0xf6, 0xdc, 192, 0, 2, 2, 192, 0, 2, 1,
                      8,    0, 0xf7, 0xff, 0, 0, 0, 0};
    request_.insert(request_.end(), ip.begin(), ip.end());
  }
  void ask() { far_.send(request_); }
  bool is_received(Netdev& device) const {
    return receive(device, [&](const flow::Packet& packet) { return bytes_of(packet) == request_; }).has_value();
  }
  // A reply is there before send() returns: a veth pair delivers at once.
  bool is_answered() { return far_.receive_now(is_reply).has_value(); }

 private:
  static bool is_reply(const flow::Packet& packet) { return packet.size() > 34 && packet.data()[34] == 0; }
  FarEnd& far_;
  Frame request_ = Frame(14);
};

TEST_F(SystemTest, HasItsFramesForItself) {
  FarEnd far("far");
  Asker asker(far, *device);
  asker.ask();
  ASSERT_TRUE(asker.is_received(*device));
  EXPECT_FALSE(asker.is_answered());

  device->destroy();
  device.reset();
  asker.ask();
  EXPECT_TRUE(asker.is_answered()) << "the host does not answer after the port is gone";
  EXPECT_FALSE(succeeds("tc qdisc show dev port | grep ingress"));
}

// A kernel without the BPF classifier refuses it, as does one where its place is taken by a filter of another kind.
TEST_F(SystemTest, HasItsFramesForItselfWithoutBpf) {
  device->destroy();
  device.reset();
  run("tc qdisc add dev port ingress && tc filter add dev port ingress pref 65535 protocol all "
      "u32 match u32 1 0xffffffff at 0 classid 1:1");
  device = create(*registry, "port");
  FarEnd far("far");
  Asker asker(far, *device);
  asker.ask();
  ASSERT_TRUE(asker.is_received(*device));
  EXPECT_FALSE(asker.is_answered());

  // It stays over a restart, when the port is opened again.
  device.reset();
  registry.reset();
  asker.ask();
  EXPECT_FALSE(asker.is_answered());
  registry = open_registry();
  device = create(*registry, "port");
  registry->remove_leftovers();
  asker.ask();
  ASSERT_TRUE(asker.is_received(*device));
  EXPECT_FALSE(asker.is_answered());

  device->destroy();
  device.reset();
  asker.ask();
  EXPECT_TRUE(asker.is_answered()) << "the host does not answer after the port is gone";

  // What a process left whose port is gone by the next start.
  device = create(*registry, "port");
  device.reset();
  registry = open_registry();
  asker.ask();
  EXPECT_FALSE(asker.is_answered());
  registry->remove_leftovers();
  asker.ask();
  EXPECT_TRUE(asker.is_answered());
}

TEST_F(SystemTest, LeavesTheFiltersOfOthersAlone) {
  run("tc filter add dev port ingress pref 7 bpf da bytecode \"1,6 0 0 0,\"");
  device->destroy();
  device.reset();
  EXPECT_TRUE(succeeds("tc filter show dev port ingress | grep \"pref 7\""));
  EXPECT_FALSE(succeeds("tc filter show dev port ingress | grep \"pref 65535\""));
}

TEST_F(SystemTest, TellsWhatTheDeviceIs) {
  run("ip link set port mtu 1400 && ip link set port address 02:00:00:00:00:77");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().mtu == 1400; }));
  ASSERT_TRUE(follow(*registry, [&] { return device->state().mac == flow::EthAddr{{2, 0, 0, 0, 0, 0x77}}; }));
  const State state = device->state();
  EXPECT_NE(state.ifindex, 0u);
  EXPECT_TRUE(state.admin_up);
  EXPECT_TRUE(state.link_up);
  EXPECT_EQ(state.speed, 10'000'000'000u);
  EXPECT_EQ(state.duplex, Duplex::full);
  EXPECT_EQ(state.driver, "veth");
  EXPECT_EQ(device->status().at("driver_name"), "veth");
}

TEST_F(SystemTest, FollowsTheLink) {
  std::vector<std::string> told;
  EXPECT_EQ(device->state().link_resets, 0u);
  run("ip link set far down");
  ASSERT_TRUE(follow(*registry, [&] { return !device->state().link_up; }, &told));
  EXPECT_EQ(told, std::vector<std::string>{"port"});
  EXPECT_TRUE(device->state().admin_up);
  EXPECT_EQ(device->state().link_resets, 1u);
  run("ip link set far up");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().link_up; }));
  EXPECT_EQ(device->state().link_resets, 2u);
  run("ip link set port down");
  ASSERT_TRUE(follow(*registry, [&] { return !device->state().admin_up; }));

  // Frames pass again after the device was down.
  run("ip link set port up");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().link_up; }));
  FarEnd far("far");
  far.send(text_frame("up again"));
  EXPECT_TRUE(receive(*device, has_text("up again")));
  send(*device, flow::Packet::copy_of(text_frame("me, too")));
  EXPECT_TRUE(far.receive(has_text("me, too")));
}

TEST_F(SystemTest, ChangesTheDevice) {
  ASSERT_TRUE(device->set_mtu(9000));
  EXPECT_EQ(device->state().mtu, 9000u);
  const flow::EthAddr mac{{2, 0, 0, 0, 0, 0x55}};
  ASSERT_TRUE(device->set_mac(mac));
  EXPECT_EQ(device->state().mac, mac);
  ASSERT_TRUE(device->set_admin_up(false));
  EXPECT_FALSE(device->state().admin_up);
  EXPECT_TRUE(succeeds("ip link show port | grep \"mtu 9000\" && ip link show port | grep 02:00:00:00:00:55"));
  std::vector<std::string> told;
  EXPECT_TRUE(follow(*registry, [&] { return !told.empty(); }, &told));
  EXPECT_EQ(told, std::vector<std::string>{"port"});
  const auto refused = device->set_mtu(1'000'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(device->state().mtu, 9000u);
}

TEST_F(SystemTest, CountsAsTheKernelDoes) {
  FarEnd far("far");
  const auto before = device->statistics();
  ASSERT_TRUE(before);
  for (int i = 0; i < 10; ++i) far.send(text_frame("counted"));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(receive(*device, has_text("counted")));
  for (int i = 0; i < 4; ++i) send(*device, flow::Packet::copy_of(text_frame("counted, too")));
  const auto after = device->statistics();
  ASSERT_TRUE(after);
  EXPECT_EQ(*after->rx_packets - *before->rx_packets, 10u);
  EXPECT_EQ(*after->rx_bytes - *before->rx_bytes, 600u);
  EXPECT_EQ(*after->tx_packets - *before->tx_packets, 4u);
  EXPECT_EQ(*after->tx_bytes - *before->tx_bytes, 240u);
  const auto all = registry->all_statistics();
  ASSERT_TRUE(all);
  ASSERT_TRUE(all->contains("port"));
  EXPECT_EQ(all->at("port").rx_packets, after->rx_packets);
  EXPECT_FALSE(all->contains("far"));
}

TEST_F(SystemTest, CountsWhatADeviceThatIsDownDoesNotTake) {
  ASSERT_TRUE(device->set_admin_up(false));
  const auto before = device->statistics();
  for (int i = 0; i < 3; ++i) send(*device, flow::Packet::copy_of(text_frame("lost")));
  EXPECT_EQ(*device->statistics()->tx_dropped - *before->tx_dropped, 3u);
}

TEST_F(SystemTest, CountsWhatWasNotReceivedInTime) {
  FarEnd far("far");
  const Frame frame(1514, 0xee);
  std::uint64_t sent = 0;
  for (; sent < 20'000; ++sent) far.send(frame);
  std::uint64_t received = 0;
  while (const std::size_t n = device->receive(0, slots)) {
    for (std::size_t i = 0; i < n; ++i) {
      received += slots[i].size() == frame.size() && slots[i].data()[0] == 0xee;
      slots[i].reset();
    }
  }
  EXPECT_LT(received, sent);
  EXPECT_EQ(*device->statistics()->rx_dropped, sent - received);
  EXPECT_EQ(*device->statistics()->rx_dropped, sent - received) << "asking changes nothing";
}

// A port that loses frames gets another way to receive them: all that holds for the first one holds for it.
TEST_F(SystemTest, GoesOnUnderLoad) {
  FarEnd far("far");
  const auto send_many = [&](int count) {
    for (int i = 0; i < count; ++i) far.send(text_frame("many"));
  };
  // The queue overflows; while that is read, the ring is made.
  send_many(20'000);
  EXPECT_LT(receive_all(), 20'000u);
  // Only a ring loses frames when as few as these come.
  send_many(2000);
  ASSERT_EQ(receive_all(), 1024u) << "there is no ring: the test shows nothing";

  for (int round = 0; round < 3; ++round) {
    send_many(1000);  // around the ring's end, too
    EXPECT_EQ(receive_all(), 1000u);
  }
  const auto tagged = with_tag(text_frame("tagged"), 0x88a8, 0x6005);
  const auto large = large_segment(60000, 0x2005), plain = flow::Packet::copy_of(text_frame("plain"));
  Frame longest(1514, 1);
  far.send(tagged);
  far.send(large);
  far.send(plain);
  far.send(longest);
  ASSERT_EQ(device->receive(0, slots), 4u);
  EXPECT_EQ(bytes_of(slots[0]), tagged);
  EXPECT_EQ(bytes_of(slots[1]), bytes_of(large));
  EXPECT_EQ(slots[1].offload.gso, flow::Gso::tcp4);
  EXPECT_EQ(slots[1].offload.checksum_start, large.offload.checksum_start);
  EXPECT_EQ(bytes_of(slots[2]), bytes_of(plain));
  EXPECT_FALSE(slots[2].offload.any());
  EXPECT_EQ(bytes_of(slots[3]), longest);

  // Down, and not ready for ever because of it; up again.
  run("ip link set port down");
  const int fd = device->rx_descriptors().at(0);
  receive_all();
  pollfd wanted{fd, POLLIN, 0};
  EXPECT_EQ(::poll(&wanted, 1, 0), 0) << "a thread that waits for it would never sleep";
  run("ip link set port up");
  far.send(text_frame("up again"));
  EXPECT_TRUE(receive(*device, has_text("up again")));

  // Exchanged for another interface.
  run("ip link del port && ip link add port type veth peer name far && ip link set port up && ip link set far up");
  const unsigned before = device->state().ifindex;
  ASSERT_TRUE(follow(*registry, [&] { return device->state().ifindex != before && device->state().link_up; }));
  FarEnd another("far");
  another.send(text_frame("another"));
  EXPECT_TRUE(receive(*device, has_text("another")));
}

// Its ring keeps the socket open that the device has let go of, and the kernel goes on filling it: a thread that waits
// would never sleep.
TEST_F(SystemTest, LetsGoOfARing) {
  FarEnd far("far");
  const int fd = device->rx_descriptors().at(0);
  const Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  ASSERT_EQ(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event), 0);
  for (int i = 0; i < 20'000; ++i) far.send(text_frame("many"));
  receive_all();
  for (int i = 0; i < 2000; ++i) far.send(text_frame("many"));
  ASSERT_EQ(receive_all(), 1024u) << "there is no ring: the test shows nothing";

  run("ip link add linux-bridge type bridge && ip link set linux-bridge up && ip link set port master linux-bridge");
  ASSERT_TRUE(follow(*registry, [&] { return !device->state().master.empty(); }));
  far.send(text_frame("for the bridge"));
  ASSERT_EQ(::epoll_wait(epoll.get(), &event, 1, 0), 1) << "the ring is gone: the test shows nothing";
  // Whoever is told so looks, and that is all.
  ASSERT_EQ(device->rx_descriptors(), std::vector{fd});
  EXPECT_EQ(device->receive(0, slots), 0u);
  far.send(text_frame("for the bridge"));
  EXPECT_EQ(::epoll_wait(epoll.get(), &event, 1, 0), 0);
  run("ip link del linux-bridge");
}

TEST_F(SystemTest, PicksUpADeviceThatComesLater) {
  const auto late = create(*registry, "late");
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->state().ifindex, 0u);
  EXPECT_TRUE(late->rx_descriptors().empty());
  EXPECT_FALSE(late->statistics());
  EXPECT_EQ(late->set_mtu(1400).error().code, ENODEV);
  send(*late, flow::Packet::copy_of(text_frame("nowhere")));

  std::uint64_t generation = late->generation();
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> told;
    run("ip link add late type veth peer name late-far && ip link set late up && ip link set late-far up");
    ASSERT_TRUE(follow(*registry, [&] { return late->state().link_up; }, &told));
    EXPECT_EQ(told.front(), "late");
    EXPECT_GT(late->generation(), generation);
    generation = late->generation();
    FarEnd far("late-far");
    far.send(text_frame("here I am"));
    EXPECT_TRUE(receive(*late, has_text("here I am")));
    send(*late, flow::Packet::copy_of(text_frame("welcome")));
    EXPECT_TRUE(far.receive(has_text("welcome")));
    run("ip link del late");
    ASSERT_TRUE(follow(*registry, [&] { return late->state().ifindex == 0; }));
    EXPECT_TRUE(is_silent(*late));
    EXPECT_EQ(late->state(), (State{.link_resets = late->state().link_resets}));
  }
}

TEST_F(SystemTest, NoticesThatADeviceWasExchanged) {
  const unsigned before = device->state().ifindex;
  const auto generation = device->generation();
  // All of it before the registry looks.
  run("ip link del port && ip link add port type veth peer name far && ip link set port up && ip link set far up");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().ifindex != before && device->state().link_up; }));
  EXPECT_GT(device->generation(), generation);
  FarEnd far("far");
  far.send(text_frame("new cable"));
  EXPECT_TRUE(receive(*device, has_text("new cable")));
}

TEST_F(SystemTest, KnowsDevicesByName) {
  const auto other = create(*registry, "other-name");
  run("ip link set port down && ip link set port name other-name && ip link set other-name up");
  ASSERT_TRUE(follow(*registry, [&] { return other->state().ifindex != 0; }));
  EXPECT_EQ(device->state().ifindex, 0u);
  FarEnd far("far");
  far.send(text_frame("renamed"));
  EXPECT_TRUE(receive(*other, has_text("renamed")));
  EXPECT_TRUE(succeeds("tc filter show dev other-name ingress | grep -q bpf"));

  // A name that is no port's: the interface is the host's own again.
  run("ip link set other-name down && ip link set other-name name nobodys && ip link set nobodys up");
  ASSERT_TRUE(follow(*registry, [&] { return other->state().ifindex == 0; }));
  EXPECT_TRUE(is_silent(*other));
  EXPECT_FALSE(succeeds("tc filter show dev nobodys ingress | grep -q bpf"));
  run("ip link del nobodys");
}

TEST_F(SystemTest, CatchesUpWhenEventsWereLost) {
  auto monitor = netlink::LinkMonitor::open();
  ASSERT_TRUE(monitor);
  auto rtnetlink = netlink::Rtnetlink::open();
  ASSERT_TRUE(rtnetlink);
  const unsigned ifindex = device->state().ifindex;
  for (unsigned i = 0; i < 8000; ++i) ASSERT_TRUE(rtnetlink->set_mtu(ifindex, 1000 + i % 2));
  run("ip link set far down");
  EXPECT_FALSE(monitor->read([](auto, const auto&) {})) << "no event was lost: the test shows nothing";
  registry->process_events();
  EXPECT_EQ(device->state().mtu, 1001u);
  EXPECT_FALSE(device->state().link_up);
  run("ip link set far up");
  EXPECT_TRUE(follow(*registry, [&] { return device->state().link_up; }));
}

TEST_F(SystemTest, TakesNamesOfFifteenBytes) {
  run("ip link add abcdefghijklmno type veth peer name far2");
  const auto longest = create(*registry, "abcdefghijklmno");
  ASSERT_NE(longest, nullptr);
  EXPECT_NE(longest->state().ifindex, 0u);
  run("ip link del far2");
  auto refused = registry->create("abcdefghijklmnop", "", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "could not open network device abcdefghijklmnop (the name is too long: network devices have names of at "
            "most 15 bytes)");
  for (const char* name : {"", ".", "..", "a/b", "a b", "a:b"}) EXPECT_FALSE(registry->create(name, "", {})) << name;
}

TEST_F(SystemTest, OpensADeviceOnce) {
  auto refused = registry->create("port", "", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EBUSY);
  device.reset();
  EXPECT_TRUE(registry->create("port", "", {}));
}

TEST_F(SystemTest, LeavesADeviceOfALinuxBridgeAlone) {
  run("ip link add linux-bridge type bridge && ip link set linux-bridge up");
  const auto generation = device->generation();
  run("ip link set port master linux-bridge");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().master == "linux-bridge"; }));
  EXPECT_GT(device->generation(), generation);
  FarEnd("far").send(text_frame("for the bridge"));
  EXPECT_TRUE(is_silent(*device));
  EXPECT_FALSE(succeeds("tc qdisc show dev port | grep ingress"));
  send(*device, flow::Packet::copy_of(text_frame("not taken")));

  // The same for one that is opened only now.
  device = create(*registry, "no-port");
  device = create(*registry, "port");
  EXPECT_EQ(device->state().master, "linux-bridge");
  EXPECT_TRUE(device->rx_descriptors().empty());

  run("ip link set port nomaster");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().master.empty(); }));
  FarEnd far("far");
  far.send(text_frame("free again"));
  EXPECT_TRUE(receive(*device, has_text("free again")));
  run("ip link del linux-bridge");
}

TEST_F(SystemTest, RefusesTheLoopbackDevice) {
  auto refused = registry->create("lo", "", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "could not open network device lo (it is no Ethernet device)");
}

TEST_F(SystemTest, FindsItsFiltersAgainAfterARestart) {
  const auto filtered = [] {
    return succeeds("tc filter show dev port ingress | grep \"pref 65535\"");
  };
  device.reset();  // as when the process ends
  registry.reset();
  EXPECT_TRUE(filtered());

  registry = open_registry("somebody else");
  registry->remove_leftovers();
  EXPECT_TRUE(filtered());
  registry = open_registry();
  device = create(*registry, "port");
  registry->remove_leftovers();
  EXPECT_TRUE(filtered());
  device.reset();
  registry->remove_leftovers();
  EXPECT_FALSE(filtered());
}

TEST_F(SystemTest, OpensATapThatOthersHold) {
  // As a virtual machine's: its program holds the file, we the interface's other side.
  const auto machine_registry = open_registry("machine");
  const auto machine = create(*machine_registry, "vm-tap", "tap");
  ASSERT_TRUE(machine->set_admin_up(true));
  const auto port = create(*registry, "vm-tap");
  ASSERT_NE(port, nullptr);
  send(*machine, flow::Packet::copy_of(text_frame("from the machine")));
  EXPECT_TRUE(receive(*port, has_text("from the machine")));
  send(*port, flow::Packet::copy_of(text_frame("to the machine")));
  EXPECT_TRUE(receive(*machine, has_text("to the machine")));
  const auto large = large_segment(40000);
  const auto is_large = [](const flow::Packet& packet) { return packet.size() > 40000; };
  send(*machine, large);
  const auto received = receive(*port, is_large);
  ASSERT_TRUE(received);
  EXPECT_EQ(bytes_of(*received), bytes_of(large));
  send(*port, large);
  const auto back = receive(*machine, is_large);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->offload.gso, flow::Gso::tcp4);
  machine->destroy();
}

}  // namespace
}  // namespace ovs::netdev
