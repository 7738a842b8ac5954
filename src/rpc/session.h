// Session: a JSON-RPC client that stays connected.
//
// It connects to one of its remotes (in turn), reconnects with back-off when the connection is
// lost, probes an idle peer with `echo`, answers the peer's echo, matches replies to requests.
// What the methods mean is the owner's.
//
//   connected() ... requests, notifications ... disconnected() ... connected() ...
//
// A request that is under way when the connection is lost is answered with an error; it is not
// sent again, because only the owner knows whether that is safe.
//
// Thread safety: belongs to the Loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rpc/connection.h"
#include "runtime/loop.h"

namespace ovs::rpc {

struct SessionOptions {
  runtime::Duration probe_interval{5000};  // 0: never; half of it passes idle before an echo is sent ... RFC 7047 4.1.11
  runtime::Duration min_backoff{1000};
  runtime::Duration max_backoff{8000};
  bool retry = true;                       // false: one attempt at each remote, then failed()
};

// A reply: `ok` false means that `value` is the error (a JSON string where the connection was lost).
struct Response {
  bool ok = false;
  json::value value;
  bool disconnected = false;
};

class Session {
 public:
  struct Handler {
    std::function<void()> connected;
    std::function<void(const Error&)> disconnected;
    std::function<void(const Error&)> failed;  // only with retry == false: every remote was tried
    std::function<void(Message&&)> message;    // requests but echo, and notifications
  };

  // `remotes`: "unix:...", "tcp:...", several separated by commas.
  static Result<std::unique_ptr<Session>> create(runtime::Loop& loop, std::string_view remotes,
                                                 Handler handler, SessionOptions options = {});
  ~Session();

  using Done = std::function<void(Response&&)>;
  // Sends a request; `params_text` is a JSON array already written.  Returns the id.
  std::uint64_t request(std::string_view method, std::string_view params_text, Done done);
  // The owner no longer wants the reply.
  void forget(std::uint64_t id);
  void notify(std::string_view method, std::string_view params_text);
  void reply(const json::value& id, std::string_view result_text);

  bool is_connected() const;
  void force_reconnect(std::string_view reason);
  const std::string& name() const;       // the remote now in use
  std::string status() const;            // "ACTIVE", "BACKOFF", "CONNECTING", "IDLE"
  const Error& last_error() const;
  std::size_t backlog() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovs::rpc
