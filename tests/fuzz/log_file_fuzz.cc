// The log reader: any bytes are a file.  What it reports adds up, and the good part of a damaged
// file is a whole one.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "fuzz.h"
#include "ovsdb/log_file.h"
#include "ovsdb/schema.h"
#include "ovsdb/transaction_record.h"

namespace ovs {
namespace {

// A file in memory that gives its bytes in pieces of the reader's asking or fewer.
class Bytes final : public ovsdb::File {
 public:
  explicit Bytes(std::string_view data) : data_(data) {}
  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size) override {
    if (offset >= data_.size()) return std::size_t{0};
    std::size_t n = std::min({size, data_.size() - static_cast<std::size_t>(offset), std::size_t{100}});
    std::memcpy(to, data_.data() + offset, n);
    return n;
  }
  Result<void> write_at(std::uint64_t, std::string_view) override { return unexpected("read only"); }
  Result<void> sync() override { return {}; }
  Result<void> truncate(std::uint64_t) override { return unexpected("read only"); }
  Result<std::uint64_t> size() override { return std::uint64_t{data_.size()}; }

 private:
  std::string_view data_;
};

struct Outcome {
  std::vector<std::string> records;
  std::uint64_t end = 0;
  bool damaged = false;
};

Outcome read(std::string_view data) {
  Bytes file(data);
  ovsdb::LogReader reader(file);
  Outcome outcome;
  std::shared_ptr<const ovsdb::DatabaseSchema> schema;
  for (;;) {
    auto record = reader.next();
    if (!record) {
      OVS_CHECK(outcome.records.empty());
      outcome.damaged = true;
      break;
    }
    if (!*record) break;
    OVS_CHECK((*record)->is_object());
    OVS_CHECK(reader.record_offset() < reader.offset() && reader.offset() <= data.size());
    if (outcome.records.empty()) {
      if (auto s = ovsdb::DatabaseSchema::from_json(**record)) schema = *s;
    } else if (schema) {
      (void)ovsdb::read_record(*schema, **record, [](const ovsdb::TableSchema&, const Uuid&, const json::object*) {
        return ovsdb::DbResult<void>();
      });
    }
    outcome.records.push_back(to_text(**record));
  }
  outcome.damaged |= !reader.damage().empty();
  outcome.end = reader.offset();
  return outcome;
}

}  // namespace
}  // namespace ovs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ovs;
  // "\xff" at the beginning: the rest is JSON, a line a record, and gets its headers here, so that
  // the search needs not find SHA-1 sums.
  std::string_view text = fuzz_text(data, size);
  std::string content(text);
  if (text.starts_with('\xff')) {
    content.clear();
    text.remove_prefix(1);
    while (!text.empty()) {
      std::size_t end = std::min(text.find('\n'), text.size());
      content += ovsdb::log_record(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  const Outcome all = read(content);
  OVS_CHECK(all.damaged || all.end == content.size());
  if (all.records.empty()) return 0;
  const Outcome good = read(std::string_view(content).substr(0, all.end));
  OVS_CHECK(!good.damaged && good.end == all.end && good.records == all.records);
  return 0;
}
