// Laws that hold for every type and value, tried on many random ones.  The seed is fixed, so that a
// failure comes back; the message says the type and the values.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "ovsdb/datum.h"

namespace ovs::ovsdb {
namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

  AtomType atom_type() { return static_cast<AtomType>(1 + below(5)); }

  BaseType base_type() {
    BaseType t;
    t.type = atom_type();
    if (chance(20)) {
      std::vector<Atom> values;
      BaseType free;
      free.type = t.type;
      for (std::uint64_t i = 0; i < 1 + below(6); ++i) values.push_back(atom(free));
      t.enumeration = std::make_shared<const Datum>(Datum::set_of(t.type, std::move(values)));
      return t;
    }
    if (t.type == AtomType::integer && chance(40)) t.min_integer = -static_cast<std::int64_t>(below(10));
    if (t.type == AtomType::integer && chance(40)) t.max_integer = 5 + static_cast<std::int64_t>(below(1000));
    if (t.type == AtomType::real && chance(40)) t.min_real = -1.5;
    if (t.type == AtomType::real && chance(40)) t.max_real = 1e6;
    if (t.type == AtomType::string && chance(30)) t.max_length = 1 + below(20);
    if (t.type == AtomType::uuid && chance(50)) {
      t.ref_table = "Other";
      if (chance(50)) t.ref_type = RefType::weak;
    }
    return t;
  }

  ColumnType column_type() {
    ColumnType t;
    t.key = base_type();
    if (chance(40)) t.value = base_type();
    t.min = static_cast<std::uint32_t>(below(2));
    t.max = chance(50) ? ColumnType::unlimited : 1 + static_cast<std::uint32_t>(below(40));
    return t;
  }

  Atom atom(const BaseType& t) {
    if (t.enumeration) return Atom(t.enumeration->key(below(t.enumeration->size())));
    switch (t.type) {
      case AtomType::integer: {
        // Few different values, so that sets meet.
        std::int64_t n = chance(80) ? static_cast<std::int64_t>(below(50)) - 10 : static_cast<std::int64_t>(engine_());
        return Atom(std::clamp(n, t.min_integer, t.max_integer));
      }
      case AtomType::real: {
        double d = chance(50) ? static_cast<double>(below(100)) / 7 - 5 : std::ldexp(static_cast<double>(engine_()), static_cast<int>(below(600)) - 300);
        return Atom(std::clamp(d, t.min_real, t.max_real));
      }
      case AtomType::boolean:
        return Atom(chance(50));
      case AtomType::string:
        return Atom(std::string_view(string(std::min<std::uint64_t>(t.max_length, 1 + below(12)))));
      default: {
        Uuid u;
        for (auto& byte : u.bytes) byte = static_cast<std::uint8_t>(below(3));
        return Atom(u);
      }
    }
  }

  std::string string(std::uint64_t characters) {
    static constexpr std::string_view pieces[] = {"a", "b", "Z", "0", "9", "-", ".", "_", " ", ",", "=", "\"", "\\",
                                                  "{", "]", ":", "\n", "\t", "\x01", "\x7f", "\xc3\xa9", "\xe2\x82\xac",
                                                  "\xf0\x9f\x98\x80", "true", "@", "/", "!"};
    std::string s;
    for (std::uint64_t i = below(characters + 1); i > 0; --i) {
      std::string_view piece = pieces[below(std::size(pieces))];
      s += piece == "true" ? "t" : piece;
    }
    return s;
  }

  Datum datum(const ColumnType& t) {
    std::uint64_t n = t.min + below(std::min<std::uint64_t>(t.max, 60) - t.min + 1);
    Datum d(t.key.type, t.value.type);
    for (std::uint64_t i = 0; i < n || d.size() < t.min; ++i) {
      if (t.is_map())
        (void)d.insert(atom(t.key), atom(t.value), true);
      else
        (void)d.insert(atom(t.key));
    }
    return d;
  }

 private:
  std::mt19937_64 engine_;
};

std::string text_of(const Datum& d) {
  std::string out;
  d.append_json(out);
  return out;
}

template <class Law>
void for_random_types(unsigned seed, Law law) {
  Random random(seed);
  for (int i = 0; i < 4000 && !::testing::Test::HasFailure(); ++i) {
    ColumnType type = random.column_type();
    SCOPED_TRACE(ovs::to_text(type.to_json()));
    law(random, type);
  }
}

TEST(DatumLaws, TypesReadBackFromTheirJson) {
  for_random_types(1, [](Random&, const ColumnType& type) {
    auto back = ColumnType::from_json(type.to_json());
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_TRUE(*back == type) << ovs::to_text(back->to_json());
  });
}

TEST(DatumLaws, ValuesReadBackFromTheirJson) {
  for_random_types(2, [](Random& random, const ColumnType& type) {
    Datum d = random.datum(type);
    std::string text = text_of(d);
    EXPECT_EQ(text, ovs::to_text(d.to_json()));
    auto v = parse_json(text);
    ASSERT_TRUE(v) << text;
    auto back = Datum::from_json(type, *v);
    ASSERT_TRUE(back) << text << back.error().to_string();
    EXPECT_TRUE(*back == d) << text;
    EXPECT_EQ(back->hash(), d.hash());
    EXPECT_TRUE(d.check(type));
  });
}

TEST(DatumLaws, ValuesReadBackFromTheirText) {
  for_random_types(3, [](Random& random, const ColumnType& type) {
    Datum d = random.datum(type);
    std::string text = d.to_text(type);
    auto back = Datum::from_text(type, text);
    ASSERT_TRUE(back) << text << " :: " << back.error().to_string();
    EXPECT_TRUE(*back == d) << text << " :: " << text_of(*back);
  });
}

TEST(DatumLaws, DifferencesLeadFromOneToTheOther) {
  for_random_types(4, [](Random& random, const ColumnType& type) {
    Datum a = random.datum(type), b = random.datum(type);
    Datum d = Datum::diff(a, b, type);
    auto result = a.apply_diff(d, type);
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_TRUE(*result == b) << text_of(a) << " " << text_of(b) << " " << text_of(d);
    // A difference is written without the column's count and read so.
    auto back = Datum::from_json(type, *parse_json(text_of(d)), nullptr, false);
    EXPECT_TRUE(back && *back == d) << text_of(d);
    if (type.max != 1) {
      EXPECT_TRUE(Datum::diff(a, a, type).empty());
    }
  });
}

TEST(DatumLaws, UnionAndDifferenceOfSets) {
  for_random_types(5, [](Random& random, const ColumnType& type) {
    const Datum a = random.datum(type), b = random.datum(type);
    SCOPED_TRACE(text_of(a) + " " + text_of(b));
    Datum both = a;
    const bool grew = both.unite(b);
    EXPECT_EQ(grew, !(both == a));
    EXPECT_TRUE(both.includes(a));
    for (std::size_t i = 0; i < b.size(); ++i) EXPECT_TRUE(both.contains(b.key(i)));
    for (std::size_t i = 1; i < both.size(); ++i) EXPECT_TRUE(both.key(i - 1) < both.key(i));

    Datum replaced = a;
    (void)replaced.unite(b, true);
    EXPECT_TRUE(replaced.includes(b));
    EXPECT_EQ(replaced.size(), both.size());

    Datum rest = a;
    const bool shrank = rest.subtract(b);
    EXPECT_EQ(shrank, !(rest == a));
    EXPECT_TRUE(rest.excludes(b));
    EXPECT_TRUE(a.includes(rest));
    EXPECT_EQ(rest == a, a.excludes(b));
    Datum back = rest;
    (void)back.unite(a);
    EXPECT_TRUE(back == a);

    if (type.is_map()) {
      std::vector<Atom> keys;
      for (std::size_t i = 0; i < b.size(); ++i) keys.emplace_back(b.key(i));
      Datum without = a;
      (void)without.subtract_keys(Datum::set_of(type.key.type, std::move(keys)));
      for (std::size_t i = 0; i < b.size(); ++i) EXPECT_FALSE(without.contains(b.key(i)));
    }
  });
}

TEST(DatumLaws, OrderIsTotal) {
  for_random_types(6, [](Random& random, const ColumnType& type) {
    const Datum a = random.datum(type), b = random.datum(type), c = random.datum(type);
    EXPECT_TRUE((a <=> b) == (0 <=> (b <=> a)));
    if (a <= b && b <= c) {
      EXPECT_TRUE(a <= c);
    }
    EXPECT_EQ(a == b, text_of(a) == text_of(b)) << text_of(a) << " " << text_of(b);
  });
}

TEST(DatumLaws, CopiesStayAsTheyWere) {
  for_random_types(7, [](Random& random, const ColumnType& type) {
    Datum d = random.datum(type);
    const std::string before = text_of(d);
    Datum copy = d;
    const Datum other = random.datum(type);
    switch (random.below(5)) {
      case 0:
        (void)d.unite(other, true);
        break;
      case 1:
        (void)d.subtract(other);
        break;
      case 2:
        (void)d.erase_if([&](AtomView, const AtomView*) { return random.chance(50); });
        break;
      case 3:
        if (!d.empty()) (void)d.erase(Atom(d.key(random.below(d.size()))));
        break;
      default:
        (void)d.patch(other, type);
    }
    EXPECT_EQ(text_of(copy), before);
  });
}

}  // namespace
}  // namespace ovs::ovsdb
