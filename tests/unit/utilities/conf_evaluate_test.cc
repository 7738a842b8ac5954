#include "conf/evaluate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace ovs::conf {
namespace {

// With every shell of these that this host has.
class ConfEvaluate : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (::access(GetParam().c_str(), X_OK) != 0) GTEST_SKIP() << "there is no " << GetParam();
    limits_.shell = GetParam();
  }
  Evaluation run(std::string_view text) {
    auto e = evaluate(text, limits_);
    EXPECT_TRUE(e);
    return e ? std::move(*e) : Evaluation{};
  }
  static std::string values(const Evaluation& e) {
    std::string out;
    for (const Variable& v : e.variables) out += v.name + "@" + std::to_string(v.line) + "=" + v.value + ";";
    return out;
  }
  Limits limits_;
};

TEST_P(ConfEvaluate, ValuesArriveAsTheyAre) {
  const Evaluation e = run(
      "# ovs_b=comment\n"
      "ovs_a='it\"s $HOME `x` \\ ;'\n"
      "other=1\n"
      "ovs_b=\"one\n"
      "ovs_c=fake\"\n"
      "ovs_d=$(printf 'a; touch /x; ') ovs_e=\"$ovs_a$other\"\n"
      "ovs_f=1; ovs_f=2\n"
      "for n in x y; do eval \"ovs_g_$n=$n\"; done\n");
  EXPECT_TRUE(e.mistakes.empty());
  EXPECT_EQ(values(e),
            "ovs_a@2=it\"s $HOME `x` \\ ;;ovs_b@4=one\novs_c=fake;ovs_d@6=a; touch /x; ;ovs_e@6=it\"s $HOME `x` \\ ;1;ovs_f@7=2;"
            "ovs_g_x@0=x;ovs_g_y@0=y;");
}

TEST_P(ConfEvaluate, TheEnvironmentDoesNotCount) {
  ::setenv("ovs_bridges", "br9", 1);
  const Evaluation e = run("ovs_a=1\n");
  ::unsetenv("ovs_bridges");
  EXPECT_EQ(values(e), "ovs_a@1=1;");
}

TEST_P(ConfEvaluate, MistakesOfTheShellHaveLines) {
  Evaluation e = run("ovs_a=1\novs_b = 2\n");
  ASSERT_EQ(e.mistakes.size(), 1u);
  EXPECT_EQ(e.mistakes[0].line, 2);
  EXPECT_NE(e.mistakes[0].text.find("an assignment has no spaces around \"=\""),
            std::string::npos) << e.mistakes[0].text;
  e = run("ovs_a=1\n\nif true; then\novs_b=1\n");
  ASSERT_FALSE(e.mistakes.empty());
  EXPECT_GE(e.mistakes[0].line, 3);
  e = run("ovs_a=1\novs_b=\"2\n");
  ASSERT_FALSE(e.mistakes.empty());
  EXPECT_NE(e.mistakes[0].text.find("a quote is missing"), std::string::npos) << e.mistakes[0].text;
  e = run("ovs_a=$((1 +))\n");
  ASSERT_FALSE(e.mistakes.empty());
  EXPECT_EQ(e.mistakes[0].line, 1);
  e = run(". /does/not/exist\n");
  EXPECT_FALSE(e.mistakes.empty());
}

TEST_P(ConfEvaluate, ExitIsAMistake) {
  const Evaluation e = run("ovs_a=1\nexit 0\n");
  ASSERT_EQ(e.mistakes.size(), 1u);
  EXPECT_EQ(e.mistakes[0].text, "sh ended with status 0 before the end of the file: is there an \"exit\" in it?");
}

// Else everything would be undeclared, and removed.
TEST_P(ConfEvaluate, HidingVariablesIsAMistake) {
  const Evaluation e = run("set +a\novs_a=1\n");
  ASSERT_EQ(e.mistakes.size(), 1u);
  EXPECT_EQ(e.mistakes[0].text, "\"set +a\" hides the variables from ovs-conf: take it out");
  EXPECT_EQ(values(run("set +a; helper=1; set -a\nset -f -- x y\novs_a=$helper\n")), "ovs_a@3=1;");
}

TEST_P(ConfEvaluate, AnEndlessFileIsEnded) {
  limits_.time = std::chrono::milliseconds(300);
  for (std::string_view text : {"sleep 1000\n", "while :; do :; done\n", "ovs_a=$(cat /dev/zero | sleep 1000)\n"}) {
    const auto begin = std::chrono::steady_clock::now();
    const Evaluation e = run(text);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    ASSERT_EQ(e.mistakes.size(), 1u) << text;
    EXPECT_NE(e.mistakes[0].text.find("has not finished the file within 0.3 seconds"), std::string::npos);
  }
}

TEST_P(ConfEvaluate, TooMuchIsEnded) {
  limits_.bytes = 100000;
  const Evaluation e = run("while :; do echo some words; done\n");
  ASSERT_EQ(e.mistakes.size(), 1u);
  EXPECT_EQ(e.mistakes[0].text, "the file makes sh write more than 100000 bytes");
}

TEST_P(ConfEvaluate, ABackgroundProcessIsNotWaitedFor) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(values(run("sleep 1000 &\novs_a=1\n")), "ovs_a@2=1;");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8));
}

TEST_P(ConfEvaluate, WhatCommandsSayIsARemark) {
  const Evaluation e = run("echo to stdout\necho to stderr >&2\novs_a=1\n");
  EXPECT_TRUE(e.mistakes.empty());
  EXPECT_EQ(e.remarks, (std::vector<std::string>{"to stdout", "to stderr"}));
}

TEST_P(ConfEvaluate, AVariableThatIsSetTwiceIsARemark) {
  using V = std::vector<std::string>;
  EXPECT_EQ(run("ovs_a=\"1\"\n# and\n\nother=1\novs_a=\"2\"\n").remarks,
            V{"ovs_a is set in line 1 and again in line 5: only the last one counts"});
  for (const char* normal : {"ovs_a=1\novs_a=\"$ovs_a 2\"\n", "ovs_a=1\novs_a=\"${ovs_a} 2\"\n", "ovs_a=1\novs_b=$ovs_a\novs_a=2\n",
                             "if true; then\novs_a=1\nelse\novs_a=2\nfi\n", "ovs_a=1\nif false; then\novs_a=2\nfi\n",
                             "ovs_a=1\ntrue || ovs_a=2\n", "ovs_a=1\n  ovs_a=2\n", "ovs_a=1\novs_a_b=2\n",
                             "ovs_b='x\novs_a=1\novs_a=2\n'\n"})
    EXPECT_EQ(run(normal).remarks, V{}) << normal;
}

TEST_P(ConfEvaluate, TypographicQuotesAreNamed) {
  Evaluation e = run("ovs_a=1\novs_ports_br0=\u201ceth0 tap0\u201d\n");
  ASSERT_EQ(e.mistakes.size(), 1u);
  EXPECT_EQ(e.mistakes[0].line, 2);
  EXPECT_TRUE(e.mistakes[0].text.starts_with("ovs_ports_br0=\u201ceth0: the character \u201c (U+201C, ")) << e.mistakes[0].text;
  EXPECT_TRUE(run("ovs_a=\"external_ids:owner='\u201cJo\u201d'\"\n").mistakes.empty());
}

TEST_P(ConfEvaluate, BytesOfValueZeroAreNoText) {
  Evaluation e = run(std::string_view("ovs_a=1\n\0ovs_b=2\n", 17));
  ASSERT_EQ(e.mistakes.size(), 1u);
  EXPECT_EQ(e.mistakes[0].line, 2);
}

TEST_P(ConfEvaluate, ArraysAndDosLinesAreNamed) {
  const Evaluation e = run("ovs_a=(x y)\n");
  ASSERT_FALSE(e.mistakes.empty());
  EXPECT_EQ(e.mistakes[0].text, "ovs_a is set as an array, which sh does not have: write ovs_a=\"...\"");
  const Evaluation dos = run("ovs_a=x\r\n");
  ASSERT_EQ(dos.mistakes.size(), 1u);
  EXPECT_EQ(dos.mistakes[0].line, 1);
}

// Those of this host, and the one that OVS_TEST_SHELL names.
std::vector<std::string> shells() {
  std::vector<std::string> out{"/bin/sh", "/bin/dash", "/bin/bash", "/bin/busybox"};
  if (const char* more = std::getenv("OVS_TEST_SHELL")) out.emplace_back(more);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Shells, ConfEvaluate, testing::ValuesIn(shells()), [](const auto& shell) {
  return shell.param.substr(shell.param.rfind('/') + 1) + "_" + std::to_string(shell.index);
});

TEST(ConfEvaluateFiles, ShellsThatAreNotThereAreErrors) {
  Limits limits;
  limits.shell = "/does/not/exist";
  EXPECT_FALSE(evaluate("ovs_a=1\n", limits));
}

TEST(ConfEvaluateFiles, FilesThatCannotBeRead) {
  EXPECT_FALSE(read_file("/does/not/exist"));
  EXPECT_FALSE(read_file("/"));
  Limits limits;
  limits.bytes = 1000;
  EXPECT_FALSE(read_file("/dev/zero", limits));
}

}  // namespace
}  // namespace ovs::conf
