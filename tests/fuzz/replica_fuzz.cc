// Row updates as a server sends them: one JSON object a line, applied in turn as an insertion, a
// difference, a replacement and a whole content.
#include "base/check.h"
#include "base/json.h"
#include "base/text.h"
#include "dbclient/typed.h"
#include "fuzz.h"

namespace ovs::dbclient {
namespace {

using Port = Row<"Port", Col<"name", std::string>, Col<"tag", std::optional<std::int64_t>>,
                 Col<"trunks", std::vector<std::int64_t>>, Col<"ids", std::map<std::string, std::string>>,
                 Col<"interfaces", std::vector<Uuid>>, Col<"protected", bool>>;

void check(std::string_view input) {
  ReplicaTable table(Port::declaration());
  const Uuid uuids[] = {*Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001"),
                        *Uuid::parse("bbbbbbbb-0000-4000-8000-000000000002")};
  unsigned step = 0;
  for (std::string_view line : split(input, '\n')) {
    const Uuid& uuid = uuids[step / 5 % 2];
    auto v = parse_json(line);
    const json::object empty;
    const json::object* columns = v ? v->if_object() : nullptr;
    if (!columns) columns = &empty;
    switch (step++ % 5) {
      case 0: (void)table.apply_insert(uuid, *columns); break;
      case 1: (void)table.apply_diff(uuid, *columns); break;
      case 2: (void)table.apply_replace(uuid, *columns); break;
      case 3: table.apply_delete(uuid); break;
      case 4:
        table.begin_content();
        (void)table.apply_insert(uuid, *columns);
        table.end_content();
        break;
    }
    std::size_t there = 0;
    for (const ReplicaRow* row : table.changes()) {
      OVS_CHECK(row->changed());
      OVS_CHECK(!(row->inserted() && row->deleted()));
      there += !row->deleted();
      if (!row->deleted()) OVS_CHECK(table.find(row->uuid()) == row);
    }
    OVS_CHECK(there <= table.size());
    each<Port>(table, [](Port p) {
      (void)p.get<"name">();
      (void)p.get<"trunks">();
      (void)p.get<"ids">();
      (void)p.get<"interfaces">();
    });
    if (step % 3 == 0) table.forget_changes();
  }
}

}  // namespace
}  // namespace ovs::dbclient

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ovs::dbclient::check(ovs::fuzz_text(data, size));
  return 0;
}
