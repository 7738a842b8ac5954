// The engine without a server: random transactions keep its books (counts of references, back
// references, indexes) as a database that was loaded afresh has them, and rollback restores all.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "dbserver/database.h"
#include "dbserver/transaction.h"

namespace ovs::dbserver {
namespace {

constexpr std::string_view schema_text = R"({"name":"E","version":"1.0.0","tables":{
 "Root":{"isRoot":true,"indexes":[["name"],["n","name"]],"columns":{
   "name":{"type":"string"},"n":{"type":"integer"},
   "strong":{"type":{"key":{"type":"uuid","refTable":"Leaf"},"min":0,"max":"unlimited"}},
   "named":{"type":{"key":"string","value":{"type":"uuid","refTable":"Leaf"},"min":0,"max":"unlimited"}},
   "weak":{"type":{"key":{"type":"uuid","refTable":"Leaf","refType":"weak"},"min":0,"max":"unlimited"}}}},
 "Leaf":{"columns":{"n":{"type":"integer"},
   "next":{"type":{"key":{"type":"uuid","refTable":"Leaf"},"min":0,"max":1}},
   "both":{"type":{"key":{"type":"uuid","refTable":"Leaf","refType":"weak"},"value":{"type":"uuid","refTable":"Leaf"},"min":0,"max":"unlimited"}}}}}})";

std::unique_ptr<Database> make_database() {
  return std::make_unique<Database>(ovsdb::DatabaseSchema::from_json(parse_json(schema_text).value()).value());
}

// Everything that the database knows, in one text.
std::string describe(Database& database) {
  std::map<std::string, std::string> lines;
  for (const auto& table : database.tables()) {
    table->for_each([&](Row& row) {
      std::string line = std::to_string(row.strong_refs) + " ";
      for (std::size_t i = ovsdb::first_column; i < table->schema().columns.size(); i++) row.datum(i).append_json(line);
      EXPECT_EQ(row.touched, -1);
      for (const auto& index : table->indexes()) EXPECT_EQ(index->find(row), &row) << "the index has another version";
      lines[table->schema().name + row.uuid().to_string()] = line;
    });
  }
  std::string all;
  for (const auto& [name, line] : lines) all += name + " " + line + "\n";
  for (const WeakRef& ref : database.weak_ref_set()) {
    all += "weak " + ref.source.to_string() + "." + std::to_string(ref.column) + " " + ref.target.to_string() + "\n";
  }
  return all;
}

class RandomTransactions {
 public:
  explicit RandomTransactions(unsigned seed) : random_(seed) {}

  json::array operations(const Database& database) {
    json::array operations;
    const int count = number(1, 4);
    for (int i = 0; i < count; i++) operations.push_back(operation(database, i));
    return operations;
  }

 private:
  int number(int low, int high) { return std::uniform_int_distribution<>(low, high)(random_); }
  json::value leaf(const Database& database) {
    if (number(0, 3) == 0) return json::array{"named-uuid", "l" + std::to_string(number(0, 3))};
    std::vector<Uuid> all;
    database.find_table("Leaf")->for_each([&](const Row& row) { all.push_back(row.uuid()); });
    if (all.empty()) return json::array{"named-uuid", "l0"};
    std::sort(all.begin(), all.end());
    return json::array{"uuid", all[static_cast<std::size_t>(number(0, static_cast<int>(all.size()) - 1))].to_string()};
  }
  json::value leaves(const Database& database) {
    json::array set;
    std::set<std::string> seen;
    for (int i = number(0, 3); i > 0; i--) {
      json::value one = leaf(database);
      if (seen.insert(to_text(one)).second) set.push_back(std::move(one));
    }
    return json::array{"set", std::move(set)};
  }
  json::value where() {
    switch (number(0, 3)) {
      case 0: return array_of(json::array{"n", "==", number(0, 5)});
      case 1: return array_of(json::array{"n", "<", number(0, 5)});
      case 2: return array_of(json::array{"n", ">", number(3, 8)});
      default: return array_of(json::array{"n", "!=", number(0, 5)});
    }
  }
  json::value operation(const Database& database, int i) {
    switch (number(0, 7)) {
      case 0:
      case 1:
        return json::object{{"op", "insert"}, {"table", "Root"},
                            {"row", json::object{{"name", "r" + std::to_string(number(0, 12))}, {"n", number(0, 8)},
                                                 {"strong", leaves(database)}, {"weak", leaves(database)}}}};
      case 2:
      case 3:
        return json::object{{"op", "insert"}, {"table", "Leaf"}, {"uuid-name", "l" + std::to_string(i)},
                            {"row", json::object{{"n", number(0, 8)}, {"next", leaf(database)},
                                                 {"both", json::array{"map", array_of(json::array{leaf(database), leaf(database)})}}}}};
      case 4:
        return json::object{{"op", "update"}, {"table", "Root"}, {"where", where()},
                            {"row", json::object{{"strong", leaves(database)}, {"weak", leaves(database)},
                                                 {"named", json::array{"map", array_of(json::array{"k", leaf(database)})}}}}};
      case 5:
        return json::object{{"op", "mutate"}, {"table", "Root"}, {"where", where()},
                            {"mutations", json::array{json::array{"strong", number(0, 1) ? "insert" : "delete", leaves(database)},
                                                      json::array{"n", "+=", number(-1, 1)}}}};
      case 6:
        return json::object{{"op", "delete"}, {"table", number(0, 3) ? "Root" : "Leaf"}, {"where", where()}};
      default:
        return json::object{{"op", "update"}, {"table", "Leaf"}, {"where", where()},
                            {"row", json::object{{"next", leaf(database)}}}};
    }
  }

  std::mt19937 random_;
};

TEST(EngineTest, RandomTransactionsKeepTheBooks) {
  unsigned committed = 0, failed = 0;
  for (unsigned seed = 1; seed <= 60; seed++) {
    RandomTransactions random(seed);
    auto database = make_database();
    auto replayed = make_database();
    for (int i = 0; i < 40; i++) {
      const std::string before = describe(*database);
      const json::array operations = random.operations(*database);
      SCOPED_TRACE(to_text(json::value(operations)));
      Transaction transaction(*database);
      const Outcome outcome = transaction.execute(operations, 0, {});
      if (outcome == Outcome::failed) {
        failed++;
        ASSERT_EQ(describe(*database), before) << transaction.reply();
        continue;
      }
      committed++;
      const std::string after = describe(*database);
      if (i % 3 == 0) {
        // Taken back and done again.
        transaction.rollback();
        ASSERT_EQ(describe(*database), before);
        continue;
      }
      if (i % 7 == 0) {
        // Two, taken back in reverse order.
        Transaction second(*database);
        const Outcome also = second.execute(random.operations(*database), 0, {});
        if (also == Outcome::committed) second.rollback();
        ASSERT_EQ(describe(*database), after);
      }
      transaction.confirm();
      if (transaction.change()) {
        // Once as differences, once as whole columns.
        const std::string record = record_text(*transaction.change(), 1, "", i % 2 == 0);
        auto applied = replayed->replay(parse_json(record).value());
        ASSERT_TRUE(applied) << applied.error().to_string();
      } else {
        ASSERT_EQ(after, before);
      }
    }
    // What was kept up to date is what a fresh count gives, of the log and of a snapshot.
    auto loaded = replayed->finish_loading();
    ASSERT_TRUE(loaded) << loaded.error().to_string();
    ASSERT_EQ(describe(*replayed), describe(*database));
    auto copied = make_database();
    ASSERT_TRUE(copied->replay(parse_json(snapshot_record(database->snapshot(), 1, "")).value()));
    ASSERT_TRUE(copied->finish_loading());
    ASSERT_EQ(describe(*copied), describe(*database));
    auto converted = convert(*database, database->shared_schema());
    ASSERT_TRUE(converted);
    ASSERT_EQ(describe(**converted), describe(*database));
  }
  // Both must happen often for this test to mean something.
  EXPECT_GT(committed, 600u);
  EXPECT_GT(failed, 300u);
}

TEST(EngineTest, MergedChangesAreTheirSum) {
  for (unsigned seed = 1; seed <= 30; seed++) {
    RandomTransactions random(seed);
    auto database = make_database();
    auto replayed = make_database();
    MergedChange merged;
    for (int i = 0; i < 30; i++) {
      Transaction transaction(*database);
      if (transaction.execute(random.operations(*database), 0, {}) != Outcome::committed) continue;
      transaction.confirm();
      if (transaction.change()) merged.add(*transaction.change());
      if (i % 10 != 9 || merged.empty()) continue;
      const std::string record = record_text(merged.merged(), 1, "", true);
      merged.clear();
      if (record.empty()) continue;
      auto applied = replayed->replay(parse_json(record).value());
      ASSERT_TRUE(applied) << applied.error().to_string();
    }
    const std::string rest = record_text(merged.merged(), 1, "", true);
    if (!rest.empty()) {
      ASSERT_TRUE(replayed->replay(parse_json(rest).value()));
    }
    ASSERT_TRUE(replayed->finish_loading());
    ASSERT_EQ(describe(*replayed), describe(*database));
  }
}

TEST(EngineTest, ColumnSetsOfManyColumns) {
  ColumnSet a, b;
  EXPECT_TRUE(a.empty());
  for (std::size_t column : {0, 63, 64, 127, 128, 300}) a.add(column);
  for (std::size_t column : {0, 63, 64, 127, 128, 300}) EXPECT_TRUE(a.contains(column));
  for (std::size_t column : {1, 62, 65, 129, 299, 301, 1000}) EXPECT_FALSE(a.contains(column));
  b.unite(a);
  b.add(5);
  for (std::size_t column : {0, 5, 63, 64, 127, 128, 300}) b.remove(column);
  EXPECT_TRUE(b.empty());
  b.remove(5000);
  EXPECT_FALSE(a.empty());
}

}  // namespace
}  // namespace ovs::dbserver
