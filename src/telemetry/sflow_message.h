// The datagrams of sFlow version 5 ("sFlow Version 5", sflow.org, July 2004, and the structures that
// sflow.org published later), as plain structs: what the agent writes and the decoder reads.
//
// Only what this switch sends has a struct.  Whatever else a datagram contains is kept as bytes, under
// its format number, so that reading and writing again changes nothing.
//
// Numbers are in host byte order; counters that nobody counts have all bits set.
//
// Thread safety: values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "base/byte_order.h"
#include "flow/flow_key.h"
#include "telemetry/ip_address.h"

namespace ovs::telemetry::sflow {

inline constexpr std::uint32_t version = 5;
inline constexpr std::uint16_t default_port = 6343;
// The largest datagram that the agent makes; an Ethernet frame has room for it and for every outer header.
inline constexpr std::size_t max_datagram_bytes = 1400;

inline constexpr std::uint32_t unknown32 = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint64_t unknown64 = std::numeric_limits<std::uint64_t>::max();

// What a sample or counters come from (sflow_data_source).
struct Source {
  enum Type : std::uint32_t { interface = 0, vlan = 1, entity = 2 };  // ifIndex, VLAN, entPhysicalIndex
  std::uint32_t type = interface;
  std::uint32_t index = 0;
  friend auto operator<=>(const Source&, const Source&) = default;
};

// Where a packet came in or went out.
struct Interface {
  enum Format : std::uint32_t { single = 0, discarded = 1, multiple = 2 };
  std::uint32_t format = single;
  std::uint32_t value = 0;  // ifIndex, 0: unknown; reason of the discard; number of outputs, 0: unknown
  friend bool operator==(const Interface&, const Interface&) = default;
};
inline constexpr std::uint32_t discard_reason_unknown = 256;

// ---- flow records

// The first bytes of the frame (sampled_header).
struct SampledHeader {
  static constexpr std::uint32_t ethernet = 1;
  std::uint32_t protocol = ethernet;
  std::uint32_t frame_length = 0;  // on the wire, with what was stripped
  std::uint32_t stripped = 0;      // bytes that are missing at the frame's end: the FCS
  std::vector<std::uint8_t> header;
  friend bool operator==(const SampledHeader&, const SampledHeader&) = default;
};

// VLAN and 802.1p priority as received and as sent (extended_switch).
struct ExtendedSwitch {
  std::uint32_t in_vlan = 0, in_priority = 0, out_vlan = 0, out_priority = 0;
  friend bool operator==(const ExtendedSwitch&, const ExtendedSwitch&) = default;
};

// Label stacks, outermost label first (extended_mpls).
struct ExtendedMpls {
  IpAddress next_hop;
  std::vector<std::uint32_t> in_stack, out_stack;
  friend bool operator==(const ExtendedMpls&, const ExtendedMpls&) = default;
};

// The outer headers of a tunnel that the packet came out of (in) or was put into (out)
// (extended_ipv4_tunnel_ingress and its like, "sFlow Tunnel Structures").
enum class Way : std::uint8_t { out, in };
template <Way, class Address>
struct Tunnel {
  std::uint32_t length = 0;  // of the outer IP packet; 0: unknown
  std::uint32_t protocol = 0;
  Address src{}, dst{};
  std::uint32_t src_port = 0, dst_port = 0, tcp_flags = 0, tos = 0;
  friend bool operator==(const Tunnel&, const Tunnel&) = default;
};
using Ipv4TunnelOut = Tunnel<Way::out, be32>;
using Ipv4TunnelIn = Tunnel<Way::in, be32>;
using Ipv6TunnelOut = Tunnel<Way::out, flow::Ipv6Addr>;
using Ipv6TunnelIn = Tunnel<Way::in, flow::Ipv6Addr>;

template <Way>
struct TunnelVni {
  std::uint32_t vni = 0;
  friend bool operator==(const TunnelVni&, const TunnelVni&) = default;
};
using TunnelVniOut = TunnelVni<Way::out>;
using TunnelVniIn = TunnelVni<Way::in>;

// ---- counter records

// Generic interface counters (if_counters; RFC 2233).
struct InterfaceCounters {
  static constexpr std::uint32_t ethernet_type = 6;
  enum Direction : std::uint32_t { unknown_duplex = 0, full_duplex = 1, half_duplex = 2 };
  static constexpr std::uint32_t admin_up = 1, link_up = 2;

  std::uint32_t index = 0;
  std::uint32_t type = ethernet_type;
  std::uint64_t speed = 0;  // bits per second
  std::uint32_t direction = unknown_duplex;
  std::uint32_t status = 0;  // admin_up, link_up
  std::uint64_t in_octets = unknown64;
  std::uint32_t in_unicast = unknown32, in_multicast = unknown32, in_broadcast = unknown32;
  std::uint32_t in_discards = unknown32, in_errors = unknown32, in_unknown_protocols = unknown32;
  std::uint64_t out_octets = unknown64;
  std::uint32_t out_unicast = unknown32, out_multicast = unknown32, out_broadcast = unknown32;
  std::uint32_t out_discards = unknown32, out_errors = unknown32;
  std::uint32_t promiscuous = 0;
  friend bool operator==(const InterfaceCounters&, const InterfaceCounters&) = default;
};

// ethernet_counters (RFC 2358).
struct EthernetCounters {
  std::uint32_t alignment_errors = unknown32, fcs_errors = unknown32, single_collisions = unknown32,
                multiple_collisions = unknown32, sqe_errors = unknown32, deferred = unknown32,
                late_collisions = unknown32, excessive_collisions = unknown32, transmit_errors = unknown32,
                carrier_errors = unknown32, frames_too_long = unknown32, receive_errors = unknown32,
                symbol_errors = unknown32;
  friend bool operator==(const EthernetCounters&, const EthernetCounters&) = default;
};

// vlan_counters.
struct VlanCounters {
  std::uint32_t vlan = 0;
  std::uint64_t octets = unknown64;
  std::uint32_t unicast = unknown32, multicast = unknown32, broadcast = unknown32, discards = unknown32;
  friend bool operator==(const VlanCounters&, const VlanCounters&) = default;
};

// Load of the host: hundredths of a percent over 5 s, 1 min and 5 min; bytes of memory (processor).
struct Processor {
  std::uint32_t load_5s = unknown32, load_1m = unknown32, load_5m = unknown32;
  std::uint64_t memory_total = unknown64, memory_free = unknown64;
  friend bool operator==(const Processor&, const Processor&) = default;
};

// The port of an OpenFlow switch (of_port) and its name (port_name).
struct OpenflowPort {
  std::uint64_t datapath_id = 0;
  std::uint32_t port = 0;
  friend bool operator==(const OpenflowPort&, const OpenflowPort&) = default;
};
struct PortName {
  std::string name;
  friend bool operator==(const PortName&, const PortName&) = default;
};

// What the switch's process uses (app_resources): milliseconds of processor time, bytes.
struct ProcessResources {
  std::uint32_t user_ms = unknown32, system_ms = unknown32;
  std::uint64_t memory_used = unknown64, memory_max = unknown64;
  std::uint32_t files_open = unknown32, files_max = unknown32;
  std::uint32_t connections_open = unknown32, connections_max = unknown32;
  friend bool operator==(const ProcessResources&, const ProcessResources&) = default;
};

// Look-ups of the datapath (ovs_dp_stats).
struct LookUpCounters {
  std::uint32_t hits = unknown32, misses = unknown32, lost = unknown32, mask_hits = unknown32,
                flows = unknown32, masks = unknown32;
  friend bool operator==(const LookUpCounters&, const LookUpCounters&) = default;
};

// ---- samples

// A record or sample that has no struct here: enterprise << 12 | format, and its body.
struct Opaque {
  std::uint32_t format = 0;
  std::vector<std::uint8_t> body;
  friend bool operator==(const Opaque&, const Opaque&) = default;
};

using FlowRecord = std::variant<SampledHeader, ExtendedSwitch, ExtendedMpls, Ipv4TunnelOut, Ipv4TunnelIn,
                                Ipv6TunnelOut, Ipv6TunnelIn, TunnelVniOut, TunnelVniIn, Opaque>;
using CounterRecord = std::variant<InterfaceCounters, EthernetCounters, VlanCounters, Processor, OpenflowPort,
                                   PortName, ProcessResources, LookUpCounters, Opaque>;

// One sampled packet.
struct FlowSample {
  std::uint32_t sequence = 0;  // of this source's samples
  Source source;
  std::uint32_t rate = 0;   // one packet of so many is sampled
  std::uint32_t pool = 0;   // packets that could have been
  std::uint32_t drops = 0;  // samples that were lost on their way to the agent
  Interface input, output;
  std::vector<FlowRecord> records;
  friend bool operator==(const FlowSample&, const FlowSample&) = default;
};

struct CounterSample {
  std::uint32_t sequence = 0;
  Source source;
  std::vector<CounterRecord> records;
  friend bool operator==(const CounterSample&, const CounterSample&) = default;
};

using Sample = std::variant<FlowSample, CounterSample, Opaque>;

struct Datagram {
  IpAddress agent;
  std::uint32_t sub_agent = 0;
  std::uint32_t sequence = 0;
  std::uint32_t uptime = 0;  // milliseconds since the agent started
  std::vector<Sample> samples;
  friend bool operator==(const Datagram&, const Datagram&) = default;
};

}  // namespace ovs::telemetry::sflow
