#include "base/log.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>

#include "base/log_end.h"
#include "base/log_pattern.h"
#include "base/paths.h"
#include "base/text.h"

namespace ovs {
namespace {

LogModule apples{"apples"};
LogModule pears{"pears"};
LogModule more_pears{"pears"};

// Sets everything back after each test, and gives each a directory of its own.
class Log : public testing::Test {
 protected:
  void SetUp() override {
    std::string directory = (std::filesystem::temp_directory_path() / "ovs-log-XXXXXX").string();
    ASSERT_NE(mkdtemp(directory.data()), nullptr);
    directory_ = directory;
    // Tests read files; what they provoke is not for the terminal.
    ASSERT_TRUE(log_set("info"));
    ASSERT_TRUE(log_set("console:off"));
  }
  void TearDown() override {
    log_close_file();
    std::filesystem::remove_all(directory_);
    ASSERT_TRUE(log_set("PATTERN:file:%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m"));
    ASSERT_TRUE(log_set_rate_limiting("ANY", true));
  }

  std::string path() const { return directory_ / "test.log"; }

  std::vector<std::string> lines() const {
    std::ifstream file(path());
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }

  std::filesystem::path directory_;
};

TEST_F(Log, FileLinesHaveTheFormatOfTheField) {
  ASSERT_TRUE(log_open_file(path()));
  apples.warn("{} are {}", "apples", "ripe");
  const auto all = lines();
  ASSERT_EQ(all.size(), 2U);
  const std::regex form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|\d{5}\|apples\|WARN\|apples are ripe)");
  EXPECT_TRUE(std::regex_match(all[1], form)) << all[1];
  EXPECT_TRUE(all[0].ends_with("|vlog|INFO|opened log file " + path())) << all[0];
}

TEST_F(Log, AFileIsNotWrittenBeforeTheFirstMessage) {
  ASSERT_TRUE(log_set("PATTERN:file:%m"));
  ASSERT_TRUE(log_open_file(path()));
  EXPECT_TRUE(lines().empty());
  apples.info("first");
  EXPECT_EQ(lines(), (std::vector<std::string>{"opened log file " + path(), "first"}));
}

TEST_F(Log, AMessageIsOneLine) {
  ASSERT_TRUE(log_set("PATTERN:file:%m"));
  ASSERT_TRUE(log_open_file(path()));
  apples.info("a\nb\x1b[31m\tc");
  EXPECT_EQ(lines().back(), "a\\nb\\x1b[31m\tc");
}

TEST_F(Log, LevelsSelectByModuleAndDestination) {
  ASSERT_TRUE(log_set("PATTERN:file:%c|%p|%m"));
  ASSERT_TRUE(log_open_file(path()));
  apples.dbg("not wanted");
  ASSERT_TRUE(log_set("apples:file:dbg"));
  apples.dbg("wanted");
  pears.dbg("not wanted");
  ASSERT_TRUE(log_set("Pears, OFF"));
  pears.emer("not wanted");
  ASSERT_TRUE(log_set("any err any file"));
  apples.warn("not wanted");
  apples.err("wanted");
  EXPECT_EQ(lines(), (std::vector<std::string>{"vlog|INFO|opened log file " + path(), "apples|DBG|wanted",
                                               "apples|ERR|wanted"}));
}

TEST_F(Log, WantsOnlyWhatADestinationTakes) {
  ASSERT_TRUE(log_set("file:dbg"));
  EXPECT_FALSE(apples.wants(LogLevel::emer));  // the console is off, and there is no file
  ASSERT_TRUE(log_open_file(path()));
  EXPECT_TRUE(apples.wants(LogLevel::dbg));
  log_close_file();
  EXPECT_FALSE(apples.wants(LogLevel::emer));
}

TEST_F(Log, SpecificationsThatAreWrongSayWhy) {
  const std::pair<const char*, const char*> cases[] = {
      {"nosuch", "no destination, level, or module \"nosuch\""},
      {"dbg,info", "cannot specify multiple levels"},
      {"syslog:file", "cannot specify multiple destinations"},
      {"apples pears", "cannot specify multiple modules"},
      {"PATTERN:", "missing destination"},
      {"PATTERN", "missing destination"},
      {"pattern:nosuch:%m", "unknown destination \"nosuch\""},
      {"FACILITY:nosuch", "invalid facility"},
      {"FACILITY:", "invalid facility"},
  };
  for (const auto& [spec, message] : cases) {
    const auto set = log_set(spec);
    ASSERT_FALSE(set) << spec;
    EXPECT_EQ(set.error().message, message);
  }
  EXPECT_TRUE(log_set("FACILITY:LOCAL3"));
}

TEST_F(Log, NoLevelMeansAll) {
  ASSERT_TRUE(log_set("apples"));
  EXPECT_EQ(apples.level(LogDestination::file), LogLevel::dbg);
  ASSERT_TRUE(log_set("console:off"));
}

TEST_F(Log, ListShowsEveryModule) {
  ASSERT_TRUE(log_set("apples:syslog:emer"));
  const std::string list = log_list();
  EXPECT_TRUE(list.starts_with("                 console    syslog    file\n"
                               "                 -------    ------    ------\n"
                               "apples             OFF       EMER       INFO\n"))
      << list;
  ASSERT_TRUE(log_set_rate_limiting("pears", false));
  EXPECT_NE(log_list().find("pears              OFF       INFO       INFO    (rate limiting disabled)\n"), std::string::npos);
}

// Several files may log under one name.
TEST_F(Log, ModulesOfOneNameAreOne) {
  const auto count = [](const std::string& text, std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at++) n++;
    return n;
  };
  EXPECT_EQ(count(log_list(), "\npears "), 1u);
  ASSERT_TRUE(log_set("pears:file:dbg"));
  EXPECT_EQ(pears.level(LogDestination::file), LogLevel::dbg);
  EXPECT_EQ(more_pears.level(LogDestination::file), LogLevel::dbg);
  EXPECT_EQ(apples.level(LogDestination::file), LogLevel::info);
  ASSERT_TRUE(log_set_rate_limiting("pears", false));
  EXPECT_FALSE(pears.limits_rate() || more_pears.limits_rate());
}

TEST_F(Log, PatternsAreListed) {
  ASSERT_TRUE(log_set("PATTERN:file:<%m>"));
  EXPECT_EQ(log_list_patterns(),
            "         prefix                            format\n"
            "         ------                            ------\n"
            "SYSLOG   <%B> %D{%h %e %T} %E %A:          ovs|%05N|%c%T|%p|%m\n"
            "CONSOLE  none                              %D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m\n"
            "FILE     none                              <%m>\n");
}

TEST_F(Log, ReopenFollowsARotation) {
  ASSERT_TRUE(log_set("PATTERN:file:%m"));
  ASSERT_TRUE(log_open_file(path()));
  apples.info("before");
  std::filesystem::rename(path(), path() + ".1");
  apples.info("still the old file");
  ASSERT_TRUE(log_reopen_file());
  apples.info("after");
  EXPECT_EQ(lines(), (std::vector<std::string>{"opened log file " + path(), "after"}));
  log_close_file();
  apples.info("nowhere");
  ASSERT_TRUE(log_reopen_file());
  EXPECT_EQ(lines().size(), 3U);
}

TEST_F(Log, AFileThatCannotBeOpenedIsAnError) {
  const auto opened = log_open_file((directory_ / "missing" / "x.log").string());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ENOENT);
}

TEST_F(Log, FloodsAreHeldBackAndCounted) {
  ASSERT_TRUE(log_set("PATTERN:file:%m"));
  ASSERT_TRUE(log_open_file(path()));
  RateLimit limit(1, 2);
  for (int i = 0; i < 10; i++) apples.limited(limit, LogLevel::warn, "flood {}", i);
  EXPECT_EQ(lines().size(), 3U);
  unsigned dropped = 0;
  EXPECT_FALSE(limit.allow(&dropped));
  ASSERT_TRUE(log_set_rate_limiting("apples", false));
  apples.limited(limit, LogLevel::warn, "not held back");
  EXPECT_EQ(lines().back(), "not held back");
}

TEST_F(Log, TheNextMessageSaysHowManyWereHeldBack) {
  ASSERT_TRUE(log_set("PATTERN:file:%m"));
  ASSERT_TRUE(log_open_file(path()));
  RateLimit limit(60 * 1000, 1);  // one a millisecond
  apples.limited(limit, LogLevel::warn, "first");
  unsigned held = 0;
  while (true) {
    unsigned dropped = 0;
    if (limit.allow(&dropped)) {
      EXPECT_EQ(dropped, held);
      break;
    }
    held++;
  }
}

TEST_F(Log, TheEndSaysHowManyWereHeldBackSinceThen) {
  log_held_back();  // those of other tests
  ASSERT_TRUE(log_set("PATTERN:file:%p|%m"));
  ASSERT_TRUE(log_open_file(path()));
  RateLimit limit(1, 1);
  for (int i = 0; i < 4; i++) apples.limited(limit, LogLevel::warn, "flood");
  log_held_back();
  EXPECT_EQ(lines().back(), "WARN|held back 3 log messages that were many of a kind");
  const std::size_t before = lines().size();
  log_held_back();
  EXPECT_EQ(lines().size(), before);
}

TEST_F(Log, AFailureIsNotForTheConsole) {
  ASSERT_TRUE(log_set("ANY:console:info"));
  ASSERT_TRUE(log_set("PATTERN:file:%c|%p|%m"));
  ASSERT_TRUE(log_open_file(path()));
  testing::internal::CaptureStderr();
  log_failure(apples, "it cannot be");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(lines().back(), "apples|ERR|it cannot be");
}

TEST_F(Log, ThreadsWriteWholeLines) {
  ASSERT_TRUE(log_set("PATTERN:file:%m"));
  ASSERT_TRUE(log_open_file(path()));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([t] {
      for (int i = 0; i < 250; i++) apples.info("{}{}", std::string(100, static_cast<char>('a' + t)), i);
    });
  }
  for (std::thread& t : threads) t.join();
  const auto all = lines();
  ASSERT_EQ(all.size(), 1001U);
  const std::regex form("([a-d])\\1{99}\\d+");
  for (std::size_t i = 1; i < all.size(); i++) ASSERT_TRUE(std::regex_match(all[i], form)) << all[i];
}

TEST_F(Log, SyslogGetsPriorityAndPrefix) {
  const std::string socket_path = (directory_ / "syslog").string();
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(socket_path.size(), sizeof address.sun_path);
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_TRUE(log_set_syslog_method("unix:" + socket_path));
  ASSERT_TRUE(log_set("FACILITY:daemon"));
  apples.err("bruised");
  ASSERT_TRUE(log_set_syslog_method("null"));
  char buffer[512];
  const ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  ASSERT_GT(n, 0);
  const std::string text(buffer, static_cast<std::size_t>(n));
  EXPECT_TRUE(text.starts_with("<27> ")) << text;  // daemon is 3, an error 3
  EXPECT_TRUE(std::regex_search(text, std::regex(program_name() + R"(: ovs\|\d{5}\|apples\|ERR\|bruised$)"))) << text;
  close(fd);
}

TEST_F(Log, SyslogMethodsThatDoNotExistAreErrors) {
  for (const char* bad : {"", "nosuch", "unix:", "unix:/nonexistent/log", "udp:", "udp:127.0.0.1", "udp:host:1x"}) {
    EXPECT_FALSE(log_set_syslog_method(bad)) << bad;
  }
  EXPECT_FALSE(log_set_syslog_target("localhost"));
}

LogMessage sample() {
  using namespace std::chrono;
  return LogMessage{.module = "apples",
                    .level = LogLevel::warn,
                    .text = "text",
                    .serial = 42,
                    .time = system_clock::time_point(milliseconds(1767323045678)),  // 2026-01-02T03:04:05.678Z
                    .since_start_ms = 1500,
                    .application = "ovs-test",
                    .subprogram = "",
                    .host = "host1",
                    .facility = 16};
}

std::string expand(std::string_view pattern, const LogMessage& message = sample()) {
  std::string out;
  append_log_line(out, pattern, message);
  return out;
}

TEST(LogPattern, EveryExpansion) {
  EXPECT_EQ(expand("%A %B %c %E %m %N %p %r %t [%T] %%"), "ovs-test 132 apples host1 text 42 WARN 1500 main [] %");
  EXPECT_EQ(expand("%D"), "2026-01-02 03:04:05.678");
  EXPECT_EQ(expand("%D{%Y-%m-%dT%H:%M:%S.###Z}"), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(expand("%D{.#####}"), ".67800");
  EXPECT_EQ(expand("a%nb"), "a\nb");
  EXPECT_EQ(expand("%P"), std::to_string(getpid()));
  LogMessage message = sample();
  message.subprogram = "monitor";
  EXPECT_EQ(expand("%t %c%T", message), "monitor apples(monitor)");
}

TEST(LogPattern, WidthsAndPadding) {
  EXPECT_EQ(expand("%05N|%8p|%-8p|%2c|%-3N|"), "00042|    WARN|WARN    |apples|42 |");
}

TEST(LogPattern, OddPatternsAreTextOfTheirOwn) {
  EXPECT_EQ(expand("%q %"), "q %");
  EXPECT_EQ(expand("x%-0"), "x");
  EXPECT_EQ(expand("%D{%Y"), "2026");
  EXPECT_EQ(expand(""), "");
}

TEST(LogPattern, SeveritiesAreThoseOfSyslog) {
  EXPECT_EQ(syslog_severity(LogLevel::emer), 1);
  EXPECT_EQ(syslog_severity(LogLevel::err), 3);
  EXPECT_EQ(syslog_severity(LogLevel::warn), 4);
  EXPECT_EQ(syslog_severity(LogLevel::info), 5);
  EXPECT_EQ(syslog_severity(LogLevel::dbg), 7);
}

}  // namespace
}  // namespace ovs
