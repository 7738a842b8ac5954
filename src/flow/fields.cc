#include "flow/fields.h"

#include <algorithm>
#include <cctype>

namespace ovs::flow {

namespace {

// Proves what everything derived from the table relies on.  A failure to compile here names the rule.
consteval bool table_is_sound() {
  for (std::size_t i = 0; i < fields.size(); i++) {
    const Field& f = fields[i];
    if (f.id != static_cast<FieldId>(i)) throw "a row is not at the place of its id";
    if (f.name.empty() || f.help.empty()) throw "a row lacks its name or help";
    if (f.place.offset + f.place.storage > sizeof(FlowKey)) throw "a place lies outside FlowKey";
    if (f.place.shift + f.place.bits > 8 * f.place.storage || f.place.bits == 0) throw "bits lie outside their storage";
    if (f.place.bits + f.place.wire_shift > 8 * f.wire_bytes && f.format != Format::port16) {
      throw "bits do not fit on the wire";
    }
    if (f.place.storage > 8 && (f.place.shift != 0 || f.place.bits != 8 * f.place.storage)) {
      throw "a part of a value must be a part of an integer";
    }
    if (f.parent != FieldId::none) {
      const Field& parent = field(f.parent);
      if (f.place.offset < parent.place.offset ||
          f.place.offset + f.place.storage > parent.place.offset + parent.place.storage) {
        throw "a field lies outside its parent";
      }
    }
    for (std::size_t j = 0; j < i; j++) {
      const Field& g = fields[j];
      if (f.name == g.name || f.name == g.alias || (!f.alias.empty() && (f.alias == g.name || f.alias == g.alias))) {
        throw "two rows have one name";
      }
      for (const OxmCode& a : f.oxm) {
        for (const OxmCode& b : g.oxm) {
          if (a.name.empty() || b.name.empty()) continue;
          if (a.name == b.name || (a.oxm_class == b.oxm_class && a.field == b.field)) throw "two rows have one OXM header";
        }
      }
    }
  }
  return true;
}
static_assert(table_is_sound());

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

const Field* find_field(std::string_view name) {
  for (const Field& f : fields) {
    if (f.name == name || (!f.alias.empty() && f.alias == name)) return &f;
  }
  for (const Field& f : fields) {
    for (const OxmCode& code : f.oxm) {
      if (!code.name.empty() && same_ignoring_case(code.name, name)) return &f;
    }
  }
  return nullptr;
}

const Field* find_field(OxmClass oxm_class, std::uint8_t number) {
  for (const Field& f : fields) {
    for (const OxmCode& code : f.oxm) {
      if (!code.name.empty() && code.oxm_class == oxm_class && code.field == number) return &f;
    }
  }
  return nullptr;
}

}  // namespace ovs::flow
