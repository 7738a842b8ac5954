// Streams by TLS: a stream over a socket with a TlsSession above it.
//
// They keep Stream's contract.  `connected` comes after the handshake, which may take 15 seconds.  Bytes wait as they
// were given and are encrypted only as the socket takes them, so that what is shared by many streams stays shared, and
// so that a peer that reads slowly costs no more memory than by TCP.  finish() and, where nothing is queued, destroying
// the stream tell the peer that this is the end (close_notify); a connection that ends without it has ended all the
// same, since JSON-RPC knows where its messages end.
//
// A client that takes its CA's certificate from its peer (runtime/tls_config.h) connects a second time by itself; a
// server's peer has to.
//
// Thread safety: as Stream.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/address.h"
#include "runtime/socket_stream.h"
#include "runtime/stream.h"
#include "runtime/tls_config.h"

namespace ovs::runtime {

// Connects to `endpoint` by the loop's keys.  That there are none, or wrong ones, is reported by `closed`.
std::unique_ptr<Stream> connect_by_tls(Loop& loop, Endpoint endpoint, std::string name);

// Connections that a listener has taken and whose handshakes are under way: none of them holds up another one, and the
// oldest has to go where there are too many.
class TlsHandshakes {
 public:
  // `done` gets the streams whose handshake succeeded.
  TlsHandshakes(std::string listener, std::shared_ptr<TlsConfig> config,
                std::function<void(std::unique_ptr<Stream>)> done);
  ~TlsHandshakes();
  TlsHandshakes(const TlsHandshakes&) = delete;
  TlsHandshakes& operator=(const TlsHandshakes&) = delete;

  void add(std::unique_ptr<SocketStream> socket);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ovs::runtime
