#include "vswitchd/host_statistics.h"

#include <gtest/gtest.h>

namespace ovs::vswitchd {
namespace {

TEST(HostStatistics, Memory) {
  EXPECT_EQ(memory_statistics("MemTotal:       1000 kB\nMemFree:         300 kB\nMemAvailable: 500 kB\n"
                              "Buffers:          20 kB\nCached:          100 kB\nSwapCached: 7 kB\n"
                              "SwapTotal:        64 kB\nSwapFree:         60 kB\n"),
            "1000,700,120,64,4");
  EXPECT_EQ(memory_statistics("MemTotal: 1000 kB\n"), std::nullopt);
  EXPECT_EQ(memory_statistics("MemTotal:\nMemFree: x kB\n"), std::nullopt);
  EXPECT_EQ(memory_statistics(""), std::nullopt);
}

TEST(HostStatistics, Process) {
  const auto process = parse_process_stat(
      "812 (a (b) c) S 1 812 812 0 -1 4194304 100 0 0 0 25 17 0 0 20 0 3 0 54321 467556352 4474 "
      "18446744073709551615 1\n");
  ASSERT_TRUE(process);
  EXPECT_EQ(process->name, "a (b) c");
  EXPECT_EQ(process->parent, 1);
  EXPECT_EQ(process->cpu_ticks, 42u);
  EXPECT_EQ(process->start_ticks, 54321u);
  EXPECT_EQ(process->virtual_bytes, 467556352u);
  EXPECT_EQ(process->resident_pages, 4474u);
  for (const char* bad : {"", "812", "812 (x", "812 (x) S", "812 )x( S 1 2 3", "812 (x) S 1 2 3 4 5 6 7 8 9 10 11 12"})
    EXPECT_FALSE(parse_process_stat(bad)) << bad;
}

TEST(HostStatistics, FileSystems) {
  const auto types = local_types("nodev\tsysfs\nnodev\ttmpfs\n\text4\n\tvfat\n");
  EXPECT_TRUE(types.contains("ext4"));
  EXPECT_FALSE(types.contains("tmpfs"));
  EXPECT_EQ(writable_mounts("proc /proc proc rw,relatime 0 0\n"
                            "/dev/vda / ext4 rw,relatime,discard 0 0\n"
                            "/dev/vdb /mnt/a\\040b vfat noatime,rw 0 0\n"
                            "/dev/vdc /mnt/c ext4 ro,relatime 0 0\n"
                            "server:/x /mnt/nfs nfs4 rw 0 0\n"
                            "broken line\n",
                            types),
            (std::vector<std::string>{"/", "/mnt/a b"}));
}

TEST(HostStatistics, OfThisHost) {
  const auto all = host_statistics("/nonexistent");
  for (const char* key : {"cpu", "load_average", "memory"}) EXPECT_TRUE(all.contains(key)) << key;
}

}  // namespace
}  // namespace ovs::vswitchd
