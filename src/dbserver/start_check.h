// StartCheck: what would keep a server with this command line from starting, found without starting one.
//
// For scripts that are about to stop a server in order to start it again.  All mistakes are found, not only the first.
// What only a start can tell is not looked at: whether an address is in use, or is this host's.  Nothing is changed.
//
// A mistake is what a start fails for, too, and no more than that: a host must not boot without a database because a
// certificate was just being renewed.  What a server starts in spite of, and does not do all that it is asked to, is a
// warning: keys that no remote of the command line listens with, as where managers are in the database.
//
// Thread safety: none; for a program that does nothing else.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dbserver/column_name.h"
#include "ovsdb/schema.h"
#include "runtime/tls_config.h"

namespace ovs::dbserver {

class StartCheck {
 public:
  // Reads the schemas of the databases, which may not be the server's user's yet.  `schema`: a file with the schema
  // that databases which do not exist are going to have, and so are those of its name, whatever they have now; empty:
  // there is none.
  StartCheck(const std::vector<std::string>& databases, const std::string& schema);

  // Remotes, keys and certificates, as the user who runs this may use them.
  void columns_and_files(const std::vector<std::string>& remotes, const runtime::TlsSettings& tls);

  const std::vector<std::string>& mistakes() const { return mistakes_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  using Schema = std::shared_ptr<const ovsdb::DatabaseSchema>;
  Result<void> column(const std::string& word, ColumnName::Holds holds) const;
  // `faults`: where what is wrong with keys and certificates belongs.
  void files(const runtime::TlsSettings& tls, bool complete, std::vector<std::string>& faults);

  std::map<std::string, Schema, std::less<>> schemas_;  // by the database's name
  bool all_known_ = true;                               // no database whose schema cannot be read
  std::vector<std::string> mistakes_, warnings_;
};

}  // namespace ovs::dbserver
