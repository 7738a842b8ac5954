// Undo: how the changes of a plan are taken back.
//
// It changes what the plan has changed and nothing else: what others have done meanwhile stays.  A column that was set
// gets its old value unless somebody has set it again since; references that were added are removed; rows that were
// removed are made again, with everything below them.  Doing it twice does nothing the second time.
//
// As JSON it survives the process that has made it.
//
// Thread safety: values and pure functions.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "conf/plan.h"
#include "conf/present.h"
#include "dbclient/transaction.h"

namespace ovs::conf {

class Undo {
 public:
  Undo() = default;
  // `present`: before the plan was carried out.  `real`: the identifier that a row of the plan has in the database.
  Undo(const Plan& plan, const Present& present, const ovsdb::DatabaseSchema& schema,
       const std::function<Uuid(const Uuid&)>& real);

  json::object to_json() const;
  static Result<Undo> from_json(const json::value& v, const ovsdb::DatabaseSchema& schema);

  // Adds what has to be done, in view of the content now; the transaction fails with `try_again` where that has changed
  // when it arrives.
  void fill(dbclient::Transaction& transaction, const Present& now, const ovsdb::DatabaseSchema& schema) const;

 private:
  enum class Action : std::uint8_t { set, insert, remove, erase };
  struct Step {
    Action action = Action::set;
    std::string table;
    Uuid row;
    std::string column;
    Datum value;   // set: the old value; insert, remove: the elements (remove, of a map: its keys)
    Datum unless;  // set: the value that the plan has set: another one is left alone
  };
  using Row = std::map<std::string, Datum, std::less<>>;

  void keep(const Present& present, const ovsdb::DatabaseSchema& schema, const ovsdb::ColumnType& type,
            const Datum& references);

  std::vector<Step> steps_;
  std::map<std::string, std::map<Uuid, Row>, std::less<>> rows_;  // that the plan removes, by table
};

}  // namespace ovs::conf
