#include "vswitchd/reporter.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "base/paths.h"
#include "flow/address.h"
#include "vswitchd/host_statistics.h"
#include "vswitchd/settings.h"

namespace ovs::vswitchd {

namespace {

LogModule log{"reporter"};

using std::chrono::milliseconds;
using OptionalText = std::optional<std::string>;
using OptionalNumber = std::optional<std::int64_t>;
using Counters = std::map<std::string, std::int64_t>;

// Between two transactions that nobody waits for.
constexpr milliseconds pause{100};

OptionalText updown(bool up) { return up ? "up" : "down"; }

Counters counters_of(const netdev::Statistics& statistics) {
  Counters counters;
  const auto put = [&counters](const char* name, const std::optional<std::uint64_t>& value) {
    // The database's integers have a sign.
    if (value)
      counters.emplace(name, static_cast<std::int64_t>(
                                 std::min<std::uint64_t>(*value, std::numeric_limits<std::int64_t>::max())));
  };
  put("rx_packets", statistics.rx_packets);
  put("tx_packets", statistics.tx_packets);
  put("rx_bytes", statistics.rx_bytes);
  put("tx_bytes", statistics.tx_bytes);
  put("rx_errors", statistics.rx_errors);
  put("tx_errors", statistics.tx_errors);
  put("rx_dropped", statistics.rx_dropped);
  put("tx_dropped", statistics.tx_dropped);
  put("rx_crc_err", statistics.rx_crc_err);
  put("rx_frame_err", statistics.rx_frame_err);
  put("rx_over_err", statistics.rx_over_err);
  put("rx_missed_errors", statistics.rx_missed_errors);
  put("rx_multicast_packets", statistics.multicast);
  put("collisions", statistics.collisions);
  return counters;
}

StringMap status_of(const netdev::Netdev& device, const netdev::State& state) {
  StringMap status = device.status();
  if (!state.driver.empty()) {
    status.emplace("driver_name", state.driver);
    status.emplace("driver_version", state.driver_version);
    status.emplace("firmware_version", state.firmware_version);
  }
  return status;
}

}  // namespace

Reporter::Reporter(runtime::Loop& loop, dbclient::Client& client, dbclient::Replica& replica, Model& model,
                   netdev::Registry& registry, HostFacts facts, std::function<void()> told)
    : loop_(loop),
      client_(client),
      replica_(replica),
      model_(model),
      registry_(registry),
      facts_(std::move(facts)),
      told_(std::move(told)),
      flush_soon_(loop, [this] { flush(); }),
      flush_later_(loop, [this] { flush(); }),
      statistics_timer_(loop, [this] { update_statistics(); }) {
  statistics_timer_.start(statistics_interval_);
}

void Reporter::touch_interface(const Uuid& id) {
  interfaces_.insert(id);
  flush_soon_.schedule();
}

void Reporter::touch(const BridgeState& bridge) {
  bridges_.insert(bridge.id);
  flush_soon_.schedule();
}

void Reporter::touch(const PortState& port) {
  ports_.insert(port.id);
  flush_soon_.schedule();
}

void Reporter::touch_root() {
  root_ = true;
  flush_soon_.schedule();
}

void Reporter::touch_all() {
  all_ = true;
  flush_soon_.schedule();
}

void Reporter::configured(std::int64_t next_cfg) {
  configured_ = next_cfg;
  flush_soon_.schedule();
}

void Reporter::look_at_devices() {
  if (configured_) flush_soon_.schedule();
}

void Reporter::set_facts(HostFacts facts) {
  facts_ = std::move(facts);
  touch_root();
}

void Reporter::set_statistics_interval(runtime::Duration interval) {
  interval = std::max(interval, runtime::Duration(5000));
  if (interval == statistics_interval_) return;
  statistics_interval_ = interval;
  statistics_timer_.start(statistics_interval_);
}

void Reporter::set_host_statistics(bool wanted) {
  if (std::exchange(host_statistics_wanted_, wanted) != wanted) touch_root();
}

void Reporter::forget_statistics() {
  host_statistics_.reset();
  for (auto& [id, interface] : model_.interfaces)
    interface->statistics = ovsdb::Datum(ovsdb::AtomType::string, ovsdb::AtomType::integer);
}

bool Reporter::may_write() const { return client_.is_connected() && client_.has_lock() && replica_.current(); }

void Reporter::flush() {
  if (in_flight_ || !may_write()) return;
  const bool urgent = configured_ && !registry_.is_settling();
  if (!urgent && !root_ && !all_ && interfaces_.empty() && bridges_.empty() && ports_.empty()) return;
  if (!urgent && loop_.now() < next_flush_) {
    if (!flush_later_.running()) flush_later_.start_at(next_flush_);
    return;
  }
  dbclient::Transaction transaction{std::string(database_name)};
  transaction.need_lock(std::string(lock_name));
  if (all_) {
    for (const auto& [id, interface] : model_.interfaces) interfaces_.insert(id);
    for (const auto& [id, bridge] : model_.bridges) bridges_.insert(id);
    for (const auto& [id, port] : model_.ports) ports_.insert(id);
  }
  for (const Uuid& id : interfaces_) {
    InterfaceState* interface = Model::find(model_.interfaces, id);
    // The end of it is a change of the device, which has the row looked at again.
    if (interface && !is_settling(*interface)) write_interface(transaction, *interface);
  }
  for (const Uuid& id : bridges_)
    if (const BridgeState* bridge = Model::find(model_.bridges, id)) write_bridge(transaction, *bridge);
  for (const Uuid& id : ports_)
    if (const PortState* port = Model::find(model_.ports, id)) write_port(transaction, *port);
  if (urgent || root_ || all_) write_root(transaction, urgent);
  interfaces_.clear();
  bridges_.clear();
  ports_.clear();
  root_ = all_ = false;
  next_flush_ = loop_.now() + pause;
  commit(std::move(transaction), urgent);
}

void Reporter::commit(dbclient::Transaction transaction, bool is_configured) {
  in_flight_ = true;
  replica_.commit(std::move(transaction), [this, is_configured](dbclient::Transaction& done, dbclient::Outcome outcome) {
    in_flight_ = false;
    if (outcome == dbclient::Outcome::error) {
      static RateLimit limit;
      log.limited(limit, LogLevel::err, "the database refused what the switch reports: {}", done.error());
    }
    // After a lost connection or lock everything is told anew once both are back (touch_all()).
    if (outcome != dbclient::Outcome::success && outcome != dbclient::Outcome::unchanged) forget_statistics();
    flush_soon_.schedule();
    const bool again = outcome == dbclient::Outcome::try_again || outcome == dbclient::Outcome::not_locked;
    if (is_configured && !again) told_();
  });
}

void Reporter::write_root(dbclient::Transaction& transaction, bool is_configured) {
  const dbclient::ReplicaTable& table = replica_.table(root_table);
  const dbclient::ReplicaRow* found = nullptr;
  table.each([&found](const dbclient::ReplicaRow& row) { found = &row; });
  if (!found) {
    // Nobody is left to be told, and what stays untold would be tried again without end.
    configured_.reset();
    return;
  }
  const RootRow row(*found);
  const Uuid& id = row.uuid();
  if (is_configured) {
    RootRow::set<"cur_cfg">(transaction, id, *configured_);
    configured_.reset();
  }
  RootRow::set<"ovs_version">(transaction, id, OptionalText(facts_.ovs_version));
  if (!facts_.db_version.empty()) RootRow::set<"db_version">(transaction, id, OptionalText(facts_.db_version));
  if (!row.get<"system_type">()) RootRow::set<"system_type">(transaction, id, OptionalText(facts_.system_type));
  if (!row.get<"system_version">())
    RootRow::set<"system_version">(transaction, id, OptionalText(facts_.system_version));
  RootRow::set<"datapath_types">(transaction, id, facts_.datapath_types);
  RootRow::set<"iface_types">(transaction, id, facts_.iface_types);
  write_host_statistics(transaction, id);
  RootRow::set<"dpdk_initialized">(transaction, id, false);
  RootRow::set<"dpdk_version">(transaction, id, OptionalText("none"));
}

void Reporter::write_host_statistics(dbclient::Transaction& transaction, const Uuid& root) {
  const StringMap statistics = host_statistics_wanted_ ? host_statistics(rundir()) : StringMap{};
  ovsdb::Datum now = dbclient::ValueOf<StringMap>::write(statistics);
  if (now == host_statistics_) return;
  transaction.set(RootRow::table, root, "statistics", now);
  host_statistics_ = std::move(now);
}

void Reporter::write_bridge(dbclient::Transaction& transaction, const BridgeState& bridge) {
  BridgeRow::set<"datapath_id">(transaction, bridge.id,
                                bridge.number ? OptionalText(format_datapath_id(bridge.config.datapath_id))
                                              : OptionalText());
  BridgeRow::set<"datapath_version">(transaction, bridge.id, std::string(bridge.number ? "<built-in>" : ""));
  // For what spanning tree has to say.
  BridgeRow::set<"status">(transaction, bridge.id, StringMap{});
}

void Reporter::write_port(dbclient::Transaction& transaction, const PortState& port) {
  PortRow::set<"bond_active_slave">(
      transaction, port.id,
      port.active ? OptionalText(flow::format_eth(port.active->device->state().mac)) : OptionalText());
}

void Reporter::write_interface(dbclient::Transaction& transaction, InterfaceState& interface) {
  const Uuid& id = interface.id;
  const bool works = interface.number && interface.device;
  netdev::State state;
  StringMap status;
  if (works) {
    state = interface.device->state();
    status = status_of(*interface.device, state);
  }
  const auto number = [works](bool known, std::uint64_t value) {
    return works && known ? OptionalNumber(static_cast<std::int64_t>(value)) : OptionalNumber();
  };
  const std::string error = error_text(model_, interface);
  InterfaceRow::set<"ofport">(transaction, id,
                              OptionalNumber(interface.number ? database_port(*interface.number) : -1));
  InterfaceRow::set<"error">(transaction, id, error.empty() ? OptionalText() : OptionalText(error));
  InterfaceRow::set<"ifindex">(transaction, id, number(true, state.ifindex));
  InterfaceRow::set<"mac_in_use">(
      transaction, id,
      works && state.mac != flow::EthAddr{} ? OptionalText(flow::format_eth(state.mac)) : OptionalText());
  InterfaceRow::set<"admin_state">(transaction, id, works ? updown(state.admin_up) : OptionalText());
  InterfaceRow::set<"link_state">(transaction, id, works ? updown(state.link_up) : OptionalText());
  InterfaceRow::set<"link_resets">(transaction, id, number(true, state.link_resets));
  InterfaceRow::set<"link_speed">(transaction, id, number(state.speed != 0, state.speed));
  InterfaceRow::set<"duplex">(transaction, id,
                              works && state.duplex != netdev::Duplex::unknown
                                  ? OptionalText(state.duplex == netdev::Duplex::full ? "full" : "half")
                                  : OptionalText());
  InterfaceRow::set<"mtu">(transaction, id, number(state.mtu != 0, state.mtu));
  InterfaceRow::set<"status">(transaction, id, status);
  if (!works)
    write_statistics(transaction, interface, {});
  else if (interface.statistics.empty())
    write_statistics(transaction, interface, statistics_of(interface));
}

netdev::Statistics Reporter::statistics_of(const InterfaceState& interface) const {
  if (interface.type == "patch") {
    const BridgeState& bridge = *interface.port->bridge;
    const auto counted = bridge.engine->bridges().patch_statistics(*bridge.number, *interface.number);
    netdev::Statistics statistics;
    statistics.rx_packets = counted.rx_packets;
    statistics.rx_bytes = counted.rx_bytes;
    statistics.tx_packets = counted.tx_packets;
    statistics.tx_bytes = counted.tx_bytes;
    return statistics;
  }
  return interface.device->statistics().value_or(netdev::Statistics{});
}

void Reporter::write_statistics(dbclient::Transaction& transaction, InterfaceState& interface,
                                const netdev::Statistics& statistics) {
  ovsdb::Datum now = dbclient::ValueOf<Counters>::write(counters_of(statistics));
  if (now == interface.statistics) return;
  transaction.set(InterfaceRow::table, interface.id, "statistics", now);
  interface.statistics = std::move(now);
}

void Reporter::update_statistics() {
  statistics_timer_.start(statistics_interval_);
  if (in_flight_ || !may_write()) return;
  auto all = registry_.all_statistics();
  if (!all) {
    static RateLimit limit;
    log.limited(limit, LogLevel::warn, "no counters: {}", all.error().message);
    return;
  }
  dbclient::Transaction transaction{std::string(database_name)};
  transaction.need_lock(std::string(lock_name));
  for (auto& [id, interface] : model_.interfaces) {
    if (!interface->number || !interface->device) continue;
    const auto known = all->find(interface->name);
    // A device that is gone keeps its last counters.
    if (known != all->end())
      write_statistics(transaction, *interface, known->second);
    else if (is_virtual(*interface->device))
      write_statistics(transaction, *interface, statistics_of(*interface));
  }
  if (host_statistics_wanted_)
    replica_.table(root_table).each(
        [&](const dbclient::ReplicaRow& row) { write_host_statistics(transaction, row.uuid()); });
  if (!transaction.empty()) commit(std::move(transaction));
}

}  // namespace ovs::vswitchd
