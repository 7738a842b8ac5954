// Transaction: executes the operations of one "transact" request (RFC 7047 sections 4.1.3 and 5.2)
// on a Database: operations in, reply and Change out.
//
//     Transaction txn(database);
//     switch (txn.execute(params, context)) {
//       case Outcome::committed: store(record_text(*txn.change(), ...)); txn.confirm(); send(txn.reply());
//       case Outcome::failed:    send(txn.reply());           // nothing has changed
//       case Outcome::waiting:   try again when the database changes or txn.wait_ms() have passed
//     }
//
// After `committed` the database has changed and later transactions see it; until confirm() it can
// be taken back with rollback(), in the reverse order of several transactions: that is for a log
// that cannot be written.
//
// The cost of a commit depends on what it changes: references are counted by the difference of the
// old and the new value, weak references are found by their target, indexes are kept up to date.
//
// Thread safety: belongs to the database's thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "dbserver/change.h"
#include "dbserver/database.h"
#include "ovsdb/condition.h"
#include "ovsdb/error.h"

namespace ovs::dbserver {

struct TransactionContext {
  // Whether the client owns a lock, for "assert"; none: it owns none.
  std::function<bool(std::string_view lock)> owns_lock;
  // Since the request came in, for "wait".
  std::int64_t elapsed_ms = 0;
  // Refuses operations that change something, with the error "not allowed".
  bool read_only = false;
  std::string_view read_only_why;  // completes "insert operation not allowed ..."
  // False: a "wait" that would have to wait fails with "resources exhausted".
  bool may_wait = true;
};

enum class Outcome { committed, failed, waiting };

struct Operation;

class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();  // takes back what was neither confirmed nor rolled back
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // `operations` begin at element `first` (the first parameter of "transact" is the database).
  // Once for each Transaction.
  Outcome execute(const json::array& operations, std::size_t first, const TransactionContext& context);

  // The result: the text of a JSON array.
  const std::string& reply() const { return reply_; }
  std::string take_reply() { return std::move(reply_); }

  // What was committed; null if nothing has changed.
  const std::shared_ptr<const Change>& change() const { return change_; }
  bool durable() const { return durable_; }
  const std::string& comment() const { return comment_; }
  // After Outcome::waiting: how long the operation is ready to wait, from the request's arrival;
  // nothing: for ever.
  std::optional<std::int64_t> wait_ms() const { return wait_ms_; }

  void confirm();
  void rollback();

 private:
  // A row that this transaction has to do with.
  struct Touched {
    Table* table;
    RowPtr before;   // null: inserted here
    RowPtr after;    // null: deleted here; the same as before: only its count of references changes
    RowPtr counted;  // the version whose strong references are counted already
    ColumnSet columns;
    std::int32_t ref_delta = 0;
    bool deletion_seen = false;  // weak references to it have been pruned
    bool alive() const { return after != nullptr; }
    bool changed() const { return before != after; }
    // A row that was inserted and deleted here may have been counted in between.
    const Uuid& uuid() const { return (after ? after : before ? before : counted)->uuid(); }
  };
  struct Name {
    Uuid uuid;
    bool inserted = false;
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  struct DeletedKey {
    const Table* table;
    Uuid uuid;
    bool operator==(const DeletedKey&) const = default;
  };
  struct DeletedHash {
    std::size_t operator()(const DeletedKey& k) const { return UuidHash{}(k.uuid) ^ k.table->number(); }
  };

  // Operations.  Each appends its result to reply_.
  ovsdb::DbResult<void> run(const Operation& op, const TransactionContext& context);
  ovsdb::DbResult<void> insert(const Operation& op);
  ovsdb::DbResult<void> select(const Operation& op);
  ovsdb::DbResult<void> update(const Operation& op);
  ovsdb::DbResult<void> mutate(const Operation& op);
  ovsdb::DbResult<void> erase(const Operation& op);
  ovsdb::DbResult<void> wait(const Operation& op, const TransactionContext& context);
  ovsdb::DbResult<void> commit(const Operation& op);
  ovsdb::DbResult<void> comment(const Operation& op);
  ovsdb::DbResult<void> assert_lock(const Operation& op, const TransactionContext& context);

  ovsdb::DbResult<std::vector<Row*>> matching(const Operation& op);
  enum class Found { nothing_known, by_uuid, by_index };
  Found indexed_match(Table& table, const ovsdb::Condition& condition, Row** row) const;
  std::optional<Uuid> resolve(std::string_view name);
  void find_given_uuids();

  // Changing rows.
  Row& modify(Table& table, Row* row);
  void remove(Table& table, Row* row);
  std::size_t touch(Table& table, Row* row);

  // The end (transaction_commit.cc).
  ovsdb::DbResult<void> finish();
  ovsdb::DbResult<void> settle_references();
  ovsdb::DbResult<void> count_references(std::size_t number);
  ovsdb::DbResult<void> add_reference(std::size_t from, std::size_t column, Table& to, const Uuid& uuid);
  void drop_reference(Table& to, const Uuid& uuid);
  void collect_garbage();
  ovsdb::DbResult<void> prune_weak_references();
  ovsdb::DbResult<void> prune(Table& table, Row* row, std::size_t column);
  ovsdb::DbResult<void> check_deletions();
  void forget_unchanged();
  ovsdb::DbResult<void> check_sizes();
  ovsdb::DbResult<void> update_indexes();
  void undo_indexes(std::size_t inserted);
  ovsdb::DbError duplicate(const Table& table, const Index& index, const Row& row, const Row& other) const;
  void update_weak_references();
  void publish();
  void restore_rows();

  Database& database_;
  const json::array* operations_ = nullptr;
  std::size_t first_ = 0;
  std::vector<Touched> touched_;
  boost::unordered_flat_map<std::string, Name, NameHash, std::equal_to<>> names_;
  bool given_uuids_found_ = false;
  boost::unordered_flat_map<DeletedKey, std::size_t, DeletedHash> deleted_;
  ovsdb::NamedUuids resolver_;
  std::vector<std::size_t> to_count_;    // touched rows whose references may need counting
  std::vector<std::size_t> candidates_;  // touched rows that may be garbage
  std::vector<std::pair<Index*, std::size_t>> index_work_;  // indexes to change, for a touched row each

  enum class State { fresh, running, committed, over } state_ = State::fresh;
  std::string reply_;
  std::shared_ptr<const Change> change_;
  std::vector<WeakRef> weak_added_, weak_removed_;
  bool durable_ = false;
  bool must_wait_ = false;
  std::optional<std::int64_t> wait_ms_;
  std::string comment_;
};

}  // namespace ovs::dbserver
