// A device without a kernel behind it, for tests: what is sent is counted and written to pcap files, what it "receives" is put in by
// hand (`netdev-dummy/receive`: count_rx(), then Datapath::inject()).
//
// Options: `pcap` (a file for both directions), `rxq_pcap` (received), `tx_pcap` (sent).  Each
// frame is in the file when send() or count_rx() returns.  Every dummy has a MAC of its own, aa:55:aa:55:00:NN,
// counted up in the order of creation.  Options that no dummy knows are taken without a word: with --enable-dummy=override,
// dummies stand for devices of every type and get their options.  Frames longer than the MTU allows are not sent.
//
// Thread safety: send() and count_rx() from any thread; the rest as in netdev.h.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "netdev/netdev.h"
#include "netdev/pcap_writer.h"

namespace ovs::netdev {

class Dummy final : public Netdev {
 public:
  // `type` is what type() says: with --enable-dummy=override, dummies stand for devices of every type.
  Dummy(std::string name, std::string type, const flow::EthAddr& mac);

  std::string_view type() const override { return type_; }
  Result<void> set_options(const Options& options) override;
  State state() const override;
  Result<Statistics> statistics() const override;
  Result<void> set_mtu(unsigned mtu) override;
  Result<void> set_mac(const flow::EthAddr& mac) override;
  Result<void> set_admin_up(bool up) override;
  std::size_t receive(std::size_t, std::span<flow::Packet>) override { return 0; }
  void send(std::span<flow::Packet* const> packets) override;

  // A frame arrives: counts it and writes it to the pcap files.
  void count_rx(const flow::Packet& packet);
  // `netdev-dummy/set-admin-state`: the link of a dummy follows its administrative state.
  void set_admin_state(bool up);

 private:
  const std::string type_;
  mutable std::mutex mutex_;  // of what follows: packets come from several threads, and tests need no speed
  State state_;
  Statistics counters_;
  // One file for both directions is one writer, shared.
  std::shared_ptr<PcapWriter> rx_pcap_, tx_pcap_;
};

}  // namespace ovs::netdev
