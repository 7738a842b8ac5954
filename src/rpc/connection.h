// Connection: JSON-RPC 1.0 messages (RFC 7047 section 4) over one stream that is already connected.
//
// It frames, parses, and tells requests, replies, errors and notifications apart; it answers nothing by itself.
// Messages with the wrong members close the connection with a reason, as the specification's peers do.
//
// Flow control: `backlog()` is what the peer has not taken yet.  The owner decides what too much is.
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
  std::string method;   // request, notification
  json::value params;   // request, notification: an array
  json::value result;   // reply: the result; error: the error value
  json::value id;       // request, reply, error

  // Sorts a received object into its kind; the error says which member is wrong.
  static Result<Message> from_json(json::value&& v);
};

// Texts ready to send.  The *_text arguments are JSON already written.
std::string request_text(std::string_view method, std::string_view params_text, std::string_view id_text);
std::string notification_text(std::string_view method, std::string_view params_text);
std::string reply_text(std::string_view result_text, std::string_view id_text);
std::string error_text(std::string_view error_text, std::string_view id_text);

class Connection {
 public:
  struct Handler {
    std::function<void(Message&&)> message;
    std::function<void(Error)> closed;  // once; may destroy the connection
    std::function<void()> drained;
  };

  Connection(std::unique_ptr<runtime::Stream> stream, Handler handler,
             std::size_t max_message_bytes = std::size_t{1} << 30);
  ~Connection();
  Connection(const Connection&) = delete;

  void send(std::string text);
  void send(runtime::Buffer text);
  std::size_t backlog() const;
  void pause_reading(bool pause);
  // Closes with a reason (logged); `closed` is called with it, later.
  void close(std::string_view reason);
  void finish();  // sends what is queued, then closes
  const std::string& name() const;
  // When bytes last came from the peer, for probing.
  runtime::TimePoint last_received() const;
  std::uint64_t messages_received() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovs::rpc
