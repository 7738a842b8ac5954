// What streams and programs ask of TLS, in a build without it: the names that want it are refused when they are
// parsed, so nothing here is reached with one.
#include <cerrno>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "runtime/tls_config.h"
#include "runtime/tls_stream.h"

namespace ovs::runtime {

class TlsConfig {};

bool tls_supported() { return false; }

Result<void> check_tls_protocols(std::string_view) { return unexpected(std::string(tls_is_absent), EPROTONOSUPPORT); }

Result<void> check_tls_settings(const TlsSettings&) { return unexpected(std::string(tls_is_absent), EPROTONOSUPPORT); }

Result<void> check_tls_settings(const TlsSettings& settings, std::string_view remotes) {
  for (std::string_view name : split_any(remotes, ", \t\n")) {
    if (!wants_tls(name)) continue;
    return Unexpected{check_tls_settings(settings).error().in(name)};
  }
  return {};
}

void use_tls(Loop&, const TlsSettings&, TlsUser) {}

Result<void> check_tls(Loop&) { return unexpected(std::string(tls_is_absent), EPROTONOSUPPORT); }

std::optional<std::string> tls_problem(Loop&) { return std::string(tls_is_absent); }

std::unique_ptr<Stream> connect_by_tls(Loop&, Endpoint, std::string name) {
  OVS_CHECK(false, name);
  return nullptr;
}

struct TlsHandshakes::Impl {};

TlsHandshakes::TlsHandshakes(std::string, std::shared_ptr<TlsConfig>, std::function<void(std::unique_ptr<Stream>)>) {}

TlsHandshakes::~TlsHandshakes() = default;

void TlsHandshakes::add(std::unique_ptr<SocketStream> socket) { OVS_CHECK(false, socket->name()); }

}  // namespace ovs::runtime
