// Dump: the configuration in the database, written as a file that declares it.
//
// The result has no mistakes, and applying it changes nothing.  What such a file cannot say (names that collide, a
// second mirror of one name, a type that nobody knows) is left out and told in a comment; where ovs-conf has made it,
// the file says that what it does not declare is kept.
//
// Thread safety: a pure function.
#pragma once

#include <string>
#include <vector>

#include "conf/present.h"

namespace ovs::conf {

struct Dump {
  std::string text;
  std::vector<std::string> left_out;  // sentences, which are in the text as comments, too
};

Dump dump(const Present& present, const ovsdb::DatabaseSchema& schema);

// `text` in quotes, as a value in a shell's assignment.
std::string quoted(std::string_view text);

}  // namespace ovs::conf
