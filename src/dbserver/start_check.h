// StartCheck: what would keep a server with this command line from starting, found without starting one.
//
// For scripts that are about to stop a server in order to start it again.  All mistakes are found, not only the first.
// What only a start can tell is not looked at: whether an address is in use, or is this host's, or a database served by
// another process.  Nothing is changed.
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
  // Reads the schemas of the databases.  `schema`: whoever starts the server makes the last database with the schema in
  // this file if it does not exist, converts it to that otherwise, and gives it to the server's user; and the run, log
  // and database directories, too.  Empty: nobody does.
  StartCheck(const std::vector<std::string>& databases, const std::string& schema);

  // What somebody else has to say.
  void result(Result<void> result);
  // Whether the databases can be written to by the user who runs this.
  void access();
  // Remotes, keys and certificates, as the user who runs this may use them.
  void columns_and_files(const std::vector<std::string>& remotes, const runtime::TlsSettings& tls);

  const std::vector<std::string>& prepared() const { return prepared_; }  // directories
  const std::vector<std::string>& mistakes() const { return mistakes_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  using Schema = std::shared_ptr<const ovsdb::DatabaseSchema>;
  Result<void> column(const std::string& word, ColumnName::Holds holds) const;
  // `faults`: where what is wrong with keys and certificates belongs.
  void files(const runtime::TlsSettings& tls, bool complete, std::vector<std::string>& faults);

  std::map<std::string, Schema, std::less<>> schemas_;  // by the database's name
  std::vector<std::string> present_, prepared_;         // databases that are as they will be; directories
  bool all_known_ = true;                               // no database whose schema cannot be read
  std::vector<std::string> mistakes_, warnings_;
};

}  // namespace ovs::dbserver
