// Transactions: any JSON array is a list of operations.  The reply is JSON with one element for each
// operation (and one more where the commit failed), a failed transaction changes nothing, one that
// is taken back leaves the database as it was, and what is committed can be read from its record.
#include <string>

#include "base/check.h"
#include "base/json.h"
#include "dbserver/database.h"
#include "dbserver/transaction.h"
#include "fuzz.h"

namespace ovs::dbserver {
namespace {

constexpr std::string_view schema_text = R"({"name":"T","version":"1.0.0","tables":{
 "R":{"isRoot":true,"maxRows":5,"indexes":[["name"]],"columns":{
  "name":{"type":"string"},"fixed":{"type":"string","mutable":false},"i":{"type":"integer"},"r":{"type":"real"},
  "b":{"type":"boolean"},"oi":{"type":{"key":"integer","min":0,"max":1}},
  "s":{"type":{"key":"string","min":0,"max":"unlimited"}},
  "m":{"type":{"key":"string","value":"integer","min":0,"max":3}},
  "k":{"type":{"key":{"type":"uuid","refTable":"K"},"min":0,"max":"unlimited"}},
  "w":{"type":{"key":{"type":"uuid","refTable":"K","refType":"weak"},"min":0,"max":2}},
  "e":{"type":{"key":{"type":"string","enum":["set",["a","b"]]},"min":0,"max":1}}}},
 "K":{"columns":{"n":{"type":"integer"},"k":{"type":{"key":{"type":"uuid","refTable":"K"},"min":0,"max":1}},
  "w":{"type":{"key":{"type":"uuid","refTable":"K","refType":"weak"},"min":1,"max":2}}}}}})";

std::unique_ptr<Database> make_database() {
  static const auto schema = ovsdb::DatabaseSchema::from_json(parse_json(schema_text).value()).value();
  auto database = std::make_unique<Database>(schema);
  static const json::value start = parse_json(R"([
    {"op":"insert","table":"R","uuid":"11111111-1111-4111-8111-111111111111","row":{"name":"a","i":1,"k":["named-uuid","k"],"s":["set",["x","y"]]}},
    {"op":"insert","table":"K","uuid-name":"k","uuid":"22222222-2222-4222-8222-222222222222","row":{"n":1,"w":["named-uuid","k"]}}])").value();
  Transaction transaction(*database);
  OVS_CHECK(transaction.execute(start.get_array(), 0, {}) == Outcome::committed);
  transaction.confirm();
  return database;
}

std::string content(const Database& database) { return to_text(sorted(parse_json(snapshot_record(database.snapshot(), 1, "")).value())); }

void check(const json::array& operations) {
  auto database = make_database();
  const std::string before = content(*database);
  auto copy = make_database();
  Transaction transaction(*database);
  const Outcome outcome = transaction.execute(operations, 0, {});
  if (outcome == Outcome::waiting) {
    OVS_CHECK(content(*database) == before);
    return;
  }
  auto reply = parse_json(transaction.reply());
  OVS_CHECK(reply.has_value() && reply->is_array(), "the reply is no JSON array");
  const std::size_t size = reply->get_array().size();
  OVS_CHECK(size == operations.size() || (outcome == Outcome::failed && size == operations.size() + 1));
  if (outcome == Outcome::failed) {
    OVS_CHECK(content(*database) == before, "a failed transaction has changed something");
    return;
  }
  const std::string after = content(*database);
  if (!transaction.change()) OVS_CHECK(after == before);
  if (transaction.change()) {
    const std::string record = record_text(*transaction.change(), 1, transaction.comment(), true);
    auto parsed = parse_json(record);
    OVS_CHECK(parsed.has_value(), "the record is no JSON");
    OVS_CHECK(copy->replay(*parsed).has_value(), "the record cannot be applied");
    OVS_CHECK(content(*copy) == after, "the record is not what was committed");
  }
  transaction.rollback();
  OVS_CHECK(content(*database) == before, "a transaction that was taken back has left something");
}

}  // namespace
}  // namespace ovs::dbserver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto parsed = ovs::parse_json(std::string_view(reinterpret_cast<const char*>(data), size));
  if (parsed && parsed->is_array()) ovs::dbserver::check(parsed->get_array());
  return 0;
}
