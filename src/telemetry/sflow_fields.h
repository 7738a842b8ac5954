// The fields of each structure of sFlow, in the order in which they stand on the wire: said once, for the
// writer, the reader and the printer, which are visitors.
//
//     fields(visitor, record)    calls visitor("name", member) for each
//
// `record` may be const, for visitors that only look.  A visitor takes std::uint32_t, std::uint64_t,
// be32 and Ipv6Addr (bare addresses), IpAddress (with its type in front), std::string and
// std::vector<std::uint8_t> (both with their length in front), std::vector<std::uint32_t>.
#pragma once

#include <concepts>
#include <type_traits>

#include "telemetry/sflow_message.h"

namespace ovs::telemetry::sflow {

template <class R, class T>
concept Maybe = std::same_as<std::remove_const_t<R>, T>;

// enterprise << 12 | format of a record's structure, and what the printer calls it.
struct RecordName {
  std::uint32_t format;
  const char* name;
};
template <class Record>
inline constexpr RecordName record_name{};
template <> inline constexpr RecordName record_name<SampledHeader>{1, "sampled_header"};
template <> inline constexpr RecordName record_name<ExtendedSwitch>{1001, "extended_switch"};
template <> inline constexpr RecordName record_name<ExtendedMpls>{1006, "extended_mpls"};
template <> inline constexpr RecordName record_name<Ipv4TunnelOut>{1023, "extended_ipv4_tunnel_egress"};
template <> inline constexpr RecordName record_name<Ipv4TunnelIn>{1024, "extended_ipv4_tunnel_ingress"};
template <> inline constexpr RecordName record_name<Ipv6TunnelOut>{1025, "extended_ipv6_tunnel_egress"};
template <> inline constexpr RecordName record_name<Ipv6TunnelIn>{1026, "extended_ipv6_tunnel_ingress"};
template <> inline constexpr RecordName record_name<TunnelVniOut>{1029, "extended_vni_egress"};
template <> inline constexpr RecordName record_name<TunnelVniIn>{1030, "extended_vni_ingress"};
template <> inline constexpr RecordName record_name<InterfaceCounters>{1, "if_counters"};
template <> inline constexpr RecordName record_name<EthernetCounters>{2, "ethernet_counters"};
template <> inline constexpr RecordName record_name<VlanCounters>{5, "vlan_counters"};
template <> inline constexpr RecordName record_name<Processor>{1001, "processor"};
template <> inline constexpr RecordName record_name<OpenflowPort>{1004, "of_port"};
template <> inline constexpr RecordName record_name<PortName>{1005, "port_name"};
template <> inline constexpr RecordName record_name<ProcessResources>{2203, "app_resources"};
template <> inline constexpr RecordName record_name<LookUpCounters>{2207, "ovs_dp_stats"};

void fields(auto& v, Maybe<SampledHeader> auto& r) {
  v("protocol", r.protocol);
  v("frame_length", r.frame_length);
  v("stripped", r.stripped);
  v("header", r.header);
}

void fields(auto& v, Maybe<ExtendedSwitch> auto& r) {
  v("in_vlan", r.in_vlan);
  v("in_priority", r.in_priority);
  v("out_vlan", r.out_vlan);
  v("out_priority", r.out_priority);
}

void fields(auto& v, Maybe<ExtendedMpls> auto& r) {
  v("next_hop", r.next_hop);
  v("in_stack", r.in_stack);
  v("out_stack", r.out_stack);
}

template <class R>
  requires(Maybe<R, Ipv4TunnelOut> || Maybe<R, Ipv4TunnelIn> || Maybe<R, Ipv6TunnelOut> || Maybe<R, Ipv6TunnelIn>)
void fields(auto& v, R& r) {
  v("length", r.length);
  v("protocol", r.protocol);
  v("src", r.src);
  v("dst", r.dst);
  v("src_port", r.src_port);
  v("dst_port", r.dst_port);
  v("tcp_flags", r.tcp_flags);
  v("tos", r.tos);
}

template <class R>
  requires(Maybe<R, TunnelVniOut> || Maybe<R, TunnelVniIn>)
void fields(auto& v, R& r) {
  v("vni", r.vni);
}

void fields(auto& v, Maybe<InterfaceCounters> auto& r) {
  v("index", r.index);
  v("type", r.type);
  v("speed", r.speed);
  v("direction", r.direction);
  v("status", r.status);
  v("in_octets", r.in_octets);
  v("in_unicast", r.in_unicast);
  v("in_multicast", r.in_multicast);
  v("in_broadcast", r.in_broadcast);
  v("in_discards", r.in_discards);
  v("in_errors", r.in_errors);
  v("in_unknown_protocols", r.in_unknown_protocols);
  v("out_octets", r.out_octets);
  v("out_unicast", r.out_unicast);
  v("out_multicast", r.out_multicast);
  v("out_broadcast", r.out_broadcast);
  v("out_discards", r.out_discards);
  v("out_errors", r.out_errors);
  v("promiscuous", r.promiscuous);
}

void fields(auto& v, Maybe<EthernetCounters> auto& r) {
  v("alignment_errors", r.alignment_errors);
  v("fcs_errors", r.fcs_errors);
  v("single_collisions", r.single_collisions);
  v("multiple_collisions", r.multiple_collisions);
  v("sqe_errors", r.sqe_errors);
  v("deferred", r.deferred);
  v("late_collisions", r.late_collisions);
  v("excessive_collisions", r.excessive_collisions);
  v("transmit_errors", r.transmit_errors);
  v("carrier_errors", r.carrier_errors);
  v("frames_too_long", r.frames_too_long);
  v("receive_errors", r.receive_errors);
  v("symbol_errors", r.symbol_errors);
}

void fields(auto& v, Maybe<VlanCounters> auto& r) {
  v("vlan", r.vlan);
  v("octets", r.octets);
  v("unicast", r.unicast);
  v("multicast", r.multicast);
  v("broadcast", r.broadcast);
  v("discards", r.discards);
}

void fields(auto& v, Maybe<Processor> auto& r) {
  v("load_5s", r.load_5s);
  v("load_1m", r.load_1m);
  v("load_5m", r.load_5m);
  v("memory_total", r.memory_total);
  v("memory_free", r.memory_free);
}

void fields(auto& v, Maybe<OpenflowPort> auto& r) {
  v("datapath_id", r.datapath_id);
  v("port", r.port);
}

void fields(auto& v, Maybe<PortName> auto& r) { v("name", r.name); }

void fields(auto& v, Maybe<ProcessResources> auto& r) {
  v("user_ms", r.user_ms);
  v("system_ms", r.system_ms);
  v("memory_used", r.memory_used);
  v("memory_max", r.memory_max);
  v("files_open", r.files_open);
  v("files_max", r.files_max);
  v("connections_open", r.connections_open);
  v("connections_max", r.connections_max);
}

void fields(auto& v, Maybe<LookUpCounters> auto& r) {
  v("hits", r.hits);
  v("misses", r.misses);
  v("lost", r.lost);
  v("mask_hits", r.mask_hits);
  v("flows", r.flows);
  v("masks", r.masks);
}

}  // namespace ovs::telemetry::sflow
