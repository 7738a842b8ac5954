// The JSON stream: however the bytes are cut, the values and the error are the same; what was read
// can be written, read back, and is then the same text.
//
// The first byte of the input says how to cut the rest.
#include <string>

#include "base/check.h"
#include "base/json.h"
#include "base/text.h"
#include "fuzz.h"

namespace ovs {
namespace {

std::string read_in_pieces(std::string_view text, std::size_t piece) {
  JsonStream stream(1 << 16);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const auto fed = stream.feed(text.substr(at, piece), [&out](json::value&& v) {
      const std::string written = to_text(v);
      OVS_CHECK(is_utf8(written));
      const auto again = parse_json(written);
      OVS_CHECK(again, written);
      OVS_CHECK(to_text(*again) == written, written);
      OVS_CHECK(parse_json(to_pretty_text(v)), written);
      out.append(written) += '\n';
      return true;
    });
    // The place and kind of an error may differ with the cut (a cut character is not yet invalid).
    if (!fed) return out + "error";
  }
  return out;
}

}  // namespace
}  // namespace ovs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = ovs::fuzz_text(data + 1, size - 1);
  const std::string whole = ovs::read_in_pieces(text, text.size() + 1);
  const std::string pieces = ovs::read_in_pieces(text, std::size_t{data[0]} % 16 + 1);
  OVS_CHECK(whole == pieces, whole + "\nbut in pieces\n" + pieces);
  return 0;
}
