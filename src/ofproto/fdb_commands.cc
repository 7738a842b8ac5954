// fdb/*: what the bridges have learned.
#include <fmt/format.h>

#include "base/text.h"
#include "flow/address.h"
#include "ofproto/switch_impl.h"

namespace ovs::ofproto {

using flow::EthAddr;

namespace {

Result<EthAddr> parse_mac(const std::string& text) {
  const auto mac = flow::parse_eth(text);
  if (!mac) return unexpected("bad MAC address");
  return *mac;
}

Result<std::uint16_t> parse_vlan(const std::string& text) {
  const auto vlan = parse_integer(text);
  if (!vlan || *vlan < 0 || *vlan > 4095) return unexpected(text + ": not a VLAN (0 to 4095)");
  return static_cast<std::uint16_t>(*vlan);
}

std::string port_of(const Bundle* bundle) {
  if (bundle == nullptr || bundle->config.members.empty()) return "?";
  return format_port(bundle->config.active.value_or(bundle->config.members.front()));
}

std::string show(const Bridge& bridge, TimePoint now) {
  std::string out = " port  VLAN  MAC                Age\n";
  bridge.macs.for_each([&](const proto::MacTable::Entry& entry) {
    const std::string port = port_of(bridge.bundle(bundle_of(entry.port)));
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - entry.used).count();
    out += fmt::format("{:>5}  {:>4}  {}  {:>3}\n", port, entry.address.vlan, flow::format_eth(entry.address.mac),
                       entry.is_static ? "static" : std::to_string(age));
  });
  return out;
}

std::string show_statistics(const Bridge& bridge) {
  const proto::MacTable& macs = bridge.macs;
  const proto::MacTable::Statistics& statistics = macs.statistics();
  return fmt::format(
      "Statistics for bridge \"{}\":\n"
      "  Current/maximum MAC entries in the table: {}/{}\n"
      "  Current static MAC entries in the table : {}\n"
      "  Total number of learned MAC entries     : {}\n"
      "  Total number of expired MAC entries     : {}\n"
      "  Total number of evicted MAC entries     : {}\n"
      "  Total number of port moved MAC entries  : {}\n",
      bridge.name, macs.size(), macs.max_size(), macs.static_count(), statistics.learned, statistics.expired,
      statistics.evicted, statistics.moved);
}

}  // namespace

void Switch::Impl::add_fdb_commands(ControlTable& table) {
  table.add({"fdb/show", "BRIDGE", "print the MAC addresses that a bridge knows", "", Access::read_only},
            [this](Arguments arguments) -> Result<std::string> {
              now = clock();
              OVS_TRY(const Bridge* bridge, find_bridge(arguments[0]));
              revalidate_all();
              return show(*bridge, now);
            });
  table.add({"fdb/stats-show", "BRIDGE", "print how many MAC addresses came and went", "", Access::read_only},
            [this](Arguments arguments) -> Result<std::string> {
              now = clock();
              OVS_TRY(const Bridge* bridge, find_bridge(arguments[0]));
              revalidate_all();
              return show_statistics(*bridge);
            });
  table.add({"fdb/stats-clear", "[BRIDGE]", "start the counters of MAC addresses anew", "", Access::read_write},
            [this](Arguments arguments) -> Result<std::string> {
              if (!arguments.empty()) {
                OVS_TRY(Bridge * bridge, find_bridge(arguments[0]));
                bridge->macs.clear_statistics();
              } else {
                for (const auto& [name, bridge] : topology.bridges()) bridge->macs.clear_statistics();
              }
              return "statistics successfully cleared";
            });
  table.add({"fdb/flush", "[BRIDGE]", "forget the MAC addresses that were learned", "", Access::read_write},
            [this](Arguments arguments) -> Result<std::string> {
              const auto flush = [this](Bridge& bridge) {
                bridge.macs.flush();
                macs_changed(bridge);
              };
              now = clock();
              revalidate_all();  // what megaflows have counted so far must not bring addresses back
              if (!arguments.empty()) {
                OVS_TRY(Bridge * bridge, find_bridge(arguments[0]));
                flush(*bridge);
              } else {
                for (const auto& [name, bridge] : topology.bridges()) flush(*bridge);
              }
              return "table successfully flushed";
            });
  table.add({"fdb/add", "BRIDGE PORT VLAN MAC", "put a static MAC address behind a port", "", Access::read_write},
            [this](Arguments arguments) -> Result<std::string> {
              now = clock();
              OVS_TRY(Bridge * bridge, find_bridge(arguments[0]));
              const Port* port = topology.port(arguments[1]);
              if (port == nullptr || port->bridge != bridge || port->bundle == no_bundle)
                return unexpected("bridge " + bridge->name + " has no port " + arguments[1]);
              OVS_TRY(const std::uint16_t vlan, parse_vlan(arguments[2]));
              OVS_TRY(const EthAddr mac, parse_mac(arguments[3]));
              const proto::MacTable::Entry* before = bridge->macs.find({vlan, mac});
              const bool was_static = before != nullptr && before->is_static;
              const auto old_port = bridge->macs.add_static({vlan, mac}, mac_port(port->bundle), now);
              macs_changed(*bridge);
              if (!was_static) return "";
              const Bundle* old = bridge->bundle(bundle_of(*old_port));
              return "Overriding already existing static entry on " +
                     (old == nullptr || old->config.members.empty() ? "a port that is gone"
                                                                    : format_port(old->config.members.front()));
            });
  table.add({"fdb/del", "BRIDGE VLAN MAC", "remove a static MAC address", "", Access::read_write},
            [this](Arguments arguments) -> Result<std::string> {
              OVS_TRY(Bridge * bridge, find_bridge(arguments[0]));
              OVS_TRY(const std::uint16_t vlan, parse_vlan(arguments[1]));
              OVS_TRY(const EthAddr mac, parse_mac(arguments[2]));
              if (!bridge->macs.remove_static({vlan, mac})) return unexpected("could not find static mac entry");
              macs_changed(*bridge);
              return "";
            });
}

}  // namespace ovs::ofproto
