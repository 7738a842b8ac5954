// TLS (RFC 8446, RFC 5246) of one connection as a machine on bytes: what came from the peer goes in, what is to be sent
// comes out, and the same for what is said inside.  It knows no socket and no clock but the wall's, by which OpenSSL
// looks at certificates.
//
//     session.feed(bytes from the peer);
//     session.shake_hands();                       // until established()
//     while ((n = session.read(buffer)) > 0) ...   // what the peer said
//     session.write("what we say");
//     send(session.take_output());                 // after each of these
//
// What is fed and not yet read stays inside; who does not read must not feed.  write() is for an established session.
//
// Errors: failure() is set once and for good: a handshake that went wrong, a byte that was changed on the way, a peer
// that refused us.  The text says why in words for an operator.  What take_output() gives then tells the peer.
//
// Thread safety: none; belongs to its stream.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/tls_context.h"

namespace ovs::runtime {

class TlsSession {
 public:
  enum class Role { client, server };
  // `host`: a client's name of the server, if it is a name, which some servers want to know (RFC 6066 section 3).
  TlsSession(TlsContext context, Role role, const std::string& host = {});
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  void feed(std::string_view bytes);
  void shake_hands();
  bool established() const;
  std::size_t read(std::span<char> buffer);  // 0: no more at present, or the end, or a failure
  bool has_unread() const;                   // something was fed that read() has not looked at
  void write(std::string_view plain);
  void close();               // tells the peer that nothing more comes
  bool peer_closed() const;   // the peer has said that nothing more comes
  const std::optional<Error>& failure() const;
  std::string take_output();  // empty: nothing to be sent

  const TlsContext& context() const;
  std::string description() const;  // of an established session: "TLSv1.3, CN=vm7"

  // Of an established session: the self-signed certificate that the peer's chain ends with, in PEM form.
  Result<std::string> peer_root() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovs::runtime
