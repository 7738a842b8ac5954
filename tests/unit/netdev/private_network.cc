#include "private_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>

#include "base/check.h"
#include "netdev/packet_socket.h"
#include "netdev/vnet_header.h"

namespace ovs::netdev::test {
namespace {

constexpr int patience_ms = 10'000;

class PrivateNetwork : public testing::Environment {
 public:
  void SetUp() override {
    const unsigned uid = ::getuid(), gid = ::getgid();
    if (::unshare(CLONE_NEWNET) < 0) {
      ASSERT_EQ(::unshare(CLONE_NEWUSER | CLONE_NEWNET), 0)
          << "these tests need a network namespace: run them as root, or allow user namespaces";
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
      std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
    }
    run("ip link set lo up");
    // Router solicitations and their like would come between the frames of the tests.
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << "1";
  }
};

const auto* const environment = testing::AddGlobalTestEnvironment(new PrivateNetwork);

class Deadline {
 public:
  int left_ms() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) : 0;
  }

 private:
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
};

bool wait_readable(int fd, const Deadline& deadline) {
  pollfd wanted{fd, POLLIN, 0};
  return ::poll(&wanted, 1, deadline.left_ms()) > 0;
}

}  // namespace

void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }
bool succeeds(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

struct Host::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> work;
  bool end = false;
};

Host::Host() : shared_(std::make_unique<Shared>()) {
  thread_ = std::thread([this] {
    OVS_CHECK(::unshare(CLONE_NEWNET) == 0);
    std::unique_lock lock(shared_->mutex);
    pid_ = static_cast<pid_t>(::syscall(SYS_gettid));
    shared_->changed.notify_all();
    for (;;) {
      shared_->changed.wait(lock, [this] { return shared_->work || shared_->end; });
      if (!shared_->work) return;
      lock.unlock();
      shared_->work();
      lock.lock();
      shared_->work = nullptr;
      shared_->changed.notify_all();
    }
  });
  {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [this] { return pid_ != 0; });
  }
  run("ip link set lo up");
}

Host::~Host() {
  wait();
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->end = true;
  }
  shared_->changed.notify_all();
  thread_.join();
}

std::string Host::namespace_file() const {
  return "/proc/" + std::to_string(::getpid()) + "/task/" + std::to_string(pid_) + "/ns/net";
}

void Host::run(const std::string& command) const {
  test::run("nsenter --net=" + namespace_file() + " sh -c '" + command + "'");
}

void Host::start(std::function<void()> work) {
  wait();
  const std::lock_guard lock(shared_->mutex);
  shared_->work = std::move(work);
  shared_->changed.notify_all();
}

void Host::wait() {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [this] { return !shared_->work; });
}

void Host::call(std::function<void()> work) {
  start(std::move(work));
  wait();
}

FarEnd::FarEnd(const std::string& device)
    : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)),
      ifindex_(static_cast<int>(::if_nametoindex(device.c_str()))) {
  OVS_CHECK(socket_.get() >= 0 && ifindex_ > 0, device);
  const int one = 1, large = 8 << 20;
  for (const int option : {PACKET_VNET_HDR, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING})
    OVS_CHECK(::setsockopt(socket_.get(), SOL_PACKET, option, &one, sizeof one) == 0);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = ifindex_;
  OVS_CHECK(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

void FarEnd::send(const flow::Packet& packet) {
  VnetHeader header = make_vnet_header(packet);
  const iovec parts[] = {{&header, sizeof header}, {const_cast<std::uint8_t*>(packet.data()), packet.size()}};
  ASSERT_EQ(::writev(socket_.get(), parts, 2), static_cast<ssize_t>(sizeof header + packet.size()))
      << std::strerror(errno);
}

void FarEnd::send(const Frame& frame) { send(flow::Packet::copy_of(frame)); }

std::optional<flow::Packet> FarEnd::receive_now(const std::function<bool(const flow::Packet&)>& wanted) {
  for (;;) {
    flow::Packet packet(flow::max_frame_bytes);
    VnetHeader header{};
    iovec parts[] = {{&header, sizeof header}, {packet.data(), packet.capacity()}};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(tpacket_auxdata))];
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
    if (n < 0) return {};
    packet.set_size(static_cast<std::size_t>(n) - sizeof header);
    EXPECT_TRUE(read_vnet_header(header, packet.size(), packet.offload));
    if (const cmsghdr* c = CMSG_FIRSTHDR(&message))
      restore_vlan_tag(packet, *reinterpret_cast<const tpacket_auxdata*>(CMSG_DATA(c)));
    if (wanted(packet)) return packet;
  }
}

std::optional<flow::Packet> FarEnd::receive(const std::function<bool(const flow::Packet&)>& wanted) {
  for (const Deadline deadline; wait_readable(socket_.get(), deadline);)
    if (auto packet = receive_now(wanted)) return packet;
  return {};
}

std::unique_ptr<Registry> open_registry(const std::string& owner) {
  auto registry = Registry::open({DummyMode::on, owner});
  EXPECT_TRUE(registry) << registry.error().message;
  return *std::move(registry);
}

std::unique_ptr<Netdev> create(Registry& registry, const std::string& name, const std::string& type) {
  auto device = registry.create(name, type, {});
  EXPECT_TRUE(device) << device.error().message;
  return device ? *std::move(device) : nullptr;
}

std::optional<flow::Packet> receive(Netdev& device, const std::function<bool(const flow::Packet&)>& wanted) {
  const auto descriptors = device.rx_descriptors();
  if (descriptors.size() != 1) return {};
  std::vector<flow::Packet> slot;
  for (const Deadline deadline; wait_readable(descriptors[0], deadline);) {
    slot.clear();
    slot.emplace_back(flow::max_frame_bytes);
    if (device.receive(0, slot) == 1 && wanted(slot[0])) return std::move(slot[0]);
  }
  return {};
}

void send(Netdev& device, const flow::Packet& packet) {
  flow::Packet copy = packet.clone();
  flow::Packet* const one[] = {&copy};
  device.send(one);
}

bool follow(Registry& registry, const std::function<bool()>& done, std::vector<std::string>* told) {
  const Deadline deadline;
  do {
    for (auto& name : registry.process_events())
      if (told) told->push_back(std::move(name));
    if (done()) return true;
  } while (wait_readable(registry.event_descriptor(), deadline));
  return false;
}

Frame text_frame(const std::string& text) {
  constexpr std::array<std::uint8_t, 14> header = {0x02, 0, 0, 0, 0, 0x0b, 0x02, 0, 0, 0, 0, 0x0a, 0x88, 0xb5};
  Frame frame(std::max<std::size_t>(header.size() + text.size(), 60));
  std::ranges::copy(text, std::ranges::copy(header, frame.begin()).out);
  return frame;
}

std::function<bool(const flow::Packet&)> has_text(const std::string& text) {
  return [text](const flow::Packet& packet) {
    const std::string_view bytes(reinterpret_cast<const char*>(packet.data()), packet.size());
    return bytes.find(text) != std::string_view::npos;
  };
}

Frame with_tag(const Frame& frame, std::uint16_t tpid, std::uint16_t tci) {
  Frame tagged = frame;
  const std::uint8_t tag[] = {static_cast<std::uint8_t>(tpid >> 8), static_cast<std::uint8_t>(tpid),
                              static_cast<std::uint8_t>(tci >> 8), static_cast<std::uint8_t>(tci)};
  tagged.insert(tagged.begin() + 12, std::begin(tag), std::end(tag));
  return tagged;
}

Frame bytes_of(const flow::Packet& packet) { return {packet.bytes().begin(), packet.bytes().end()}; }

flow::Packet large_segment(std::size_t payload, std::optional<std::uint16_t> vlan) {
  constexpr std::size_t ip_at = 14, tcp_at = 34, headers = 54;
  Frame frame(headers + payload);
  for (std::size_t i = 0; i < payload; ++i) frame[headers + i] = static_cast<std::uint8_t>(i * 7);
  const Frame ethernet = {0x02, 0, 0, 0, 0, 0x0b, 0x02, 0, 0, 0, 0, 0x0a, 0x08, 0x00};
  std::copy(ethernet.begin(), ethernet.end(), frame.begin());
  const std::size_t ip_bytes = frame.size() - ip_at;
  const Frame ip = {0x45, 0, static_cast<std::uint8_t>(ip_bytes >> 8), static_cast<std::uint8_t>(ip_bytes), 0, 1, 0x40, 0,
                    64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
  std::copy(ip.begin(), ip.end(), frame.begin() + ip_at);
  const Frame tcp = {0x30, 0x39, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0x10, 0, 0, 0, 0, 0};
  std::copy(tcp.begin(), tcp.end(), frame.begin() + tcp_at);
  auto packet = flow::Packet::copy_of(vlan ? with_tag(frame, 0x8100, *vlan) : frame);
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = static_cast<std::uint16_t>(tcp_at + (vlan ? 4 : 0));
  packet.offload.checksum_offset = 16;
  packet.offload.gso = flow::Gso::tcp4;
  packet.offload.segment_bytes = 1448;
  return packet;
}

}  // namespace ovs::netdev::test
