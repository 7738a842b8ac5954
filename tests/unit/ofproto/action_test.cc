#include "openflow/action.h"

#include <gtest/gtest.h>

namespace ovs::openflow {
namespace {

TEST(Actions, AreWrittenAsTheyAreRead) {
  for (const char* text : {"drop", "NORMAL", "output:1", "output:1,LOCAL,FLOOD,ALL,IN_PORT,output:65279"}) {
    const auto actions = parse_actions(text);
    ASSERT_TRUE(actions) << text;
    EXPECT_EQ(format_actions(*actions), text);
  }
}

TEST(Actions, TakeOtherSpellings) {
  EXPECT_EQ(format_actions(*parse_actions("1, normal output:LOCAL")), "output:1,NORMAL,LOCAL");
}

TEST(Actions, RefuseWhatTheyDoNotKnow) {
  for (const char* text : {"fly", "output:", "output:x", "output:0", "output:NONE", "drop,1", "1,drop"}) {
    const auto actions = parse_actions(text);
    ASSERT_FALSE(actions) << text;
    EXPECT_NE(actions.error().message, "");
  }
}

}  // namespace
}  // namespace ovs::openflow
