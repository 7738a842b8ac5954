// Byte streams: connected sockets behind one interface, whatever they run over.
//
// Names, as users write them (runtime/address.h, ovsdb(7)):
//   active:   unix:PATH   tcp:HOST[:PORT]   ssl:HOST[:PORT]   (TLS: keys etc. are those of use_tls())
//   passive:  punix:PATH  ptcp:[PORT][:IP]  pssl:[PORT][:IP]
// IPv6 addresses stand in brackets.  A relative unix path is below OVS_RUNDIR.  A missing port is
// `default_port`, that of the database protocol.
//
// Reading.  Once a handler is set, each round gives it what the socket holds, at most 64 kB, so
// that one busy peer does not starve the others.
//
// Writing never blocks and never fails at once: bytes are queued, and written at the end of the
// round, all messages of the round in one system call.  A peer that does not read shows as a
// growing backlog(), which the owner bounds.  Buffers are shared and immutable, so that one large
// update can stand in the queues of a hundred clients and exist once; small ones are copied
// together, which costs less than sharing them.
//
// Errors: a connection's end comes through Handler::closed, once.  Nothing else fails after
// connect().  `code` of the Error is the errno value; 0 for an orderly end by the peer, and for a
// host name that cannot be resolved.
//
// Lifetime: any handler may destroy the stream.  Destroying it closes the socket at once and drops
// what is queued; finish() before that lets the queue out.
//
// Thread safety: a stream and a listener belong to their Loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/loop.h"

namespace ovs::runtime {

using Buffer = std::shared_ptr<const std::string>;

inline constexpr std::uint16_t default_database_port = 6640;

class Stream {
 public:
  struct Handler {
    std::function<void()> connected;                 // once, for active streams
    std::function<void(std::string_view)> received;  // bytes in order; valid during the call
    std::function<void()> drained;                   // the backlog became empty
    // Once: the peer closed (code 0) or an error.  No call comes after it.
    std::function<void(Error)> closed;
  };

  virtual ~Stream() = default;

  // Starts connecting; `handler.connected` or `handler.closed` follows, never from within this
  // call.  Fails at once only for a name that cannot be right.  Bytes sent before the stream is
  // connected wait.
  static Result<std::unique_ptr<Stream>> connect(Loop& loop, std::string_view name,
                                                 std::uint16_t default_port = default_database_port);
  // Whether `name` has the form of an active stream.
  static Result<void> check_name(std::string_view name);

  virtual void set_handler(Handler handler) = 0;
  virtual void send(Buffer bytes) = 0;
  virtual void send(std::string bytes) = 0;
  // The same for bytes that the stream copies: the cheapest way for small messages.
  virtual void send_copy(std::string_view bytes) = 0;
  virtual std::size_t backlog() const = 0;     // bytes queued and not yet given to the kernel
  virtual void pause_reading(bool pause) = 0;  // flow control towards the peer
  // Sends what is queued, then closes; no handler is called afterwards but `closed` (code 0 when
  // everything was written).  Bytes sent after it are dropped.
  virtual void finish() = 0;
  virtual const std::string& name() const = 0;  // for logs: "unix#3", "tcp:192.0.2.1:6640"
  virtual Loop& loop() const = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;  // stops listening; a unix socket's file is removed
  // `accepted` gets each new stream, already connected.
  //
  // punix: the socket that a dead process left is replaced; one that somebody still serves, or a
  // file of another kind, is an error (EADDRINUSE).  The file's mode is 0770 less the umask.
  //
  // The error's message begins with the name.
  static Result<std::unique_ptr<Listener>> listen(
      Loop& loop, std::string_view name, std::function<void(std::unique_ptr<Stream>)> accepted,
      std::uint16_t default_port = default_database_port);
  // Whether `name` has the form of a passive stream.
  static Result<void> check_name(std::string_view name);
  // The same, and for punix: whether a socket could be made there; `prepared` as in runtime/place.h.
  static Result<void> check_place(std::string_view name, const std::vector<std::string>& prepared);
  virtual const std::string& name() const = 0;  // as it was given
  virtual int bound_port() const = 0;  // TCP: the port in fact bound ("ptcp:0" asks for any); else 0
};

}  // namespace ovs::runtime
