#include "conf/settings.h"

#include <gtest/gtest.h>

#include "unit/utilities/conf_world.h"

namespace ovs::conf {
namespace {

std::vector<std::string> words(std::string_view text) {
  auto w = split_words(text);
  return w ? *w : std::vector<std::string>{"ERROR " + w.error().message};
}

TEST(ConfSettings, WordsAreSeparatedOutsideOfQuotesAndBrackets) {
  using V = std::vector<std::string>;
  EXPECT_EQ(words(""), V{});
  EXPECT_EQ(words(" a=1\n\tb=2 "), (V{"a=1", "b=2"}));
  EXPECT_EQ(words("k=\"a b\" c=[1, 2] d={a=\"} \"}"), (V{"k=\"a b\"", "c=[1, 2]", "d={a=\"} \"}"}));
  EXPECT_EQ(words("k='a \"b\"' it's"), (V{"k=\"a \\\"b\\\"\"", "it's"}));
  EXPECT_EQ(words("a=\"x\\\"y\" b\\ c"), (V{"a=\"x\\\"y\"", "b\\ c"}));
  EXPECT_EQ(words("a=\"x"), V{"ERROR a=\"x: a double quote has no end"});
  EXPECT_EQ(words("a='x"), V{"ERROR a='x: a single quote has no end"});
  EXPECT_EQ(words("a=[1"), V{"ERROR a=[1: \"]\" is missing"});
}

const std::vector<const Kind*> port_kinds{&kind(Id::port), &kind(Id::interface)};

std::string read(std::string_view word, const std::vector<const Kind*>& kinds = port_kinds) {
  auto s = read_setting(test_schema(), kinds, word);
  if (!s) return s.error().message;
  std::string out = std::string(s->kind->table) + " " + s->column->name + " ";
  return out + (s->ports.empty() ? ovs::to_text(s->value.to_json()) : port_names_text(s->ports));
}

TEST(ConfSettings, ASettingIsFoundInTheFirstTableThatHasIt) {
  EXPECT_EQ(read("tag=5"), "Port tag 5");
  EXPECT_EQ(read("trunks=1,3-5"), "Port trunks [\"set\",[1,3,4,5]]");
  EXPECT_EQ(read("type=gre"), "Interface type \"gre\"");
  EXPECT_EQ(read("options:remote_ip=192.0.2.1"), "Interface options [\"map\",[[\"remote_ip\",\"192.0.2.1\"]]]");
  EXPECT_EQ(read("other_config:a=b"), "Port other_config [\"map\",[[\"a\",\"b\"]]]");
  EXPECT_EQ(read("other_config:a=b", {&kind(Id::interface)}), "Interface other_config [\"map\",[[\"a\",\"b\"]]]");
  EXPECT_EQ(read("targets=10.0.0.1:6343,[::1]:6343", {&kind(Id::sflow)}),
            "sFlow targets [\"set\",[\"10.0.0.1:6343\",\"[::1]:6343\"]]");
  EXPECT_EQ(read("select_src_port=b,a", {&kind(Id::mirror)}), "Mirror select_src_port a,b");
}

TEST(ConfSettings, AMistakeSaysWhatToWrite) {
  EXPECT_EQ(read("tags=1"), "there is no setting \"tags\"; did you mean \"tag\"?");
  EXPECT_EQ(read("tag"), "tag: write tag=VALUE, without spaces");
  EXPECT_EQ(read("tag=4096"), "tag=4096: 4096 is not in the valid range 0 to 4095 (inclusive)");
  EXPECT_EQ(read("tag=x"), "tag=x: \"x\" is not a valid integer or range");
  EXPECT_EQ(read("tag:a=1"), "tag:a=1: \"tag\" has no keys: write tag=VALUE");
  EXPECT_EQ(read("options=1"), "options=1: \"options\" has keys: write options:KEY=VALUE for each");
  EXPECT_EQ(read("options"), "options: write options:KEY=VALUE");
  EXPECT_EQ(read("ofport=3"), "the switch chooses \"ofport\"; write ofport_request=NUMBER");
  EXPECT_EQ(read("qos=x"), "\"qos\" refers to other records, which have variables of their own: see ovs.conf.d(5)");
  EXPECT_EQ(read("name=x"), "\"name\" of a port comes from the name of the variable, and cannot be set");
  EXPECT_EQ(read("statistics=1"), "\"statistics\" is what the switch reports, and cannot be set");
  EXPECT_EQ(read("external_ids:ovs-conf=made"), "external_ids:ovs-conf=made: this key is ovs-conf's own mark");
  EXPECT_TRUE(read("vlan_mode=acces").ends_with("; did you mean \"access\"?")) << read("vlan_mode=acces");
  EXPECT_EQ(read("output_port=a,b", {&kind(Id::mirror)}).substr(0, 16), "output_port=a,b:");
}

TEST(ConfSettings, WhatIsSetTwiceHasToAgree) {
  Settings s;
  auto put = [&](std::string_view word) { return add(s, *read_setting(test_schema(), port_kinds, word)).has_value(); };
  EXPECT_TRUE(put("tag=1"));
  EXPECT_TRUE(put("tag=1"));
  EXPECT_FALSE(put("tag=2"));
  EXPECT_TRUE(put("options:a=1"));
  EXPECT_TRUE(put("options:b=1"));
  EXPECT_FALSE(put("options:a=2"));
}

TEST(ConfSettings, EveryValueCanBeWrittenAndReadBack) {
  const ovsdb::ColumnSchema* targets = test_schema().find("IPFIX")->find("targets");
  const ovsdb::ColumnSchema* ids = test_schema().find("Interface")->find("external_ids");
  for (std::string_view s : {"", " ", "a", "a b", "a\nb", "\"", "'", "\\", "$(x)", "`x`", "[", "]", "a=b", "a,b",
                             "{}", "é", "10.0.0.1:1",
                             "[::1]:2", "#", ";", "-1", "true", "0x1", "a:b=c", "\x01", "'a' 'b'", "a'b c'"}) {
    const Datum set = Datum::set_of(ovsdb::AtomType::string, {ovsdb::Atom(s), ovsdb::Atom("other")});
    auto w = split_words("x targets=" + value_text(targets->type, set) + " y");
    ASSERT_TRUE(w) << s;
    ASSERT_EQ(w->size(), 3u) << s;
    auto back = read_setting(test_schema(), {&kind(Id::ipfix)}, (*w)[1]);
    ASSERT_TRUE(back) << s << ": " << back.error().message;
    EXPECT_EQ(back->value, set) << s;

    const Datum pair = Datum::map_of(ovsdb::AtomType::string, ovsdb::AtomType::string,
                                     {{ovsdb::Atom(s), ovsdb::Atom(s)}});
    if (s.empty()) continue;  // no key is empty in a setting
    w = split_words(setting_name("external_ids", s) + "=" + atom_text(ids->type.value, pair.value(0)));
    ASSERT_TRUE(w && w->size() == 1) << s;
    back = read_setting(test_schema(), {&kind(Id::interface)}, (*w)[0]);
    ASSERT_TRUE(back) << s << ": " << back.error().message;
    EXPECT_EQ(back->value, pair) << s;
  }
}

TEST(ConfSettings, MarksAreReadBack) {
  Mark mark;
  EXPECT_EQ(mark.text(), "");
  mark.made = true;
  mark.set = {"tag", setting_name("other_config", "a b"), setting_name("options", "x'y")};
  EXPECT_EQ(Mark::parse(mark.text()), mark);
  EXPECT_EQ(read_setting_name(setting_name("options", "a:b"))->key, "a:b");
  EXPECT_EQ(Mark::parse("somebody's \" text"), Mark{});
}

}  // namespace
}  // namespace ovs::conf
