// Settings as users write them: COLUMN=VALUE and COLUMN:KEY=VALUE, for ovs-vsctl and ovs-conf.
//
// A value is written as ovsdb::Datum::from_text() says.  One thing is easier: where a string that
// holds a colon (10.0.0.1:6343) stands without double quotes, it is taken as it is.
//
// Thread safety: pure functions.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ovsdb/datum.h"
#include "ovsdb/type.h"

namespace ovs::utilities {

// The characters that end a word without quotes.
inline constexpr std::string_view word_ends = ":=, []{}!<>";

// A word at the beginning of `text`, which it takes away: in double quotes (as JSON has strings), or up
// to a character of word_ends.  `whole` stands in the error about quotes that do not end.
Result<std::string> take_word(std::string_view& text, std::string_view whole);

// Reads a value by `parse`, which knows the text of a datum of `type`; where that fails because words
// with colons lack their quotes, it reads the same with quotes.
Result<ovsdb::Datum> read_value(const ovsdb::ColumnType& type, std::string_view text,
                                const std::function<Result<ovsdb::Datum>(std::string_view)>& parse);
// The same for values without names of rows.
Result<ovsdb::Datum> read_value(const ovsdb::ColumnType& type, std::string_view text);

}  // namespace ovs::utilities
