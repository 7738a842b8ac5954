// The datapath's text of matches, keys and actions: what is read is written so that it reads back as the
// same, and nothing crashes on the rest.  The first byte chooses which.
#include <string_view>

#include "base/check.h"
#include "datapath/action.h"
#include "datapath/flow_text.h"
#include "fuzz.h"

using namespace ovs;
using namespace ovs::datapath;

namespace {

void actions(std::string_view text) {
  const auto first = parse_actions(text);
  if (!first) return;
  const std::string written = format_actions(*first);
  const auto second = parse_actions(written);
  OVS_CHECK(second.has_value(), "what was written is not read");
  // A probability has one decimal in text: after the first time nothing changes any more.
  OVS_CHECK(format_actions(*second) == written, "it changed on its way");
}

void match(std::string_view text) {
  const auto first = parse_match(text);
  if (!first) return;
  OVS_CHECK((first->key & first->mask) == first->key, "bits outside the mask");
  (void)format_match(*first, {}, true);
  const std::string written = format_match(*first);
  const auto second = parse_match(written);
  OVS_CHECK(second.has_value(), "what was written is not read");
  // Members of a header that eth_type does not name are not written; nothing more gets lost.
  OVS_CHECK(format_match(*second) == written, "it changed on its way");
}

void key(std::string_view text) {
  const auto first = parse_key(text);
  if (!first) return;
  const std::string written = format_key(*first);
  const auto second = parse_key(written);
  OVS_CHECK(second.has_value(), "what was written is not read");
  OVS_CHECK(format_key(*second) == written, "it changed on its way");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0]) {
    case 'a': actions(text); break;
    case 'm': match(text); break;
    case 'k': key(text); break;
    default: break;
  }
  return 0;
}
