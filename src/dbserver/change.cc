#include "dbserver/change.h"

#include <algorithm>

#include "ovsdb/transaction_record.h"

namespace ovs::dbserver {

std::size_t Change::bytes() const {
  std::size_t n = sizeof *this;
  for (const RowChange& row : rows) {
    n += sizeof row;
    if (row.before) n += row.before->heap_bytes();
  }
  return n;
}

std::string record_text(const Change& change, std::int64_t date_ms, std::string_view comment, bool diff) {
  ovsdb::RecordWriter writer;
  const Table* table = nullptr;
  for (const RowChange& row : change.rows) {
    const ovsdb::TableSchema& schema = row.table->schema();
    const auto begin_row = [&] {
      if (table != row.table) {
        table = row.table;
        writer.begin_table(schema.name);
      }
      writer.begin_row(row.uuid());
    };
    if (!row.after) {
      if (table != row.table) {
        table = row.table;
        writer.begin_table(schema.name);
      }
      writer.deleted_row(row.uuid());
      continue;
    }
    if (!row.before) {
      begin_row();
      for (std::size_t i = ovsdb::first_column; i < schema.columns.size(); i++) {
        const ovsdb::ColumnSchema& column = schema.columns[i];
        if (column.persistent && !row.after->datum(i).is_default(column.type)) {
          writer.column(column.name, row.after->datum(i));
        }
      }
      writer.end_row();
      continue;
    }
    bool begun = false;
    for (std::size_t i = ovsdb::first_column; i < schema.columns.size(); i++) {
      const ovsdb::ColumnSchema& column = schema.columns[i];
      if (!column.persistent || !row.columns.contains(i)) continue;
      if (!begun) begin_row();
      begun = true;
      if (diff) {
        writer.column(column.name, Datum::diff(row.before->datum(i), row.after->datum(i), column.type));
      } else {
        writer.column(column.name, row.after->datum(i));
      }
    }
    if (begun) writer.end_row();
  }
  if (writer.empty()) return {};
  return writer.finish(date_ms, comment, diff);
}

void MergedChange::add(const Change& change) {
  last_id_ = change.id;
  for (const RowChange& row : change.rows) {
    auto [it, fresh] = rows_.try_emplace(Key{row.table, row.uuid()}, row);
    if (fresh) continue;
    RowChange& sum = it->second;
    sum.after = row.after;
    sum.columns.unite(row.columns);
    if (!sum.before && !sum.after) rows_.erase(it);
  }
}

Change MergedChange::merged() const {
  Change change;
  change.id = last_id_;
  change.rows.reserve(rows_.size());
  for (const auto& [key, row] : rows_) {
    RowChange sum = row;
    if (sum.before && sum.after) {
      // A row that was deleted and came back may differ anywhere; one that was changed and changed
      // back differs nowhere.
      sum.columns = {};
      for (std::size_t i = ovsdb::first_column; i < key.table->schema().columns.size(); i++) {
        if (!(sum.before->datum(i) == sum.after->datum(i))) sum.columns.add(i);
      }
      if (sum.columns.empty() && sum.before->version == sum.after->version) continue;
    }
    change.rows.push_back(std::move(sum));
  }
  std::stable_sort(change.rows.begin(), change.rows.end(),
                   [](const RowChange& a, const RowChange& b) { return a.table->number() < b.table->number(); });
  return change;
}

}  // namespace ovs::dbserver
