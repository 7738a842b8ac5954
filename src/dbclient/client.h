// Client: one connection to a database server, shared by replicas, transactions and single requests.
//
// It owns the JSON-RPC session (which reconnects by itself) and hands notifications to those who
// registered for them.  It keeps one lock, asking for it again after a reconnect.
//
//     OVS_TRY(auto client, Client::create(loop, "unix:/run/openvswitch/db.sock"));
//     client->commit(std::move(transaction), [](Transaction& t, Outcome outcome) { ... });
//
// Thread safety: belongs to the Loop's thread.  RFC 7047 section 4.1.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dbclient/transaction.h"
#include "ovsdb/schema.h"
#include "rpc/session.h"

namespace ovs::dbclient {

class Client {
 public:
  // What happens to the connection; a Replica is one.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_connected() = 0;
    virtual void on_disconnected() = 0;
    // Returns whether the notification was for this listener.
    virtual bool on_notification(const rpc::Message& message) = 0;
  };

  // `remotes` as in rpc::Session.  Connecting begins at once.
  static Result<std::unique_ptr<Client>> create(runtime::Loop& loop, std::string_view remotes,
                                                rpc::SessionOptions options = {});
  ~Client();
  Client(const Client&) = delete;

  // The listener must be removed before it is destroyed.  If the connection stands already,
  // on_connected() is called at once.
  void add(Listener* listener);
  void remove(Listener* listener);

  // A request as it is.  `done` is called once, unless forget() or the client's end comes first.
  using Done = rpc::Session::Done;
  std::uint64_t request(std::string_view method, std::string_view params_text, Done done);
  void forget(std::uint64_t id);

  using SchemaDone = std::function<void(Result<std::shared_ptr<const ovsdb::DatabaseSchema>>)>;
  void get_schema(std::string_view database, SchemaDone done);

  // Rows of one table, in one request: for those who need a few rows and no replica.
  // `where_text` is a JSON array of clauses; the result is the rows, as the server sent them.
  using RowsDone = std::function<void(Result<json::array>)>;
  void select(std::string_view database, std::string_view table, std::string_view where_text,
              const std::vector<std::string>& columns, RowsDone done);

  // Sends what the transaction holds.  `done` is called from the loop, or at once where there is
  // nothing to send.  A transaction under way when the connection is lost ends in try_again: it may
  // or may not have been carried out, and who tries again decides from the new state.
  using CommitDone = std::function<void(Transaction& transaction, Outcome outcome)>;
  void commit(Transaction transaction, CommitDone done);

  // Locks (RFC 7047 section 4.1.8): one at a time.  `changed` is called when the lock is gained
  // or lost.
  void lock(std::string name, std::function<void(bool held)> changed);
  void unlock();
  bool has_lock() const;
  const std::string& lock_name() const;

  bool is_connected() const;
  // The connection gave up for good: SessionOptions::retry was off and every remote was tried.
  const std::optional<Error>& failure() const;
  rpc::Session& session();
  const rpc::Session& session() const;

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The "select" operation as JSON text, for those who put several into one request.
std::string select_operation(std::string_view table, std::string_view where_text,
                             const std::vector<std::string>& columns);

}  // namespace ovs::dbclient
