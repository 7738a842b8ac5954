// Session: the database and the switch, as ovs-conf works with them, each wait with a limit.
//
// Thread safety: none; the program has one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "conf/describe.h"
#include "conf/plan.h"
#include "conf/undo.h"
#include "dbclient/replica.h"
#include "runtime/tls_config.h"
#include "vsctl/server.h"

namespace ovs::conf {

// What the program ends with; ovs-conf(8) tells users.
enum Exit : int {
  exit_done = 0,
  exit_differs = 1,     // diff: something would change
  exit_mistake = 2,     // in the file or on the command line
  exit_database = 3,    // the server cannot be reached, or refuses
  exit_switch = 4,      // the switch does not carry it out
  exit_unconfirmed = 5, // another change waits to be confirmed, or none does
  exit_faults = 6,      // the change is made, and something does not work
};

class Session {
 public:
  // Connects and fetches the configuration.  `tls`: the keys for remotes by TLS.  `limit`: for each answer of the server.
  static Result<std::unique_ptr<Session>> open(const std::string& remotes, const runtime::TlsSettings& tls,
                                               std::chrono::milliseconds limit);

  const ovsdb::DatabaseSchema& schema() const { return *schema_; }
  Present present() const;

  // What the switch says that it knows.
  MoreTypes types() const;

  // Sends one transaction, whose changes `fill` decides in view of the present content; it is asked again when
  // somebody else was faster.  With `notify` the switch is asked to say when it is done: commit() returns the number
  // to wait for.  0: there was nothing to do, and nothing was sent.
  struct Committed {
    std::int64_t number = 0;
    bool sent = false;
    std::function<Uuid(const Uuid&)> real;
  };
  using Fill = std::function<Result<void>(dbclient::Transaction&, const Present&)>;
  Result<Committed> commit(const std::string& comment, const Fill& fill, bool notify);
  // Whether the last commit() failed without an answer from the server, so that the change may have been made.
  bool unanswered() const { return unanswered_; }

  // Waits until the switch has carried out configuration `number`; 0: the last one that anybody has asked for.
  // The error has the code ETIMEDOUT where it was the switch that took too long.
  Result<void> wait_for_switch(std::int64_t number, std::chrono::milliseconds limit);

  // What the switch says about interfaces that it cannot use: "tap9: could not open ...".
  std::vector<std::string> interface_errors(const Declared& declared) const;

  runtime::Loop& loop() { return server_->loop(); }
  vsctl::Server& server() { return *server_; }

 private:
  Session() = default;
  Record present_root() const;
  bool await_news(std::uint64_t seqno);
  std::unique_ptr<vsctl::Server> server_;
  std::shared_ptr<const ovsdb::DatabaseSchema> schema_;
  std::unique_ptr<dbclient::Replica> replica_;
  bool unanswered_ = false;
};

}  // namespace ovs::conf
