// Session: a JSON-RPC client that stays connected.
//
// It connects to one of its remotes (in turn), reconnects with back-off when the connection is
// lost, probes an idle peer with `echo` (RFC 7047 section 4.1.11), answers the peer's echo, matches
// replies to requests.  When to do what is decided in rpc/reconnect.h; what the methods mean is the
// owner's.
//
//   connected() ... requests, notifications ... disconnected() ... connected() ...
//
// A request that is under way when the connection is lost, or that is made while there is none, is
// answered with `disconnected`; it is not sent again, because only the owner knows whether that is
// safe.
//
// A remote may be passive: then the session listens, and the first peer that comes by is the one it talks to.  Nobody
// else is let in until that connection is lost.
//
// Order: no function of the owner's is called from within a call that the owner makes; replies and
// messages come in the order of the wire.  On a loss, the requests under way are answered first,
// in the order in which they were made, then disconnected() is called.
//
// Lifetime: any of the owner's functions may destroy the session; nothing is called afterwards.
//
// Errors: losing or not getting a connection is no error of a call: disconnected(), failed() and
// last_error() tell.  Only create() fails, for remotes that cannot be right.
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
  // After this long without a byte from the peer an echo is sent; after as long again without one
  // the connection is given up.  0: never.
  runtime::Duration probe_interval{5000};
  runtime::Duration min_backoff{1000};      // the first wait between attempts; doubles each time
  runtime::Duration max_backoff{8000};
  // How long one attempt may take.  Where there is one remote and it is passive, it takes any time.
  runtime::Duration connect_timeout{8000};
  bool retry = true;  // false: one attempt at each remote, and none after a loss; then failed()
};

// A reply: `ok` false means that `value` is the error (a JSON string where the connection was lost).
struct Response {
  bool ok = false;
  json::value value;
  bool disconnected = false;
};

// Why there is no connection to `remote`, in words that repeat neither its name nor its address.
std::string reason_without_name(std::string_view remote, const Error& error);

class Session {
 public:
  struct Handler {
    std::function<void()> connected;
    std::function<void(const Error&)> disconnected;
    std::function<void(const Error&)> failed;  // only with retry == false: nothing is tried any more
    std::function<void(Message&&)> message;    // requests but echo, and notifications
    std::function<void()> drained;             // the backlog became empty
  };

  // `remotes`: "unix:...", "ptcp:...", several separated by commas or white space.  The single names, or the error of
  // create(): none at all, or one that cannot be right.
  static Result<std::vector<std::string>> check_remotes(std::string_view remotes);
  static Result<std::unique_ptr<Session>> create(runtime::Loop& loop, std::string_view remotes,
                                                 Handler handler, SessionOptions options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  using Done = std::function<void(Response&&)>;
  // Sends a request; `params_text` is a JSON array already written.  Returns the id.
  std::uint64_t request(std::string_view method, std::string_view params_text, Done done);
  // The owner no longer wants the reply.
  void forget(std::uint64_t id);
  // Dropped while there is no connection, as is reply().
  void notify(std::string_view method, std::string_view params_text);
  void reply(const json::value& id, std::string_view result_text);
  void reply_error(const json::value& id, std::string_view error_text);

  bool is_connected() const;
  // Drops the present connection, if there is one, and connects again without waiting.
  void force_reconnect(std::string_view reason);
  void set_probe_interval(runtime::Duration interval);
  const std::string& name() const;     // the remote now in use, or tried last
  std::string status() const;          // "ACTIVE", "BACKOFF", "CONNECTING", "IDLE", "FAILED"
  const Error& last_error() const;     // why there is no connection; an empty message at first
  const std::string& last_reason() const;  // the same by reason_without_name()
  std::size_t backlog() const;         // bytes that the peer has not taken yet

 private:
  struct Impl;
  explicit Session(std::shared_ptr<Impl>);
  std::shared_ptr<Impl> impl_;
};

}  // namespace ovs::rpc
