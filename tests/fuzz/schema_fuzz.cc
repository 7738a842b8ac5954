// The schema parser: what it accepts it writes, reads back and writes the same; the types of the
// columns work.
#include <string>

#include "base/check.h"
#include "base/json.h"
#include "fuzz.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ovs;
  auto v = parse_json(fuzz_text(data, size));
  if (!v) return 0;
  auto schema = ovsdb::DatabaseSchema::from_json(*v);
  if (!schema) {
    OVS_CHECK(!schema.error().to_string().empty());
    return 0;
  }
  const std::string written = to_text((*schema)->to_json());
  auto again = ovsdb::DatabaseSchema::from_json(*parse_json(written));
  OVS_CHECK(again, written);
  OVS_CHECK(to_text((*again)->to_json()) == written, written);
  for (const auto& [name, table] : (*schema)->tables) {
    OVS_CHECK((*schema)->find(name) == &table);
    for (const ovsdb::ColumnSchema& column : table.columns) {
      OVS_CHECK(table.find(column.name) == &column && table.columns[column.index].name == column.name);
      OVS_CHECK(!column.type.text().empty());
      const ovsdb::Datum value = ovsdb::Datum::default_of(column.type);
      OVS_CHECK(value.is_default(column.type) && value.size() == column.type.min);
      (void)value.check(column.type);
      (void)ovsdb::Datum::from_text(column.type, value.to_text(column.type));
    }
  }
  return 0;
}
