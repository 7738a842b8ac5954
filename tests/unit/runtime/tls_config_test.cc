#include "runtime/tls_config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include "runtime/tls_context.h"
#include "support/certificates.h"
#include "support/temporary_directory.h"

namespace ovs::runtime {
namespace {

class TlsConfigTest : public testing::Test {
 protected:
  TlsConfigTest() {
    write_file(settings.ca_cert, authority.certificate);
    write(make_certificate(authority, "first"));
  }

  void write(const KeyPair& pair) {
    write_file(settings.private_key, pair.key);
    write_file(settings.certificate, pair.certificate);
  }

  // The error of a config that never was good; or "good".
  std::string outcome() {
    TlsConfig config(settings);
    auto made = config.current();
    if (made) return "good";
    std::string text = made.error().message;
    for (std::size_t at; (at = text.find(dir.path() + "/")) != text.npos;) text.erase(at, dir.path().size() + 1);
    return text;
  }

  TemporaryDirectory dir;
  KeyPair authority = make_authority("CA");
  TlsSettings settings{.private_key = dir.file("key"), .certificate = dir.file("cert"), .ca_cert = dir.file("ca")};
};

TEST_F(TlsConfigTest, WhatIsMissing) {
  EXPECT_EQ(outcome(), "good");
  const std::string needs = "TLS needs a private key, a certificate and the CA's certificate; missing: ";
  EXPECT_EQ(check_tls_settings({}).error().message,
            needs + "--private-key, --certificate, --ca-cert (or --bootstrap-ca-cert)");
  settings.certificate.clear();
  EXPECT_EQ(outcome(), needs + "--certificate");
  EXPECT_EQ(check_tls_settings(settings, "unix:/a, ssl:h:1").error().message, "ssl:h:1: " + needs + "--certificate");
  EXPECT_TRUE(check_tls_settings(settings, "unix:/a,tcp:h:1"));
}

TEST_F(TlsConfigTest, WhatTheDatabaseHasNotSet) {
  const std::string needs = "TLS needs a private key, a certificate and the CA's certificate; ";
  EXPECT_EQ(check_tls_settings({.private_key_column = "db:Open_vSwitch,SSL,private_key", .ca_cert_column = "db:D,T,ca"})
                .error()
                .message,
            needs + "missing: --certificate; not set in the database: db:Open_vSwitch,SSL,private_key, db:D,T,ca "
                    "(ovs-vsctl set-ssl does it)");
  settings.certificate.clear();
  settings.certificate_column = "db:D,T,cert";
  EXPECT_EQ(check_tls_settings(settings).error().message, needs + "not set in the database: db:D,T,cert");
}

TEST_F(TlsConfigTest, FilesThatAreWrong) {
  ::unlink(settings.private_key.c_str());
  EXPECT_EQ(outcome(), "key: the private key cannot be read: No such file or directory");
  std::filesystem::create_directory(settings.private_key);
  EXPECT_EQ(outcome(), "key: the private key cannot be read: Is a directory");
  std::filesystem::remove(settings.private_key);
  write_file(settings.private_key, "nonsense");
  EXPECT_EQ(outcome(), "key: no private key in PEM form (\"-----BEGIN PRIVATE KEY-----\") is in this file");
  write_file(settings.private_key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_TRUE(outcome().starts_with("key: the private key cannot be read: ")) << outcome();
  write_file(settings.private_key, make_certificate(authority, "another").key);
  EXPECT_EQ(outcome(), "key: this private key does not fit the certificate cert");
  write_file(settings.certificate, "");
  EXPECT_EQ(outcome(), "cert: no certificate in PEM form (\"-----BEGIN CERTIFICATE-----\") is in this file");
  write_file(settings.certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_TRUE(outcome().starts_with("cert: a certificate cannot be read: ")) << outcome();
  ::unlink(settings.certificate.c_str());
  EXPECT_EQ(outcome(), "cert: the certificate cannot be read: No such file or directory");
  write(make_certificate(authority, "first"));
  ::unlink(settings.ca_cert.c_str());
  EXPECT_EQ(outcome(), "ca: the CA's certificate cannot be read: No such file or directory");
  settings.ca_cert = "none";
  EXPECT_EQ(outcome(), "good");
  settings.peer_ca_cert = dir.file("more");
  EXPECT_EQ(outcome(), "more: the certificate for peers cannot be read: No such file or directory");
  write_file(settings.peer_ca_cert, authority.certificate);
  EXPECT_EQ(outcome(), "good");
}

TEST_F(TlsConfigTest, APipeDoesNotBlock) {
  ::unlink(settings.private_key.c_str());
  ASSERT_EQ(::mkfifo(settings.private_key.c_str(), 0600), 0);
  EXPECT_EQ(outcome(), "key: no private key in PEM form (\"-----BEGIN PRIVATE KEY-----\") is in this file");
}

TEST_F(TlsConfigTest, ProtocolsAndCiphers) {
  EXPECT_TRUE(check_tls_protocols("TLSv1.2, TLSv1.3"));
  EXPECT_TRUE(check_tls_protocols("TLSv1,TLSv1.1,TLSv1.2"));
  EXPECT_EQ(check_tls_protocols("TLSv1,TLSv1.1").error().message,
            "TLSv1 and TLSv1.1 are not secure any more: add TLSv1.2 or TLSv1.3");
  EXPECT_EQ(check_tls_protocols("SSLv3").error().message,
            "\"SSLv3\" is not a version of TLS: choose of TLSv1.2 and TLSv1.3");
  settings.ciphers = "NO-SUCH-CIPHER";
  EXPECT_EQ(outcome(), "\"NO-SUCH-CIPHER\" names no cipher (--ssl-ciphers; `openssl ciphers` prints what there is)");
}

TEST_F(TlsConfigTest, NewFilesAreUsedAndBadOnesAreNot) {
  TlsConfig config(settings);
  const auto first = config.current();
  ASSERT_TRUE(first);
  EXPECT_EQ(config.current()->ssl, first->ssl);
  // The key is there, its certificate not yet.
  const KeyPair renewed = make_certificate(authority, "second");
  write_file(settings.private_key, renewed.key);
  EXPECT_EQ(config.current()->ssl, first->ssl);
  ::unlink(settings.ca_cert.c_str());
  EXPECT_EQ(config.current()->ssl, first->ssl);
  write(renewed);
  EXPECT_EQ(config.current()->ssl, first->ssl);
  write_file(settings.ca_cert, authority.certificate);
  const auto second = config.current();
  ASSERT_TRUE(second);
  EXPECT_NE(second->ssl, first->ssl);
  EXPECT_EQ(config.current()->ssl, second->ssl);
}

TEST_F(TlsConfigTest, OtherNamesOfFilesThatAreWrongLeaveTheOldOnesInUse) {
  TlsConfig config(settings);
  const auto first = config.current();
  ASSERT_TRUE(first);
  EXPECT_EQ(config.kept_old(), "");
  const TlsSettings good = settings;
  settings.private_key = dir.file("none");
  config.set(settings);
  EXPECT_EQ(config.current()->ssl, first->ssl);
  EXPECT_EQ(config.kept_old(), settings.private_key + ": the private key cannot be read: No such file or directory; "
                               "the keys and certificates that were read before stay in use");
  config.set(good);
  EXPECT_EQ(config.current()->ssl, first->ssl);
  EXPECT_EQ(config.kept_old(), "");
  // No names at all are a wish, after which old files are not used in place of wrong ones.
  config.set({});
  EXPECT_EQ(config.current().error().code, ENOKEY);
  EXPECT_EQ(config.kept_old(), "");
  config.set(settings);
  EXPECT_FALSE(config.current());
}

TEST_F(TlsConfigTest, NobodyIsAcceptedUnverifiedBecauseTheCaThatIsNamedNowIsWrong) {
  const std::string ca = std::exchange(settings.ca_cert, "none");
  TlsConfig config(settings);
  ASSERT_TRUE(config.current());
  settings.ca_cert = dir.file("missing");
  config.set(settings);
  EXPECT_FALSE(config.current());
  settings.ca_cert = ca;
  config.set(settings);
  EXPECT_TRUE(config.current());
}

TEST_F(TlsConfigTest, AnEmptyFileIsNotTakenForNone) {
  settings.ca_cert = "none";
  TlsConfig config(settings);
  ASSERT_TRUE(config.current());
  settings.ca_cert = dir.file("empty");
  write_file(settings.ca_cert, "");
  config.set(settings);
  EXPECT_FALSE(config.current());
}

TEST_F(TlsConfigTest, ACopyOfTheCaThatIsGoneIsNotTakenFromAPeer) {
  settings.bootstrap = true;
  TlsConfig config(settings);
  ASSERT_TRUE(config.current());
  settings.ca_cert = dir.file("copy");
  write_file(settings.ca_cert, authority.certificate);
  config.set(settings);
  EXPECT_EQ(config.current()->ca_cert, settings.ca_cert);
  ::unlink(settings.ca_cert.c_str());
  EXPECT_FALSE(config.current()->bootstrapping);
  EXPECT_TRUE(config.kept_old().starts_with(settings.ca_cert + ": the CA's certificate is gone")) << config.kept_old();
}

TEST_F(TlsConfigTest, APeersCaIsWrittenWhereTheSettingsSayNow) {
  settings.bootstrap = true;
  settings.ca_cert = dir.file("one");
  TlsConfig config(settings);
  ASSERT_TRUE(config.current()->bootstrapping);
  settings.ca_cert = dir.file("two");
  config.set(settings);
  EXPECT_EQ(config.current()->ca_cert, settings.ca_cert);
}

TEST_F(TlsConfigTest, AnotherCaMayBeTakenFromAPeer) {
  settings.bootstrap = true;
  TlsConfig config(settings);
  EXPECT_FALSE(config.current()->bootstrapping);
  settings.ca_cert = dir.file("taken");
  config.set(settings);
  EXPECT_TRUE(config.current()->bootstrapping);
}

TEST_F(TlsConfigTest, ARelativeNameGetsAHint) {
  settings.private_key = "key-that-is-not-here";
  EXPECT_EQ(outcome(), "key-that-is-not-here: the private key cannot be read: No such file or directory; give its "
                       "absolute name, which begins with a slash");
}

TEST_F(TlsConfigTest, Bootstrap) {
  ::unlink(settings.ca_cert.c_str());
  settings.bootstrap = true;
  TlsConfig config(settings);
  EXPECT_TRUE(config.current()->bootstrapping);
  // A bad file is not as good as none.
  write_file(settings.ca_cert, "nonsense");
  EXPECT_FALSE(config.current());
  write_file(settings.ca_cert, authority.certificate);
  EXPECT_FALSE(config.current()->bootstrapping);
  // One that is gone again is not a reason to trust anybody.
  ::unlink(settings.ca_cert.c_str());
  EXPECT_FALSE(config.current()->bootstrapping);
}

TEST_F(TlsConfigTest, AFileIsWrittenOnce) {
  const std::string path = dir.file("taken");
  ASSERT_TRUE(write_new_file(path, "one"));
  EXPECT_EQ(write_new_file(path, "two").error().code, EEXIST);
  EXPECT_EQ(read_whole_file(path), "one");
  EXPECT_EQ(write_new_file(dir.file("none/taken"), "one").error().code, ENOENT);
  struct stat s;
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777, 0644u);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) files++;
  EXPECT_EQ(files, 4u);  // with the key, the certificate and the CA's
}

}  // namespace
}  // namespace ovs::runtime
