#include "conf/dump.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "conf/declared.h"
#include "conf/numbers.h"

namespace ovs::conf {

namespace {

class Writer {
 public:
  Writer(const Present& present, const ovsdb::DatabaseSchema& schema) : present_(present), schema_(schema) {}

  Dump write() {
    body_ = "# The configuration of the switch, as ovs-conf dump has found it.  See ovs.conf.d(5).\n";
    if (const Record root = present_.root())
      write_root(root);
    else
      variable("bridges", "", {});
    if (lost_)
      body_ += "\n# ovs-conf has made some of what is left out, and would remove it if it is not declared.\n"
               "ovs_keep_undeclared=\"yes\"\n";
    return {std::move(body_), std::move(left_out_)};
  }

 private:
  // `ours`: whether ovs-conf has put it there.
  void leave_out(std::string_view what, std::string_view why, bool ours) {
    lost_ = lost_ || ours;
    // A name with a new line in it would end the comment, and its rest would be a command.
    std::string sentence = fmt::format("{} is left out: {}", what, why);
    for (char& c : sentence)
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
    body_ += fmt::format("# {}\n", sentence);
    left_out_.push_back(std::move(sentence));
  }

  // Whether ovs-conf has made a record, or set something in it, or in what belongs to it.
  bool is_ours(const Kind& k, const Record& record) const {
    if (record.mark() != Mark{}) return true;
    return std::ranges::any_of(kinds(), [&](const Kind& below) {
      return below.parent == k.id && below.id != Id::root &&
          std::ranges::any_of(present_.children(record, below),
                              [&](const Present::Child& child) { return is_ours(below, child.record); });
    });
  }
  void leave_out_record(std::string_view what, std::string_view why, Id id, const Record& record) {
    leave_out(what, why, is_ours(kind(id), record));
  }

  // Why a file with this setting would be refused.
  static Result<void> check_setting(const Kind& k, const Record& record, const ovsdb::ColumnSchema& column,
                                    std::string_view key, std::string_view value) {
    if (k.id == Id::bridge && column.name == "datapath_type") OVS_TRY_DO(check_type(Typed::datapath, value));
    if (k.id == Id::interface && column.name == "options")
      OVS_TRY_DO(check_option(record.text("type"), key, value));
    return check_number(k.id, column.name, key, value);
  }
  bool may_say(const Kind& k, const Record& record, const ovsdb::ColumnSchema& column, const std::string& name,
               std::string_view key, std::string_view value) {
    const auto ok = check_setting(k, record, column, key, value);
    if (!ok)
      leave_out(fmt::format("{} of {}{}", name, k.word, k.key.empty() ? "" : " " + record.text(k.key)),
                ok.error().message, record.mark().set.contains(name));
    return ok.has_value();
  }

  void variable(std::string_view family, std::string_view suffix, const std::vector<std::string>& words) {
    body_ += fmt::format("ovs_{}{}{}={}\n", family, suffix.empty() ? "" : "_", suffix, quoted(join(words, " ")));
  }

  // Whether a name may stand in the file; it is then taken.
  bool take(std::set<std::string, std::less<>>& names, const std::string& name, Id id, const Record& record,
            bool device) {
    const std::string_view word = kind(id).word;
    if (auto ok = device ? check_device_name(name) : check_name(name); !ok) {
      leave_out_record(fmt::format("{} {}", word, name), ok.error().message, id, record);
      return false;
    }
    if (!names.insert(as_variable(name)).second) {
      leave_out_record(fmt::format("{} {}", word, name),
                       fmt::format("another {} has the same variables ({})", word, as_variable(name)), id, record);
      return false;
    }
    return true;
  }

  // Whether there is such a type of interfaces, and the interface has what its type needs.
  bool has_type(const Present::Child& interface) {
    const Record& record = interface.record;
    const Datum* options = record.find("options");
    const auto at = options ? options->find(ovsdb::Atom("peer")) : std::nullopt;
    const auto type = check_type(Typed::interface, record.text("type"));
    const auto peer = check_peer(record.text("type"), interface.name,
                                 at ? options->value(*at).string() : std::string_view());
    if (type && peer) return true;
    leave_out_record(fmt::format("interface {}", interface.name), (type ? peer.error() : type.error()).message,
                     Id::interface, record);
    return false;
  }

  // The settings of a row that are not at their defaults; `skip`: columns that are said in another way.
  std::vector<std::string> settings(const Kind& k, const Record& record, const std::set<std::string_view>& skip = {}) {
    std::vector<std::string> out;
    const ovsdb::TableSchema* table = schema_.find(k.table);
    if (!table) return out;
    for (const ovsdb::ColumnSchema& column : table->columns) {
      const Datum* value = is_setting(k, column) ? record.find(column.name) : nullptr;
      if (!value || skip.contains(column.name)) continue;
      const bool needed = column.type.min > 0 && column.type.max > 1;
      if (value->is_default(column.type) && !needed) continue;
      if (names_ports(column)) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < value->size(); i++) names.push_back(present_.port_name(value->key(i).uuid()));
        out.push_back(fmt::format("{}={}", column.name, port_names_text(names)));
      } else if (column.type.is_map()) {
        for (std::size_t i = 0; i < value->size(); i++) {
          const std::string key = value->key(i).to_bare();
          if (column.name == mark_column && key == mark_key) continue;
          const std::string name = setting_name(column.name, key);
          if (may_say(k, record, column, name, key, value->value(i).to_bare()))
            out.push_back(fmt::format("{}={}", name, atom_text(column.type.value, value->value(i))));
        }
      } else if (may_say(k, record, column, column.name, {}, value->empty() ? "" : value->key(0).to_bare())) {
        out.push_back(fmt::format("{}={}", column.name, value_text(column.type, *value)));
      }
    }
    return out;
  }

  // The same for a record of which there is one: never empty, since an empty variable declares nothing.
  std::vector<std::string> settings_of_single(const Kind& k, const Record& record) {
    auto out = settings(k, record);
    if (!out.empty()) return out;
    for (const ovsdb::ColumnSchema& column : schema_.find(k.table)->columns)
      if (is_setting(k, column) && !column.type.is_map() && !names_ports(column))
        return {fmt::format("{}={}", column.name, value_text(column.type, *record.find(column.name)))};
    return out;
  }

  void write_root(const Record& root) {
    // What boot scripts write is not configuration, unless ovs-conf has written it.
    const Mark mark = root.mark();
    std::vector<std::string> words;
    for (const std::string& word : settings(kind(Id::root), root)) {
      const std::string name = word.substr(0, word.find('='));
      static constexpr std::string_view scripts[] = {"external_ids:system-id", "external_ids:hostname",
                                                     "external_ids:rundir"};
      if (std::ranges::find(scripts, name) == std::end(scripts) || mark.set.contains(name)) words.push_back(word);
    }
    if (!words.empty()) variable("switch", "", words);
    write_targets(root, Id::manager, "manager", "", "the switch");
    for (const auto& child : present_.children(root, kind(Id::ssl))) write_ssl(child.record);

    std::vector<std::string> names;
    std::vector<Present::Child> bridges;
    for (const auto& child : present_.children(root, kind(Id::bridge))) {
      if (!take(bridge_names_, child.name, Id::bridge, child.record, true)) continue;
      port_names_.insert(as_variable(child.name));  // of its own port
      names.push_back(child.name);
      bridges.push_back(child);
    }
    // Also where there is none: a file that does not say so removes nothing.
    variable("bridges", "", names);
    for (const auto& child : bridges) write_bridge(child.name, child.record);
  }

  void write_ssl(const Record& ssl) {
    for (std::string_view column : key_columns)
      if (auto ok = check_key_file(column, ssl.text(column)); !ok)
        return leave_out_record("SSL", ok.error().message, Id::ssl, ssl);
    variable("ssl", "", settings_of_single(kind(Id::ssl), ssl));
  }

  void write_targets(const Record& parent, Id id, std::string_view family, std::string_view suffix,
                     std::string_view owner) {
    std::vector<std::string> words, targets;
    for (const auto& child : present_.children(parent, kind(id))) {
      const auto alone = split_words(child.name);
      const bool readable = alone && alone->size() == 1 && check_connection(child.name);
      if (!readable || std::ranges::find(targets, child.name) != targets.end()) {
        leave_out_record(fmt::format("{} \"{}\" of {}", kind(id).word, child.name, owner),
                         readable ? "it is there twice" : "this is no connection method", id, child.record);
        continue;
      }
      targets.push_back(child.name);
      words.push_back(child.name);
      for (std::string& word : settings(kind(id), child.record)) words.push_back(std::move(word));
    }
    if (!words.empty()) variable(family, suffix, words);
  }

  void write_bridge(const std::string& name, const Record& bridge) {
    const std::string suffix = as_variable(name);
    body_ += "\n";
    if (auto words = settings(kind(Id::bridge), bridge); !words.empty()) variable("bridge", suffix, words);
    std::vector<std::string> names;
    std::vector<std::pair<Present::Child, std::vector<Present::Child>>> ports;
    for (const auto& port : present_.children(bridge, kind(Id::port))) {
      auto interfaces = present_.children(port.record, kind(Id::interface));
      const bool plain = interfaces.size() == 1 && interfaces[0].name == port.name;
      if (port.name == name) {
        declared_ports_.insert(name);  // the bridge brings it
        if (!plain) {
          leave_out_record(fmt::format("port {}", name), "a bridge's own port has one interface of its name", Id::port,
                           port.record);
        } else if (has_type(interfaces[0])) {
          interface_names_.insert(suffix);
          ports.insert(ports.begin(), {port, std::move(interfaces)});
        } else {
          leave_out_record(fmt::format("port {}", name), "of its interface", Id::port, port.record);
        }
        continue;
      }
      if (!take(port_names_, port.name, Id::port, port.record, false)) continue;
      const bool taken = std::ranges::all_of(interfaces, [&](const Present::Child& interface) {
        return has_type(interface) && take(interface_names_, interface.name, Id::interface, interface.record,
                                           is_device_type(interface.record.text("type")));
      });
      if (!taken) {
        leave_out_record(fmt::format("port {}", port.name), "of its interface", Id::port, port.record);
        continue;
      }
      names.push_back(port.name);
      declared_ports_.insert(port.name);
      ports.emplace_back(port, std::move(interfaces));
    }
    if (!names.empty()) variable("ports", suffix, names);
    for (const auto& [port, interfaces] : ports) write_port(port.name, port.record, interfaces, name);
    write_targets(bridge, Id::controller, "controller", suffix, "bridge " + name);
    for (const auto& [id, family] : {std::pair(Id::netflow, "netflow"), std::pair(Id::sflow, "sflow"),
                                     std::pair(Id::ipfix, "ipfix")})
      for (const auto& child : present_.children(bridge, kind(id))) {
        bool good = true;
        if (const Datum* targets = child.record.find("targets"))
          for (std::size_t i = 0; i < targets->size(); i++)
            if (auto ok = check_collector(id, targets->key(i).string()); !ok && good) {
              leave_out_record(fmt::format("{} of bridge {}", kind(id).word, name), ok.error().message, id,
                               child.record);
              good = false;
            }
        if (good) variable(family, suffix, settings_of_single(kind(id), child.record));
      }
    write_mirrors(name, bridge);
    for (std::string_view column : {"flow_tables", "auto_attach"})
      if (const Datum* value = bridge.find(column); value && !value->empty())
        leave_out(fmt::format("{} of bridge {}", column, name), "there is no variable for it; it stays as it is",
                  false);
  }

  void write_port(const std::string& name, const Record& port, const std::vector<Present::Child>& interfaces,
                  const std::string& bridge) {
    const std::string suffix = as_variable(name);
    std::vector<std::string> words = settings(kind(Id::port), port);
    const bool plain = interfaces.size() == 1 && interfaces[0].name == name;
    if (!plain) {
      std::vector<std::string> members;
      for (const auto& interface : interfaces) members.push_back(interface.name);
      variable("bond", suffix, members);
    } else {
      // A column that both tables have is the port's, unless the variable says otherwise.
      const Record& record = interfaces[0].record;
      std::set<std::string_view> skip, shared;
      for (const ovsdb::ColumnSchema& column : schema_.find("Interface")->columns) {
        const ovsdb::ColumnSchema* same = schema_.find("Port")->find(column.name);
        (same && is_setting(kind(Id::port), *same) ? skip : shared).insert(column.name);
      }
      if (record.text("type") == "internal") {
        skip.insert("type");
        if (name != bridge) variable("internal", suffix, {bridge});
        // Where a file has said so, one that no longer does would take it back.
        if (name == bridge && record.mark().set.contains("type")) words.push_back("type=internal");
      } else if (name == bridge && record.text("type").empty()) {
        words.push_back("type=\"\"");
      }
      for (std::string& word : settings(kind(Id::interface), record, skip)) words.push_back(std::move(word));
      shared.insert("type");
      if (auto own = settings(kind(Id::interface), record, shared); !own.empty()) variable("interface", suffix, own);
    }
    if (!words.empty()) variable("port", suffix, words);
    if (!plain)
      for (const auto& interface : interfaces)
        if (auto own = settings(kind(Id::interface), interface.record); !own.empty())
          variable("interface", as_variable(interface.name), own);
    for (const auto& qos : present_.children(port, kind(Id::qos))) {
      variable("qos", suffix, settings_of_single(kind(Id::qos), qos.record));
      for (const auto& queue : present_.children(qos.record, kind(Id::queue)))
        variable("queue", suffix + "_" + queue.name, settings(kind(Id::queue), queue.record));
    }
  }

  // Whether "BRIDGE_WORD" is read as this bridge's: the longest name of a bridge that fits counts.
  bool belongs_to(const std::string& bridge, const std::string& variable) const {
    return std::ranges::none_of(bridge_names_, [&](const std::string& other) {
      return other.size() > bridge.size() && variable.starts_with(other + "_") && variable.size() > other.size() + 1;
    });
  }

  void write_mirrors(const std::string& name, const Record& bridge) {
    const std::string suffix = as_variable(name);
    std::set<std::string> names, variables;
    for (const auto& mirror : present_.children(bridge, kind(Id::mirror))) {
      if (!names.insert(mirror.name).second) {
        leave_out_record(fmt::format("mirror {} of bridge {}", mirror.name, name), "there is another one of that name",
                         Id::mirror, mirror.record);
        continue;
      }
      bool readable = true;
      for (std::string_view column : {"select_src_port", "select_dst_port", "output_port"})
        if (const Datum* ports = mirror.record.find(column))
          for (std::size_t i = 0; i < ports->size(); i++)
            readable &= declared_ports_.contains(present_.port_name(ports->key(i).uuid()));
      if (!readable) {
        leave_out_record(fmt::format("mirror {} of bridge {}", mirror.name, name),
                         "it has to do with a port that is left out", Id::mirror, mirror.record);
        continue;
      }
      std::string word = as_variable(mirror.name);
      for (int n = 1; word.empty() || variables.contains(word) || !belongs_to(suffix, suffix + "_" + word); n++)
        word = fmt::format("m{}", n);
      variables.insert(word);
      const std::set<std::string_view> skip = word == mirror.name ? std::set<std::string_view>{"name"}
          : std::set<std::string_view>{};
      auto words = settings(kind(Id::mirror), mirror.record, skip);
      if (mirror.name.empty()) words.insert(words.begin(), "name=\"\"");
      variable("mirror", suffix + "_" + word, words);
    }
  }

  const Present& present_;
  const ovsdb::DatabaseSchema& schema_;
  std::string body_;
  std::vector<std::string> left_out_;
  bool lost_ = false;  // something of that is ovs-conf's own
  std::set<std::string, std::less<>> bridge_names_, port_names_, interface_names_;
  std::set<std::string, std::less<>> declared_ports_;
};

}  // namespace

std::string quoted(std::string_view text) {
  if (text.find_first_of("\"$`\\") == std::string_view::npos) return fmt::format("\"{}\"", text);
  std::string out = "'";
  for (char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

Dump dump(const Present& present, const ovsdb::DatabaseSchema& schema) { return Writer(present, schema).write(); }

}  // namespace ovs::conf
