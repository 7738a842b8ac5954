// Tables as the field's tools print them: --format table, list, html, csv or json, the cells'
// contents as --data says: string, bare or json.
//
//     TableStyle style;                                 // the program's default, then its options
//     groups.push_back(table_options(style));
//     ...
//     TablePrinter printer{style};                      // one for all of a program's output
//     Table t{"Bridge table"};
//     t.add_column("name");
//     t.add_row();
//     t.add_cell(datum, type);
//     std::string text = printer.text(t);               // ends with a newline
//
// Tables that follow each other are separated by a blank line where the format has no frame of its
// own (table, list, csv); therefore the printer remembers whether it has printed one.
//
// Columns of the table format are measured in characters of UTF-8, and max_column_width cuts
// between characters.
//
// Thread safety: values; a printer belongs to one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/options.h"
#include "base/result.h"
#include "ovsdb/datum.h"
#include "ovsdb/type.h"

namespace ovs::utilities {

enum class TableFormat { table, list, html, csv, json };
enum class CellFormat { string, bare, json };

Result<TableFormat> parse_table_format(std::string_view name);
Result<CellFormat> parse_cell_format(std::string_view name);

struct TableStyle {
  TableFormat format = TableFormat::table;
  CellFormat cells = CellFormat::string;
  bool headings = true;
  bool pretty = false;                // the json format over several lines
  std::size_t max_column_width = 0;   // of the table format, in characters; 0: no limit
};

// -f/--format, -d/--data, --no-headings, --pretty, --bare, --max-column-width.  `style` must
// outlive the group.
OptionGroup table_options(TableStyle& style);

// What stands in one cell: nothing, text, a value of a column, or JSON.
class TableCell {
 public:
  TableCell() = default;  // nothing: null in JSON
  TableCell(std::string text) : content_(std::move(text)) {}
  TableCell(json::value json) : content_(std::move(json)) {}
  // `type` must outlive the cell: it is the schema's.
  TableCell(ovsdb::Datum datum, const ovsdb::ColumnType& type)
      : content_(Value{std::move(datum), &type}) {}

  std::string text(CellFormat format) const;
  void append_json(std::string& out) const;  // for the json format; text is a JSON string

 private:
  struct Value {
    ovsdb::Datum datum;
    const ovsdb::ColumnType* type;
  };
  std::variant<std::monostate, std::string, json::value, Value> content_;
};

class Table {
 public:
  explicit Table(std::string caption = {}) : caption_(std::move(caption)) {}

  // A line above the table (UTC, with milliseconds), the member "time" in JSON.
  void set_timestamp(std::chrono::system_clock::time_point when) { timestamp_ = when; }

  // All columns come before the first row.
  void add_column(std::string heading) { headings_.push_back(std::move(heading)); }
  // The cells that a row is not given are empty.
  void add_row() { rows_.emplace_back().reserve(headings_.size()); }
  void add_cell(std::string text) { add(TableCell{std::move(text)}); }
  void add_cell(ovsdb::Datum datum, const ovsdb::ColumnType& type) {
    add(TableCell{std::move(datum), type});
  }
  void add_json_cell(json::value v) { add(TableCell{std::move(v)}); }
  void add_empty_cell() { add(TableCell{}); }

  std::size_t columns() const { return headings_.size(); }
  std::size_t rows() const { return rows_.size(); }
  const std::string& caption() const { return caption_; }
  const std::optional<std::chrono::system_clock::time_point>& timestamp() const { return timestamp_; }
  const std::vector<std::string>& headings() const { return headings_; }
  // Of row `row`; an empty cell where none was added.
  const TableCell& cell(std::size_t row, std::size_t column) const;

 private:
  void add(TableCell cell);

  std::string caption_;
  std::optional<std::chrono::system_clock::time_point> timestamp_;
  std::vector<std::string> headings_;
  std::vector<std::vector<TableCell>> rows_;
};

class TablePrinter {
 public:
  // `style` must outlive the printer; it is looked at when a table is printed.
  explicit TablePrinter(const TableStyle& style) : style_(style) {}

  // The table's text, with what separates it from the one before.
  std::string text(const Table& table);
  // As if nothing had been printed: for output that is written elsewhere or thrown away.
  void restart() { printed_ = false; }

 private:
  const TableStyle& style_;
  bool printed_ = false;
};

// "2026-01-02 03:04:05.678", UTC.
std::string timestamp_text(std::chrono::system_clock::time_point when);

}  // namespace ovs::utilities
