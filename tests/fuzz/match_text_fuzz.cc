// The text of matches and flows, one in each line.  What can be read holds the invariant of matches, and is
// written so that it reads back as the same.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "flow/field_value.h"
#include "flow/match_text.h"
#include "fuzz.h"

namespace ovs::flow {
namespace {

void check_match(std::string_view text) {
  const auto parsed = parse_match(text);
  if (!parsed) {
    OVS_CHECK(!parsed.error().message.empty());
    return;
  }
  OVS_CHECK((parsed->match.key & parsed->match.mask) == parsed->match.key, text);
  const std::string written = format_match(parsed->match);
  const auto again = parse_match(written);
  OVS_CHECK(again, written);
  OVS_CHECK(again->match == parsed->match, written);
}

void check_flow(std::string_view text) {
  const auto key = parse_flow(text);
  if (!key) return;
  const std::string written = format_flow(*key);
  const auto again = parse_flow(written);
  OVS_CHECK(again, written);
  OVS_CHECK(format_flow(*again) == written, written);
}

// One field of each kind.
std::vector<Field> find_kinds() {
  std::vector<Field> kinds;
  for (const Field& f : fields) {
    const auto alike = [&f](const Field& g) {
      return f.format == g.format && f.masking == g.masking && f.wire_bytes == g.wire_bytes && f.place.bits == g.place.bits &&
             f.place.wire_shift == g.place.wire_shift && value_range(f).most == value_range(g).most;
    };
    if (std::ranges::none_of(kinds, alike)) kinds.push_back(f);
  }
  return kinds;
}

// A value by itself.
void check_fields(std::string_view text) {
  static const std::vector<Field> kinds = find_kinds();
  for (const Field& f : kinds) {
    const auto parsed = parse_field(f, text);
    if (!parsed) continue;
    OVS_CHECK(fits(f, parsed->value) && fits(f, parsed->mask), text);
    for (std::size_t i = 0; i < f.wire_bytes; i++) OVS_CHECK((parsed->value.bytes[i] & ~parsed->mask.bytes[i]) == 0, text);
    if (is_zero(f, parsed->mask)) continue;
    std::string written;
    append_field(written, f, parsed->value, parsed->mask);
    const auto again = parse_field(f, written);
    OVS_CHECK(again && again->value == parsed->value && again->mask == parsed->mask, written);
  }
}

}  // namespace
}  // namespace ovs::flow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const std::string_view line : ovs::split(ovs::fuzz_text(data, size), '\n')) {
    ovs::flow::check_match(line);
    ovs::flow::check_flow(line);
    ovs::flow::check_fields(line);
  }
  return 0;
}
