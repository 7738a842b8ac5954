// Devices by AF_XDP on veth pairs, in a network namespace.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "flow/checksum.h"
#include "netdev/afxdp_kind.h"
#include "netdev/registry.h"
#include "netdev/xdp_program.h"
#include "netdev/xsk_socket.h"
#include "private_network.h"

namespace ovs::netdev {
namespace {

using namespace test;

// Whether this process may, and this kernel can; what the reason is if not.
std::string why_not_here() {
  run("ip link add tried type veth peer name tried-far");
  const auto registry = open_registry();
  const auto device = *registry->create("tried", "afxdp", {});
  const std::string trouble = device->state().trouble;
  run("ip link del tried");
  const bool never = trouble.find("needs the capabilit") != std::string::npos ||
                     trouble.find("this kernel has no") != std::string::npos;
  return never ? trouble : std::string();
}

Result<std::unique_ptr<XskSocket>> open_socket(const XskSocket::Settings& settings) {
  OVS_TRY(auto socket, XskSocket::prepare(settings));
  OVS_TRY_DO(socket->bind());
  return socket;
}

// In the modes that veth pairs know.
class AfxdpTest : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { reason = why_not_here(); }
  void SetUp() override {
    if (!reason.empty()) GTEST_SKIP() << reason;
    add_veth();
    registry = open_registry();
    for (std::size_t i = 0; i < flow::batch_size; ++i) slots.emplace_back(flow::max_frame_bytes);
  }
  void TearDown() override {
    device.reset();
    registry.reset();
    succeeds("ip link del far");
    succeeds("ip link del port");
  }

  static void add_veth(const std::string& options = "") {
    run("ip link add port " + options + " type veth peer name far " + options +
        " && ip link set port up && ip link set far up");
  }

  // A device that works, after a moment perhaps: the kernel lets go of a queue's former socket a little later.
  bool open(Options options = {}) {
    options.emplace("xdp-mode", GetParam());
    auto made = registry->create("port", "afxdp", options);
    EXPECT_TRUE(made) << made.error().message;
    if (!made) return false;
    device = *std::move(made);
    return follow(*registry, [&] { return device->state().ifindex != 0 && device->state().trouble.empty(); });
  }

  bool has_trouble(const std::string& text) {
    const bool told = follow(*registry, [&] { return device->state().trouble.find(text) != std::string::npos; });
    EXPECT_TRUE(told) << device->state().trouble;
    return told;
  }

  // What becomes of the device, which is no change of its own while that is open.
  std::string settled_trouble() {
    EXPECT_TRUE(follow(*registry, [&] {
      EXPECT_EQ(registry->is_settling(), device->state().settling);
      EXPECT_TRUE(!device->state().settling || !device->state().trouble.empty());
      return !device->state().settling;
    }));
    EXPECT_FALSE(registry->is_settling());
    return device->state().trouble;
  }

  // The next frame of any queue for which `wanted` is true.
  std::optional<flow::Packet> receive_any(const std::function<bool(const flow::Packet&)>& wanted,
                                          std::size_t* queue = nullptr) {
    const auto descriptors = device->rx_descriptors();
    std::vector<pollfd> waits;
    for (const int fd : descriptors) waits.push_back({fd, POLLIN, 0});
    std::vector<flow::Packet> slot;
    while (::poll(waits.data(), waits.size(), 10'000) > 0) {
      for (std::size_t i = 0; i < waits.size(); ++i) {
        if (!(waits[i].revents & POLLIN)) continue;
        slot.clear();
        slot.emplace_back(flow::max_frame_bytes);
        if (device->receive(i, slot) != 1 || !wanted(slot[0])) continue;
        if (queue) *queue = i;
        return std::move(slot[0]);
      }
    }
    return {};
  }

  std::unique_ptr<Registry> registry;
  std::unique_ptr<Netdev> device;
  std::vector<flow::Packet> slots;  // a batch to receive into
  static inline std::string reason;
};

TEST_P(AfxdpTest, PassesFramesBothWays) {
  ASSERT_TRUE(open());
  EXPECT_EQ(device->type(), "afxdp");
  const auto status = device->status();
  EXPECT_EQ(status.at("xdp-mode"), GetParam() == std::string_view("best-effort") ? "native" : GetParam());
  EXPECT_EQ(status.at("use-need-wakeup"), "true");
  EXPECT_EQ(status.at("n_rxq"), "1");
  EXPECT_EQ(status.at("driver_name"), "veth");
  EXPECT_EQ(device->tx_offloads(), TxOffloads{});
  FarEnd far("far");
  for (int i = 0; i < 100; ++i) {
    const std::string there = "hello " + std::to_string(i), back = "answer " + std::to_string(i);
    far.send(text_frame(there));
    const auto received = receive(*device, has_text(there));
    ASSERT_TRUE(received);
    EXPECT_EQ(bytes_of(*received), text_frame(there));
    EXPECT_FALSE(received->offload.any());
    send(*device, flow::Packet::copy_of(text_frame(back)));
    const auto answer = far.receive(has_text(back));
    ASSERT_TRUE(answer);
    EXPECT_EQ(bytes_of(*answer), text_frame(back));
  }
}

TEST_P(AfxdpTest, WorksWithoutNeedWakeup) {
  ASSERT_TRUE(open({{"use-need-wakeup", "false"}}));
  EXPECT_EQ(device->status().at("use-need-wakeup"), "false");
  FarEnd far("far");
  far.send(text_frame("hello"));
  ASSERT_TRUE(receive(*device, has_text("hello")));
  send(*device, flow::Packet::copy_of(text_frame("answer")));
  ASSERT_TRUE(far.receive(has_text("answer")));
}

TEST_P(AfxdpTest, KeepsTagsThatAreInTheFrame) {
  run("ethtool -K far txvlan off 2>/dev/null || true");
  ASSERT_TRUE(open());
  FarEnd far("far");
  const Frame frames[] = {with_tag(text_frame("one tag"), 0x8100, 0x6064),
                          with_tag(text_frame("service tag"), 0x88a8, 0x0fff),
                          with_tag(with_tag(text_frame("two tags"), 0x8100, 10), 0x88a8, 20)};
  const char* texts[] = {"one tag", "service tag", "two tags"};
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

// Has the kernel push a tag on whatever leaves by a device, which stays beside the frame, as those of VLAN devices do.
void push_tag_beside(const std::string& name, std::uint16_t tci) {
  constexpr auto instruction = [](int code, std::uint8_t to, std::int32_t value) {
    bpf_insn made{};
    made.code = static_cast<std::uint8_t>(code);
    made.dst_reg = to & 0xf;
    made.imm = value;
    return made;
  };
  const bpf_insn program[] = {instruction(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0x0081),  // 0x8100 in network byte order
                              instruction(BPF_ALU64 | BPF_MOV | BPF_K, 3, tci),
                              instruction(BPF_JMP | BPF_CALL, 0, BPF_FUNC_skb_vlan_push),
                              instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0), instruction(BPF_JMP | BPF_EXIT, 0, 0)};
  const Descriptor loaded(
      ::bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "push_tag", "Apache-2.0", program, std::size(program), nullptr));
  ASSERT_GE(loaded.get(), 0) << std::strerror(errno);
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
  hook.attach_point = BPF_TC_EGRESS;
  ASSERT_EQ(::bpf_tc_hook_create(&hook), 0);
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.prog_fd = loaded.get();
  ASSERT_EQ(::bpf_tc_attach(&hook, &options), 0);
}

// A program in generic mode is not told of them.
class NativeAfxdpTest : public AfxdpTest {};
INSTANTIATE_TEST_SUITE_P(Modes, NativeAfxdpTest, testing::Values("native"));

TEST_P(NativeAfxdpTest, PutsTagsBackThatAreBesideTheFrame) {
  ASSERT_TRUE(open());
  push_tag_beside("far", 0x6064);
  FarEnd far("far");
  far.send(text_frame("tagged"));
  const auto received = receive(*device, has_text("tagged"));
  ASSERT_TRUE(received);
  EXPECT_EQ(bytes_of(*received), with_tag(text_frame("tagged"), 0x8100, 0x6064));
}

TEST_P(AfxdpTest, FindsChecksumsThatTheOtherEndLeft) {
  ASSERT_TRUE(open());
  FarEnd far("far");
  flow::Packet sent = large_segment(200);
  sent.offload.gso = flow::Gso::none;
  sent.offload.segment_bytes = 0;
  // The sum of the pseudo header, as a sender leaves it there.
  const be16 sum = flow::pseudo_header(be32::from_host(0xc0000201), be32::from_host(0xc0000202), 6, 220).folded();
  std::memcpy(sent.data() + sent.offload.checksum_start + 16, &sum, sizeof sum);
  far.send(sent);
  auto received = receive(*device, [](const flow::Packet& packet) { return packet.size() == 254; });
  ASSERT_TRUE(received);
  EXPECT_EQ(bytes_of(*received), bytes_of(sent));
  EXPECT_TRUE(received->offload.needs_checksum);
  EXPECT_EQ(received->offload.checksum_start, 34);
  EXPECT_EQ(received->offload.checksum_offset, 16);
}

// In native mode, the kernel takes segmentation from a veth pair's other end.
TEST_P(AfxdpTest, GetsWhatTheOtherEndLeavesToSegmentationOrCountsIt) {
  ASSERT_TRUE(open());
  FarEnd far("far");
  const auto before = *device->statistics();
  const auto large = large_segment(5000);
  far.send(large);
  far.send(text_frame("end"));
  std::size_t payload = 0;
  ASSERT_TRUE(receive_any([&](const flow::Packet& packet) {
    if (has_text("end")(packet)) return true;
    payload += packet.size() - 54;
    return false;
  }));
  const auto after = *device->statistics();
  if (device->status().at("xdp-mode") == "native") {
    EXPECT_EQ(payload, 5000u);
    EXPECT_EQ(*after.rx_dropped, *before.rx_dropped);
  } else {
    EXPECT_EQ(payload, 0u);
    EXPECT_EQ(*after.rx_dropped, *before.rx_dropped + 1);
  }
}

TEST_P(AfxdpTest, UsesEveryQueue) {
  run("ip link del port");
  add_veth("numrxqueues 4 numtxqueues 4");
  ASSERT_TRUE(open());
  EXPECT_EQ(device->rx_descriptors().size(), 4u);
  EXPECT_EQ(device->status().at("n_rxq"), "4");
  EXPECT_EQ(device->status().at("n_txq"), "4");
  FarEnd far("far");
  // Queues are chosen by addresses and ports.
  constexpr int flows = 200;
  std::set<int> missing;
  for (int i = 0; i < flows; ++i) {
    auto packet = large_segment(10);
    packet.offload = {};
    packet.data()[34] = static_cast<std::uint8_t>(i);
    far.send(packet);
    missing.insert(i);
  }
  std::set<std::size_t> queues;
  std::size_t queue;
  while (!missing.empty()) {
    const auto is_missing = [&](const flow::Packet& packet) {
      return packet.size() == 64 && missing.erase(packet.data()[34]) == 1;
    };
    ASSERT_TRUE(receive_any(is_missing, &queue)) << missing.size() << " are missing";
    queues.insert(queue);
  }
  EXPECT_GT(queues.size(), 1u);
}

TEST_P(AfxdpTest, RefusesToLoseQueues) {
  run("ip link del port");
  add_veth("numrxqueues 4 numtxqueues 4");
  auto made = registry->create("port", "afxdp", {{"xdp-mode", GetParam()}, {"n_rxq", "2"}});
  ASSERT_TRUE(made);
  device = *std::move(made);
  ASSERT_TRUE(has_trouble("ethtool -L port"));
  EXPECT_NE(device->state().trouble.find("options:n_rxq is 2"), std::string::npos) << device->state().trouble;
  EXPECT_TRUE(device->rx_descriptors().empty());
  // What the message says helps, without another word.
  run("ethtool -L far tx 2 rx 2 && ethtool -L port rx 2 tx 2");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().trouble.empty(); }));
  EXPECT_EQ(device->rx_descriptors().size(), 2u);
  // So does another option; and a number that changes while the device works is noticed with the statistics.
  ASSERT_TRUE(device->set_options({{"xdp-mode", GetParam()}}));
  ASSERT_TRUE(follow(*registry, [&] { return device->state().trouble.empty(); }));
  const auto generation = device->generation();
  run("ethtool -L port rx 4 tx 4");
  ASSERT_TRUE(registry->all_statistics());
  const auto has_all = [&] { return device->generation() > generation && device->rx_descriptors().size() == 4; };
  ASSERT_TRUE(follow(*registry, has_all)) << device->state().trouble;
}

TEST_P(AfxdpTest, NamesWrongOptions) {
  const std::pair<const char*, const char*> wrong[] = {
      {"xdp-mode", "fast"}, {"use-need-wakeup", "yes"}, {"n_rxq", "many"}, {"n_rxq", "-1"},
      {"n_rxq", ""},        {"n_rxq", "0"},           {"n_rxq", "65"},   {"n_rxq", "4294967297"}};
  for (const auto& [key, value] : wrong) {
    const auto refused = registry->create("port", "afxdp", {{key, value}});
    ASSERT_FALSE(refused) << key;
    const std::string& message = refused.error().message;
    EXPECT_NE(message.find(std::string("options:") + key), std::string::npos) << message;
  }
  ASSERT_TRUE(open());
  const auto set = device->set_options({{"xdp-mode", "fast"}});
  ASSERT_FALSE(set);
  EXPECT_TRUE(set.error().message.starts_with("options:xdp-mode is one of best-effort")) << set.error().message;
  EXPECT_EQ(device->rx_descriptors().size(), 1u);
}

TEST_P(AfxdpTest, NamesOptionsThatItDoesNotHave) {
  ASSERT_TRUE(open());
  EXPECT_TRUE(device->unknown_options({{"xdp-mode", "native"}, {"use-need-wakeup", "true"}, {"n_rxq", "64"}}).empty());
  EXPECT_EQ(device->unknown_options({{"xdpmode", "native"}, {"n-rxq", "2"}, {"n_rxq_desc", "1024"}}),
            (std::vector<std::string>{"options:n-rxq is none of an interface of type afxdp (did you mean n_rxq?)",
                                      "options:n_rxq_desc is none of an interface of type afxdp",
                                      "options:xdpmode is none of an interface of type afxdp (did you mean xdp-mode?)"}));
}

TEST_P(AfxdpTest, SaysWhatTheDriverCannotDo) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(device->set_options({{"xdp-mode", "native-with-zerocopy"}}));
  EXPECT_TRUE(has_trouble("without copies"));
  ASSERT_TRUE(device->set_options({{"xdp-mode", "generic"}}));
  EXPECT_TRUE(follow(*registry, [&] { return device->state().trouble.empty(); }));
  EXPECT_EQ(device->status().at("xdp-mode"), "generic");
}

// The kernel lets go of a queue a moment after its socket was closed.
TEST_P(AfxdpTest, TakesItsOwnFormerSocketForNobodyElses) {
  ASSERT_TRUE(open());
  EXPECT_FALSE(registry->is_settling());
  for (int round = 0; round < 4; ++round) {
    const Options options{{"xdp-mode", GetParam()}, {"use-need-wakeup", round % 2 ? "true" : "false"}};
    ASSERT_TRUE(device->set_options(options));
    EXPECT_EQ(settled_trouble(), "");
    EXPECT_EQ(device->status().at("use-need-wakeup"), round % 2 ? "true" : "false");
    ASSERT_TRUE(device->set_options({{"xdp-mode", "native-with-zerocopy"}}));
    EXPECT_NE(settled_trouble().find("without copies"), std::string::npos) << device->state().trouble;
    ASSERT_TRUE(device->set_options(options));
    EXPECT_EQ(settled_trouble(), "");
    if (round % 2) device->destroy();
    device.reset();
    EXPECT_FALSE(registry->is_settling());
    device = *registry->create("port", "afxdp", options);
    EXPECT_EQ(settled_trouble(), "");
  }
  FarEnd far("far");
  far.send(text_frame("hello"));
  EXPECT_TRUE(receive(*device, has_text("hello")));
}

TEST_P(AfxdpTest, TellsOfAnotherProgramsSocket) {
  auto other = open_socket({.ifindex = ::if_nametoindex("port")});
  ASSERT_TRUE(other) << other.error().message;
  auto made = registry->create("port", "afxdp", {{"xdp-mode", GetParam()}});
  ASSERT_TRUE(made);
  device = *std::move(made);
  EXPECT_TRUE(device->state().settling);
  EXPECT_EQ(settled_trouble(), "another program has an AF_XDP socket there");
  // It is tried again without another word.
  other->reset();
  EXPECT_TRUE(follow(*registry, [&] {
    EXPECT_FALSE(device->state().settling);
    return device->state().trouble.empty();
  }));
}

TEST_P(AfxdpTest, KeepsItsSocketsWhereNothingElseIsAskedFor) {
  ASSERT_TRUE(open());
  const auto generation = device->generation();
  const std::string mode = device->status().at("xdp-mode");
  const Options same[] = {{{"xdp-mode", mode}}, {{"xdp-mode", mode}, {"n_rxq", "1"}}, {{"xdp-mode", mode}, {"n_rxq", "4"}}};
  for (const Options& options : same) {
    ASSERT_TRUE(device->set_options(options));
    EXPECT_EQ(device->generation(), generation);
    EXPECT_EQ(device->state().trouble, "");
  }
}

TEST_P(AfxdpTest, TellsOfAnMtuThatIsTooLarge) {
  run("ip link set far mtu 9000 && ip link set port mtu 9000");
  auto made = registry->create("port", "afxdp", {{"xdp-mode", GetParam()}});
  ASSERT_TRUE(made);
  device = *std::move(made);
  ASSERT_TRUE(has_trouble("its MTU is 9000, and AF_XDP carries 3818 at most"));
  const auto refused = device->set_mtu(9000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "AF_XDP carries 3818 at most");
  run("ip link set far mtu 3000");
  ASSERT_TRUE(device->set_mtu(3000));
  ASSERT_TRUE(follow(*registry, [&] { return device->state().trouble.empty(); }));

  FarEnd far("far");
  Frame frame = text_frame("large");
  frame.resize(3014);
  far.send(frame);
  const auto received = receive(*device, has_text("large"));
  ASSERT_TRUE(received);
  EXPECT_EQ(bytes_of(*received), frame);
  send(*device, *received);
  const auto back = far.receive(has_text("large"));
  ASSERT_TRUE(back);
  EXPECT_EQ(bytes_of(*back), frame);
  // What the MTU forbids is dropped, and counted.
  const auto before = *device->statistics();
  frame.resize(3014 + 9);
  send(*device, flow::Packet::copy_of(frame));
  EXPECT_EQ(*device->statistics()->tx_dropped, *before.tx_dropped + 1);

  // The same when the MTU changes under a device that works.
  run("ip link set far mtu 1500");
  ASSERT_TRUE(device->set_mtu(1500));
  ASSERT_TRUE(follow(*registry, [&] { return device->state().mtu == 1500 && device->state().trouble.empty(); }));
  far.send(text_frame("small"));
  EXPECT_TRUE(receive(*device, has_text("small")));
  // A driver in native mode has a limit of its own.
  if (succeeds("ip link set port mtu 9000")) {
    EXPECT_TRUE(has_trouble("its MTU is 9000"));
  }
}

TEST_P(AfxdpTest, AppearsVanishesAndComesBack) {
  run("ip link del port");
  auto made = registry->create("port", "afxdp", {{"xdp-mode", GetParam()}});
  ASSERT_TRUE(made);
  device = *std::move(made);
  EXPECT_EQ(device->state().ifindex, 0u);
  EXPECT_TRUE(device->rx_descriptors().empty());
  send(*device, flow::Packet::copy_of(text_frame("into nothing")));
  for (int round = 0; round < 3; ++round) {
    add_veth();
    ASSERT_TRUE(follow(*registry, [&] { return device->state().link_up && !device->rx_descriptors().empty(); }))
        << device->state().trouble;
    {
      FarEnd far("far");
      far.send(text_frame("here"));
      EXPECT_TRUE(receive(*device, has_text("here")));
      send(*device, flow::Packet::copy_of(text_frame("there")));
      EXPECT_TRUE(far.receive(has_text("there")));
    }
    run("ip link del port");
    ASSERT_TRUE(follow(*registry, [&] { return device->state().ifindex == 0; }));
    EXPECT_EQ(device->receive(0, slots), 0u);
    send(*device, flow::Packet::copy_of(text_frame("into nothing")));
  }
}

TEST_P(AfxdpTest, IsTheKernelsAgainAfterwards) {
  const unsigned ifindex = ::if_nametoindex("port");
  ASSERT_TRUE(open());
  EXPECT_TRUE(XdpProgram::is_attached(ifindex));
  run("ip -d link show port | grep -q 'promiscuity 1'");
  device->destroy();
  EXPECT_FALSE(XdpProgram::is_attached(ifindex));
  run("ip -d link show port | grep -q 'promiscuity 0'");
  device.reset();
  // Under another name, it is nobody's port.
  ASSERT_TRUE(open());
  run("ip link set port down && ip link set port name other");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().ifindex == 0; }));
  EXPECT_FALSE(XdpProgram::is_attached(ifindex));
  run("ip link set other name port && ip link set port up");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().ifindex != 0 && !device->rx_descriptors().empty(); }));
}

TEST_P(AfxdpTest, WaitsForOthersToLeave) {
  ASSERT_TRUE(open());
  const auto others = open_registry("other");
  auto second = *others->create("port", "afxdp", {{"xdp-mode", GetParam()}});
  EXPECT_TRUE(second->state().trouble.starts_with("another XDP program is attached")) << second->state().trouble;
  device.reset();
  EXPECT_TRUE(follow(*others, [&] { return second->state().trouble.empty(); })) << second->state().trouble;
  EXPECT_EQ(second->rx_descriptors().size(), 1u);
}

TEST_P(AfxdpTest, LeavesAnInterfaceOfABridgeAlone) {
  ASSERT_TRUE(open());
  run("ip link add bridge type bridge && ip link set port master bridge");
  EXPECT_TRUE(follow(*registry, [&] { return device->state().master == "bridge"; }));
  EXPECT_TRUE(device->rx_descriptors().empty());
  EXPECT_FALSE(XdpProgram::is_attached(::if_nametoindex("port")));
  run("ip link set port nomaster");
  EXPECT_TRUE(follow(*registry, [&] { return device->state().master.empty() && !device->rx_descriptors().empty(); }));
  run("ip link del bridge");
}

TEST_P(AfxdpTest, CountsWhatItLoses) {
  ASSERT_TRUE(open());
  FarEnd far("far");
  const auto before = *device->statistics();
  // More than the rings hold, with nobody receiving.
  constexpr std::uint64_t sent = 3 * XskSocket::frames_each_way;
  for (std::uint64_t i = 0; i < sent; ++i) far.send(text_frame("burst"));
  far.send(text_frame("last"));
  std::uint64_t received = 0, dropped = 0;
  // The kernel may still be on its way with some.
  for (int i = 0; i < 10'000 && received + dropped < sent + 1; ++i) {
    if (i != 0) ::poll(nullptr, 0, 1);
    while (const std::size_t n = device->receive(0, slots)) {
      received += n;
      for (auto& slot : slots) slot.reset();
    }
    dropped = *device->statistics()->rx_dropped - *before.rx_dropped;
  }
  EXPECT_GE(received, 1u);
  EXPECT_EQ(received + dropped, sent + 1);
  // The frames are there again: as many are received once more.
  for (std::uint64_t i = 0; i < received; ++i) far.send(text_frame("again"));
  std::uint64_t again = 0;
  while (again < received) {
    ASSERT_TRUE(receive_any(has_text("again"))) << again << " of " << received;
    ++again;
  }
  // What a device that is down does not take is counted, too; and it has nothing to say.
  run("ip link set port down");
  ASSERT_TRUE(follow(*registry, [&] { return !device->state().admin_up; }));
  const auto up = *device->statistics();
  send(*device, flow::Packet::copy_of(text_frame("down")));
  EXPECT_EQ(*device->statistics()->tx_dropped, *up.tx_dropped + 1);
  pollfd wait{device->rx_descriptors()[0], POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
  run("ip link set port up");
  ASSERT_TRUE(follow(*registry, [&] { return device->state().link_up; }));
  far.send(text_frame("up"));
  EXPECT_TRUE(receive(*device, has_text("up")));
  send(*device, flow::Packet::copy_of(text_frame("up too")));
  EXPECT_TRUE(far.receive(has_text("up too")));
}

TEST_P(AfxdpTest, CountsWhatPasses) {
  ASSERT_TRUE(open());
  FarEnd far("far");
  const auto before = *device->statistics();
  for (int i = 0; i < 50; ++i) far.send(text_frame("in"));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(receive(*device, has_text("in")));
  for (int i = 0; i < 30; ++i) send(*device, flow::Packet::copy_of(text_frame("out")));
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(far.receive(has_text("out")));
  const auto after = *device->statistics();
  EXPECT_EQ(*after.rx_packets - *before.rx_packets, 50u);
  // In native mode, veth does not count the 14 bytes of the Ethernet header.
  const std::uint64_t counted = device->status().at("xdp-mode") == "native" ? 60 - 14 : 60;
  EXPECT_EQ(*after.rx_bytes - *before.rx_bytes, 50 * counted);
  EXPECT_EQ(*after.tx_packets - *before.tx_packets, 30u);
  EXPECT_EQ(*after.tx_bytes - *before.tx_bytes, 30u * 60);
  EXPECT_EQ(*after.rx_dropped, *before.rx_dropped);
  EXPECT_EQ(*after.tx_dropped, *before.tx_dropped);
}

TEST_P(AfxdpTest, TakesFromManyThreads) {
  ASSERT_TRUE(open());
  FarEnd far("far");
  constexpr int threads = 4, each = 500;
  std::set<std::string> missing;
  for (int t = 0; t < threads; ++t)
    for (int i = 0; i < each; ++i) missing.insert("from " + std::to_string(t) + " " + std::to_string(i));
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i < each; ++i)
        send(*device, flow::Packet::copy_of(text_frame("from " + std::to_string(t) + " " + std::to_string(i))));
    });
  for (auto& thread : all) thread.join();
  while (!missing.empty()) {
    const auto got = far.receive([](const flow::Packet& packet) { return packet.data()[12] == 0x88; });
    ASSERT_TRUE(got) << missing.size() << " are missing, such as " << *missing.begin();
    missing.erase(reinterpret_cast<const char*>(got->data() + 14));
  }
  EXPECT_EQ(*device->statistics()->tx_dropped, 0u);
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

std::size_t memory_mappings() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(maps), {}, '\n'));
}

// Traffic both ways while the sockets are exchanged under the hands of the threads.
TEST_P(AfxdpTest, ExchangesSocketsUnderTraffic) {
  ASSERT_TRUE(open());
  FarEnd far("far");
  std::atomic<bool> stop{false};
  std::thread receiver([&] {
    std::vector<flow::Packet> own;
    for (std::size_t i = 0; i < flow::batch_size; ++i) own.emplace_back(flow::max_frame_bytes);
    while (!stop) {
      if (device->receive(0, own) == 0) std::this_thread::yield();
      for (auto& slot : own) slot.reset();
    }
  });
  std::thread sender([&] {
    std::vector<flow::Packet> batch;
    std::vector<flow::Packet*> pointers;
    for (std::size_t i = 0; i < flow::batch_size; ++i) batch.push_back(flow::Packet::copy_of(text_frame("out")));
    for (auto& packet : batch) pointers.push_back(&packet);
    while (!stop) device->send(pointers);
  });
  std::thread noise([&] {
    while (!stop) far.send(text_frame("in"));
  });
  std::size_t descriptors = 0, mappings = 0;
  bool followed = true;
  for (int round = 0; round < 12 && followed; ++round) {
    const Options options{{"xdp-mode", GetParam()}, {"use-need-wakeup", round % 2 ? "true" : "false"}};
    followed = device->set_options(options).has_value() &&
               follow(*registry, [&] { return device->state().trouble.empty(); });
    if (round != 1) continue;
    descriptors = open_descriptors();
    mappings = memory_mappings();
  }
  stop = true;
  receiver.join();
  sender.join();
  noise.join();
  ASSERT_TRUE(followed) << device->state().trouble;
  EXPECT_EQ(open_descriptors(), descriptors);
  // Ten rounds lie between; a few of the mappings are the heap's.
  EXPECT_LT(memory_mappings(), mappings + 10);
  while (device->receive(0, slots) != 0)
    for (auto& slot : slots) slot.reset();
  far.send(text_frame("hello"));
  EXPECT_TRUE(receive(*device, has_text("hello")));
}

INSTANTIATE_TEST_SUITE_P(Modes, AfxdpTest, testing::Values("native", "generic", "best-effort"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

// What a guest sends by its TAP interface.
TEST_P(AfxdpTest, TakesTheFramesOfATapInterface) {
  const auto guests = open_registry("guest");
  const auto guest = create(*guests, "tap0", "tap");
  ASSERT_NE(guest, nullptr);
  run("ip link set tap0 up");
  auto made = registry->create("tap0", "afxdp", {{"xdp-mode", GetParam()}});
  ASSERT_TRUE(made);
  device = *std::move(made);
  ASSERT_TRUE(follow(*registry, [&] { return device->state().trouble.empty(); })) << device->state().trouble;
  send(*guest, flow::Packet::copy_of(text_frame("whole")));
  const auto whole = receive(*device, has_text("whole"));
  ASSERT_TRUE(whole);
  EXPECT_EQ(bytes_of(*whole), text_frame("whole"));
  send(*device, *whole);
  EXPECT_TRUE(receive(*guest, has_text("whole")));
  // Segments of a guest that cuts none are lost, and counted.
  const auto before = *device->statistics();
  send(*guest, large_segment(5000));
  send(*guest, flow::Packet::copy_of(text_frame("end")));
  ASSERT_TRUE(receive_any([&](const flow::Packet& packet) {
    EXPECT_LT(packet.size(), 100u);
    return has_text("end")(packet);
  }));
  EXPECT_GE(*device->statistics()->rx_dropped, *before.rx_dropped + 1);
  device.reset();
  guest->destroy();
}

// ---- the sockets alone

class XskSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    run("ip link add port type veth peer name far && ip link set port up && ip link set far up");
    ifindex = ::if_nametoindex("port");
  }
  void TearDown() override { succeeds("ip link del far"); }
  unsigned ifindex = 0;
};

TEST_F(XskSocketTest, LosesNoFrameOfItsMemory) {
  auto made = open_socket({.ifindex = ifindex});
  ASSERT_TRUE(made) << made.error().message;
  XskSocket& socket = **made;
  auto program = XdpProgram::load(ifindex, 1, true);
  ASSERT_TRUE(program) << program.error().message;
  ASSERT_TRUE(program->set_socket(0, socket.descriptor()));
  ASSERT_TRUE(program->attach());
  FarEnd far("far");
  std::vector<flow::Packet> out, in;
  std::vector<flow::Packet*> pointers;
  for (std::size_t i = 0; i < flow::batch_size; ++i) {
    out.push_back(flow::Packet::copy_of(text_frame("out")));
    in.emplace_back(flow::max_frame_bytes);
  }
  for (auto& packet : out) pointers.push_back(&packet);
  std::uint64_t sent = 0, received = 0, came = 0;
  // Several times as many as there are frames, with the far end's queue full for most of the time.
  while (sent < 200'000) {
    sent += socket.send(pointers, 1522);
    socket.kick();
    far.send(text_frame("in"));
    ++came;
    received += socket.receive(in);
    for (auto& packet : in) packet.reset();
  }
  // All come back, if not at once.
  const auto settled = [&] {
    for (int i = 0; i < 10'000; ++i) {
      socket.kick();
      received += socket.receive(in);
      for (auto& packet : in) packet.reset();
      if (socket.frames_outside() == 0 && received + socket.losses().received == came) return true;
      pollfd none{-1, 0, 0};
      ::poll(&none, 1, 1);
    }
    return false;
  };
  EXPECT_TRUE(settled()) << socket.frames_outside() << " frames are missing; " << received << " of " << came
                         << " came, and the kernel dropped " << socket.losses().received;
  EXPECT_EQ(socket.losses().sent, 0u);
  // Frames to receive into, too: a burst that needs all of them comes whole.
  for (std::uint32_t i = 0; i < XskSocket::frames_each_way; ++i) far.send(text_frame("burst"));
  came += XskSocket::frames_each_way;
  const auto lost = socket.losses().received;
  EXPECT_TRUE(settled());
  EXPECT_EQ(socket.losses().received, lost);
}

// The kernel shows a frame before it tells that it took it from the fill ring.
TEST_F(XskSocketTest, ReceivesWhileTheKernelPutsMore) {
  auto made = open_socket({.ifindex = ifindex});
  ASSERT_TRUE(made) << made.error().message;
  XskSocket& socket = **made;
  auto program = XdpProgram::load(ifindex, 1, true);
  ASSERT_TRUE(program && program->set_socket(0, socket.descriptor()) && program->attach());
  constexpr std::uint64_t count = 300'000;
  std::atomic<bool> sent{false};
  std::thread sender([&] {
    FarEnd far("far");
    for (std::uint64_t i = 0; i < count; ++i) far.send(text_frame("in"));
    sent = true;
  });
  std::vector<flow::Packet> in;
  for (std::size_t i = 0; i < flow::batch_size; ++i) in.emplace_back(flow::max_frame_bytes);
  std::uint64_t received = 0;
  pollfd wait{socket.descriptor(), POLLIN, 0};
  for (;;) {
    const std::size_t n = socket.receive(in);
    received += n;
    for (auto& packet : in) packet.reset();
    if (n != 0) continue;
    if (received + socket.losses().received >= count) break;
    const bool all_sent = sent;
    if (::poll(&wait, 1, 1000) == 0 && all_sent) break;
  }
  sender.join();
  EXPECT_EQ(received + socket.losses().received, count);
}

TEST_F(XskSocketTest, IsBoundWhenTheQueueIsFree) {
  auto first = open_socket({.ifindex = ifindex});
  ASSERT_TRUE(first) << first.error().message;
  auto second = XskSocket::prepare({.ifindex = ifindex});
  ASSERT_TRUE(second) << second.error().message;
  for (int i = 0; i < 100; ++i) {
    const auto bound = (*second)->bind();
    ASSERT_FALSE(bound);
    ASSERT_EQ(bound.error().code, EBUSY);
  }
  first->reset();
  Result<void> bound;
  for (int i = 0; i < 10'000 && !(bound = (*second)->bind()) && bound.error().code == EBUSY; ++i) ::poll(nullptr, 0, 1);
  ASSERT_TRUE(bound) << bound.error().message;
  EXPECT_TRUE((*second)->bind());
}

TEST_F(XskSocketTest, TakesNothingThatIsTooLong) {
  auto made = open_socket({.ifindex = ifindex});
  ASSERT_TRUE(made) << made.error().message;
  Frame frame = text_frame("long");
  frame.resize(1523);
  flow::Packet packet = flow::Packet::copy_of(frame);
  flow::Packet* const one[] = {&packet};
  EXPECT_EQ((*made)->send(one, 1522), 0u);
  EXPECT_EQ((*made)->frames_outside(), 0u);
  EXPECT_EQ((*made)->send(one, 1523), 1u);
  EXPECT_EQ((*made)->frames_outside(), 1u);
}

}  // namespace
}  // namespace ovs::netdev
