// PortTable: the ports of an engine by number, as its forwarding threads see them.
//
// Thread safety: find() and the members of Port that are said to be so are for readers of the RCU domain,
// between two quiescent states; all else is the main thread's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/rcu.h"
#include "datapath/action.h"
#include "datapath/upcall_queue.h"
#include "netdev/netdev.h"

namespace ovs::datapath {

// One receive queue of a device.
struct RxQueue {
  static constexpr int no_owner = -1;

  int descriptor = -1;
  // The number of the thread that receives from it.  Only that one may.
  std::atomic<int> owner{no_owner};
  // Whether its owner goes on with it without asking epoll; the owner's.
  bool active = false;
  // How often it was reported ready and had nothing, since it last had something; the owner's.
  unsigned vain_reports = 0;
};

struct RxQueues {
  explicit RxQueues(std::size_t count) : count(count), queues(std::make_unique<RxQueue[]>(count)) {}
  const std::size_t count;
  const std::unique_ptr<RxQueue[]> queues;
};

struct EnginePort {
  EnginePort(DpPort number_, netdev::Netdev& device_, std::size_t upcall_limit)
      : number(number_), device(device_), upcalls(upcall_limit) {}

  const DpPort number;
  netdev::Netdev& device;  // threads: receive() and send()
  UpcallQueue upcalls;     // threads: put()
  RcuPointer<RxQueues> queues;
  // What the device takes; asked when the port is added or changes.
  std::atomic<bool> takes_checksum{false};
  std::atomic<bool> takes_segmentation{false};
};

// Numbers are below this, as in the kernel's datapath.
inline constexpr std::uint32_t max_ports = 65535;

class PortTable {
 public:
  PortTable() : ports_(std::make_unique<std::atomic<EnginePort*>[]>(max_ports)) {}
  ~PortTable() {
    for (std::uint32_t i = 0; i < max_ports; i++) delete ports_[i].load(std::memory_order_relaxed);
  }
  PortTable(const PortTable&) = delete;
  PortTable& operator=(const PortTable&) = delete;

  EnginePort* find(DpPort port) const {
    return raw(port) < max_ports ? ports_[raw(port)].load(std::memory_order_acquire) : nullptr;
  }

  void put(std::unique_ptr<EnginePort> port) {
    auto& place = ports_[raw(port->number)];
    place.store(port.release(), std::memory_order_release);
  }
  // Readers may still use what is returned.
  std::unique_ptr<EnginePort> take(DpPort port) {
    return std::unique_ptr<EnginePort>(ports_[raw(port)].exchange(nullptr, std::memory_order_acq_rel));
  }

 private:
  std::unique_ptr<std::atomic<EnginePort*>[]> ports_;
};

}  // namespace ovs::datapath
