#include "proto/mac_learning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace ovs::proto {
namespace {

using std::chrono::seconds;
using Learned = MacTable::Learned;

constexpr MacPort port_a{1}, port_b{2}, port_c{3};

TimePoint at(int second) { return TimePoint(seconds(second)); }

MacAddress address(std::uint16_t vlan, std::uint32_t number) {
  MacAddress result{vlan, {{2, 0, 0, 0, 0, 0}}};
  for (int i = 0; i < 4; i++) result.mac.bytes[5 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  return result;
}

std::optional<MacPort> where(const MacTable& table, const MacAddress& what) {
  const MacTable::Entry* entry = table.find(what);
  if (entry == nullptr) return std::nullopt;
  return entry->port;
}

std::vector<MacAddress> changes(MacTable& table) {
  auto all = table.take_changes();
  std::sort(all.begin(), all.end());
  return all;
}

TEST(MacTable, LearnsByVlan) {
  MacTable table;
  EXPECT_TRUE(table.would_learn(address(1, 7), port_a));
  EXPECT_EQ(table.learn(address(1, 7), port_a, at(0)), Learned::added);
  EXPECT_EQ(where(table, address(1, 7)), port_a);
  EXPECT_EQ(where(table, address(2, 7)), std::nullopt);
  EXPECT_FALSE(table.would_learn(address(1, 7), port_a));
  EXPECT_TRUE(table.would_learn(address(1, 7), port_b));
  EXPECT_EQ(changes(table), std::vector{address(1, 7)});
}

TEST(MacTable, TellsOfMovesButNotOfRefreshes) {
  MacTable table;
  table.learn(address(1, 7), port_a, at(0));
  changes(table);
  EXPECT_EQ(table.learn(address(1, 7), port_a, at(1)), Learned::refreshed);
  EXPECT_FALSE(table.has_changes());
  EXPECT_EQ(table.learn(address(1, 7), port_b, at(2)), Learned::moved);
  EXPECT_EQ(where(table, address(1, 7)), port_b);
  EXPECT_EQ(changes(table), std::vector{address(1, 7)});
  EXPECT_EQ(table.statistics().moved, 1u);
  EXPECT_EQ(table.statistics().learned, 1u);
}

// Counters of megaflows are read now and then: what they tell may be older than what is known.
TEST(MacTable, IsNotLedBackByWhatIsToldLate) {
  MacTable table;
  table.set_aging(seconds(100));
  table.learn(address(1, 7), port_a, at(0));
  table.learn(address(1, 7), port_b, at(20));
  changes(table);
  EXPECT_EQ(table.learn(address(1, 7), port_a, at(19)), Learned::outdated);
  EXPECT_EQ(where(table, address(1, 7)), port_b);
  EXPECT_FALSE(table.has_changes());
  EXPECT_EQ(table.statistics().moved, 1u);
  // Nor does it make an entry look older, or younger, than it is.
  EXPECT_EQ(table.learn(address(1, 7), port_b, at(10)), Learned::refreshed);
  EXPECT_EQ(table.next_expiry(), at(120));
  EXPECT_EQ(table.learn(address(1, 7), port_a, at(20)), Learned::moved);
}

TEST(MacTable, ForgetsWhoIsSilent) {
  MacTable table;
  table.set_aging(seconds(100));
  table.learn(address(1, 1), port_a, at(0));
  table.learn(address(1, 2), port_a, at(10));
  table.learn(address(1, 1), port_a, at(50));
  changes(table);
  EXPECT_EQ(table.next_expiry(), at(110));
  table.expire(at(109));
  EXPECT_EQ(table.size(), 2u);
  table.expire(at(110));
  EXPECT_EQ(changes(table), std::vector{address(1, 2)});
  EXPECT_EQ(table.next_expiry(), at(150));
  table.expire(at(1000));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.next_expiry(), std::nullopt);
  EXPECT_EQ(table.statistics().expired, 2u);
}

TEST(MacTable, StaticEntriesNeitherMoveNorAge) {
  MacTable table;
  table.learn(address(1, 1), port_a, at(0));
  EXPECT_EQ(table.add_static(address(1, 1), port_b, at(1)), port_a);
  EXPECT_EQ(table.add_static(address(1, 2), port_c, at(1)), std::nullopt);
  EXPECT_EQ(table.static_count(), 2u);
  EXPECT_FALSE(table.would_learn(address(1, 1), port_a));
  EXPECT_EQ(table.learn(address(1, 1), port_a, at(2)), Learned::refused);
  EXPECT_EQ(where(table, address(1, 1)), port_b);
  table.expire(at(100000));
  table.flush();
  EXPECT_EQ(table.size(), 2u);
  EXPECT_FALSE(table.remove_static(address(9, 9)));
  EXPECT_TRUE(table.remove_static(address(1, 1)));
  EXPECT_FALSE(table.remove_static(address(1, 1)));
  table.forget_learned(port_c);
  EXPECT_EQ(table.size(), 1u);
  table.forget_port(port_c);
  EXPECT_EQ(table.size(), 0u);
}

TEST(MacTable, FullOfStaticEntriesLearnsNothing) {
  MacTable table;
  table.set_size(2);
  table.add_static(address(1, 1), port_a, at(0));
  table.add_static(address(1, 2), port_a, at(0));
  EXPECT_FALSE(table.would_learn(address(1, 3), port_b));
  EXPECT_EQ(table.learn(address(1, 3), port_b, at(1)), Learned::refused);
  table.add_static(address(1, 4), port_a, at(2));
  EXPECT_EQ(table.size(), 3u);  // what an operator wants has room
}

TEST(MacTable, ThePortWithMostAddressesMakesRoom) {
  MacTable table;
  table.set_size(10);
  for (std::uint32_t i = 0; i < 3; i++) table.learn(address(1, i), port_a, at(0));
  for (std::uint32_t i = 0; i < 7; i++) table.learn(address(1, 100 + i), port_b, at(1));
  changes(table);
  // One of b's goes, the one that was silent longest, though those of a were silent longer.
  table.learn(address(1, 101), port_b, at(2));
  table.learn(address(1, 100), port_b, at(3));
  EXPECT_EQ(table.learn(address(1, 200), port_c, at(4)), Learned::added);
  EXPECT_EQ(changes(table), (std::vector{address(1, 102), address(1, 200)}));
  // A port that invents addresses without end ends up with no more than the others leave.
  for (std::uint32_t i = 0; i < 1000; i++) table.learn(address(1, 1000 + i), port_b, at(5));
  for (std::uint32_t i = 0; i < 3; i++) EXPECT_EQ(where(table, address(1, i)), port_a);
  EXPECT_EQ(where(table, address(1, 200)), port_c);
  EXPECT_EQ(table.size(), 10u);
  EXPECT_EQ(table.statistics().evicted, 1001u);
}

TEST(MacTable, ShrinksWhenItsSizeDoes) {
  MacTable table;
  for (std::uint32_t i = 0; i < 100; i++) table.learn(address(1, i), i < 20 ? port_a : port_b, at(0));
  table.set_size(30);
  EXPECT_EQ(table.size(), 30u);
  std::size_t of_a = 0;
  table.for_each([&](const MacTable::Entry& entry) { of_a += entry.port == port_a; });
  EXPECT_GE(of_a, 14u);  // shared out evenly
  EXPECT_LE(of_a, 16u);
}

TEST(MacTable, ListsFromTheOldestToTheLatest) {
  MacTable table;
  table.learn(address(1, 1), port_a, at(0));
  table.learn(address(1, 2), port_b, at(1));
  table.add_static(address(1, 3), port_b, at(2));
  table.learn(address(1, 1), port_a, at(3));
  std::vector<MacAddress> order;
  table.for_each([&](const MacTable::Entry& entry) { order.push_back(entry.address); });
  EXPECT_EQ(order, (std::vector{address(1, 2), address(1, 3), address(1, 1)}));
}

// Against a plain list of entries that is searched from end to end.
TEST(MacTable, DoesWhatAListWouldDo) {
  struct Plain {
    MacAddress address;
    MacPort port;
    int used;
  };
  std::mt19937 random(1);
  MacTable table(random());
  table.set_size(20);
  table.set_aging(seconds(50));
  std::vector<Plain> plain;  // by use, oldest first
  const auto count_of = [&](MacPort port) {
    return std::count_if(plain.begin(), plain.end(), [&](const Plain& p) { return p.port == port; });
  };
  for (int step = 0; step < 20000; step++) {
    const int now = step / 4;
    const MacAddress what = address(static_cast<std::uint16_t>(random() % 2), random() % 20);
    const MacPort port{static_cast<std::uint32_t>(random() % 4)};
    std::erase_if(plain, [&](const Plain& p) { return p.used + 50 <= now; });
    table.expire(at(now));
    const auto found =
        std::find_if(plain.begin(), plain.end(), [&](const Plain& p) { return p.address == what; });
    if (random() % 50 == 0) {
      std::erase_if(plain, [&](const Plain& p) { return p.port == port; });
      table.forget_port(port);
    } else {
      if (found != plain.end()) {
        plain.erase(found);
      } else if (plain.size() == 20) {
        // Where two ports have equally many, the higher number loses.
        MacPort most{0};
        for (std::uint32_t i = 1; i < 4; i++)
          if (count_of(MacPort{i}) >= count_of(most)) most = MacPort{i};
        plain.erase(std::find_if(plain.begin(), plain.end(), [&](const Plain& p) { return p.port == most; }));
      }
      plain.push_back({what, port, now});
      table.learn(what, port, at(now));
    }
    std::size_t i = 0;
    table.for_each([&](const MacTable::Entry& entry) {
      ASSERT_LT(i, plain.size());
      ASSERT_EQ(entry.address, plain[i].address) << "step " << step;
      ASSERT_EQ(entry.port, plain[i].port);
      i++;
    });
    ASSERT_EQ(i, plain.size());
  }
}

}  // namespace
}  // namespace ovs::proto
