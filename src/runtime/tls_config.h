// The keys and certificates of connections by TLS (ssl:, pssl:), as an operator names them; one set for each Loop.
//
// A program reads its options into TlsSettings (runtime/tls_options.h) and gives them to its loop with use_tls(), again
// whenever they change.  Streams and listeners whose names want TLS take them from there.
//
// The files are read for each new connection, so that a renewed certificate is used without a restart.  Files that are
// wrong (a key that does not fit the certificate, because one of the two is not renewed yet), be they the same ones as
// before or newly named, are reported in the log once, and the last good ones go on being used.  Settings that name no
// key, certificate or CA's certificate any more are a wish, and end this; nor does it go on where peers were not
// verified and from now on are to be.
//
// Bootstrap: where `ca_cert` does not exist and `bootstrap` is set, the first connection accepts any peer, takes the
// self-signed certificate at the end of the peer's chain, writes it to `ca_cert`, which must still not exist then, and
// is made anew; from then on peers are verified as usual.
//
// Errors say which file is wrong, why, and what to do.
//
// Thread safety: as the Loop's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/loop.h"

namespace ovs::runtime {

// Whether this build has TLS.  If not, ssl: and pssl: and the options are refused with `tls_is_absent`.
bool tls_supported();
inline constexpr std::string_view tls_is_absent =
    "this build has no TLS (it was configured with --disable-ssl, or without OpenSSL)";

// Whether the name of a stream or listener wants TLS.
inline bool wants_tls(std::string_view remote) { return remote.starts_with("ssl:") || remote.starts_with("pssl:"); }

struct TlsSettings {
  // Files in PEM form; empty: not given.
  std::string private_key;
  std::string certificate;   // may go on with intermediate certificates
  std::string ca_cert;       // "none": peers are not verified
  std::string peer_ca_cert;  // more certificates to send to peers
  bool bootstrap = false;    // ca_cert may be made of the first peer's
  std::string protocols;     // "TLSv1.2,TLSv1.3"; empty: both
  std::string ciphers;       // OpenSSL's form, for TLS 1.2; empty: the default
  // Where a database names the files, for messages: its columns, "db:DB,TABLE,COLUMN"; empty: the command line does.
  std::string private_key_column, certificate_column, ca_cert_column;

  bool operator==(const TlsSettings&) const = default;
};

// Whether `protocols` names versions of TLS, at least one of them usable.
Result<void> check_tls_protocols(std::string_view protocols);

// Whether what TLS cannot do without is given; the error names the options that are missing, or the columns that are
// empty.
Result<void> check_tls_settings(const TlsSettings& settings);
// The same if one of `remotes` (separated by commas or white space) wants TLS; the error begins with its name.
Result<void> check_tls_settings(const TlsSettings& settings, std::string_view remotes);

// A daemon tells the log, once for each key, that everybody on the host may read it; a tool would at each call.
enum class TlsUser { tool, daemon };

// What connections of `loop` that begin from now on use.
void use_tls(Loop& loop, const TlsSettings& settings, TlsUser user = TlsUser::tool);

// Whether a connection could be made with the settings and files as they are now.
Result<void> check_tls(Loop& loop);
// What is wrong with the settings and files as they are now, also where older ones are used in their place.
std::optional<std::string> tls_problem(Loop& loop);

// ---- for the streams

class TlsConfig;
void set_tls_config(Loop& loop, std::shared_ptr<TlsConfig> config);
const std::shared_ptr<TlsConfig>& tls_config_of(Loop& loop);

}  // namespace ovs::runtime
