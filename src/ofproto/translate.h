// translate(): what the bridges do with a packet, as the datapath's actions.
//
// A pure function of the topology and the packet's key.  Its result holds the actions, and
//   - the mask: every bit of the key that was looked at.  Packets that agree in these bits get the same
//     result as long as the topology stays as it is, so (key, mask) -> actions is a megaflow;
//   - the effects, for the caller to apply for every packet that takes this way: addresses to
//     learn, patch ports crossed, rules hit;
//   - the dependencies: the bridges crossed and the addresses looked up.  The result holds until one
//     of these bridges is configured otherwise, or one of these look-ups gives something else.
//
// The key's in_port is the OpenFlow port of the bridge that the packet enters; the mask is the same for
// the key with the datapath's port.
//
// What is never done: the packet going out where it came in, on the same port or bundle.  Loops of
// patch ports end after max_depth bridges in a row or max_crossings in all; the packet is dropped then.
//
// Thread safety: the topology's thread.
#pragma once

#include <string_view>
#include <vector>

#include "datapath/action.h"
#include "flow/match.h"
#include "ofproto/ids.h"
#include "ofproto/rule_table.h"
#include "ofproto/topology.h"
#include "ofproto/trace.h"
#include "openflow/port.h"
#include "proto/mac_learning.h"

namespace ovs::ofproto {

inline constexpr unsigned max_depth = 64;
inline constexpr unsigned max_crossings = 4096;

// A source address seen behind a bundle.
struct Learn {
  BridgeId bridge;
  proto::MacAddress address;
  BundleId bundle;
  friend bool operator==(const Learn&, const Learn&) = default;
};

// Out of a patch port and in at its peer.
struct Crossing {
  BridgeId from_bridge, to_bridge;
  openflow::OfPort from, to;
  friend bool operator==(const Crossing&, const Crossing&) = default;
};

struct RuleHit {
  BridgeId bridge;
  RuleId rule;
  // Where the bridge samples for sFlow and is the first: the VLAN that it switches the packet in, and what becomes of it.
  // 0: none.
  std::uint16_t vlan = 0;
  Fate fate = Fate::unicast;
  friend bool operator==(const RuleHit&, const RuleHit&) = default;
};

struct LookUp {
  BridgeId bridge;
  proto::MacAddress address;
  friend bool operator==(const LookUp&, const LookUp&) = default;
};

enum class TranslationError : std::uint8_t { none, too_deep, too_long };
std::string_view to_text(TranslationError error);

struct Translation {
  datapath::Actions actions;
  flow::Mask mask;

  std::vector<Learn> learns;
  std::vector<Crossing> crossings;
  std::vector<RuleHit> rules;

  std::vector<BridgeId> bridges;  // each once
  std::vector<LookUp> look_ups;

  TranslationError error = TranslationError::none;

  void clear();  // keeps memory for the next one
};

// The key as the bridges see it when they look at no more than `vlan_limit` tags: a tag beyond is
// payload, its TPID the Ethertype.
flow::FlowKey visible_key(const flow::FlowKey& key, unsigned vlan_limit);

struct TranslationRequest {
  const Topology& topology;
  BridgeId bridge;
  const flow::FlowKey& key;
  // Whether the addresses that are to be learned are as good as learned for this packet's own look-ups; true when
  // there is a packet, false for a mere question.
  bool learning = true;
  Trace* trace = nullptr;
};

void translate(const TranslationRequest& request, Translation& result);

}  // namespace ovs::ofproto
