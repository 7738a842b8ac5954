// ovs-vsctl's command line: one word a line.  The words are read as the whole command line, and
// each of them as an argument of the database commands.
#include <string>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "fuzz.h"
#include "vsctl/arguments.h"
#include "vsctl/schema.h"
#include "vsctl/values.h"

namespace ovs::vsctl {
namespace {

class NoRows : public Source {
 public:
  Result<json::array> transact(const std::vector<std::string>& operations) override {
    return json::array(operations.size(), json::object{{"rows", json::array{}}});
  }
};

void check(std::string_view input) {
  std::vector<std::string> words;
  for (std::string_view line : split(input, '\n')) words.emplace_back(line);

  // Options that act at once (log files, timeouts, --help) are left out.
  Settings settings;
  Option timeout{'t', "timeout", ArgumentKind::required, "SECS", "", [](auto) -> Result<void> { return {}; }};
  auto groups = option_groups(settings, std::move(timeout));
  groups.pop_back();
  if (auto invocations = parse_command_line(groups, words)) {
    OVS_CHECK(!invocations->empty());
    for (const Invocation& i : *invocations)
      OVS_CHECK(i.command && check_arity(i.command->info, i.arguments.size()));
  }

  NoRows source;
  auto schema = known_schema();
  Attempt attempt{source, schema};
  Invocation invocation;
  Context context{attempt, invocation};
  Row* row = attempt.view.insert("Port");
  for (const std::string& word : words) {
    for (const char* name : {"Bridge", "Port", "Datapath", "sFlow"}) {
      const TableSchema& table = *schema->find(name);
      (void)split_setting(table, word);
      (void)split_condition(table, word);
      (void)find_record(context, table, word);
      for (const ovsdb::ColumnSchema& column : table.columns) (void)parse_value(context, column.type, word);
    }
    if (set_column(context, row, {}, word)) {
      // What a whole column was set to is what a condition of the same words finds.
      auto parts = split_setting(row->table(), word);
      auto found = satisfies(context, row, {}, word);
      if (!parts->key) OVS_CHECK(found && *found, word);
    }
    (void)find_table(*schema, word);
  }
}

}  // namespace
}  // namespace ovs::vsctl

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ovs::vsctl::check(ovs::fuzz_text(data, size));
  return 0;
}
