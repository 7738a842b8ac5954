// The options of the field's programs for connections by TLS.
//
// Thread safety: a pure function.
#pragma once

#include "base/options.h"
#include "runtime/tls_config.h"

namespace ovs::runtime {

// -p/--private-key, -c/--certificate, -C/--ca-cert, --bootstrap-ca-cert, --peer-ca-cert, --ssl-protocols,
// --ssl-ciphers, into `settings`, which must outlive the group.  Names of files become absolute, since daemons change
// their directory; "none" and db:DATABASE,TABLE,COLUMN, which only the server understands, stay as they are.
//
// In a build without TLS the options are refused with a message that says so.
OptionGroup tls_options(TlsSettings& settings);

}  // namespace ovs::runtime
