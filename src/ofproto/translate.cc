#include "ofproto/translate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "flow/match_text.h"
#include "flow/protocols.h"
#include "ofproto/bridge_walk.h"

namespace ovs::ofproto {

using flow::FieldId;
using openflow::OfPort;

std::string_view to_text(TranslationError error) {
  switch (error) {
    case TranslationError::none: return "no error";
    case TranslationError::too_deep: return "the packet crosses too many bridges in a row: patch ports make a loop";
    case TranslationError::too_long: return "the packet crosses too many patch ports: patch ports make a loop";
  }
  return "";
}

void Translation::clear() {
  actions.clear();
  mask = {};
  learns.clear();
  crossings.clear();
  rules.clear();
  bridges.clear();
  look_ups.clear();
  error = TranslationError::none;
}

flow::FlowKey visible_key(const flow::FlowKey& key, unsigned vlan_limit) {
  flow::FlowKey visible = key;
  if (!has_tag(key.vlan[0])) {
    visible.vlan[0] = visible.vlan[1] = {};
  } else if (!has_tag(key.vlan[1])) {
    visible.vlan[1] = {};
  } else if (vlan_limit < 2) {
    visible.eth_type = key.vlan[1].tpid;
    visible.vlan[1] = {};
    char* const bytes = reinterpret_cast<char*>(&visible);
    constexpr std::size_t l3 = offsetof(flow::FlowKey, nw_src), payload = offsetof(flow::FlowKey, mpls_lse);
    std::memset(bytes + l3, 0, flow::hot_bytes - l3);
    std::memset(bytes + payload, 0, sizeof visible - payload);
  }
  return visible;
}

BridgeWalk::BridgeWalk(const TranslationRequest& request, Translation& result)
    : topology_(request.topology), learning_(request.learning), trace_(request.trace), out_(result),
      key_(visible_key(request.key, request.topology.vlan_limit)) {
  flow::Mask& mask = out_.mask;
  mask.bits.in_port = mask.bits.recirc_id = mask.bits.packet_type = {0xffffffff};
  mask.look_at(FieldId::eth_type);

  // A second tag is only there behind a first one.
  mask.bits.vlan[0] = {{0xffff}, {0xffff}};
  if (has_tag(key_.vlan[0])) {
    if (topology_.vlan_limit >= 2) {
      mask.bits.vlan[1] = {{0xffff}, {0xffff}};
    } else {
      hides_tag_ = has_tag(request.key.vlan[1]);
    }
  }
  base_ = tags_of(key_);
  outer_ = key_.vlan[0];

  // A megaflow never mixes fragments and whole packets: what later rules look at differs.
  const be16 type = request.key.eth_type;
  if (type == flow::eth_type::ipv4 || type == flow::eth_type::ipv6) mask.look_at(FieldId::ip_frag);
}

void BridgeWalk::enter(const Bridge& bridge, OfPort in_port) {
  if (depth_ >= max_depth) return fail(TranslationError::too_deep, "over max translation depth {}", max_depth);
  if (++entered_ > max_crossings) return fail(TranslationError::too_long, "over {} bridge crossings", max_crossings);
  depth_++;
  if (std::find(out_.bridges.begin(), out_.bridges.end(), bridge.id) == out_.bridges.end())
    out_.bridges.push_back(bridge.id);
  if (trace_ != nullptr) trace_->enter_bridge(bridge.name);

  key_.in_port = wire(in_port);
  if (const Rule* rule = look_up_rule(bridge)) {
    out_.rules.push_back({bridge.id, rule->id});
    if (trace_ != nullptr) {
      const std::string match = flow::format_match(rule->match());
      trace_->rule(fmt::format(" 0. {}{}priority {}", match, match.empty() ? "" : ", ", rule->priority()));
    }
    for (const openflow::Action& action : rule->actions) {
      if (const auto* output = std::get_if<openflow::Output>(&action)) do_output(bridge, in_port, output->port);
    }
  } else if (trace_ != nullptr) {
    trace_->rule(" 0. No match.");
    trace_->action("drop");
  }

  if (trace_ != nullptr) trace_->leave_bridge();
  depth_--;
}

const Rule* BridgeWalk::look_up_rule(const Bridge& bridge) {
  if (topology_.vlan_limit >= 2 || !has_tag(outer_)) return bridge.table.look_up(key_, out_.mask);
  // Whether there is a hidden tag decides what the Ethertype is, and everything behind it.
  flow::Mask looked_at;
  const Rule* rule = bridge.table.look_up(key_, looked_at);
  if (looked_at != flow::Mask{}) {
    out_.mask.add(looked_at);
    out_.mask.bits.vlan[1].tpid = {0xffff};
    out_.mask.bits.vlan[1].tci = out_.mask.bits.vlan[1].tci | flow::vlan_present;
  }
  return rule;
}

void BridgeWalk::do_output(const Bridge& bridge, OfPort in_port, OfPort port) {
  if (trace_ != nullptr) {
    trace_->action(openflow::format_actions({openflow::Output{port}}));
  }
  if (port == openflow::port_normal) return normal(bridge, in_port);
  if (port == openflow::port_flood || port == openflow::port_all) {
    for (const auto& [number, each] : bridge.ports)
      if (number != in_port) send(*each);
    return;
  }
  const OfPort target = port == openflow::port_in_port ? in_port : port;
  const Port* to = bridge.port(target);
  if (to == nullptr) return explain_drop("Nonexistent output port");
  if (target == in_port && port != openflow::port_in_port) return explain_drop("skipping output to input port");
  send(*to);
}

void BridgeWalk::commit_tags() {
  const Tags want = tags_of(key_);
  const auto depth_of = [](const Tags& tags) {
    return static_cast<std::size_t>(has_tag(tags[0])) + static_cast<std::size_t>(has_tag(tags[1]));
  };
  const auto same = [](const flow::VlanTag& a, const flow::VlanTag& b) {
    return a.tpid == b.tpid && a.tci == b.tci;
  };
  // Innermost tags that stay.
  const std::size_t have_depth = depth_of(base_), want_depth = depth_of(want);
  std::size_t kept = 0;
  while (kept < have_depth && kept < want_depth &&
         same(base_[have_depth - 1 - kept], want[want_depth - 1 - kept]))
    kept++;
  for (std::size_t i = kept; i < have_depth; i++) out_.actions.push_back(datapath::PopVlan{});
  for (std::size_t i = want_depth - kept; i-- > 0;) out_.actions.push_back(datapath::PushVlan{want[i]});
  base_ = want;
}

void BridgeWalk::send(const Port& port) {
  if (out_.error != TranslationError::none) return;
  if (!port.is_patch()) {
    commit_tags();
    out_.actions.push_back(datapath::Output{port.datapath_port});
    note_output(port);
    return;
  }
  if (port.peer == nullptr) return;  // a cable that leads nowhere
  const Port& peer = *port.peer;
  out_.crossings.push_back({port.bridge->id, peer.bridge->id, port.number, peer.number});
  const flow::FlowKey saved = key_;
  const VlanLevel saved_vlan = vlan_;
  enter(*peer.bridge, peer.number);
  key_ = saved;
  vlan_ = saved_vlan;
}

void BridgeWalk::explain(const std::string& text) {
  if (trace_ != nullptr) trace_->detail(text);
}

void BridgeWalk::explain_drop(const std::string& text) {
  if (trace_ != nullptr) trace_->drop(text);
}

void BridgeWalk::explain_fault(const std::string& text) {
  if (trace_ != nullptr) trace_->fault(text);
}

template <class... A>
void BridgeWalk::fail(TranslationError error, fmt::format_string<A...> text, A&&... arguments) {
  out_.error = error;
  if (trace_ != nullptr) trace_->drop(fmt::format(text, std::forward<A>(arguments)...));
}

void translate(const TranslationRequest& request, Translation& result) {
  result.clear();
  BridgeWalk walk(request, result);
  if (const Bridge* bridge = request.topology.bridge(request.bridge)) {
    const OfPort in_port{request.key.in_port.host()};
    walk.begin_sample(*bridge, in_port);
    walk.enter(*bridge, in_port);
    if (result.error != TranslationError::none) walk.drop_all();
    walk.end_sample();
  }
}

}  // namespace ovs::ofproto
