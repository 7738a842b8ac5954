#include "vsctl/arguments.h"

#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "runtime/tls_config.h"

namespace ovs::vsctl {
namespace {

class ArgumentsTest : public testing::Test {
 protected:
  // "OPTIONS COMMAND(ARG,ARG); COMMAND()" or the error.
  std::string parse(std::vector<std::string> words) {
    settings = {};
    Option timeout{'t', "timeout", ArgumentKind::required, "SECS", "", [](auto) -> Result<void> { return {}; }};
    auto groups = option_groups(settings, std::move(timeout));
    auto r = parse_command_line(groups, words);
    if (!r) return r.error().message;
    std::string out;
    for (const Invocation& i : *r) {
      if (!out.empty()) out += "; ";
      for (const auto& [name, value] : i.options) out += name + (value.empty() ? "" : "=" + value) + " ";
      out += std::string(i.command->info.name) + "(" + join(i.arguments, ",") + ")";
    }
    return out;
  }
  Settings settings;
};

TEST_F(ArgumentsTest, CommandsAndTheirOptions) {
  EXPECT_EQ(parse({"add-br", "br0"}), "add-br(br0)");
  EXPECT_EQ(parse({"--", "add-br", "br0"}), "add-br(br0)");
  EXPECT_EQ(parse({"--may-exist", "add-br", "br0"}), "--may-exist add-br(br0)");
  EXPECT_EQ(parse({"--may-exist", "--no-wait", "add-br", "br0", "--", "--if-exists", "del-br", "br1"}),
            "--may-exist add-br(br0); --if-exists del-br(br1)");
  EXPECT_FALSE(settings.wait);
  EXPECT_EQ(parse({"--id=@x", "create", "qos", "type=a"}), "--id=@x create(qos,type=a)");
  EXPECT_EQ(parse({"--id", "@x", "create", "qos", "type=a"}), "--id=@x create(qos,type=a)");
  EXPECT_EQ(parse({"list-br", "--", "--", "list-br", "--"}), "list-br(); list-br()");
  EXPECT_EQ(parse({"--col=name", "list", "bridge"}), "--columns=name list(bridge)");
}

TEST_F(ArgumentsTest, OneDashForTwo) {
  EXPECT_EQ(parse({"-id=@s", "create", "sflow", "agent=x"}), "--id=@s create(sflow,agent=x)");
  EXPECT_EQ(parse({"--", "-id=@s", "create", "sflow", "agent=x"}), "--id=@s create(sflow,agent=x)");
  EXPECT_EQ(parse({"--no-wait", "--", "-if-exists", "del-br", "x"}), "--if-exists del-br(x)");
  EXPECT_EQ(parse({"-idx", "list-br"}), "invalid option -- 'i'");
  // Behind the command's name, a word with a dash is an argument.
  EXPECT_EQ(parse({"comment", "-id=@s"}), "comment(-id=@s)");
}

TEST_F(ArgumentsTest, Errors) {
  EXPECT_EQ(parse({}), "missing command name (use --help for help)");
  EXPECT_EQ(parse({"--no-wait"}), "missing command name (use --help for help)");
  EXPECT_EQ(parse({"--", "--may-exist"}), "missing command name (use --help for help)");
  EXPECT_EQ(parse({"add-brr", "x"}), "unknown command 'add-brr'; did you mean 'add-br'?");
  EXPECT_EQ(parse({"--if-exists", "add-br", "x"}), "'add-br' command has no '--if-exists' option");
  EXPECT_EQ(parse({"--", "--columns", "list", "bridge"}), "missing argument to '--columns' option on 'list' command");
  EXPECT_EQ(parse({"--may-exist=3", "add-br", "x"}), "'--may-exist' option on 'add-br' does not accept an argument");
  EXPECT_EQ(parse({"--", "--may-exist", "--may-exist", "add-br", "x"}), "'--may-exist' option specified multiple times");
  EXPECT_TRUE(parse({"del-br"}).starts_with("'del-br' command requires at least 1 argument")) << parse({"del-br"});
  EXPECT_TRUE(parse({"del-br", "a", "b"}).starts_with("'del-br' command takes at most 1 argument"));
  EXPECT_TRUE(parse({"--nowait", "list-br"}).starts_with("unrecognized option '--nowait'"));
}

TEST_F(ArgumentsTest, TypographicCharactersAreNamed) {
  EXPECT_EQ(parse({"add-br", "“br0”"}),
            "“br0”: the character “ (U+201C, left double quotation mark) comes from a word processor or a web page; "
            "type \" instead (or put the whole value in double quotes, if it is meant)");
  EXPECT_NE(parse({"–may-exist", "add-br", "br0"}).find("U+2013, en dash"), std::string::npos);
  EXPECT_NE(parse({"—may-exist", "add-br", "br0"}).find("type -- instead"), std::string::npos);
  EXPECT_NE(parse({"--no-wait", "—", "add-br", "br0"}).find("U+2014"), std::string::npos);
  EXPECT_NE(parse({"--", "-–id=@x", "create", "qos", "type=a"}).find("U+2013"), std::string::npos);
  EXPECT_NE(parse({"set", "bridge", "br0", "external_ids:a=‘x’"}).find("U+2018"), std::string::npos);
  // What is meant as text is text.
  EXPECT_EQ(parse({"set", "bridge", "br0", "external_ids:a=\"it’s – “so”\""}),
            "set(bridge,br0,external_ids:a=\"it’s – “so”\")");
  EXPECT_EQ(parse({"comment", "“quoted”"}), "comment(“quoted”)");
  EXPECT_EQ(parse({"br-set-external-id", "br0", "k", "“v”"}), "br-set-external-id(br0,k,“v”)");
  EXPECT_NE(parse({"br-set-external-id", "br0", "“k”", "v"}).find("U+201C"), std::string::npos);
  EXPECT_EQ(parse({"add-br", "brücke"}), "add-br(brücke)");
}

TEST_F(ArgumentsTest, GlobalOptions) {
  EXPECT_EQ(parse({"--db=tcp:1.2.3.4:6640", "--oneline", "--dry-run", "--retry", "-t", "5", "-f", "csv", "list-br"}),
            "list-br()");
  EXPECT_EQ(settings.db, "tcp:1.2.3.4:6640");
  EXPECT_TRUE(settings.oneline && settings.dry_run && settings.retry && settings.wait);
  EXPECT_EQ(settings.style.format, utilities::TableFormat::csv);
  const std::string with_keys = parse({"--private-key=a", "-c", "b", "-C", "c", "list-br"});
  if (runtime::tls_supported()) {
    EXPECT_EQ(with_keys, "list-br()");
  } else {
    EXPECT_TRUE(with_keys.starts_with("--private-key: this build has no TLS")) << with_keys;
  }
}

TEST(VsctlCommands, TheTableIsWhole) {
  std::set<std::string_view> names;
  for (const Command& c : commands()) {
    EXPECT_TRUE(names.insert(c.info.name).second) << c.info.name << " stands there twice";
    EXPECT_TRUE(c.run) << c.info.name;
    EXPECT_FALSE(c.info.summary.empty()) << c.info.name;
    EXPECT_FALSE(c.group.empty()) << c.info.name;
    EXPECT_EQ(find_command(c.info.name), &c);
    for (std::string_view option : split_any(c.info.options, ",")) EXPECT_TRUE(option.starts_with("--")) << option;
  }
  EXPECT_EQ(find_command("nonsense"), nullptr);
}

TEST(VsctlCommands, ListsForCompletion) {
  std::string text = commands_text();
  EXPECT_NE(text.find("[--may-exist],add-br,BRIDGE [PARENT VLAN]\n"), std::string::npos);
  EXPECT_NE(text.find("\n[--if-exists] [--with-iface],del-port,[BRIDGE] PORT\n"), std::string::npos);
  Settings settings;
  auto groups = option_groups(settings, {'t', "timeout", ArgumentKind::required, "SECS", "", nullptr});
  std::string options = options_text(groups);
  EXPECT_NE(options.find("--db=ARG\n"), std::string::npos);
  EXPECT_NE(options.find("-t ARG\n"), std::string::npos);
  EXPECT_NE(options.find("--no-wait\n"), std::string::npos);
}

}  // namespace
}  // namespace ovs::vsctl
