#include "runtime/tls_session.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "support/certificates.h"

namespace ovs::runtime {
namespace {

const KeyPair& authority() {
  static const KeyPair pair = make_authority("test CA");
  return pair;
}

const KeyPair& other_authority() {
  static const KeyPair pair = make_authority("other CA");
  return pair;
}

TlsContext context_of(const KeyPair& own, const std::string& ca, TlsSettings settings = {},
                      TlsFileContents files = {}) {
  if (settings.ca_cert.empty()) settings.ca_cert = "ca.pem";
  settings.private_key = "key.pem";
  settings.certificate = "cert.pem";
  files.private_key = own.key;
  files.certificate = own.certificate;
  files.ca_cert = ca;
  auto made = make_tls_context(settings, files);
  EXPECT_TRUE(made) << made.error().message;
  return *made;
}

TlsContext good(const std::string& name = "peer") {
  return context_of(make_certificate(authority(), name), authority().certificate);
}

// A client and a server, and the bytes between them.
struct Pair {
  explicit Pair(TlsContext for_client = good("client"), TlsContext for_server = good("server"))
      : client(std::move(for_client), TlsSession::Role::client),
        server(std::move(for_server), TlsSession::Role::server) {}

  // Carries what one side says to the other one, until nobody has more to say.
  void exchange(std::size_t step = 1 << 20) {
    for (bool more = true; more;) {
      client.shake_hands();
      server.shake_hands();
      more = carry(client, server, step);
      more = carry(server, client, step) || more;
    }
  }

  bool carry(TlsSession& from, TlsSession& to, std::size_t step) {
    const std::string bytes = from.take_output();
    if (change && !bytes.empty()) return carry(change(bytes), to, step);
    return carry(bytes, to, step);
  }
  bool carry(const std::string& bytes, TlsSession& to, std::size_t step) {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      to.feed(std::string_view(bytes).substr(at, step));
      to.established() ? take(to) : to.shake_hands();
    }
    return !bytes.empty();
  }

  void take(TlsSession& who) {
    char buffer[3000];
    while (const std::size_t n = who.read(buffer)) (&who == &client ? to_client : to_server).append(buffer, n);
  }

  std::string why(const TlsSession& who) { return who.failure() ? who.failure()->message : "no failure"; }

  TlsSession client, server;
  std::function<std::string(std::string)> change;
  std::string to_client, to_server;
};

TEST(TlsSessionTest, TalksInBothDirections) {
  Pair p;
  EXPECT_FALSE(p.client.established());
  p.exchange();
  ASSERT_TRUE(p.client.established()) << p.why(p.client);
  ASSERT_TRUE(p.server.established()) << p.why(p.server);
  EXPECT_EQ(p.client.description(), "TLSv1.3, CN=server");
  EXPECT_EQ(p.server.description(), "TLSv1.3, CN=client");
  p.client.write("question");
  p.exchange();
  EXPECT_EQ(p.to_server, "question");
  p.server.write("answer");
  p.exchange();
  EXPECT_EQ(p.to_client, "answer");
  EXPECT_FALSE(p.client.has_unread());
}

TEST(TlsSessionTest, EachByteAlone) {
  Pair p;
  p.exchange(1);
  ASSERT_TRUE(p.client.established());
  ASSERT_TRUE(p.server.established());
  p.client.write("question");
  p.exchange(1);
  EXPECT_EQ(p.to_server, "question");
}

TEST(TlsSessionTest, ManyRecords) {
  Pair p;
  p.exchange();
  std::string big(5'000'000, 'x');
  for (std::size_t i = 0; i < big.size(); i++) big[i] = static_cast<char>(i * 7 / 3);
  p.client.write(big);
  p.server.write("meanwhile");
  p.exchange(4099);
  EXPECT_TRUE(p.to_server == big);
  EXPECT_EQ(p.to_client, "meanwhile");
}

TEST(TlsSessionTest, WhatIsNotReadStaysInside) {
  Pair p;
  p.exchange();
  p.client.write(std::string(100'000, 'a'));
  p.server.feed(p.client.take_output());
  EXPECT_TRUE(p.server.has_unread());
  char few[10];
  EXPECT_EQ(p.server.read(few), 10u);
  EXPECT_TRUE(p.server.has_unread());
  p.take(p.server);
  EXPECT_EQ(p.to_server.size(), 99'990u);
  EXPECT_FALSE(p.server.has_unread());
}

TEST(TlsSessionTest, CloseNotify) {
  Pair p;
  p.exchange();
  p.client.write("the last word");
  p.client.close();
  p.exchange();
  EXPECT_EQ(p.to_server, "the last word");
  EXPECT_TRUE(p.server.peer_closed());
  EXPECT_FALSE(p.server.failure());
  EXPECT_FALSE(p.client.peer_closed());
}

// Bytes of the dialogue are changed in turn: nobody hears something else, and most often one side says so at once.
TEST(TlsSessionTest, AChangedByteIsNoticed) {
  std::size_t size = 0, tried = 0, noticed = 0;
  const TlsContext client = good("client"), server = good("server");
  {
    Pair whole(client, server);
    whole.change = [&](std::string bytes) {
      size += bytes.size();
      return bytes;
    };
    whole.exchange();
    whole.client.write("secret");
    whole.exchange();
  }
  ASSERT_GT(size, 1000u);
  for (std::size_t at = 0; at < size; at += 13) {
    Pair p(client, server);
    std::size_t position = 0;
    p.change = [&](std::string bytes) {
      if (at >= position && at < position + bytes.size()) bytes[at - position] ^= 0x20;
      position += bytes.size();
      return bytes;
    };
    p.exchange();
    if (p.client.established() && p.server.established() && !p.client.failure() && !p.server.failure()) {
      p.client.write("secret");
      p.exchange();
    }
    EXPECT_TRUE(p.to_server == "secret" || p.to_server.empty()) << at << " of " << size << ": " << p.to_server;
    tried++;
    if (p.client.failure() || p.server.failure()) noticed++;
  }
  // A length that has grown only makes the peer wait, and a few bytes mean nothing.
  EXPECT_GT(noticed, tried * 8 / 10);
}

TEST(TlsSessionTest, AnotherCa) {
  const std::string advice = "; is this the CA of the peer?";
  Pair p(context_of(make_certificate(other_authority(), "stranger"), authority().certificate), good());
  p.exchange();
  EXPECT_EQ(p.why(p.server), "the peer's certificate (CN=stranger) is not signed by the CA of ca.pem: unable to get "
                             "local issuer certificate" + advice);
  p.take(p.client);
  EXPECT_EQ(p.why(p.client), "the peer refuses the connection by TLS: unknown CA; it does not know the CA that has "
                             "signed our certificate");

  Pair q(good(), context_of(make_certificate(other_authority(), "stranger"), authority().certificate));
  q.exchange();
  EXPECT_EQ(q.why(q.client), "the peer's certificate (CN=stranger) is not signed by the CA of ca.pem: unable to get "
                             "local issuer certificate" + advice);
  EXPECT_EQ(q.why(q.server), "the peer refuses the connection by TLS: unknown CA; it does not know the CA that has "
                             "signed our certificate");
}

TEST(TlsSessionTest, TheCertificateOfThePeerAndTheOneAtFaultAreNamed) {
  // A peer that sends its CA's certificate, which is not ours.
  Pair p(context_of(make_certificate(other_authority(), "stranger"), "", {.ca_cert = "none", .peer_ca_cert = "root.pem"},
                    {.peer_ca_cert = other_authority().certificate}),
         good());
  p.exchange();
  EXPECT_EQ(p.why(p.server), "the peer's certificate (CN=stranger) is not signed by the CA of ca.pem: self-signed "
                             "certificate in certificate chain (CN=other CA); is this the CA of the peer?");

  // One whose own certificate is good, but not that of the CA in between.
  const KeyPair middle = make_certificate(authority(), "middle", {-7200, -3600}, true);
  KeyPair own = make_certificate(middle, "own");
  own.certificate += middle.certificate;
  Pair q(context_of(own, authority().certificate), good());
  q.exchange();
  EXPECT_TRUE(q.why(q.server).starts_with("the certificate (CN=middle) above the peer's (CN=own) has expired on "))
      << q.why(q.server);

  // One who is its own CA.
  const KeyPair self = make_authority("self");
  Pair r(context_of(self, "", {.ca_cert = "none"}), good());
  r.exchange();
  EXPECT_EQ(r.why(r.server), "the peer's certificate (CN=self) is not signed by the CA of ca.pem: self-signed "
                             "certificate; is this the CA of the peer?");
}

// Whoever shows a certificate chooses what is in it, and the message goes to the log.
TEST(TlsSessionTest, LongNamesAreCut) {
  std::string name, said;
  for (int i = 0; i < 20'000; i++) {
    name += "\u00fc";
    if (i < 126) said += "\u00fc";
  }
  const KeyPair stranger = make_certificate(other_authority(), name);
  Pair p(context_of(stranger, authority().certificate), good());
  p.exchange();
  EXPECT_TRUE(p.why(p.server).starts_with("the peer's certificate (CN=" + said + "...) is not signed by"))
      << p.why(p.server).substr(0, 1000);
}

TEST(TlsSessionTest, NamesMoveNoCursor) {
  const KeyPair stranger = make_certificate(other_authority(), "a\x1b[2Jb\u009b2Jc\u0080\u00a0\u00fc");
  Pair p(context_of(stranger, authority().certificate), good());
  p.exchange();
  EXPECT_TRUE(p.why(p.server).starts_with("the peer's certificate (CN=a\\1B[2Jb?2Jc?\u00a0\u00fc) is not signed by"))
      << p.why(p.server);
}

TEST(TlsSessionTest, CertificatesOutOfTheirTime) {
  const auto server = good("server");
  Pair p(context_of(make_certificate(authority(), "old", {-7200, -3600}), authority().certificate), server);
  p.exchange();
  EXPECT_TRUE(p.why(p.server).starts_with("the peer's certificate (CN=old) has expired on ")) << p.why(p.server);
  p.take(p.client);
  EXPECT_EQ(p.why(p.client), "the peer refuses the connection by TLS: certificate expired; our certificate has to be "
                             "renewed, or a clock is wrong");
  Pair q(context_of(make_certificate(authority(), "new", {3600, 7200}), authority().certificate), server);
  q.exchange();
  EXPECT_TRUE(q.why(q.server).starts_with("the peer's certificate (CN=new) is not valid before ")) << q.why(q.server);
}

TEST(TlsSessionTest, NoVerificationOnDemand) {
  TlsSettings none;
  none.ca_cert = "none";
  const KeyPair stranger = make_certificate(other_authority(), "stranger");
  Pair p(context_of(stranger, "", none), context_of(stranger, "", none));
  p.exchange();
  EXPECT_TRUE(p.client.established()) << p.why(p.client);
  EXPECT_TRUE(p.server.established()) << p.why(p.server);
  EXPECT_EQ(p.server.description(), "TLSv1.3, no certificate");
}

TEST(TlsSessionTest, VersionsAndCiphers) {
  const KeyPair own = make_certificate(authority(), "peer");
  const auto with = [&](const std::string& protocols, const std::string& ciphers = "") {
    TlsSettings settings;
    settings.protocols = protocols;
    settings.ciphers = ciphers;
    return context_of(own, authority().certificate, settings);
  };
  Pair old(with("TLSv1.2"), with(""));
  old.exchange();
  EXPECT_EQ(old.server.description(), "TLSv1.2, CN=peer");
  old.server.write("hello");
  old.exchange();
  EXPECT_EQ(old.to_client, "hello");

  Pair none(with("TLSv1.2"), with("TLSv1.3"));
  none.exchange();
  EXPECT_EQ(none.why(none.server), "there is no version of TLS that both sides allow (--ssl-protocols)");
  EXPECT_EQ(none.why(none.client), "the peer refuses the connection by TLS: protocol version; there is no version of "
                                   "TLS that both sides allow (--ssl-protocols)");
  Pair ciphers(with("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"), with("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"));
  ciphers.exchange();
  EXPECT_EQ(ciphers.why(ciphers.server), "there is no cipher that both sides allow (--ssl-ciphers)");
}

// There are ciphers for peers without certificates, which --ssl-ciphers may allow by mistake.
TEST(TlsSessionTest, NobodyIsVerifiedByNotBeingAsked) {
  TlsSettings settings;
  settings.protocols = "TLSv1.2";
  settings.ciphers = "HIGH:@SECLEVEL=0";
  const TlsContext careless = context_of(make_certificate(authority(), "server"), authority().certificate, settings);
  settings.ciphers = "aNULL:@SECLEVEL=0";
  settings.ca_cert = "none";
  const TlsContext anonymous = context_of(make_certificate(other_authority(), "stranger"), "", settings);
  Pair p(anonymous, careless);
  p.exchange();
  EXPECT_FALSE(p.server.established());
  Pair q(careless, anonymous);
  q.exchange();
  EXPECT_FALSE(q.client.established());
  EXPECT_EQ(q.why(q.client), "the peer has shown no certificate; do --ssl-ciphers allow ciphers without (aNULL)?");
}

TEST(TlsSessionTest, PeersThatDoNotSpeakTls) {
  TlsSession server(good(), TlsSession::Role::server);
  server.feed(R"({"id":0,"method":"echo","params":[]})");
  server.shake_hands();
  EXPECT_EQ(server.failure()->message, "the peer does not speak TLS; is it a tcp: client at this pssl: port?");
  TlsSession web(good(), TlsSession::Role::server);
  web.feed("GET / HTTP/1.1\r\n\r\n");
  web.shake_hands();
  EXPECT_EQ(web.failure()->message, "the peer does not speak TLS; is it a tcp: client at this pssl: port?");
  TlsSession client(good(), TlsSession::Role::client);
  client.shake_hands();
  client.feed(R"({"id":0,"method":"echo","params":[]})");
  client.shake_hands();
  EXPECT_EQ(client.failure()->message, "the peer does not speak TLS; is this a ptcp: port?");
}

TEST(TlsSessionTest, TheRootOfAPeersChain) {
  // A server that sends its CA's certificate, and one with an intermediate CA.
  const KeyPair middle = make_certificate(authority(), "middle", {}, true);
  KeyPair own = make_certificate(middle, "server");
  own.certificate += middle.certificate;
  TlsSettings settings;
  settings.peer_ca_cert = "root.pem";
  const TlsContext server = context_of(own, authority().certificate, settings,
                                       {.peer_ca_cert = authority().certificate});
  const TlsContext client = context_of(make_certificate(authority(), "client"), "", {}, {.bootstrapping = true});
  Pair p(client, server);
  p.exchange();
  ASSERT_TRUE(p.client.established()) << p.why(p.client);
  EXPECT_EQ(*p.client.peer_root(), authority().certificate);

  // One that does not send it.
  TlsSettings no_check;
  no_check.ca_cert = "none";
  Pair q(client, context_of(own, "", no_check));
  q.exchange();
  ASSERT_TRUE(q.client.established()) << q.why(q.client);
  EXPECT_EQ(q.client.peer_root().error().message,
            "the peer does not send its CA's certificate (the last one that it sends, CN=middle, is not self-signed); "
            "start it with --peer-ca-cert, or copy the CA's certificate by hand");

  // One that sends a root which has not signed its certificate.
  Pair r(client, context_of(own, "", {.ca_cert = "none", .peer_ca_cert = "root.pem"},
                            {.peer_ca_cert = other_authority().certificate}));
  r.exchange();
  ASSERT_TRUE(r.client.established()) << r.why(r.client);
  EXPECT_TRUE(r.client.peer_root().error().message.starts_with("no CA's certificate is taken from this peer: "));
}

}  // namespace
}  // namespace ovs::runtime
