// Types: the kinds of interfaces and datapaths that a file can ask for, and the options of those kinds.
//
// What the switch of this version knows is a table here, for the programs do without the switch's own code; a unit test
// holds it against that code.  A switch of another version tells what it knows in the database (Open_vSwitch,
// iface_types and datapath_types).
//
// Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/mistake.h"

namespace ovs::conf {

// A key of Interface's column options, and its values: one of `words`, a number of a range, or any text where there is
// neither.
struct OptionKey {
  std::string_view name;
  std::span<const std::string_view> words{};
  std::int64_t least = 0, most = -1;
};

struct InterfaceType {
  std::string_view name;
  bool device = false;     // one of the kernel's
  bool for_tests = false;  // not in messages
  bool has_options = false;  // whether `options` are all that there are, so that others are mistakes
  std::span<const OptionKey> options{};
};

// Sorted by name.
std::span<const InterfaceType> interface_types();
// Those that are no matter of tests.
std::span<const std::string_view> datapath_types();

// Whether an interface of a type has such an option; the error says what there is instead.  No error where the type or
// its options are not known.
Result<void> check_option(std::string_view type, std::string_view key, std::string_view value);

// A type that a file names.  Whether there is such a one is another question than what the file says.
struct NamedType {
  enum class Of : std::uint8_t { interface, datapath };
  int line = 0;
  std::string variable;
  Of of = Of::interface;
  std::string name;
};

// What a running switch knows beyond this version's.
struct MoreTypes {
  std::vector<std::string> interfaces, datapaths;
};

std::vector<Mistake> check_types(const std::vector<NamedType>& named, const MoreTypes& more);

}  // namespace ovs::conf
