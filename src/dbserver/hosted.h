// Hosted: one database that the server serves, with its storage, its monitors, its history and the
// transactions that wait in it.
//
// Thread safety: belongs to the server's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dbserver/database.h"
#include "dbserver/monitor.h"
#include "dbserver/storage.h"
#include "runtime/loop.h"
#include "runtime/stream.h"

namespace ovs::dbserver {

class Client;
struct ActiveMonitor;

// What clients with equal wishes have in common.
struct SharedShape {
  MonitorShape shape;
  // By the name that clients gave their monitor: equal names get the very same bytes.
  std::map<std::string, std::vector<ActiveMonitor*>, std::less<>> members;
};

// Puts a waiting transaction down to its client's account, as long as it lives.
class WaitAccount {
 public:
  WaitAccount(std::shared_ptr<Client> client, std::size_t bytes);
  WaitAccount(WaitAccount&& other) noexcept = default;
  WaitAccount& operator=(WaitAccount&& other) = delete;
  ~WaitAccount();
  const std::shared_ptr<Client>& client() const { return client_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<Client> client_;
  std::size_t bytes_;
};

// A transaction whose "wait" does not hold yet.
struct WaitingTransaction {
  WaitAccount account;
  json::value params;
  std::string id_text;
  runtime::TimePoint arrived;
  std::unique_ptr<runtime::Timer> timer;
};

class Hosted {
 public:
  Hosted(std::unique_ptr<Database> database, std::unique_ptr<Storage> storage);
  ~Hosted();

  const std::string& name() const { return database->name(); }
  const std::string& schema_text() const { return schema_text_; }
  // After a conversion: another schema and its rows.  There must be no monitors.
  void replace(std::unique_ptr<Database> with);

  // Sends what `change` means to every monitor, and remembers the change.
  void publish(const std::shared_ptr<const Change>& change);

  // Finds the shape or makes it.
  std::shared_ptr<SharedShape> share(MonitorShape shape);
  void join(ActiveMonitor& monitor);
  void leave(ActiveMonitor& monitor);
  std::size_t monitors() const { return monitors_; }

  const Uuid& last_id() const { return last_id_; }
  // All that happened after the transaction `id`; nothing if it is not remembered.
  std::optional<Change> since(const Uuid& id) const;
  std::size_t history_size() const { return history_.size(); }

  std::unique_ptr<Database> database;
  std::unique_ptr<Storage> storage;  // null: in memory alone, and read-only for clients
  Uuid row;                          // in _Server
  std::list<WaitingTransaction> waiting;
  bool changed = false;  // since the waiting transactions were tried

 private:
  std::string schema_text_;
  std::map<std::string, std::weak_ptr<SharedShape>> shapes_;
  std::size_t monitors_ = 0;
  std::deque<std::shared_ptr<const Change>> history_;
  std::size_t history_bytes_ = 0;
  Uuid before_history_;  // the transaction before the first one of the history
  Uuid last_id_;
};

}  // namespace ovs::dbserver
