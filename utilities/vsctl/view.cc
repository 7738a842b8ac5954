#include "vsctl/view.h"

#include <algorithm>

#include "base/check.h"

namespace ovs::vsctl {

namespace {

// So many narrow questions about one table are dearer than all of its rows.
constexpr std::size_t too_many_questions = 8;

std::vector<std::string> with(std::vector<std::string> columns, std::string_view column) {
  if (std::ranges::find(columns, column) == columns.end()) columns.emplace_back(column);
  return columns;
}

}  // namespace

Query Query::all(std::string_view table, std::vector<std::string> columns) {
  return {std::string(table), Kind::all, {}, {}, std::move(columns)};
}

Query Query::equal(std::string_view table, std::string_view column, Atom value,
                   std::vector<std::string> columns) {
  // The column itself is fetched, so that rows that are changed later can be held against it.
  return {std::string(table), Kind::equal, std::string(column), std::move(value),
          with(std::move(columns), column)};
}

Query Query::includes(std::string_view table, std::string_view column, const Uuid& value,
                      std::vector<std::string> columns) {
  return {std::string(table), Kind::includes, std::string(column), Atom(value), std::move(columns)};
}

View::View(Source& source, std::shared_ptr<const ovsdb::DatabaseSchema> schema)
    : source_(source), schema_(std::move(schema)), transaction_(std::string(database_name)) {}

void View::fail(std::string message) {
  if (!error_) error_ = Error{std::move(message)};
}

// The operation that answers `query`; nothing where the answer is known, or is nothing.
std::optional<std::string> View::operation_for(const Query& query, Key& key,
                                               std::vector<std::size_t>& columns) {
  const TableSchema* table = schema_->find(query.table);
  if (!table || failed()) return std::nullopt;
  const ovsdb::ColumnSchema* asked = nullptr;
  if (query.kind != Query::Kind::all && !(asked = table->find(query.column))) return std::nullopt;

  for (const std::string& name : query.columns)
    if (const auto* c = table->find(name); c && c->index >= ovsdb::first_column) columns.push_back(c->index);
  std::ranges::sort(columns);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  auto known = [&](const Key& k) {
    auto it = answers_.find(k);
    return it != answers_.end() && std::ranges::includes(it->second.columns, columns);
  };
  std::string where = "[]";
  if (asked) {
    where = "[[";
    append_json_string(where, query.column);
    where += query.kind == Query::Kind::equal ? ",\"==\"," : ",\"includes\",";
    query.value.view().append_json(where);
    where += "]]";
  }
  key = {query.table, where};
  if (known(key)) return std::nullopt;
  // All rows are known with what it takes to choose among them.
  if (asked) {
    auto it = answers_.find(Key{query.table, "[]"});
    if (it != answers_.end() &&
        (asked->index == ovsdb::uuid_column || std::ranges::binary_search(it->second.columns, asked->index)) &&
        std::ranges::includes(it->second.columns, columns))
      return std::nullopt;
  }
  std::vector<std::string> names{"_uuid"};
  for (std::size_t c : columns) names.push_back(table->columns[c].name);
  return dbclient::select_operation(query.table, where, names);
}

Row* View::row_for(const TableSchema& table, const Uuid& uuid) {
  auto& slot = rows_[uuid];
  if (!slot) slot = std::make_unique<Row>(table, uuid, false);
  return slot.get();
}

void View::take_rows(const Query& query, const Key& key, const std::vector<std::size_t>& columns,
                     const json::value& result) {
  const TableSchema& table = *schema_->find(query.table);
  const json::object* o = result.if_object();
  const json::value* list = o ? o->if_contains("rows") : nullptr;
  if (!list || !list->is_array()) return fail(ovsdb::error_text(result));
  Answer& answer = answers_[key];
  answer.rows.clear();
  answer.columns = columns;
  for (const json::value& v : list->get_array()) {
    const json::object* fields = v.if_object();
    const json::value* pair = fields ? fields->if_contains("_uuid") : nullptr;
    std::optional<Uuid> uuid;
    if (pair && pair->is_array() && pair->get_array().size() == 2 && pair->get_array()[1].is_string())
      uuid = Uuid::parse(pair->get_array()[1].get_string());
    if (!uuid) return fail("a row of " + query.table + " without a UUID");
    Row* row = row_for(table, *uuid);
    for (std::size_t c : columns) {
      const json::value* value = fields->if_contains(table.columns[c].name);
      if (!value) continue;
      // A column that an earlier request has fetched keeps that value, on which decisions are based.
      if (row->base_.contains(c)) continue;
      auto datum = Datum::from_json(table.columns[c].type, *value, nullptr, false);
      if (!datum) return fail(query.table + "." + table.columns[c].name + ": " + datum.error().to_string());
      if (table.columns[c].name == "name") index_name(row, *datum);
      row->base_.emplace(c, std::move(*datum));
    }
    answer.rows.push_back(row);
  }
  std::ranges::sort(answer.rows, {}, &Row::uuid_);
}

void View::prefetch(std::span<const Query> queries) {
  struct Pending {
    Query query;
    Key key;
    std::vector<std::size_t> columns;
  };
  // Join questions about all rows of one table, and those that are the same but for their columns.
  std::vector<Query> merged;
  std::map<std::string, std::size_t> narrow;
  for (const Query& q : queries)
    if (q.kind == Query::Kind::equal) narrow[q.table]++;
  for (const Query& q : queries) {
    Query one = q;
    if (one.kind == Query::Kind::equal && narrow[q.table] > too_many_questions) one.kind = Query::Kind::all;
    auto same = std::ranges::find_if(merged, [&](const Query& m) {
      return m.table == one.table && m.kind == one.kind &&
             (one.kind == Query::Kind::all || (m.column == one.column && m.value.view() == one.value.view()));
    });
    if (same == merged.end()) {
      merged.push_back(std::move(one));
    } else {
      for (const std::string& c : one.columns) same->columns = with(std::move(same->columns), c);
    }
  }
  std::vector<Pending> pending;
  std::vector<std::string> operations;
  for (Query& q : merged) {
    Pending p{std::move(q), {}, {}};
    if (auto op = operation_for(p.query, p.key, p.columns)) {
      operations.push_back(std::move(*op));
      pending.push_back(std::move(p));
    }
  }
  if (operations.empty()) return;
  auto results = source_.transact(operations);
  if (!results) {
    if (!error_) error_ = std::move(results.error());
    return;
  }
  for (const json::value& result : *results) {
    const json::object* o = result.if_object();
    if (o && o->contains("error")) return fail(ovsdb::error_text(result));
  }
  if (results->size() < operations.size()) return fail("the reply to \"transact\" has too few results");
  for (std::size_t i = 0; i < pending.size(); i++)
    take_rows(pending[i].query, pending[i].key, pending[i].columns, (*results)[i]);
}

const dbclient::ColumnChange* View::change_of(const Row* row, std::string_view column) const {
  const dbclient::RowChange* change = transaction_.find(row->table_.name, row->uuid_);
  if (!change) return nullptr;
  auto it = change->columns.find(column);
  return it == change->columns.end() ? nullptr : &it->second;
}

bool View::matches(const Query& query, Row* row, bool matched_on_server) {
  if (row->deleted_) return false;
  if (query.kind == Query::Kind::all) return true;
  if (query.column == "_uuid") return query.value.view() == Atom(row->uuid_).view();
  const ovsdb::ColumnSchema* column = row->table_.find(query.column);
  if (!column) return false;
  const dbclient::ColumnChange* change = change_of(row, query.column);
  if (query.kind == Query::Kind::includes) {
    if (change && !change->value) {
      if (!change->inserted.empty() && change->inserted.contains(query.value)) return true;
      if (!change->erased.empty() && change->erased.contains(query.value)) return false;
    } else if (change) {
      return change->value->contains(query.value);
    }
  }
  auto base = row->base_.find(column->index);
  if (!change && base == row->base_.end() && !row->inserted_) return matched_on_server;
  if (change && !change->value && base == row->base_.end() && !row->inserted_) return matched_on_server;
  Datum value = get(row, query.column);
  if (query.kind == Query::Kind::includes) return value.contains(query.value);
  return value.size() == 1 && value.key(0) == query.value.view();
}

std::vector<Row*> View::find(const Query& query) {
  std::vector<Row*> found;
  if (!schema_->find(query.table)) return found;
  prefetch(std::span(&query, 1));
  if (failed()) return found;

  Key key;
  std::vector<std::size_t> columns;
  operation_for(query, key, columns);
  auto answer = answers_.find(key);
  bool exact = answer != answers_.end() && std::ranges::includes(answer->second.columns, columns);
  auto consider = [&](const std::vector<Row*>& rows, bool on_server) {
    for (Row* row : rows)
      if (matches(query, row, on_server) && std::ranges::find(found, row) == found.end())
        found.push_back(row);
  };
  bool by_name = query.kind == Query::Kind::equal && query.column == "name";
  if (by_name) {
    if (auto it = named_.find(query.table + "/" + std::string(query.value.view().string())); it != named_.end())
      consider(it->second, false);
    return found;
  }
  if (!exact) answer = answers_.find(Key{query.table, "[]"});
  if (query.kind == Query::Kind::all) {
    // Nothing can be in both lists, and they may be long.
    if (answer != answers_.end())
      for (Row* row : answer->second.rows)
        if (!row->deleted_) found.push_back(row);
  } else if (answer != answers_.end()) {
    consider(answer->second.rows, exact);
  }
  // Rows that this call has changed may match by now.
  if (query.kind != Query::Kind::all)
    if (auto it = touched_in_.find(query.table); it != touched_in_.end()) consider(it->second, false);
  if (auto it = inserted_in_.find(query.table); it != inserted_in_.end())
    for (Row* row : it->second)
      if (matches(query, row, false)) found.push_back(row);
  return found;
}

void View::touch(Row* row) {
  if (row->touched_ || row->inserted_) return;
  row->touched_ = true;
  touched_in_[row->table_.name].push_back(row);
}

void View::index_name(Row* row, const Datum& name) {
  if (name.size() == 1 && name.key_type() == AtomType::string)
    named_[row->table_.name + "/" + std::string(name.string())].push_back(row);
}

Row* View::find_one(const Query& query) {
  auto rows = find(query);
  return rows.empty() ? nullptr : rows.front();
}

Row* View::by_uuid(std::string_view table, const Uuid& uuid) {
  auto it = rows_.find(uuid);
  if (it != rows_.end() && it->second->table_.name == table)
    return it->second->deleted_ ? nullptr : it->second.get();
  return find_one(Query::equal(table, "_uuid", Atom(uuid)));
}

bool View::is_known(const Uuid& uuid, std::span<const std::string> columns) const {
  auto it = rows_.find(uuid);
  if (it == rows_.end()) return false;
  const Row& row = *it->second;
  return row.inserted_ || std::ranges::all_of(columns, [&row](const std::string& name) {
           const ovsdb::ColumnSchema* c = row.table_.find(name);
           return !c || row.base_.contains(c->index);
         });
}

Datum View::get(Row* row, std::string_view name) {
  if (name == "_uuid") return Datum(Atom(row->uuid_));
  const ovsdb::ColumnSchema* column = row->table_.find(name);
  if (!column) return Datum();
  const dbclient::ColumnChange* change = change_of(row, name);
  if (change && change->value) return *change->value;
  auto base = row->base_.find(column->index);
  if (base == row->base_.end()) {
    if (row->inserted_) {
      base = row->base_.emplace(column->index, Datum::default_of(column->type)).first;
    } else {
      Query q = Query::equal(row->table_.name, "_uuid", Atom(row->uuid_), {std::string(name)});
      prefetch(std::span(&q, 1));
      base = row->base_.find(column->index);
      // The row is gone meanwhile: what is based on it fails when it is committed.
      if (base == row->base_.end()) return Datum::default_of(column->type);
    }
  }
  return change ? change->applied_to(base->second) : base->second;
}

bool View::contains(Row* row, std::string_view column, const Atom& element) {
  const ovsdb::ColumnSchema* c = row->table_.find(column);
  if (!c) return false;
  if (row->inserted_ || row->base_.contains(c->index) || element.type() != AtomType::uuid)
    return get(row, column).contains(element);
  for (Row* r : find(Query::includes(row->table_.name, column, element.view().uuid())))
    if (r == row) return true;
  return false;
}

Row* View::insert_row(std::string_view table, std::optional<Uuid> chosen, std::optional<Uuid> placeholder) {
  const TableSchema* schema = schema_->find(table);
  if (!schema) {
    fail("the database has no table " + std::string(table));
    // A row that nobody will see, so that the caller need not look.
    static const TableSchema nothing = [] {
      TableSchema empty;
      empty.columns.resize(ovsdb::first_column);
      return empty;
    }();
    schema = &nothing;
  }
  Uuid id = placeholder.value_or(Uuid{});
  if (placeholder)
    transaction_.insert_as(table, id);
  else
    id = transaction_.insert(table, chosen);
  auto row = std::make_unique<Row>(*schema, id, true);
  Row* p = row.get();
  rows_[id] = std::move(row);
  inserted_.push_back(p);
  inserted_in_[schema->name].push_back(p);
  return p;
}

void View::erase(Row* row) {
  if (row->deleted_) return;
  row->deleted_ = true;
  transaction_.erase(row->table_.name, row->uuid_);
}

void View::set(Row* row, std::string_view column, Datum value) {
  if (!row->table_.find(column))
    return fail("the database has no column " + std::string(column) + " in table " + row->table_.name);
  touch(row);
  if (column == "name") index_name(row, value);
  transaction_.set(row->table_.name, row->uuid_, column, std::move(value));
}

void View::insert_elements(Row* row, std::string_view column, const Datum& elements) {
  if (!row->table_.find(column))
    return fail("the database has no column " + std::string(column) + " in table " + row->table_.name);
  touch(row);
  transaction_.insert_elements(row->table_.name, row->uuid_, column, elements);
}

void View::erase_elements(Row* row, std::string_view column, const Datum& keys) {
  touch(row);
  transaction_.erase_elements(row->table_.name, row->uuid_, column, keys);
}

void View::verify(Row* row, std::string_view column) {
  if (row->inserted_) return;
  const ovsdb::ColumnSchema* c = row->table_.find(column);
  if (!c) return;
  auto base = row->base_.find(c->index);
  if (base == row->base_.end()) {
    get(row, column);
    base = row->base_.find(c->index);
    if (base == row->base_.end()) return;
  }
  transaction_.verify(row->table_.name, row->uuid_, column, base->second);
}

std::vector<Row*> View::inserted_rows() const {
  std::vector<Row*> rows;
  for (Row* row : inserted_)
    if (!row->deleted_) rows.push_back(row);
  return rows;
}

bool View::changes_anything() {
  transaction_.drop_noops([this](std::string_view table, const Uuid& uuid,
                                 std::string_view column) -> const Datum* {
    auto it = rows_.find(uuid);
    if (it == rows_.end() || it->second->table_.name != table) return nullptr;
    const ovsdb::ColumnSchema* c = it->second->table_.find(column);
    auto base = it->second->base_.find(c->index);
    return base == it->second->base_.end() ? nullptr : &base->second;
  });
  return !transaction_.empty();
}

}  // namespace ovs::vsctl
