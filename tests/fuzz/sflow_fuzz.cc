// Datagrams from anywhere: what was read, written and read again is the same; and printing copes with all of it.
#include "fuzz.h"

#include <span>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "telemetry/sflow_codec.h"

using namespace ovs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto datagram = telemetry::sflow::decode(std::span(data, size));
  if (!datagram) return 0;
  std::vector<std::uint8_t> bytes;
  telemetry::sflow::encode(*datagram, bytes);
  auto again = telemetry::sflow::decode(bytes);
  OVS_CHECK(again && *again == *datagram, "a datagram that was read can be written");
  OVS_CHECK(parse_json(to_text(telemetry::sflow::to_json(*datagram))), "JSON");
  return 0;
}
