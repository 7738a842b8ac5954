// Server: the databases that it serves, its clients, and the methods that they call.
//
// A round.  Requests that arrive in one round of the loop are executed one after the other, in
// memory; at the round's end (end_round()) their records go to the log with one write, and only
// then do monitors and clients hear of them.  If the log cannot be written, all transactions of
// the round are taken back and executed again one by one, so that each gets the answer that is
// true for it: an error for those that change something, what the database holds for the others.
//
// Durable transactions are answered when an fsync that began after their write has ended; those of
// many clients share one.
//
// Thread safety: belongs to its Loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/command.h"
#include "base/uuid.h"
#include "dbserver/client.h"
#include "dbserver/hosted.h"
#include "dbserver/lock_table.h"
#include "dbserver/transaction.h"
#include "ovsdb/log_file.h"
#include "rpc/connection.h"
#include "runtime/loop.h"
#include "runtime/stream.h"

namespace ovs::dbserver {

struct ServerOptions {
  // Write changed columns as differences ("_is_diff"); old servers cannot read these.
  bool diffs = true;
};

class Server {
 public:
  Server(runtime::Loop& loop, ovsdb::FileSystem& files, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  runtime::Loop& loop() { return loop_; }

  // Databases.
  Result<std::string> add_database(const std::string& path);  // returns its name
  Result<void> remove_database(const std::string& name);
  const std::map<std::string, std::shared_ptr<Hosted>>& databases() const { return databases_; }
  Hosted* find_database(std::string_view name) const;
  Result<void> compact(std::string_view name, std::function<void(const Result<void>&)> done);

  // Clients.
  std::shared_ptr<Client> add_client(std::unique_ptr<runtime::Stream> stream, ClientOptions options,
                                     std::function<void(const Error&)> closed);
  void disconnect_all(std::string_view reason);
  const std::map<std::uint64_t, std::shared_ptr<Client>>& clients() const { return clients_; }
  const LockTable& locks() const { return locks_; }

  // A transaction of the server itself, such as of a status column: operations as JSON text.
  void change(Hosted& hosted, std::string_view operations);

  // Called at the end of a round with each database that has changed in it.
  void on_change(std::function<void(Hosted&)> observer) { observer_ = std::move(observer); }

  // Whether something is under way for a client that has not been answered: a clean exit waits.
  bool idle() const { return batch_.empty() && syncing_ == 0; }

  std::string memory_text() const;
  std::string counters_text() const;
  void clear_counters() { counters_ = {}; }

  // For Client.
  void handle(Client& client, rpc::Message&& message);
  void forget(Client& client);
  bool has_time(const Client& client);
  void schedule_requests();

 private:
  struct Pending;
  struct Counters {
    std::uint64_t transactions = 0, failed = 0, waits = 0, rounds = 0;
    std::uint64_t execute_ns = 0, flush_ns = 0, publish_ns = 0, longest_round_ns = 0;
  };
  using Method = void (Server::*)(Client&, const json::value& params, const std::string& id_text);

  // JSON-RPC methods (server_methods.cc).
  void list_dbs(Client&, const json::value& params, const std::string& id_text);
  void get_schema(Client&, const json::value& params, const std::string& id_text);
  void get_server_id(Client&, const json::value& params, const std::string& id_text);
  void set_db_change_aware(Client&, const json::value& params, const std::string& id_text);
  void echo(Client&, const json::value& params, const std::string& id_text);
  void lock(Client&, const json::value& params, const std::string& id_text);
  void steal(Client&, const json::value& params, const std::string& id_text);
  void unlock(Client&, const json::value& params, const std::string& id_text);
  void monitor(Client&, const json::value& params, const std::string& id_text);
  void monitor_cond(Client&, const json::value& params, const std::string& id_text);
  void monitor_cond_since(Client&, const json::value& params, const std::string& id_text);
  void monitor_cond_change(Client&, const json::value& params, const std::string& id_text);
  void monitor_cancel(Client&, const json::value& params, const std::string& id_text);
  void convert(Client&, const json::value& params, const std::string& id_text);
  void add_monitor(Client&, MonitorVersion version, std::string_view method, const json::value& params,
                   const std::string& id_text);
  void request_lock(Client&, bool by_force, const json::value& params, const std::string& id_text);
  Hosted* database_of(Client& client, std::string_view method, const json::value& params,
                      const std::string& id_text);
  void cancel(Client& client, const json::value& id);

  // Transactions (server_transact.cc).
  void transact(Client& client, json::value&& params, std::string id_text);
  void execute(Pending pending);
  bool execute_again(Pending& pending);
  void wait_for_change(Pending& pending, std::optional<std::int64_t> wait_ms);
  Pending resumed(const std::shared_ptr<Hosted>& hosted, WaitingTransaction&& waiting) const;
  void end_round();
  void flush_batch();
  void redo(Hosted& hosted, std::vector<Pending>& batch, Error error);
  void deliver(Pending& pending);
  void publish(Hosted& hosted, const std::shared_ptr<const Change>& change);
  void retry_waiting();
  void compact_if_due(Hosted& hosted);
  TransactionContext context_of(const Pending& pending) const;

  void serve(std::shared_ptr<Hosted> hosted);
  void withdraw(Hosted& hosted);
  void describe(Hosted& hosted);
  void schedule_end();
  void notify_lock(LockTable::Holder holder, std::string_view method, const std::string& lock);

  runtime::Loop& loop_;
  ovsdb::FileSystem& files_;
  ServerOptions options_;
  Uuid id_ = Uuid::random();
  std::map<std::string, std::shared_ptr<Hosted>> databases_;
  std::map<std::uint64_t, std::shared_ptr<Client>> clients_;
  std::uint64_t last_client_ = 0;
  LockTable locks_;
  std::function<void(Hosted&)> observer_;

  std::vector<Pending> batch_;
  bool end_scheduled_ = false;
  std::size_t syncing_ = 0;  // replies that wait for the disk
  Counters counters_;

  // Fairness: how long the present client has been served in this round.
  std::uint64_t served_ = 0;
  std::int64_t served_since_ns_ = 0;
  bool requests_scheduled_ = false;
  std::uint64_t next_turn_ = 0;

  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ovs::dbserver
