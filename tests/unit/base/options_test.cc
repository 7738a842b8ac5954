#include "base/options.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace ovs {
namespace {

using Words = std::vector<std::string>;

// A program's options that write down what was given.
class Options : public testing::Test {
 protected:
  void SetUp() override {
    const auto note = [this](std::string name) {
      return [this, name](std::optional<std::string_view> value) -> Result<void> {
        given_ += name + (value ? "=" + std::string(*value) : "") + ";";
        if (value == "bad") return unexpected("bad value");
        return {};
      };
    };
    groups_.push_back({"Main options:",
                       {{'t', "timeout", ArgumentKind::required, "SECS", "wait at most SECS", note("timeout")},
                        {0, "dry-run", ArgumentKind::none, "", "change nothing", note("dry-run")},
                        {'v', "verbose", ArgumentKind::optional, "SPEC", "say more", note("verbose")},
                        {'q', "", ArgumentKind::none, "", "be quiet", note("q")}}});
    groups_.push_back({"Other options:",
                       {{'V', "version", ArgumentKind::none, "", "print the version", note("version")},
                        {0, "data", ArgumentKind::required, "FORMAT", "", note("data")}}});
  }

  std::string parse(const Words& words, bool leave_unknown = false, bool permute = false) {
    given_.clear();
    const auto left = parse_options(groups_, words, leave_unknown, permute);
    if (!left) return given_ + " error: " + left.error().message;
    std::string out = given_;
    for (const std::string& word : *left) out += " " + word;
    return out;
  }

  std::vector<OptionGroup> groups_;
  std::string given_;
};

TEST_F(Options, FormsOfValues) {
  EXPECT_EQ(parse({"--timeout=5", "cmd"}), "timeout=5; cmd");
  EXPECT_EQ(parse({"--timeout", "5", "cmd"}), "timeout=5; cmd");
  EXPECT_EQ(parse({"-t5", "-t", "6", "cmd"}), "timeout=5;timeout=6; cmd");
  EXPECT_EQ(parse({"--timeout=", "cmd"}), "timeout=; cmd");
  EXPECT_EQ(parse({"-v", "spec"}), "verbose; spec");
  EXPECT_EQ(parse({"-vdbg", "--verbose", "--verbose=x:y"}), "verbose=dbg;verbose;verbose=x:y;");
  EXPECT_EQ(parse({"-qVt5"}), "q;version;timeout=5;");
}

TEST_F(Options, LongNamesMayBeShortened) {
  EXPECT_EQ(parse({"--dry", "--dat=x"}), "dry-run;data=x;");
  EXPECT_EQ(parse({"--ver"}), " error: option '--ver' is ambiguous; possibilities: '--verbose' '--version'");
  EXPECT_EQ(parse({"--d"}), " error: option '--d' is ambiguous; possibilities: '--dry-run' '--data'");
}

TEST_F(Options, Errors) {
  EXPECT_EQ(parse({"--timeout"}), " error: option '--timeout' requires an argument");
  EXPECT_EQ(parse({"-t"}), " error: option requires an argument -- 't'");
  EXPECT_EQ(parse({"--dry-run=x"}), " error: option '--dry-run' doesn't allow an argument");
  EXPECT_EQ(parse({"--nosuch"}), " error: unrecognized option '--nosuch'");
  EXPECT_EQ(parse({"--timeuot=5"}), " error: unrecognized option '--timeuot'; did you mean '--timeout'?");
  EXPECT_EQ(parse({"-Z"}), " error: invalid option -- 'Z'");
  EXPECT_EQ(parse({"-t", "bad"}), "timeout=bad; error: bad value");
}

TEST_F(Options, EndAtTheFirstWord) {
  EXPECT_EQ(parse({"-q", "cmd", "-q"}), "q; cmd -q");
  EXPECT_EQ(parse({"-q", "-", "-q"}), "q; - -q");
  EXPECT_EQ(parse({"-q", "--", "-q"}), "q; -q");
  EXPECT_EQ(parse({}), "");
}

TEST_F(Options, PermuteFindsThemBehindWords) {
  EXPECT_EQ(parse({"cmd", "-q", "x", "--timeout", "5", "--", "-q"}, false, true), "q;timeout=5; cmd x -q");
}

TEST_F(Options, UnknownOnesCanBeLeft) {
  EXPECT_EQ(parse({"-q", "--if-exists", "del-br", "br0"}, true), "q; --if-exists del-br br0");
  EXPECT_EQ(parse({"-q", "-Z", "x"}, true), "q; -Z x");
  EXPECT_EQ(parse({"--timeout"}, true), " error: option '--timeout' requires an argument");
  EXPECT_EQ(parse({"--ver"}, true), " error: option '--ver' is ambiguous; possibilities: '--verbose' '--version'");
  EXPECT_EQ(parse({"-qZ"}, true), "q; error: invalid option -- 'Z'");
}

TEST_F(Options, HelpIsMadeFromTheSameRows) {
  groups_.insert(groups_.begin() + 1, OptionGroup{"Nothing to show:", {{'x', "hidden", ArgumentKind::none, "", "", {}}}});
  EXPECT_EQ(options_help(groups_),
            "Main options:\n"
            "  -t, --timeout=SECS          wait at most SECS\n"
            "  --dry-run                   change nothing\n"
            "  -v, --verbose[=SPEC]        say more\n"
            "  -q                          be quiet\n"
            "\n"
            "Other options:\n"
            "  -V, --version               print the version\n");
}

TEST(LogOptions, SetLevels) {
  const std::vector<OptionGroup> groups{log_options()};
  const auto parse = [&groups](const Words& words) { return parse_options(groups, words); };
  ASSERT_TRUE(parse({"-vinfo", "-vvlog:syslog:emer"}));
  EXPECT_NE(log_list().find("vlog              INFO       EMER       INFO"), std::string::npos) << log_list();
  ASSERT_TRUE(parse({"--verbose=off", "--verb", "--verbose=info"}));
  const auto bad = parse({"-vfoo"});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "processing \"foo\": no destination, level, or module \"foo\"");
  EXPECT_FALSE(parse({"--syslog-method=nosuch"}));
  EXPECT_FALSE(parse({"--syslog-target=nosuch"}));
}

TEST(CommonOptionsDeathTest, PrintAndExit) {
  const std::vector<OptionGroup> groups{common_options([] { return "help text\n"; }, [] { return "version text\n"; })};
  EXPECT_EXIT((void)parse_options(groups, Words{"-h"}), testing::ExitedWithCode(0), "");
  EXPECT_EXIT((void)parse_options(groups, Words{"--version"}), testing::ExitedWithCode(0), "");
}

TEST(DieDeathTest, SaysWhoAndWhy) {
  EXPECT_EXIT(die("it broke", 2), testing::ExitedWithCode(2), "base_tests: it broke\n");
}

}  // namespace
}  // namespace ovs
