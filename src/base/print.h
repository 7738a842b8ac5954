// Text for standard output and standard error, written so that a full disk or a closed descriptor does not end the
// program by an exception, as fmt::print() does: the stream remembers (ferror(), fflush()) and the program goes on to
// the exit status that it would have had.
//
// Thread safety: that of stdio.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <string_view>

namespace ovs {

template <class... Args>
void print(std::FILE* stream, fmt::format_string<Args...> format, Args&&... args) {
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  std::fwrite(text.data(), 1, text.size(), stream);
}

// "PROGRAM: MESSAGE" and the end of the line, on standard error.
void complain(std::string_view message);

// Opens /dev/null as each of the descriptors 0, 1 and 2 that is closed, so that no file or socket that is opened later
// gets what is meant for the user.  For the beginning of main().
void reserve_standard_descriptors();

}  // namespace ovs
