// Types: the kinds of interfaces and datapaths that a file can ask for, and the options of those kinds.
//
// What the switch of this version knows is a table here, for the programs do without the switch's own code; a unit test
// holds it against that code.  Kinds that only the database's manual knows are stored and do not work yet: no mistake,
// for the configuration that another version has left must be as good as any.  A switch of another version tells what
// it knows in the database (Open_vSwitch, iface_types and datapath_types).
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
  bool stored_only = false;  // no switch of this version has it
  bool has_options = false;  // whether `options` are all that there are, so that others are mistakes
  std::span<const OptionKey> options{};
};

// Sorted by name.
std::span<const InterfaceType> interface_types();

// Whether an interface of a type has such an option; the error says what there is instead.  No error where the type or
// its options are not known.
Result<void> check_option(std::string_view type, std::string_view key, std::string_view value);

// Whether an interface has the options without which there is none of its type; `peer`: its options:peer, empty where
// there is none.
Result<void> check_peer(std::string_view type, std::string_view name, std::string_view peer);

// What has types: Interface.type, Bridge.datapath_type.
enum class Typed : std::uint8_t { interface, datapath };
enum class Support : std::uint8_t { works, stored_only };

// What a running switch knows beyond this version's.
struct MoreTypes {
  std::vector<std::string> interfaces, datapaths;
};

// What becomes of a type; an error where nobody knows it, which says what there is instead.
Result<Support> check_type(Typed of, std::string_view name, const MoreTypes& more = {});

// A type that a file names.  Whether there is such a one is another question than what the file says.
struct NamedType {
  int line = 0;
  std::string variable;
  Typed of = Typed::interface;
  std::string name;
};

struct TypesChecked {
  std::vector<Mistake> mistakes;
  std::vector<Mistake> remarks;  // what is stored only, which is no mistake
};

TypesChecked check_types(const std::vector<NamedType>& named, const MoreTypes& more);

}  // namespace ovs::conf
