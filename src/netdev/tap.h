// A TAP interface that the switch makes: the types `internal` and `tap`.
//
// What the host sends through the interface is received here, and what is sent here the host
// receives; so the interface's rx counters are the port's tx counters.  The interface is persistent: it
// stays, with its addresses and routes, when the process ends, and is opened again by its name.  If somebody
// removes it while it is a port, it is made again.  If somebody moves it to another network namespace, it goes on
// working from there; its counters, which the kernel tells only there, are carried on here.
//
// Thread safety: as netdev.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "netdev/kernel_device.h"
#include "netdev/stable_descriptor.h"

namespace ovs::netdev {

class Tap final : public KernelDevice {
 public:
  Tap(std::string name, std::string type, LinkTable& links)
      : KernelDevice(std::move(name), links), type_(std::move(type)) {}

  std::string_view type() const override { return type_; }
  Result<void> set_options(const Options&) override { return {}; }  // there are none
  std::map<std::string, std::string> status() const override;
  void destroy() override;

  std::vector<int> rx_descriptors() const override;
  std::size_t receive(std::size_t queue, std::span<flow::Packet> slots) override;
  void send(std::span<flow::Packet* const> packets) override;
  TxOffloads tx_offloads() const override { return {.checksum = true, .segmentation = true}; }

  Statistics to_statistics(const netlink::LinkCounters& counters) const override;
  Statistics own_statistics() const override;

 protected:
  Result<void> make_interface() override;
  Result<void> open_interface(const netlink::Link& link) override;
  bool interface_lost() override;

 private:
  // Frames and bytes of one direction, counted here since the kernel's own counters were read last.
  class Count {
   public:
    void add(std::size_t packets, std::size_t bytes) {
      packets_.fetch_add(packets, std::memory_order_relaxed);
      bytes_.fetch_add(bytes, std::memory_order_relaxed);
    }
    void start() {
      packets_before_ = packets_.load(std::memory_order_relaxed);
      bytes_before_ = bytes_.load(std::memory_order_relaxed);
    }
    void add_to(std::optional<std::uint64_t>& packets, std::optional<std::uint64_t>& bytes) const {
      packets = packets.value_or(0) + packets_.load(std::memory_order_relaxed) - packets_before_;
      bytes = bytes.value_or(0) + bytes_.load(std::memory_order_relaxed) - bytes_before_;
    }

   private:
    std::atomic<std::uint64_t> packets_{0}, bytes_{0};
    std::uint64_t packets_before_ = 0, bytes_before_ = 0;
  };

  bool attached() const;
  void let_go();

  const std::string type_;
  StableDescriptor fd_;
  std::mutex exchange_;  // of the file behind fd_
  std::atomic<std::uint64_t> rx_bad_{0}, tx_dropped_{0};
  // The kernel's counters as they were read last, and what came since: what is known of an interface out of sight.
  mutable Statistics seen_;
  mutable Count rx_, tx_;
};

}  // namespace ovs::netdev
