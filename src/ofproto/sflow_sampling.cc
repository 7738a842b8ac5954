// The action that samples packets for sFlow: put first when a packet enters a bridge that has sFlow, and
// completed when it is known where the packet goes.
#include <limits>
#include <variant>

#include "ofproto/bridge_walk.h"
#include "ofproto/cookie.h"

namespace ovs::ofproto {

using telemetry::sflow::Interface;

namespace {

constexpr std::uint32_t every_packet = std::numeric_limits<std::uint32_t>::max();

// Or counts only.
bool takes_samples(const Bridge& bridge) { return bridge.config.sflow->one_in != 0; }

Fate fate_of(const flow::EthAddr& destination) {
  constexpr flow::EthAddr everybody{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  if (destination == everybody) return Fate::broadcast;
  return destination.bytes[0] & 1 ? Fate::multicast : Fate::unicast;
}

// What is reported as the rate: as configured, unless the probability, which has 32 bits, cannot come near it.
std::uint32_t reported_rate(std::uint32_t one_in) {
  constexpr std::uint32_t exact_enough = 1u << 22;
  return one_in < exact_enough ? one_in : every_packet / (every_packet / one_in);
}

}  // namespace

void BridgeWalk::begin_sample(const Bridge& bridge, openflow::OfPort in_port) {
  if (!bridge.sampler || !bridge.config.sflow) return;
  sampling_ = &bridge;
  VlanStack stack = stack_of(tags_of(key_));
  const Port* port = bridge.port(in_port);
  const Bundle* bundle = port == nullptr ? nullptr : bridge.bundle(port->bundle);
  if (bundle != nullptr && check_input(bundle->config, stack) == VlanInput::accepted) {
    stack = input_stack(bundle->config, stack);
  }
  vlan_ = received_vlan_ = stack[0];
  sent_vlan_ = received_vlan_;
  if (takes_samples(bridge)) out_.actions.push_back(datapath::Sample{});
}

void BridgeWalk::end_sample() {
  if (sampling_ == nullptr) return;
  if (!out_.rules.empty()) {
    out_.rules.front().vlan = received_vlan_.vid;
    out_.rules.front().fate = outputs_ == 0 ? Fate::dropped : fate_of(key_.eth_dst);
  }
  if (!takes_samples(*sampling_)) return;
  const SflowSampling& sflow = *sampling_->config.sflow;
  SflowCookie cookie;
  cookie.bridge = sampling_->id;
  cookie.period = sampling_->sampling_period;
  cookie.rate = reported_rate(sflow.one_in);
  cookie.vlans = {received_vlan_.vid, received_vlan_.pcp, sent_vlan_.vid, sent_vlan_.pcp};
  if (outputs_ == 0) {
    cookie.output = {Interface::discarded, telemetry::sflow::discard_reason_unknown};
  } else if (outputs_ == 1) {
    cookie.output = {Interface::single, output_ifindex_};  // 0 if it has none: unknown
  } else {
    cookie.output = {Interface::multiple, outputs_};
  }
  datapath::Sample& sample = std::get<datapath::Sample>(out_.actions.front());
  sample.probability = every_packet / sflow.one_in;
  sample.sampler = *sampling_->sampler;
  sample.actions = {datapath::Userspace{encode(cookie), sflow.header_bytes}};
}

void BridgeWalk::drop_all() {
  out_.actions.resize(sampling_ != nullptr && takes_samples(*sampling_) ? 1 : 0, datapath::Drop{});
  outputs_ = 0;
}

void BridgeWalk::note_output(const Port& port) {
  outputs_++;
  output_ifindex_ = port.ifindex;
  sent_vlan_ = vlan_;
}

}  // namespace ovs::ofproto
