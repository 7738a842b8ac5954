// StartCheck: what would keep a server with this command line from starting, found without starting one.
//
// For scripts that are about to stop a server in order to start it again.  All mistakes are found, not only the first.
// What only a start can tell is not looked at: whether an address is in use, or is this host's.  Nothing is changed.
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

 private:
  using Schema = std::shared_ptr<const ovsdb::DatabaseSchema>;
  Result<void> column(const std::string& word, ColumnName::Holds holds) const;
  Result<void> remote(const std::string& name, const runtime::TlsSettings& tls) const;
  void files(const runtime::TlsSettings& tls, bool complete);

  std::map<std::string, Schema, std::less<>> schemas_;  // by the database's name
  bool all_known_ = true;                               // no database whose schema cannot be read
  std::vector<std::string> mistakes_;
};

}  // namespace ovs::dbserver
