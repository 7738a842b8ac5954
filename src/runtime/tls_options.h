// The options of the field's programs for connections by TLS, which there are not yet: command lines that prepare for
// them are accepted, and an address that wants TLS is refused with a reason where it is used.
//
// Thread safety: a pure function.
#pragma once

#include <string>
#include <vector>

#include "base/options.h"

namespace ovs::runtime {

// -p/--private-key, -c/--certificate, -C/--ca-cert, --bootstrap-ca-cert, --peer-ca-cert, --ssl-protocols,
// --ssl-ciphers: each takes an argument and has no effect.  `ignored`, if it is given, gets a line for the log for each
// option that was met; it must outlive the group.
OptionGroup tls_options(std::vector<std::string>* ignored = nullptr);

}  // namespace ovs::runtime
