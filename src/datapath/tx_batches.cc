#include "datapath/tx_batches.h"

#include "base/coverage.h"
#include "flow/offload.h"

namespace ovs::datapath {

namespace {

Coverage invalid_offload{"datapath_drop_invalid_offload"};
Coverage invalid_port{"datapath_drop_invalid_port"};

}  // namespace

TxBatches::TxBatches(const PortTable& ports) : ports_(ports), batch_of_port_(max_ports) {}

TxBatches::Batch& TxBatches::find(DpPort port) {
  std::uint16_t& place = batch_of_port_[raw(port)];
  if (place == 0) {
    if (used_ == batches_.size()) batches_.push_back(std::make_unique<Batch>());
    Batch& batch = *batches_[used_];
    batch.port = port;
    batch.count = 0;
    batch.has_offload = false;
    place = static_cast<std::uint16_t>(++used_);
  }
  last_port_ = port;
  last_ = batches_[place - 1u].get();
  return *last_;
}

void TxBatches::send(Batch& batch) {
  EnginePort* port = ports_.find(batch.port);
  if (port == nullptr) {
    invalid_port.add(batch.count);
  } else if (batch.has_offload) {
    send_finished(*port, batch);
  } else {
    port->device.send({batch.packets.data(), batch.count});
  }
  batch.count = 0;
  batch.has_offload = false;
}

void TxBatches::send_finished(EnginePort& port, Batch& batch) {
  const bool takes_checksum = port.takes_checksum.load(std::memory_order_relaxed);
  const bool takes_segmentation = port.takes_segmentation.load(std::memory_order_relaxed);
  std::size_t waiting = 0;  // packets at the batch's beginning that need nothing more
  const auto send_waiting = [&] {
    if (waiting > 0) port.device.send({batch.packets.data(), waiting});
    waiting = 0;
  };
  for (std::size_t i = 0; i < batch.count; i++) {
    flow::Packet& packet = *batch.packets[i];
    if (packet.offload.gso != flow::Gso::none && !takes_segmentation) {
      segments_.clear();
      if (!flow::segment(packet, segments_)) {
        invalid_offload.add();
        continue;
      }
      send_waiting();  // the order within the port stays
      std::array<flow::Packet*, flow::batch_size> some;
      std::size_t count = 0;
      for (flow::Packet& segment : segments_) {
        some[count++] = &segment;
        if (count == some.size()) {
          port.device.send({some.data(), count});
          count = 0;
        }
      }
      if (count > 0) port.device.send({some.data(), count});
      continue;
    }
    if (packet.offload.needs_checksum && packet.offload.gso == flow::Gso::none &&
        (!takes_checksum || packet.offload.needs_crc()) && !flow::finish_checksum(packet)) {
      invalid_offload.add();
      continue;
    }
    batch.packets[waiting++] = &packet;
  }
  send_waiting();
  segments_.clear();
}

void TxBatches::flush() {
  for (std::size_t i = 0; i < used_; i++) {
    Batch& batch = *batches_[i];
    if (batch.count > 0) send(batch);
    batch_of_port_[raw(batch.port)] = 0;
  }
  used_ = 0;
  last_port_ = no_port;
}

}  // namespace ovs::datapath
