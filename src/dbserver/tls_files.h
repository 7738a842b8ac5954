// The server's keys and certificates: files that the operator names, or "db:DB,TABLE,COLUMN", a column of a database
// that names them.  Of such a column, of type string or a set of strings, the first text that is not empty counts; the
// files follow it as it changes.  A column that is not there, or a table without rows, is as if no file was named, and
// the log says so.
//
// Thread safety: belongs to the server's thread.
#pragma once

#include <set>
#include <string>

#include "dbserver/server.h"
#include "runtime/tls_config.h"

namespace ovs::dbserver {

class TlsFiles {
 public:
  // `options`: as given, db: among them.
  TlsFiles(Server& server, runtime::TlsSettings options) : server_(server), options_(std::move(options)) {}

  // Whether one of the files is named by a column.
  static bool follow_database(const runtime::TlsSettings& options);
  bool follows_database() const { return follow_database(options_); }
  // Gives the loop the files that are named now.
  void apply();
  // The same if `hosted` is a database that names some; true if they are others than before.
  bool database_changed(const Hosted& hosted);

 private:
  std::string find(const std::string& word);

  Server& server_;
  const runtime::TlsSettings options_;
  runtime::TlsSettings applied_;
  std::set<std::string> watched_;  // databases
  std::set<std::string> problems_, last_problems_;
};

}  // namespace ovs::dbserver
