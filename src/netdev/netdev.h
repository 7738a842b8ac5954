// Netdev: one network device, whatever its kind.
//
// Kinds, one file each: `system` (a Linux interface that exists), `internal` and `tap` (a TAP
// interface that we make, and that stays when we end), `patch` (one end of a cable between two
// bridges: no packets pass here, translation crosses it), `afxdp` (a Linux interface that exists, by
// AF_XDP), `dummy` (for tests).
//
// Who does what.  The owner (the switch's main thread) creates, configures and asks; a forwarding
// engine receives and sends.  A device that does not exist, or no longer, is a Netdev too: `state()`
// has ifindex 0, nothing is received and what is sent is dropped, until the kernel says that it is there (again).
// The kernel's word comes by Registry::process_events(); nothing here waits or polls.
//
// Offloads.  A device says what it takes in tx_offloads(); the engine has finished the rest before
// send() (flow/offload.h).
//
// Thread safety: receive() of one queue is called by one thread at a time; send() by any number at once;
// everything else on the main thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flow/flow_key.h"
#include "flow/packet.h"

namespace ovs::netdev {

// Counters since the device was made, as `Interface.statistics` names them; those that a kind does not have are empty.
struct Statistics {
  std::optional<std::uint64_t> rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors,
      rx_dropped, tx_dropped, rx_crc_err, rx_frame_err, rx_over_err, rx_missed_errors, collisions, multicast;
};

enum class Duplex : std::uint8_t { unknown, half, full };

// What the database learns about a device.
struct State {
  unsigned ifindex = 0;  // 0: does not exist
  flow::EthAddr mac{};
  unsigned mtu = 0;
  bool admin_up = false;
  bool link_up = false;
  std::uint64_t link_resets = 0;  // how often the link came or went
  std::uint64_t speed = 0;        // bits per second; 0: unknown
  Duplex duplex = Duplex::unknown;
  std::string master;             // the Linux bridge or bond that it belongs to: nothing passes then; empty: none
  std::string trouble;            // why nothing passes although the device is there; it is tried again; empty: it does
  bool settling = false;          // `trouble` may end by itself within a second, and is not to be told before
  std::string driver;             // "veth", "tun", ...; empty: unknown
  std::string driver_version;
  std::string firmware_version;

  friend bool operator==(const State&, const State&) = default;
};

struct TxOffloads {
  bool checksum = false;      // finishes partial checksums
  bool segmentation = false;  // cuts TCP segments

  friend bool operator==(const TxOffloads&, const TxOffloads&) = default;
};

using Options = std::map<std::string, std::string>;  // Interface.options

class Netdev {
 public:
  virtual ~Netdev() = default;
  Netdev(const Netdev&) = delete;
  Netdev& operator=(const Netdev&) = delete;

  const std::string& name() const { return name_; }
  virtual std::string_view type() const = 0;  // as in Interface.type; "system" for a plain one

  // Takes new options; an error names the option.  The device keeps its old ones then.
  virtual Result<void> set_options(const Options& options) = 0;
  // A sentence for each key that means nothing to this kind; of kinds that know all of theirs.
  virtual std::vector<std::string> unknown_options(const Options&) const { return {}; }

  virtual State state() const = 0;
  virtual Result<Statistics> statistics() const = 0;
  // Other things worth knowing, for Interface.status.
  virtual std::map<std::string, std::string> status() const { return {}; }

  virtual Result<void> set_mtu(unsigned mtu) = 0;
  virtual Result<void> set_mac(const flow::EthAddr& mac) = 0;
  virtual Result<void> set_admin_up(bool up) = 0;

  // The port is deleted (not: the process ends): what this device added to the system goes, such as a TAP interface.
  // Nothing is received or sent any more.
  virtual void destroy() {}

  // ---- for forwarding engines

  // One descriptor for each receive queue, readable when there is a packet; empty for a device that has none (patch)
  // or that is fed by hand (dummy), and before it exists; when it is gone or taken away it may be a descriptor that is
  // never readable.  May change in Registry::process_events(): `generation` counts how often.
  virtual std::vector<int> rx_descriptors() const { return {}; }
  virtual std::uint64_t generation() const { return 0; }

  // Up to slots.size() frames into `slots`, each reset() and with room for max_frame_bytes; returns how many.  Never
  // blocks.
  virtual std::size_t receive(std::size_t queue, std::span<flow::Packet> slots) = 0;
  // Sends copies; what the device does not take is dropped and counted.  Never blocks.
  virtual void send(std::span<flow::Packet* const> packets) = 0;
  virtual TxOffloads tx_offloads() const { return {}; }

 protected:
  explicit Netdev(std::string name) : name_(std::move(name)) {}

 private:
  const std::string name_;
};

}  // namespace ovs::netdev
