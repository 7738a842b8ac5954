#include "netdev/dummy.h"

#include <optional>

#include "base/text.h"

namespace ovs::netdev {
namespace {

constexpr std::size_t ethernet_header_bytes = 14;
constexpr std::size_t vlan_tag_bytes = 4;

bool is_tagged(const flow::Packet& packet) {
  if (packet.size() < ethernet_header_bytes) return false;
  const unsigned type = packet.data()[12] << 8 | packet.data()[13];
  return type == 0x8100 || type == 0x88a8;
}

std::string_view option(const Options& options, const char* name) {
  const auto found = options.find(name);
  return found == options.end() ? std::string_view{} : std::string_view{found->second};
}

Result<std::shared_ptr<PcapWriter>> writer(std::string_view file, const std::shared_ptr<PcapWriter>& present) {
  if (file.empty()) return std::shared_ptr<PcapWriter>{};
  if (present && present->file() == file) return present;
  OVS_TRY(auto opened, PcapWriter::open(std::string(file)));
  return std::make_shared<PcapWriter>(std::move(opened));
}

}  // namespace

Dummy::Dummy(std::string name, std::string type, const flow::EthAddr& mac)
    : Netdev(std::move(name)), type_(std::move(type)) {
  state_.mac = mac;
  state_.mtu = 1500;
  state_.admin_up = state_.link_up = true;
  counters_.rx_packets = counters_.tx_packets = counters_.rx_bytes = counters_.tx_bytes = 0;
  counters_.rx_dropped = counters_.tx_dropped = 0;
}

Result<void> Dummy::set_options(const Options& options) {
  const std::lock_guard lock(mutex_);
  unsigned ifindex = 0;
  if (const auto text = option(options, "ifindex"); !text.empty()) {
    const auto number = parse_integer(text);
    if (!number || *number < 0 || *number > 0x7fffffff)
      return unexpected("options:ifindex is no interface index: " + std::string(text));
    ifindex = static_cast<unsigned>(*number);
  }
  if (const auto file = option(options, "pcap"); !file.empty()) {
    OVS_TRY(auto both, writer(file, rx_pcap_));
    rx_pcap_ = tx_pcap_ = std::move(both);
  } else {
    OVS_TRY(auto rx, writer(option(options, "rxq_pcap"), rx_pcap_));
    OVS_TRY(auto tx, writer(option(options, "tx_pcap"), tx_pcap_));
    rx_pcap_ = std::move(rx);
    tx_pcap_ = std::move(tx);
  }
  state_.ifindex = ifindex;
  return {};
}

State Dummy::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Result<Statistics> Dummy::statistics() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

Result<void> Dummy::set_mtu(unsigned mtu) {
  if (mtu < 68 || mtu > 65535) return unexpected("no MTU: " + std::to_string(mtu));
  const std::lock_guard lock(mutex_);
  state_.mtu = mtu;
  return {};
}

Result<void> Dummy::set_mac(const flow::EthAddr& mac) {
  const std::lock_guard lock(mutex_);
  state_.mac = mac;
  return {};
}

Result<void> Dummy::set_admin_up(bool up) {
  set_admin_state(up);
  return {};
}

void Dummy::set_admin_state(bool up) {
  const std::lock_guard lock(mutex_);
  if (state_.link_up != up) state_.link_resets++;
  state_.admin_up = state_.link_up = up;
}

void Dummy::send(std::span<flow::Packet* const> packets) {
  const std::lock_guard lock(mutex_);
  for (const flow::Packet* packet : packets) {
    const std::size_t longest = state_.mtu + ethernet_header_bytes + (is_tagged(*packet) ? vlan_tag_bytes : 0);
    if (packet->size() > longest) {
      ++*counters_.tx_dropped;
      continue;
    }
    ++*counters_.tx_packets;
    *counters_.tx_bytes += packet->size();
    if (tx_pcap_) tx_pcap_->write(packet->bytes());
  }
}

void Dummy::count_rx(const flow::Packet& packet) {
  const std::lock_guard lock(mutex_);
  ++*counters_.rx_packets;
  *counters_.rx_bytes += packet.size();
  if (rx_pcap_) rx_pcap_->write(packet.bytes());
}

}  // namespace ovs::netdev
