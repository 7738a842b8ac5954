#include "flow/fields.h"

#include <algorithm>
#include <cctype>

namespace ovs::flow {

namespace {

// These prove what everything derived from the table relies on.  A failure to compile names the rule.  Several
// small proofs rather than one: compilers bound the steps of each.
consteval bool rows_are_sound() {
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
  }
  return true;
}
static_assert(rows_are_sound());

template <class T, std::size_t n>
consteval bool all_differ(std::array<T, n> values, std::size_t used) {
  const auto end = values.begin() + static_cast<std::ptrdiff_t>(used);
  std::sort(values.begin(), end);
  return std::adjacent_find(values.begin(), end) == end;
}

consteval bool names_are_unique() {
  std::array<std::string_view, 2 * field_count> names{};
  std::size_t used = 0;
  for (const Field& f : fields) {
    names[used++] = f.name;
    if (!f.alias.empty()) names[used++] = f.alias;
  }
  return all_differ(names, used);
}
static_assert(names_are_unique(), "two rows have one name");

consteval bool headers_are_unique() {
  std::array<std::uint64_t, max_oxm_codes * field_count> headers{};
  std::size_t used = 0;
  for (const Field& f : fields) {
    for (const OxmCode& code : f.oxm) {
      if (code.name.empty()) continue;
      headers[used++] = std::uint64_t{code.oxm_class.experimenter} << 24 | std::uint64_t{code.oxm_class.id} << 8 | code.field;
    }
  }
  return all_differ(headers, used);
}
static_assert(headers_are_unique(), "two rows have one OXM header");

consteval bool header_names_are_unique() {
  std::array<std::string_view, max_oxm_codes * field_count> names{};
  std::size_t used = 0;
  for (const Field& f : fields) {
    for (const OxmCode& code : f.oxm) {
      if (!code.name.empty()) names[used++] = code.name;
    }
  }
  return all_differ(names, used);
}
static_assert(header_names_are_unique(), "two OXM headers have one name");

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
