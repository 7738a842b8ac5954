// Transaction: the changes that a client wants made in one step, and the request that asks for them.
//
// Changes are collected by row and column, so that several changes of one row become one operation
// and a later one replaces or joins an earlier one.  Elements of sets and maps are added and removed
// by mutation: what is sent is the difference, however large the column is.  A row that the
// transaction inserts has an identifier at once, by which other changes refer to it; the server's
// own identifier is known when the reply is there (uuid_of()), unless the caller chose it.
//
// verify() makes the transaction fail (`try_again`) where a value that a decision was based on has
// changed meanwhile.
//
// This class decides what to send and understands the reply; dbclient::Client sends it.
//
// Thread safety: a value; one thread at a time.  RFC 7047 sections 4.1.3 and 5.2.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/uuid.h"
#include "ovsdb/datum.h"
#include "ovsdb/type.h"

namespace ovs::dbclient {

enum class Outcome : std::uint8_t {
  unchanged,   // nothing to do: nothing was sent
  success,
  try_again,   // a verified value has changed, or the connection was lost before the reply
  not_locked,  // the lock that the transaction needs belongs to somebody else
  error,
};

using ovs::to_text;  // of JSON, beside that of outcomes
std::string_view to_text(Outcome outcome);

// What is to become of one column of one row.
struct ColumnChange {
  // The whole new value; where it is set, `inserted` and `erased` are empty.
  std::optional<ovsdb::Datum> value;
  ovsdb::Datum inserted;  // elements to add (of a map: pairs, which replace those that are there)
  ovsdb::Datum erased;    // elements to remove (of a map: its keys, as a set)

  // The value that this makes of `base`.
  ovsdb::Datum applied_to(const ovsdb::Datum& base) const;
};

struct RowChange {
  enum class Kind : std::uint8_t { changed, inserted, deleted };
  Kind kind = Kind::changed;
  bool chosen_uuid = false;  // inserted with an identifier that the caller chose
  std::map<std::string, ColumnChange, std::less<>> columns;
};

class Transaction {
 public:
  explicit Transaction(std::string database);

  // A new row; `uuid`: chosen by the caller, which servers before 2.18 do not understand.
  Uuid insert(std::string_view table, std::optional<Uuid> uuid = {});
  // The same under a placeholder that other changes may refer to before the row is made.
  void insert_as(std::string_view table, const Uuid& placeholder);
  static Uuid placeholder() { return Uuid::random(); }
  // Tells that `placeholder` will be a row of this transaction.
  void promise(const Uuid& placeholder) { named_.emplace(placeholder, true); }
  // Deletes a row; one that this transaction inserted is forgotten.
  void erase(std::string_view table, const Uuid& row);

  void set(std::string_view table, const Uuid& row, std::string_view column, ovsdb::Datum value);
  // Adds elements to, or removes them from, a set or a map.  For a map, `elements` of
  // erase_elements() are a set of its keys.
  void insert_elements(std::string_view table, const Uuid& row, std::string_view column,
                       const ovsdb::Datum& elements);
  void erase_elements(std::string_view table, const Uuid& row, std::string_view column,
                      const ovsdb::Datum& keys);

  // The transaction fails with `try_again` unless the row still has this value.
  void verify(std::string_view table, const Uuid& row, std::string_view column,
              const ovsdb::Datum& value);
  // The same for the rows that a condition selects: `rows_text` is the JSON array of rows that it
  // must select, each with `columns_text`'s columns.
  void verify_rows(std::string_view table, std::string_view where_text,
                   std::string_view columns_text, std::string_view rows_text);

  // Adds one to an integer column, once the transaction changes something at all; the new value is
  // incremented() afterwards.
  void increment(std::string_view table, const Uuid& row, std::string_view column);
  void comment(std::string_view text);  // joined to earlier ones by a new line
  void need_lock(std::string lock) { lock_ = std::move(lock); }

  // What has been collected for a row; null where nothing was.
  const RowChange* find(std::string_view table, const Uuid& row) const;
  using Rows = std::map<Uuid, RowChange>;
  const Rows& rows(std::string_view table) const;
  // Whether it changes anything.
  bool empty() const;
  // Drops the changes of columns that leave them as they are.  `known` gives a row's present value,
  // or null where it is not known.
  using Known = std::function<const ovsdb::Datum*(std::string_view table, const Uuid& row,
                                                  std::string_view column)>;
  void drop_noops(const Known& known);

  // The "transact" request's parameters.  Empty where there is nothing to send.
  std::string request();
  // Reads the reply to request(): its result, or its error where the request as a whole failed.
  Outcome finish(bool ok, const json::value& reply);

  const std::string& database() const { return database_; }
  // After finish(): the error as the server sent it, with its members in alphabetical order, and
  // its tag ("constraint violation").
  const std::string& error() const { return error_; }
  const std::string& error_tag() const { return error_tag_; }
  // After success: the identifier of a row that insert() made.
  Uuid uuid_of(const Uuid& inserted) const;
  std::int64_t incremented() const { return incremented_; }

 private:
  RowChange& change(std::string_view table, const Uuid& row);
  void append_datum(std::string& out, const ovsdb::Datum& datum) const;
  void append_atom(std::string& out, ovsdb::AtomView atom) const;
  void append_row(std::string& out, const RowChange& change) const;
  void append_changes(std::string& out);

  struct Increment {
    std::string table, column;
    Uuid row;
  };

  std::string database_;
  std::map<std::string, Rows, std::less<>> tables_;
  boost::unordered_flat_map<Uuid, bool, UuidHash> named_;  // inserted rows that the server names
  std::vector<std::string> checks_;                        // "wait" operations
  std::optional<Increment> increment_;
  std::string comment_, lock_;

  std::size_t operations_ = 0;
  std::vector<std::pair<std::size_t, Uuid>> insert_operations_;
  std::size_t increment_operation_ = 0;
  boost::unordered_flat_map<Uuid, Uuid, UuidHash> uuids_;
  std::int64_t incremented_ = 0;
  std::string error_, error_tag_;
};

// Whether `change` leaves `base` as it is.
bool is_noop(const ColumnChange& change, const ovsdb::Datum& base);

// [["_uuid","==",["uuid","..."]]]
std::string where_uuid(const Uuid& row);

}  // namespace ovs::dbclient
