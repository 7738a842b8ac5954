// Keys and certificates as OpenSSL wants them: made of the contents of files, shared by the connections that use them.
//
// What a context allows: TLS 1.2 and 1.3, no renegotiation, no compression, no resumption (a resumed session would keep
// a certificate alive that was replaced meanwhile).  Peers on both sides show a certificate that leads to a CA of
// `ca_cert`, unless that is "none".  Host names in certificates are not looked at: as everywhere in the field, whom the
// CA has signed for belongs here.
//
// Thread safety: values; a context is not changed once it is made.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/tls_config.h"

struct ssl_ctx_st;

namespace ovs::runtime {

struct TlsContext {
  std::shared_ptr<ssl_ctx_st> ssl;
  std::string ca_cert;         // the file's name, for messages
  bool bootstrapping = false;  // any peer is accepted, for its CA's certificate
};

// The contents of the files that TlsSettings name.
struct TlsFileContents {
  std::string private_key, certificate, ca_cert, peer_ca_cert;
  bool bootstrapping = false;  // ca_cert does not exist

  bool operator==(const TlsFileContents&) const = default;
};

// Reads the files that `settings` name.
Result<TlsFileContents> read_tls_files(const TlsSettings& settings);

Result<TlsContext> make_tls_context(const TlsSettings& settings, const TlsFileContents& files);

// OpenSSL's queue of errors as one text, "unknown error" if it is empty; empties it.
std::string openssl_errors();

// The settings of a loop with the context made of them.
class TlsConfig {
 public:
  explicit TlsConfig(TlsSettings settings, TlsUser user = TlsUser::tool)
      : settings_(std::move(settings)), user_(user) {}

  const TlsSettings& settings() const { return settings_; }
  void set(const TlsSettings& settings);

  // What a connection that begins now uses.  The error is that of settings in whose place no older ones may be used.
  Result<TlsContext> current();
  // What was wrong at the last current() with settings in whose place older ones are used; else empty.
  std::string kept_old() const;

 private:
  TlsSettings settings_;
  const TlsUser user_;
  TlsSettings made_of_;    // of context_, as are
  TlsFileContents files_;
  TlsContext context_;     // no `ssl`: there is none yet
  std::string complaint_;  // the last one in the log
  std::string open_key_;   // that everybody may read, as the log has said
};

// Writes `pem` to `path`, whole or not at all, if nothing has that name.  EEXIST is an error.
Result<void> write_new_file(const std::string& path, std::string_view pem);

}  // namespace ovs::runtime
