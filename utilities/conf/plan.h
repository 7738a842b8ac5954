// Plan: what has to change in the database so that it is as a file declares it.
//
// Decided from the declaration and the present content alone.  What is right already is in no edit.  Rows are
// edited in place wherever a row of that name is there, so that ports and bridges do not flap.
//
// Ownership.  A row that ovs-conf makes carries a mark (conf/settings.h) in its external_ids, which also names
// what it has set in rows that others made.  Only marked rows are removed, and only marked settings go back to
// their defaults, when the file no longer declares them.  A row that was right already gets no mark.
//
// Thread safety: a pure function; the plan is a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf/declared.h"
#include "conf/present.h"
#include "dbclient/transaction.h"

namespace ovs::conf {

// What becomes of one column.
struct ColumnEdit {
  std::optional<Datum> value;    // the whole new value, or ...
  Datum inserted, erased;        // ... elements to add, and to remove (of a map: its keys)
  Datum before;                  // the present value
};

struct RowEdit {
  enum class Type { insert, change, erase };
  Type type = Type::change;
  const Kind* kind = nullptr;
  Uuid row{};         // of a new row: what other edits call it
  std::string name{};  // "tap0"; empty for kinds of which there is one
  std::string where{};  // what it is in: "br0"; empty for bridges and the switch itself
  std::map<std::string, ColumnEdit, std::less<>> columns{};

  std::string label() const;  // "port tap0"
};

// A row that a parent gains or loses; said in words, done by an edit of the parent's column.
struct Membership {
  enum class Type { added, removed, moved_in, moved_out };
  Type type;
  const Kind* kind;
  std::string name, parent;
  Uuid row, parent_row;
};

// A value that a decision was based on without being edited itself.
struct Reliance {
  const Kind* kind;
  Uuid row;
  std::string_view column;
  Datum value;
};

struct Plan {
  std::vector<RowEdit> edits;  // parents come before their children
  std::vector<Reliance> reliances;
  std::vector<Membership> memberships;
  std::vector<std::string> refusals;  // why it cannot be done; then nothing is to be done
  std::vector<std::string> remarks;   // what is left as it is, although the file does not declare it

  bool empty() const { return edits.empty(); }
  const RowEdit* find(const Uuid& row) const;
};

struct PlanOptions {
  bool adopt = false;  // marks everything that the file declares as made by ovs-conf
};

Plan make_plan(const Declared& declared, const Present& present, const ovsdb::DatabaseSchema& schema,
               PlanOptions options = {});

// The changes as a transaction, which fails with `try_again` where something that the plan was made from has changed
// meanwhile: a column that it edits, or one that it relies on.  `chosen`: rows get the identifiers that the plan has
// for them, which the server must be able to do.
void fill(dbclient::Transaction& transaction, const Plan& plan, bool chosen);

}  // namespace ovs::conf
