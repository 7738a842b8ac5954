// Vswitchd: the daemon but for its process: connection, lock, configuration, devices, reports.
//
// One switch daemon at a time serves a database: it holds the lock "ovs_vswitchd".  Until the lock is ours
// and the first complete content of the database is there, nothing is configured.  While the server is away, or
// starts anew, everything goes on as it was last configured.  If the lock is held by the time that the server is back,
// it may be by a connection of ours that the server, which hung, does not know to have ended: so all goes on a while
// longer.  Then it is another daemon that has taken it, and this one removes its bridges and waits.
//
// Thread safety: the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/command.h"
#include "base/result.h"
#include "dbclient/client.h"
#include "dbclient/replica.h"
#include "netdev/registry.h"
#include "runtime/loop.h"
#include "vswitchd/engines.h"
#include "vswitchd/model.h"
#include "vswitchd/reconciler.h"
#include "vswitchd/reporter.h"

namespace ovs::vswitchd {

class Vswitchd : private dbclient::Client::Listener {
 public:
  struct Settings {
    std::string database;  // "unix:..."
    netdev::DummyMode dummies = netdev::DummyMode::off;
    std::string owner;  // see netdev::Registry
    Engines::Make make_engine;
  };
  // `settled` is called once: when the first configuration is in force and the database has been told what came of it,
  // or when it is known that another daemon has to end first.
  static Result<std::unique_ptr<Vswitchd>> create(runtime::Loop& loop, Settings settings,
                                                  std::function<void()> settled);
  ~Vswitchd() override;

  Result<void> add_commands(ControlTable& table);
  // Removes the bridges, and with `cleanup` what would stay in the system when the process ends, also what an earlier
  // process left there.  Whatever the database says afterwards, nothing is configured any more.
  void end(bool cleanup);

  // What the control commands show.
  const Model& model() const { return model_; }
  Engines& engines() { return *engines_; }
  const dbclient::Replica& replica() const { return *replica_; }
  const dbclient::Client& client() const { return *client_; }
  netdev::Registry& registry() { return *registry_; }
  runtime::Loop& loop() { return loop_; }
  // After a device was changed by hand (netdev-dummy/set-admin-state).
  void device_changed(const std::string& name);

 private:
  Vswitchd(runtime::Loop& loop, std::function<void()> settled);
  Result<std::unique_ptr<netdev::Netdev>> make_device(const std::string& name, const std::string& type);
  void on_connected() override;
  void on_disconnected() override {}
  bool on_notification(const rpc::Message&) override { return false; }
  void on_lock(bool held);
  void on_database_changed();
  void on_device_events();
  void look_at_lock();
  void give_way();
  void configure();
  void release(bool destroy);
  void apply_root_settings();
  void settled();

  runtime::Loop& loop_;
  std::function<void()> settled_;
  std::unique_ptr<dbclient::Client> client_;
  std::unique_ptr<netdev::Registry> registry_;
  std::unique_ptr<Engines> engines_;
  Model model_;
  std::unique_ptr<dbclient::Replica> replica_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<runtime::FdWatch> device_events_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // for replies that may come after our end
  runtime::Timer patience_;                               // runs while the lock is held elsewhere and we go on
  bool configured_ = false;      // at least once since the lock is ours
  bool everything_ = true;       // the next configuration compares all
  // Since the start, Open_vSwitch.other_config:flow-restore-wait has never been found unset; the log tells of it.
  bool restoring_ = true, restoring_told_ = false;
  bool leftovers_removed_ = false;
  bool contention_told_ = false;
  bool ended_ = false;
  Messages messages_;  // about the row of Open_vSwitch
};

// netdev-dummy/*, memory/show, bridge/reconnect, qos/*: the commands that are not the Switches'.
void add_daemon_commands(ControlTable& table, Vswitchd& daemon);

}  // namespace ovs::vswitchd
