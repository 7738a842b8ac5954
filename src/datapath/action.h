// What a datapath does with a packet: the actions of a megaflow, in the terms of the kernel's
// openvswitch module, whose text form they have (ovs-actions(7) and `dpctl/dump-flows`).
//
// Thread safety: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "flow/flow_key.h"

namespace ovs::datapath {

// The number of a port within a datapath.  The datapath's own port is 0.
enum class DpPort : std::uint32_t {};
inline constexpr DpPort no_port{0xffffffff};
constexpr std::uint32_t raw(DpPort port) { return static_cast<std::uint32_t>(port); }

struct Output {
  DpPort port;
  friend bool operator==(const Output&, const Output&) = default;
};

struct PushVlan {
  flow::VlanTag tag;
  friend bool operator==(const PushVlan& a, const PushVlan& b) {
    return a.tag.tpid == b.tag.tpid && a.tag.tci == b.tag.tci;
  }
};

struct PopVlan {
  friend bool operator==(const PopVlan&, const PopVlan&) = default;
};

// Headers as the kernel groups them (struct ovs_key_ethernet and its like).
struct EthernetHeader {
  flow::EthAddr src, dst;
  friend bool operator==(const EthernetHeader&, const EthernetHeader&) = default;
};
struct Ipv4Header {
  be32 src, dst;
  std::uint8_t proto, tos, ttl, frag;  // proto and frag cannot be set
  friend bool operator==(const Ipv4Header&, const Ipv4Header&) = default;
};
struct Ipv6Header {
  flow::Ipv6Addr src, dst;
  be32 label;
  std::uint8_t proto, tclass, hlimit, frag;  // proto and frag cannot be set
  friend bool operator==(const Ipv6Header&, const Ipv6Header&) = default;
};
struct TcpPorts {
  be16 src, dst;
  friend bool operator==(const TcpPorts&, const TcpPorts&) = default;
};
struct UdpPorts {
  be16 src, dst;
  friend bool operator==(const UdpPorts&, const UdpPorts&) = default;
};
struct SctpPorts {
  be16 src, dst;
  friend bool operator==(const SctpPorts&, const SctpPorts&) = default;
};
struct ArpHeader {
  be32 sip, tip;
  be16 op;
  flow::EthAddr sha, tha;
  friend bool operator==(const ArpHeader&, const ArpHeader&) = default;
};
struct SkbPriority {
  be32 priority;
  friend bool operator==(const SkbPriority&, const SkbPriority&) = default;
};
struct PktMark {
  be32 mark;
  friend bool operator==(const PktMark&, const PktMark&) = default;
};

// Sets the bits of a header that `mask` has.  Checksums follow.
template <class Header>
struct SetMasked {
  Header value;
  Header mask;
  friend bool operator==(const SetMasked&, const SetMasked&) = default;
};

// Sends the packet up: who asked for it finds its own data in `cookie`.
struct Userspace {
  std::vector<std::uint8_t> cookie;
  // Of the frame that are needed; of a sample no more are copied.
  std::uint32_t max_bytes = 0xffffffff;
  friend bool operator==(const Userspace&, const Userspace&) = default;
};

struct Drop {  // explicitly, so that it is counted
  friend bool operator==(const Drop&, const Drop&) = default;
};

struct Sample;

using Action = std::variant<Output, PushVlan, PopVlan, SetMasked<EthernetHeader>, SetMasked<Ipv4Header>,
                            SetMasked<Ipv6Header>, SetMasked<TcpPorts>, SetMasked<UdpPorts>,
                            SetMasked<SctpPorts>, SetMasked<ArpHeader>, SetMasked<SkbPriority>,
                            SetMasked<PktMark>, Userspace, Sample, Drop>;
using Actions = std::vector<Action>;

// Counts packets and samples for whoever asks (Datapath::add_sampler()).
enum class SamplerId : std::uint32_t {};
inline constexpr SamplerId no_sampler{0xffffffff};

// Does `actions` to a copy of one packet in 2^32 / probability.
struct Sample {
  std::uint32_t probability;  // of 2^32 - 1
  Actions actions;
  SamplerId sampler = no_sampler;
  friend bool operator==(const Sample&, const Sample&);
};

// As in `dpctl/dump-flows`: "1,push_vlan(vid=10,pcp=0),2"; "drop" when there is none.
std::string format_actions(const Actions& actions);
Result<Actions> parse_actions(std::string_view text);

// Equal for equal actions; 64 good bits.
std::uint64_t hash_actions(const Actions& actions);

}  // namespace ovs::datapath
