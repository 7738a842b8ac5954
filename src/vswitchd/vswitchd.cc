#include "vswitchd/vswitchd.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "base/log.h"
#include "base/paths.h"
#include "vswitchd/settings.h"
#include "vswitchd/stored_settings.h"

namespace ovs::vswitchd {

namespace {

LogModule log{"vswitchd"};

using dbclient::ReplicaRow;

// The server needs up to ten seconds to find out that a connection is dead.
constexpr runtime::Duration lock_patience{15'000};

HostFacts initial_facts() {
  HostFacts facts;
  facts.ovs_version = package_version();
  const System system = this_system();
  facts.system_type = system.type;
  facts.system_version = system.version;
  return facts;
}

}  // namespace

Vswitchd::Vswitchd(runtime::Loop& loop, std::function<void()> settled) 
    : loop_(loop), settled_(std::move(settled)), patience_(loop, [this] { give_way(); }) {}

Vswitchd::~Vswitchd() {
  if (!reconciler_) return;  // create() failed
  client_->remove(this);
  release(false);
}

Result<std::unique_ptr<Vswitchd>> Vswitchd::create(runtime::Loop& loop, Settings settings,
                                                   std::function<void()> settled) {
  std::unique_ptr<Vswitchd> made(new Vswitchd(loop, std::move(settled)));
  Vswitchd& d = *made;
  OVS_TRY(d.client_, dbclient::Client::create(loop, settings.database));
  OVS_TRY(d.registry_, netdev::Registry::open({settings.dummies, settings.owner}));
  d.engines_ = std::make_unique<Engines>(
      loop, settings.dummies, std::move(settings.make_engine),
      [&d](const std::string& name, const std::string& type) { return d.make_device(name, type); });
  d.replica_ = std::make_unique<dbclient::Replica>(*d.client_, std::string(database_name), declarations(),
                                                   [&d] { d.on_database_changed(); }, dbclient::Replica::Options{});
  HostFacts facts = initial_facts();
  facts.datapath_types = d.engines_->types();
  facts.iface_types = d.registry_->types();
  d.reporter_ = std::make_unique<Reporter>(loop, *d.client_, *d.replica_, d.model_, *d.registry_, std::move(facts),
                                           [&d] { d.settled(); });
  d.reconciler_ = std::make_unique<Reconciler>(loop, *d.replica_, *d.engines_, *d.registry_, d.model_, *d.reporter_);
  if (const int fd = d.registry_->event_descriptor(); fd >= 0)
    d.device_events_ = std::make_unique<runtime::FdWatch>(loop, fd, runtime::FdWatch::Interest::read,
                                                          [&d] { d.on_device_events(); });
  d.client_->lock(std::string(lock_name), [&d](bool held) { d.on_lock(held); });
  d.client_->add(&d);
  return made;
}

Result<std::unique_ptr<netdev::Netdev>> Vswitchd::make_device(const std::string& name, const std::string& type) {
  OVS_TRY(auto device, registry_->create(name, type, {}));
  // What the database wants is waited for; what is wanted by hand has to be there.
  if (!is_virtual(*device) && device->state().ifindex == 0) {
    device->destroy();
    return unexpected(std::strerror(ENODEV), ENODEV);
  }
  return device;
}

void Vswitchd::on_connected() {
  // Answers come in the order of the questions, and the lock was asked for first: by the time of this answer it
  // is known who has it.
  client_->get_schema(database_name, [this, alive = std::weak_ptr(alive_)](auto schema) {
    if (alive.expired()) return;
    if (schema) {
      HostFacts facts = reporter_->facts();
      facts.db_version = (*schema)->version;
      reporter_->set_facts(std::move(facts));
    }
    look_at_lock();
    // The replica has asked for its content by now; if nothing changed meanwhile, it says nothing, but what was on
    // its way to the database when the connection broke may be lost.
    client_->request("echo", "[]", [this, alive](rpc::Response&& response) {
      if (!alive.expired() && response.ok && everything_ && client_->has_lock() && replica_->current()) configure();
    });
  });
}

void Vswitchd::look_at_lock() {
  if (!client_->is_connected() || client_->has_lock()) return;
  if (!configured_) return give_way();
  if (patience_.running()) return;
  log.warn("the database's lock is held since the connection was lost, by a former connection of this switch or by "
           "another ovs-vswitchd: forwarding goes on as it was configured, for {} s at most", lock_patience.count() / 1000);
  patience_.start(lock_patience);
}

void Vswitchd::give_way() {
  if (!client_->is_connected() || client_->has_lock()) return;
  if (!std::exchange(contention_told_, true))
    log.err("another ovs-vswitchd serves this database: this one (pid {}) waits until that one has ended", getpid());
  if (std::exchange(configured_, false)) {
    log.warn("the other one took over: removing all bridges here");
    release(false);
  }
  settled();
}

void Vswitchd::on_lock(bool held) {
  if (!held) {
    // Stolen.  Without a connection nobody has been told that we lost it: it is asked for again with the next one.
    if (client_->is_connected()) give_way();
    return;
  }
  patience_.cancel();
  if (std::exchange(contention_told_, false)) log.info("the other ovs-vswitchd has ended: this one takes over");
  everything_ = true;
  reporter_->forget_statistics();
  if (replica_->current()) configure();
}

void Vswitchd::on_database_changed() {
  if (!replica_->refusal().empty()) {
    log.err("{}: the database cannot be used: {}", client_->session().name(), replica_->refusal());
    settled();
    return;
  }
  if (replica_->ready() && client_->has_lock())
    configure();
  else
    replica_->forget_changes();  // everything is looked at when the lock is ours
}

void Vswitchd::configure() {
  if (ended_) return;
  apply_root_settings();
  const bool everything = std::exchange(everything_, false);
  reconciler_->apply(everything);
  bool reported = false;
  replica_->table(root_table).each([&](const ReplicaRow& row) {
    reporter_->configured(RootRow(row).get<"next_cfg">());
    reported = true;
  });
  if (everything) reporter_->touch_all();
  replica_->forget_changes();
  configured_ = true;
  // What ports that are gone by now have left behind while nobody was here.
  if (!std::exchange(leftovers_removed_, true))
    registry_->remove_leftovers([this](const std::string& name) { return model_.interface(name) != nullptr; });
  if (!reported) settled();
}

void Vswitchd::apply_root_settings() {
  StringMap other_config;
  replica_->table(root_table).each([&](const ReplicaRow& row) { other_config = RootRow(row).get<"other_config">(); });
  // A flow that is removed as soon as it is made would keep the main thread busy.
  constexpr std::int64_t least_idle_time = 500;
  // Beyond this arithmetic with times might overflow.
  constexpr std::int64_t a_year = 365LL * 24 * 3600 * 1000;
  Complaints complaints;
  const auto number = [&](const char* key, auto otherwise, std::int64_t least, std::int64_t most) {
    return get_number(other_config, key, static_cast<std::int64_t>(otherwise), least, most, complaints);
  };
  reporter_->set_statistics_interval(runtime::Duration(number("stats-update-interval", 5000, 5000, a_year)));
  reporter_->set_host_statistics(get_bool(other_config, "enable-statistics", false));
  // Of use at the beginning only: a switch that is at work goes on.
  if (restoring_ && !get_bool(other_config, "flow-restore-wait", false)) {
    restoring_ = false;
    if (restoring_told_) log.info("other_config:flow-restore-wait is no longer set: packets are forwarded from now on");
  } else if (restoring_ && !std::exchange(restoring_told_, true)) {
    log.info("other_config:flow-restore-wait is set: nothing is forwarded until that changes");
  }
  Engines::Tuning tuning;
  tuning.on_hold = restoring_;
  tuning.flow_idle_time =
      std::chrono::milliseconds(number("max-idle", tuning.flow_idle_time.count(), least_idle_time, a_year));
  tuning.flow_limit =
      static_cast<std::size_t>(number("flow-limit", tuning.flow_limit, 0, std::numeric_limits<std::uint32_t>::max()));
  tuning.vlan_limit = static_cast<unsigned>(number("vlan-limit", tuning.vlan_limit, 0, flow::max_vlan_tags));
  engines_->tune(tuning);
  complain_of_stored_settings("Open_vSwitch", other_config, complaints);
  Messages messages(complaints.begin(), complaints.end());
  for (const std::string& message : messages)
    if (!messages_.contains(message)) log.warn("Open_vSwitch: {}", message);
  messages_ = std::move(messages);
}

void Vswitchd::on_device_events() {
  for (const std::string& name : registry_->process_events()) reconciler_->device_changed(name);
  reporter_->look_at_devices();
  if (!ended_) reconciler_->retry_devices();
}

void Vswitchd::device_changed(const std::string& name) { reconciler_->device_changed(name); }

void Vswitchd::settled() {
  if (auto settled = std::exchange(settled_, nullptr)) settled();
}

void Vswitchd::release(bool destroy) {
  reconciler_->release(destroy);
  configured_ = false;
  everything_ = true;
}

void Vswitchd::end(bool cleanup) {
  ended_ = true;
  release(cleanup);
  // There is none of the model's left.  What another daemon made, which has the lock, is not ours to remove.
  if (cleanup && !contention_told_) registry_->remove_leftovers();
}

Result<void> Vswitchd::add_commands(ControlTable& table) {
  OVS_TRY_DO(engines_->add_commands(table));
  add_daemon_commands(table, *this);
  return {};
}

}  // namespace ovs::vswitchd
