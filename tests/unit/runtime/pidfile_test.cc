#include "runtime/pidfile.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

#include "support/temporary_directory.h"

namespace ovs::runtime {
namespace {

// Closing the file loses our own lock on it: only at the end of a test.
std::string content(const std::string& path) {
  std::ostringstream s;
  s << std::ifstream(path).rdbuf();
  return s.str();
}

// Runs `body` in a child process, whose locks are other than ours, and returns its exit status.
template <class F>
int in_child(F body) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(PidfileTest, HoldsThePidAndIsRemoved) {
  TemporaryDirectory dir;
  std::string path = dir.file("d.pid");
  ASSERT_TRUE(create_pidfile(path, false));
  EXPECT_EQ(read_pidfile(path).value(), ::getpid());
  // Reading it does not lose the lock.
  EXPECT_EQ(in_child([&] { return read_pidfile(path).value() == ::getppid() ? 0 : 1; }), 0);
  EXPECT_EQ(in_child([&] { return read_pidfile(path).value() == ::getppid() ? 0 : 1; }), 0);
  EXPECT_EQ(content(path), std::to_string(::getpid()) + "\n");
  remove_pidfile();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(PidfileTest, LivingProcessKeepsIt) {
  TemporaryDirectory dir;
  std::string path = dir.file("d.pid");
  ASSERT_TRUE(create_pidfile(path, false));
  EXPECT_EQ(in_child([&] {
              auto r = create_pidfile(path, false);
              std::string expected = path + ": already running as pid " + std::to_string(::getppid());
              return !r && r.error().message == expected ? 0 : 1;
            }),
            0);
  EXPECT_EQ(content(path), std::to_string(::getpid()) + "\n");
  // The child left nothing behind, and did not remove what is ours at its end.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
  remove_pidfile();
}

TEST(PidfileTest, OverwriteTakesItAndTheLoserDoesNotRemoveIt) {
  TemporaryDirectory dir;
  std::string path = dir.file("d.pid");
  ASSERT_TRUE(create_pidfile(path, false));
  int ready[2], leave[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  pid_t child = ::fork();
  if (child == 0) {
    bool ok = create_pidfile(path, true).has_value();
    (void)!::write(ready[1], ok ? "y" : "n", 1);
    char c;
    (void)!::read(leave[0], &c, 1);
    remove_pidfile();
    ::_exit(0);
  }
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  EXPECT_EQ(c, 'y');
  EXPECT_EQ(read_pidfile(path).value(), child);
  remove_pidfile();
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  (void)!::write(leave[1], "x", 1);
  ::waitpid(child, nullptr, 0);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  for (int fd : {ready[0], ready[1], leave[0], leave[1]}) ::close(fd);
}

TEST(PidfileTest, DeadProcessesFileIsReplaced) {
  TemporaryDirectory dir;
  std::string path = dir.file("d.pid");
  // _exit() runs no exit handler, as a crash would not.
  ASSERT_EQ(in_child([&] { return create_pidfile(path, false) ? 0 : 1; }), 0);
  ASSERT_EQ(::access(path.c_str(), F_OK), 0);
  auto r = read_pidfile(path);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ESRCH);
  ASSERT_TRUE(create_pidfile(path, false));
  EXPECT_EQ(read_pidfile(path).value(), ::getpid());
  remove_pidfile();
}

TEST(PidfileTest, WhatIsNoPidfile) {
  TemporaryDirectory dir;
  EXPECT_EQ(read_pidfile(dir.file("none")).error().code, ENOENT);
  std::ofstream(dir.file("words")) << "words\n";
  EXPECT_EQ(read_pidfile(dir.file("words")).error().code, EINVAL);
  std::ofstream(dir.file("empty")) << "";
  EXPECT_EQ(read_pidfile(dir.file("empty")).error().code, EINVAL);
  std::ofstream(dir.file("negative")) << "-1\n";
  EXPECT_EQ(read_pidfile(dir.file("negative")).error().code, EINVAL);
  EXPECT_FALSE(create_pidfile(dir.file("no/such/directory/d.pid"), false));
}

TEST(PidfileTest, ManyStartAtOnceOneWins) {
  TemporaryDirectory dir;
  std::string path = dir.file("d.pid");
  for (bool stale : {false, true}) {
    if (stale) {
      ASSERT_EQ(in_child([&] { return create_pidfile(path, false) ? 0 : 1; }), 0);
    }
    int go[2], tried[2], leave[2];
    ASSERT_EQ(::pipe(go), 0);
    ASSERT_EQ(::pipe(tried), 0);
    ASSERT_EQ(::pipe(leave), 0);
    constexpr int n = 8;
    for (int i = 0; i < n; i++) {
      if (::fork() == 0) {
        char c;
        (void)!::read(go[0], &c, 1);
        bool won = create_pidfile(path, false).has_value();
        (void)!::write(tried[1], won ? "y" : "n", 1);
        (void)!::read(leave[0], &c, 1);
        remove_pidfile();
        ::_exit(0);
      }
    }
    (void)!::write(go[1], "12345678", n);
    int winners = 0;
    for (int i = 0; i < n; i++) {
      char c = 0;
      ASSERT_EQ(::read(tried[0], &c, 1), 1);
      winners += c == 'y';
    }
    EXPECT_EQ(winners, 1);
    (void)!::write(leave[1], "12345678", n);
    while (::wait(nullptr) > 0) {
    }
    EXPECT_NE(::access(path.c_str(), F_OK), 0);
    for (int fd : {go[0], go[1], tried[0], tried[1], leave[0], leave[1]}) ::close(fd);
  }
}

}  // namespace
}  // namespace ovs::runtime
