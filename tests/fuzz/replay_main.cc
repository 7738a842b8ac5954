// Runs a fuzz target over every file in the folders (or the files) given as arguments and says how
// many there were.  To replay nothing is a failure: a corpus that was not found tests nothing.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "fuzz.h"

namespace {

namespace fs = std::filesystem;

bool replay(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string input{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    return false;
  }
  // If the target aborts, this is the last line, and says which input did it.
  std::fprintf(stderr, "replay %s\n", path.c_str());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::set<fs::path> inputs;
  for (int i = 1; i < argc; i++) {
    std::error_code error;
    if (!fs::is_directory(argv[i], error)) {
      inputs.insert(argv[i]);
      continue;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(argv[i], error)) {
      if (entry.is_regular_file()) inputs.insert(entry.path());
    }
  }
  std::size_t replayed = 0;
  for (const fs::path& path : inputs) {
    if (!replay(path)) return 1;
    replayed++;
  }
  std::printf("%zu inputs replayed\n", replayed);
  return replayed == 0 ? 1 : 0;
}
