// The text of values, as users type it: what is accepted is printed, read back and equal; the same
// bytes as JSON likewise.
//
// The first byte of the input chooses the type.
#include <string>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "base/text.h"
#include "fuzz.h"
#include "ovsdb/datum.h"

namespace ovs {
namespace {

const std::vector<ovsdb::ColumnType>& types() {
  static const std::vector<ovsdb::ColumnType> all = [] {
    std::vector<ovsdb::ColumnType> v;
    for (std::string_view text :
         {R"("integer")", R"("real")", R"("boolean")", R"("string")", R"("uuid")",
          R"({"key":"integer","min":0,"max":"unlimited"})", R"({"key":"string","min":0,"max":"unlimited"})",
          R"({"key":"real","min":0,"max":5})", R"({"key":"uuid","min":0,"max":"unlimited"})",
          R"({"key":"string","value":"string","min":0,"max":"unlimited"})",
          R"({"key":"integer","value":"real","min":0,"max":3})", R"({"key":"string","min":0})",
          R"({"key":{"type":"integer","minInteger":0,"maxInteger":4095},"min":0,"max":4096})",
          R"({"key":{"type":"string","enum":["set",["red","green"]]},"min":0})",
          R"({"key":{"type":"string","minLength":2,"maxLength":4},"value":"uuid","min":1,"max":2})"}) {
      auto type = ovsdb::ColumnType::from_json(*parse_json(text));
      OVS_CHECK(type, text);
      v.push_back(std::move(*type));
    }
    return v;
  }();
  return all;
}

void check(const ovsdb::Datum& value, const ovsdb::ColumnType& type) {
  const std::string text = value.to_text(type);
  OVS_CHECK(is_utf8(text), text);
  auto again = ovsdb::Datum::from_text(type, text);
  OVS_CHECK(again && *again == value, text);
  OVS_CHECK(again->hash() == value.hash(), text);
  std::string json_text;
  value.append_json(json_text);
  auto from_json = ovsdb::Datum::from_json(type, *parse_json(json_text));
  OVS_CHECK(from_json && *from_json == value, json_text);
  OVS_CHECK(value.check(type).has_value(), text);
}

}  // namespace
}  // namespace ovs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ovs;
  if (size == 0) return 0;
  const ovsdb::ColumnType& type = types()[data[0] % types().size()];
  const std::string_view text = fuzz_text(data + 1, size - 1);
  if (auto value = ovsdb::Datum::from_text(type, text)) check(*value, type);
  if (auto atom = ovsdb::Atom::from_text(type.key, text)) {
    auto again = ovsdb::Atom::from_text(type.key, atom->view().to_text());
    OVS_CHECK(again && again->view() == atom->view(), text);
  }
  if (auto v = parse_json(text))
    if (auto value = ovsdb::Datum::from_json(type, *v)) check(*value, type);
  return 0;
}
