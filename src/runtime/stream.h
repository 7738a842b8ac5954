// Byte streams: connected sockets behind one interface, whatever they run over.
//
// Names, as users write them:
//   active:   unix:PATH   tcp:HOST:PORT   (ssl:HOST:PORT has its place here and comes with TLS)
//   passive:  punix:PATH  ptcp:PORT[:HOST]
// IPv6 addresses stand in brackets.  A relative unix path is below OVS_RUNDIR.
//
// Writing never blocks and never fails at once: bytes are queued, and a peer that does not read
// shows as a growing backlog(), which the owner bounds.  Buffers are shared and immutable, so that
// one update can stand in the queues of a hundred clients and exist once.
//
// Thread safety: a stream belongs to its Loop's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/loop.h"

namespace ovs::runtime {

using Buffer = std::shared_ptr<const std::string>;

class Stream {
 public:
  struct Handler {
    std::function<void()> connected;                  // once, for active streams
    std::function<void(std::string_view)> received;   // bytes in order; valid during the call
    std::function<void()> drained;                    // the backlog became empty
    // Once: the peer closed (code 0) or an error.  No call comes after it.  The handler may
    // destroy the stream.
    std::function<void(Error)> closed;
  };

  virtual ~Stream() = default;

  // Starts connecting; `handler.connected` or `handler.closed` follows.  Fails at once only for a
  // name that cannot be right.
  static Result<std::unique_ptr<Stream>> connect(Loop& loop, std::string_view name);
  // Whether `name` has the form of an active stream.
  static Result<void> check_name(std::string_view name);

  virtual void set_handler(Handler handler) = 0;
  virtual void send(Buffer bytes) = 0;
  virtual void send(std::string bytes) = 0;
  virtual std::size_t backlog() const = 0;          // bytes queued and not yet given to the kernel
  virtual void pause_reading(bool pause) = 0;       // flow control towards the peer
  // Sends what is queued, then closes; no handler is called afterwards but `closed`.
  virtual void finish() = 0;
  virtual const std::string& name() const = 0;      // for logs: "unix#3", "tcp:192.0.2.1:6640"
};

class Listener {
 public:
  virtual ~Listener() = default;
  // `accepted` gets each new stream, already connected.
  static Result<std::unique_ptr<Listener>> listen(
      Loop& loop, std::string_view name, std::function<void(std::unique_ptr<Stream>)> accepted);
  static Result<void> check_name(std::string_view name);
  virtual const std::string& name() const = 0;
  virtual int bound_port() const = 0;  // TCP: the port in fact bound ("ptcp:0" asks for any); else 0
};

}  // namespace ovs::runtime
