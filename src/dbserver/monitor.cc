#include "dbserver/monitor.h"

#include <fmt/format.h>

#include <algorithm>

namespace ovs::dbserver {

using ovsdb::DbResult;
using ovsdb::syntax_error;

namespace {

void append_name(std::string& out, std::string_view name) {
  out += '"';
  out += name;
  out += "\":";
}

void append_uuid_name(std::string& out, const Uuid& uuid) {
  out += '"';
  uuid.append_to(out);
  out += "\":";
}

bool differs(const RowChange& change, std::size_t column) {
  if (column == ovsdb::uuid_column) return false;
  if (column == ovsdb::version_column) return !(change.before->version == change.after->version);
  return change.columns.contains(column);
}

// The tables of an update, one after the other.
class TablesText {
 public:
  explicit TablesText(std::string& out) : out_(out) { out_ += '{'; }
  // Where the row's value belongs, behind the table's and the row's names.
  void begin_row(const Table& table, const Uuid& uuid) {
    if (table_ == &table) {
      out_ += ',';
    } else {
      if (table_) out_ += "},";
      append_name(out_, table.schema().name);
      out_ += '{';
      table_ = &table;
    }
    append_uuid_name(out_, uuid);
  }
  bool empty() const { return table_ == nullptr; }
  void end() { out_ += table_ ? "}}" : "}"; }

 private:
  std::string& out_;
  const Table* table_ = nullptr;
};

}  // namespace

bool MonitorShape::OfTable::shows(const Row& row) const {
  if (clauses.empty()) return true;
  for (const ovsdb::Clause& clause : clauses) {
    if (clause.relation == ovsdb::Relation::always) return true;
    if (clause.relation == ovsdb::Relation::never) continue;
    const ovsdb::ColumnType& type = table->schema().columns[clause.column].type;
    if (clause.column >= ovsdb::first_column ? clause.matches(row.datum(clause.column), type)
                                             : clause.matches(row.read(clause.column), type)) {
      return true;
    }
  }
  return false;
}

DbResult<MonitorShape> MonitorShape::parse(const Database& database, const json::value& requests,
                                           MonitorVersion version) {
  const json::object* object = requests.if_object();
  if (!object) return syntax_error(requests, "monitor-requests must be object");
  MonitorShape shape;
  shape.version_ = version;
  for (const auto& member : *object) {
    const Table* table = database.find_table(member.key());
    if (!table) {
      return ovsdb::db_error("syntax error", fmt::format("no table named {}", std::string_view(member.key())));
    }
    OfTable of{table, {}, 0, {}};
    bool unconditional = false;
    if (const json::array* array = member.value().if_array()) {
      for (const json::value& request : *array) OVS_TRY_DO(shape.parse_request(of, request, &unconditional));
      if (array->empty()) continue;
    } else {
      OVS_TRY_DO(shape.parse_request(of, member.value(), &unconditional));
    }
    if (unconditional) of.clauses.clear();
    std::sort(of.columns.begin(), of.columns.end(), [](const Column& a, const Column& b) { return a.index < b.index; });
    shape.tables_.push_back(std::move(of));
  }
  std::sort(shape.tables_.begin(), shape.tables_.end(),
            [](const OfTable& a, const OfTable& b) { return a.table->number() < b.table->number(); });
  shape.make_key();
  return shape;
}

DbResult<void> MonitorShape::parse_request(OfTable& to, const json::value& request, bool* unconditional) {
  const ovsdb::TableSchema& schema = to.table->schema();
  const auto fail = [&](const json::value& about, const std::string& why) {
    return syntax_error(about, fmt::format("Parsing table {} failed: {}", schema.name, why));
  };
  const json::object* object = request.if_object();
  if (!object) return fail(request, "Object expected.");
  std::uint8_t select = Select::all;
  const json::value* columns = nullptr;
  const json::value* where = nullptr;
  for (const auto& member : *object) {
    if (member.key() == "columns") {
      columns = &member.value();
      if (!columns->is_array()) return syntax_error(*columns, "array of column names expected");
    } else if (member.key() == "where" && version_ != MonitorVersion::plain) {
      where = &member.value();
      if (!where->is_array()) return fail(request, "Type mismatch for member 'where'.");
    } else if (member.key() == "select") {
      const json::object* flags = member.value().if_object();
      if (!flags) return fail(request, "Type mismatch for member 'select'.");
      for (const auto& flag : *flags) {
        const std::uint8_t bit = flag.key() == "initial"  ? Select::initial_rows
                                 : flag.key() == "insert" ? Select::inserts
                                 : flag.key() == "delete" ? Select::deletes
                                 : flag.key() == "modify" ? Select::modifications
                                                          : 0;
        if (bit == 0) {
          return fail(member.value(),
                      fmt::format("Member '{}' is present but not allowed here.", std::string_view(flag.key())));
        }
        if (!flag.value().is_bool()) {
          return fail(member.value(), fmt::format("Type mismatch for member '{}'.", std::string_view(flag.key())));
        }
        if (!flag.value().get_bool()) select &= static_cast<std::uint8_t>(~bit);
      }
    } else {
      return fail(request, fmt::format("Member '{}' is present but not allowed here.", std::string_view(member.key())));
    }
  }
  to.select |= select;

  const auto add = [&](std::size_t index) {
    for (const Column& column : to.columns) {
      if (column.index == index) return false;
    }
    to.columns.push_back(Column{index, select});
    return true;
  };
  if (columns) {
    for (const json::value& name : columns->get_array()) {
      if (!name.is_string()) return syntax_error(*columns, "array of column names expected");
      const ovsdb::ColumnSchema* column = schema.find(std::string_view(name.get_string()));
      if (!column) {
        return syntax_error(*columns,
                            fmt::format("{} is not a valid column name", std::string_view(name.get_string())));
      }
      if (!add(column->index)) return syntax_error(*columns, "column name mentioned more than once");
    }
  } else {
    for (std::size_t i = 0; i < schema.columns.size(); i++) {
      if (i != ovsdb::uuid_column && !add(i)) return syntax_error(request, "column name mentioned more than once");
    }
  }

  if (where && !where->get_array().empty()) {
    OVS_TRY(ovsdb::Condition condition, ovsdb::Condition::from_json(schema, *where, nullptr));
    for (ovsdb::Clause& clause : condition.clauses) to.clauses.push_back(std::move(clause));
  } else {
    *unconditional = true;
  }
  return {};
}

DbResult<MonitorShape> MonitorShape::with_conditions(const json::value& requests) const {
  const json::object* object = requests.if_object();
  if (!object) return syntax_error(requests, "monitor-cond-change-requests must be object");
  MonitorShape shape = *this;
  for (const auto& member : *object) {
    auto of = std::find_if(shape.tables_.begin(), shape.tables_.end(),
                           [&](const OfTable& t) { return t.table->schema().name == std::string_view(member.key()); });
    if (of == shape.tables_.end()) {
      return ovsdb::db_error("syntax error",
                             fmt::format("no table named {} in monitor session", std::string_view(member.key())));
    }
    const ovsdb::TableSchema& schema = of->table->schema();
    std::vector<ovsdb::Clause> clauses;
    bool unconditional = false, given = false;
    const auto take = [&](const json::value& request) -> DbResult<void> {
      const json::object* fields = request.if_object();
      if (!fields) return syntax_error(request, fmt::format("Parsing table {} failed: Object expected.", schema.name));
      for (const auto& field : *fields) {
        if (field.key() == "columns") continue;
        if (field.key() != "where" || !field.value().is_array()) {
          return syntax_error(request, fmt::format("Parsing table {} failed: Member '{}' is not allowed here or has "
                                                   "a wrong type.",
                                                   schema.name, std::string_view(field.key())));
        }
        given = true;
        if (field.value().get_array().empty()) {
          unconditional = true;
          continue;
        }
        OVS_TRY(ovsdb::Condition condition, ovsdb::Condition::from_json(schema, field.value(), nullptr));
        for (ovsdb::Clause& clause : condition.clauses) clauses.push_back(std::move(clause));
      }
      return {};
    };
    if (const json::array* array = member.value().if_array()) {
      for (const json::value& request : *array) OVS_TRY_DO(take(request));
    } else {
      OVS_TRY_DO(take(member.value()));
    }
    if (!given) continue;
    if (unconditional) clauses.clear();
    of->clauses = std::move(clauses);
  }
  shape.make_key();
  return shape;
}

void MonitorShape::make_key() {
  key_ = std::to_string(static_cast<int>(version_));
  for (const OfTable& of : tables_) {
    fmt::format_to(std::back_inserter(key_), ";{}/{}", of.table->number(), of.select);
    for (const Column& column : of.columns) {
      fmt::format_to(std::back_inserter(key_), ",{}/{}", column.index, column.select);
    }
    for (const ovsdb::Clause& clause : of.clauses) {
      key_ += '?';
      append_json(key_, clause.to_json(of.table->schema()));
    }
  }
}

const MonitorShape::OfTable* MonitorShape::find(const Table& table) const {
  auto it = std::lower_bound(tables_.begin(), tables_.end(), table.number(),
                             [](const OfTable& of, std::size_t number) { return of.table->number() < number; });
  return it != tables_.end() && it->table == &table ? &*it : nullptr;
}

// <row> with the columns that `select` asks for: all of them in a plain monitor, those that are not
// at their default in the others.
void MonitorShape::append_rows(std::string& out, const OfTable& table, std::uint8_t select, const Row& row) const {
  out += '{';
  bool first = true;
  for (const Column& column : table.columns) {
    if (!(column.select & select)) continue;
    const ovsdb::ColumnSchema& schema = table.table->schema().columns[column.index];
    if (version_ != MonitorVersion::plain && column.index >= ovsdb::first_column &&
        row.datum(column.index).is_default(schema.type)) {
      continue;
    }
    if (!first) out += ',';
    first = false;
    append_name(out, schema.name);
    row.append_json(out, column.index);
  }
  out += '}';
}

std::string MonitorShape::initial() const {
  std::string out;
  TablesText text(out);
  for (const OfTable& of : tables_) {
    if (!(of.select & Select::initial_rows)) continue;
    of.table->for_each([&](const Row& row) {
      if (!of.shows(row)) return;
      text.begin_row(*of.table, row.uuid());
      out += version_ == MonitorVersion::plain ? "{\"new\":" : "{\"initial\":";
      append_rows(out, of, Select::initial_rows, row);
      out += '}';
    });
  }
  text.end();
  return out;
}

// Appends <row-update> or <row-update2>; false if there is nothing to tell.
bool MonitorShape::append_change(std::string& out, const OfTable& of, const RowChange& change) const {
  const bool was = change.before && of.shows(*change.before);
  const bool is = change.after && of.shows(*change.after);
  const bool plain = version_ == MonitorVersion::plain;
  if (!was && !is) return false;
  if (!was) {
    if (!(of.select & Select::inserts)) return false;
    out += plain ? "{\"new\":" : "{\"insert\":";
    append_rows(out, of, Select::inserts, *change.after);
    out += '}';
    return true;
  }
  if (!is) {
    if (!(of.select & Select::deletes)) return false;
    if (plain) {
      out += "{\"old\":";
      append_rows(out, of, Select::deletes, *change.before);
      out += '}';
    } else {
      out += "{\"delete\":null}";
    }
    return true;
  }
  if (!(of.select & Select::modifications)) return false;
  bool any = false;
  for (const Column& column : of.columns) {
    if (!(column.select & Select::modifications) || !differs(change, column.index)) continue;
    const ovsdb::ColumnSchema& schema = of.table->schema().columns[column.index];
    if (!any) {
      out += plain ? "{\"old\":{" : "{\"modify\":{";
    } else {
      out += ',';
    }
    any = true;
    append_name(out, schema.name);
    if (plain) {
      change.before->append_json(out, column.index);
    } else if (column.index == ovsdb::version_column) {
      change.after->append_json(out, column.index);
    } else {
      Datum::diff(change.before->datum(column.index), change.after->datum(column.index), schema.type).append_json(out);
    }
  }
  if (!any) return false;
  out += '}';
  if (plain) {
    out += ",\"new\":";
    append_rows(out, of, Select::modifications, *change.after);
  }
  out += '}';
  return true;
}

std::string MonitorShape::update(const Change& change) const {
  std::string out;
  TablesText text(out);
  std::string row_text;
  const Table* table = nullptr;
  const OfTable* of = nullptr;
  for (const RowChange& row : change.rows) {
    if (table != row.table) {
      table = row.table;
      of = find(*table);
    }
    if (!of) continue;
    row_text.clear();
    if (!append_change(row_text, *of, row)) continue;
    text.begin_row(*table, row.uuid());
    out += row_text;
  }
  if (text.empty()) return {};
  text.end();
  return out;
}

std::string MonitorShape::condition_change(const MonitorShape& before) const {
  std::string out;
  TablesText text(out);
  std::string row_text;
  for (const OfTable& of : tables_) {
    const OfTable* old = before.find(*of.table);
    if (!old) continue;
    of.table->for_each([&](Row& row) {
      const bool was = old->shows(row), is = of.shows(row);
      if (was == is) return;
      row_text.clear();
      if (is) {
        if (!(of.select & Select::inserts)) return;
        row_text = "{\"insert\":";
        append_rows(row_text, of, Select::inserts, row);
        row_text += '}';
      } else {
        if (!(of.select & Select::deletes)) return;
        row_text = "{\"delete\":null}";
      }
      text.begin_row(*of.table, row.uuid());
      out += row_text;
    });
  }
  if (text.empty()) return {};
  text.end();
  return out;
}

std::string update_message(MonitorVersion version, std::string_view id_text, const Uuid& transaction,
                           std::string_view updates) {
  std::string out;
  out.reserve(updates.size() + id_text.size() + 100);
  out += "{\"id\":null,\"method\":\"";
  out += version == MonitorVersion::plain ? "update" : version == MonitorVersion::conditional ? "update2" : "update3";
  out += "\",\"params\":[";
  out += id_text;
  if (version == MonitorVersion::since) {
    out += ",\"";
    transaction.append_to(out);
    out += '"';
  }
  out += ',';
  out += updates;
  out += "]}";
  return out;
}

}  // namespace ovs::dbserver
