#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

#include "base/check.h"
#include "base/paths.h"

namespace ovs {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return unexpected("odd", EINVAL);
  return n / 2;
}

Result<int> quarter(int n) {
  OVS_TRY(const int h, half(n));
  OVS_TRY_DO(half(h));
  return h / 2;
}

TEST(Result, ValueOrError) {
  ASSERT_TRUE(half(4));
  EXPECT_EQ(*half(4), 2);
  EXPECT_EQ(half(3).error().message, "odd");
  EXPECT_EQ(half(3).error().code, EINVAL);
  EXPECT_EQ(half(3).value_or(7), 7);
}

TEST(Result, TryReturnsTheErrorToTheCaller) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_FALSE(quarter(1));
  EXPECT_FALSE(quarter(2));
}

TEST(Result, MovesValuesThatCannotBeCopied) {
  struct Base {
    virtual ~Base() = default;
  };
  struct Derived : Base {};
  Result<std::unique_ptr<Base>> r = std::make_unique<Derived>();
  ASSERT_TRUE(r);
  const std::unique_ptr<Base> taken = *std::move(r);
  EXPECT_NE(taken, nullptr);
}

TEST(Result, ContextGoesInFront) {
  EXPECT_EQ(Error({"odd", 1}).in("reading 3").message, "reading 3: odd");
  EXPECT_EQ(system_error("open /x", ENOENT).message, "open /x: No such file or directory");
  EXPECT_EQ(system_error("open /x", ENOENT).code, ENOENT);
}

TEST(ResultDeathTest, LookingForWhatIsNotThereStopsTheProgram) {
  Result<int> r = half(3);
  EXPECT_DEATH((void)*r, "");
  Result<int> v = half(2);
  EXPECT_DEATH((void)v.error(), "");
}

TEST(CheckDeathTest, SaysWhereAndWhat) {
  const int two = 2;
  OVS_CHECK(two == 2);
  EXPECT_DEATH(OVS_CHECK(two == 3, "arithmetic"), "result_test.cc:[0-9]+: check failed: two == 3 \\(arithmetic\\)");
}

class Paths : public testing::Test {
 protected:
  void TearDown() override {
    for (const char* name : {"OVS_RUNDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"}) unsetenv(name);
  }
};

TEST_F(Paths, TheEnvironmentMovesThem) {
  const std::string fixed = rundir();
  setenv("OVS_RUNDIR", "/somewhere", 1);
  EXPECT_EQ(rundir(), "/somewhere");
  setenv("OVS_RUNDIR", "", 1);
  EXPECT_EQ(rundir(), fixed);
  setenv("OVS_SYSCONFDIR", "/conf", 1);
  EXPECT_EQ(dbdir(), "/conf/openvswitch");
  setenv("OVS_DBDIR", "/db", 1);
  EXPECT_EQ(dbdir(), "/db");
}

TEST_F(Paths, NamesAreBelowTheirDirectory) {
  EXPECT_EQ(path_below("/run", "db.sock"), "/run/db.sock");
  EXPECT_EQ(path_below("/run/", "db.sock"), "/run/db.sock");
  EXPECT_EQ(path_below("/run", "/tmp/x"), "/tmp/x");
}

TEST_F(Paths, TheProgramsNameIsTheLastComponent) {
  const std::string before = program_name();
  set_program_name("/usr/bin/ovs-test");
  EXPECT_EQ(program_name(), "ovs-test");
  set_program_name("ovs-test2");
  EXPECT_EQ(program_name(), "ovs-test2");
  set_program_name(before);
}

}  // namespace
}  // namespace ovs
