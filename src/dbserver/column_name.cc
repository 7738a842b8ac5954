#include "dbserver/column_name.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"

namespace ovs::dbserver {

namespace {

std::string perhaps(std::string_view word, const std::vector<std::string_view>& names) {
  const auto near = nearest(word, names);
  return near ? fmt::format(" (did you mean {}?)", *near) : std::string();
}

}  // namespace

std::string ColumnName::text() const { return fmt::format("db:{},{},{}", database, table, column); }

Result<ColumnName> ColumnName::parse(std::string_view word) {
  const std::vector<std::string_view> words = split(word.substr(word.find(':') + 1), ',');
  if (!is_one(word) || words.size() != 3) {
    return unexpected(fmt::format("{}: not of the form db:DATABASE,TABLE,COLUMN", word));
  }
  return ColumnName{std::string(words[0]), std::string(words[1]), std::string(words[2])};
}

Result<const ovsdb::ColumnSchema*> ColumnName::find(const ovsdb::DatabaseSchema* schema, Holds holds) const {
  const auto wrong = [this](std::string_view what) { return unexpected(fmt::format("{}: {}", text(), what)); };
  if (!schema) return wrong("no database named " + database);
  const ovsdb::TableSchema* t = schema->find(table);
  std::vector<std::string_view> names;
  if (!t) {
    for (const auto& [name, other] : schema->tables) names.push_back(name);
    return wrong(fmt::format("no table named {}{}", table, perhaps(table, names)));
  }
  const ovsdb::ColumnSchema* c = t->find(column);
  if (!c || c->index < ovsdb::first_column) {
    for (const ovsdb::ColumnSchema& other : t->columns) names.push_back(other.name);
    return wrong(fmt::format("no column named {}{}", column, perhaps(column, names)));
  }
  if (!c->type.is_map() && c->type.key.type == ovsdb::AtomType::string) return c;
  if (holds == Holds::files) return wrong(fmt::format("column {} does not hold strings", column));
  if (!c->type.is_map() && c->type.key.is_ref()) return c;
  return wrong(fmt::format("column {} holds neither strings nor references to rows", column));
}

}  // namespace ovs::dbserver
