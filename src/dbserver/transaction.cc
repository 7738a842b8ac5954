#include "dbserver/transaction.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "dbserver/operation.h"
#include "ovsdb/mutation.h"

namespace ovs::dbserver {

using ovsdb::DbError;
using ovsdb::DbResult;
using ovsdb::db_error;
using ovsdb::syntax_error;

namespace {

std::string quoted(const json::value& v) {
  std::string text;
  append_json(text, v);
  return text;
}

// The columns that "columns" names: all of them if it is absent.
DbResult<std::vector<std::size_t>> parse_columns(const ovsdb::TableSchema& schema, const json::value* v) {
  std::vector<std::size_t> columns;
  if (!v) {
    for (std::size_t i = 0; i < schema.columns.size(); i++) columns.push_back(i);
    return columns;
  }
  ColumnSet seen;
  for (const json::value& name : v->get_array()) {
    if (!name.is_string()) return syntax_error(*v, "array of distinct column names expected");
    const std::string_view text = name.get_string();
    const ovsdb::ColumnSchema* column = schema.find(text);
    if (!column) return syntax_error(*v, fmt::format("{} is not a valid column name", text));
    if (seen.contains(column->index)) return syntax_error(*v, "array of distinct column names expected");
    seen.add(column->index);
    columns.push_back(column->index);
  }
  return columns;
}

Unexpected<DbError> unknown_column(std::string_view name, const ovsdb::TableSchema& schema, const json::value& row) {
  return {DbError{"unknown column", fmt::format("No column {} in table {}.", name, schema.name), quoted(row)}};
}

void append_row(std::string& out, const Row& row, const ovsdb::TableSchema& schema,
                const std::vector<std::size_t>& columns) {
  out += '{';
  bool first = true;
  for (std::size_t column : columns) {
    if (!first) out += ',';
    first = false;
    // Names are identifiers (RFC 7047 <id>): nothing in them needs an escape.
    out += '"';
    out += schema.columns[column].name;
    out += "\":";
    row.append_json(out, column);
  }
  out += '}';
}

bool matches(const Row& row, const ovsdb::TableSchema& schema, const ovsdb::Condition& condition) {
  for (const ovsdb::Clause& clause : condition.clauses) {
    if (clause.relation == ovsdb::Relation::always) continue;
    if (clause.relation == ovsdb::Relation::never) return false;
    const ovsdb::ColumnType& type = schema.columns[clause.column].type;
    const bool holds = clause.column >= ovsdb::first_column
                           ? clause.matches(row.datum(clause.column), type)
                           : clause.matches(row.read(clause.column), type);
    if (!holds) return false;
  }
  return true;
}

void append_count(std::string& reply, std::size_t count) {
  reply += "{\"count\":";
  append_json_integer(reply, static_cast<std::int64_t>(count));
  reply += '}';
}

}  // namespace

Transaction::Transaction(Database& database) : database_(database) {
  resolver_ = [this](std::string_view name) { return resolve(name); };
}

Transaction::~Transaction() {
  if (state_ == State::running || state_ == State::committed) rollback();
}

Outcome Transaction::execute(const json::array& operations, std::size_t first,
                             const TransactionContext& context) {
  OVS_CHECK(state_ == State::fresh);
  state_ = State::running;
  operations_ = &operations;
  first_ = first;
  const std::size_t total = operations.size() - first;
  reply_ = "[";
  std::optional<DbError> error;
  std::size_t done = 0;
  for (; done < total && !error; done++) {
    if (done > 0) reply_ += ',';
    auto op = Operation::parse(database_, operations[first + done], done + 1, total);
    if (!op) {
      error = std::move(op).error();
      continue;
    }
    if (auto ran = run(*op, context); !ran) error = std::move(ran).error();
    if (must_wait_) {
      rollback();
      return Outcome::waiting;
    }
  }
  if (!error) {
    if (auto finished = finish(); !finished) {
      if (total > 0) reply_ += ',';
      error = std::move(finished).error();
      done = total;
    }
  }
  if (error) append_json(reply_, error->to_json());
  for (; done < total; done++) reply_ += ",null";
  reply_ += ']';
  if (error) {
    rollback();
    return Outcome::failed;
  }
  state_ = State::committed;
  return Outcome::committed;
}

void Transaction::confirm() {
  OVS_CHECK(state_ == State::committed);
  state_ = State::over;
  touched_.clear();
}

DbResult<void> Transaction::run(const Operation& op, const TransactionContext& context) {
  if (context.read_only && op.changes()) {
    return db_error("not allowed", fmt::format("{} operation not allowed {}", to_text(op.kind), context.read_only_why));
  }
  switch (op.kind) {
    case Operation::Kind::insert: return insert(op);
    case Operation::Kind::select: return select(op);
    case Operation::Kind::update: return update(op);
    case Operation::Kind::mutate: return mutate(op);
    case Operation::Kind::erase: return erase(op);
    case Operation::Kind::wait: return wait(op, context);
    case Operation::Kind::commit: return commit(op);
    case Operation::Kind::abort: return db_error("aborted", "aborted by request");
    case Operation::Kind::comment: return comment(op);
    case Operation::Kind::assert_lock: return assert_lock(op, context);
  }
  return {};
}

// Names that are used before their insert get a UUID at once; the insert takes it.
std::optional<Uuid> Transaction::resolve(std::string_view name) {
  if (auto it = names_.find(name); it != names_.end()) return it->second.uuid;
  find_given_uuids();
  if (auto it = names_.find(name); it != names_.end()) return it->second.uuid;
  const Uuid uuid = Uuid::random();
  names_.emplace(std::string(name), Name{uuid, false});
  return uuid;
}

// An insert with both "uuid-name" and "uuid" says itself what its name stands for, and may come
// after the name is used.
void Transaction::find_given_uuids() {
  if (given_uuids_found_) return;
  given_uuids_found_ = true;
  for (std::size_t i = first_; i < operations_->size(); i++) {
    const json::object* op = (*operations_)[i].if_object();
    if (!op) continue;
    const json::value* name = op->if_contains("uuid-name");
    const json::value* given = op->if_contains("uuid");
    if (!name || !given || !name->is_string() || !given->is_string()) continue;
    if (auto uuid = Uuid::parse(std::string_view(given->get_string()))) {
      names_.try_emplace(std::string(std::string_view(name->get_string())), Name{*uuid, false});
    }
  }
}

DbResult<void> Transaction::insert(const Operation& op) {
  Table& table = *op.table;
  const ovsdb::TableSchema& schema = table.schema();
  Uuid uuid;
  if (op.uuid) {
    auto given = Uuid::parse(std::string_view(op.uuid->get_string()));
    if (!given) return syntax_error(*op.uuid, "bad uuid");
    uuid = *given;
    if (table.find(uuid) || deleted_.contains(DeletedKey{&table, uuid})) {
      return Unexpected{DbError{"duplicate uuid",
                                "The table has a row with this UUID, or had one at the beginning of the transaction.",
                                quoted(*op.uuid)}};
    }
  }
  if (op.uuid_name) {
    const std::string_view name = op.uuid_name->get_string();
    auto [it, fresh] = names_.try_emplace(std::string(name), Name{});
    if (fresh) {
      it->second.uuid = op.uuid ? uuid : Uuid::random();
    } else if (it->second.inserted) {
      return Unexpected{DbError{"duplicate uuid-name", "An earlier insert operation has this \"uuid-name\".",
                                quoted(*op.uuid_name)}};
    }
    it->second.inserted = true;
    uuid = it->second.uuid;
  } else if (!op.uuid) {
    uuid = Uuid::random();
  }

  RowPtr row = Row::create(schema, uuid);
  for (const auto& member : op.row->get_object()) {
    const ovsdb::ColumnSchema* column = schema.find(member.key());
    if (!column) return unknown_column(member.key(), schema, *op.row);
    OVS_TRY(Datum value, Datum::from_json(column->type, member.value(), resolver_));
    if (column->index >= ovsdb::first_column) row->datum(column->index) = std::move(value);
  }
  // The default of an enumeration, or of a number with a range, need not be permitted.
  for (std::size_t i = ovsdb::first_column; i < schema.columns.size(); i++) {
    const ovsdb::ColumnType& type = schema.columns[i].type;
    const bool constrained = type.min > 0 && (type.key.enumeration || type.key.type == ovsdb::AtomType::integer ||
                                              type.key.type == ovsdb::AtomType::real ||
                                              (type.key.type == ovsdb::AtomType::string && type.key.min_length > 0));
    if (constrained) OVS_TRY_DO(row->datum(i).check(type));
  }
  row->version = Uuid::random();
  row->touched = static_cast<std::int32_t>(touched_.size());
  touched_.push_back(Touched{&table, nullptr, row, nullptr, {}, 0, false});
  table.insert(std::move(row));
  reply_ += "{\"uuid\":[\"uuid\",\"";
  uuid.append_to(reply_);
  reply_ += "\"]}";
  return {};
}

Transaction::Found Transaction::indexed_match(Table& table, const ovsdb::Condition& condition, Row** row) const {
  for (const ovsdb::Clause& clause : condition.clauses) {
    if (clause.relation == ovsdb::Relation::equal && clause.column == ovsdb::uuid_column) {
      *row = table.find(clause.argument.uuid());
      return Found::by_uuid;
    }
  }
  for (const auto& index : table.indexes()) {
    const Datum* values[8];
    const std::size_t n = index->columns().size();
    if (n > std::size(values)) continue;
    std::size_t found = 0;
    for (; found < n; found++) {
      values[found] = nullptr;
      for (const ovsdb::Clause& clause : condition.clauses) {
        if (clause.relation == ovsdb::Relation::equal && clause.column == index->columns()[found]) {
          values[found] = &clause.argument;
        }
      }
      if (!values[found]) break;
    }
    if (found < n) continue;
    *row = index->find(index->key(std::span<const Datum* const>(values, n)));
    return Found::by_index;
  }
  return Found::nothing_known;
}

DbResult<std::vector<Row*>> Transaction::matching(const Operation& op) {
  Table& table = *op.table;
  const ovsdb::TableSchema& schema = table.schema();
  OVS_TRY(const ovsdb::Condition condition, ovsdb::Condition::from_json(schema, *op.where, resolver_));
  std::vector<Row*> rows;
  Row* candidate = nullptr;
  const Found found = condition.clauses.empty() ? Found::nothing_known : indexed_match(table, condition, &candidate);
  if (found == Found::nothing_known) {
    table.for_each([&](Row& row) {
      if (matches(row, schema, condition)) rows.push_back(&row);
    });
    return rows;
  }
  // The rows by UUID are those of this moment, an index is that of the last commit: what this
  // transaction touched may have another key by now.
  if (candidate && (found == Found::by_uuid || candidate->touched < 0) && matches(*candidate, schema, condition)) {
    rows.push_back(candidate);
  }
  if (found == Found::by_index) {
    for (const Touched& touched : touched_) {
      if (touched.table == &table && touched.alive() && matches(*touched.after, schema, condition)) {
        rows.push_back(touched.after.get());
      }
    }
  }
  return rows;
}

DbResult<void> Transaction::select(const Operation& op) {
  const ovsdb::TableSchema& schema = op.table->schema();
  OVS_TRY(const std::vector<std::size_t> columns, parse_columns(schema, op.columns));
  OVS_TRY(const std::vector<Row*> rows, matching(op));
  reply_ += "{\"rows\":[";
  // Without _uuid, rows may look the same; the result is a set.
  const bool distinct = std::find(columns.begin(), columns.end(), ovsdb::uuid_column) != columns.end() ||
                        std::find(columns.begin(), columns.end(), ovsdb::version_column) != columns.end();
  if (distinct || rows.size() < 2) {
    bool first = true;
    for (const Row* row : rows) {
      if (!first) reply_ += ',';
      first = false;
      append_row(reply_, *row, schema, columns);
    }
  } else {
    std::vector<std::string> texts(rows.size());
    for (std::size_t i = 0; i < rows.size(); i++) append_row(texts[i], *rows[i], schema, columns);
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    for (std::size_t i = 0; i < texts.size(); i++) {
      if (i > 0) reply_ += ',';
      reply_ += texts[i];
    }
  }
  reply_ += "]}";
  return {};
}

std::size_t Transaction::touch(Table& table, Row* row) {
  if (row->touched < 0) {
    row->touched = static_cast<std::int32_t>(touched_.size());
    touched_.push_back(Touched{&table, row, row, row, {}, 0, false});
  }
  return static_cast<std::size_t>(row->touched);
}

Row& Transaction::modify(Table& table, Row* row) {
  Touched& touched = touched_[touch(table, row)];
  // A version that is counted stays as it is, so that the next one can be compared with it.
  if (touched.counted == touched.after) {
    touched.after = row->clone();
    touched.after->touched = row->touched;
    touched.after->version = Uuid::random();
    table.replace(touched.after);
  }
  return *touched.after;
}

void Transaction::remove(Table& table, Row* row) {
  const std::size_t number = touch(table, row);
  Touched& touched = touched_[number];
  const Uuid uuid = row->uuid();
  deleted_.emplace(DeletedKey{&table, uuid}, number);
  touched.after = nullptr;
  table.remove(uuid);
}

DbResult<void> Transaction::update(const Operation& op) {
  Table& table = *op.table;
  const ovsdb::TableSchema& schema = table.schema();
  std::vector<std::pair<std::size_t, Datum>> values;
  for (const auto& member : op.row->get_object()) {
    const ovsdb::ColumnSchema* column = schema.find(member.key());
    if (!column) return unknown_column(member.key(), schema, *op.row);
    OVS_TRY(Datum value, Datum::from_json(column->type, member.value(), resolver_));
    if (!column->is_mutable || column->index < ovsdb::first_column) {
      std::string why = fmt::format("Cannot update immutable column {} in table {}.", column->name, schema.name);
      return Unexpected{DbError{"constraint violation", std::move(why), quoted(*op.whole)}};
    }
    values.emplace_back(column->index, std::move(value));
  }
  OVS_TRY(const std::vector<Row*> rows, matching(op));
  for (Row* row : rows) {
    for (const auto& [column, value] : values) {
      Row* present = row->touched < 0 ? row : touched_[static_cast<std::size_t>(row->touched)].after.get();
      if (present->datum(column) == value) continue;
      modify(table, present).datum(column) = value;
      touched_[static_cast<std::size_t>(present->touched)].columns.add(column);
    }
  }
  append_count(reply_, rows.size());
  return {};
}

DbResult<void> Transaction::mutate(const Operation& op) {
  Table& table = *op.table;
  const ovsdb::TableSchema& schema = table.schema();
  OVS_TRY(const std::vector<ovsdb::Mutation> mutations, ovsdb::mutations_from_json(schema, *op.mutations, resolver_));
  OVS_TRY(const std::vector<Row*> rows, matching(op));
  for (Row* row : rows) {
    for (const ovsdb::Mutation& mutation : mutations) {
      Row* present = row->touched < 0 ? row : touched_[static_cast<std::size_t>(row->touched)].after.get();
      Datum value = present->datum(mutation.column);
      OVS_TRY(const bool changed, mutation.apply(value, schema.columns[mutation.column].type));
      if (!changed) continue;
      modify(table, present).datum(mutation.column) = std::move(value);
      touched_[static_cast<std::size_t>(present->touched)].columns.add(mutation.column);
    }
  }
  append_count(reply_, rows.size());
  return {};
}

DbResult<void> Transaction::erase(const Operation& op) {
  OVS_TRY(const std::vector<Row*> rows, matching(op));
  for (Row* row : rows) remove(*op.table, row);
  append_count(reply_, rows.size());
  return {};
}

DbResult<void> Transaction::wait(const Operation& op, const TransactionContext& context) {
  const ovsdb::TableSchema& schema = op.table->schema();
  std::optional<std::int64_t> timeout;
  if (op.timeout) {
    timeout = as_integer(*op.timeout);
    if (*timeout < 0) return syntax_error(*op.timeout, "timeout must be nonnegative");
  }
  const std::string_view until = op.until->get_string();
  if (until != "==" && until != "!=") return syntax_error(*op.until, "\"until\" must be \"==\" or \"!=\"");
  OVS_TRY(const std::vector<std::size_t> columns, parse_columns(schema, op.columns));

  std::vector<std::string> expected;
  for (const json::value& v : op.rows->get_array()) {
    const json::object* object = v.if_object();
    if (!object) return syntax_error(v, "object expected");
    RowPtr row = Row::create(schema, Uuid{});
    Uuid row_uuid;
    for (const auto& member : *object) {
      const ovsdb::ColumnSchema* column = schema.find(member.key());
      if (!column) return unknown_column(member.key(), schema, v);
      OVS_TRY(Datum value, Datum::from_json(column->type, member.value(), resolver_));
      if (column->index == ovsdb::uuid_column) row_uuid = value.uuid();
      else if (column->index == ovsdb::version_column) row->version = value.uuid();
      else row->datum(column->index) = std::move(value);
    }
    if (!row_uuid.is_zero()) {
      RowPtr identified = Row::create(schema, row_uuid);
      identified->version = row->version;
      for (std::size_t i = ovsdb::first_column; i < schema.columns.size(); i++) identified->datum(i) = row->datum(i);
      row = std::move(identified);
    }
    append_row(expected.emplace_back(), *row, schema, columns);
  }
  OVS_TRY(const std::vector<Row*> rows, matching(op));
  std::vector<std::string> present(rows.size());
  for (std::size_t i = 0; i < rows.size(); i++) append_row(present[i], *rows[i], schema, columns);
  for (auto* texts : {&expected, &present}) {
    std::sort(texts->begin(), texts->end());
    texts->erase(std::unique(texts->begin(), texts->end()), texts->end());
  }
  if ((expected == present) == (until == "==")) {
    reply_ += "{}";
    return {};
  }
  if (timeout && *timeout <= context.elapsed_ms) {
    if (*timeout == 0) return db_error("timed out", "\"where\" clause test failed");
    return db_error("timed out", fmt::format("\"wait\" timed out after {} ms", context.elapsed_ms));
  }
  if (!context.may_wait) {
    return db_error("resources exhausted", "too many transactions of this client are waiting already");
  }
  must_wait_ = true;
  wait_ms_ = timeout;
  return {};
}

DbResult<void> Transaction::commit(const Operation& op) {
  if (op.durable->get_bool()) durable_ = true;
  reply_ += "{}";
  return {};
}

DbResult<void> Transaction::comment(const Operation& op) {
  if (!comment_.empty()) comment_ += '\n';
  comment_ += std::string_view(op.comment->get_string());
  reply_ += "{}";
  return {};
}

DbResult<void> Transaction::assert_lock(const Operation& op, const TransactionContext& context) {
  const std::string_view lock = op.lock->get_string();
  if (!context.owns_lock || !context.owns_lock(lock)) {
    return db_error("not owner", fmt::format("Asserted lock {} not held.", lock));
  }
  reply_ += "{}";
  return {};
}

}  // namespace ovs::dbserver
