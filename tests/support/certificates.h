// Certificate authorities, keys and certificates for unit tests of TLS, in PEM form.
#pragma once

#include <string>

namespace ovs {

struct KeyPair {
  std::string key, certificate;
};

// How long a certificate is valid, in seconds from now.
struct Validity {
  long from = -3600, to = 3600;
};

// A self-signed certificate of a CA.
KeyPair make_authority(const std::string& name, Validity validity = {});
// A certificate that `authority` signs; `is_ca`: it may sign others itself.
KeyPair make_certificate(const KeyPair& authority, const std::string& name, Validity validity = {}, bool is_ca = false);

void write_file(const std::string& path, const std::string& text);
std::string read_whole_file(const std::string& path);

}  // namespace ovs
