// Bytes of a peer into a session of TLS, cut into pieces that the input chooses.
//
// The first byte says which side we are and how the rest is cut.  Nobody who does not know a key gets through the
// handshake, whatever he says.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/check.h"
#include "fuzz.h"
#include "runtime/tls_session.h"
#include "support/certificates.h"

namespace ovs {
namespace {

const runtime::TlsContext& context() {
  static const runtime::TlsContext made = [] {
    const KeyPair authority = make_authority("CA"), own = make_certificate(authority, "us");
    auto result = runtime::make_tls_context({.private_key = "key", .certificate = "cert", .ca_cert = "ca"},
                                            {.private_key = own.key, .certificate = own.certificate,
                                             .ca_cert = authority.certificate});
    OVS_CHECK(result.has_value());
    return *result;
  }();
  return made;
}

}  // namespace
}  // namespace ovs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ovs;
  using Session = runtime::TlsSession;
  if (size == 0) return 0;
  Session session(context(), data[0] & 1 ? Session::Role::client : Session::Role::server);
  const std::size_t step = (data[0] >> 1) + 1u;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  session.shake_hands();
  while (!bytes.empty() && !session.failure()) {
    session.feed(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    session.shake_hands();
    OVS_CHECK(!session.established());
    (void)session.take_output();
  }
  if (session.failure()) OVS_CHECK(!session.failure()->message.empty());
  return 0;
}
