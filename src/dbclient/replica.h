// Replica: a consistent copy of the tables and columns of a database that its owner declares.
//
// The declared columns are the monitor request (monitor_cond_since where the server knows it, then
// monitor_cond, then RFC 7047's monitor); the server sends the rows, then every change.  Each
// message of the server is one step: the replica goes from one committed state of the database to
// another, and `changed` is called once.  After a reconnect it asks for what it missed by the id
// of the last transaction that it saw; where the server has forgotten that, it fetches everything
// and applies the difference, again in one step, so that a restarted server whose content did not
// change is no change.
//
// What changed since the owner last looked stands beside the rows: per table the inserted,
// deleted and modified rows, the latter with their changed columns.  Deleted rows keep their last
// values until forget_changes().  An owner that does not care calls it at the end of each step.
//
// Columns are known by their place in the declaration (`slot`).  Typed declarations and rows are in
// dbclient/typed.h.  A declared table or column that the server's schema lacks has no rows, or its
// default value.
//
// Memory: a row is one block of 32 bytes and 24 for each column; values that are sets, maps and strings are
// counted and shared (ovsdb/datum.h).
//
// Thread safety: belongs to the Loop's thread.  Rows are borrowed: a pointer to one is valid until
// forget_changes() after the row's deletion.  ovsdb-server(7): update2, update3.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/uuid.h"
#include "dbclient/client.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"
#include "ovsdb/type.h"

namespace ovs::dbclient {

struct ColumnDecl {
  std::string name;
  ovsdb::ColumnType type;  // kind and number of elements; constraints need not be there
};

struct TableDecl {
  std::string name;
  std::vector<ColumnDecl> columns;  // at most 64

  std::size_t slot(std::string_view column) const;  // must be there
};

// Holds a declaration against a schema: that the table and columns are there, with these kinds.
Result<void> check_declaration(const TableDecl& declaration, const ovsdb::DatabaseSchema& schema);

// One row.  Made by ReplicaTable alone.
class ReplicaRow {
 public:
  ReplicaRow(const ReplicaRow&) = delete;
  const Uuid& uuid() const { return uuid_; }
  const ovsdb::Datum& operator[](std::size_t slot) const { return values()[slot]; }

  // Since the last forget_changes().
  bool inserted() const { return flags_ & was_inserted; }
  bool deleted() const { return flags_ & was_deleted; }
  bool changed(std::size_t slot) const { return changed_ >> slot & 1; }
  bool changed() const { return flags_ || changed_; }

 private:
  friend class ReplicaTable;
  enum : std::uint8_t { was_inserted = 1, was_deleted = 2, listed = 4, seen = 8 };

  explicit ReplicaRow(const Uuid& uuid) : uuid_(uuid) {}
  const ovsdb::Datum* values() const { return reinterpret_cast<const ovsdb::Datum*>(this + 1); }
  ovsdb::Datum* values() { return reinterpret_cast<ovsdb::Datum*>(this + 1); }

  Uuid uuid_;
  std::uint64_t changed_ = 0;  // a bit a slot
  std::uint8_t flags_ = 0;
};

class ReplicaTable {
 public:
  explicit ReplicaTable(TableDecl declaration);
  ~ReplicaTable();
  ReplicaTable(ReplicaTable&&) noexcept;

  const TableDecl& declaration() const { return declaration_; }
  std::size_t size() const { return rows_.size(); }
  const ReplicaRow* find(const Uuid& uuid) const {
    auto it = rows_.find(uuid);
    return it == rows_.end() ? nullptr : it->second;
  }
  // Calls `visit(const ReplicaRow&)` for each row, in no order.
  template <class F>
  void each(F&& visit) const {
    for (const auto& [uuid, row] : rows_) visit(static_cast<const ReplicaRow&>(*row));
  }
  // The rows that changed since forget_changes(), each once.  A row that was inserted and deleted
  // meanwhile is not among them.
  const std::vector<const ReplicaRow*>& changes() const { return changes_; }
  void forget_changes();
  // Counts every insertion, deletion and change of a value.
  std::uint64_t edits() const { return edits_; }

  // The pieces of an update; `columns` holds those columns that came, by name.
  using NamedValues = json::object;
  Result<void> apply_insert(const Uuid& uuid, const NamedValues& columns);  // or replaces all values
  Result<void> apply_replace(const Uuid& uuid, const NamedValues& columns); // only those given
  Result<void> apply_diff(const Uuid& uuid, const NamedValues& columns);
  void apply_delete(const Uuid& uuid);
  // A whole new content: between these, rows that no apply_insert() names are deleted.
  void begin_content();
  void end_content();

  // Takes the numbers of elements from the server's schema; `table` null: it has no such table.
  void adopt(const ovsdb::TableSchema* table);
  bool on_server() const { return on_server_; }
  bool on_server(std::size_t slot) const { return present_ >> slot & 1; }

 private:
  ReplicaRow* make(const Uuid& uuid);
  void destroy(ReplicaRow* row);
  void list(ReplicaRow* row);
  void remove(ReplicaRow* row);
  void put(ReplicaRow* row, std::size_t slot, ovsdb::Datum value);
  std::optional<std::size_t> slot_of(std::string_view column) const;

  TableDecl declaration_;
  std::vector<ovsdb::Datum> defaults_;
  std::uint64_t present_ = ~std::uint64_t{0};
  bool on_server_ = true;
  std::uint64_t edits_ = 0;
  boost::unordered_flat_map<Uuid, ReplicaRow*, UuidHash> rows_;
  std::vector<const ReplicaRow*> changes_;
  std::vector<ReplicaRow*> dead_;
};

class Replica : public Client::Listener {
 public:
  struct Options {
    // The schema that the server is known to have; otherwise it is asked for after each connect.
    std::shared_ptr<const ovsdb::DatabaseSchema> schema;
  };

  // `changed` is called after each step that changed something, and when the first content is there.
  Replica(Client& client, std::string database, std::vector<TableDecl> tables,
          std::function<void()> changed, Options options);
  ~Replica() override;
  Replica(const Replica&) = delete;

  // Whether a content is there at all (possibly an old one, while disconnected).
  bool ready() const { return ready_; }
  // Whether the content is kept up to date at the moment.
  bool current() const { return current_; }
  // Counts the steps that changed something.
  std::uint64_t seqno() const { return seqno_; }
  const ReplicaTable& table(std::size_t i) const { return tables_[i]; }
  const ReplicaTable* table(std::string_view name) const;
  std::size_t tables() const { return tables_.size(); }
  void forget_changes();
  // Why there is no content: the server refused to monitor, or its rows cannot be read.  Empty
  // where there is none, or will be.
  const std::string& refusal() const { return refusal_; }
  const std::string& database() const { return database_; }
  // The id of the last transaction that is in the content; zero where the server tells none.
  const Uuid& last_transaction() const { return last_id_; }

  // The rows of a table that are wanted: a JSON array of clauses of which one must hold, such as
  // [["name","==","br0"]]; true and false stand for all and none.  Servers that know no conditions
  // send every row.  May be called at any time.
  void set_condition(std::string_view table, json::array clauses);

  // Starts a transaction's way to the server, without the columns that it leaves as they are.
  void commit(Transaction transaction, Client::CommitDone done);

 private:
  void on_connected() override;
  void on_disconnected() override;
  bool on_notification(const rpc::Message& message) override;

  enum class Method : std::uint8_t { monitor_cond_since, monitor_cond, monitor };
  void adopt(const ovsdb::DatabaseSchema& schema);
  void start_monitor(Method method);
  void take_reply(Method method, rpc::Response&& response);
  Result<void> apply(const json::value& updates, bool update2);
  void step_done(bool first);
  void send_condition_changes();
  std::string monitor_id_text() const;
  std::string requests_text(Method method) const;
  void lost_track(std::string_view why);

  Client& client_;
  std::string database_;
  std::vector<ReplicaTable> tables_;
  boost::unordered_flat_map<std::string, std::size_t> by_name_;
  std::function<void()> changed_;
  Options options_;
  std::vector<json::array> conditions_;  // by table; empty: every row
  std::vector<bool> condition_sent_;
  Method method_ = Method::monitor_cond_since;
  std::optional<std::uint64_t> pending_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // for replies that may come after our end
  Uuid last_id_;
  bool ready_ = false, current_ = false;
  std::uint64_t seqno_ = 0, edits_seen_ = 0;
  std::string refusal_;
};

}  // namespace ovs::dbclient
