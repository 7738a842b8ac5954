// Variables of a file for ovs-conf, NAME=VALUE in each line, as the shell hands them over.  What has no mistake
// makes a plan for an empty database whose settings read back from their text; a mark and the record of an
// unconfirmed change
// come from outside, too.
#include <string>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "base/text.h"
#include "conf/declared.h"
#include "conf/describe.h"
#include "conf/plan.h"
#include "conf/undo.h"
#include "fuzz.h"

namespace ovs::conf {
namespace {

const ovsdb::DatabaseSchema& schema() {
  static const auto read = ovsdb::read_schema_file(OVS_SCHEMA_FILE);
  OVS_CHECK(read.has_value());
  return **read;
}

void check_value(const ovsdb::ColumnSchema& column, const std::string& word, const Kind& k, const Datum& value) {
  const auto words = split_words(word);
  OVS_CHECK(words && words->size() == 1, word);
  const auto setting = read_setting(schema(), {&k}, words->front());
  OVS_CHECK(setting && setting->column == &column && setting->value == value, word);
}

void check_item(const Item& item) {
  const ovsdb::TableSchema& table = *schema().find(item.kind->table);
  for (const auto& [name, value] : item.settings.columns) {
    const ovsdb::ColumnSchema& column = *table.find(name);
    if (is_setting(*item.kind, column)) check_value(column, name + "=" + value_text(column.type, value), *item.kind,
                                                    value);
  }
  for (const auto& [name, pairs] : item.settings.maps) {
    const ovsdb::ColumnSchema& column = *table.find(name);
    for (std::size_t i = 0; i < pairs.size(); i++) {
      const Datum pair = Datum::map_of(pairs.key_type(), pairs.value_type(),
                                       {{ovsdb::Atom(pairs.key(i)), ovsdb::Atom(pairs.value(i))}});
      check_value(column, setting_name(name, pairs.key(i).to_bare()) + "=" + atom_text(column.type.value,
          pairs.value(i)), *item.kind, pair);
    }
  }
  for (const Item& child : item.children) check_item(child);
}

void check_declaration(std::string_view text) {
  std::vector<Variable> variables;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    number++;
    if (const auto equals = line.find('='); equals != std::string_view::npos)
      variables.push_back({std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)), number});
  }
  const Reading reading = read_declaration(variables, schema());
  for (const Mistake& m : reading.mistakes) OVS_CHECK(!m.text.empty());
  if (!reading.mistakes.empty()) return;
  check_item(reading.declared.root);
  std::vector<dbclient::ReplicaTable> tables;
  for (auto& d : declarations(schema())) {
    tables.emplace_back(std::move(d));
    tables.back().adopt(schema().find(tables.back().declaration().name));
  }
  std::vector<const dbclient::ReplicaTable*> borrowed;
  for (const auto& t : tables) borrowed.push_back(&t);
  const Present present(std::move(borrowed));
  const Plan plan = make_plan(reading.declared, present, schema());
  OVS_CHECK(plan.refusals.empty() && plan.remarks.empty());
  OVS_CHECK(plan.empty() == as_commands(plan, schema()).empty());
  in_words(plan, present, schema());
  const Undo undo(plan, present, schema(), [](const Uuid& u) { return u; });
  OVS_CHECK(Undo::from_json(undo.to_json(), schema()));
}

}  // namespace
}  // namespace ovs::conf

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ovs::conf;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!ovs::is_utf8(text)) return 0;  // the database holds nothing else
  check_declaration(text);
  assignment_lines(text);
  const Mark mark = Mark::parse(text);
  OVS_CHECK(Mark::parse(mark.text()) == mark);
  if (auto json = ovs::parse_json(text)) (void)Undo::from_json(*json, schema());
  return 0;
}
