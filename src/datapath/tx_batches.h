// TxBatches: what one thread is about to send, gathered for each port, so that a device is called once
// for a batch.
//
// Packets are borrowed; they are sent by flush(), or as soon as a port has a full batch.  What the port's
// device cannot finish itself is finished then: checksums in place, which is as good for other ports,
// segments as copies.
//
// Thread safety: an object belongs to one thread, a reader of the ports' RCU domain.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "datapath/port_table.h"
#include "flow/packet.h"

namespace ovs::datapath {

class TxBatches {
 public:
  explicit TxBatches(const PortTable& ports);

  void add(DpPort port, flow::Packet& packet) {
    if (raw(port) >= max_ports) [[unlikely]] return;
    Batch& batch = port == last_port_ ? *last_ : find(port);
    batch.has_offload |= packet.offload.any();
    batch.packets[batch.count++] = &packet;
    if (batch.count == flow::batch_size) [[unlikely]] send(batch);
  }
  void flush();
  bool empty() const { return used_ == 0; }

 private:
  struct Batch {
    DpPort port{};
    bool has_offload = false;
    std::size_t count = 0;
    std::array<flow::Packet*, flow::batch_size> packets;
  };

  Batch& find(DpPort port);
  void send(Batch& batch);
  void send_finished(EnginePort& port, Batch& batch);

  const PortTable& ports_;
  DpPort last_port_ = no_port;
  Batch* last_ = nullptr;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<Batch>> batches_;  // the first `used_` are in use
  // Where a port's batch is, counted from 1; 0: it has none.
  std::vector<std::uint16_t> batch_of_port_;
  std::vector<flow::Packet> segments_;
};

}  // namespace ovs::datapath
