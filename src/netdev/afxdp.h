// A Linux interface that exists without us, by AF_XDP: its driver hands frames over before the kernel has made
// packets of them, and takes them from memory that both share.
//
// Each receive queue has a socket (xsk_socket.h), all of them or none: a frame of a queue without one would be lost.
// What is sent leaves by the queue that belongs to the thread which sends.  A program at the interface's entrance
// distributes the frames (xdp_program.h); while it is there, the host's own stack sees nothing of them, and it goes
// with this process.
//
// What cannot be now (too large an MTU, another XDP program) is State::trouble, and is tried again when the interface
// changes, and from time to time.
//
// The kernel lets go of a queue some time after its socket was closed: ours, for other options, or that of a process
// which just ended.  For a second, the sockets therefore wait for their queues with all else done (State::settling); only
// then is it another program that has them.
//
// Offloads: none; the engine finishes checksums and cuts segments.  What comes from this host itself (a veth pair, a
// TAP interface) may have an unfinished checksum, which is found out (unfinished_checksum.h).
//
// Thread safety: as netdev.h.  A thread that uses a queue announces it (Use), and the main thread exchanges a
// socket when nobody does.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "netdev/afxdp_options.h"
#include "netdev/kernel_device.h"
#include "netdev/xdp_program.h"
#include "netdev/xsk_socket.h"

namespace ovs::netdev {

class Afxdp final : public KernelDevice {
 public:
  static constexpr unsigned most_queues = AfxdpOptions::most_queues;
  // The largest MTU for which a frame with two VLAN tags fits into one of the socket's frames.
  static constexpr unsigned largest_mtu = XskSocket::longest_frame(4096) - 22;

  Afxdp(std::string name, LinkTable& links, const AfxdpOptions& options);
  ~Afxdp() override;

  std::string_view type() const override { return "afxdp"; }
  Result<void> set_options(const Options& options) override;
  std::vector<std::string> unknown_options(const Options& options) const override;
  std::map<std::string, std::string> status() const override;
  Result<void> set_mtu(unsigned mtu) override;
  void destroy() override;

  std::vector<int> rx_descriptors() const override;
  std::size_t receive(std::size_t queue, std::span<flow::Packet> slots) override;
  void send(std::span<flow::Packet* const> packets) override;

  Statistics to_statistics(const netlink::LinkCounters& counters) const override;
  void look_again() override;
  bool is_outdated() const override;

 protected:
  Result<void> open_interface(const netlink::Link& link) override;
  void close_interface() override;
  bool yields_to_master() const override { return true; }
  void link_changed(const netlink::Link& link) override;
  bool interface_lost() override {
    // It may live on under another name: as the host's own, unless that is a port, too.
    if (is_open()) close_interface();
    return false;
  }

 private:
  struct Queue;
  class Use;
  using Sockets = std::vector<std::unique_ptr<XskSocket>>;

  bool serves(const AfxdpOptions& wanted) const;
  void open_anew();
  void try_to_open();
  Result<void> open_sockets();
  Result<Sockets> bind_sockets(unsigned queues, std::uint32_t frame_bytes, bool zero_copy);
  Result<XdpProgram> attach(const Sockets& sockets, bool native) const;
  Result<void> put_in_use(Sockets sockets, XdpProgram program, XdpMode mode, unsigned sending);
  void close_sockets();
  void close_all();
  void tell_what_is_lost() const;
  XskLosses losses_of(const XskSocket& socket) const;
  void kick(Queue& queue, XskSocket& socket);

  AfxdpOptions options_;
  netlink::Link link_;  // as rtnetlink told it last
  std::optional<XdpProgram> program_;
  XdpMode mode_ = XdpMode::best_effort;  // in use
  bool zero_copy_failed_ = false;        // for this interface as it is: not tried again
  Descriptor promiscuous_;               // a packet socket that receives nothing
  std::chrono::milliseconds next_try_, next_bind_;
  std::chrono::steady_clock::time_point settled_by_;
  // That wait for queues, some of them bound already, and what they were made for.
  struct Waiting {
    Sockets sockets;
    std::uint32_t frame_bytes = 0;
    bool zero_copy = false;
  };
  Waiting waiting_;

  // Queues are made once and stay until the end, for threads that look at them.
  std::array<std::atomic<Queue*>, most_queues> queues_{};
  std::atomic<unsigned> open_queues_{0}, sending_queues_{0};
  std::atomic<bool> up_{false}, from_this_host_{false};
  std::atomic<std::size_t> longest_frame_{0};
  std::atomic<std::uint64_t> tx_dropped_{0};
  XskLosses lost_before_;  // by sockets that are closed
};

}  // namespace ovs::netdev
