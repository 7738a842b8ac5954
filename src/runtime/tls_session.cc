#include "runtime/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <climits>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace ovs::runtime {

namespace {

// The most that is encrypted in one call.
constexpr std::size_t max_write = 1024 * 1024;
// What a message has of a name at most: a peer that nobody knows yet chooses its name, and it goes to the log.
constexpr std::size_t max_name = 256;

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  std::string text = contents(bio.get());
  // ASCII's control characters are escaped by now; those that follow in Unicode, U+0080 to U+009F, move cursors, too.
  for (std::size_t i = 0; i + 1 < text.size(); i++) {
    if (text[i] == '\xc2' && (text[i + 1] & 0xe0) == 0x80) text.replace(i, 2, "?");
  }
  if (text.size() <= max_name) return text;
  // Not within a character of UTF-8.
  std::size_t end = max_name;
  while (end > 0 && (text[end] & 0xc0) == 0x80) end--;
  return text.substr(0, end) + "...";
}

std::string time_text(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  ASN1_TIME_print(bio.get(), time);
  return contents(bio.get());
}

std::string in_brackets(const X509* certificate) {
  return certificate ? fmt::format(" ({})", name_text(X509_get_subject_name(certificate))) : std::string();
}

// What `check` has found wrong with the peer's certificate, or with one above it.
std::string verify_text(X509_STORE_CTX* check, const std::string& ca_file) {
  const int error = X509_STORE_CTX_get_error(check);
  const X509* own = X509_STORE_CTX_get0_cert(check);
  const X509* certificate = X509_STORE_CTX_get_current_cert(check);  // the one at fault
  if (certificate == nullptr) certificate = own;
  const bool above = own != nullptr && certificate != nullptr && X509_cmp(own, certificate) != 0;
  const std::string whose = in_brackets(own);
  const std::string which = above ? fmt::format("the certificate{} above the peer's{}", in_brackets(certificate), whose)
                                  : fmt::format("the peer's certificate{}", whose);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      if (certificate == nullptr) break;
      return fmt::format("{} has expired on {}; it has to be renewed (or this host's clock is wrong)", which,
                         time_text(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      if (certificate == nullptr) break;
      return fmt::format("{} is not valid before {}; is the clock of one of the hosts wrong?", which,
                         time_text(X509_get0_notBefore(certificate)));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return fmt::format("the peer's certificate{} is not signed by the CA of {}: {}{}; is this the CA of the peer?",
                         whose, ca_file, X509_verify_cert_error_string(error),
                         above ? in_brackets(certificate) : std::string());
    default:
      break;
  }
  return fmt::format("{} is refused: {}", which, X509_verify_cert_error_string(error));
}

// An alert of the peer says what it has against us (RFC 8446 section 6.2).
std::string alert_text(int alert) {
  const char* advice = "";
  switch (alert) {
    case SSL_AD_UNKNOWN_CA:
      advice = "; it does not know the CA that has signed our certificate";
      break;
    case SSL_AD_CERTIFICATE_EXPIRED:
      advice = "; our certificate has to be renewed, or a clock is wrong";
      break;
    case TLS13_AD_CERTIFICATE_REQUIRED:
      advice = "; it wants a certificate from us";
      break;
    case SSL_AD_PROTOCOL_VERSION:
      advice = "; there is no version of TLS that both sides allow (--ssl-protocols)";
      break;
    case SSL_AD_HANDSHAKE_FAILURE:
      advice = "; there is perhaps no cipher that both sides allow (--ssl-ciphers)";
      break;
    default:
      break;
  }
  return fmt::format("the peer refuses the connection by TLS: {}{}", SSL_alert_desc_string_long(alert), advice);
}

}  // namespace

struct TlsSession::Impl {
  TlsContext context;
  Role role;
  SSL* ssl = nullptr;
  BIO* in = nullptr;   // from the peer; the session's
  BIO* out = nullptr;  // to the peer
  bool established = false;
  bool peer_closed = false;
  std::optional<Error> failure;
  std::string verify_failure;  // the first that was found

  static int verified(int ok, X509_STORE_CTX* store) {
    if (ok == 0) {
      auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
      auto* session = static_cast<Impl*>(SSL_get_app_data(ssl));
      if (session->verify_failure.empty()) {
        session->verify_failure = verify_text(store, session->context.ca_cert);
      }
    }
    return ok;
  }

  void fail(std::string message) {
    if (!failure) failure = Error{std::move(message)};
    ERR_clear_error();
  }

  // What a call that returned `result` has come to; true if it only wants more bytes.
  void look(int result) {
    switch (SSL_get_error(ssl, result)) {
      case SSL_ERROR_NONE:
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        ERR_clear_error();
        return;
      case SSL_ERROR_ZERO_RETURN:
        peer_closed = true;
        ERR_clear_error();
        return;
      default:
        return fail(reason());
    }
  }

  std::string reason() {
    const unsigned long error = ERR_peek_error();
    const int code = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    if (!verify_failure.empty()) return verify_failure;
    if (code > SSL_AD_REASON_OFFSET) return alert_text(code - SSL_AD_REASON_OFFSET);
    switch (code) {
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return "the peer shows no certificate; start it with --private-key and --certificate";
      case SSL_R_NO_SHARED_CIPHER:
        return "there is no cipher that both sides allow (--ssl-ciphers)";
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_NO_PROTOCOLS_AVAILABLE:
        return "there is no version of TLS that both sides allow (--ssl-protocols)";
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
      case SSL_R_BAD_RECORD_TYPE:
      case SSL_R_UNEXPECTED_MESSAGE:
        if (established) break;
        return role == Role::server ? "the peer does not speak TLS; is it a tcp: client at this pssl: port?"
                                    : "the peer does not speak TLS; is this a ptcp: port?";
      default:
        break;
    }
    return fmt::format("{}: {}", established ? "what came by TLS is not valid" : "TLS handshake failed",
                       openssl_errors());
  }
};

TlsSession::TlsSession(TlsContext context, Role role, const std::string& host) : impl_(std::make_unique<Impl>()) {
  impl_->context = std::move(context);
  impl_->role = role;
  ERR_clear_error();
  SSL* ssl = impl_->ssl = SSL_new(impl_->context.ssl.get());
  OVS_CHECK(ssl != nullptr, "out of memory");
  impl_->in = BIO_new(BIO_s_mem());
  impl_->out = BIO_new(BIO_s_mem());
  OVS_CHECK(impl_->in != nullptr && impl_->out != nullptr, "out of memory");
  SSL_set_bio(ssl, impl_->in, impl_->out);
  SSL_set_app_data(ssl, impl_.get());
  if (const int mode = SSL_get_verify_mode(ssl); mode != SSL_VERIFY_NONE) SSL_set_verify(ssl, mode, Impl::verified);
  if (role == Role::client) {
    SSL_set_connect_state(ssl);
    if (!host.empty()) SSL_set_tlsext_host_name(ssl, host.c_str());
  } else {
    SSL_set_accept_state(ssl);
  }
}

TlsSession::~TlsSession() { SSL_free(impl_->ssl); }

void TlsSession::feed(std::string_view bytes) {
  if (bytes.empty()) return;
  OVS_CHECK(BIO_write(impl_->in, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()),
            "out of memory");
}

void TlsSession::shake_hands() {
  if (impl_->established || impl_->failure) return;
  ERR_clear_error();
  const int result = SSL_do_handshake(impl_->ssl);
  if (result == 1) {
    // OpenSSL verifies what is shown; with an anonymous cipher, a server shows nothing.
    if (SSL_get_verify_mode(impl_->ssl) != SSL_VERIFY_NONE && SSL_get0_peer_certificate(impl_->ssl) == nullptr) {
      return impl_->fail("the peer has shown no certificate; do --ssl-ciphers allow ciphers without (aNULL)?");
    }
    impl_->established = true;
  } else {
    impl_->look(result);
    if (impl_->peer_closed) impl_->fail("the peer ended the connection in the middle of the TLS handshake");
  }
}

bool TlsSession::established() const { return impl_->established; }

std::size_t TlsSession::read(std::span<char> buffer) {
  if (!impl_->established || impl_->failure) return 0;
  std::size_t total = 0;
  while (total < buffer.size()) {
    ERR_clear_error();
    const std::size_t room = std::min<std::size_t>(buffer.size() - total, INT_MAX);
    const int n = SSL_read(impl_->ssl, buffer.data() + total, static_cast<int>(room));
    if (n <= 0) {
      impl_->look(n);
      break;
    }
    total += static_cast<std::size_t>(n);
  }
  return total;
}

bool TlsSession::has_unread() const { return BIO_ctrl_pending(impl_->in) > 0 || SSL_has_pending(impl_->ssl) == 1; }

void TlsSession::write(std::string_view plain) {
  OVS_CHECK(impl_->established, "a write before the handshake");
  while (!plain.empty() && !impl_->failure) {
    const std::string_view part = plain.substr(0, max_write);
    ERR_clear_error();
    const int n = SSL_write(impl_->ssl, part.data(), static_cast<int>(part.size()));
    // Memory takes everything, so whatever is not written will never be.
    if (n <= 0) return impl_->fail("sending by TLS failed: " + openssl_errors());
    plain.remove_prefix(static_cast<std::size_t>(n));
  }
}

void TlsSession::close() {
  if (!impl_->established || impl_->failure) return;
  ERR_clear_error();
  SSL_shutdown(impl_->ssl);
  ERR_clear_error();
}

bool TlsSession::peer_closed() const { return impl_->peer_closed; }

const std::optional<Error>& TlsSession::failure() const { return impl_->failure; }

std::string TlsSession::take_output() {
  std::string bytes = contents(impl_->out);
  if (!bytes.empty()) (void)BIO_reset(impl_->out);
  return bytes;
}

const TlsContext& TlsSession::context() const { return impl_->context; }

std::string TlsSession::description() const {
  const X509* peer = SSL_get0_peer_certificate(impl_->ssl);
  return fmt::format("{}, {}", SSL_get_version(impl_->ssl),
                     peer ? name_text(X509_get_subject_name(peer)) : "no certificate");
}

Result<std::string> TlsSession::peer_root() const {
  X509* leaf = SSL_get0_peer_certificate(impl_->ssl);
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(impl_->ssl);
  if (leaf == nullptr) return unexpected("the peer shows no certificate");
  // On a server's side the chain does not have the peer's own.
  X509* last = chain != nullptr && sk_X509_num(chain) > 0 ? sk_X509_value(chain, sk_X509_num(chain) - 1) : leaf;
  if (X509_self_signed(last, 1) != 1) {
    ERR_clear_error();
    return unexpected(fmt::format("the peer does not send its CA's certificate (the last one that it sends, {}, is not "
                                  "self-signed); start it with --peer-ca-cert, or copy the CA's certificate by hand",
                                  name_text(X509_get_subject_name(last))));
  }
  // What is trusted for ever should at least be whom the peer's certificate leads to.
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> check(X509_STORE_CTX_new(),
                                                                              X509_STORE_CTX_free);
  X509_STORE_add_cert(store.get(), last);
  if (X509_STORE_CTX_init(check.get(), store.get(), leaf, chain) != 1 || X509_verify_cert(check.get()) != 1) {
    std::string why = verify_text(check.get(), "the peer itself");
    ERR_clear_error();
    return unexpected("no CA's certificate is taken from this peer: " + why);
  }
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  if (PEM_write_bio_X509(bio.get(), last) != 1) {
    return unexpected("the CA's certificate cannot be written: " + openssl_errors());
  }
  return contents(bio.get());
}

}  // namespace ovs::runtime
