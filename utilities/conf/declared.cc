#include "conf/declared.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "conf/numbers.h"
#include "typographic.h"

namespace ovs::conf {

namespace {

constexpr std::string_view prefix = "ovs_";

// Variables that end in a name, and what that names.
enum class Family : std::uint8_t {
  ports, bond, internal, bridge, port, interface, controller, mirror, netflow, sflow, ipfix, qos, queue,
};
struct FamilyName {
  Family family;
  std::string_view word;
  Id named;  // a bridge, a port or an interface
};
// In the order in which they are read: what declares ports comes before what says something about them.
constexpr FamilyName families[] = {
    {Family::ports, "ports", Id::bridge},     {Family::internal, "internal", Id::port},
    {Family::bond, "bond", Id::port},         {Family::bridge, "bridge", Id::bridge},
    {Family::port, "port", Id::port},         {Family::interface, "interface", Id::interface},
    {Family::controller, "controller", Id::bridge}, {Family::mirror, "mirror", Id::bridge},
    {Family::netflow, "netflow", Id::bridge}, {Family::sflow, "sflow", Id::bridge},
    {Family::ipfix, "ipfix", Id::bridge},     {Family::qos, "qos", Id::port},
    {Family::queue, "queue", Id::port},
};
constexpr std::string_view single_names[] = {"ovs_bridges", "ovs_manager", "ovs_ssl", "ovs_switch",
                                             "ovs_keep_undeclared"};

class Reader {
 public:
  Reader(const std::vector<Variable>& variables, const ovsdb::DatabaseSchema& schema) : schema_(schema) {
    for (const Variable& v : variables) variables_.emplace(v.name, &v);
    root_.kind = &kind(Id::root);
  }

  Reading read() {
    Reading out;
    read_bridges();
    for (const FamilyName& f : families) {
      if (f.family == Family::bond) make_room_for_bonds();
      for (const auto& [name, variable] : variables_) {
        const std::string start = std::string(prefix) + std::string(f.word) + "_";
        if (!name.starts_with(start)) continue;
        used_.insert(name);
        read_named(f, name.substr(start.size()), *variable);
      }
    }
    read_targets(root_, Id::manager, "ovs_manager");
    if (const Variable* v = take("ovs_ssl")) read_single(root_, Id::ssl, *v);
    if (const Variable* v = take("ovs_switch")) read_settings(root_, {root_.kind}, *v);
    if (const Variable* v = take("ovs_keep_undeclared")) {
      out.declared.keep_undeclared = v->value == "yes";
      if (v->value != "yes" && v->value != "no")
        mistake(*v, fmt::format("\"{}\" is neither \"yes\" nor \"no\"", v->value));
    }
    check_mirrored_ports();
    check_devices();
    check_options();
    out.declared.types = std::move(types_);
    out.declared.sets_bridges = variables_.contains("ovs_bridges");
    out.declared.sets_anything = variables_.size() > variables_.count("ovs_keep_undeclared");
    for (const auto& [name, variable] : variables_)
      if (!used_.contains(name)) mistake_unknown(*variable);
    out.declared.root = std::move(root_);
    out.mistakes = std::move(mistakes_);
    std::ranges::stable_sort(out.mistakes, {}, &Mistake::line);
    return out;
  }

 private:
  struct PortPlace {
    std::size_t bridge, port;  // among the root's children, and the bridge's
  };
  struct InterfacePlace {
    PortPlace port;
    std::size_t interface;
  };

  void mistake(const Variable& v, std::string_view text) {
    mistakes_.push_back({v.line, fmt::format("{}: {}", v.name, text)});
  }

  const Variable* take(std::string_view name) {
    auto it = variables_.find(name);
    if (it == variables_.end()) return nullptr;
    used_.insert(it->first);
    return it->second;
  }

  std::vector<std::string> words(const Variable& v) {
    WordsRead read = read_words(v.value);
    for (const std::string& text : read.mistakes) mistake(v, text);
    return std::move(read.words);
  }

  // Names that differ only where a variable's name has "_" could not be told apart.
  template <class Place>
  bool claim(std::map<std::string, std::pair<std::string, Place>, std::less<>>& names, const std::string& name,
             Place place, const Variable& v, std::string_view word) {
    auto [it, inserted] = names.try_emplace(as_variable(name), name, place);
    if (inserted) return true;
    if (it->second.first != name)
      mistake(v, fmt::format("the {0}s \"{1}\" and \"{2}\" would have the same variables (ovs_{0}_{3}): "
                             "rename one of them",
                             word, it->second.first, name, it->first));
    return false;
  }

  void read_bridges() {
    const Variable* v = take("ovs_bridges");
    if (!v) return;
    for (const std::string& name : words(*v)) {
      if (auto ok = check_device_name(name); !ok) {
        mistake(*v, ok.error().message);
        continue;
      }
      if (auto it = bridges_.find(as_variable(name)); it != bridges_.end() && it->second.first == name) {
        mistake(*v, fmt::format("\"{}\" stands there twice", name));
        continue;
      }
      if (!claim(bridges_, name, root_.children.size(), *v, "bridge")) continue;
      root_.children.push_back({.kind = &kind(Id::bridge), .name = name});
      // Its local port, by which the host itself is attached.
      add_port(root_.children.size() - 1, name, *v, true);
      Item& interface = root_.children.back().children.back().children.back();
      interface.initial.columns.emplace("type", Datum(ovsdb::Atom("internal")));
    }
  }

  // A port with an interface of the same name.
  bool add_port(std::size_t bridge, const std::string& name, const Variable& v, bool implied = false) {
    Item& parent = root_.children[bridge];
    const PortPlace place{bridge, parent.children.size()};
    if (auto it = ports_.find(as_variable(name)); it != ports_.end() && it->second.first == name) {
      const Item& other = root_.children[it->second.second.bridge];
      if (name == other.name)
        mistake(v, fmt::format("\"{}\" is the bridge's own port, which need not be named here", name));
      else if (&other == &parent)
        mistake(v, fmt::format("\"{}\" stands there twice", name));
      else
        mistake(v, fmt::format("\"{}\" is a port of {} already: a port is in one bridge", name, other.name));
      return false;
    }
    if (!claim(ports_, name, place, v, "port")) return false;
    Item port{.kind = &kind(Id::port), .name = name, .implied = implied};
    port.children.push_back({.kind = &kind(Id::interface), .name = name, .implied = implied});
    parent.children.push_back(std::move(port));
    claim(interfaces_, name, InterfacePlace{place, 0}, v, "interface");
    named_in_.insert_or_assign(name, &v);
    return true;
  }

  Item& port_at(PortPlace place) { return root_.children[place.bridge].children[place.port]; }

  Item* bridge_named(std::string_view suffix) {
    auto it = bridges_.find(suffix);
    return it == bridges_.end() ? nullptr : &root_.children[it->second.second];
  }
  Item* port_named(std::string_view suffix) {
    auto it = ports_.find(suffix);
    return it == ports_.end() ? nullptr : &port_at(it->second.second);
  }

  void read_named(const FamilyName& f, std::string_view suffix, const Variable& v) {
    switch (f.family) {
      case Family::internal: return read_internal(suffix, v);
      case Family::mirror: return read_mirror(suffix, v);
      case Family::queue: return read_queue(suffix, v);
      case Family::interface: {
        auto it = interfaces_.find(suffix);
        if (it == interfaces_.end()) return mistake_unknown(v);
        auto [port, interface] = it->second.second;
        return read_settings(port_at(port).children[interface], {&kind(Id::interface)}, v);
      }
      default: break;
    }
    Item* item = f.named == Id::bridge ? bridge_named(suffix) : port_named(suffix);
    if (!item) return mistake_unknown(v);
    switch (f.family) {
      case Family::ports: {
        const std::size_t bridge = static_cast<std::size_t>(item - root_.children.data());
        for (const std::string& name : words(v)) {
          if (auto ok = check_name(name); !ok)
            mistake(v, ok.error().message);
          else
            add_port(bridge, name, v);
        }
        return;
      }
      case Family::bond: return read_bond(*item, ports_.find(suffix)->second.second, v);
      case Family::bridge: return read_settings(*item, {item->kind}, v);
      case Family::port: return read_port(*item, v);
      case Family::controller: return read_targets(*item, Id::controller, v.name);
      case Family::netflow: return read_single(*item, Id::netflow, v);
      case Family::sflow: return read_single(*item, Id::sflow, v);
      case Family::ipfix: return read_single(*item, Id::ipfix, v);
      case Family::qos: return read_single(*item, Id::qos, v);
      default: OVS_CHECK(false, "a family of variables without its reader");
    }
  }

  void read_internal(std::string_view suffix, const Variable& v) {
    const auto list = words(v);
    if (list.size() != 1) return mistake(v, "write the name of the one bridge that the port is in");
    Item* bridge = bridge_named(as_variable(list[0]));
    if (!bridge || bridge->name != list[0]) return mistake(v, no_bridge(list[0]));
    if (auto it = ports_.find(suffix); it != ports_.end()) {
      const auto& [name, place] = it->second;
      if (const Item& actual = root_.children[place.bridge]; &actual != bridge)
        return mistake(v, fmt::format("\"{}\" is a port of {}, not of {}", name, actual.name, bridge->name));
    } else if (!add_port(static_cast<std::size_t>(bridge - root_.children.data()), std::string(suffix), v)) {
      return;
    }
    Item* port = port_named(as_variable(suffix));
    port->children[0].settings.columns.emplace("type", Datum(ovsdb::Atom("internal")));
    said_.try_emplace({port->name, "type"}, &v);
    internal_.insert(port->name);
  }

  // A bond does not have the interface that a plain port of its name would have; another bond may.
  void make_room_for_bonds() {
    constexpr std::string_view start = "ovs_bond_";
    for (const auto& [name, variable] : variables_) {
      if (!name.starts_with(start)) continue;
      const auto port = ports_.find(std::string_view(name).substr(start.size()));
      if (port != ports_.end() && !port_at(port->second.second).implied)
        interfaces_.erase(as_variable(port->second.first));
    }
  }

  void read_bond(Item& port, PortPlace place, const Variable& v) {
    if (port.implied) return mistake(v, fmt::format("\"{}\" is a bridge", port.name));
    if (internal_.contains(port.name))
      return mistake(v, fmt::format("\"{}\" is an internal port (ovs_internal_...)", port.name));
    const auto names = words(v);
    if (names.empty()) return mistake(v, "a bond has interfaces: write their names");
    port.children.clear();
    for (const std::string& name : names) {
      if (auto ok = check_name(name); !ok) {
        mistake(v, ok.error().message);
        continue;
      }
      const auto it = interfaces_.find(as_variable(name));
      if (it != interfaces_.end() && it->second.first == name) {
        const Item& other = port_at(it->second.second.port);
        if (&other == &port)
          mistake(v, fmt::format("\"{}\" stands there twice", name));
        else if (other.name == name)
          mistake(v, fmt::format("\"{}\" is a port of {} itself: take it out of ovs_ports_{}", name,
                                 root_.children[it->second.second.port.bridge].name,
                                 as_variable(root_.children[it->second.second.port.bridge].name)));
        else
          mistake(v, fmt::format("\"{}\" belongs to {} already", name, other.name));
        continue;
      }
      if (!claim(interfaces_, name, InterfacePlace{place, port.children.size()}, v, "interface")) continue;
      port.children.push_back({.kind = &kind(Id::interface), .name = name});
      named_in_.insert_or_assign(name, &v);
    }
  }

  // What is no device of the kernel, such as a patch port, has no limits on its name; whether it is one is known at the
  // end.
  void check_devices() {
    for (const Item& bridge : root_.children)
      for (const Item& port : bridge.children)
        for (const Item& interface : port.children) {
          if (interface.kind->id != Id::interface || interface.implied) continue;
          const auto type = interface.settings.columns.find("type");
          if (type != interface.settings.columns.end() && !is_device_type(type->second.string())) continue;
          if (auto ok = check_device_name(interface.name); !ok)
            mistake(*named_in_.at(interface.name), ok.error().message);
        }
  }

  // Whether interfaces of their types have the options, whichever of the two is said first, and those that they need.
  void check_options() {
    std::map<std::string_view, std::string_view> types;
    for (const Item& bridge : root_.children)
      for (const Item& port : bridge.children)
        for (const Item& interface : port.children) {
          const auto type = interface.settings.columns.find("type");
          if (type == interface.settings.columns.end() || interface.kind->id != Id::interface) continue;
          types.emplace(interface.name, type->second.string());
          const auto options = interface.settings.maps.find("options");
          const auto peer = options == interface.settings.maps.end() ? std::nullopt
              : options->second.find(ovsdb::Atom("peer"));
          auto ok = check_peer(type->second.string(), interface.name,
                               peer ? options->second.value(*peer).string() : std::string_view());
          if (const auto said = said_.find({interface.name, "type"}); !ok && said != said_.end())
            mistake(*said->second, ok.error().message);
        }
    for (const Option& o : options_) {
      const auto type = types.find(o.interface);
      if (type == types.end()) continue;
      if (auto ok = check_option(type->second, o.key, o.value); !ok) mistake(*o.variable, ok.error().message);
    }
  }

  // "ovs_bridge_br0" or "ovs_port_br0" with names where settings are expected, as in other programs' files.
  bool are_ports(const std::vector<std::string>& list, const std::vector<const Kind*>& kinds) const {
    return !list.empty() && std::ranges::all_of(list, [&](const std::string& word) {
      return check_device_name(word) && std::ranges::none_of(kinds, [&](const Kind* k) {
        const ovsdb::TableSchema* table = schema_.find(k->table);
        return table && table->find(word);
      });
    });
  }
  void mistake_ports(const Variable& v, const std::vector<std::string>& list, std::string_view bridge) {
    mistake(v, fmt::format("{} (COLUMN=VALUE); for ports of {}, did you mean ovs_ports_{}=\"{}\"?",
                           list.size() == 1 ? "this is no setting" : "these are no settings", bridge,
                           as_variable(bridge), join(list, " ")));
  }

  // What is wrong with a word that is no setting.
  std::string complaint(const std::vector<const Kind*>& kinds, const std::string& word, const Error& error) const {
    const auto end = word.find_first_of(";,");
    if (end != std::string::npos && read_setting(schema_, kinds, word.substr(0, end))) {
      const std::string_view rest = std::string_view(word).substr(end + 1);
      if (word[end] == ';' || rest.empty() || rest.find('=') != std::string_view::npos)
        return fmt::format("{}: settings are separated by spaces, not by \"{}\"", word, word[end]);
    }
    return error.message;
  }

  // The value that a number may be; empty where there is none.
  static std::string number_text(const Setting& setting) {
    if (setting.value.empty()) return {};
    return setting.key ? std::string(setting.value.value(0).to_bare()) : setting.value.key(0).to_bare();
  }

  // Adds a setting, and keeps what is to be looked at when all of them are known.
  void put(Item& item, Setting setting, const Variable& v) {
    const std::string_view column = setting.column->name;
    const bool interface = item.kind->id == Id::interface;
    if ((interface && column == "type") || (item.kind->id == Id::bridge && column == "datapath_type"))
      types_.push_back({v.line, v.name, interface ? Typed::interface : Typed::datapath,
                        std::string(setting.value.string())});
    const Variable* first = &v;
    const std::string name = setting_name(column, setting.key);
    if (interface) first = said_.try_emplace({item.name, name}, &v).first->second;
    if (auto ok = check_number(item.kind->id, column, setting.key.value_or(""), number_text(setting)); !ok)
      mistake(v, ok.error().message);
    if (interface && column == "options" && setting.key)
      options_.push_back({&v, item.name, *setting.key, std::string(setting.value.value(0).string())});
    if (auto ok = add(item.settings, std::move(setting)); !ok)
      mistake(v, first == &v ? ok.error().message
                             : fmt::format("\"{}\" is set to another value by {} in line {}", name, first->name,
                                           first->line));
  }

  // A word that reads as a setting may still have been meant otherwise.
  Result<Setting> read_word(const std::vector<const Kind*>& kinds, const std::string& word) const {
    if (auto typographic = utilities::typographic_complaint(word)) return unexpected(std::move(*typographic));
    return read_setting(schema_, kinds, word);
  }

  void read_port(Item& port, const Variable& v) {
    std::vector<const Kind*> kinds{port.kind};
    std::size_t interfaces = 0;
    Item* interface = nullptr;
    for (Item& child : port.children)
      if (child.kind->id == Id::interface) {
        interfaces++;
        interface = &child;
      }
    if (interfaces == 1) kinds.push_back(interface->kind);
    const auto list = words(v);
    if (port.implied && are_ports(list, kinds)) return mistake_ports(v, list, port.name);
    for (const std::string& word : list) {
      auto setting = read_word(kinds, word);
      if (!setting) {
        std::string text = complaint(kinds, word, setting.error());
        if (interfaces > 1 && read_setting(schema_, {&kind(Id::interface)}, word))
          text = fmt::format("{}: {} has several interfaces: write it into ovs_interface_{} and so on", word, port.name,
                             as_variable(port.children[0].name));
        mistake(v, text);
        continue;
      }
      Item& target = setting->kind == port.kind ? port : *interface;
      put(target, std::move(*setting), v);
    }
  }

  void read_settings(Item& item, const std::vector<const Kind*>& kinds, const Variable& v) {
    const auto list = words(v);
    if (item.kind->id == Id::bridge && are_ports(list, kinds)) return mistake_ports(v, list, item.name);
    for (const std::string& word : list) {
      auto setting = read_word(kinds, word);
      if (!setting) {
        mistake(v, complaint(kinds, word, setting.error()));
        continue;
      }
      put(item, std::move(*setting), v);
    }
  }

  // A record of which the parent has one; none where the variable is empty.
  void read_single(Item& parent, Id id, const Variable& v) {
    if (auto list = split_words(v.value); list && list->empty()) return;
    Item item{.kind = &kind(id)};
    const std::size_t before = mistakes_.size();
    read_settings(item, {item.kind}, v);
    if (mistakes_.size() == before) check_needed(item, v);
    parent.children.push_back(std::move(item));
  }

  // Columns without which the database does not take a row, and addresses of collectors.
  void check_needed(const Item& item, const Variable& v) {
    const ovsdb::TableSchema* table = schema_.find(item.kind->table);
    if (!table) return mistake(v, fmt::format("this version of the database has no table {}", item.kind->table));
    for (const ovsdb::ColumnSchema& column : table->columns)
      if (is_setting(*item.kind, column) && column.type.min > 0 && column.type.max > 1 &&
          !item.settings.columns.contains(column.name))
        mistake(v, fmt::format("{0}= is missing: write {0}=HOST:PORT", column.name));
    if (item.kind->id == Id::ssl) check_keys(item, v);
    if (auto targets = item.settings.columns.find("targets"); targets != item.settings.columns.end())
      for (std::size_t i = 0; i < targets->second.size(); i++)
        if (auto ok = check_collector(item.kind->id, targets->second.key(i).string()); !ok)
          mistake(v, ok.error().message);
  }

  void check_keys(const Item& ssl, const Variable& v) {
    for (std::string_view column : key_columns) {
      const auto file = ssl.settings.columns.find(column);
      auto ok = check_key_file(column, file == ssl.settings.columns.end() ? "" : file->second.string());
      if (!ok) mistake(v, ok.error().message);
    }
  }

  // Targets, and settings of the target before them; in front of the first one, of all.
  void read_targets(Item& parent, Id id, std::string_view name) {
    const Variable* v = take(name);
    if (!v) return;
    const Kind& what = kind(id);
    Item common{.kind = &what};
    Item* current = &common;
    std::vector<Item> items;
    const auto list = words(*v);
    items.reserve(list.size());  // `current` points into it
    for (const std::string& word : list) {
      if (word.find('=') != std::string::npos && !check_connection(word)) {
        auto setting = read_word({&what}, word);
        if (!setting) {
          mistake(*v, complaint({&what}, word, setting.error()));
        } else if (auto ok = add(current->settings, std::move(*setting)); !ok) {
          mistake(*v, ok.error().message);
        }
        continue;
      }
      if (auto ok = check_connection(word); !ok) {
        mistake(*v, ok.error().message);
        continue;
      }
      if (std::ranges::find(items, word, &Item::name) != items.end()) {
        mistake(*v, fmt::format("{} stands there twice", word));
        continue;
      }
      items.push_back({.kind = &what, .name = word});
      current = &items.back();
    }
    for (Item& item : items) {
      // What is said of one goes before what is said of all.
      Settings settings = common.settings;
      for (auto& [column, value] : item.settings.columns) settings.columns.insert_or_assign(column, value);
      for (auto& [column, value] : item.settings.maps) settings.maps[column].unite(value, true);
      item.settings = std::move(settings);
      parent.children.push_back(std::move(item));
    }
  }

  void read_mirror(std::string_view suffix, const Variable& v) {
    // The longest name of a bridge that fits; the rest is the mirror's.
    Item* bridge = nullptr;
    std::string_view rest;
    for (const auto& [variable, entry] : bridges_) {
      if (!suffix.starts_with(variable + "_") || suffix.size() <= variable.size() + 1) continue;
      if (bridge && suffix.size() - variable.size() - 1 >= rest.size()) continue;
      bridge = &root_.children[entry.second];
      rest = suffix.substr(variable.size() + 1);
    }
    if (!bridge) {
      if (bridge_named(suffix)) return mistake(v, fmt::format("a mirror has a name: write {}_NAME", v.name));
      return mistake_unknown(v);
    }
    Item mirror{.kind = &kind(Id::mirror)};
    read_settings(mirror, {mirror.kind}, v);
    mirror.name = rest;
    if (auto it = mirror.settings.columns.find("name"); it != mirror.settings.columns.end()) {
      mirror.name = it->second.string();
      mirror.settings.columns.erase(it);
    }
    for (const Item& other : bridge->children)
      if (other.kind == mirror.kind && other.name == mirror.name)
        return mistake(v, fmt::format("{} has another mirror \"{}\"", bridge->name, mirror.name));
    mirrors_.emplace_back(&v, mirror.settings);
    bridge->children.push_back(std::move(mirror));
  }

  void check_mirrored_ports() {
    std::vector<std::string_view> names;
    for (const auto& [variable, entry] : ports_) names.push_back(entry.first);
    for (const auto& [v, settings] : mirrors_)
      for (const auto& [column, list] : settings.ports)
        for (const std::string& name : list)
          if (std::ranges::find(names, name) == names.end()) {
            const auto near = nearest(name, names);
            mistake(*v, fmt::format("{}: the file declares no port \"{}\"{}", column, name,
                                    near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
          }
  }

  void read_queue(std::string_view suffix, const Variable& v) {
    const auto underscore = suffix.rfind('_');
    const auto number = underscore == std::string_view::npos ? std::nullopt
        : parse_integer(suffix.substr(underscore + 1));
    if (!number || *number < 0 || *number > 0xffffffffll)
      return mistake(v, fmt::format("write ovs_queue_PORT_NUMBER, such as ovs_queue_{}_0", suffix));
    Item* port = port_named(suffix.substr(0, underscore));
    if (!port) return mistake_unknown(v);
    auto qos = std::ranges::find(port->children, Id::qos, [](const Item& i) { return i.kind->id; });
    if (qos == port->children.end())
      return mistake(v, fmt::format("{0} has no QoS for this queue: set ovs_qos_{1}, too", port->name,
                                    as_variable(port->name)));
    const std::string name = std::to_string(*number);
    if (std::ranges::find(qos->children, name, &Item::name) != qos->children.end())
      return mistake(v, fmt::format("queue {} is declared twice", name));
    Item queue{.kind = &kind(Id::queue), .name = name};
    read_settings(queue, {queue.kind}, v);
    qos->children.push_back(std::move(queue));
  }

  std::string no_bridge(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const auto& [variable, entry] : bridges_) names.push_back(entry.first);
    const auto near = nearest(name, names);
    return fmt::format("no bridge \"{}\" is declared{}", name,
                       near ? fmt::format("; did you mean \"{}\"?", *near) : ": add it to ovs_bridges");
  }

  // The ends of the names that the variables of a family may have.
  std::vector<std::string_view> suffixes(const FamilyName& f) const {
    std::vector<std::string_view> out;
    auto add_names = [&](const auto& names) {
      for (const auto& [suffix, entry] : names) out.push_back(suffix);
    };
    switch (f.named) {
      case Id::bridge: add_names(bridges_); break;
      case Id::port: add_names(ports_); break;
      default: add_names(interfaces_); break;
    }
    return out;
  }

  // A variable that nothing can be done with.
  void mistake_unknown(const Variable& v) {
    const std::string_view name = v.name;
    for (const FamilyName& f : families) {
      const std::string start = fmt::format("ovs_{}_", f.word);
      if (!name.starts_with(start)) continue;
      const std::string_view suffix = name.substr(start.size());
      if (auto it = interfaces_.find(suffix); f.family == Family::port && it != interfaces_.end())
        return mistake(v, fmt::format("\"{0}\" is an interface of {1}: write ovs_interface_{2} for settings of the "
                                      "interface, ovs_port_{3} for those of the port",
                                      it->second.first, port_at(it->second.second.port).name, suffix,
                                      as_variable(port_at(it->second.second.port).name)));
      std::string help;
      if (f.named == Id::bridge) help = ": add it to ovs_bridges";
      if (f.named == Id::port) help = ": add it to ovs_ports_BRIDGE";
      if (auto near = nearest(suffix, suffixes(f))) help = fmt::format("; did you mean {}{}?", start, *near);
      return mistake(v, fmt::format("no {} \"{}\" is declared{}", kind(f.named).word, suffix, help));
    }
    std::vector<std::string> possible(std::begin(single_names), std::end(single_names));
    for (const FamilyName& f : families)
      for (std::string_view suffix : suffixes(f)) possible.push_back(fmt::format("ovs_{}_{}", f.word, suffix));
    const std::vector<std::string_view> candidates(possible.begin(), possible.end());
    const auto near = nearest(name, candidates);
    const std::string help = near ? fmt::format("did you mean {}?", *near) : "see ovs.conf.d(5)";
    mistake(v, fmt::format("there is no such variable; {}", help));
  }

  const ovsdb::DatabaseSchema& schema_;
  std::map<std::string, const Variable*, std::less<>> variables_;
  std::set<std::string, std::less<>> used_;
  std::vector<Mistake> mistakes_;
  Item root_;
  // By the end of their variables' names: the name, and where it is in the tree.
  std::map<std::string, std::pair<std::string, std::size_t>, std::less<>> bridges_;
  std::map<std::string, std::pair<std::string, PortPlace>, std::less<>> ports_;
  std::map<std::string, std::pair<std::string, InterfacePlace>, std::less<>> interfaces_;
  std::map<std::string, const Variable*, std::less<>> named_in_;  // interfaces: where their names stand
  std::set<std::string, std::less<>> internal_;
  std::vector<std::pair<const Variable*, Settings>> mirrors_;
  struct Option {
    const Variable* variable;
    std::string interface, key, value;
  };
  std::vector<Option> options_;
  std::map<std::pair<std::string, std::string>, const Variable*> said_;  // of interfaces: where a setting stands first
  std::vector<NamedType> types_;
};

}  // namespace

std::string Item::label() const {
  return name.empty() ? std::string(kind->word) : fmt::format("{} {}", kind->word, name);
}

Reading read_declaration(const std::vector<Variable>& variables, const ovsdb::DatabaseSchema& schema) {
  return Reader(variables, schema).read();
}

}  // namespace ovs::conf
