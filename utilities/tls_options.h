// The options of the field's tools for connections by TLS, which there are not yet: command lines that
// prepare for them are accepted, and an address that wants TLS is refused with a reason where it is
// used.
//
// Thread safety: a pure function.
#pragma once

#include "base/options.h"

namespace ovs::utilities {

// -p/--private-key, -c/--certificate, -C/--ca-cert, --bootstrap-ca-cert, --peer-ca-cert,
// --ssl-protocols, --ssl-ciphers: each takes an argument and has no effect.
OptionGroup tls_options();

}  // namespace ovs::utilities
