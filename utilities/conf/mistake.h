// Mistake: something in a file that the user has to change, and where.
//
// Thread safety: values.
#pragma once

#include <string>
#include <vector>

namespace ovs::conf {

struct Mistake {
  int line = 0;  // 0: not known
  std::string text;

  bool operator==(const Mistake&) const = default;
};

// "FILE:LINE: TEXT" for each, in the order of their lines, each with a new line.
std::string to_text(std::vector<Mistake> mistakes, const std::string& file);

}  // namespace ovs::conf
