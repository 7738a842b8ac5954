#include "ovsdb/transaction_record.h"

#include <gtest/gtest.h>

#include <map>

#include "json_literal.h"

namespace ovs::ovsdb {
namespace {

using testing::value_of;

const DatabaseSchema& schema() {
  static const auto s = *DatabaseSchema::from_json(value_of(R"({"name":"D","version":"1.0.0","tables":{
    "A":{"columns":{"i":{"type":"integer"},"s":{"type":"string"}}},
    "B":{"columns":{"x":{"type":"boolean"}}}}})"));
  return *s;
}

Uuid uuid(int n) { return *Uuid::parse("00000000-0000-0000-0000-00000000000" + std::to_string(n)); }

TEST(TransactionRecord, IsWrittenPieceByPiece) {
  RecordWriter w;
  EXPECT_TRUE(w.empty());
  w.begin_table("A");
  w.begin_row(uuid(1));
  w.column("i", Datum(Atom(std::int64_t{5})));
  w.column("s", Datum(Atom("x\"y")));
  w.end_row();
  w.deleted_row(uuid(2));
  w.begin_row(uuid(3));
  w.end_row();
  w.begin_table("B");
  w.deleted_row(uuid(4));
  EXPECT_FALSE(w.empty());
  EXPECT_EQ(w.finish(1700000000000, "hello\nworld", true),
            R"({"A":{"00000000-0000-0000-0000-000000000001":{"i":5,"s":"x\"y"},)"
            R"("00000000-0000-0000-0000-000000000002":null,"00000000-0000-0000-0000-000000000003":{}},)"
            R"("B":{"00000000-0000-0000-0000-000000000004":null},)"
            R"("_date":1700000000000,"_comment":"hello\nworld","_is_diff":true})");
}

TEST(TransactionRecord, WithoutRowsIsOnlyADate) {
  EXPECT_EQ(RecordWriter().finish(7, "", false), R"({"_date":7})");
}

// The rows of a record, one a line, then what it says of itself; or the error.
std::string read(std::string_view text) {
  std::string out;
  auto info = read_record(schema(), value_of(text), [&](const TableSchema& t, const Uuid& u, const json::object* columns) {
    out += t.name + u.to_string().substr(35) + (columns ? ovs::to_text(json::value(*columns)) : "-") + "\n";
    return DbResult<void>();
  });
  if (!info) return info.error().to_string();
  return out + std::to_string(info->date_ms) + "|" + info->comment + "|" + (info->is_diff ? "diff" : "whole");
}

TEST(TransactionRecord, IsRead) {
  EXPECT_EQ(read(R"({"_date":1700000000000,"A":{"00000000-0000-0000-0000-000000000001":{"i":5},
                     "00000000-0000-0000-0000-000000000002":null},"_comment":"c","_is_diff":true})"),
            "A1{\"i\":5}\nA2-\n1700000000000|c|diff");
  EXPECT_EQ(read("{}"), "0||whole");
  // The first versions counted seconds.
  EXPECT_EQ(read(R"({"_date":1269999999})"), "1269999999000||whole");
  EXPECT_EQ(read(R"({"_unknown":[1]})"), "0||whole");
}

TEST(TransactionRecord, DamageIsAnError) {
  EXPECT_EQ(read(R"({"Z":{}})"), "unknown table: No table named Z.");
  EXPECT_EQ(read(R"({"A":5})"), "syntax \"5\": syntax error: object expected");
  EXPECT_EQ(read(R"({"A":{"x":null}})"), "syntax error: \"x\" is not a valid UUID");
  EXPECT_EQ(read(R"({"A":{"00000000-0000-0000-0000-000000000001":5}})"), "syntax \"5\": syntax error: object or null expected");
  EXPECT_FALSE(read_record_info(json::array()));
}

// The values of columns i and s of table A after a record; or the error.
std::string applied(std::string_view columns, bool differences) {
  const TableSchema& table = *schema().find("A");
  std::map<std::string, Datum, std::less<>> row{{"i", Datum(Atom(std::int64_t{1}))}, {"s", Datum(Atom("old"))}};
  auto done = apply_columns(table, value_of(columns).get_object(), differences,
                            [&](const ColumnSchema& column) -> Datum& { return row[column.name]; });
  if (!done) return done.error().to_string();
  return ovs::to_text(row["i"].to_json()) + " " + ovs::to_text(row["s"].to_json());
}

TEST(TransactionRecord, ColumnsAreApplied) {
  EXPECT_EQ(applied(R"({"i":5})", false), R"(5 "old")");
  EXPECT_EQ(applied(R"({"i":5,"s":"new"})", true), R"(5 "new")");
  EXPECT_EQ(applied(R"({"nope":5})", false), "unknown column: No column nope in table A.");
  EXPECT_EQ(applied(R"({"_version":5})", false), "unknown column: No column _version in table A.");
  EXPECT_EQ(applied(R"({"i":"x"})", false), R"(syntax ""x"": syntax error: expected integer)");
}

TEST(TransactionRecord, AnErrorOfARowEndsTheReading) {
  int rows = 0;
  auto info = read_record(schema(), value_of(R"({"B":{"00000000-0000-0000-0000-000000000001":null,
                                                  "00000000-0000-0000-0000-000000000002":null}})"),
                          [&](const TableSchema&, const Uuid&, const json::object*) -> DbResult<void> {
                            ++rows;
                            return db_error("ovsdb error", "enough");
                          });
  EXPECT_FALSE(info);
  EXPECT_EQ(rows, 1);
}

}  // namespace
}  // namespace ovs::ovsdb
