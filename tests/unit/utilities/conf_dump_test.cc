#include "conf/dump.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/text.h"
#include "conf/describe.h"
#include "conf/evaluate.h"
#include "conf/numbers.h"
#include "unit/utilities/conf_world.h"

namespace ovs::conf {
namespace {

// Random content of a database, as others than ovs-conf may have made it.
class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_(seed) {}

  void fill(World& world) {
    json::array bridges, managers;
    for (std::size_t i = below(4); i-- > 0;) bridges.push_back(bridge(world));
    for (std::size_t i = below(3); i-- > 0;)
      managers.push_back(row(world, "Manager", {{"target", "ptcp:" + std::to_string(6640 + i)}}));
    json::object root = columns("Open_vSwitch");
    if (below(3) == 0) mark(root);
    root["bridges"] = set(bridges);
    root["manager_options"] = set(managers);
    if (below(4) == 0) root["ssl"] = row(world, "SSL", {{"private_key", "/k"}, {"certificate", "/c d"}, {"ca_cert", "none"}});
    world.insert("Open_vSwitch", ovs::to_text(root));
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  static json::array set(const json::array& elements) { return {"set", elements}; }

  std::string text() {
    static constexpr std::string_view some[] = {"a", "10.0.0.1:80", "two words", "$(reboot)", "\"", "'", "\\",
                                                "a=b,c", "[x]", "\n", "é", "`id`", "", "#x"};
    return std::string(some[below(std::size(some))]);
  }
  // A new name, often of characters that a variable's name cannot hold.
  std::string name() {
    static constexpr std::string_view some[] = {"tap", "eth0.", "vm-", "x_"};
    return std::string(some[below(std::size(some))]) + std::to_string(counter_++);
  }

  json::array uuid(const Uuid& u) { return {"uuid", u.to_string()}; }

  // What switches of any version may have in columns whose values a file may not have as it likes.
  std::string type() {
    static constexpr std::string_view some[] = {"", "", "", "", "system", "patch", "afxdp", "vxlan", "geneve", "dpdk",
                                                "mystery"};
    return std::string(some[below(std::size(some))]);
  }
  std::string datapath_type() {
    static constexpr std::string_view some[] = {"", "netdev", "system", "fancy"};
    return std::string(some[below(std::size(some))]);
  }
  json::array options() {
    static constexpr std::pair<std::string_view, std::string_view> some[] = {
        {"peer", "p"}, {"remote_ip", "192.0.2.1"}, {"key", "flow"}, {"n_rxq", "2"}, {"n_rxq", "many"},
        {"n_rxq_desc", "1024"}, {"xdp-mode", "native"}, {"xdp-mode", "skb"}, {"odd one", "x"}};
    json::array pairs;
    std::set<std::string_view> keys;
    for (std::size_t i = below(4); i-- > 0;)
      if (const auto& [key, value] = some[below(std::size(some))]; keys.insert(key).second)
        pairs.push_back(json::array{key, value});
    return json::array{"map", pairs};
  }

  // A mark as ovs-conf makes them, of some of what a row has.
  void mark(json::object& row) {
    Mark mark;
    mark.made = below(4) != 0;
    for (const auto& [column, value] : row) {
      const json::array* map = value.is_array() && value.get_array()[0] == "map" ? &value.get_array()[1].get_array()
          : nullptr;
      if (map)
        for (const auto& pair : *map) {
          if (below(2)) mark.set.insert(setting_name(column, std::string(pair.get_array()[0].get_string())));
        }
      else if (below(2))
        mark.set.insert(std::string(column));
    }
    json::value& ids = row["external_ids"];
    if (!ids.is_array()) ids = json::array{"map", json::array()};
    ids.get_array()[1].get_array().push_back(json::array{mark_key, mark.text()});
  }

  // Random values for some of a table's settings.
  json::object columns(const std::string& table) {
    json::object out;
    if (table == "Interface") {
      if (below(2)) out["type"] = type();
      if (below(2)) out["options"] = options();
    }
    if (table == "Bridge" && below(2)) out["datapath_type"] = datapath_type();
    json::array numbers;
    for (const NumberSetting& n : number_settings()) {
      if (kind(n.kind).table != table || below(3)) continue;
      const std::int64_t some[] = {n.least - 1, n.least, n.most, n.most + 1};
      const std::int64_t number = some[below(std::size(some))];
      if (n.key.empty())
        out[n.column] = number;
      else
        numbers.push_back(json::array{n.key, below(5) ? std::to_string(number) : "many"});
    }
    if (!numbers.empty()) out["other_config"] = json::array{"map", numbers};
    const Kind& k = *std::ranges::find(kinds(), table, &Kind::table);
    for (const ovsdb::ColumnSchema& c : test_schema().find(table)->columns) {
      if (!is_setting(k, c) || names_ports(c) || c.name == "targets" || c.name == "name" || c.name == "options" ||
          (c.name == "type" && table == "Interface") || c.name == "datapath_type" ||
          out.contains(c.name) || below(3))
        continue;
      if (c.type.is_map()) {
        out[c.name] = json::array{"map", json::array{json::array{"k" + text(), text()}, json::array{"system-id", "x"}}};
      } else if (c.type.key.enumeration) {
        out[c.name] = c.type.key.enumeration->key(below(c.type.key.enumeration->size())).to_json();
      } else if (c.type.key.type == ovsdb::AtomType::integer) {
        const auto low = std::max<std::int64_t>(c.type.key.min_integer, 0);
        const auto high = std::min<std::int64_t>(c.type.key.max_integer, low + 300);
        const auto n = low + static_cast<std::int64_t>(below(static_cast<std::size_t>(high - low + 1)));
        if (c.type.max > 1 && n < high)
          out[c.name] = json::array{"set", json::array{n, high}};
        else
          out[c.name] = n;
      } else if (c.type.key.type == ovsdb::AtomType::boolean) {
        out[c.name] = below(2) == 1;
      } else {
        out[c.name] = text();
      }
    }
    return out;
  }

  json::array row(World& world, const std::string& table, json::object fixed) {
    json::object all = columns(table);
    if (fixed.contains("type")) all["type"] = fixed["type"];
    if (table != "SSL" && test_schema().find(table)->find(mark_column) && below(3) == 0) mark(all);
    for (auto& [k, v] : fixed) all[k] = v;
    return uuid(world.insert(table, ovs::to_text(all)));
  }

  json::array port(World& world, std::string port_name, bool local) {
    json::array interfaces;
    const std::size_t n = local || below(3) ? 1 : 1 + below(3);
    for (std::size_t i = 0; i < n; i++) {
      json::object fixed{{"name", n == 1 && (local || below(4)) ? port_name : name()}};
      if (local || below(4) == 0) fixed["type"] = local && below(5) == 0 ? type() : "internal";
      interfaces.push_back(row(world, "Interface", fixed));
    }
    json::object fixed{{"name", port_name}, {"interfaces", set(interfaces)}};
    if (below(4) == 0) {
      json::array queues;
      for (std::size_t i = below(3); i-- > 0;) queues.push_back(json::array{i * 7, row(world, "Queue", {})});
      fixed["qos"] = row(world, "QoS", {{"queues", json::array{"map", queues}}});
    }
    return row(world, "Port", fixed);
  }

  json::array bridge(World& world) {
    const std::string bridge_name = name();
    json::array ports, controllers, mirrors;
    if (below(5)) ports.push_back(port(world, bridge_name, true));
    for (std::size_t i = below(5); i-- > 0;) ports.push_back(port(world, name(), false));
    for (std::size_t i = below(3); i-- > 0;)
      controllers.push_back(row(world, "Controller", {{"target", (below(8) ? "tcp:192.0.2." : "192.0.2.") + std::to_string(i)}}));
    for (std::size_t i = below(3); i-- > 0;) {
      json::object fixed{{"name", below(2) ? text() + std::to_string(i) : name()}};
      if (!ports.empty()) fixed["output_port"] = ports[below(ports.size())];
      mirrors.push_back(row(world, "Mirror", fixed));
    }
    json::object fixed{{"name", bridge_name}, {"ports", set(ports)}, {"controller", set(controllers)},
                       {"mirrors", set(mirrors)}};
    for (const auto& [table, column] : {std::pair("NetFlow", "netflow"), std::pair("sFlow", "sflow"),
                                        std::pair("IPFIX", "ipfix")})
      if (below(3) == 0) fixed[column] = row(world, table, {{"targets", set({below(8) ? "10.0.0.1:1" : "10.0.0.1", "[::1]:2"})}});
    if (below(5) == 0 && !fixed.contains("ipfix")) fixed["ipfix"] = uuid(world.insert("IPFIX", "{}"));
    return row(world, "Bridge", fixed);
  }

  std::mt19937 random_;
  int counter_ = 0;
};

Declared read_back(const std::string& text) {
  auto evaluation = evaluate(text);
  EXPECT_TRUE(evaluation) << text;
  for (const Mistake& m : evaluation->mistakes) ADD_FAILURE() << m.line << ": " << m.text << "\n" << text;
  Reading reading = read_declaration(evaluation->variables, test_schema());
  for (const Mistake& m : reading.mistakes) ADD_FAILURE() << m.line << ": " << m.text << "\n" << text;
  for (const Mistake& m : check_types(reading.declared.types, {}).mistakes)
    ADD_FAILURE() << m.line << ": " << m.text << "\n" << text;
  return std::move(reading.declared);
}

// Nothing is left out but what Chaos makes for that, and what belongs to it.
bool is_wanted(const std::string& sentence) {
  static constexpr std::string_view reasons[] = {"the switch has no type \"mystery\"", "the switch has no datapath_type",
                                                 "has no option", "of type patch needs options:peer", " cannot be \"",
                                                 "is left out: of its interface",
                                                 "is left out: it has to do with a port that is left out",
                                                 "is left out: this is no connection method",
                                                 "is left out: 10.0.0.1: the port is missing"};
  return std::ranges::any_of(reasons, [&](std::string_view r) { return sentence.find(r) != std::string::npos; });
}

// Without remarks, and without what keeps what they are about.
std::string declarations_of(const std::string& text) {
  std::string out;
  for (std::string_view line : split(text, '\n'))
    if (!line.starts_with('#') && !line.starts_with("ovs_keep_undeclared=") && !line.empty()) (out += line) += '\n';
  return out;
}

TEST(ConfDump, ApplyingADumpChangesNothing) {
  for (unsigned seed = 1; seed <= 150; seed++) {
    World world;
    Chaos(seed).fill(world);
    const Dump d = dump(world.present(), test_schema());
    for (const std::string& sentence : d.left_out) EXPECT_TRUE(is_wanted(sentence)) << seed << ": " << sentence;
    const Plan plan = world.plan(read_back(d.text));
    EXPECT_TRUE(plan.empty() && plan.refusals.empty()) << "seed " << seed << "\n"
                                                       << in_words(plan, world.present(), test_schema()) << d.text;
    if (HasFailure()) return;
  }
}

TEST(ConfDump, ADumpMakesTheSameInAnEmptyDatabase) {
  for (unsigned seed = 1; seed <= 40; seed++) {
    World world, other;
    Chaos(seed).fill(world);
    const std::string text = dump(world.present(), test_schema()).text;
    other.apply(read_back(text));
    // A bridge without a port of its name gets one, which is said in no variable.
    const std::string again = dump(other.present(), test_schema()).text;
    EXPECT_EQ(declarations_of(again), declarations_of(text)) << "seed " << seed;
    // What ovs-conf has made goes again, all of it.
    other.apply(declared({}));
    EXPECT_EQ(other.count("Bridge") + other.count("Port") + other.count("QoS") + other.count("Queue") + other.count("Manager"), 0u);
    if (HasFailure()) return;
  }
}

// A switch that comes from another version has ports and options that this one does not know.
TEST(ConfDump, WhatIsStoredOnlyIsDumped) {
  World world;
  auto port = [&](const std::string& name, const std::string& interface) {
    const Uuid i = world.insert("Interface", "{\"name\":\"" + name + "\"," + interface + "}");
    return json::array{"uuid", world.insert("Port", ovs::to_text(json::object{
        {"name", name}, {"interfaces", json::array{"uuid", i.to_string()}}})).to_string()};
  };
  const json::array ports{port("vx0", R"("type":"vxlan","options":["map",[["remote_ip","192.0.2.1"],["key","flow"]]])"),
                          port("x", R"("type":"afxdp","options":["map",[["xdp-mode","skb"],["n_rxq","2"]]])"),
                          port("m", R"("type":"mystery","external_ids":["map",[["ovs-conf","made"]]])")};
  const Uuid bridge = world.insert("Bridge", ovs::to_text(json::object{
      {"name", "br0"}, {"datapath_type", "fancy"}, {"ports", json::array{"set", ports}}}));
  world.insert("Open_vSwitch", "{\"bridges\":[\"uuid\",\"" + bridge.to_string() + "\"]}");
  const Dump d = dump(world.present(), test_schema());
  EXPECT_EQ(d.left_out,
            (std::vector<std::string>{
                "datapath_type of bridge br0 is left out: the switch has no datapath_type \"fancy\"; there are netdev, "
                "system",
                "interface m is left out: the switch has no type \"mystery\"; there are afxdp, afxdp-nonpmd, internal, "
                "patch, system, tap",
                "port m is left out: of its interface",
                "options:xdp-mode of interface x is left out: options:xdp-mode cannot be \"skb\"; there are "
                "best-effort, native-with-zerocopy, native, generic"}));
  for (std::string_view line : {"ovs_ports_br0=\"vx0 x\"\n", "\novs_keep_undeclared=\"yes\"\n",
                                "ovs_port_vx0=\"options:key=flow options:remote_ip=192.0.2.1 type=vxlan\"\n",
                                "ovs_port_x=\"options:n_rxq=2 type=afxdp\"\n"})
    EXPECT_NE(d.text.find(line), std::string::npos) << d.text;
  EXPECT_TRUE(world.plan(read_back(d.text)).empty());
}

TEST(ConfDump, WhatAFileCannotSayIsTold) {
  World world;
  auto port = [&](const std::string& name) {
    const Uuid i = world.insert("Interface", "{\"name\":\"" + name + "\"}");
    return "[\"uuid\",\"" + world.insert("Port",
                                         "{\"name\":\"" + name + "\",\"interfaces\":[\"uuid\",\"" + i.to_string() + "\"]}").to_string() + "\"]";
  };
  const std::string lost = port("a_b");
  const Uuid mirror = world.insert("Mirror", R"({"name":"m","output_port":)" + lost + "}");
  const Uuid bridge = world.insert("Bridge",
                                   "{\"name\":\"br0\",\"ports\":[\"set\",[" + port("a.b") + "," + lost +
                                       "]],\"mirrors\":[\"uuid\",\"" + mirror.to_string() + "\"]}");
  world.insert("Open_vSwitch", "{\"bridges\":[\"uuid\",\"" + bridge.to_string() + "\"]}");
  const Dump d = dump(world.present(), test_schema());
  EXPECT_EQ(d.left_out, (std::vector<std::string>{"port a_b is left out: another port has the same variables (a_b)",
                                                  "mirror m of bridge br0 is left out: it has to do with a port that is "
                                                  "left out"}));
  EXPECT_NE(d.text.find("ovs_ports_br0=\"a.b\"\n"), std::string::npos);
  EXPECT_NE(d.text.find("# port a_b is left out"), std::string::npos);
  EXPECT_TRUE(world.plan(read_back(d.text)).empty());
}

// Names come from whoever may write to the database.
TEST(ConfDump, ANameIsNoCommand) {
  World world;
  auto port = [&](const std::string& name) {
    json::object interface{{"name", name}};
    const Uuid i = world.insert("Interface", ovs::to_text(interface));
    json::object row{{"name", name}, {"interfaces", json::array{"uuid", i.to_string()}}};
    return json::array{"uuid", world.insert("Port", ovs::to_text(row)).to_string()};
  };
  json::array ports{port("p0"), port("p\nexit 7"), port("q$(exit)"), port("`exit`"), port("--"), port("r\r\nexit 7")};
  json::array mirrors;
  for (int i = 0; i < 2; i++)  // the second is left out, which a comment says
    mirrors.push_back(json::array{"uuid", world.insert("Mirror", R"({"name":"m\nexit 7"})").to_string()});
  const json::array controllers = array_of(
      json::array{"uuid", world.insert("Controller", R"({"target":"x\nexit 7\n"})").to_string()});
  json::object bridge{{"name", "br0"}, {"ports", json::array{"set", ports}}, {"mirrors", json::array{"set", mirrors}},
                      {"controller", json::array{"set", controllers}}};
  const Uuid uuid = world.insert("Bridge", ovs::to_text(bridge));
  world.insert("Open_vSwitch", "{\"bridges\":[\"uuid\",\"" + uuid.to_string() + "\"]}");
  const Dump d = dump(world.present(), test_schema());
  EXPECT_EQ(d.left_out.size(), 5u);
  for (const std::string& sentence : d.left_out) EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
  // An exit would end the shell before the variables are known, and another command would leave a remark.
  auto evaluation = evaluate(d.text);
  ASSERT_TRUE(evaluation);
  EXPECT_TRUE(evaluation->mistakes.empty()) << d.text;
  EXPECT_TRUE(evaluation->remarks.empty()) << d.text;
  EXPECT_TRUE(world.plan(read_back(d.text)).empty());
}

TEST(ConfDump, QuotesForTheShell) {
  EXPECT_EQ(quoted("a b"), "\"a b\"");
  EXPECT_EQ(quoted("it's"), "\"it's\"");
  EXPECT_EQ(quoted("$x"), "'$x'");
  EXPECT_EQ(quoted("$'x"), "'$'\\''x'");
}

}  // namespace
}  // namespace ovs::conf
