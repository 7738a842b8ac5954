// ofproto/trace: what would be done with a packet, and why.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "datapath/action_text.h"
#include "datapath/flow_text.h"
#include "flow/compose.h"
#include "flow/match_text.h"
#include "flow/parse.h"
#include "ofproto/cookie.h"
#include "ofproto/switch_impl.h"
#include "ofproto/vlan.h"

namespace ovs::ofproto {

namespace {

struct TraceArguments {
  std::vector<std::string> words;  // without options
  bool generate = false;
  bool names = false;
};

Result<TraceArguments> parse_arguments(Arguments arguments) {
  TraceArguments parsed;
  for (const std::string& word : arguments) {
    if (word == "-generate" || word == "--generate") {
      parsed.generate = true;
    } else if (word == "--names") {
      parsed.names = true;
    } else if (word == "--no-names") {
      parsed.names = false;
    } else if (word.starts_with("-")) {
      return unexpected(word + ": unknown option");
    } else {
      parsed.words.push_back(word);
    }
  }
  if (parsed.words.empty()) return unexpected("ofproto/trace needs a flow");
  if (parsed.words.size() > (parsed.generate ? 2 : 3)) return unexpected("too many arguments");
  return parsed;
}

Result<flow::Packet> parse_packet(const std::string& text) {
  std::vector<std::uint8_t> nibbles;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n') continue;
    const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
    if (digit == std::string_view::npos) return unexpected("Trailing garbage in packet data");
    nibbles.push_back(static_cast<std::uint8_t>(digit));
  }
  if (nibbles.size() % 2 != 0) return unexpected("Trailing garbage in packet data");
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < nibbles.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(nibbles[i] << 4 | nibbles[i + 1]));
  return flow::Packet::copy_of(bytes);
}

flow::PortNames port_names(const Bridge& bridge, bool write_names) {
  flow::PortNames names;
  names.number_of = [&bridge](std::string_view name) -> std::optional<std::uint32_t> {
    for (const auto& [number, port] : bridge.ports)
      if (port->name == name) return raw(number);
    return std::nullopt;
  };
  if (write_names) {
    names.name_of = [&bridge](std::uint32_t number) -> std::optional<std::string> {
      const Port* port = bridge.port(openflow::OfPort{number});
      if (port == nullptr) return std::nullopt;
      return port->name;
    };
  }
  return names;
}

// What the packet itself says takes the place of the headers in `key`, whose metadata stay.
flow::FlowKey key_of(flow::Packet& packet, const flow::FlowKey& key) {
  flow::FlowKey merged{};
  flow::begin_key(merged, key.in_port);
  merged.recirc_id = key.recirc_id;
  merged.pkt_mark = key.pkt_mark;
  merged.skb_priority = key.skb_priority;
  flow::parse(packet, merged);
  return merged;
}

}  // namespace

Result<std::string> Switch::Impl::trace(Arguments arguments) {
  OVS_TRY(const TraceArguments parsed, parse_arguments(arguments));
  std::span<const std::string> words = parsed.words;
  const Bridge* bridge = topology.bridge(words[0]);
  flow::FlowKey key{};
  if (bridge != nullptr) {
    if (words.size() < 2) return unexpected("ofproto/trace needs a flow behind the name of the bridge");
    auto flow = flow::parse_flow(words[1], port_names(*bridge, false));
    if (!flow) return unexpected("Bad openflow flow syntax: " + words[1] + ": " + flow.error().message);
    key = *flow;
    if (key.in_port.raw == 0) key.in_port = wire(openflow::port_none);
    words = words.subspan(2);
  } else {
    if (words[0] == engine.name() || words[0] == engine_name()) words = words.subspan(1);
    if (words.empty()) return unexpected("ofproto/trace needs a flow behind the name of the datapath");
    if (words[0].find('(') == std::string::npos) {
      if (words.size() > 1) return unexpected(words[0] + ": unknown bridge");
      return unexpected("syntax error at " + words[0] + " (or the bridge name was omitted)");
    }
    auto flow = datapath::parse_key(words[0], [this](std::string_view name) { return number_of(name); });
    if (!flow) return unexpected(flow.error().message + " (or the bridge name was omitted)");
    key = *flow;
    const Port* port = topology.port(datapath::DpPort{key.in_port.host()});
    if (port == nullptr) return unexpected(fmt::format("no OpenFlow port for datapath port {}", key.in_port.host()));
    bridge = port->bridge;
    key.in_port = wire(port->number);
    words = words.subspan(1);
  }
  if (words.size() > 1) return unexpected("too many arguments");

  const bool has_packet = parsed.generate || !words.empty();
  if (!words.empty()) {
    if (parsed.generate) return unexpected("too many arguments");
    OVS_TRY(flow::Packet packet, parse_packet(words[0]));
    key = key_of(packet, key);
  }

  const flow::PortNames names = port_names(*bridge, parsed.names);
  const flow::FlowKey seen = visible_key(key, topology.vlan_limit);
  Trace steps;
  Translation result;
  translate({topology, bridge->id, key, has_packet, &steps}, result);
  // A packet, even if it is only thought of, teaches the switch where its source is.
  if (has_packet) apply(result.learns, now);

  datapath::ActionText text;
  text.cookie = format_cookie;
  if (parsed.names) text.port = [this](datapath::DpPort port) { return name_of(port); };
  std::string out = "Flow: " + format_flow(seen, names) + "\n" + steps.text();
  if (result.error != TranslationError::none)
    out += fmt::format("\nTranslation failed ({}), packet is dropped.\n", to_text(result.error));
  out += "\nFinal flow: unchanged\n";
  // That there is no tag is always looked at, and goes without saying.
  for (std::size_t i = 0; i < flow::max_vlan_tags; i++)
    if (!has_tag(seen.vlan[i])) result.mask.bits.vlan[i] = {};
  if (seen.eth_type != key.eth_type) result.mask.bits.nw_frag = 0;  // of what is behind a hidden tag
  out += "Megaflow: " + format_match(flow::Match::of(seen, result.mask), names) + "\n";
  out += "Datapath actions: " + format_actions(result.actions, text) + "\n";
  return out;
}

void Switch::Impl::add_trace_command(ControlTable& table) {
  table.add({"ofproto/trace", "{[DATAPATH] DP_FLOW | BRIDGE FLOW} [--names] [-generate|PACKET]",
             "print what would be done with a packet, and why", "", Access::read_write},
            [this](Arguments arguments) -> Result<std::string> {
              now = clock();
              return trace(arguments);
            });
}

}  // namespace ovs::ofproto
