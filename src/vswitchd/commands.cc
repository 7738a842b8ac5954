// The control commands of the daemon that are not those of its Switches.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "base/text.h"
#include "datapath/flow_text.h"
#include "flow/compose.h"
#include "flow/parse.h"
#include "netdev/dummy.h"
#include "vswitchd/vswitchd.h"

namespace ovs::vswitchd {

namespace {

using Words = std::span<const std::string>;

netdev::Dummy* dummy_of(const InterfaceState& interface) {
  return dynamic_cast<netdev::Dummy*>(interface.device.get());
}

// The bytes of "505400..."; nothing if it is not hexadecimal through and through.
std::optional<std::vector<std::uint8_t>> parse_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  if (text.empty() || text.size() % 2) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    if (i % 2 == 0)
      bytes.push_back(static_cast<std::uint8_t>(digit << 4));
    else
      bytes.back() |= static_cast<std::uint8_t>(digit);
  }
  return bytes;
}

std::optional<datapath::DpPort> port_named(const datapath::Datapath& datapath, std::string_view name) {
  for (const datapath::Port& port : datapath.ports())
    if (port.name == name) return port.number;
  return std::nullopt;
}

// A frame from its bytes, or from a flow of which it is one, of `length` bytes if that is more than its headers need.
Result<flow::Packet> make_packet(const datapath::Datapath& datapath, const std::string& word,
                                 std::optional<std::size_t> length) {
  if (const auto bytes = parse_hex(word)) {
    if (length) return unexpected("--len belongs to a flow, not to the bytes of a packet");
    constexpr std::size_t ethernet_header = 14;
    if (bytes->size() < ethernet_header) return unexpected(fmt::format("{}: shorter than an Ethernet header", word));
    return flow::Packet::copy_of(*bytes);
  }
  auto key = datapath::parse_key(word, [&datapath](std::string_view name) { return port_named(datapath, name); });
  if (!key) return unexpected(fmt::format("neither the bytes of a packet nor a flow: {}", key.error().message));
  if (!length) return flow::compose(*key, flow::usual_payload(*key));
  const std::size_t headers = flow::compose(*key, 0).size();
  return flow::compose(*key, std::max(*length, headers) - headers);
}

// netdev-dummy/receive NAME [--qid QUEUE] PACKET|FLOW [--len LENGTH]...
Result<std::string> receive(Vswitchd& daemon, Words words) {
  const InterfaceState* interface = daemon.model().interface(words[0]);
  netdev::Dummy* dummy = interface && interface->number ? dummy_of(*interface) : nullptr;
  if (!dummy) return unexpected(fmt::format("no such dummy netdev: {}", words[0]));
  Engine& engine = *interface->port->bridge->engine;
  const auto port = port_named(engine.datapath(), words[0]);
  if (!port) return unexpected(fmt::format("{} is no port of a datapath", words[0]));

  std::size_t i = 1;
  if (words[i] == "--qid") {
    // Dummies have one queue, since nobody receives from it.
    if (i + 2 >= words.size() || parse_integer(words[i + 1]) != 0) return unexpected("the only receive queue is 0");
    i += 2;
  }
  while (i < words.size()) {
    const std::string& word = words[i++];
    std::optional<std::size_t> length;
    if (i < words.size() && words[i] == "--len") {
      const auto number = i + 1 < words.size() ? parse_integer(words[i + 1]) : std::nullopt;
      if (!number || *number < 0 || *number > 65535) return unexpected("--len is followed by a number of bytes");
      length = static_cast<std::size_t>(*number);
      i += 2;
    }
    OVS_TRY(flow::Packet packet, make_packet(engine.datapath(), word, length));
    dummy->count_rx(packet);
    engine.datapath().set_now(daemon.loop().now());
    engine.datapath().inject(*port, std::move(packet));
    // The test that asked looks at what was sent as soon as it has the answer.
    engine.drain();
  }
  return std::string();
}

// netdev-dummy/set-admin-state [NAME] up|down
Result<std::string> set_admin_state(Vswitchd& daemon, Words words) {
  const std::string& state = words.back();
  if (state != "up" && state != "down") return unexpected(fmt::format("the state is up or down, not {}", state));
  std::vector<std::string> names;
  if (words.size() == 2) {
    const InterfaceState* interface = daemon.model().interface(words[0]);
    if (!interface || !dummy_of(*interface)) return unexpected(fmt::format("no such dummy netdev: {}", words[0]));
    names.push_back(words[0]);
  } else {
    for (const auto& [id, interface] : daemon.model().interfaces)
      if (dummy_of(*interface)) names.push_back(interface->name);
    std::ranges::sort(names);
  }
  for (const std::string& name : names) {
    dummy_of(*daemon.model().interface(name))->set_admin_state(state == "up");
    daemon.device_changed(name);
  }
  return std::string("OK");
}

// netdev-dummy/conn-state [NAME]
Result<std::string> connection_state(Vswitchd& daemon, Words words) {
  // Dummies have no connections to each other: of all of them there is nothing to be listed.
  if (words.empty()) return std::string();
  const InterfaceState* interface = daemon.model().interface(words[0]);
  return interface && dummy_of(*interface) ? words[0] + ": unknown\n" : std::string();
}

std::string memory_text(Vswitchd& daemon) {
  std::size_t flows = 0, masks = 0, rows = 0;
  daemon.engines().each([&](Engine& engine) {
    const datapath::EngineStats stats = engine.datapath().stats();
    flows += stats.flows;
    masks += stats.masks;
  });
  for (std::size_t i = 0; i < daemon.replica().tables(); i++) rows += daemon.replica().table(i).size();
  const Model& model = daemon.model();
  return fmt::format("bridges:{} flows:{} interfaces:{} masks:{} ports:{} rows-{}:{}", model.bridges.size(), flows,
                     model.interfaces.size(), masks, model.ports.size(), database_name, rows);
}

Result<std::string> reconnect(Vswitchd& daemon, Words words) {
  if (!words.empty() && !daemon.model().bridge(words[0])) return unexpected(fmt::format("no bridge {}", words[0]));
  return std::string("there are no OpenFlow connections: controllers are not supported yet");
}

Result<std::string> qos_types(Vswitchd& daemon, Words words) {
  const InterfaceState* interface = daemon.model().interface(words[0]);
  if (!interface || !interface->device) return unexpected(fmt::format("no interface {}", words[0]));
  return fmt::format("No QoS types supported for interface: {}", words[0]);
}

}  // namespace

void add_daemon_commands(ControlTable& table, Vswitchd& daemon) {
  table.add({"netdev-dummy/receive", "NAME PACKET|FLOW...", "let a dummy device receive packets", "", Access::read_write},
            [&daemon](Words words) { return receive(daemon, words); });
  table.add({"netdev-dummy/set-admin-state", "[NAME] STATE", "set one dummy device, or all, up or down", "", Access::read_write},
            [&daemon](Words words) { return set_admin_state(daemon, words); });
  table.add({"netdev-dummy/conn-state", "[NAME]", "the state of a dummy device's connection", "", Access::read_only},
            [&daemon](Words words) { return connection_state(daemon, words); });
  table.add({"memory/show", "", "how much of everything the switch holds", "", Access::read_only},
            [&daemon](Words) -> Result<std::string> { return memory_text(daemon); });
  table.add({"bridge/reconnect", "[BRIDGE]", "connect to OpenFlow controllers anew", "", Access::read_write},
            [&daemon](Words words) { return reconnect(daemon, words); });
  table.add({"qos/show-types", "INTERFACE", "the kinds of QoS that an interface can have", "", Access::read_only},
            [&daemon](Words words) { return qos_types(daemon, words); });
}

}  // namespace ovs::vswitchd
