// View: what ovs-vsctl knows of the database during one attempt, and what it is going to change.
//
// Rows are fetched when they are asked for, by conditions as narrow as the question ("the bridge
// named br0", "the bridge whose ports include this one"), only the columns that were asked for, and
// never twice.  prefetch() asks several questions in one request.  What the commands of the same
// call have changed so far is part of every answer, although the server does not know it yet.
//
// Errors of the server (a lost connection, a column that it does not know) are kept: afterwards
// every question is answered with nothing, and failed() tells the caller to give up the attempt.
//
// Thread safety: none; one attempt of one thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dbclient/transaction.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"
#include "vsctl/server.h"

namespace ovs::vsctl {

using ovsdb::Atom;
using ovsdb::AtomType;
using ovsdb::Datum;
using ovsdb::TableSchema;

// A row of the view.  Its address stays valid as long as the view.
class Row {
 public:
  Row(const TableSchema& table, const Uuid& uuid, bool inserted)
      : table_(table), uuid_(uuid), inserted_(inserted) {}
  const TableSchema& table() const { return table_; }
  const Uuid& uuid() const { return uuid_; }
  bool inserted() const { return inserted_; }
  bool deleted() const { return deleted_; }

 private:
  friend class View;
  const TableSchema& table_;
  Uuid uuid_;
  bool inserted_;
  bool deleted_ = false;
  bool touched_ = false;
  std::map<std::size_t, Datum> base_;  // what the server has, of the columns that were fetched
};

// A question about one table.
struct Query {
  enum class Kind : std::uint8_t { all, equal, includes };

  std::string table;
  Kind kind = Kind::all;
  std::string column;  // for equal and includes
  Atom value;
  std::vector<std::string> columns;  // to fetch with the rows; those that the schema lacks are left out

  static Query all(std::string_view table, std::vector<std::string> columns = {});
  static Query equal(std::string_view table, std::string_view column, Atom value,
                     std::vector<std::string> columns = {});
  static Query includes(std::string_view table, std::string_view column, const Uuid& value,
                        std::vector<std::string> columns = {});
};

class View {
 public:
  View(Source& source, std::shared_ptr<const ovsdb::DatabaseSchema> schema);

  // Fetches what these questions need, in one request.
  void prefetch(std::span<const Query> queries);
  // The rows, in the order of their UUIDs, new ones last.
  std::vector<Row*> find(const Query& query);
  Row* find_one(const Query& query);  // the first, or null
  Row* by_uuid(std::string_view table, const Uuid& uuid);
  // Whether a row and these columns of it are here already.
  bool is_known(const Uuid& uuid, std::span<const std::string> columns) const;

  // A column's value with all changes so far; its default where the schema has no such column.
  Datum get(Row* row, std::string_view column);
  std::string text(Row* row, std::string_view column) { return std::string(first_text(get(row, column))); }
  // Whether a set has an element (or a map a key), without fetching the whole set.
  bool contains(Row* row, std::string_view column, const Atom& element);

  // A new row; `chosen` is the UUID that it is to have, `placeholder` one under which the call
  // refers to it already.
  Row* insert(std::string_view table) { return insert_row(table, {}, {}); }
  Row* insert_chosen(std::string_view table, const Uuid& chosen) { return insert_row(table, chosen, {}); }
  Row* insert_as(std::string_view table, const Uuid& placeholder) { return insert_row(table, {}, placeholder); }
  void erase(Row* row);
  void set(Row* row, std::string_view column, Datum value);
  void insert_elements(Row* row, std::string_view column, const Datum& elements);
  void erase_elements(Row* row, std::string_view column, const Datum& keys);
  // The change is made only if the column still has the value that it had when it was fetched.
  void verify(Row* row, std::string_view column);

  const ovsdb::DatabaseSchema& schema() const { return *schema_; }
  // Null where the schema has no such table (an old server's).
  const TableSchema* table(std::string_view name) const { return schema_->find(name); }
  dbclient::Transaction& transaction() { return transaction_; }
  std::vector<Row*> inserted_rows() const;
  // Leaves out changes that change nothing, as far as is known; then whether anything is left.
  bool changes_anything();

  bool failed() const { return error_.has_value(); }
  const Error& error() const { return *error_; }

  static std::string_view first_text(const Datum& d) { return d.empty() ? std::string_view{} : d.string(); }

 private:
  struct Answer {
    std::vector<Row*> rows;
    std::vector<std::size_t> columns;  // that are known of all of these rows, sorted
  };
  using Key = std::pair<std::string, std::string>;  // table, and what was asked

  std::optional<std::string> operation_for(const Query& query, Key& key, std::vector<std::size_t>& columns);
  void take_rows(const Query& query, const Key& key, const std::vector<std::size_t>& columns,
                 const json::value& result);
  bool matches(const Query& query, Row* row, bool matched_on_server);
  Row* insert_row(std::string_view table, std::optional<Uuid> chosen, std::optional<Uuid> placeholder);
  Row* row_for(const TableSchema& table, const Uuid& uuid);
  const dbclient::ColumnChange* change_of(const Row* row, std::string_view column) const;
  void touch(Row* row);
  void index_name(Row* row, const Datum& name);
  void fail(std::string message);

  Source& source_;
  std::shared_ptr<const ovsdb::DatabaseSchema> schema_;
  dbclient::Transaction transaction_;
  std::map<Uuid, std::unique_ptr<Row>> rows_;
  std::vector<Row*> inserted_;
  // By table: rows that this call inserted, and those of the server's that it changed.
  std::map<std::string, std::vector<Row*>, std::less<>> inserted_in_, touched_in_;
  // Rows that have, or had, a name, by "TABLE/NAME": a thousand commands in one call ask a
  // thousand times.
  boost::unordered_flat_map<std::string, std::vector<Row*>> named_;
  std::map<Key, Answer> answers_;
  std::optional<Error> error_;
};

}  // namespace ovs::vsctl
