#include "dbclient/transaction.h"

#include "base/check.h"

namespace ovs::dbclient {

using ovsdb::Atom;
using ovsdb::AtomType;
using ovsdb::AtomView;
using ovsdb::Datum;

namespace {

const Transaction::Rows no_rows;

void append_uuid_pair(std::string& out, std::string_view kind, const Uuid& uuid) {
  out += "[\"";
  out += kind;
  out += "\",\"";
  uuid.append_to(out);
  out += "\"]";
}

// A name for a new row that is an <id>: "row" and its UUID with underscores.
std::string name_of(const Uuid& uuid) {
  std::string name = "row" + uuid.to_string();
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

}  // namespace

std::string_view to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::unchanged: return "unchanged";
    case Outcome::success: return "success";
    case Outcome::try_again: return "try again";
    case Outcome::not_locked: return "not locked";
    case Outcome::error: return "error";
  }
  return "error";
}

Datum ColumnChange::applied_to(const Datum& base) const {
  if (value) return *value;
  Datum result = base;
  if (!erased.empty()) {
    if (result.is_map())
      result.subtract_keys(erased);
    else
      result.subtract(erased);
  }
  if (!inserted.empty()) result.unite(inserted, true);
  return result;
}

bool is_noop(const ColumnChange& change, const Datum& base) {
  if (change.value) return *change.value == base;
  return change.applied_to(base) == base;
}

std::string where_uuid(const Uuid& row) {
  std::string out = "[[\"_uuid\",\"==\",";
  append_uuid_pair(out, "uuid", row);
  out += "]]";
  return out;
}

Transaction::Transaction(std::string database) : database_(std::move(database)) {}

RowChange& Transaction::change(std::string_view table, const Uuid& row) {
  auto t = tables_.find(table);
  if (t == tables_.end()) t = tables_.emplace(std::string(table), Rows{}).first;
  return t->second[row];
}

const RowChange* Transaction::find(std::string_view table, const Uuid& row) const {
  auto t = tables_.find(table);
  if (t == tables_.end()) return nullptr;
  auto r = t->second.find(row);
  return r == t->second.end() ? nullptr : &r->second;
}

const Transaction::Rows& Transaction::rows(std::string_view table) const {
  auto t = tables_.find(table);
  return t == tables_.end() ? no_rows : t->second;
}

bool Transaction::empty() const {
  for (const auto& [name, rows] : tables_)
    for (const auto& [uuid, row] : rows)
      if (row.kind != RowChange::Kind::changed || !row.columns.empty()) return false;
  return true;
}

void Transaction::drop_noops(const Known& known) {
  for (auto& [table, rows] : tables_) {
    for (auto& [uuid, row] : rows) {
      if (row.kind != RowChange::Kind::changed) continue;
      // Named one by one: Clang before 16 captures no structured bindings by default.
      std::erase_if(row.columns, [&, &table = table, &uuid = uuid](const auto& entry) {
        const Datum* base = known(table, uuid, entry.first);
        return base && is_noop(entry.second, *base);
      });
    }
    std::erase_if(rows, [](const auto& entry) {
      return entry.second.kind == RowChange::Kind::changed && entry.second.columns.empty();
    });
  }
}

Uuid Transaction::insert(std::string_view table, std::optional<Uuid> uuid) {
  Uuid row = uuid ? *uuid : placeholder();
  insert_as(table, row);
  if (uuid) {
    change(table, row).chosen_uuid = true;
    named_.erase(row);
  }
  return row;
}

void Transaction::insert_as(std::string_view table, const Uuid& placeholder) {
  change(table, placeholder).kind = RowChange::Kind::inserted;
  named_.emplace(placeholder, true);
}

void Transaction::erase(std::string_view table, const Uuid& row) {
  RowChange& c = change(table, row);
  if (c.kind == RowChange::Kind::inserted) {
    tables_.find(table)->second.erase(row);
    named_.erase(row);
    return;
  }
  c.kind = RowChange::Kind::deleted;
  c.columns.clear();
}

void Transaction::set(std::string_view table, const Uuid& row, std::string_view column, Datum value) {
  RowChange& c = change(table, row);
  if (c.kind == RowChange::Kind::deleted) return;
  c.columns[std::string(column)] = ColumnChange{std::move(value), {}, {}};
}

void Transaction::insert_elements(std::string_view table, const Uuid& row, std::string_view column,
                                  const Datum& elements) {
  RowChange& r = change(table, row);
  if (r.kind == RowChange::Kind::deleted || elements.empty()) return;
  auto [it, created] = r.columns.try_emplace(std::string(column));
  ColumnChange& c = it->second;
  // What a new row's column holds is known: nothing but what the transaction puts there.
  if (created && r.kind == RowChange::Kind::inserted)
    c.value = Datum(elements.key_type(), elements.value_type());
  if (c.value) {
    c.value->unite(elements, true);
    return;
  }
  if (c.inserted.empty()) c.inserted = Datum(elements.key_type(), elements.value_type());
  c.inserted.unite(elements, true);
  if (elements.is_map()) {
    // The pair replaces one that is there, which takes a removal first.
    if (c.erased.empty()) c.erased = Datum(elements.key_type());
    for (std::size_t i = 0; i < elements.size(); i++) c.erased.insert(Atom(elements.key(i)));
  } else if (!c.erased.empty()) {
    c.erased.subtract(elements);
  }
}

void Transaction::erase_elements(std::string_view table, const Uuid& row, std::string_view column,
                                 const Datum& keys) {
  RowChange& r = change(table, row);
  if (r.kind == RowChange::Kind::deleted || keys.empty()) return;
  auto [it, created] = r.columns.try_emplace(std::string(column));
  ColumnChange& c = it->second;
  auto drop = [&keys](Datum& from) {
    if (from.is_map())
      from.subtract_keys(keys);
    else
      from.subtract(keys);
  };
  if (created && r.kind == RowChange::Kind::inserted) {
    r.columns.erase(it);
    return;
  }
  if (c.value) {
    drop(*c.value);
    return;
  }
  if (!c.inserted.empty()) drop(c.inserted);
  if (c.erased.empty()) c.erased = Datum(keys.key_type());
  c.erased.unite(keys);
}

void Transaction::verify(std::string_view table, const Uuid& row, std::string_view column,
                         const Datum& value) {
  std::string columns = "[", rows = "[{";
  append_json_string(columns, column);
  columns += ']';
  append_json_string(rows, column);
  rows += ':';
  value.append_json(rows);
  rows += "}]";
  verify_rows(table, where_uuid(row), columns, rows);
}

void Transaction::verify_rows(std::string_view table, std::string_view where_text,
                              std::string_view columns_text, std::string_view rows_text) {
  std::string out = "{\"op\":\"wait\",\"timeout\":0,\"table\":";
  append_json_string(out, table);
  out += ",\"where\":";
  out += where_text;
  out += ",\"columns\":";
  out += columns_text;
  out += ",\"until\":\"==\",\"rows\":";
  out += rows_text;
  out += '}';
  for (const std::string& check : checks_)
    if (check == out) return;
  checks_.push_back(std::move(out));
}

void Transaction::increment(std::string_view table, const Uuid& row, std::string_view column) {
  increment_ = Increment{std::string(table), std::string(column), row};
}

void Transaction::comment(std::string_view text) {
  if (!comment_.empty()) comment_ += '\n';
  comment_ += text;
}

void Transaction::append_atom(std::string& out, AtomView atom) const {
  if (atom.type() == AtomType::uuid && named_.contains(atom.uuid())) {
    out += "[\"named-uuid\",\"";
    out += name_of(atom.uuid());
    out += "\"]";
  } else {
    atom.append_json(out);
  }
}

void Transaction::append_datum(std::string& out, const Datum& d) const {
  bool refers = d.key_type() == AtomType::uuid || d.value_type() == AtomType::uuid;
  if (named_.empty() || !refers) {
    d.append_json(out);
    return;
  }
  if (!d.is_map() && d.size() == 1) {
    append_atom(out, d.key(0));
    return;
  }
  out += d.is_map() ? "[\"map\",[" : "[\"set\",[";
  for (std::size_t i = 0; i < d.size(); i++) {
    if (i) out += ',';
    if (d.is_map()) out += '[';
    append_atom(out, d.key(i));
    if (d.is_map()) {
      out += ',';
      append_atom(out, d.value(i));
      out += ']';
    }
  }
  out += "]]";
}

void Transaction::append_row(std::string& out, const RowChange& change) const {
  out += "\"row\":{";
  bool first = true;
  for (const auto& [column, c] : change.columns) {
    if (!c.value) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(out, column);
    out += ':';
    append_datum(out, *c.value);
  }
  out += '}';
}

void Transaction::append_changes(std::string& out) {
  auto begin = [&](std::string_view op, std::string_view table) {
    out += ",{\"op\":\"";
    out += op;
    out += "\",\"table\":";
    append_json_string(out, table);
    operations_++;
  };
  auto where = [&](const Uuid& row) {
    out += ",\"where\":";
    out += where_uuid(row);
  };
  for (const auto& [table, rows] : tables_) {
    for (const auto& [uuid, row] : rows) {
      if (row.kind == RowChange::Kind::deleted) {
        begin("delete", table);
        where(uuid);
        out += '}';
        continue;
      }
      if (row.kind == RowChange::Kind::inserted) {
        insert_operations_.emplace_back(operations_, uuid);
        begin("insert", table);
        if (row.chosen_uuid) {
          out += ",\"uuid\":\"";
          uuid.append_to(out);
          out += "\",";
        } else {
          out += ",\"uuid-name\":\"";
          out += name_of(uuid);
          out += "\",";
        }
        append_row(out, row);
        out += '}';
        continue;
      }
      bool sets = false, mutates = false;
      for (const auto& [column, c] : row.columns) (c.value ? sets : mutates) = true;
      if (sets) {
        begin("update", table);
        where(uuid);
        out += ',';
        append_row(out, row);
        out += '}';
      }
      if (!mutates) continue;
      begin("mutate", table);
      where(uuid);
      out += ",\"mutations\":[";
      bool first = true;
      auto mutation = [&](std::string_view column, std::string_view mutator, const Datum& argument) {
        if (argument.empty()) return;
        if (!first) out += ',';
        first = false;
        out += '[';
        append_json_string(out, column);
        out += ",\"";
        out += mutator;
        out += "\",";
        append_datum(out, argument);
        out += ']';
      };
      for (const auto& [column, c] : row.columns) {
        if (c.value) continue;
        // A set of references must not become too small on the way: a port has an interface at any moment.  In a map a
        // key's old value has to go before its new one comes.
        const bool references = c.inserted.key_type() == ovsdb::AtomType::uuid && !c.inserted.is_map();
        if (references) mutation(column, "insert", c.inserted);
        mutation(column, "delete", c.erased);
        if (!references) mutation(column, "insert", c.inserted);
      }
      out += "]}";
    }
  }
}

std::string Transaction::request() {
  operations_ = 0;
  insert_operations_.clear();
  if (empty()) return {};

  std::string out = "[";
  append_json_string(out, database_);
  if (!lock_.empty()) {
    out += ",{\"op\":\"assert\",\"lock\":";
    append_json_string(out, lock_);
    out += '}';
    operations_++;
  }
  for (const std::string& check : checks_) {
    out += ',';
    out += check;
    operations_++;
  }
  append_changes(out);
  if (increment_) {
    std::string column;
    append_json_string(column, increment_->column);
    std::string table;
    append_json_string(table, increment_->table);
    std::string where = where_uuid(increment_->row);
    if (named_.contains(increment_->row))
      where = "[[\"_uuid\",\"==\",[\"named-uuid\",\"" + name_of(increment_->row) + "\"]]]";
    out += ",{\"op\":\"mutate\",\"table\":" + table + ",\"where\":" + where + ",\"mutations\":[[" +
           column + ",\"+=\",1]]}";
    operations_++;
    increment_operation_ = operations_;
    out += ",{\"op\":\"select\",\"table\":" + table + ",\"where\":" + where + ",\"columns\":[" +
           column + "]}";
    operations_++;
  }
  if (!comment_.empty()) {
    out += ",{\"op\":\"comment\",\"comment\":";
    append_json_string(out, comment_);
    out += '}';
    operations_++;
  }
  out += ']';
  return out;
}

Outcome Transaction::finish(bool ok, const json::value& reply) {
  auto fail = [this](Outcome outcome, std::string_view tag, std::string text) {
    error_tag_ = tag;
    error_ = std::move(text);
    return outcome;
  };
  if (!ok) {
    std::string_view tag;
    if (reply.is_object())
      if (const json::value* e = reply.get_object().if_contains("error"); e && e->is_string())
        tag = e->get_string();
    return fail(Outcome::error, tag, to_text(sorted(reply)));
  }
  if (!reply.is_array()) return fail(Outcome::error, "", "the reply to \"transact\" is no array");
  const json::array& results = reply.get_array();

  for (const json::value& result : results) {
    if (!result.is_object()) continue;  // null: an operation after one that failed
    const json::value* error = result.get_object().if_contains("error");
    if (!error || !error->is_string()) continue;
    std::string_view tag = error->get_string();
    if (tag == "timed out") return fail(Outcome::try_again, tag, "a value that was relied on has changed");
    if (tag == "not owner") return fail(Outcome::not_locked, tag, "the lock belongs to somebody else");
    return fail(Outcome::error, tag, to_text(sorted(result)));
  }
  if (results.size() < operations_)
    return fail(Outcome::error, "", "the reply to \"transact\" has too few results");

  for (const auto& [operation, row] : insert_operations_) {
    const json::object* result = results[operation].if_object();
    const json::value* pair = result ? result->if_contains("uuid") : nullptr;
    std::optional<Uuid> uuid;
    if (pair && pair->is_array() && pair->get_array().size() == 2 && pair->get_array()[1].is_string())
      uuid = Uuid::parse(pair->get_array()[1].get_string());
    if (!uuid) return fail(Outcome::error, "", "an \"insert\" was answered without a UUID");
    uuids_[row] = *uuid;
  }
  if (increment_) {
    const json::object* result = results[increment_operation_].if_object();
    const json::value* rows = result ? result->if_contains("rows") : nullptr;
    std::optional<std::int64_t> n;
    if (rows && rows->is_array() && rows->get_array().size() == 1 && rows->get_array()[0].is_object())
      if (const json::value* v = rows->get_array()[0].get_object().if_contains(increment_->column))
        n = as_integer(*v);
    if (!n) return fail(Outcome::error, "", "the incremented value is not in the reply");
    incremented_ = *n;
  }
  return Outcome::success;
}

Uuid Transaction::uuid_of(const Uuid& inserted) const {
  auto it = uuids_.find(inserted);
  return it == uuids_.end() ? inserted : it->second;
}

}  // namespace ovs::dbclient
