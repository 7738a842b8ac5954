#include "ovsdb/datum.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "json_literal.h"

namespace ovs::ovsdb {
namespace {

using testing::type_of;
using testing::value_of;

std::string text_of(const Datum& d) {
  std::string out;
  d.append_json(out);
  return out;
}

Datum read(std::string_view type, std::string_view value) {
  auto d = Datum::from_json(type_of(type), value_of(value));
  EXPECT_TRUE(d) << type << " " << value << ": " << (d ? "" : d.error().to_string());
  return d ? *d : Datum();
}

std::string read_error(std::string_view type, std::string_view value) {
  auto d = Datum::from_json(type_of(type), value_of(value));
  if (d) return "read as " + text_of(*d);
  return d.error().tag + "|" + d.error().details + "|" + d.error().syntax;
}

constexpr std::string_view ints = R"({"key":"integer","min":0,"max":"unlimited"})";
constexpr std::string_view strings = R"({"key":"string","min":0,"max":"unlimited"})";
constexpr std::string_view map = R"({"key":"string","value":"string","min":0,"max":"unlimited"})";
constexpr std::string_view int_map = R"({"key":"integer","value":"integer","min":0,"max":"unlimited"})";

TEST(Datum, ScalarsAreWrittenBare) {
  EXPECT_EQ(text_of(read(R"("integer")", "5")), "5");
  EXPECT_EQ(text_of(read(R"("integer")", "5.0")), "5");
  EXPECT_EQ(text_of(read(R"("integer")", R"(["set",[7]])")), "7");
  EXPECT_EQ(text_of(read(R"("real")", "1")), "1");
  EXPECT_EQ(text_of(read(R"("real")", "0.1")), "0.1");
  EXPECT_EQ(text_of(read(R"("boolean")", "true")), "true");
  EXPECT_EQ(text_of(read(R"("string")", R"("a\"b\n\u00e9")")), "\"a\\\"b\\n\xc3\xa9\"");
  EXPECT_EQ(text_of(read(R"("string")", R"("")")), R"("")");
  EXPECT_EQ(text_of(read(R"("uuid")", R"(["uuid","01234567-89AB-cdef-0123-456789abcdef"])")),
            R"(["uuid","01234567-89ab-cdef-0123-456789abcdef"])");
}

TEST(Datum, SetsAndMapsAreSorted) {
  EXPECT_EQ(text_of(read(ints, R"(["set",[]])")), R"(["set",[]])");
  EXPECT_EQ(text_of(read(ints, R"(["set",[3,1,-2]])")), R"(["set",[-2,1,3]])");
  EXPECT_EQ(text_of(read(ints, R"(["set",[3]])")), "3");
  EXPECT_EQ(text_of(read(strings, R"(["set",["b","","a","ab"]])")), R"(["set",["","a","ab","b"]])");
  EXPECT_EQ(text_of(read(map, R"(["map",[]])")), R"(["map",[]])");
  EXPECT_EQ(text_of(read(map, R"(["map",[["b","1"],["a","2"]]])")), R"(["map",[["a","2"],["b","1"]]])");
  EXPECT_EQ(text_of(read(map, R"(["map",[["a","2"]]])")), R"(["map",[["a","2"]]])");
}

TEST(Datum, JsonOfTheWrongShapeIsRefused) {
  EXPECT_EQ(read_error(R"("integer")", R"("x")"), R"(syntax error|expected integer|"x")");
  EXPECT_EQ(read_error(R"("integer")", "1.5"), "syntax error|expected integer|1.5");
  EXPECT_EQ(read_error(R"("integer")", "9223372036854775808").substr(0, 30), "syntax error|expected integer|");
  EXPECT_EQ(read_error(R"("integer")", R"(["set",[]])"),
            R"(syntax error|set must have exactly one member but 0 are present|["set",[]])");
  EXPECT_EQ(read_error(R"({"key":"integer","min":1,"max":3})", R"(["set",[1,2,3,4]])"),
            R"(syntax error|set must have 1 to 3 members but 4 are present|["set",[1,2,3,4]])");
  EXPECT_EQ(read_error(ints, R"(["set",1])"), R"(syntax error|expected ["set", <array>]|["set",1])");
  EXPECT_EQ(read_error(ints, R"(["set",[1,1]])"), "ovsdb error|set contains duplicate|");
  EXPECT_EQ(read_error(map, "1"), R"(syntax error|expected ["map", <array>]|1)");
  EXPECT_EQ(read_error(map, R"(["map",[["a"]]])"), R"(syntax error|expected 2-element array|["a"])");
  EXPECT_EQ(read_error(map, R"(["map",[["a","1"],["a","1"]]])"), "ovsdb error|map contains duplicate key|");
  EXPECT_EQ(read_error(map, R"(["map",[["a","1"],["b",2]]])"), "syntax error|expected string|2");
  EXPECT_EQ(read_error(R"("uuid")", R"("x")"), R"(syntax error|expected ["uuid", <string>]|"x")");
  EXPECT_EQ(read_error(R"("uuid")", R"(["uuid","x"])"), R"(syntax error|"x" is not a valid UUID|["uuid","x"])");
  EXPECT_EQ(read_error(R"("uuid")", R"(["named-uuid","x y"])"),
            R"(syntax error|named-uuid string is not a valid <id>|["named-uuid","x y"])");
  EXPECT_EQ(read_error(R"("string")", R"("a\u0000b")").substr(0, 13), "syntax error|");
}

TEST(Datum, ConstraintsOfAtomsAreHeld) {
  auto violation = [](std::string_view type, std::string_view value) {
    std::string e = read_error(type, value);
    EXPECT_TRUE(e.starts_with("constraint violation|")) << e;
    return e.substr(21);
  };
  constexpr std::string_view range = R"({"key":{"type":"integer","minInteger":1,"maxInteger":4095}})";
  EXPECT_EQ(violation(range, "0"), "0 is not in the valid range 1 to 4095 (inclusive)|");
  EXPECT_EQ(violation(range, "4096"), "4096 is not in the valid range 1 to 4095 (inclusive)|");
  EXPECT_EQ(violation(R"({"key":{"type":"integer","minInteger":1}})", "0"), "0 is less than minimum allowed value 1|");
  EXPECT_EQ(violation(R"({"key":{"type":"integer","maxInteger":10}})", "11"),
            "11 is greater than maximum allowed value 10|");
  EXPECT_EQ(violation(R"({"key":{"type":"real","minReal":1.5,"maxReal":2.5}})", "3"),
            "3 is not in the valid range 1.5 to 2.5 (inclusive)|");
  constexpr std::string_view length = R"({"key":{"type":"string","minLength":2,"maxLength":4}})";
  EXPECT_EQ(violation(length, R"("a")"), "\"a\" length 1 is less than minimum allowed length 2|");
  EXPECT_EQ(violation(length, R"("abcde")"), "\"abcde\" length 5 is greater than maximum allowed length 4|");
  EXPECT_EQ(violation(R"({"key":{"type":"string","enum":["set",["red","green"]]}})", R"("x")"),
            "x is not one of the allowed values ([green, red])|");
  // Length counts characters: three of two bytes each.
  EXPECT_EQ(read(length, "\"\xc3\xa4\xc3\xb6\xc3\xbc\"").size(), 1u);
}

TEST(Datum, NamedUuidsAreAskedFor) {
  Uuid u = Uuid::random();
  auto names = [&](std::string_view name) { return name == "row" ? std::optional(u) : std::nullopt; };
  auto type = type_of(R"({"key":"uuid","min":0,"max":"unlimited"})");
  auto d = Datum::from_json(type, value_of(R"(["set",[["named-uuid","row"]]])"), names);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->uuid(), u);
  EXPECT_FALSE(Datum::from_json(type, value_of(R"(["named-uuid","other"])"), names));
}

TEST(Datum, DefaultsAreThoseOfTheProtocol) {
  EXPECT_EQ(text_of(Datum::default_of(type_of(R"("integer")"))), "0");
  EXPECT_EQ(text_of(Datum::default_of(type_of(R"("real")"))), "0");
  EXPECT_EQ(text_of(Datum::default_of(type_of(R"("boolean")"))), "false");
  EXPECT_EQ(text_of(Datum::default_of(type_of(R"("string")"))), R"("")");
  EXPECT_EQ(text_of(Datum::default_of(type_of(R"("uuid")"))), R"(["uuid","00000000-0000-0000-0000-000000000000"])");
  EXPECT_EQ(text_of(Datum::default_of(type_of(ints))), R"(["set",[]])");
  EXPECT_EQ(text_of(Datum::default_of(type_of(map))), R"(["map",[]])");
  EXPECT_EQ(text_of(Datum::default_of(type_of(R"({"key":"string","value":"integer","min":1,"max":2})"))),
            R"(["map",[["",0]]])");
  for (auto t : {std::string_view(R"("string")"), ints, map, std::string_view(R"("real")")}) {
    EXPECT_TRUE(Datum::default_of(type_of(t)).is_default(type_of(t)));
  }
  EXPECT_FALSE(read(R"("integer")", "1").is_default(type_of(R"("integer")")));
  EXPECT_FALSE(read(ints, "0").is_default(type_of(ints)));
}

TEST(Datum, CopiesShareAndChangesDoNotShow) {
  Datum a = read(ints, R"(["set",[1,2,3]])");
  Datum b = a;
  EXPECT_TRUE(b.insert(Atom(std::int64_t{9})));
  EXPECT_TRUE(a.erase(Atom(std::int64_t{2})));
  EXPECT_EQ(text_of(a), R"(["set",[1,3]])");
  EXPECT_EQ(text_of(b), R"(["set",[1,2,3,9]])");
  Datum c = b;
  c = a;
  a = Datum();
  EXPECT_EQ(text_of(c), R"(["set",[1,3]])");
  Datum m = read(map, R"(["map",[["a","x"]]])");
  Datum n = m;
  EXPECT_TRUE(n.insert(Atom("a"), Atom("y"), true));
  EXPECT_FALSE(n.insert(Atom("a"), Atom("z"), false));
  EXPECT_EQ(text_of(m), R"(["map",[["a","x"]]])");
  EXPECT_EQ(text_of(n), R"(["map",[["a","y"]]])");
}

TEST(Datum, CopiesMayLiveInOtherThreads) {
  Datum shared = read(map, R"(["map",[["a","x"],["b","y"],["c","z"]]])");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([copy = shared, t]() mutable {
      for (int i = 0; i < 2000; ++i) {
        Datum mine = copy;
        (void)mine.insert(Atom(std::string_view(std::to_string(t * 10000 + i))), Atom("new"), false);
        (void)mine.erase(Atom("b"));
        copy = i % 50 == 49 ? Datum(AtomType::string, AtomType::string) : std::move(mine);
      }
    });
  for (int i = 0; i < 2000; ++i) {
    Datum another = shared;
    (void)another.erase(Atom("a"));
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(text_of(shared), R"(["map",[["a","x"],["b","y"],["c","z"]]])");
}

TEST(Datum, InsertKeepsOrderAndEraseShrinks) {
  Datum d(AtomType::integer);
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_TRUE(d.insert(Atom((i * 7919) % 1000)));
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_FALSE(d.insert(Atom(i)));
  ASSERT_EQ(d.size(), 1000u);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(d.key(i).integer(), static_cast<std::int64_t>(i));
  std::size_t full = d.heap_bytes();
  for (std::int64_t i = 0; i < 999; ++i) EXPECT_TRUE(d.erase(Atom(i)));
  EXPECT_EQ(d.integer(), 999);
  EXPECT_EQ(d.heap_bytes(), 0u);
  EXPECT_GT(full, 16000u);
  EXPECT_TRUE(d.erase(Atom(std::int64_t{999})));
  EXPECT_TRUE(d.empty());
}

TEST(Datum, UniteAndSubtractWithThemselves) {
  for (auto text : {R"(["set",[]])", R"(["set",[1]])", R"(["set",[1,2,3]])",
                    R"(["set",[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]])"}) {
    Datum d = read(ints, text);
    const bool was_empty = d.empty();
    EXPECT_FALSE(d.unite(d));
    EXPECT_EQ(d.subtract(d), !was_empty);
    EXPECT_TRUE(d.empty());
  }
}

TEST(Datum, MapsSubtractPairsOrKeys) {
  Datum d = read(map, R"(["map",[["a","1"],["b","2"],["c","3"]]])");
  Datum pairs = read(map, R"(["map",[["a","1"],["b","9"]]])");
  EXPECT_TRUE(d.subtract(pairs));
  EXPECT_EQ(text_of(d), R"(["map",[["b","2"],["c","3"]]])");
  EXPECT_TRUE(d.subtract_keys(read(strings, R"(["set",["a","c"]])")));
  EXPECT_EQ(text_of(d), R"(["map",[["b","2"]]])");
  EXPECT_FALSE(d.subtract_keys(read(strings, R"(["set",["a","c"]])")));
}

TEST(Datum, EraseIf) {
  Datum d = read(int_map, R"(["map",[[1,2],[3,4],[5,6]]])");
  EXPECT_TRUE(d.erase_if([](AtomView k, const AtomView* v) { return k.integer() == 1 || v->integer() == 6; }));
  EXPECT_EQ(text_of(d), R"(["map",[[3,4]]])");
  EXPECT_FALSE(d.erase_if([](AtomView, const AtomView*) { return false; }));
  Datum s = read(strings, R"(["set",["a"]])");
  EXPECT_TRUE(s.erase_if([](AtomView k, const AtomView* v) { return k.string() == "a" && !v; }));
  EXPECT_TRUE(s.empty());
}

TEST(Datum, DifferencesAreThoseOfTheLog) {
  auto diff = [](std::string_view type, std::string_view a, std::string_view b) {
    Datum from = read(type, a), to = read(type, b);
    Datum d = Datum::diff(from, to, type_of(type));
    auto back = from.apply_diff(d, type_of(type));
    EXPECT_TRUE(back && *back == to) << a << " " << b;
    return text_of(d);
  };
  EXPECT_EQ(diff(R"("integer")", "5", "6"), "6");
  EXPECT_EQ(diff(ints, R"(["set",[1,2,3]])", R"(["set",[2,3,4]])"), R"(["set",[1,4]])");
  EXPECT_EQ(diff(ints, R"(["set",[2,3]])", R"(["set",[2,3]])"), R"(["set",[]])");
  EXPECT_EQ(diff(ints, "9", R"(["set",[9,10]])"), "10");
  EXPECT_EQ(diff(map, R"(["map",[["a","b"],["c","d"],["g","h"]]])", R"(["map",[["a","x"],["e","f"],["g","h"]]])"),
            R"(["map",[["a","x"],["c","d"],["e","f"]]])");
  // A column of at most one element is not diffed, not even a map.
  EXPECT_EQ(diff(R"({"key":"string","value":"string","min":0})", R"(["map",[["a","b"]]])", R"(["map",[["z","c"]]])"),
            R"(["map",[["z","c"]]])");
  EXPECT_EQ(diff(R"({"key":"integer","min":0})", "3", R"(["set",[]])"), R"(["set",[]])");
}

TEST(Datum, ADifferenceThatLeavesTooManyElementsIsRefused) {
  auto type = type_of(R"({"key":"integer","min":1,"max":2})");
  Datum d = read(R"({"key":"integer","min":1,"max":2})", R"(["set",[1,2]])");
  EXPECT_FALSE(d.apply_diff(Datum(Atom(std::int64_t{3})), type));
  EXPECT_FALSE(d.apply_diff(d, type));
}

TEST(Datum, OrderIsBySizeThenKeysThenValues) {
  EXPECT_LT(read(ints, "9"), read(ints, R"(["set",[1,2]])"));
  EXPECT_LT(read(ints, R"(["set",[1,5]])"), read(ints, R"(["set",[2,3]])"));
  EXPECT_LT(read(int_map, R"(["map",[[1,9],[2,1]]])"), read(int_map, R"(["map",[[1,1],[3,0]]])"));
  EXPECT_LT(read(int_map, R"(["map",[[1,1]]])"), read(int_map, R"(["map",[[1,2]]])"));
  EXPECT_EQ(Datum(), Datum(AtomType::string));
}

TEST(Datum, CheckCountsElements) {
  auto type = type_of(R"({"key":"integer","min":0,"max":1})");
  auto r = read(ints, R"(["set",[1,2]])").check(type);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().to_string(), "constraint violation: Attempted to store 2 elements in set of up to 1 integers.");
}

TEST(Datum, EqualValuesHashAlike) {
  EXPECT_EQ(read(ints, R"(["set",[3,1]])").hash(), read(ints, R"(["set",[1,3]])").hash());
  EXPECT_NE(read(ints, R"(["set",[3,1]])").hash(), read(ints, R"(["set",[1,4]])").hash());
  EXPECT_EQ(Atom(0.0).view().hash(), Atom(-0.0).view().hash());
  EXPECT_EQ(Atom(0.0).view(), Atom(-0.0).view());
}

}  // namespace
}  // namespace ovs::ovsdb
