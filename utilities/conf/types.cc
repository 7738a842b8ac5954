#include "conf/types.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace ovs::conf {

namespace {

constexpr std::string_view booleans[] = {"true", "false"};
constexpr std::string_view xdp_modes[] = {"best-effort", "native-with-zerocopy", "native", "generic"};
constexpr OptionKey afxdp_options[] = {
    {.name = "n_rxq", .least = 1, .most = 64},
    {.name = "use-need-wakeup", .words = booleans},
    {.name = "xdp-mode", .words = xdp_modes},
};
constexpr OptionKey patch_options[] = {{.name = "peer"}};

constexpr std::array types{
    InterfaceType{.name = "afxdp", .device = true, .has_options = true, .options = afxdp_options},
    InterfaceType{.name = "afxdp-nonpmd", .device = true, .has_options = true, .options = afxdp_options},
    InterfaceType{.name = "bareudp", .stored_only = true},
    InterfaceType{.name = "dpdk", .stored_only = true},
    InterfaceType{.name = "dpdkvhostuser", .stored_only = true},
    InterfaceType{.name = "dpdkvhostuserclient", .stored_only = true},
    InterfaceType{.name = "dummy", .for_tests = true},
    InterfaceType{.name = "dummy-internal", .for_tests = true},
    InterfaceType{.name = "erspan", .stored_only = true},
    InterfaceType{.name = "geneve", .stored_only = true},
    InterfaceType{.name = "gre", .stored_only = true},
    InterfaceType{.name = "gtpu", .stored_only = true},
    InterfaceType{.name = "internal", .device = true},
    InterfaceType{.name = "ip6erspan", .stored_only = true},
    InterfaceType{.name = "ip6gre", .stored_only = true},
    InterfaceType{.name = "lisp", .stored_only = true},
    InterfaceType{.name = "patch", .has_options = true, .options = patch_options},
    InterfaceType{.name = "stt", .stored_only = true},
    InterfaceType{.name = "system", .device = true},
    InterfaceType{.name = "tap", .device = true},
    InterfaceType{.name = "vxlan", .stored_only = true},
};
constexpr std::string_view datapaths[] = {"netdev", "system"};
constexpr std::string_view datapath_for_tests = "dummy";

std::string instead(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (const auto near = nearest(word, candidates)) return fmt::format("did you mean \"{}\"?", *near);
  return fmt::format("there are {}", fmt::join(candidates, ", "));
}

}  // namespace

std::span<const InterfaceType> interface_types() { return types; }

Result<void> check_option(std::string_view type, std::string_view key, std::string_view value) {
  const auto known = std::ranges::find(types, type, &InterfaceType::name);
  if (known == types.end() || !known->has_options) return {};
  const auto option = std::ranges::find(known->options, key, &OptionKey::name);
  if (option == known->options.end()) {
    std::vector<std::string_view> keys;
    for (const OptionKey& o : known->options) keys.push_back(o.name);
    return unexpected(fmt::format("an interface of type {} has no option \"{}\"; {}", type, key, instead(key, keys)));
  }
  if (!option->words.empty() && std::ranges::find(option->words, value) == option->words.end())
    return unexpected(fmt::format("options:{} cannot be \"{}\"; {}", key, value,
                                  instead(value, {option->words.begin(), option->words.end()})));
  if (option->least <= option->most) {
    const auto number = parse_integer(value);
    if (!number || *number < option->least || *number > option->most)
      return unexpected(fmt::format("options:{} cannot be \"{}\"; it is a number from {} to {}", key, value,
                                    option->least, option->most));
  }
  return {};
}

Result<void> check_peer(std::string_view type, std::string_view name, std::string_view peer) {
  if (type != "patch") return {};
  if (peer.empty()) return unexpected("an interface of type patch needs options:peer, the name of its other end");
  if (peer == name) return unexpected("an interface of type patch cannot be its own options:peer");
  return {};
}

Result<Support> check_type(Typed of, std::string_view name, const MoreTypes& more) {
  if (name.empty()) return Support::works;  // the default
  const bool interface = of == Typed::interface;
  bool known = !interface && name == datapath_for_tests;
  // What works, and all that a word may have been meant to be.
  std::vector<std::string_view> working, all;
  if (interface) {
    for (const InterfaceType& t : types) {
      known = known || (t.name == name && !t.stored_only);
      if (t.for_tests) continue;
      all.push_back(t.name);
      if (!t.stored_only) working.push_back(t.name);
    }
  } else {
    working.assign(std::begin(datapaths), std::end(datapaths));
    all = working;
  }
  for (const std::string& more_name : interface ? more.interfaces : more.datapaths) {
    const auto here = std::ranges::find(types, more_name, &InterfaceType::name);
    const bool for_tests = interface ? here != types.end() && here->for_tests : more_name == datapath_for_tests;
    if (for_tests || std::ranges::find(working, more_name) != working.end()) continue;
    working.push_back(more_name);
    if (std::ranges::find(all, more_name) == all.end()) all.push_back(more_name);
  }
  if (known || std::ranges::find(working, name) != working.end()) return Support::works;
  if (std::ranges::find(all, name) != all.end()) return Support::stored_only;
  const auto near = nearest(name, all);
  return unexpected(fmt::format("the switch has no {} \"{}\"; {}", interface ? "type" : "datapath_type", name,
                                near ? fmt::format("did you mean \"{}\"?", *near)
                                     : fmt::format("there are {}", fmt::join(working, ", "))));
}

TypesChecked check_types(const std::vector<NamedType>& named, const MoreTypes& more) {
  TypesChecked out;
  for (const NamedType& n : named) {
    const auto support = check_type(n.of, n.name, more);
    if (support && *support == Support::works) continue;
    const std::string where =
        fmt::format("{}: {}={}: ", n.variable, n.of == Typed::interface ? "type" : "datapath_type", n.name);
    if (support)
      out.remarks.push_back({n.line, where + "the switch of this version does not have this type yet: the port is "
                                             "stored, and nothing passes it"});
    else
      out.mistakes.push_back({n.line, where + support.error().message});
  }
  return out;
}

}  // namespace ovs::conf
