#include "runtime/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"

namespace ovs::runtime {

namespace {

LogModule log{"stream_ssl"};

constexpr const char* default_ciphers = "HIGH:!aNULL:!MD5";

template <auto free>
struct Free {
  template <class T>
  void operator()(T* p) const {
    free(p);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;

Bio bio_of(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// Nobody is there to be asked for a passphrase.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<Key> read_key(const std::string& pem, const std::string& file) {
  bool asked = false;
  ERR_clear_error();
  Key key(PEM_read_bio_PrivateKey(bio_of(pem).get(), nullptr, no_passphrase, &asked));
  if (key) {
    ERR_clear_error();
    return key;
  }
  if (asked) {
    ERR_clear_error();
    return unexpected(
        fmt::format("{}: the private key is protected by a passphrase, which a program that runs by itself cannot "
                    "know; write it without one: openssl pkey -in {} -out FILE",
                    file, file),
        EINVAL);
  }
  if (pem.find("PRIVATE KEY-----") == pem.npos) {
    ERR_clear_error();
    return unexpected(
        fmt::format("{}: no private key in PEM form (\"-----BEGIN PRIVATE KEY-----\") is in this file", file), EINVAL);
  }
  return unexpected(fmt::format("{}: the private key cannot be read: {}", file, openssl_errors()), EINVAL);
}

Result<std::vector<Certificate>> read_certificates(const std::string& pem, const std::string& file) {
  std::vector<Certificate> certificates;
  const Bio bio = bio_of(pem);
  ERR_clear_error();
  while (X509* x = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) certificates.emplace_back(x);
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) return unexpected(fmt::format("{}: a certificate cannot be read: {}", file, openssl_errors()), EINVAL);
  ERR_clear_error();
  if (certificates.empty()) {
    return unexpected(
        fmt::format("{}: no certificate in PEM form (\"-----BEGIN CERTIFICATE-----\") is in this file", file), EINVAL);
  }
  return Result<std::vector<Certificate>>(std::move(certificates));
}

Result<void> set_protocols(SSL_CTX* context, std::string_view protocols) {
  bool tls12 = protocols.empty(), tls13 = protocols.empty();
  for (std::string_view word : split_any(protocols, ", \t\n")) {
    if (word == "TLSv1.2") {
      tls12 = true;
    } else if (word == "TLSv1.3") {
      tls13 = true;
    } else if (word != "TLSv1" && word != "TLSv1.1") {
      return unexpected(fmt::format("\"{}\" is not a version of TLS: choose of TLSv1.2 and TLSv1.3", word), EINVAL);
    }
  }
  if (!tls12 && !tls13) {
    return unexpected("TLSv1 and TLSv1.1 are not secure any more: add TLSv1.2 or TLSv1.3", EINVAL);
  }
  if (context != nullptr) {
    SSL_CTX_set_min_proto_version(context, tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(context, tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  }
  return {};
}

void warn_of_expiry(const X509* certificate, const std::string& file) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    log.warn("{}: the certificate has expired: peers will refuse it", file);
  } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    log.warn("{}: the certificate is not valid yet (or this host's clock is wrong): peers will refuse it", file);
  }
}

// Accepts any chain: what the peer shows is looked at after the handshake.
int accept_any(X509_STORE_CTX*, void*) { return 1; }

Result<void> set_trust(SSL_CTX* context, const TlsSettings& settings, const TlsFileContents& files) {
  if (settings.ca_cert == "none") {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  if (files.bootstrapping) {
    SSL_CTX_set_cert_verify_callback(context, accept_any, nullptr);
    return {};
  }
  OVS_TRY(auto trusted, read_certificates(files.ca_cert, settings.ca_cert));
  for (const Certificate& ca : trusted) {
    // One that is there twice is no error.
    (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get());
    (void)SSL_CTX_add_client_CA(context, ca.get());
    if (X509_cmp_current_time(X509_get0_notAfter(ca.get())) < 0) {
      log.warn("{}: the CA's certificate has expired: no peer can be verified by it", settings.ca_cert);
    }
  }
  ERR_clear_error();
  return {};
}

}  // namespace

std::string openssl_errors() {
  std::string text;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!text.empty()) text += "; ";
    text += reason ? std::string(reason) : fmt::format("error {:08x}", error);
  }
  return text.empty() ? "unknown error" : text;
}

Result<void> check_tls_protocols(std::string_view protocols) { return set_protocols(nullptr, protocols); }

Result<TlsContext> make_tls_context(const TlsSettings& settings, const TlsFileContents& files) {
  TlsContext made{.ssl = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_method()), SSL_CTX_free),
                  .ca_cert = settings.ca_cert,
                  .bootstrapping = files.bootstrapping};
  SSL_CTX* context = made.ssl.get();
  if (context == nullptr) return unexpected("OpenSSL cannot be used: " + openssl_errors());
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  OVS_TRY_DO(set_protocols(context, settings.protocols));
  if (SSL_CTX_set_cipher_list(context, settings.ciphers.empty() ? default_ciphers : settings.ciphers.c_str()) != 1) {
    ERR_clear_error();
    return unexpected(fmt::format("\"{}\" names no cipher (--ssl-ciphers; `openssl ciphers` prints what there is)",
                                  settings.ciphers), EINVAL);
  }

  OVS_TRY(auto chain, read_certificates(files.certificate, settings.certificate));
  if (SSL_CTX_use_certificate(context, chain[0].get()) != 1) {
    return unexpected(fmt::format("{}: this certificate cannot be used: {}", settings.certificate, openssl_errors()),
                      EINVAL);
  }
  for (std::size_t i = 1; i < chain.size(); i++) SSL_CTX_add1_chain_cert(context, chain[i].get());
  if (!settings.peer_ca_cert.empty()) {
    OVS_TRY(auto more, read_certificates(files.peer_ca_cert, settings.peer_ca_cert));
    for (const Certificate& certificate : more) SSL_CTX_add1_chain_cert(context, certificate.get());
  }

  OVS_TRY(Key key, read_key(files.private_key, settings.private_key));
  // Looked at first, since SSL_CTX_use_PrivateKey() forgets the certificate where they differ.
  if (X509_check_private_key(chain[0].get(), key.get()) != 1) {
    ERR_clear_error();
    return unexpected(fmt::format("{}: this private key does not fit the certificate {}", settings.private_key,
                                  settings.certificate), EINVAL);
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return unexpected(fmt::format("{}: this private key cannot be used: {}", settings.private_key, openssl_errors()),
                      EINVAL);
  }
  OVS_TRY_DO(set_trust(context, settings, files));
  // Last: files that cannot be used are read again for each connection, and the log should not have it as often.
  warn_of_expiry(chain[0].get(), settings.certificate);
  return made;
}

}  // namespace ovs::runtime
