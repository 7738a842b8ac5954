#include "dbserver/database.h"

#include <fmt/format.h>

#include "base/check.h"

namespace ovs::dbserver {

using ovsdb::DbResult;
using ovsdb::db_error;

Database::Database(std::shared_ptr<const ovsdb::DatabaseSchema> schema) : schema_(std::move(schema)) {
  for (const auto& [name, table] : schema_->tables) {
    tables_.push_back(std::make_unique<Table>(table, tables_.size()));
  }
  for (auto& table : tables_) {
    for (std::size_t i = ovsdb::first_column; i < table->schema().columns.size(); i++) {
      const ovsdb::ColumnType& type = table->schema().columns[i].type;
      Table::RefTargets& to = table->targets_[i];
      if (type.key.is_ref()) {
        (type.key.is_strong_ref() ? to.strong_key : to.weak_key) = find_table(type.key.ref_table);
      }
      if (type.value.is_ref()) {
        (type.value.is_strong_ref() ? to.strong_value : to.weak_value) = find_table(type.value.ref_table);
      }
    }
  }
}

Table* Database::find_table(std::string_view name) const {
  std::size_t low = 0, high = tables_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const int order = name.compare(tables_[middle]->schema().name);
    if (order == 0) return tables_[middle].get();
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return nullptr;
}

DbResult<ovsdb::RecordInfo> Database::replay(const json::value& record) {
  OVS_TRY(ovsdb::RecordInfo info, ovsdb::read_record_info(record));
  OVS_TRY_DO(ovsdb::read_record(
      *schema_, record,
      [&](const ovsdb::TableSchema& schema, const Uuid& uuid, const json::object* columns) -> DbResult<void> {
        // One record is often like the one before.
        if (!loading_ || &loading_->schema() != &schema) loading_ = find_table(schema.name);
        return load_row(*loading_, uuid, columns, info.is_diff);
      }));
  return info;
}

DbResult<void> Database::load_row(Table& table, const Uuid& uuid, const json::object* columns, bool is_diff) {
  const ovsdb::TableSchema& schema = table.schema();
  Row* row = table.find(uuid);
  if (!columns) {
    if (!row) {
      return db_error("ovsdb error", fmt::format("the log deletes row {} of table {}, which does not exist",
                                                 uuid.to_string(), schema.name));
    }
    table.remove(uuid);
    return {};
  }
  const bool fresh = row == nullptr;
  if (fresh) {
    RowPtr created = Row::create(schema, uuid);
    row = created.get();
    table.insert(std::move(created));
  }
  row->version = Uuid::random();
  return ovsdb::apply_columns(schema, *columns, is_diff && !fresh, [row](const ovsdb::ColumnSchema& column) -> Datum& {
    return row->datum(column.index);
  });
}

DbResult<void> Database::finish_loading() {
  for (auto& table : tables_) {
    const ovsdb::TableSchema& schema = table->schema();
    if (table->size() > schema.max_rows) {
      return db_error("constraint violation", fmt::format("table {} holds {} rows, but at most {} are allowed",
                                                          schema.name, table->size(), schema.max_rows));
    }
    std::optional<ovsdb::DbError> error;
    const bool walk = !table->strong_columns().empty() || !table->weak_columns().empty() || !table->indexes().empty();
    if (!walk) continue;
    table->for_each_while([&](Row& row) {
      for (std::size_t column : table->strong_columns()) {
        for_each_strong_ref(*table, column, row.datum(column), [&](const Uuid& uuid, Table& to) {
          if (&to == table.get() && uuid == row.uuid()) return;  // does not count
          if (Row* target = to.find(uuid)) {
            target->strong_refs++;
          } else if (!error) {
            error = ovsdb::DbError{
                "referential integrity violation",
                fmt::format("table {} column {} row {} references row {} of table {}, which does not exist",
                            schema.name, schema.columns[column].name, row.uuid().to_string(), uuid.to_string(),
                            to.schema().name),
                {}};
          }
        });
      }
      for (std::size_t column : table->weak_columns()) {
        for_each_weak_ref(*table, column, row.datum(column), [&](const Uuid& uuid, Table& to) {
          weak_refs_.insert(WeakRef{uuid, static_cast<std::uint32_t>(to.number()),
                                    static_cast<std::uint32_t>(table->number()),
                                    static_cast<std::uint32_t>(column), row.uuid()});
        });
      }
      for (auto& index : table->indexes()) {
        if (Row* other = index->insert(&row); other && !error) {
          error = ovsdb::DbError{"constraint violation",
                                 fmt::format("rows {} and {} of table {} have the same values for an index",
                                             other->uuid().to_string(), row.uuid().to_string(), schema.name),
                                 {}};
        }
      }
      return !error;
    });
    if (error) return Unexpected{*std::move(error)};
  }
  return {};
}

Snapshot Database::snapshot() const {
  Snapshot snapshot{schema_, {}};
  snapshot.tables.reserve(tables_.size());
  for (const auto& table : tables_) {
    Snapshot::OfTable& rows = snapshot.tables.emplace_back(Snapshot::OfTable{&table->schema(), {}});
    rows.rows.reserve(table->size());
    table->for_each([&](Row& row) { rows.rows.emplace_back(&row); });
  }
  return snapshot;
}

std::size_t Database::rows() const {
  std::size_t n = 0;
  for (const auto& table : tables_) n += table->size();
  return n;
}

std::size_t Database::cells() const {
  std::size_t n = 0;
  for (const auto& table : tables_) n += table->size() * table->schema().columns.size();
  return n;
}

std::size_t Database::atoms() const {
  std::size_t n = 0;
  for (const auto& table : tables_) {
    const std::size_t columns = table->schema().columns.size();
    table->for_each([&](const Row& row) {
      for (std::size_t i = ovsdb::first_column; i < columns; i++) {
        const Datum& datum = row.datum(i);
        n += datum.size() * (datum.is_map() ? 2 : 1);
      }
    });
  }
  return n;
}

std::string snapshot_record(const Snapshot& snapshot, std::int64_t date_ms, std::string_view comment) {
  ovsdb::RecordWriter writer;
  for (const Snapshot::OfTable& table : snapshot.tables) {
    if (table.rows.empty()) continue;
    writer.begin_table(table.schema->name);
    for (const RowPtr& row : table.rows) {
      writer.begin_row(row->uuid());
      for (std::size_t i = ovsdb::first_column; i < table.schema->columns.size(); i++) {
        const ovsdb::ColumnSchema& column = table.schema->columns[i];
        if (column.persistent && !row->datum(i).is_default(column.type)) writer.column(column.name, row->datum(i));
      }
      writer.end_row();
    }
  }
  return writer.finish(date_ms, comment, false);
}

DbResult<std::unique_ptr<Database>> convert(const Database& from,
                                            std::shared_ptr<const ovsdb::DatabaseSchema> to) {
  auto converted = std::make_unique<Database>(std::move(to));
  for (const auto& old_table : from.tables()) {
    Table* table = converted->find_table(old_table->schema().name);
    if (!table) continue;
    // Where each column of the old table goes.
    std::vector<std::pair<std::size_t, const ovsdb::ColumnSchema*>> columns;
    for (std::size_t i = ovsdb::first_column; i < old_table->schema().columns.size(); i++) {
      const ovsdb::ColumnSchema* column = table->schema().find(old_table->schema().columns[i].name);
      if (column) columns.emplace_back(i, column);
    }
    table->reserve(old_table->size());
    std::optional<ovsdb::DbError> error;
    old_table->for_each_while([&](Row& old_row) {
      RowPtr row = Row::create(table->schema(), old_row.uuid());
      row->version = Uuid::random();
      for (const auto& [index, column] : columns) {
        const ovsdb::ColumnType& old_type = old_table->schema().columns[index].type;
        const Datum& value = old_row.datum(index);
        if (old_type.key.type == column->type.key.type && old_type.value.type == column->type.value.type) {
          if (!(old_type == column->type)) {
            if (auto checked = value.check(column->type); !checked) {
              error = std::move(checked).error();
              return false;
            }
          }
          row->datum(column->index) = value;
        } else {
          // Other types of atoms: what the JSON form of the value means under the new type.
          auto changed = Datum::from_json(column->type, value.to_json());
          if (!changed) {
            error = std::move(changed).error();
            return false;
          }
          row->datum(column->index) = *std::move(changed);
        }
      }
      table->insert(std::move(row));
      return true;
    });
    if (error) return Unexpected{*std::move(error)};
  }
  // References to rows of tables that are gone, or that were untyped before.
  for (const auto& table : converted->tables()) {
    for (std::size_t column : table->weak_columns()) {
      const Table::RefTargets& targets = table->targets(column);
      const ovsdb::ColumnType& type = table->schema().columns[column].type;
      std::optional<ovsdb::DbError> error;
      table->for_each_while([&](Row& row) {
        const bool changed = row.datum(column).erase_if([&](ovsdb::AtomView key, const ovsdb::AtomView* value) {
          return (targets.weak_key && !targets.weak_key->find(key.uuid())) ||
                 (targets.weak_value && value && !targets.weak_value->find(value->uuid()));
        });
        if (changed) {
          if (auto checked = row.datum(column).check(type); !checked) error = std::move(checked).error();
        }
        return !error;
      });
      if (error) return Unexpected{*std::move(error)};
    }
  }
  OVS_TRY_DO(converted->finish_loading());
  return converted;
}

}  // namespace ovs::dbserver
