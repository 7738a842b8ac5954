#include "ovsdb/log_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/sha1.h"
#include "json_literal.h"
#include "support/memory_file_system.h"

namespace ovs::ovsdb {
namespace {

using ovs::testing::MemoryFileSystem;
using Mode = FileSystem::Mode;

// Reads a file of these bytes: the records' JSON, one a line, then what went wrong.
std::string read_all(const std::string& content, std::uint64_t* end = nullptr) {
  MemoryFileSystem fs;
  fs.set_content("db", content);
  auto file = fs.open("db", Mode::read_only, false);
  LogReader reader(**file);
  std::string out;
  for (;;) {
    auto record = reader.next();
    if (!record) return out + "error: " + record.error().message;
    if (!*record) break;
    out += ovs::to_text(**record) + "\n";
  }
  if (end) *end = reader.offset();
  return out + reader.damage();
}

TEST(LogFile, ARecordIsAHeaderAndALine) {
  EXPECT_EQ(log_record("{}"), "OVSDB JSON 3 " + sha1_hex("{}\n") + "\n{}\n");
  EXPECT_EQ(log_record("{\"a\":1}", StorageModel::clustered), "OVSDB CLUSTER 8 " + sha1_hex("{\"a\":1}\n") + "\n{\"a\":1}\n");
}

TEST(LogFile, ReadsWhatWasWritten) {
  std::string big = "{\"x\":\"" + std::string(1000000, 'y') + "\"}";
  EXPECT_EQ(read_all(log_record("{\"a\":1}") + log_record(big) + log_record("{}")), "{\"a\":1}\n" + big + "\n{}\n");
  // Line ends within a record are allowed, if length and sum are right.
  EXPECT_EQ(read_all(log_record("{\"a\":\n1}")), "{\"a\":1}\n");
}

TEST(LogFile, ATornTailEndsTheFile) {
  const std::string good = log_record("{\"a\":1}"), last = log_record("{\"b\":2}");
  for (std::size_t n = 1; n < last.size(); ++n) {
    std::uint64_t end = 0;
    std::string got = read_all(good + last.substr(0, n), &end);
    EXPECT_TRUE(got.starts_with("{\"a\":1}\n")) << n << got;
    EXPECT_NE(got, "{\"a\":1}\n") << n;
    EXPECT_EQ(got.find("\"b\""), std::string::npos) << n;
    EXPECT_EQ(end, good.size()) << n;
  }
  EXPECT_EQ(read_all(good + last, nullptr), "{\"a\":1}\n{\"b\":2}\n");
}

TEST(LogFile, DamageIsSaidWithItsPlace) {
  const std::string good = log_record("{\"a\":1}");
  const std::string at = std::to_string(good.size());
  std::string changed = log_record("{\"b\":2}");
  changed[changed.size() - 3] = '3';
  EXPECT_EQ(read_all(good + changed).substr(8, 39), "checksum mismatch: the 8 bytes at offse");
  EXPECT_EQ(read_all(good + "garbage\n"), "{\"a\":1}\nthere is no valid record header at offset " + at);
  EXPECT_EQ(read_all(good + "OVSDB JSON 3 "), "{\"a\":1}\nthe header line of the record at offset " + at + " is cut off");
  EXPECT_EQ(read_all(good + log_record("{\"b\":2}").substr(0, 60)),
            "{\"a\":1}\nthe record at offset " + at + " is cut off: 6 of its 8 bytes are there");
  EXPECT_EQ(read_all(good + log_record("[]")), "{\"a\":1}\nthe record at offset " + at + " is no JSON object");
  EXPECT_NE(read_all(good + log_record("{")).find("is no JSON: "), std::string::npos);
  EXPECT_EQ(read_all(good + log_record("{}", StorageModel::clustered)),
            "{\"a\":1}\nthe record at offset " + at + " is of another storage model");
  EXPECT_EQ(read_all(good + "OVSDB JSON 99999999999999 " + std::string(40, '0') + "\n{}\n"),
            "{\"a\":1}\nthe record at offset " + at + " is cut off: 3 of its 99999999999999 bytes are there");
}

TEST(LogFile, HeadersOfAnotherForm) {
  const std::string sum = sha1_hex("{}\n");
  for (auto head : {"OVSDB JSON 3  " + sum, "OVSDB  JSON 3 " + sum, "OVSDB JSON 0 " + sum, "OVSDB JSON -3 " + sum,
                    "OVSDB JSON 3 " + sum + " ", "OVSDB JSON 3 " + sum.substr(1), "ovsdb JSON 3 " + sum,
                    "OVSDB XML 3 " + sum, "OVSDB JSON +3 " + sum, "OVSDB JSON 3 " + std::string(40, 'g'),
                    "OVSDB JSON 99999999999999999999 " + sum})
    EXPECT_TRUE(read_all(head + "\n{}\n").starts_with("error: not an OVSDB database file: there is no valid")) << head;
  EXPECT_EQ(read_all(""), "error: not an OVSDB database file: it is empty");
  EXPECT_TRUE(read_all(std::string(500, 'x')).starts_with("error: not an OVSDB database file: the header line"));
}

TEST(LogFile, AReadErrorIsAnError) {
  MemoryFileSystem fs;
  fs.set_content("db", log_record("{}"));
  auto file = fs.open("db", Mode::read_only, false);
  fs.fail(MemoryFileSystem::Call::read, 1);
  LogReader reader(**file);
  EXPECT_FALSE(reader.next());
}

TEST(LogFile, TheModelIsThatOfTheFirstRecord) {
  MemoryFileSystem fs;
  fs.set_content("db", log_record("{}", StorageModel::clustered));
  auto file = fs.open("db", Mode::read_only, false);
  LogReader reader(**file);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.model(), StorageModel::clustered);
  EXPECT_EQ(reader.record_offset(), 0u);
}

// --- the operating system's files

class OsFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "ovsdb-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    dir = name;
  }
  void TearDown() override {
    std::string command = "rm -rf " + dir;
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  // Runs `body` in another process; its exit status.
  static int in_child(const std::function<int()>& body) {
    pid_t pid = ::fork();
    if (pid == 0) ::_exit(body());
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string dir;
  FileSystem& fs = FileSystem::os();
};

TEST_F(OsFileTest, WritesReadsTruncates) {
  auto file = fs.open(dir + "/db", Mode::create, true);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_TRUE((*file)->write_at(0, "hello world"));
  ASSERT_TRUE((*file)->sync());
  char buffer[32];
  EXPECT_EQ((*file)->read_at(6, buffer, sizeof buffer).value_or(0u), 5u);
  EXPECT_EQ(std::string(buffer, 5), "world");
  ASSERT_TRUE((*file)->truncate(5));
  EXPECT_EQ((*file)->size().value_or(0u), 5u);
  EXPECT_EQ((*file)->read_at(5, buffer, sizeof buffer).value_or(1u), 0u);
  struct stat status;
  ASSERT_EQ(::stat((dir + "/db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u & ~[] { mode_t m = ::umask(0); ::umask(m); return m; }());
  EXPECT_FALSE(fs.open(dir + "/db", Mode::create, false));
  EXPECT_FALSE(fs.open(dir + "/nothing", Mode::read_only, false));
  EXPECT_FALSE(fs.open(dir, Mode::read_only, false));
}

TEST_F(OsFileTest, ReadOnlyFilesCannotBeWritten) {
  ASSERT_TRUE(fs.open(dir + "/db", Mode::create, false));
  auto file = fs.open(dir + "/db", Mode::read_only, false);
  EXPECT_FALSE((*file)->write_at(0, "x"));
}

TEST_F(OsFileTest, TheLockKeepsOthersAndOurselvesAway) {
  std::string db = dir + "/db";
  auto file = fs.open(db, Mode::create, true);
  ASSERT_TRUE(file);
  EXPECT_EQ(::access((dir + "/.db.~lock~").c_str(), F_OK), 0);
  auto again = fs.open(db, Mode::read_write, true);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("this process"), std::string::npos) << again.error().message;
  ASSERT_EQ(::symlink("db", (dir + "/link").c_str()), 0);
  EXPECT_FALSE(fs.lock(dir + "/link"));
  auto locked_for_another = [&] {
    return in_child([&] {
      // Another process: it knows nothing of our registry, and a new program would not have it.
      struct flock lock = {};
      lock.l_type = F_WRLCK;
      int fd = ::open((dir + "/.db.~lock~").c_str(), O_RDWR);
      return ::fcntl(fd, F_SETLK, &lock) < 0 ? 1 : 0;
    });
  };
  EXPECT_EQ(locked_for_another(), 1);
  EXPECT_TRUE(fs.open(db, Mode::read_only, false));
  EXPECT_EQ(locked_for_another(), 1);
  *file = nullptr;
  EXPECT_EQ(locked_for_another(), 0);
  EXPECT_TRUE(fs.open(db, Mode::read_write, true));
}

TEST_F(OsFileTest, TheErrorNamesTheProcessThatHoldsTheLock) {
  int to_child[2], to_parent[2];
  ASSERT_EQ(::pipe(to_child), 0);
  ASSERT_EQ(::pipe(to_parent), 0);
  pid_t pid = ::fork();
  if (pid == 0) {
    auto lock = fs.lock(dir + "/db");
    char c = lock ? 'y' : 'n';
    (void)!::write(to_parent[1], &c, 1);
    (void)!::read(to_child[0], &c, 1);
    ::_exit(0);
  }
  char c = 0;
  ASSERT_EQ(::read(to_parent[0], &c, 1), 1);
  ASSERT_EQ(c, 'y');
  auto lock = fs.lock(dir + "/db");
  ASSERT_FALSE(lock);
  EXPECT_NE(lock.error().message.find("process " + std::to_string(pid)), std::string::npos) << lock.error().message;
  ASSERT_EQ(::write(to_child[1], &c, 1), 1);
  ::waitpid(pid, nullptr, 0);
  EXPECT_TRUE(fs.lock(dir + "/db"));
  for (int fd : {to_child[0], to_child[1], to_parent[0], to_parent[1]}) ::close(fd);
}

TEST_F(OsFileTest, RenameLeavesASymbolicLinkInPlace) {
  ASSERT_EQ(::mkdir((dir + "/sub").c_str(), 0700), 0);
  for (auto [path, text] : {std::pair{"/sub/db", "old"}, {"/sub/new", "new"}}) {
    auto file = fs.open(dir + path, Mode::create, false);
    ASSERT_TRUE((*file)->write_at(0, text));
  }
  ASSERT_EQ(::symlink("sub/db", (dir + "/link").c_str()), 0);
  ASSERT_TRUE(fs.rename(dir + "/sub/new", dir + "/link"));
  struct stat status;
  ASSERT_EQ(::lstat((dir + "/link").c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
  auto file = fs.open(dir + "/sub/db", Mode::read_only, false);
  char buffer[3];
  ASSERT_EQ((*file)->read_at(0, buffer, 3).value_or(0u), 3u);
  EXPECT_EQ(std::string(buffer, 3), "new");
  EXPECT_FALSE(fs.exists(dir + "/sub/new"));
  EXPECT_TRUE(fs.exists(dir + "/link"));
  EXPECT_TRUE(fs.remove(dir + "/sub/db"));
}

// --- the faulty files themselves

TEST(MemoryFileSystem, CrashForgetsWhatWasNotSynced) {
  MemoryFileSystem fs;
  auto file = fs.open("f", Mode::create, true);
  ASSERT_TRUE((*file)->write_at(0, "abc"));
  ASSERT_TRUE((*file)->sync());
  ASSERT_TRUE((*file)->write_at(3, "def"));
  ASSERT_TRUE((*file)->write_at(6, "ghi"));
  EXPECT_EQ(fs.content("f"), "abcdefghi");
  fs.crash(4);
  EXPECT_EQ(fs.content("f"), "abcdefg");
  EXPECT_FALSE((*file)->write_at(0, "x"));
  EXPECT_TRUE(fs.open("f", Mode::read_write, true));
}

TEST(MemoryFileSystem, FaultsAndFullDisks) {
  MemoryFileSystem fs;
  auto file = fs.open("f", Mode::create, false);
  fs.fail(MemoryFileSystem::Call::write, 2, ENOSPC, 1);
  EXPECT_TRUE((*file)->write_at(0, "abc"));
  auto failed = (*file)->write_at(3, "def");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ENOSPC);
  EXPECT_EQ(fs.content("f"), "abcd");
  EXPECT_TRUE((*file)->write_at(3, "def"));
  fs.set_capacity(8);
  EXPECT_FALSE((*file)->write_at(6, "ghi"));
  EXPECT_EQ(fs.content("f"), "abcdefgh");
  fs.fail_from(MemoryFileSystem::Call::sync, 2);
  EXPECT_TRUE((*file)->sync());
  EXPECT_FALSE((*file)->sync());
  EXPECT_FALSE((*file)->sync());
  fs.heal();
  EXPECT_TRUE((*file)->sync());
}

}  // namespace
}  // namespace ovs::ovsdb
