// What the listener and streams by TLS need of a stream over a socket, beyond the interface.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/address.h"
#include "runtime/stream.h"

namespace ovs::runtime {

class SocketStream : public Stream {
 public:
  // The last word before the stream is destroyed: the kernel gets what it takes at once, first the queue, then `bytes`,
  // and is asked to let the peer have it.  Nothing may be sent afterwards.
  virtual void send_last(std::string_view bytes) = 0;
};

// A stream over a socket that is connected already; takes the descriptor.
std::unique_ptr<SocketStream> adopt_socket(Loop& loop, int fd, std::string name);

// Stream::connect() for an address that is understood already, without TLS whatever it says.
std::unique_ptr<SocketStream> connect_socket(Loop& loop, const Endpoint& endpoint, std::string name);

}  // namespace ovs::runtime
