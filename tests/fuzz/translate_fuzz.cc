// Translation of anything: bridges and keys from the input's bytes.  What is looked at: nothing crashes or goes on
// for ever, tags that are popped are there, ports that are sent to exist, and bits outside of the mask change
// nothing.
#include <cstring>
#include <string>

#include "base/check.h"
#include "fuzz.h"
#include "ofproto/translate.h"

namespace ovs::ofproto {
namespace {

using openflow::OfPort;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    left_--;
    return *data_++;
  }
  bool empty() const { return left_ == 0; }
  void fill(void* to, std::size_t size) {
    auto* bytes = static_cast<std::uint8_t*>(to);
    for (std::size_t i = 0; i < size; i++) bytes[i] = byte();
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

constexpr std::uint16_t vlans[] = {0, 1, 2, 4095};
constexpr std::uint32_t ports_of_bridge = 4;

BundleConfig bundle(Input& input, OfPort port) {
  BundleConfig config;
  config.members = {port};
  const std::uint8_t kind = input.byte(), sets = input.byte();
  config.vlan_mode = static_cast<VlanMode>(kind % 5);
  config.priority_tags = static_cast<PriorityTags>(kind / 5 % 3);
  config.is_protected = (kind & 128) != 0;
  config.vlan = vlans[sets & 3];
  if ((sets & 4) != 0) {
    config.trunks.set(vlans[sets >> 3 & 3]);
    config.cvlans.set(vlans[sets >> 3 & 3]);
  } else {
    config.trunks.set();
    config.cvlans.set();
  }
  if ((sets & 128) != 0) config.qinq_ethertype = be16::from_host(0x8100);
  return config;
}

// Two bridges with four ports each, one or two of which may be cables to the other bridge.
void build(Input& input, Topology& topology) {
  const std::uint8_t flags = input.byte();
  topology.vlan_limit = 1 + (flags & 1);
  for (std::uint32_t b = 0; b < 2; b++) {
    Bridge& bridge = topology.add_bridge(b == 0 ? "a" : "b");
    bridge.config.forward_bpdu = (flags & 2) != 0;
    if ((flags & 4) != 0) bridge.config.flood_vlans.set(1);
    if ((flags & 8) == 0) bridge.table.add(0, flow::Match{}, {openflow::Output{openflow::port_normal}}, {});
    const std::uint32_t cables = flags >> 4 & 3;
    for (std::uint32_t i = 1; i <= ports_of_bridge; i++) {
      const bool cable = i <= cables;
      Port& port = topology.add_port(bridge, OfPort{i}, cable ? datapath::no_port : datapath::DpPort{b * 16 + i},
                                     bridge.name + std::to_string(i), nullptr);
      topology.add_bundle(bridge, bundle(input, OfPort{i}));
      if (cable) topology.set_patch_peer(port, (b == 0 ? "b" : "a") + std::to_string(i));
    }
    for (std::uint8_t n = input.byte() & 3; n > 0; n--) {
      const std::uint8_t what = input.byte();
      bridge.macs.learn({vlans[what & 3], {{0, 0, 0, 0, 0, static_cast<std::uint8_t>(what >> 4)}}},
                        mac_port(bridge.port(OfPort{1u + (what >> 2 & 3)})->bundle), {});
    }
  }
}

flow::FlowKey key(Input& input) {
  flow::FlowKey key{};
  input.fill(&key, sizeof key);
  // Values that mean something here come up often.
  const std::uint8_t choice = input.byte();
  key.in_port = be32::from_host(1 + choice % (ports_of_bridge + 1));
  if ((choice & 8) != 0) key.eth_src = {{0, 0, 0, 0, 0, static_cast<std::uint8_t>(choice >> 4)}};
  if ((choice & 16) != 0) key.eth_dst = {{0, 0, 0, 0, 0, input.byte()}};
  for (flow::VlanTag& tag : key.vlan)
    if ((choice & 32) != 0) tag.tci = be16::from_host(static_cast<std::uint16_t>(0x1000 | vlans[input.byte() & 3]));
  return key;
}

void check_actions(const Topology& topology, const flow::FlowKey& from, const datapath::Actions& actions) {
  long tags = 0;
  for (const flow::VlanTag& tag : from.vlan) {
    if ((tag.tci & flow::vlan_present).raw == 0) break;
    tags++;
  }
  for (const datapath::Action& action : actions) {
    if (const auto* output = std::get_if<datapath::Output>(&action)) {
      OVS_CHECK(topology.port(output->port) != nullptr);
    } else if (std::holds_alternative<datapath::PopVlan>(action)) {
      OVS_CHECK(--tags >= 0);
    } else {
      OVS_CHECK(std::holds_alternative<datapath::PushVlan>(action));
      tags++;
    }
  }
}

void check_same(const Translation& a, const Translation& b) {
  OVS_CHECK(datapath::format_actions(a.actions) == datapath::format_actions(b.actions));
  OVS_CHECK(a.mask == b.mask && a.learns == b.learns && a.crossings == b.crossings && a.rules == b.rules &&
            a.bridges == b.bridges && a.look_ups == b.look_ups && a.error == b.error);
}

void run(Input& input) {
  Topology topology;
  build(input, topology);
  const BridgeId bridge = topology.bridge("a")->id;
  Translation first, again;
  for (int i = 0; i < 8 && !input.empty(); i++) {
    const flow::FlowKey packet = key(input);
    Trace trace;
    translate({topology, bridge, packet, true, &trace}, first);
    check_actions(topology, packet, first.actions);

    flow::FlowKey noise{};
    input.fill(&noise, sizeof noise);
    std::uint64_t words[flow::key_words], mask[flow::key_words], flips[flow::key_words];
    std::memcpy(words, &packet, sizeof words);
    std::memcpy(mask, &first.mask.bits, sizeof mask);
    std::memcpy(flips, &noise, sizeof flips);
    for (std::size_t w = 0; w < flow::key_words; w++) words[w] ^= flips[w] & ~mask[w];
    flow::FlowKey other;
    std::memcpy(&other, words, sizeof other);
    translate({topology, bridge, other, true}, again);
    check_same(first, again);
  }
}

}  // namespace
}  // namespace ovs::ofproto

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ovs::ofproto::Input input(data, size);
  ovs::ofproto::run(input);
  return 0;
}
