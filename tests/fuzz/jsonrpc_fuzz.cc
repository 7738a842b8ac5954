// JSON-RPC messages out of a byte stream that is cut at places that the input chooses.
//
// The first byte says how the rest is cut into reads.  However it is cut, the same messages come
// out, and each is one of the four kinds with the members that its kind has.
#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "fuzz.h"
#include "rpc/connection.h"

namespace ovs {
namespace {

std::string describe(const rpc::Message& m) {
  using Kind = rpc::Message::Kind;
  bool is_call = m.kind == Kind::request || m.kind == Kind::notification;
  OVS_CHECK(m.params.is_array() == is_call);
  OVS_CHECK(m.id.is_null() == (m.kind == Kind::notification));
  OVS_CHECK(m.kind != Kind::error || !m.result.is_null());
  std::string id = to_text(m.id);
  switch (m.kind) {
    case Kind::request:
      return rpc::request_text(m.method, to_text(m.params), id);
    case Kind::notification:
      return rpc::notification_text(m.method, to_text(m.params));
    case Kind::reply:
      return rpc::reply_text(to_text(m.result), id);
    case Kind::error:
      return rpc::error_text(to_text(m.result), id);
  }
  return {};
}

// The messages that are read before the first wrong one, written again.
std::vector<std::string> read_all(std::string_view text, std::size_t step) {
  std::vector<std::string> messages;
  JsonStream stream(1 << 16);
  bool good = true;
  while (good && !text.empty()) {
    std::string_view part = text.substr(0, step);
    text.remove_prefix(part.size());
    auto fed = stream.feed(part, [&](json::value&& v) {
      auto m = rpc::Message::from_json(std::move(v));
      good = m.has_value();
      if (good) messages.push_back(describe(*m));
      return good;
    });
    good = good && fed;
  }
  return messages;
}

}  // namespace
}  // namespace ovs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text = ovs::fuzz_text(data + 1, size - 1);
  auto whole = ovs::read_all(text, std::max<std::size_t>(text.size(), 1));
  OVS_CHECK(ovs::read_all(text, std::size_t{data[0]} + 1) == whole);
  // What is written reads as the same message.
  for (auto& m : whole) {
    auto again = ovs::read_all(m, m.size());
    OVS_CHECK(again.size() == 1 && again[0] == m);
  }
  return 0;
}
