#include "table.h"

#include <gtest/gtest.h>

#include <vector>

namespace ovs::utilities {
namespace {

ovsdb::ColumnType type_of(std::string_view text) {
  auto v = parse_json(text);
  EXPECT_TRUE(v.has_value());
  auto type = ovsdb::ColumnType::from_json(*v);
  EXPECT_TRUE(type.has_value());
  return std::move(*type);
}

ovsdb::Datum datum_of(const ovsdb::ColumnType& type, std::string_view text) {
  auto v = parse_json(text);
  EXPECT_TRUE(v.has_value());
  auto datum = ovsdb::Datum::from_json(type, *v);
  EXPECT_TRUE(datum.has_value());
  return std::move(*datum);
}

class TableTest : public testing::Test {
 protected:
  const ovsdb::ColumnType integer_ = type_of(R"("integer")");
  const ovsdb::ColumnType string_ = type_of(R"("string")");
  const ovsdb::ColumnType uuid_ = type_of(R"("uuid")");
  const ovsdb::ColumnType set_ = type_of(R"({"key":"string","min":0,"max":"unlimited"})");
  const ovsdb::ColumnType map_ = type_of(R"({"key":"string","value":"string","min":0,"max":"unlimited"})");
  const ovsdb::ColumnType uuids_ = type_of(R"({"key":"uuid","min":0,"max":"unlimited"})");

  TableStyle style_;

  // Two rows with every kind of value.
  Table bridges() const {
    Table t{"Bridge table"};
    for (const char* heading : {"_uuid", "name", "tags", "ids", "n", "ports"}) t.add_column(heading);
    t.add_row();
    t.add_cell(datum_of(uuid_, R"(["uuid","12345678-1111-2222-3333-444444444444"])"), uuid_);
    t.add_cell(datum_of(string_, R"("br0")"), string_);
    t.add_cell(datum_of(set_, R"(["set",["b","a c"]])"), set_);
    t.add_cell(datum_of(map_, R"(["map",[["k","1"]]])"), map_);
    t.add_cell(datum_of(integer_, "-5"), integer_);
    t.add_cell(datum_of(uuids_, R"(["uuid","abcdef01-1111-2222-3333-444444444444"])"), uuids_);
    t.add_row();
    t.add_cell(datum_of(uuid_, R"(["uuid","87654321-1111-2222-3333-444444444444"])"), uuid_);
    t.add_cell(datum_of(string_, R"("a, \"b\"")"), string_);
    t.add_cell(datum_of(set_, R"(["set",[]])"), set_);
    t.add_cell(datum_of(map_, R"(["map",[]])"), map_);
    t.add_cell(datum_of(integer_, "17"), integer_);
    return t;
  }

  // One column of plain text.
  static Table words(std::vector<std::string> texts, std::string heading = "word", std::string caption = {}) {
    Table t(std::move(caption));
    t.add_column(std::move(heading));
    t.add_column("n");
    for (std::size_t i = 0; i < texts.size(); ++i) {
      t.add_row();
      t.add_cell(texts[i]);
      t.add_cell(std::to_string(i));
    }
    return t;
  }

  std::string print(const Table& t) {
    TablePrinter printer{style_};
    return printer.text(t);
  }
};

TEST_F(TableTest, TableFormatAlignsColumnsAndCutsTrailingSpaces) {
  EXPECT_EQ(print(bridges()),
            "Bridge table\n"
            "_uuid                                name       tags       ids     n  ports\n"
            "------------------------------------ ---------- ---------- ------- -- --------------------------------------\n"
            "12345678-1111-2222-3333-444444444444 br0        [\"a c\", b] {k=\"1\"} -5 [abcdef01-1111-2222-3333-444444444444]\n"
            "87654321-1111-2222-3333-444444444444 \"a, \\\"b\\\"\" []         {}      17\n");
}

TEST_F(TableTest, BareCellsHaveNoPunctuation) {
  style_.cells = CellFormat::bare;
  style_.headings = false;
  EXPECT_EQ(print(bridges()),
            "Bridge table\n"
            "12345678-1111-2222-3333-444444444444 br0    a c b k=1 -5 abcdef01-1111-2222-3333-444444444444\n"
            "87654321-1111-2222-3333-444444444444 a, \"b\"           17\n");
}

TEST_F(TableTest, ListPadsHeadingsToTwentyColumns) {
  style_.format = TableFormat::list;
  EXPECT_EQ(print(words({"x", ""}, "mcast_snooping_enable")),
            "mcast_snooping_enable: x\n"
            "n                   : 0\n"
            "\n"
            "mcast_snooping_enable: \n"
            "n                   : 1\n");
  style_.headings = false;
  EXPECT_EQ(print(words({"x", ""})), "x\n0\n\n\n1\n");
}

TEST_F(TableTest, CsvQuotesWhatRfc4180Demands) {
  style_.format = TableFormat::csv;
  EXPECT_EQ(print(words({"plain", "a,b", "say \"x\"", "two\nlines", " lead", "cr\rx"})),
            "word,n\n"
            "plain,0\n"
            "\"a,b\",1\n"
            "\"say \"\"x\"\"\",2\n"
            "\"two\nlines\",3\n"
            " lead,4\n"
            "cr\rx,5\n");
}

TEST_F(TableTest, HtmlEscapesAndLinksUuids) {
  style_.format = TableFormat::html;
  Table t{"T & U"};
  t.add_column("_uuid");
  t.add_column("x<y");
  t.add_row();
  t.add_cell(datum_of(uuid_, R"(["uuid","12345678-1111-2222-3333-444444444444"])"), uuid_);
  t.add_cell("\"see\" <12345678-1111-2222-3333-444444444444>& 12345678-1111-2222-3333-44444444444");
  EXPECT_EQ(print(t),
            "<table border=1>\n"
            "    <caption>T &amp; U</caption>\n"
            "  <tr>\n"
            "    <th>_uuid</th>\n"
            "    <th>x&lt;y</th>\n"
            "  </tr>\n"
            "  <tr>\n"
            "    <td><a name=\"12345678-1111-2222-3333-444444444444\">12345678</a></td>\n"
            "    <td>&quot;see&quot; &lt;<a href=\"#12345678-1111-2222-3333-444444444444\">12345678</a>"
            "&gt;&amp; 12345678-1111-2222-3333-44444444444</td>\n"
            "  </tr>\n"
            "</table>\n");
}

TEST_F(TableTest, JsonHoldsValuesNotTexts) {
  style_.format = TableFormat::json;
  style_.cells = CellFormat::bare;  // has no say in JSON
  EXPECT_EQ(print(bridges()),
            R"({"caption":"Bridge table","data":[[["uuid","12345678-1111-2222-3333-444444444444"],"br0",)"
            R"(["set",["a c","b"]],["map",[["k","1"]]],-5,["uuid","abcdef01-1111-2222-3333-444444444444"]],)"
            R"([["uuid","87654321-1111-2222-3333-444444444444"],"a, \"b\"",["set",[]],["map",[]],17,null]],)"
            R"("headings":["_uuid","name","tags","ids","n","ports"]})"
            "\n");
}

TEST_F(TableTest, JsonCellsAreSortedAndKeptAsJson) {
  Table t;
  t.add_column("Type");
  t.add_row();
  t.add_json_cell(*parse_json(R"({"min":0,"key":"string"})"));
  EXPECT_EQ(print(t), "Type\n------------------------\n{\"key\":\"string\",\"min\":0}\n");
  style_.format = TableFormat::json;
  EXPECT_EQ(print(t), "{\"data\":[[{\"key\":\"string\",\"min\":0}]],\"headings\":[\"Type\"]}\n");
}

TEST_F(TableTest, PrettyJsonReadsBackTheSame) {
  style_.format = TableFormat::json;
  const std::string plain = print(bridges());
  style_.pretty = true;
  const std::string pretty = print(bridges());
  EXPECT_NE(pretty.find("\n  \"data\": ["), std::string::npos);
  auto a = parse_json(plain), b = parse_json(pretty);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*a, *b);
}

TEST_F(TableTest, WidthsAreOfCharactersAndCutBetweenThem) {
  EXPECT_EQ(print(words({"ééé", "日本語", "plain"})),
            "word  n\n"
            "----- -\n"
            "ééé   0\n"
            "日本語   1\n"
            "plain 2\n");
  style_.max_column_width = 2;
  EXPECT_EQ(print(words({"ééé", "日本語", "plain"}, "w")),
            "w  n\n"
            "-- -\n"
            "éé 0\n"
            "日本 1\n"
            "pl 2\n");
  // A heading is never cut.
  EXPECT_EQ(print(words({"plain"})), "word n\n---- -\nplai 0\n");
  // Bytes that are not UTF-8 count one each.
  EXPECT_EQ(print(words({"\xff\xfe\xfd"}, "w")), "w  n\n-- -\n\xff\xfe 0\n");
}

TEST_F(TableTest, BlankLinesSeparateTablesWithoutFrames) {
  for (auto [format, separated] : {std::pair{TableFormat::table, true}, {TableFormat::list, true},
                                   {TableFormat::csv, true}, {TableFormat::html, false},
                                   {TableFormat::json, false}}) {
    style_.format = format;
    TablePrinter printer{style_};
    const std::string first = printer.text(words({"x"}));
    const std::string second = printer.text(words({"x"}));
    EXPECT_EQ(second, (separated ? "\n" : "") + first);
    printer.restart();
    EXPECT_EQ(printer.text(words({"x"})), first);
  }
}

TEST_F(TableTest, TimestampsStandAboveTheCaption) {
  Table t = words({}, "word", "T");
  t.set_timestamp(std::chrono::system_clock::time_point{std::chrono::milliseconds{1700000000042}});
  EXPECT_EQ(print(t), "2023-11-14 22:13:20.042\nT\nword n\n---- -\n");
  style_.format = TableFormat::html;
  EXPECT_TRUE(print(t).starts_with("2023-11-14 22:13:20.042\n<table border=1>\n    <caption>T</caption>\n"));
  style_.format = TableFormat::json;
  EXPECT_EQ(print(t),
            "{\"caption\":\"T\",\"data\":[],\"headings\":[\"word\",\"n\"],\"time\":\"2023-11-14 22:13:20.042\"}\n");
}

TEST_F(TableTest, TimestampsBefore1970KeepTheirMilliseconds) {
  EXPECT_EQ(timestamp_text(std::chrono::system_clock::time_point{std::chrono::milliseconds{-1}}),
            "1969-12-31 23:59:59.999");
}

TEST(TableOptionsTest, SetTheStyle) {
  TableStyle style;
  const std::vector<OptionGroup> groups{table_options(style)};
  const std::vector<std::string> words{"-f", "csv", "--data=json", "--no-headings", "--pretty", "--max-column-width=12"};
  auto left = parse_options(groups, words);
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(style.format, TableFormat::csv);
  EXPECT_EQ(style.cells, CellFormat::json);
  EXPECT_FALSE(style.headings);
  EXPECT_TRUE(style.pretty);
  EXPECT_EQ(style.max_column_width, 12u);
  ASSERT_TRUE(parse_options(groups, std::vector<std::string>{"--bare"}).has_value());
  EXPECT_EQ(style.format, TableFormat::list);
  EXPECT_EQ(style.cells, CellFormat::bare);
}

TEST(TableOptionsTest, RefuseWhatTheyDoNotKnow) {
  TableStyle style;
  const std::vector<OptionGroup> groups{table_options(style)};
  for (const char* word : {"--format=xml", "--data=yaml", "--max-column-width=-1", "--max-column-width=x"}) {
    EXPECT_FALSE(parse_options(groups, std::vector<std::string>{word}).has_value()) << word;
  }
  auto refused = parse_options(groups, std::vector<std::string>{"--format=xml"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message.find("unknown output format \"xml\""), 0u);
}

}  // namespace
}  // namespace ovs::utilities
