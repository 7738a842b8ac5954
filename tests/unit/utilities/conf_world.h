// The content of a database in memory, for tests of ovs-conf that need no server.
//
// Thread safety: none; one test.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "conf/declared.h"
#include "conf/plan.h"
#include "conf/present.h"
#include "ovsdb/schema.h"

namespace ovs::conf {

// The switch's.
const ovsdb::DatabaseSchema& test_schema();

// Variables as a file "NAME=VALUE" a line would set them, the line's number included; without a shell.
inline std::vector<Variable> variables(const std::vector<std::pair<std::string, std::string>>& lines) {
  std::vector<Variable> out;
  for (const auto& [name, value] : lines) out.push_back({name, value, static_cast<int>(out.size()) + 1});
  return out;
}

inline Declared declared(const std::vector<std::pair<std::string, std::string>>& lines) {
  Reading reading = read_declaration(variables(lines), test_schema());
  for (const Mistake& m : reading.mistakes) ADD_FAILURE() << m.line << ": " << m.text;
  return std::move(reading.declared);
}

class World {
 public:
  World() {
    for (auto& declaration : declarations(test_schema())) {
      const std::string name = declaration.name;
      tables_.emplace(name, dbclient::ReplicaTable(std::move(declaration)));
    }
    for (auto& [name, table] : tables_) table.adopt(test_schema().find(name));
  }

  Present present() const {
    std::vector<const dbclient::ReplicaTable*> tables;
    for (const auto& [name, table] : tables_) tables.push_back(&table);
    return Present(std::move(tables));
  }

  // A row of a server's kind: {"name": "br0", "tag": 5}; references as ["uuid", "..."].
  Uuid insert(const std::string& table, const std::string& columns) {
    const Uuid uuid = Uuid::random();
    put(table, uuid, columns);
    return uuid;
  }
  void put(const std::string& table, const Uuid& uuid, const std::string& columns) {
    auto v = parse_json(columns);
    ASSERT_TRUE(v) << columns;
    ASSERT_TRUE(tables_.at(table).apply_insert(uuid, v->get_object()));
  }

  Plan plan(const Declared& d, PlanOptions options = {}) const {
    return make_plan(d, present(), test_schema(), options); }

  // What a server would make of the plan, garbage collection included.
  void carry_out(const Plan& plan) {
    EXPECT_TRUE(plan.refusals.empty());
    for (const RowEdit& e : plan.edits) {
      dbclient::ReplicaTable& table = tables_.at(std::string(e.kind->table));
      if (e.type == RowEdit::Type::erase) {
        table.apply_delete(e.row);
        continue;
      }
      if (e.type == RowEdit::Type::insert) {
        ASSERT_TRUE(table.apply_insert(e.row, {}));
      }
      for (const auto& [name, edit] : e.columns) {
        const dbclient::ReplicaRow* row = table.find(e.row);
        ASSERT_TRUE(row) << e.label();
        Datum value = (*row)[table.declaration().slot(name)];
        if (edit.value) {
          value = *edit.value;
        } else {
          if (value.is_map())
            value.subtract_keys(edit.erased);
          else
            value.subtract(edit.erased);
          value.unite(edit.inserted, true);
        }
        json::object columns;
        columns[name] = value.to_json();
        ASSERT_TRUE(table.apply_replace(e.row, columns));
      }
    }
    while (collect_one()) {
    }
    for (auto& [name, table] : tables_) table.forget_changes();
  }

  // A file applied: the plan that remains afterwards must be empty.
  Plan apply(const Declared& d, PlanOptions options = {}) {
    Plan p = plan(d, options);
    carry_out(p);
    const Plan again = plan(d, options);
    EXPECT_TRUE(again.empty()) << (again.edits.empty() ? "" : again.edits[0].label());
    return p;
  }

  std::vector<std::string> names(const std::string& table) const {
    std::vector<std::string> out;
    tables_.at(table).each([&](const dbclient::ReplicaRow& row) {
      out.push_back(Record{&tables_.at(table), &row}.text("name")); });
    std::ranges::sort(out);
    return out;
  }
  std::size_t count(const std::string& table) const { return tables_.at(table).size(); }
  Record named(const std::string& table, const std::string& name) const {
    Record out;
    const auto& t = tables_.at(table);
    t.each([&](const dbclient::ReplicaRow& row) {
      if (Record r{&t, &row}; r.text("name") == name) out = r;
    });
    return out;
  }
  // A column's value as JSON.
  std::string value(const std::string& table, const std::string& name, const std::string& column) const {
    const Record r = named(table, name);
    return r ? ovs::to_text(r.find(column)->to_json()) : "(no row)";
  }
  // Somebody else changes a column.
  void set(const std::string& table, const std::string& name, const std::string& columns) {
    auto v = parse_json(columns);
    ASSERT_TRUE(tables_.at(table).apply_replace(named(table, name).uuid(), v->get_object()));
  }

 private:
  // Deletes a row to which nothing refers, of a table that keeps none such.
  bool collect_one() {
    std::map<Uuid, int> references;
    for (const auto& [name, table] : tables_)
      table.each([&references, &columns = table.declaration().columns,
                  schema = test_schema().find(name)](const dbclient::ReplicaRow& row) {
        for (std::size_t i = 0; i < columns.size(); i++) {
          const ovsdb::ColumnSchema* c = schema->find(columns[i].name);
          for (std::size_t j = 0; j < row[i].size(); j++) {
            if (c->type.key.is_strong_ref()) references[row[i].key(j).uuid()]++;
            if (c->type.value.is_strong_ref()) references[row[i].value(j).uuid()]++;
          }
        }
      });
    for (auto& [name, table] : tables_) {
      if (test_schema().find(name)->is_root) continue;
      std::optional<Uuid> dead;
      table.each([&](const dbclient::ReplicaRow& row) {
        if (!references.contains(row.uuid())) dead = row.uuid();
      });
      if (!dead) continue;
      table.apply_delete(*dead);
      return true;
    }
    return false;
  }

  std::map<std::string, dbclient::ReplicaTable> tables_;
};

}  // namespace ovs::conf
