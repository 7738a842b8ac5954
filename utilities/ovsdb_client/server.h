// Server: the database server at the other end, for a program that asks one thing after the other.
//
// connect() and call() block: they run the loop until what they wait for has happened, and after two
// seconds say on standard error what that is.  What the server sends by itself goes to the
// handler, also while a call waits.  `echo` is answered here.
//
// A remote may be passive ("ptcp:6640"): then the program waits for the server to connect.
//
// Thread safety: belongs to the Loop's thread.  RFC 7047 section 4.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "rpc/connection.h"
#include "runtime/loop.h"

namespace ovs::utilities::ovsdb_client {

// Whether `word` names a server rather than a database, a table or a file: "unix:...", "ptcp:...".
bool is_server_name(std::string_view word);

// RUNDIR/db.sock.
std::string default_server();

struct Reply {
  bool ok = false;
  json::value value;  // the result, or the error
};

class Server {
 public:
  // Whether a server may be used; `only_one`: there is no other to try.
  using Accept = std::function<Result<void>(Server&, bool only_one)>;

  // Several remotes, separated by commas, are tried in random order until one is accepted (null:
  // any server is).
  static Result<std::unique_ptr<Server>> connect(runtime::Loop& loop, std::string_view remotes,
                                                 const Accept& accept = nullptr);
  ~Server();

  // The reply, good or bad; an Error only where the connection is lost.
  Result<Reply> ask(std::string_view method, std::string_view params_text);
  // The result; an error reply becomes an Error as refused() makes it.
  Result<json::value> call(std::string_view method, std::string_view params_text);

  // Without waiting.  `done` is not called if the connection is lost first.
  using Done = std::function<void(Reply&&)>;
  void request(std::string_view method, std::string_view params_text, Done done);

  // Notifications and requests of the server.
  std::function<void(const rpc::Message&)> on_message;
  // Runs the loop until `done` returns true; an Error if the connection is lost before.
  // `what` is what the operator is told that the program waits for; empty: he is told nothing.
  Result<void> wait_until(const std::function<bool()>& done, std::string_view what);

  // Whether to leave what the server sends unread for now.
  void pause(bool pause);
  bool is_lost() const;             // the connection
  const std::string& name() const;  // the remote's name as it was given

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What an error reply to `method` becomes: "SERVER: "METHOD" failed: ...".
Error refused(const Server& server, std::string_view method, const json::value& error);

}  // namespace ovs::utilities::ovsdb_client
