// Snapshot: the contents of a database file, as backup writes it, and the transaction that restores
// them.
//
// Any standalone database file will do: what its transactions add up to counts.
//
// Restored rows get new UUIDs, because a client cannot choose those of rows that may exist; every
// UUID in the snapshot that is one of its rows' is renamed with the row.  Ephemeral columns are
// left out.
//
// Thread safety: values.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

namespace ovs::utilities::ovsdb_client {

struct Snapshot {
  // The values of a row's declared columns, by index - first_column.
  using RowValues = std::vector<ovsdb::Datum>;
  using Rows = std::map<Uuid, RowValues>;

  std::shared_ptr<const ovsdb::DatabaseSchema> schema;
  std::map<std::string, Rows, std::less<>> tables;
};

// Reads a file's content.  One that is damaged or torn is an error: it must not replace a database
// that is whole.
Result<Snapshot> read_snapshot(std::string content);

// The parameters of a "transact" request that replaces all rows of `database`.
std::string restore_transaction(const Snapshot& snapshot, const ovsdb::DatabaseSchema& database);

}  // namespace ovs::utilities::ovsdb_client
