#include "conf/dump.h"

#include <gtest/gtest.h>

#include <random>

#include "conf/describe.h"
#include "conf/evaluate.h"
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

  // Random values for some of a table's settings.
  json::object columns(const std::string& table) {
    json::object out;
    const Kind& k = *std::ranges::find(kinds(), table, &Kind::table);
    for (const ovsdb::ColumnSchema& c : test_schema().find(table)->columns) {
      if (!is_setting(k, c) || names_ports(c) || c.name == "targets" || c.name == "name" || below(3)) continue;
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
    for (auto& [k, v] : fixed) all[k] = v;
    return uuid(world.insert(table, ovs::to_text(all)));
  }

  json::array port(World& world, std::string port_name, bool local) {
    json::array interfaces;
    const std::size_t n = local || below(3) ? 1 : 1 + below(3);
    for (std::size_t i = 0; i < n; i++) {
      json::object fixed{{"name", n == 1 && (local || below(4)) ? port_name : name()}};
      if (local || below(4) == 0) fixed["type"] = local && below(5) == 0 ? "" : "internal";
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
      controllers.push_back(row(world, "Controller", {{"target", "tcp:192.0.2." + std::to_string(i)}}));
    for (std::size_t i = below(3); i-- > 0;) {
      json::object fixed{{"name", below(2) ? text() + std::to_string(i) : name()}};
      if (!ports.empty()) fixed["output_port"] = ports[below(ports.size())];
      mirrors.push_back(row(world, "Mirror", fixed));
    }
    json::object fixed{{"name", bridge_name}, {"ports", set(ports)}, {"controller", set(controllers)},
                       {"mirrors", set(mirrors)}};
    for (const auto& [table, column] : {std::pair("NetFlow", "netflow"), std::pair("sFlow", "sflow"),
                                        std::pair("IPFIX", "ipfix")})
      if (below(3) == 0) fixed[column] = row(world, table, {{"targets", set({"10.0.0.1:1", "[::1]:2"})}});
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
  return std::move(reading.declared);
}

TEST(ConfDump, ApplyingADumpChangesNothing) {
  for (unsigned seed = 1; seed <= 150; seed++) {
    World world;
    Chaos(seed).fill(world);
    const Dump d = dump(world.present(), test_schema());
    EXPECT_TRUE(d.left_out.empty()) << seed << ": " << d.left_out[0];
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
    EXPECT_EQ(dump(other.present(), test_schema()).text, text) << "seed " << seed;
    // What ovs-conf has made goes again, all of it.
    other.apply(declared({}));
    EXPECT_EQ(other.count("Bridge") + other.count("Port") + other.count("QoS") + other.count("Queue") + other.count("Manager"), 0u);
    if (HasFailure()) return;
  }
}

TEST(ConfDump, WhatAFileCannotSayIsTold) {
  World world;
  auto port = [&](const std::string& name) {
    const Uuid i = world.insert("Interface", "{\"name\":\"" + name + "\"}");
    return "[\"uuid\",\"" + world.insert("Port",
                                         "{\"name\":\"" + name + "\",\"interfaces\":[\"uuid\",\"" + i.to_string() + "\"]}").to_string() + "\"]";
  };
  const Uuid bridge = world.insert("Bridge",
                                   "{\"name\":\"br0\",\"ports\":[\"set\",[" + port("a.b") + "," + port("a_b") + "]]}");
  world.insert("Open_vSwitch", "{\"bridges\":[\"uuid\",\"" + bridge.to_string() + "\"]}");
  const Dump d = dump(world.present(), test_schema());
  EXPECT_EQ(d.left_out, (std::vector<std::string>{"port a_b is left out: another port has the same variables (a_b)"}));
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
