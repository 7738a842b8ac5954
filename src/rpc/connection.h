// Connection: JSON-RPC 1.0 messages (RFC 7047 section 4) over one stream that is already connected.
//
// It frames, parses, and tells requests, replies, errors and notifications apart; it answers
// nothing by itself, not even `echo`.  Text that is not JSON (or too deep, too long, not UTF-8) and
// messages with the wrong members close the connection with a reason that is logged, because
// nothing after them can be trusted.  As the peers of the field do, an absent `result`, `error` or
// notification's `id` counts as null.
//
// Values.  Each message has its own memory, freed with the last value of it: keeping one small
// value of a large message keeps all of the message.  Copy what is kept for long.
//
// Flow control: `backlog()` is what the peer has not taken yet.  The owner decides what too much
// is, and can stop reading with pause_reading(); messages of the bytes that were read already, at
// most 64 kB, still arrive then.
//
// Lifetime: any handler may destroy the connection.  Messages after that are dropped.
//
// Errors: everything ends in Handler::closed, once: code 0 for an orderly end by the peer or after
// finish(), EPROTO for what the peer sent, ECANCELED after close(), else an errno value.
//
// Thread safety: belongs to the Loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "runtime/stream.h"

namespace ovs::rpc {

struct Message {
  enum class Kind { request, notification, reply, error };
  Kind kind = Kind::request;
  std::string method;  // request, notification
  json::value params;  // request, notification: an array
  json::value result;  // reply: the result; error: the error value
  json::value id;      // request, reply, error

  // Sorts a received object into its kind; the error says which member is wrong.
  static Result<Message> from_json(json::value&& v);
};

// Texts ready to send.  The *_text arguments are JSON already written; `method` is any string.
std::string request_text(std::string_view method, std::string_view params_text, std::string_view id_text);
std::string notification_text(std::string_view method, std::string_view params_text);
std::string reply_text(std::string_view result_text, std::string_view id_text);
std::string error_text(std::string_view error_text, std::string_view id_text);

class Connection {
 public:
  struct Handler {
    std::function<void(Message&&)> message;
    std::function<void(Error)> closed;  // once
    std::function<void()> drained;      // the backlog became empty
  };

  Connection(std::unique_ptr<runtime::Stream> stream, Handler handler,
             std::size_t max_message_bytes = std::size_t{1} << 30);
  ~Connection();  // closes at once; what is queued is dropped
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Queues one message, a whole JSON text.  After the end of the connection it is dropped.
  void send(std::string text);
  void send(runtime::Buffer text);
  void send_copy(std::string_view text);  // for a small text that the caller goes on using
  std::size_t backlog() const;
  void pause_reading(bool pause);
  // Closes with a reason (logged); `closed` is called with it, later.
  void close(std::string_view reason);
  void finish();  // sends what is queued, then closes
  const std::string& name() const;
  // When bytes last came from the peer (at first, when the connection was made), for probing.
  runtime::TimePoint last_received() const;
  std::uint64_t messages_received() const;
  std::uint64_t messages_sent() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ovs::rpc
