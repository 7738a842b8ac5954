#include "conf/undo.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace ovs::conf {

namespace {

using ovsdb::Atom;
using ovsdb::AtomType;

constexpr std::array<std::string_view, 4> action_names{"set", "insert", "remove", "erase"};

// The datum with each UUID replaced.
Datum with_uuids(const Datum& d, const std::function<Uuid(const Uuid&, bool value)>& replace) {
  auto atom = [&](ovsdb::AtomView a, bool value) {
    return a.type() == AtomType::uuid ? Atom(replace(a.uuid(), value)) : Atom(a);
  };
  if (d.key_type() != AtomType::uuid && d.value_type() != AtomType::uuid) return d;
  if (!d.is_map()) {
    std::vector<Atom> atoms;
    for (std::size_t i = 0; i < d.size(); i++) atoms.push_back(atom(d.key(i), false));
    return Datum::set_of(d.key_type(), std::move(atoms));
  }
  std::vector<std::pair<Atom, Atom>> pairs;
  for (std::size_t i = 0; i < d.size(); i++) pairs.emplace_back(atom(d.key(i), false), atom(d.value(i), true));
  return Datum::map_of(d.key_type(), d.value_type(), std::move(pairs));
}

ovsdb::ColumnType keys_type(const ovsdb::ColumnType& type) {
  ovsdb::ColumnType keys;
  keys.key = type.key;
  keys.min = 0;
  keys.max = ovsdb::ColumnType::unlimited;
  return keys;
}


const ovsdb::ColumnSchema* find_column(const ovsdb::DatabaseSchema& schema, std::string_view table,
                                       std::string_view column) {
  const ovsdb::TableSchema* t = schema.find(table);
  return t ? t->find(column) : nullptr;
}

}  // namespace

Undo::Undo(const Plan& plan, const Present& present, const ovsdb::DatabaseSchema& schema,
           const std::function<Uuid(const Uuid&)>& real) {
  auto mapped = [&](const Datum& d) { return with_uuids(d, [&](const Uuid& u, bool) { return real(u); }); };
  for (const RowEdit& e : plan.edits) {
    const std::string table(e.kind->table);
    if (e.type == RowEdit::Type::insert) {
      // Other rows go with the last reference to them, and the switch keeps its own.
      if (e.kind->id == Id::qos || e.kind->id == Id::queue)
        steps_.push_back({Action::erase, table, real(e.row), {}, {}, {}});
      continue;
    }
    if (e.type == RowEdit::Type::erase) continue;  // it comes back with the reference that is put back
    for (const auto& [name, change] : e.columns) {
      const ovsdb::ColumnSchema* column = find_column(schema, table, name);
      if (!column) continue;
      if (change.value) {
        steps_.push_back({Action::set, table, e.row, name, change.before, mapped(*change.value)});
        keep(present, schema, column->type, change.before);
        continue;
      }
      // Elements that were there before come back, the other ones go.
      Datum back(change.before.key_type(), change.before.value_type()), gone(column->type.key.type);
      auto restore = [&back, &change = change](ovsdb::AtomView key) {
        const auto at = change.before.find(key);
        if (!at) return false;
        if (change.before.is_map())
          back.insert(Atom(key), Atom(change.before.value(*at)), true);
        else
          back.insert(Atom(key));
        return true;
      };
      for (std::size_t i = 0; i < change.erased.size(); i++) restore(change.erased.key(i));
      for (std::size_t i = 0; i < change.inserted.size(); i++)
        if (!restore(change.inserted.key(i))) gone.insert(Atom(change.inserted.key(i)));
      if (!gone.empty()) steps_.push_back({Action::remove, table, e.row, name, mapped(gone), {}});
      if (!back.empty()) {
        keep(present, schema, column->type, back);
        steps_.push_back({Action::insert, table, e.row, name, std::move(back), {}});
      }
    }
  }
}

void Undo::keep(const Present& present, const ovsdb::DatabaseSchema& schema, const ovsdb::ColumnType& type,
                const Datum& references) {
  auto keep_row = [&](const ovsdb::BaseType& base, ovsdb::AtomView atom) {
    if (!base.is_strong_ref()) return;
    const Record record = present.find(base.ref_table, atom.uuid());
    if (!record) return;
    auto [it, inserted] = rows_[base.ref_table].try_emplace(atom.uuid());
    if (!inserted) return;
    const ovsdb::TableSchema* table = schema.find(base.ref_table);
    for (const dbclient::ColumnDecl& declared : record.table->declaration().columns) {
      const ovsdb::ColumnSchema* column = table ? table->find(declared.name) : nullptr;
      const Datum* value = record.find(declared.name);
      if (!column || is_state(base.ref_table, *column) || value->is_default(column->type)) continue;
      rows_[base.ref_table][atom.uuid()].insert_or_assign(declared.name, *value);
      keep(present, schema, column->type, *value);
    }
  };
  for (std::size_t i = 0; i < references.size(); i++) {
    keep_row(type.key, references.key(i));
    if (references.is_map()) keep_row(type.value, references.value(i));
  }
}

json::object Undo::to_json() const {
  json::array steps;
  for (const Step& s : steps_) {
    json::object o{{"action", action_names[static_cast<std::size_t>(s.action)]}, {"table", s.table},
                   {"row", s.row.to_string()}};
    if (s.action != Action::erase) {
      o["column"] = s.column;
      o["value"] = s.value.to_json();
    }
    if (s.action == Action::set) o["unless"] = s.unless.to_json();
    steps.push_back(std::move(o));
  }
  json::object tables;
  for (const auto& [table, rows] : rows_) {
    json::object by_uuid;
    for (const auto& [uuid, columns] : rows) {
      json::object row;
      for (const auto& [name, value] : columns) row[name] = value.to_json();
      by_uuid[uuid.to_string()] = std::move(row);
    }
    tables[table] = std::move(by_uuid);
  }
  return {{"steps", std::move(steps)}, {"rows", std::move(tables)}};
}

Result<Undo> Undo::from_json(const json::value& v, const ovsdb::DatabaseSchema& schema) {
  const auto malformed = [](std::string_view what) { return unexpected(fmt::format("it is damaged ({})", what)); };
  auto text = [](const json::object& o, std::string_view name) -> std::string {
    const json::value* member = o.if_contains(name);
    return member && member->is_string() ? std::string(member->get_string()) : std::string();
  };
  auto read = [&](const ovsdb::ColumnType& type, const json::value* value) -> Result<Datum> {
    if (!value) return malformed("a value is missing");
    auto d = Datum::from_json(type, *value, nullptr, false);
    if (!d) return malformed(d.error().to_string());
    return std::move(*d);
  };
  Undo undo;
  const json::object* top = v.if_object();
  const json::value* steps = top ? top->if_contains("steps") : nullptr;
  const json::value* rows = top ? top->if_contains("rows") : nullptr;
  if (!steps || !steps->is_array() || !rows || !rows->is_object()) return malformed("no steps or rows");
  for (const json::value& entry : steps->get_array()) {
    const json::object* o = entry.if_object();
    if (!o) return malformed("a step is no object");
    Step s;
    const auto action = std::ranges::find(action_names, text(*o, "action"));
    const auto row = Uuid::parse(text(*o, "row"));
    if (action == action_names.end() || !row) return malformed("a step without action or row");
    s.action = static_cast<Action>(action - action_names.begin());
    s.table = text(*o, "table");
    s.row = *row;
    if (s.action != Action::erase) {
      s.column = text(*o, "column");
      const ovsdb::ColumnSchema* column = find_column(schema, s.table, s.column);
      if (!column) return malformed(fmt::format("there is no column {} in {}", s.column, s.table));
      OVS_TRY(s.value, read(s.action == Action::remove ? keys_type(column->type) : column->type,
                            o->if_contains("value")));
      if (s.action == Action::set) {
        OVS_TRY(s.unless, read(column->type, o->if_contains("unless")));
      }
    } else if (!schema.find(s.table)) {
      return malformed(fmt::format("there is no table {}", s.table));
    }
    undo.steps_.push_back(std::move(s));
  }
  for (const auto& [table, by_uuid] : rows->get_object()) {
    if (!by_uuid.is_object()) return malformed("rows of a table are no object");
    for (const auto& [uuid, columns] : by_uuid.get_object()) {
      const auto id = Uuid::parse(uuid);
      if (!id || !columns.is_object()) return malformed("a row without its identifier");
      Row& row = undo.rows_[table][*id];
      for (const auto& [name, value] : columns.get_object()) {
        const ovsdb::ColumnSchema* column = find_column(schema, table, name);
        if (!column)
          return malformed(fmt::format("there is no column {} in {}", std::string_view(name), std::string_view(table)));
        OVS_TRY(row[std::string(name)], read(column->type, &value));
      }
    }
  }
  return undo;
}

void Undo::fill(dbclient::Transaction& transaction, const Present& now, const ovsdb::DatabaseSchema& schema) const {
  std::map<Uuid, Uuid> made;
  // The row that stands for one of before: itself, another one of its unique name, or a new one.
  std::function<Datum(const ovsdb::ColumnType&, const Datum&)> resolved;
  auto stand_in = [&](const ovsdb::BaseType& base, const Uuid& uuid) -> Uuid {
    if (base.ref_table.empty() || now.find(base.ref_table, uuid)) return uuid;
    if (auto it = made.find(uuid); it != made.end()) return it->second;
    const auto table = rows_.find(base.ref_table);
    if (table == rows_.end()) return uuid;
    const auto row = table->second.find(uuid);
    if (row == table->second.end()) return uuid;
    for (const Id id : {Id::port, Id::interface}) {
      if (kind(id).table != base.ref_table) continue;
      const auto name = row->second.find("name");
      if (const Record other = name == row->second.end() ? Record{} : now.named(id, name->second.string()))
        return made[uuid] = other.uuid();
    }
    const Uuid placeholder = dbclient::Transaction::placeholder();
    made[uuid] = placeholder;
    transaction.insert_as(base.ref_table, placeholder);
    for (const auto& [name, value] : row->second)
      if (const ovsdb::ColumnSchema* column = find_column(schema, base.ref_table, name))
        transaction.set(base.ref_table, placeholder, name, resolved(column->type, value));
    return placeholder;
  };
  resolved = [&](const ovsdb::ColumnType& type, const Datum& d) {
    Datum out = with_uuids(d, [&](const Uuid& uuid, bool value) {
      return stand_in(value ? type.value : type.key, uuid);
    });
    // A weak reference to what is gone is none.
    if (type.key.is_weak_ref())
      out.erase_if([&](ovsdb::AtomView key, const ovsdb::AtomView*) {
        return !now.find(type.key.ref_table, key.uuid()) &&
               std::ranges::none_of(made, [&](const auto& m) { return m.second == key.uuid(); });
      });
    return out;
  };
  for (const Step& s : steps_) {
    const Record record = now.find(s.table, s.row);
    if (!record) continue;
    if (s.action == Action::erase) {
      transaction.erase(s.table, s.row);
      continue;
    }
    const ovsdb::ColumnSchema* column = find_column(schema, s.table, s.column);
    const Datum* value = record.find(s.column);
    if (!column || !value) continue;
    const auto verify = [&] { transaction.verify(s.table, s.row, s.column, *value); };
    switch (s.action) {
      case Action::set:
        if (*value == s.unless && s.unless != s.value) {
          verify();
          transaction.set(s.table, s.row, s.column, resolved(column->type, s.value));
        }
        break;
      case Action::insert: {
        const Datum back = resolved(column->type, s.value);
        if (!value->includes(back)) {
          verify();
          transaction.insert_elements(s.table, s.row, s.column, back);
        }
        break;
      }
      case Action::remove: {
        Datum gone = s.value;
        gone.erase_if([&](ovsdb::AtomView key, const ovsdb::AtomView*) { return !value->contains(key); });
        if (!gone.empty()) {
          verify();
          transaction.erase_elements(s.table, s.row, s.column, gone);
        }
        break;
      }
      case Action::erase: break;
    }
  }
}

}  // namespace ovs::conf
