// Remotes: the ways by which clients come: listening sockets, connections that the server makes
// itself, and "db:DB,TABLE,COLUMN", which names a column of a database that holds such remotes.
//
// A column of strings holds the remotes themselves; a column of references leads to rows with the
// columns target, max_backoff, inactivity_probe and read_only, and the server writes is_connected
// and status into these rows.
//
// Thread safety: belongs to the server's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dbserver/server.h"
#include "runtime/loop.h"
#include "runtime/stream.h"

namespace ovs::dbserver {

struct RemoteOptions {
  runtime::Duration probe_interval{5000};
  runtime::Duration max_backoff{8000};
  bool read_only = false;
  bool operator==(const RemoteOptions&) const = default;
};

class Remotes {
 public:
  explicit Remotes(Server& server);
  ~Remotes();

  // Whether a name can be that of a remote, listening or connecting; db: ones are no names in this sense.
  static Result<void> check_name(const std::string& name);

  // A remote given by the operator.  One that is there already is no error; one that cannot be
  // opened is.
  Result<void> add(const std::string& remote);
  Result<void> remove(const std::string& remote);
  const std::set<std::string>& configured() const { return configured_; }

  // Follows the columns that db: remotes name; called with each database that has changed.
  void database_changed(Hosted& hosted);
  // Remotes by TLS that could not be opened are tried again now.
  void keys_changed();
  // Whether a remote by TLS of the operator may wait for a key that the database does not name yet.
  void keys_may_come(bool may) { keys_may_come_ = may; }
  // Opens what is configured now; the first error of a remote that the operator named.
  Result<void> reconfigure();

 private:
  class Endpoint;
  class Listening;
  class Connecting;
  struct Target {
    RemoteOptions options;
    bool from_operator = false;
  };
  struct StatusRow {
    std::string database, table;
    Uuid uuid;
    std::string target;
    bool operator==(const StatusRow&) const = default;
  };

  // A target from a database that could not be opened, or one of the operator that waits for keys.
  struct Failure {
    std::string message;
    runtime::TimePoint again = runtime::TimePoint::max();  // when it is tried again
  };

  Result<std::unique_ptr<Endpoint>> open(const std::string& name, const RemoteOptions& options);
  void failed(const std::string& name, const Error& error);
  bool waits_for_keys(const std::string& name) const;
  Result<void> read_column(const std::string& remote, std::map<std::string, Target>& targets);
  void write_status();

  Server& server_;
  std::set<std::string> configured_;
  std::map<std::string, std::unique_ptr<Endpoint>> endpoints_;  // by target
  std::map<std::string, Failure> failures_;                     // by target
  std::vector<StatusRow> status_rows_;
  std::set<std::string> watched_;  // databases that db: remotes name
  std::string last_problem_;
  bool reconfiguring_ = false;
  bool keys_may_come_ = false;
  runtime::Timer status_timer_;
  runtime::Timer retry_timer_;
};

}  // namespace ovs::dbserver
