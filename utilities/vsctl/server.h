// Server: the database server as ovs-vsctl sees it: one question, one answer, one after the other.
//
// It runs the event loop while it waits.  What it waits for is kept as text, so that the deadline
// of --timeout and the notice after two seconds can say it.
//
// Thread safety: none; the program has one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "dbclient/client.h"
#include "ovsdb/schema.h"
#include "runtime/loop.h"
#include "runtime/tls_config.h"

namespace ovs::vsctl {

inline constexpr std::string_view database_name = "Open_vSwitch";

// Where rows come from; a unit test has its own.
class Source {
 public:
  virtual ~Source() = default;
  // The results of a "transact" request with these operations (JSON texts).
  virtual Result<json::array> transact(const std::vector<std::string>& operations) = 0;
};

class Server : public Source {
 public:
  // `remotes` may be passive: then the server is waited for.  `retry`: keeps trying to connect for
  // ever.  `limit`: how long each wait may take; none: for ever.  `tls`: the keys for remotes by TLS.
  static Result<std::unique_ptr<Server>> connect(std::string_view remotes, bool retry,
                                                 std::optional<runtime::Duration> limit = {},
                                                 const runtime::TlsSettings& tls = {});
  ~Server() override;

  Result<json::array> transact(const std::vector<std::string>& operations) override;
  Result<std::shared_ptr<const ovsdb::DatabaseSchema>> get_schema();
  // Sends a transaction and waits for its end.  `transaction` has the outcome's details afterwards.
  dbclient::Outcome commit(dbclient::Transaction& transaction);
  // Runs the loop until `done`.  After two seconds standard error says what is waited for: `what`,
  // or the server, and why it could not be reached when that was tried last.  The error of a wait
  // that took too long has the code ETIMEDOUT.
  Result<void> wait(const std::function<bool()>& done, std::string_view what = {});

  std::optional<runtime::Duration> limit() const { return limit_; }
  void set_limit(std::optional<runtime::Duration> limit) { limit_ = limit; }
  // Why the last commit() got no answer; nothing if it got one.
  const std::optional<Error>& failed() const { return failed_; }

  dbclient::Client& client() { return *client_; }
  runtime::Loop& loop() { return loop_; }
  const std::string& remotes() const { return remotes_; }

 private:
  Server(std::string remotes);
  Error lost() const;
  std::string awaited() const;
  runtime::Loop loop_;
  std::string remotes_;
  std::optional<runtime::Duration> limit_;
  std::optional<Error> failed_;
  std::set<std::string, std::less<>> said_;  // what has been said to be waited for
  std::unique_ptr<dbclient::Client> client_;
};

}  // namespace ovs::vsctl
