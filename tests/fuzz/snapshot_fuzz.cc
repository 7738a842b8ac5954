// What ovsdb-client restore reads: database files from anywhere.  The transaction made of a
// snapshot that was accepted must be a request's parameters.
#include "fuzz.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/json.h"
#include "ovsdb/log_file.h"
#include "ovsdb_client/snapshot.h"

using namespace ovs;

namespace {

void try_snapshot(std::string content) {
  auto snapshot = utilities::ovsdb_client::read_snapshot(std::move(content));
  if (!snapshot) return;
  auto params = parse_json(utilities::ovsdb_client::restore_transaction(*snapshot, *snapshot->schema));
  OVS_CHECK(params && params->is_array() && params->get_array().front().is_string(), "a transaction");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  try_snapshot(std::string(text));
  // Its lines as records with right lengths and checksums, so that what is behind them is reached.
  std::string file;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    file += ovsdb::log_record(text.substr(at, end - at));
    at = end + 1;
  }
  try_snapshot(std::move(file));
  return 0;
}
