// The server: any bytes are what a client sends.  The server stays alive, answers another client
// as if nothing had happened, and closes the connection where the bytes are no JSON-RPC.
#include <string>

#include "base/check.h"
#include "base/json.h"
#include "base/log.h"
#include "dbserver/server.h"
#include "fuzz.h"
#include "support/memory_file_system.h"
#include "support/memory_stream.h"

namespace ovs::dbserver {
namespace {

constexpr std::string_view schema_text =
    R"({"name":"T","version":"1.0.0","tables":{"P":{"isRoot":true,"indexes":[["a"]],"columns":{"a":{"type":"integer"},"s":{"type":{"key":"string","min":0,"max":"unlimited"}}}}}})";

void check(std::string_view bytes) {
  static runtime::Loop loop;
  testing::MemoryFileSystem files;
  files.set_content("/t.db", ovsdb::log_record(schema_text));
  Server server(loop, files);
  OVS_CHECK(server.add_database("/t.db").has_value());
  const auto settle = [&] {
    bool done = false;
    loop.post([&] { loop.post([&] { loop.defer([&] { loop.post([&] { done = true; }); }); }); });
    loop.run_until([&] { return done; });
  };
  auto good = std::make_shared<testing::Wire>(), fuzzed = std::make_shared<testing::Wire>();
  server.add_client(std::make_unique<testing::MemoryStream>(loop, good), {}, nullptr);
  server.add_client(std::make_unique<testing::MemoryStream>(loop, fuzzed), {}, nullptr);
  settle();
  // In two pieces, so that what stands between them is cut somewhere.
  fuzzed->arrive(bytes.substr(0, bytes.size() / 2));
  settle();
  fuzzed->arrive(bytes.substr(bytes.size() / 2));
  settle();
  good->sent.clear();
  good->arrive(R"({"method":"echo","params":["still there"],"id":"good"})");
  settle();
  // Whoever is not aware of changes of databases is told to look again after a conversion.
  OVS_CHECK(good->finished || good->sent.find("still there") != std::string::npos, "the other client has got no answer");
}

}  // namespace
}  // namespace ovs::dbserver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool quiet = ovs::log_set("console:off").has_value();
  (void)quiet;
  ovs::dbserver::check(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
