#include "datapath/megaflow_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "datapath/flow_text.h"
#include "datapath/signature_cache.h"

namespace ovs::datapath {
namespace {

struct Table : testing::Test {
  FlowId add(std::string_view match, std::uint32_t port) {
    auto id = table.add(*parse_match(match), {Output{DpPort{port}}});
    EXPECT_TRUE(id) << match;
    return *id;
  }
  // The port of the megaflow that the key matches; 0: none.
  std::uint32_t look_up(std::string_view key) {
    std::uint64_t seen = 0;
    const auto found = table.look_up(*parse_key(key), seen);
    masks_seen = seen;
    return found.actions == nullptr ? 0 : raw(found.actions->port);
  }
  void remove(FlowId id) { table.remove(*table.find(id)); }

  RcuDomain domain;
  MegaflowTable table{domain, 1};
  std::uint64_t masks_seen = 0;
};

TEST_F(Table, FindsWhatMatches) {
  add("in_port(1),eth_type(0x0800),ipv4(src=10.0.0.0/255.0.0.0)", 7);
  add("in_port(1),eth_type(0x0806)", 8);
  EXPECT_EQ(look_up("in_port(1),eth_type(0x0800),ipv4(src=10.1.2.3)"), 7u);
  EXPECT_EQ(look_up("in_port(1),eth_type(0x0800),ipv4(src=11.1.2.3)"), 0u);
  EXPECT_EQ(look_up("in_port(1),eth_type(0x0806),arp(sip=1.2.3.4)"), 8u);
  EXPECT_EQ(look_up("in_port(2),eth_type(0x0806)"), 0u);
}

TEST_F(Table, RefusesTheSameTwiceButNotUnderAnotherMask) {
  add("in_port(1)", 7);
  const auto second = table.add(*parse_match("in_port(1)"), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EEXIST);
  EXPECT_TRUE(table.add(*parse_match("in_port(1),recirc_id(0)"), {}));
  EXPECT_EQ(table.size(), 2u);
}

TEST_F(Table, EqualActionsAreKeptOnce) {
  Actions flood;
  for (std::uint32_t i = 1; i <= 1000; i++) flood.push_back(Output{DpPort{i}});
  const auto add_flood = [&](std::string_view match) { return *table.find(*table.add(*parse_match(match), flood)); };
  const auto actions_of = [&](SlotNumber slot) { return table.at(slot).actions.load(); };
  const SlotNumber a = add_flood("in_port(1)"), b = add_flood("in_port(2)"), c = add_flood("in_port(3)");
  EXPECT_EQ(actions_of(a), actions_of(b));
  EXPECT_EQ(actions_of(a), actions_of(c));

  const FlowActions* const shared = actions_of(a);
  table.remove(a);
  table.change(b, {Output{DpPort{7}}});
  domain.reclaim();
  EXPECT_EQ(actions_of(c), shared);
  EXPECT_EQ(shared->actions, flood);
  EXPECT_EQ(look_up("in_port(2)"), 7u);
  // To what it has already, to what another has, and to what none has.
  table.change(c, flood);
  EXPECT_EQ(actions_of(c), shared);
  table.change(b, flood);
  EXPECT_EQ(actions_of(b), shared);
  flood.pop_back();
  table.change(c, flood);
  domain.reclaim();
  EXPECT_NE(actions_of(c), shared);
  EXPECT_EQ(actions_of(c)->actions, flood);
  EXPECT_EQ(shared->actions.size(), 1000u);
}

TEST_F(Table, TheEmptyMaskMatchesEverything) {
  add("", 5);
  EXPECT_EQ(look_up("in_port(77),eth_type(0x1234)"), 5u);
}

TEST_F(Table, MasksOfManyWordsWork) {
  flow::Match match;
  std::memset(&match.mask.bits, 0xff, sizeof match.mask.bits);
  std::memset(&match.key, 0x5a, sizeof match.key);
  const auto id = table.add(match, {Output{DpPort{3}}});
  ASSERT_TRUE(id);
  std::uint64_t seen = 0;
  EXPECT_NE(table.look_up(match.key, seen).actions, nullptr);
  EXPECT_EQ(table.match(*table.find(*id)), match);
  for (std::size_t i = 0; i < sizeof match.key; i++) {
    flow::FlowKey other = match.key;
    reinterpret_cast<std::uint8_t*>(&other)[i] ^= 1;
    EXPECT_EQ(table.look_up(other, seen).actions, nullptr) << "byte " << i;
  }
}

TEST_F(Table, AnIdIsNeverGivenAgainAndASlotOnlyAfterAGracePeriod) {
  RcuDomain::Reader reader(domain);
  const FlowId first = add("in_port(1)", 7);
  const SlotNumber slot = *table.find(first);
  remove(first);
  EXPECT_FALSE(table.find(first));
  EXPECT_EQ(look_up("in_port(1)"), 0u);
  domain.reclaim();
  const FlowId second = add("in_port(2)", 8);
  EXPECT_NE(*table.find(second), slot) << "a reader may still look at it";
  reader.quiesce();
  domain.reclaim();
  const FlowId third = add("in_port(3)", 9);
  EXPECT_EQ(*table.find(third), slot);
  EXPECT_NE(third, first);
  EXPECT_FALSE(table.find(first));
}

TEST_F(Table, TheLastFlowTakesItsMaskWithIt) {
  const FlowId a = add("in_port(1)", 7);
  add("recirc_id(1)", 7);
  EXPECT_EQ(table.masks().masks.size(), 2u);
  remove(a);
  EXPECT_EQ(table.masks().masks.size(), 1u);
  EXPECT_EQ(table.masks().all_bits.count(), 2u) << "a word, and one to make it even";
}

TEST_F(Table, MasksAreRankedByHits) {
  for (int i = 1; i <= 8; i++) add("in_port(" + std::to_string(i) + "/" + std::to_string(0xff00 + i) + ")", 7);
  look_up("in_port(8)");
  const std::uint64_t before = masks_seen;
  for (int i = 0; i < 10; i++) look_up("in_port(8)");
  table.rank_masks();
  look_up("in_port(8)");
  EXPECT_EQ(masks_seen, 1u);
  EXPECT_GE(before, masks_seen);
}

// Against a plain map, with megaflows that come and go.
TEST_F(Table, AgreesWithAModel) {
  std::mt19937 random(3);
  struct Entry {
    FlowId id;
    std::uint32_t port;
  };
  std::map<std::uint32_t, Entry> model;  // by in_port
  for (int i = 0; i < 30000; i++) {
    const std::uint32_t port = random() % 3000 + 1;
    const std::string text = "in_port(" + std::to_string(port) + "),eth_type(0x1234)";
    if (const auto found = model.find(port); found != model.end()) {
      ASSERT_EQ(look_up(text), found->second.port);
      if (random() % 2) {
        remove(found->second.id);
        model.erase(found);
      } else {
        found->second.port = random() % 1000 + 1;
        table.change(*table.find(found->second.id), {Output{DpPort{found->second.port}}});
      }
    } else {
      ASSERT_EQ(look_up(text), 0u);
      const std::uint32_t to = random() % 1000 + 1;
      model[port] = {add(text, to), to};
    }
    if (i % 100 == 0) domain.reclaim();
  }
  EXPECT_EQ(table.size(), model.size());
  std::size_t count = 0;
  table.each([&](SlotNumber slot, FlowId id) {
    const flow::Match match = table.match(slot);
    EXPECT_EQ(model.at(match.key.in_port.host()).id, id);
    count++;
    return true;
  });
  EXPECT_EQ(count, model.size());
}

TEST(SignatureCache, RemembersTheLastFourOfABucket) {
  SignatureCache cache;
  const auto all = [&](std::uint64_t hash) {
    std::vector<SlotNumber> slots;
    cache.find(hash, [&](SlotNumber slot) {
      slots.push_back(slot);
      return false;
    });
    return slots;
  };
  EXPECT_EQ(cache.candidate(5), no_slot);
  for (SlotNumber slot = 10; slot < 15; slot++) cache.insert(5, slot);
  EXPECT_EQ(all(5), (std::vector<SlotNumber>{14, 13, 12, 11}));
  EXPECT_EQ(all(5 | 1ull << 63), (std::vector<SlotNumber>{})) << "another signature";
  cache.fit(100000);
  EXPECT_EQ(all(5), (std::vector<SlotNumber>{})) << "another size";
}

}  // namespace
}  // namespace ovs::datapath
