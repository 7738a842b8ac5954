// Transaction records: the JSON of one transaction in a log file, and back (ovsdb(5)).
//
//     {"Bridge": {"<uuid>": {"name": "br0", ...}, "<uuid>": null},
//      "_date": 1700000000000, "_comment": "ovs-vsctl add-br br0", "_is_diff": true}
//
// A row's object holds what changed: for a new row every column that is not at its default, for a
// changed row the changed columns, null for a deleted row.  With "_is_diff" the columns of changed
// rows hold differences (Datum::diff), so that adding one port to a thousand writes one port.
// Ephemeral columns are not written.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

namespace ovs::ovsdb {

// Builds a record's text piece by piece: tables one after the other, rows within them.
class RecordWriter {
 public:
  RecordWriter();
  void begin_table(std::string_view name);
  void begin_row(const Uuid& uuid);
  void column(std::string_view name, const Datum& value);
  void end_row();
  void deleted_row(const Uuid& uuid);
  bool empty() const { return tables_ == 0; }
  // `date_ms`: wall clock, ms since 1970.
  std::string finish(std::int64_t date_ms, std::string_view comment, bool is_diff);

 private:
  std::string text_;
  std::size_t tables_ = 0, rows_ = 0, columns_ = 0;
};

struct RecordInfo {
  std::int64_t date_ms = 0;
  std::string comment;
  bool is_diff = false;
};

// What a record says about itself, without its rows: is_diff must be known before they are read.
DbResult<RecordInfo> read_record_info(const json::value& record);

// Reads a record: calls `row` for each row with its object, or null for a deletion.
DbResult<RecordInfo> read_record(
    const DatabaseSchema& schema, const json::value& record,
    const std::function<DbResult<void>(const TableSchema&, const Uuid&, const json::object* columns)>& row);

// The declared column that a record calls `name`.
DbResult<const ColumnSchema*> column_of_record(const TableSchema& table, std::string_view name);

// Applies what a record says of a row to the row's values, where cell(column) finds them (as
// Datum&).  `differences`: the record holds differences, and the row was there before.
template <class Cell>
DbResult<void> apply_columns(const TableSchema& table, const json::object& columns, bool differences, Cell cell) {
  for (const auto& member : columns) {
    OVS_TRY(const ColumnSchema* column, column_of_record(table, member.key()));
    OVS_TRY(Datum value, Datum::from_json(column->type, member.value(), nullptr, !differences));
    Datum& present = cell(*column);
    if (differences) {
      OVS_TRY_DO(present.patch(value, column->type));
    } else {
      present = std::move(value);
    }
  }
  return {};
}

}  // namespace ovs::ovsdb
