#include "netdev/patch.h"

namespace ovs::netdev {

Patch::Patch(std::string name, const flow::EthAddr& mac) : Netdev(std::move(name)) {
  state_.mac = mac;
  state_.admin_up = state_.link_up = true;
}

Result<void> Patch::set_options(const Options& options) {
  std::string peer;
  for (const auto& [key, value] : options)
    if (key == "peer") peer = value;
  if (peer.empty()) return unexpected(name() + ": a patch port needs options:peer, the name of its other end");
  if (peer == name()) return unexpected(name() + ": a patch port cannot be its own options:peer");
  peer_ = std::move(peer);
  return {};
}

Result<Statistics> Patch::statistics() const {
  Statistics s;
  s.rx_packets = rx_packets_.load(std::memory_order_relaxed);
  s.rx_bytes = rx_bytes_.load(std::memory_order_relaxed);
  s.tx_packets = tx_packets_.load(std::memory_order_relaxed);
  s.tx_bytes = tx_bytes_.load(std::memory_order_relaxed);
  return s;
}

Result<void> Patch::set_mtu(unsigned) { return unexpected(name() + ": a patch port has no MTU"); }

Result<void> Patch::set_mac(const flow::EthAddr& mac) {
  state_.mac = mac;
  return {};
}

void Patch::count_rx(std::uint64_t packets, std::uint64_t bytes) {
  rx_packets_.fetch_add(packets, std::memory_order_relaxed);
  rx_bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

void Patch::count_tx(std::uint64_t packets, std::uint64_t bytes) {
  tx_packets_.fetch_add(packets, std::memory_order_relaxed);
  tx_bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

}  // namespace ovs::netdev
