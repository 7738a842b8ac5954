// Reporter: tells the database what is: ports' numbers, devices' states, counters, which configuration is in force.
//
// Others say what may have changed (touch()); what is written is the difference between the model and
// the replica, looked up when the transaction is made.  One transaction is on its way at a time; what
// changes meanwhile goes into the next one.  News of a configuration goes out at the end of the round in which it
// was applied, since ovs-vsctl waits for it; news of devices at most ten times a second, however
// often a link flaps.
//
// Counters are written every other_config:stats-update-interval milliseconds (5000 at least), all in one
// transaction, those alone that differ from what was written last.
//
// Thread safety: the loop's thread.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "dbclient/client.h"
#include "dbclient/replica.h"
#include "netdev/registry.h"
#include "runtime/loop.h"
#include "vswitchd/host.h"
#include "vswitchd/model.h"

namespace ovs::vswitchd {

class Reporter {
 public:
  // `told` is called when the database has what there is to say of a configuration, each time, or has refused it.
  Reporter(runtime::Loop& loop, dbclient::Client& client, dbclient::Replica& replica, Model& model,
           netdev::Registry& registry, HostFacts facts, std::function<void()> told);

  void touch(const InterfaceState& interface) { touch_interface(interface.id); }
  void touch_interface(const Uuid& id);
  void touch(const BridgeState& bridge);
  void touch(const PortState& port);
  void touch_root();
  void touch_all();
  // `next_cfg` of the configuration that is in force now, as soon as no device is settling any more: neither it nor what
  // there is to say of such a device is written before.
  void configured(std::int64_t next_cfg);
  // Devices have changed.
  void look_at_devices();

  void set_facts(HostFacts facts);
  const HostFacts& facts() const { return facts_; }
  void set_statistics_interval(runtime::Duration interval);
  // Whether Open_vSwitch.statistics is kept up to date, in the same interval; it is empty if not.
  void set_host_statistics(bool wanted);
  // The database may have lost its counters, which are not on its disk.
  void forget_statistics();

 private:
  void flush();
  void write_root(dbclient::Transaction& transaction, bool is_configured);
  void write_bridge(dbclient::Transaction& transaction, const BridgeState& bridge);
  void write_port(dbclient::Transaction& transaction, const PortState& port);
  void write_interface(dbclient::Transaction& transaction, InterfaceState& interface);
  void write_statistics(dbclient::Transaction& transaction, InterfaceState& interface,
                        const netdev::Statistics& statistics);
  netdev::Statistics statistics_of(const InterfaceState& interface) const;
  void write_host_statistics(dbclient::Transaction& transaction, const Uuid& root);
  void update_statistics();
  void commit(dbclient::Transaction transaction, bool is_configured = false);
  bool may_write() const;

  runtime::Loop& loop_;
  dbclient::Client& client_;
  dbclient::Replica& replica_;
  Model& model_;
  netdev::Registry& registry_;
  HostFacts facts_;
  const std::function<void()> told_;

  using Ids = boost::unordered_flat_set<Uuid, UuidHash>;
  Ids interfaces_, bridges_, ports_;  // that may have to be written
  bool root_ = false, all_ = false;
  std::optional<std::int64_t> configured_;  // not written yet
  bool in_flight_ = false;
  runtime::TimePoint next_flush_{};  // of what is not urgent
  runtime::RoundHook flush_soon_;
  runtime::Timer flush_later_;
  runtime::Timer statistics_timer_;
  runtime::Duration statistics_interval_{5000};
  bool host_statistics_wanted_ = false;
  std::optional<ovsdb::Datum> host_statistics_;  // as written last
};

}  // namespace ovs::vswitchd
