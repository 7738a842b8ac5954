// What ovsdb-client monitor gets: updates from any server, printed in every format.  The first byte
// chooses the format and the kind of update.
#include "fuzz.h"

#include "base/check.h"
#include "ovsdb_client/monitored_table.h"

using namespace ovs;
using namespace ovs::utilities;
using namespace ovs::utilities::ovsdb_client;

namespace {

constexpr std::string_view schema_text =
    R"({"name":"D","tables":{"T":{"columns":{"i":{"type":"integer"},"r":{"type":"real"},"b":{"type":"boolean"},)"
    R"("s":{"type":"string"},"u":{"type":"uuid"},)"
    R"("set":{"type":{"key":"string","min":0,"max":"unlimited"}},)"
    R"("map":{"type":{"key":"integer","value":"uuid","min":0,"max":"unlimited"}}}},)"
    R"("U":{"columns":{"x":{"type":"string"}}}}})";

struct Fixture {
  std::shared_ptr<const ovsdb::DatabaseSchema> schema;
  MonitoredTables tables;

  Fixture() : schema(*ovsdb::DatabaseSchema::from_json(*parse_json(schema_text))) {
    for (const auto& [name, table] : schema->tables) {
      tables.emplace(name, *read_monitored_table(*schema, table, {}, nullptr));
    }
  }
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Fixture fixture;
  if (size == 0) return 0;
  auto updates = parse_json(fuzz_text(data + 1, size - 1));
  if (!updates) return 0;
  TableStyle style;
  style.format = static_cast<TableFormat>(data[0] % 5);
  style.cells = static_cast<CellFormat>(data[0] / 5 % 3);
  style.max_column_width = data[0] / 15 % 2 * 3;
  TablePrinter printer{style};
  for (const UpdateForm form : {UpdateForm::initial, UpdateForm::update, UpdateForm::update2}) {
    auto text = updates_text(fixture.tables, *updates, form, printer, {});
    if (!text || style.format != TableFormat::json) continue;
    JsonStream stream;
    auto read = stream.feed(*text, [](json::value&& v) {
      OVS_CHECK(v.is_object() && v.get_object().contains("data"), "a table");
      return true;
    });
    OVS_CHECK(read.has_value() && !stream.in_value(), "tables as JSON");
  }
  return 0;
}
