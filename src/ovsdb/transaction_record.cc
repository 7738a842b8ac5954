#include "ovsdb/transaction_record.h"

#include <fmt/format.h>

namespace ovs::ovsdb {

RecordWriter::RecordWriter() : text_("{") {}

void RecordWriter::begin_table(std::string_view name) {
  if (tables_++) text_ += "},";
  append_json_string(text_, name);
  text_ += ":{";
  rows_ = 0;
}

void RecordWriter::begin_row(const Uuid& uuid) {
  text_ += rows_++ ? ",\"" : "\"";
  uuid.append_to(text_);
  text_ += "\":{";
  columns_ = 0;
}

void RecordWriter::column(std::string_view name, const Datum& value) {
  if (columns_++) text_ += ',';
  append_json_string(text_, name);
  text_ += ':';
  value.append_json(text_);
}

void RecordWriter::end_row() { text_ += '}'; }

void RecordWriter::deleted_row(const Uuid& uuid) {
  text_ += rows_++ ? ",\"" : "\"";
  uuid.append_to(text_);
  text_ += "\":null";
}

std::string RecordWriter::finish(std::int64_t date_ms, std::string_view comment, bool is_diff) {
  if (tables_) text_ += "},";
  text_ += "\"_date\":";
  append_json_integer(text_, date_ms);
  if (!comment.empty()) {
    text_ += ",\"_comment\":";
    append_json_string(text_, comment);
  }
  if (is_diff) text_ += ",\"_is_diff\":true";
  text_ += '}';
  return std::exchange(text_, "{");
}

namespace {

// Files of the first versions counted seconds.
std::int64_t to_ms(std::int64_t date) { return date >= 0 && date < (std::int64_t{1} << 32) ? date * 1000 : date; }

}  // namespace

DbResult<RecordInfo> read_record_info(const json::value& record) {
  const json::object* o = record.if_object();
  if (!o) return syntax_error(record, "a transaction record must be an object");
  RecordInfo info;
  if (const json::value* date = o->if_contains("_date"))
    if (auto n = as_integer(*date)) info.date_ms = to_ms(*n);
  if (const json::value* comment = o->if_contains("_comment"))
    if (auto s = as_string(*comment)) info.comment = *s;
  if (const json::value* is_diff = o->if_contains("_is_diff")) info.is_diff = is_diff->is_bool() && is_diff->get_bool();
  return info;
}

DbResult<RecordInfo> read_record(
    const DatabaseSchema& schema, const json::value& record,
    const std::function<DbResult<void>(const TableSchema&, const Uuid&, const json::object* columns)>& row) {
  OVS_TRY(RecordInfo info, read_record_info(record));
  for (const auto& table_member : record.get_object()) {
    std::string_view name(table_member.key().data(), table_member.key().size());
    if (name.starts_with('_') && !schema.find(name)) continue;
    const TableSchema* table = schema.find(name);
    if (!table) return db_error("unknown table", fmt::format("No table named {}.", name));
    const json::object* rows = table_member.value().if_object();
    if (!rows) return syntax_error(table_member.value(), "object expected");
    for (const auto& row_member : *rows) {
      std::string_view uuid_text(row_member.key().data(), row_member.key().size());
      auto uuid = Uuid::parse(uuid_text);
      if (!uuid) return db_error("syntax error", fmt::format("\"{}\" is not a valid UUID", uuid_text));
      const json::object* columns = row_member.value().if_object();
      if (!columns && !row_member.value().is_null()) return syntax_error(row_member.value(), "object or null expected");
      OVS_TRY_DO(row(*table, *uuid, columns));
    }
  }
  return info;
}

DbResult<const ColumnSchema*> column_of_record(const TableSchema& table, std::string_view name) {
  const ColumnSchema* column = table.find(name);
  if (column && column->index >= first_column) return column;
  return db_error("unknown column", fmt::format("No column {} in table {}.", name, table.name));
}

}  // namespace ovs::ovsdb
