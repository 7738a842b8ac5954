// A network namespace for this test program, and wires in it.
//
// The program leaves the host's namespace before its first test (private_network.cc).  Without the right to do so it
// makes a user namespace first; where even that is not allowed, the tests fail and say so.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "flow/packet.h"
#include "netdev/registry.h"

namespace ovs::netdev::test {

using Frame = std::vector<std::uint8_t>;

// Runs a shell command that must succeed.
void run(const std::string& command);
bool succeeds(const std::string& command);

// A thread in a network namespace of its own; `pid()` is what `ip link set DEVICE netns PID` takes.
class Host {
 public:
  Host();
  ~Host();
  pid_t pid() const { return pid_; }
  std::string namespace_file() const;
  void run(const std::string& command) const;  // a shell command in the namespace
  // Runs `work` on the thread and waits for it.
  void call(std::function<void()> work);
  // Starts `work`; the next call waits for it.
  void start(std::function<void()> work);
  void wait();

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
  pid_t pid_ = 0;
  std::thread thread_;
};

// The far end of a cable: a packet socket on an interface of this namespace, with virtio headers.
class FarEnd {
 public:
  explicit FarEnd(const std::string& device);
  void send(const flow::Packet& packet);
  void send(const Frame& frame);
  // The next frame for which `wanted` is true, others are thrown away; empty after ten seconds.
  std::optional<flow::Packet> receive(const std::function<bool(const flow::Packet&)>& wanted);
  // The same without waiting.
  std::optional<flow::Packet> receive_now(const std::function<bool(const flow::Packet&)>& wanted);

 private:
  Descriptor socket_;
  int ifindex_;
};

std::unique_ptr<Registry> open_registry(const std::string& owner = "test");
std::unique_ptr<Netdev> create(Registry& registry, const std::string& name, const std::string& type = "");

// Waits until a device receives a frame for which `wanted` is true; empty after ten seconds.
std::optional<flow::Packet> receive(Netdev& device, const std::function<bool(const flow::Packet&)>& wanted);
void send(Netdev& device, const flow::Packet& packet);
// Handles events until `done`; false after ten seconds.  The names that were told are added to `*told`.
bool follow(Registry& registry, const std::function<bool()>& done, std::vector<std::string>* told = nullptr);

// An Ethernet frame with the experimental type 0x88b5 and this text, padded to 60 bytes.
Frame text_frame(const std::string& text);
std::function<bool(const flow::Packet&)> has_text(const std::string& text);
Frame with_tag(const Frame& frame, std::uint16_t tpid, std::uint16_t tci);
Frame bytes_of(const flow::Packet& packet);

// An IPv4 TCP segment of `payload` bytes whose checksum is left to the hardware, to be cut into segments of 1448 bytes.
flow::Packet large_segment(std::size_t payload, std::optional<std::uint16_t> vlan = {});

}  // namespace ovs::netdev::test
