#include "flow/classifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "flow/protocols.h"

namespace ovs::flow {
namespace {

// Rules and packets from a small world, in which many of them meet.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {}

  unsigned number(unsigned below) { return static_cast<unsigned>(random_() % below); }

  FlowKey packet() {
    FlowKey key{};
    key.in_port = be32::from_host(number(4));
    key.metadata = be64{number(3)};
    key.reg[3] = be32::from_host(number(3));
    key.eth_dst.bytes[5] = static_cast<std::uint8_t>(number(4));
    key.eth_src.bytes[0] = static_cast<std::uint8_t>(number(4));
    key.vlan[0].tci = be16::from_host(static_cast<std::uint16_t>(0x1000 | number(4)));
    key.nw_src = address();
    key.nw_dst = address();
    if (number(2)) {
      key.eth_type = eth_type::ipv4;
    } else {
      key.eth_type = eth_type::ipv6;
      address6(key.ipv6_src);
      address6(key.ipv6_dst);
    }
    key.nw_proto = static_cast<std::uint8_t>(number(2) ? ip_proto::tcp : ip_proto::udp);
    key.nw_ttl = static_cast<std::uint8_t>(number(3));
    key.tp_src = be16::from_host(static_cast<std::uint16_t>(number(2) ? number(4) : number(65536)));
    key.tp_dst = be16::from_host(static_cast<std::uint16_t>(number(2) ? number(4) : number(65536)));
    key.nd_target.bytes[7] = static_cast<std::uint8_t>(number(3));
    return key;
  }

  Match match() {
    Mask mask;
    const auto maybe = [&](auto& field) {
      if (number(4) == 0) std::memset(&field, 0xff, sizeof field);
    };
    maybe(mask.bits.in_port);
    maybe(mask.bits.metadata);
    maybe(mask.bits.reg[3]);
    maybe(mask.bits.eth_dst);
    maybe(mask.bits.eth_src);
    maybe(mask.bits.vlan[0].tci);
    maybe(mask.bits.eth_type);
    prefix(&mask.bits.nw_src, 32);
    prefix(&mask.bits.nw_dst, 32);
    prefix(&mask.bits.ipv6_src, 128);
    prefix(&mask.bits.ipv6_dst, 128);
    maybe(mask.bits.nw_proto);
    maybe(mask.bits.tp_src);
    maybe(mask.bits.tp_dst);
    if (number(8) == 0) mask.bits.tp_dst = be16::from_host(static_cast<std::uint16_t>(random_()));
    if (number(8) == 0) mask.bits.nw_dst = be32::from_host(static_cast<std::uint32_t>(random_()));
    if (number(16) == 0) maybe(mask.bits.nd_target);
    return Match::of(packet(), mask);
  }

  // The key with every bit outside the mask set at random.
  FlowKey shaken(const FlowKey& key, const Mask& mask) {
    FlowKey other = key;
    const unsigned kind = number(3);
    for (std::size_t i = 0; i < key_words; i++) {
      std::uint64_t noise = (std::uint64_t{random_()} << 32) | random_();
      if (kind == 0) noise = ~std::uint64_t{0};
      if (kind == 1) noise = std::uint64_t{1} << number(64);
      set_key_word(other, i, key_word(other, i) ^ (noise & ~key_word(mask.bits, i)));
    }
    return other;
  }

 private:
  be32 address() { return be32::from_host(number(4) << 30 | number(4) << 22 | number(4) << 8 | number(3)); }
  void address6(Ipv6Addr& a) {
    for (std::size_t i : {0, 1, 7, 15}) a.bytes[i] = static_cast<std::uint8_t>(number(3) << number(8));
  }
  void prefix(void* field, unsigned bits) {
    if (number(3) != 0) return;
    auto* p = static_cast<std::uint8_t*>(field);
    for (unsigned n = number(2) ? bits : number(bits + 1); n > 0; n -= std::min(n, 8u)) {
      *p++ = n >= 8 ? 0xff : static_cast<std::uint8_t>(0xff00 >> n);
    }
  }

  std::mt19937 random_;
};

struct Rules {
  ~Rules() {
    for (auto& rule : rules) {
      if (rule->is_inserted()) classifier.remove(*rule);
    }
  }

  ClassifierRule& add(const Match& match, int priority, Version first = first_version) {
    rules.push_back(std::make_unique<ClassifierRule>(match, priority));
    classifier.insert(*rules.back(), first);
    return *rules.back();
  }
  void remove(std::size_t i) {
    classifier.remove(*rules[i]);
    domain.retire(std::move(rules[i]));
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
    domain.reclaim();
  }
  const ClassifierRule* best(const FlowKey& key, Version version) const {
    const ClassifierRule* found = nullptr;
    for (const auto& rule : rules) {
      if (rule->visible(version) && rule->match().matches(key) && (!found || rule->priority() > found->priority())) {
        found = rule.get();
      }
    }
    return found;
  }

  RcuDomain domain;
  Classifier classifier{domain};
  std::vector<std::unique_ptr<ClassifierRule>> rules;
};

TEST(Classifier, FindsWhatAListFindsAndDependsOnWhatItSays) {
  for (unsigned seed = 0; seed < 12; seed++) {
    World world(seed);
    Rules r;
    const std::size_t target = 1 + world.number(120);
    const Version version{5};
    for (int round = 0; round < 1200; round++) {
      if (r.rules.size() < target && (r.rules.empty() || world.number(3) != 0)) {
        const Match match = world.match();
        const int priority = static_cast<int>(world.number(10));
        if (r.classifier.find(match, priority, version) == nullptr) {
          r.add(match, priority, Version{world.number(8) == 0 ? 6u : 1u}).hide_from(Version{world.number(8) == 0 ? 5u : 9u});
        }
      } else {
        r.remove(world.number(static_cast<unsigned>(r.rules.size())));
      }
      const FlowKey packet = world.packet();
      Mask depends_on;
      const ClassifierRule* found = r.classifier.lookup(packet, version, &depends_on);
      const ClassifierRule* expected = r.best(packet, version);
      ASSERT_EQ(found == nullptr, expected == nullptr);
      if (found != nullptr) {
        ASSERT_EQ(found->priority(), expected->priority());
        ASSERT_TRUE(found->match().matches(packet) && found->visible(version));
      }
      ASSERT_EQ(r.classifier.lookup(packet, version, nullptr), found);
      for (int i = 0; i < 6; i++) {
        ASSERT_EQ(r.classifier.lookup(world.shaken(packet, depends_on), version, nullptr), found);
      }
    }
    EXPECT_EQ(r.classifier.size(), r.rules.size());
  }
}

TEST(Classifier, FindOverlapAndSelect) {
  World world(99);
  Rules r;
  for (int i = 0; i < 300; i++) {
    const Match match = world.match();
    const int priority = static_cast<int>(world.number(4));
    if (r.classifier.find(match, priority, first_version) == nullptr) r.add(match, priority);
  }
  for (const auto& rule : r.rules) EXPECT_EQ(r.classifier.find(rule->match(), rule->priority(), first_version), rule.get());
  std::size_t all = 0;
  r.classifier.for_each([&](ClassifierRule&) { return ++all != 0; });
  EXPECT_EQ(all, r.rules.size());
  for (int i = 0; i < 300; i++) {
    const Match match = world.match();
    const auto overlaps = [&](const ClassifierRule& rule) {
      const Match other = rule.match();
      for (std::size_t w = 0; w < key_words; w++) {
        if ((key_word(match.key, w) ^ key_word(other.key, w)) & key_word(match.mask.bits, w) & key_word(other.mask.bits, w)) return false;
      }
      return rule.priority() == 2;
    };
    const bool expected = std::ranges::any_of(r.rules, [&](const auto& rule) { return overlaps(*rule); });
    const ClassifierRule* found = r.classifier.find_overlapping(match, 2, first_version);
    ASSERT_EQ(found != nullptr, expected);
    if (found != nullptr) {
      EXPECT_TRUE(overlaps(*found));
    }

    std::size_t within = 0, within_expected = 0;
    r.classifier.for_each_within(match, [&](ClassifierRule&) { return ++within != 0; });
    for (const auto& rule : r.rules) {
      const Match other = rule->match();
      bool inside = true;
      for (std::size_t w = 0; w < key_words; w++) {
        const std::uint64_t bits = key_word(match.mask.bits, w);
        inside &= (bits & ~key_word(other.mask.bits, w)) == 0 && ((key_word(match.key, w) ^ key_word(other.key, w)) & bits) == 0;
      }
      within_expected += inside;
    }
    EXPECT_EQ(within, within_expected);
  }
  // Whoever is shown a rule may remove it.
  r.classifier.for_each([&](ClassifierRule& rule) {
    r.classifier.remove(rule);
    return true;
  });
  EXPECT_EQ(r.classifier.size(), 0u);
  EXPECT_EQ(r.classifier.subtable_count(), 0u);
}

Match match_of(void (*set)(FlowKey& key, FlowKey& mask)) {
  Match match;
  set(match.key, match.mask.bits);
  return match;
}

void ip_to(FlowKey& key, FlowKey& mask, std::uint32_t address, std::uint32_t netmask) {
  key.eth_type = eth_type::ipv4;
  mask.eth_type = be16{0xffff};
  key.nw_dst = be32::from_host(address);
  mask.nw_dst = be32::from_host(netmask);
}

TEST(Classifier, DependsOnFewBits) {
  Rules r;
  r.add(match_of([](FlowKey& k, FlowKey& m) { ip_to(k, m, 0x0a000000, 0xff000000); }), 1);
  r.add(match_of([](FlowKey& k, FlowKey& m) { ip_to(k, m, 0x0a010000, 0xffff0000); }), 2);
  Match web = match_of([](FlowKey& k, FlowKey& m) {
    k.eth_type = eth_type::ipv4;
    m.eth_type = be16{0xffff};
    k.nw_proto = ip_proto::tcp;
    m.nw_proto = 0xff;
    k.tp_dst = be16::from_host(80);
    m.tp_dst = be16{0xffff};
  });
  r.add(web, 3);

  // Another Ethertype: nothing behind it.
  FlowKey key{};
  key.eth_type = eth_type::arp;
  key.nw_dst = be32::from_host(0x0a010101);
  Mask expected;
  expected.bits.eth_type = be16{0xffff};
  Mask depends_on;
  EXPECT_EQ(r.classifier.lookup(key, first_version, &depends_on), nullptr);
  EXPECT_EQ(depends_on, expected);

  // A distant address: its first bit.  Another protocol: no port.
  key.eth_type = eth_type::ipv4;
  key.nw_proto = ip_proto::udp;
  key.nw_dst = be32::from_host(0xc0000201);
  expected.bits.nw_dst = be32::from_host(0x80000000);
  expected.bits.nw_proto = 0xff;
  depends_on = {};
  EXPECT_EQ(r.classifier.lookup(key, first_version, &depends_on), nullptr);
  EXPECT_EQ(depends_on, expected);

  // The wider network, and no rule for the narrower one.
  key.nw_dst = be32::from_host(0x0aff0000);
  expected.bits.nw_dst = be32::from_host(0xff800000);
  depends_on = {};
  EXPECT_EQ(r.classifier.lookup(key, first_version, &depends_on)->priority(), 1);
  EXPECT_EQ(depends_on, expected);

  // A port that is far from 80: its first bit.
  key.nw_proto = ip_proto::tcp;
  key.tp_dst = be16::from_host(0xff00);
  expected.bits.tp_dst = be16::from_host(0x8000);
  depends_on = {};
  EXPECT_EQ(r.classifier.lookup(key, first_version, &depends_on)->priority(), 1);
  EXPECT_EQ(depends_on, expected);

  // The best rule is found first, and the others are not looked at.
  key.tp_dst = be16::from_host(80);
  depends_on = {};
  EXPECT_EQ(r.classifier.lookup(key, first_version, &depends_on)->priority(), 3);
  EXPECT_EQ(depends_on, web.mask);
}

TEST(Classifier, ABundleTakesEffectAtOnce) {
  Rules r;
  const Match match = match_of([](FlowKey& k, FlowKey& m) { ip_to(k, m, 0x0a000000, 0xff000000); });
  ClassifierRule& old_rule = r.add(match, 1);
  FlowKey key{};
  key.eth_type = eth_type::ipv4;
  key.nw_dst = be32::from_host(0x0a000001);
  ClassifierRule& new_rule = r.add(match, 1, Version{1});
  old_rule.hide_from(Version{1});
  EXPECT_EQ(r.classifier.lookup(key, Version{0}, nullptr), &old_rule);
  EXPECT_EQ(r.classifier.lookup(key, Version{1}, nullptr), &new_rule);
  EXPECT_EQ(r.classifier.find(match, 1, Version{0}), &old_rule);
  EXPECT_EQ(r.classifier.find(match, 1, Version{1}), &new_rule);
  r.remove(0);
  EXPECT_EQ(r.classifier.lookup(key, Version{0}, nullptr), nullptr);
  EXPECT_EQ(r.classifier.lookup(key, Version{1}, nullptr), &new_rule);
}

TEST(Classifier, EmptyMatchMatchesEverything) {
  Rules r;
  r.add(Match{}, 0);
  World world(4);
  Mask depends_on;
  EXPECT_EQ(r.classifier.lookup(world.packet(), first_version, &depends_on), r.rules[0].get());
  EXPECT_EQ(depends_on, Mask{});
  EXPECT_EQ(r.rules[0]->match(), Match{});
}

TEST(Classifier, NoRuleMatchesOnColdParts) {
  Match match;
  std::memset(&match.mask.bits, 0xff, sizeof match.mask.bits);
  const ClassifierRule rule(match, 0);
  EXPECT_EQ(rule.match().mask.bits.cold_parts, 0);
}

// 100,000 rules with 250 networks and 50 priorities: counts work rather than time, which a busy machine stretches.
TEST(Classifier, ManyRulesInFewMasks) {
  Rules r;
  for (std::uint32_t i = 0; i < 100000; i++) {
    Match match;
    ip_to(match.key, match.mask.bits, 0x0a000000 | (i % 250) << 16, 0xffff0000);
    match.key.nw_proto = ip_proto::tcp;
    match.mask.bits.nw_proto = 0xff;
    match.key.tp_dst = be16::from_host(static_cast<std::uint16_t>(i / 250));
    match.mask.bits.tp_dst = be16{0xffff};
    r.add(match, static_cast<int>(i % 50));
  }
  EXPECT_EQ(r.classifier.size(), 100000u);
  EXPECT_EQ(r.classifier.subtable_count(), 1u);
  FlowKey key{};
  key.eth_type = eth_type::ipv4;
  key.nw_proto = ip_proto::tcp;
  for (std::uint32_t i = 0; i < 100000; i += 37) {
    key.nw_dst = be32::from_host(0x0a000001 | (i % 250) << 16);
    key.tp_dst = be16::from_host(static_cast<std::uint16_t>(i / 250));
    ASSERT_EQ(r.classifier.lookup(key, first_version, nullptr), r.rules[i].get());
  }
}

// Rules that stay are found at every moment while others come and go around them.
TEST(Classifier, ReadersDoNotNoticeTheWriter) {
  Rules r;
  World world(11);
  std::vector<FlowKey> packets;
  for (int i = 0; i < 40; i++) {
    FlowKey key = world.packet();
    key.in_port = be32::from_host(100 + static_cast<std::uint32_t>(i));
    packets.push_back(key);
    Mask mask;
    std::memset(&mask.bits.in_port, 0xff, 4);
    std::memset(&mask.bits.nw_dst, 0xff, 4);
    std::memset(&mask.bits.tp_dst, 0xff, i % 2 ? 2 : 0);
    r.add(Match::of(key, mask), 1000 + i);
  }
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> wrong{0}, looked{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; t++) {
    readers.emplace_back([&] {
      RcuDomain::Reader reader(r.domain);
      while (!stop.load()) {
        for (std::size_t i = 0; i < packets.size(); i++) {
          Mask depends_on;
          const ClassifierRule* found = r.classifier.lookup(packets[i], first_version, &depends_on);
          if (found == nullptr || found->priority() != 1000 + static_cast<int>(i)) wrong++;
          looked++;
        }
        reader.quiesce();
      }
    });
  }
  std::vector<std::unique_ptr<ClassifierRule>> others;
  // Until the readers have seen enough of it.
  for (int round = 0; round < 4000 || looked.load() < 20000; round++) {
    if (others.size() < 200 && world.number(5) < 3) {
      const Match match = world.match();
      const int priority = static_cast<int>(world.number(900));
      if (r.classifier.find(match, priority, first_version) != nullptr) continue;
      others.push_back(std::make_unique<ClassifierRule>(match, priority));
      r.classifier.insert(*others.back());
    } else if (!others.empty()) {
      std::swap(others[world.number(static_cast<unsigned>(others.size()))], others.back());
      r.classifier.remove(*others.back());
      r.domain.retire(std::move(others.back()));
      others.pop_back();
    }
    r.domain.reclaim();
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0u);
  for (auto& rule : others) r.classifier.remove(*rule);
}

}  // namespace
}  // namespace ovs::flow
