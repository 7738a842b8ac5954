#include "base/command.h"

#include <gtest/gtest.h>

#include "base/coverage.h"
#include "base/log.h"
#include "base/paths.h"

namespace ovs {
namespace {

struct ArityCase {
  std::string_view synopsis;
  std::size_t min, max;
};

TEST(Arity, IsReadFromTheSynopsis) {
  constexpr auto unlimited = Arity::unlimited;
  const ArityCase cases[] = {
      {"", 0, 0},
      {"NAME", 1, 1},
      {"NAME [TARGET]...", 1, unlimited},
      {"BRIDGE PORT [COLUMN[:KEY]=VALUE]...", 2, unlimited},
      {"BRIDGE [PARENT VLAN]", 1, 3},
      {"[BRIDGE] PORT", 1, 2},
      {"BRIDGE KEY [VALUE]", 2, 3},
      {"TABLE RECORD COLUMN [KEY=]VALUE", 4, 4},
      {"TABLE RECORD COLUMN[:KEY]=VALUE...", 3, unlimited},
      {"DB:TABLE on|off", 2, 2},
      {"[on|off]", 0, 1},
      {"[A [B [C]]]", 0, 3},
      {"{SPEC | PATTERN:DESTINATION:PATTERN}", 1, 1},
      {"[SPEC | NAME VALUE]", 0, 2},
      {"A B | C", 1, 2},
      {"PORT...", 1, unlimited},
  };
  for (const ArityCase& c : cases) {
    const Arity arity = arity_of(c.synopsis);
    EXPECT_EQ(arity.min, c.min) << c.synopsis;
    EXPECT_EQ(arity.max, c.max) << c.synopsis;
  }
}

TEST(Arity, ErrorsNameTheCommandAndItsSynopsis) {
  const CommandInfo info{"add-port", "BRIDGE PORT", "", "", Access::read_write};
  EXPECT_TRUE(check_arity(info, 2));
  EXPECT_EQ(check_arity(info, 1).error().message,
            "'add-port' command requires at least 2 arguments (usage: add-port BRIDGE PORT)");
  EXPECT_EQ(check_arity(info, 3).error().message,
            "'add-port' command takes at most 2 arguments (usage: add-port BRIDGE PORT)");
  EXPECT_EQ(check_arity(CommandInfo{"x", "A", "", ""}, 0).error().message,
            "'x' command requires at least 1 arguments (usage: x A)");
  EXPECT_EQ(check_arity(CommandInfo{"y", "", "", ""}, 1).error().message,
            "'y' command takes at most 0 arguments (usage: y)");
}

TEST(Commands, AnUnknownOneSuggestsTheNearest) {
  const std::string_view known[] = {"add-br", "del-br"};
  EXPECT_EQ(unknown_command("ad-br", known), "unknown command 'ad-br'; did you mean 'add-br'?");
  EXPECT_EQ(unknown_command("frobnicate", known), "unknown command 'frobnicate'; use --help for help");
}

struct Answer {
  int count = 0;
  bool ok = false;
  std::string text;
};

Answer run(const ControlTable& table, const std::string& name, const std::vector<std::string>& arguments = {}) {
  Answer answer;
  table.run(name, arguments, ControlReply([&answer](bool ok, std::string text) {
              answer = {answer.count + 1, ok, std::move(text)};
            }));
  return answer;
}

TEST(ControlTable, RunsAndAnswers) {
  ControlTable table;
  table.add({"join", "A B", "", ""}, [](std::span<const std::string> a) -> Result<std::string> { return a[0] + a[1]; });
  table.add({"fail", "", "", ""}, [](auto) -> Result<std::string> { return unexpected("because"); });
  Answer a = run(table, "join", {"x", "y"});
  EXPECT_EQ(a.count, 1);
  EXPECT_TRUE(a.ok);
  EXPECT_EQ(a.text, "xy");
  a = run(table, "fail");
  EXPECT_FALSE(a.ok);
  EXPECT_EQ(a.text, "because");
  a = run(table, "join", {"x"});
  EXPECT_FALSE(a.ok);
  EXPECT_EQ(a.text, "\"join\" command requires at least 2 arguments");
  EXPECT_EQ(run(table, "fail", {"x"}).text, "\"fail\" command takes at most 0 arguments");
  a = run(table, "jion", {"x", "y"});
  EXPECT_FALSE(a.ok);
  EXPECT_EQ(a.text,
            "\"jion\" is not a valid command (use \"list-commands\" to see a list of valid commands); did you mean "
            "\"join\"?");
}

TEST(ControlTable, AReplyMayWait) {
  ControlTable table;
  std::optional<ControlReply> kept;
  table.add({"wait", "", "", ""},
            [&kept](std::span<const std::string>, ControlReply reply) { kept.emplace(std::move(reply)); });
  Answer answer;
  table.run("wait", {}, ControlReply([&answer](bool ok, std::string text) { answer = {answer.count + 1, ok, text}; }));
  EXPECT_EQ(answer.count, 0);
  kept->ok("now");
  kept->error("not twice");
  kept.reset();
  EXPECT_EQ(answer.count, 1);
  EXPECT_EQ(answer.text, "now");
}

TEST(ControlTable, ADroppedReplyIsAnError) {
  ControlTable table;
  table.add({"drop", "", "", ""}, [](std::span<const std::string>, ControlReply) {});
  const Answer answer = run(table, "drop");
  EXPECT_EQ(answer.count, 1);
  EXPECT_FALSE(answer.ok);
}

TEST(ControlTable, ListsLikeTheField) {
  ControlTable table;
  table.add({"b", "X [Y]", "", ""}, [](auto) -> Result<std::string> { return std::string(); });
  table.add({"a/quite-long-name-of-a-command", "", "", ""}, [](auto) -> Result<std::string> { return std::string(); });
  EXPECT_EQ(table.list(),
            "The available commands are:\n"
            "  a/quite-long-name-of-a-command \n"
            "  b                       X [Y]\n");
}

TEST(BaseCommands, AreServed) {
  ControlTable table;
  add_base_commands(table);
  EXPECT_EQ(run(table, "list-commands").text, table.list());
  EXPECT_EQ(run(table, "version").text,
            program_name() + " (Open vSwitch) " + std::string(package_version()) + "\n");
  EXPECT_EQ(run(table, "vlog/list").text, log_list());
  EXPECT_EQ(run(table, "vlog/list-pattern").text, log_list_patterns());
  EXPECT_FALSE(run(table, "vlog/set", {"nosuch"}).ok);
  EXPECT_TRUE(run(table, "vlog/set", {"check:syslog:dbg", "check:file:warn"}).ok);
  EXPECT_NE(log_list().find("check             INFO        DBG       WARN"), std::string::npos) << log_list();
  EXPECT_TRUE(run(table, "vlog/set", {"info"}).ok);
  EXPECT_FALSE(run(table, "vlog/disable-rate-limit", {"nosuch"}).ok);
  EXPECT_TRUE(run(table, "vlog/disable-rate-limit", {"check"}).ok);
  EXPECT_NE(log_list().find("(rate limiting disabled)"), std::string::npos);
  EXPECT_TRUE(run(table, "vlog/enable-rate-limit").ok);
  EXPECT_EQ(log_list().find("(rate limiting disabled)"), std::string::npos);
  EXPECT_TRUE(run(table, "vlog/close").ok);
}

Coverage tasted{"test_tasted"};
Coverage spoilt{"test_spoilt"};

TEST(Coverage, CountsAndRates) {
  ControlTable table;
  add_base_commands(table);
  tasted.add(30);
  coverage_tick();
  EXPECT_EQ(run(table, "coverage/read-counter", {"test_tasted"}).text, "30\n");
  EXPECT_EQ(run(table, "coverage/read-counter", {"nosuch"}).text, "No such counter");
  const std::string shown = run(table, "coverage/show").text;
  EXPECT_NE(shown.find("test_tasted                6.0/sec     0.500/sec        0.0083/sec   total: 30\n"), std::string::npos)
      << shown;
  EXPECT_EQ(shown.find("test_spoilt"), std::string::npos);
  EXPECT_NE(shown.find("1 events never hit\n"), std::string::npos);
  // A minute later the hour still remembers, an hour later nothing does.
  for (int i = 0; i < 12; i++) coverage_tick();
  EXPECT_NE(coverage_show().find("  0.0/sec     0.000/sec        0.0083/sec   total: 30"), std::string::npos) << coverage_show();
  for (int i = 0; i < 12 * 60; i++) coverage_tick();
  EXPECT_NE(coverage_show().find("  0.0/sec     0.000/sec        0.0000/sec   total: 30"), std::string::npos) << coverage_show();
}

}  // namespace
}  // namespace ovs
