// dpif/*, dpctl/*, ofproto/list, bridge/*, upcall/*, revalidator/*: ports, megaflows and rules.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "datapath/action_text.h"
#include "datapath/flow_text.h"
#include "flow/match_text.h"
#include "netdev/netdev.h"
#include "ofproto/cookie.h"
#include "ofproto/switch_impl.h"

namespace ovs::ofproto {

using datapath::Datapath;

namespace {

struct DumpOptions {
  bool all = false;    // -m
  bool names = false;  // of ports, not numbers
  bool of_engine = false;
  std::optional<flow::Match> filter;
  std::optional<datapath::DpPort> port;
};

// Letters as in `flags:SFP.`.
std::string format_tcp_flags(std::uint16_t flags) {
  constexpr std::pair<std::uint16_t, char> letters[] = {{0x02, 'S'}, {0x01, 'F'}, {0x08, 'P'}, {0x04, 'R'},
                                                        {0x10, '.'}, {0x20, 'U'}, {0x40, 'E'}, {0x80, 'C'}};
  std::string out;
  for (const auto& [bit, letter] : letters)
    if ((flags & bit) != 0) out += letter;
  return out;
}

// A name of 128 bits for a megaflow, as `-m` shows it; the engine's own is a number.
std::string format_ufid(datapath::FlowId id) {
  const auto number = static_cast<std::uint64_t>(id);
  return fmt::format("ufid:00000000-0000-0000-{:04x}-{:012x}", number >> 48, number & 0xffffffffffffULL);
}

std::string format_statistics(const datapath::FlowStats& stats, TimePoint now) {
  std::string out = fmt::format("packets:{}, bytes:{}, used:", stats.packets, stats.bytes);
  if (stats.used) {
    const auto ago = std::max<std::int64_t>(0, (now - *stats.used).count());
    out += fmt::format("{}.{:03}s", ago / 1000, ago % 1000);
  } else {
    out += "never";
  }
  if (const std::string flags = format_tcp_flags(stats.tcp_flags); !flags.empty()) out += ", flags:" + flags;
  return out;
}

std::string count_or_unknown(const std::optional<std::uint64_t>& count) {
  return count ? std::to_string(*count) : "?";
}

std::string format_device_statistics(const netdev::Netdev& device) {
  const auto read = device.statistics();
  if (!read) return "";
  const netdev::Statistics& s = *read;
  return fmt::format(
      "    RX packets:{} errors:{} dropped:{} overruns:{} frame:{}\n"
      "    TX packets:{} errors:{} dropped:{} aborted:? carrier:?\n"
      "    collisions:{}\n"
      "    RX bytes:{}  TX bytes:{}\n",
      count_or_unknown(s.rx_packets), count_or_unknown(s.rx_errors), count_or_unknown(s.rx_dropped),
      count_or_unknown(s.rx_over_err), count_or_unknown(s.rx_frame_err), count_or_unknown(s.tx_packets),
      count_or_unknown(s.tx_errors), count_or_unknown(s.tx_dropped), count_or_unknown(s.collisions),
      count_or_unknown(s.rx_bytes), count_or_unknown(s.tx_bytes));
}

std::string dump(const Datapath& engine, const Megaflows& megaflows, const DumpOptions& options, const datapath::PortName& name, TimePoint now,
                 const std::function<bool(datapath::DpPort)>& wanted) {
  datapath::ActionText action_text;
  action_text.cookie = format_cookie;
  if (options.names) action_text.port = name;
  std::unordered_map<datapath::FlowId, const Megaflow*> known;
  megaflows.each([&](const Megaflow& flow) { known.emplace(flow.id, &flow); });
  std::string out;
  engine.dump_flows([&](const Datapath::FlowView& flow) {
    if (!wanted(datapath::DpPort{flow.match.key.in_port.host()})) return true;
    // What is not matched is shown as the first packet had it.
    flow::Match shown = flow.match;
    if (const auto first = known.find(flow.id); first != known.end()) shown.key = first->second->match.packet();
    if (options.filter && !options.filter->matches(shown.key)) return true;
    if (options.all) out += format_ufid(flow.id) + (options.of_engine ? ", " : " ");
    out += datapath::format_match(shown, options.names ? name : datapath::PortName{}, options.all);
    out += ", " + format_statistics(flow.stats, now);
    if (options.all && options.of_engine) out += ", dp:ovs";
    out += ", actions:" + datapath::format_actions(flow.actions, action_text) + "\n";
    return true;
  });
  return out;
}

// Takes "-m", "--names", "--no-names" out of the arguments; what is left is in `rest`.
Result<DumpOptions> dump_options(Arguments arguments, std::vector<std::string>& rest) {
  DumpOptions options;
  std::optional<bool> names;
  for (const std::string& word : arguments) {
    if (word == "-m" || word == "--more") {
      options.all = true;
    } else if (word == "--names" || word == "--no-names") {
      names = word == "--names";
    } else if (word.starts_with("-")) {
      return unexpected(word + ": unknown option");
    } else {
      rest.push_back(word);
    }
  }
  options.names = names.value_or(options.all);
  return options;
}

}  // namespace

// ---- names

Result<Bridge*> Switch::Impl::find_bridge(const std::string& name) {
  Bridge* bridge = topology.bridge(name);
  if (bridge == nullptr) return unexpected("no such bridge");
  return bridge;
}

std::string Switch::Impl::engine_name() const { return fmt::format("{}@{}", engine.type(), engine.name()); }

std::optional<std::string> Switch::Impl::name_of(datapath::DpPort number) const {
  if (const Port* port = topology.port(number)) return port->name;
  for (const auto& [name, port] : extra_ports)
    if (port == number) return name;
  return std::nullopt;
}

std::optional<datapath::DpPort> Switch::Impl::number_of(std::string_view name) const {
  if (const Port* port = topology.port(name); port != nullptr && !port->is_patch()) return port->datapath_port;
  const auto extra = extra_ports.find(std::string(name));
  if (extra == extra_ports.end()) return std::nullopt;
  return extra->second;
}

// ---- showing

Result<void> Switch::Impl::check_engine_name(const std::string& name) const {
  if (name == engine_name() || name == engine.name()) return {};
  return unexpected("datapath " + name + " not found", ENODEV);
}

std::string Switch::Impl::show_bridges() {
  const datapath::EngineStats stats = engine.stats();
  std::string out = fmt::format("{}: hit:{} missed:{}\n", engine_name(), stats.hit, stats.missed);
  for (const auto& [name, bridge] : topology.bridges()) {
    out += "  " + name + ":\n";
    std::vector<const Port*> ports;
    for (const auto& [number, port] : bridge->ports) ports.push_back(port.get());
    std::sort(ports.begin(), ports.end(), [](const Port* a, const Port* b) { return a->name < b->name; });
    for (const Port* port : ports) {
      const std::uint32_t number = port->number == openflow::port_local ? 65534 : raw(port->number);
      out += fmt::format("    {} {}/{}: ({}{})\n", port->name, number,
                         port->is_patch() ? "none" : std::to_string(raw(port->datapath_port)), port->device->type(),
                         port->is_patch() ? ": peer=" + port->peer_name : "");
    }
  }
  return out;
}

std::string Switch::Impl::show_engine(bool with_statistics) {
  const datapath::EngineStats stats = engine.stats();
  std::string out = fmt::format("{}:\n  lookups: hit:{} missed:{} lost:{}\n  flows: {}\n", engine_name(), stats.hit,
                                stats.missed, stats.lost, stats.flows);
  for (const datapath::Port& port : engine.ports()) {
    out += fmt::format("  port {}: {} ({})\n", raw(port.number), port.name, port.type);
    if (!with_statistics) continue;
    const Port* known = topology.port(port.number);
    const auto extra = extra_devices.find(port.name);
    if (known != nullptr) {
      out += format_device_statistics(*known->device);
    } else if (extra != extra_devices.end()) {
      out += format_device_statistics(*extra->second);
    }
  }
  return out;
}

Result<std::string> Switch::Impl::dump_engine(Arguments arguments) {
  std::vector<std::string> rest;
  OVS_TRY(DumpOptions options, dump_options(arguments, rest));
  options.of_engine = true;
  for (const std::string& word : rest) {
    if (word.starts_with("filter=")) {
      flow::PortNames names;
      names.number_of = [this](std::string_view name) -> std::optional<std::uint32_t> {
        const auto number = number_of(name);
        if (!number) return std::nullopt;
        return raw(*number);
      };
      OVS_TRY(const flow::ParsedMatch filter, flow::parse_match(word.substr(7), names));
      options.filter = filter.match;
    } else if (word.starts_with("type=") || word.starts_with("pmd=")) {
      if (word != "type=all" && word != "type=ovs")
        return unexpected(word + ": all flows of this datapath are of type ovs");
    } else {
      OVS_TRY_DO(check_engine_name(word));
    }
  }
  const std::string flows = dump(engine, megaflows, options, [this](datapath::DpPort port) { return name_of(port); },
                                 now, [](datapath::DpPort) { return true; });
  return flows.empty() ? "" : "flow-dump from the main thread:\n" + flows;
}

Result<std::string> Switch::Impl::dump_bridge(Arguments arguments) {
  std::vector<std::string> rest;
  OVS_TRY(const DumpOptions options, dump_options(arguments, rest));
  if (rest.size() != 1) return unexpected("dpif/dump-flows needs the name of one bridge");
  OVS_TRY(const Bridge* bridge, find_bridge(rest[0]));
  return dump(engine, megaflows, options, [this](datapath::DpPort port) { return name_of(port); }, now,
              [&](datapath::DpPort number) {
                const Port* port = topology.port(number);
                return port != nullptr && port->bridge == bridge;
              });
}

Result<std::string> Switch::Impl::dump_rules(Arguments arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  const bool with_offload = std::erase(words, "--offload-stats") > 0;
  if (words.size() != 1) return unexpected("bridge/dump-flows needs the name of one bridge");
  const Bridge* bridge = topology.bridge(words[0]);
  if (bridge == nullptr) return unexpected("Unknown bridge");
  revalidate_all();
  std::string out;
  for (const Rule* rule : bridge->table.rules()) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - rule->added).count();
    out += fmt::format("duration={}s, n_packets={}, n_bytes={}, ", age, rule->packets, rule->bytes);
    if (with_offload) out += "n_offload_packets=0, n_offload_bytes=0, ";
    out += fmt::format("priority={},", rule->priority());
    if (const std::string match = flow::format_match(rule->match()); !match.empty()) out += match + ",";
    out += "actions=" + openflow::format_actions(rule->actions) + "\n";
  }
  return out;
}

std::string Switch::Impl::show_upcalls() const {
  return fmt::format(
      "{}:\n"
      "  flows         : (current {}) (avg {:.0f}) (max {}) (limit {})\n"
      "  dump duration : {}ms\n"
      "  ufid enabled : true\n"
      "\n"
      "  0: (keys {})\n",
      engine_name(), engine.stats().flows, average_flows, most_flows, engine.flow_limit(), sweep_time.count(),
      megaflows.size());
}

// ---- ports of the datapath alone

Result<std::string> Switch::Impl::add_interfaces(Arguments arguments) {
  OVS_TRY_DO(check_engine_name(arguments[0]));
  if (!device_maker) return unexpected("this datapath takes no ports by hand", EOPNOTSUPP);
  for (const std::string& interface : arguments.subspan(1)) {
    const auto parts = split(interface, ',');
    const std::string name(parts[0]);
    std::string type;
    std::optional<datapath::DpPort> wanted;
    for (std::size_t i = 1; i < parts.size(); i++) {
      if (parts[i].starts_with("type=")) {
        type = parts[i].substr(5);
      } else if (parts[i].starts_with("port_no=")) {
        const auto number = parse_integer(parts[i].substr(8));
        if (!number || *number < 1 || *number > 65535) return unexpected(interface + ": bad port number");
        wanted = datapath::DpPort{static_cast<std::uint32_t>(*number)};
      } else {
        return unexpected(fmt::format("{}: unknown option {}", name, parts[i]));
      }
    }
    if (topology.port(name) != nullptr || extra_ports.contains(name))
      return unexpected("adding " + name + " to " + arguments[0] + " failed (File exists)", EEXIST);
    auto device = device_maker(name, type);
    if (!device) return unexpected(name + ": failed to open network device (" + device.error().message + ")");
    auto port = wanted ? engine.add_port(**device, wanted) : plug_in(**device);
    if (!port) (*device)->destroy();
    if (!port) return unexpected("adding " + name + " to " + arguments[0] + " failed (" + port.error().message + ")");
    extra_devices.emplace(name, *std::move(device));
    extra_ports.emplace(name, *port);
  }
  return "";
}

Result<std::string> Switch::Impl::remove_interfaces(Arguments arguments) {
  OVS_TRY_DO(check_engine_name(arguments[0]));
  for (const std::string& name : arguments.subspan(1)) {
    if (const Port* port = topology.port(name))
      return unexpected("port " + name + " is of bridge " + port->bridge->name + ": remove it by ovs-vsctl");
    const auto port = extra_ports.find(name);
    if (port == extra_ports.end()) return unexpected("no port named " + name);
    OVS_TRY_DO(engine.remove_port(port->second));
    extra_ports.erase(port);
    const auto device = extra_devices.find(name);
    device->second->destroy();
    extra_devices.erase(device);
  }
  return "";
}

// ---- the table

void Switch::Impl::add_flow_commands(ControlTable& table) {
  const auto add = [&](CommandInfo info, std::function<Result<std::string>(Arguments)> run) {
    table.add(info, [this, run](Arguments arguments) -> Result<std::string> {
      now = clock();
      engine.set_now(now);
      return run(arguments);
    });
  };
  const Access read = Access::read_only, write = Access::read_write;

  add({"ofproto/list", "", "print the names of the bridges", "", read}, [this](Arguments) -> Result<std::string> {
    std::string out;
    for (const auto& [name, bridge] : topology.bridges()) out += name + "\n";
    return out;
  });
  add({"dpif/dump-dps", "", "print the bridges with the type of their datapath", "", read},
      [this](Arguments) -> Result<std::string> {
        std::string out;
        for (const auto& [name, bridge] : topology.bridges()) out += fmt::format("{}@{}\n", engine.type(), name);
        return out;
      });
  add({"dpif/show", "", "print the bridges with their ports", "", read},
      [this](Arguments) -> Result<std::string> { return show_bridges(); });
  add({"dpif/dump-flows", "[-m] [--names|--no-names] BRIDGE", "print the megaflows of a bridge's ports", "", read},
      [this](Arguments arguments) { return dump_bridge(arguments); });
  add({"dpctl/dump-dps", "", "print the datapaths", "", read},
      [this](Arguments) -> Result<std::string> { return engine_name() + "\n"; });
  add({"dpctl/show", "[-s] [DATAPATH...]", "print a datapath's counters and ports", "", read},
      [this](Arguments arguments) -> Result<std::string> {
        bool with_statistics = false;
        for (const std::string& word : arguments) {
          if (word == "-s" || word == "--statistics") {
            with_statistics = true;
          } else {
            OVS_TRY_DO(check_engine_name(word));
          }
        }
        return show_engine(with_statistics);
      });
  add({"dpctl/dump-flows", "[-m] [--names|--no-names] [DATAPATH] [filter=FLOW] [type=TYPE]",
       "print a datapath's megaflows", "", read},
      [this](Arguments arguments) { return dump_engine(arguments); });
  add({"dpctl/add-if", "DATAPATH INTERFACE[,OPTION=VALUE]...", "add ports that belong to no bridge", "", write},
      [this](Arguments arguments) { return add_interfaces(arguments); });
  add({"dpctl/del-if", "DATAPATH INTERFACE...", "remove ports that belong to no bridge", "", write},
      [this](Arguments arguments) { return remove_interfaces(arguments); });
  add({"bridge/dump-flows", "[--offload-stats] BRIDGE", "print a bridge's OpenFlow rules, hidden ones too", "", read},
      [this](Arguments arguments) { return dump_rules(arguments); });
  add({"upcall/show", "", "print how many megaflows there are and were", "", read},
      [this](Arguments) -> Result<std::string> { return show_upcalls(); });
  add({"revalidator/wait", "", "bring all megaflows up to date", "", write}, [this](Arguments) -> Result<std::string> {
    revalidate_all();
    return "";
  });
  add({"revalidator/purge", "", "remove all megaflows", "", write}, [this](Arguments) -> Result<std::string> {
    purge();
    return "";
  });
}

}  // namespace ovs::ofproto
