// ColumnName: a column as options name it, "db:DATABASE,TABLE,COLUMN", from which remotes, or names of files, are read.
//
// Errors begin with the name, and say the nearest name that there is.
//
// Thread safety: a value.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "ovsdb/schema.h"

namespace ovs::dbserver {

struct ColumnName {
  std::string database, table, column;

  // Whether a word is meant as one.
  static bool is_one(std::string_view word) { return word.starts_with("db:"); }
  static Result<ColumnName> parse(std::string_view word);

  // What it is to hold: the names of files, as strings; remotes, as strings or as references to rows.
  enum class Holds { files, remotes };
  // The column in the schema of its database; null stands for a database that the server does not have.  It lives as
  // long as the schema.
  Result<const ovsdb::ColumnSchema*> find(const ovsdb::DatabaseSchema* schema, Holds holds) const;

  std::string text() const;
};

}  // namespace ovs::dbserver
