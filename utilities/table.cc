#include "table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/check.h"
#include "base/text.h"
#include "base/uuid.h"

namespace ovs::utilities {

namespace {

struct FormatName {
  std::string_view name;
  TableFormat format;
};
constexpr std::array<FormatName, 5> format_names{{{"table", TableFormat::table},
                                                  {"list", TableFormat::list},
                                                  {"html", TableFormat::html},
                                                  {"csv", TableFormat::csv},
                                                  {"json", TableFormat::json}}};

struct CellName {
  std::string_view name;
  CellFormat format;
};
constexpr std::array<CellName, 3> cell_names{
    {{"string", CellFormat::string}, {"bare", CellFormat::bare}, {"json", CellFormat::json}}};

// The length in bytes of the first `characters` characters of `s`.  A byte that begins no
// character of UTF-8 counts as one, as utf8_length() counts it.
std::size_t prefix_bytes(std::string_view s, std::size_t characters) {
  std::size_t at = 0;
  while (characters > 0 && at < s.size()) {
    std::size_t size = 1;
    for (std::size_t n = 2; n <= 4 && at + n <= s.size(); ++n) {
      if (is_utf8(s.substr(at, n)) && utf8_length(s.substr(at, n)) == 1) size = n;
    }
    at += size;
    --characters;
  }
  return at;
}

void append_html(std::string& out, std::string_view s) {
  for (char c : s) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
}

constexpr std::size_t short_uuid = 8;  // characters of a UUID that its link shows

// A cell of the column _uuid is what links in other cells lead to.
void append_html_cell(std::string& out, std::string_view text, std::string_view heading) {
  if (heading == "_uuid") {
    out += "<a name=\"";
    append_html(out, text);
    out += "\">";
    append_html(out, text.substr(0, std::min(short_uuid, text.size())));
    out += "</a>";
    return;
  }
  std::size_t plain = 0, at = 0;
  while (at + Uuid::text_size <= text.size()) {
    const auto candidate = text.substr(at, Uuid::text_size);
    if (candidate[8] != '-' || !Uuid::parse(candidate)) {
      ++at;
      continue;
    }
    append_html(out, text.substr(plain, at - plain));
    out += fmt::format("<a href=\"#{}\">{}</a>", candidate, candidate.substr(0, short_uuid));
    at += Uuid::text_size;
    plain = at;
  }
  append_html(out, text.substr(plain));
}

// RFC 4180, section 2, rules 5 to 7; lines here end with a newline alone.
void append_csv(std::string& out, std::string_view s) {
  if (s.find_first_of("\",\n") == std::string_view::npos) {
    out += s;
    return;
  }
  out += '"';
  for (char c : s) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_line_above(std::string& out, const Table& table) {
  if (table.timestamp()) out += timestamp_text(*table.timestamp()) + "\n";
}

class TableText {
 public:
  TableText(const TableStyle& style, const Table& table) : style_(style), table_(table) {}

  std::string write() {
    switch (style_.format) {
      case TableFormat::table: write_table(); break;
      case TableFormat::list: write_list(); break;
      case TableFormat::html: write_html(); break;
      case TableFormat::csv: write_csv(); break;
      case TableFormat::json: write_json(); break;
    }
    return std::move(out_);
  }

 private:
  std::string cell(std::size_t row, std::size_t column) const {
    return table_.cell(row, column).text(style_.cells);
  }

  void write_caption() {
    append_line_above(out_, table_);
    if (!table_.caption().empty()) out_ += table_.caption() + "\n";
  }

  void write_table() {
    const std::size_t columns = table_.columns(), rows = table_.rows();
    std::vector<std::string> texts;
    texts.reserve(rows * columns);
    std::vector<std::size_t> widths(columns, 0);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        std::string text = cell(r, c);
        std::size_t width = utf8_length(text);
        if (style_.max_column_width != 0 && width > style_.max_column_width) width = style_.max_column_width;
        widths[c] = std::max(widths[c], width);
        texts.push_back(std::move(text));
      }
    }
    if (style_.headings) {
      for (std::size_t c = 0; c < columns; ++c) {
        widths[c] = std::max(widths[c], utf8_length(table_.headings()[c]));
      }
    }

    write_caption();
    if (style_.headings && columns != 0) {
      write_table_row([&](std::size_t c) -> std::string_view { return table_.headings()[c]; }, widths);
      std::vector<std::string> dashes;
      for (std::size_t width : widths) dashes.emplace_back(width, '-');
      write_table_row([&](std::size_t c) -> std::string_view { return dashes[c]; }, widths);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      write_table_row([&](std::size_t c) -> std::string_view { return texts[r * columns + c]; }, widths);
    }
  }

  template <class Text>
  void write_table_row(Text&& text, const std::vector<std::size_t>& widths) {
    const std::size_t begin = out_.size();
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (c != 0) out_ += ' ';
      std::string_view shown = text(c);
      std::size_t length = utf8_length(shown);
      if (length > widths[c]) {
        shown = shown.substr(0, prefix_bytes(shown, widths[c]));
        length = widths[c];
      }
      out_ += shown;
      out_.append(widths[c] - length, ' ');
    }
    while (out_.size() > begin && out_.back() == ' ') out_.pop_back();
    out_ += '\n';
  }

  void write_list() {
    write_caption();
    for (std::size_t r = 0; r < table_.rows(); ++r) {
      if (r != 0) out_ += '\n';
      for (std::size_t c = 0; c < table_.columns(); ++c) {
        if (style_.headings) out_ += fmt::format("{:<20}: ", table_.headings()[c]);
        out_ += cell(r, c);
        out_ += '\n';
      }
    }
  }

  void write_html() {
    append_line_above(out_, table_);
    out_ += "<table border=1>\n";
    if (!table_.caption().empty()) {
      out_ += "    <caption>";
      append_html(out_, table_.caption());
      out_ += "</caption>\n";
    }
    if (style_.headings) {
      out_ += "  <tr>\n";
      for (const auto& heading : table_.headings()) {
        out_ += "    <th>";
        append_html(out_, heading);
        out_ += "</th>\n";
      }
      out_ += "  </tr>\n";
    }
    for (std::size_t r = 0; r < table_.rows(); ++r) {
      out_ += "  <tr>\n";
      for (std::size_t c = 0; c < table_.columns(); ++c) {
        out_ += "    <td>";
        append_html_cell(out_, cell(r, c), table_.headings()[c]);
        out_ += "</td>\n";
      }
      out_ += "  </tr>\n";
    }
    out_ += "</table>\n";
  }

  void write_csv() {
    write_caption();
    if (style_.headings) {
      for (std::size_t c = 0; c < table_.columns(); ++c) {
        if (c != 0) out_ += ',';
        append_csv(out_, table_.headings()[c]);
      }
      out_ += '\n';
    }
    for (std::size_t r = 0; r < table_.rows(); ++r) {
      for (std::size_t c = 0; c < table_.columns(); ++c) {
        if (c != 0) out_ += ',';
        append_csv(out_, cell(r, c));
      }
      out_ += '\n';
    }
  }

  void write_json() {
    std::string text = "{";
    if (!table_.caption().empty()) {
      text += "\"caption\":";
      append_json_string(text, table_.caption());
      text += ',';
    }
    text += "\"data\":[";
    for (std::size_t r = 0; r < table_.rows(); ++r) {
      text += r == 0 ? "[" : ",[";
      for (std::size_t c = 0; c < table_.columns(); ++c) {
        if (c != 0) text += ',';
        table_.cell(r, c).append_json(text);
      }
      text += ']';
    }
    text += "],\"headings\":[";
    for (std::size_t c = 0; c < table_.columns(); ++c) {
      if (c != 0) text += ',';
      append_json_string(text, table_.headings()[c]);
    }
    text += ']';
    if (table_.timestamp()) {
      text += ",\"time\":";
      append_json_string(text, timestamp_text(*table_.timestamp()));
    }
    text += '}';
    if (style_.pretty) {
      auto value = parse_json(text);
      OVS_CHECK(value.has_value(), "a table's own JSON can be read");
      text = to_pretty_text(*value);
    }
    out_ += text;
    out_ += '\n';
  }

  const TableStyle& style_;
  const Table& table_;
  std::string out_;
};

}  // namespace

Result<TableFormat> parse_table_format(std::string_view name) {
  for (const auto& row : format_names) {
    if (row.name == name) return row.format;
  }
  return unexpected(
      fmt::format("unknown output format \"{}\" (use table, list, html, csv or json)", name));
}

Result<CellFormat> parse_cell_format(std::string_view name) {
  for (const auto& row : cell_names) {
    if (row.name == name) return row.format;
  }
  return unexpected(fmt::format("unknown data format \"{}\" (use string, bare or json)", name));
}

OptionGroup table_options(TableStyle& style) {
  OptionGroup group{"Output formatting options:", {}};
  group.options.push_back({'f', "format", ArgumentKind::required, "FORMAT",
                           "output as table, list, html, csv or json",
                           [&style](std::optional<std::string_view> value) -> Result<void> {
                             OVS_TRY(style.format, parse_table_format(*value));
                             return {};
                           }});
  group.options.push_back({'d', "data", ArgumentKind::required, "FORMAT",
                           "cells as string, bare or json",
                           [&style](std::optional<std::string_view> value) -> Result<void> {
                             OVS_TRY(style.cells, parse_cell_format(*value));
                             return {};
                           }});
  group.options.push_back({0, "no-headings", ArgumentKind::none, {}, "leave out the row of headings",
                           [&style](std::optional<std::string_view>) -> Result<void> {
                             style.headings = false;
                             return {};
                           }});
  group.options.push_back({0, "pretty", ArgumentKind::none, {}, "JSON over several lines, indented",
                           [&style](std::optional<std::string_view>) -> Result<void> {
                             style.pretty = true;
                             return {};
                           }});
  group.options.push_back({0, "bare", ArgumentKind::none, {},
                           "the same as --format=list --data=bare --no-headings",
                           [&style](std::optional<std::string_view>) -> Result<void> {
                             style.format = TableFormat::list;
                             style.cells = CellFormat::bare;
                             style.headings = false;
                             return {};
                           }});
  group.options.push_back(
      {0, "max-column-width", ArgumentKind::required, "N",
       "cut the columns of tables to N characters",
       [&style](std::optional<std::string_view> value) -> Result<void> {
         const auto n = parse_integer(*value);
         if (!n || *n < 0) {
           return unexpected(fmt::format("--max-column-width: \"{}\" is not a number of characters", *value));
         }
         style.max_column_width = static_cast<std::size_t>(*n);
         return {};
       }});
  return group;
}

std::string TableCell::text(CellFormat format) const {
  if (const auto* text = std::get_if<std::string>(&content_)) return *text;
  if (const auto* json = std::get_if<json::value>(&content_)) return to_text(sorted(*json));
  if (const auto* value = std::get_if<Value>(&content_)) {
    switch (format) {
      case CellFormat::string: return value->datum.to_text(*value->type);
      case CellFormat::bare: return value->datum.to_bare(*value->type);
      case CellFormat::json: {
        std::string out;
        value->datum.append_json(out);
        return out;
      }
    }
  }
  return {};
}

void TableCell::append_json(std::string& out) const {
  if (const auto* text = std::get_if<std::string>(&content_)) {
    append_json_string(out, *text);
  } else if (const auto* json = std::get_if<json::value>(&content_)) {
    ovs::append_json(out, sorted(*json));
  } else if (const auto* value = std::get_if<Value>(&content_)) {
    value->datum.append_json(out);
  } else {
    out += "null";
  }
}

const TableCell& Table::cell(std::size_t row, std::size_t column) const {
  static const TableCell empty;
  const auto& cells = rows_.at(row);
  return column < cells.size() ? cells[column] : empty;
}

void Table::add(TableCell cell) {
  OVS_CHECK(!rows_.empty() && rows_.back().size() < headings_.size(), "a cell has its row and column");
  rows_.back().push_back(std::move(cell));
}

std::string TablePrinter::text(const Table& table) {
  const bool framed = style_.format == TableFormat::html || style_.format == TableFormat::json;
  std::string out = printed_ && !framed ? "\n" : "";
  printed_ = true;
  out += TableText{style_, table}.write();
  return out;
}

std::string timestamp_text(std::chrono::system_clock::time_point when) {
  using namespace std::chrono;
  const auto ms = floor<milliseconds>(when.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                     ms - static_cast<std::int64_t>(seconds) * 1000);
}

}  // namespace ovs::utilities
