#include "conf/evaluate.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "base/text.h"
#include "typographic.h"

namespace ovs::conf {

namespace {

using Clock = std::chrono::steady_clock;

// The descriptors that the shell finds its script on and writes the variables to.
constexpr int script_fd = 3, result_fd = 4;
constexpr std::string_view script_path = "/proc/self/fd/3";
constexpr const char* shell_name = "ovs-conf";
// With a path, busybox runs a program and not a function of its own, which would have the shell's first environment.
// A file that turns exporting off would seem to declare nothing, and everything would be removed.
constexpr const char* commands =
    "set -a; . /proc/self/fd/3; "
    "case $- in *a*) ;; *) echo \"$0: \\\"set +a\\\" hides the variables from ovs-conf: take it out\" >&2 ;; esac; "
    "exec /bin/cat /proc/self/environ >&4";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct Pipe {
  Descriptor read, write;
  static Result<Pipe> create() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return Unexpected{system_error("pipe", errno)};
    return Pipe{Descriptor(fds[0]), Descriptor(fds[1])};
  }
};

// In the child: async-signal-safe calls only.
[[noreturn]] void become_shell(const char* shell, int script, int result, int errors) {
  ::setpgid(0, 0);
  ::signal(SIGPIPE, SIG_DFL);
  // Away from the numbers that are about to be taken.
  script = ::fcntl(script, F_DUPFD, 10);
  result = ::fcntl(result, F_DUPFD, 10);
  errors = ::fcntl(errors, F_DUPFD, 10);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (script < 0 || result < 0 || errors < 0 || nothing < 0) ::_exit(126);
  const std::array<std::pair<int, int>, 5> moves{
      {{nothing, 0}, {errors, 1}, {errors, 2}, {script, script_fd}, {result, result_fd}}};
  for (auto [from, to] : moves)
    if (::dup2(from, to) < 0) ::_exit(126);
  for (int fd : {script, result, errors, nothing})
    if (fd > result_fd) ::close(fd);
  if (::chdir("/") != 0) ::_exit(126);
  const char* arguments[] = {"sh", "-c", commands, shell_name, nullptr};
  const char* environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", nullptr};
  ::execve(shell, const_cast<char**>(arguments), const_cast<char**>(environment));
  ::_exit(127);
}

struct Outcome {
  std::string result, errors;
  int status = 0;
  bool too_late = false, too_much = false;
};

// Appends what can be read now; false at the end.
bool drain(int fd, std::string& to, std::size_t limit, bool& too_much) {
  char buffer[65536];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0) {
    to.append(buffer, static_cast<std::size_t>(n));
    if (to.size() > limit) too_much = true;
    return true;
  }
  return n < 0 && (errno == EINTR || errno == EAGAIN);
}

// Reads from both pipes until the shell ends.  A process that the file has started in the background may keep them
// open, so that it is the shell's end that counts; what it has written by then is in the pipes.
Outcome collect(pid_t pid, const Descriptor& result, const Descriptor& errors, const Limits& limits) {
  Outcome out;
  ::fcntl(result.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(errors.get(), F_SETFL, O_NONBLOCK);
  const auto deadline = Clock::now() + limits.time;
  bool result_open = true, errors_open = true, ended = false;
  while (true) {
    if (!ended && ::waitpid(pid, &out.status, WNOHANG) == pid) ended = true;
    bool any = false;
    auto take = [&](bool& open, int fd, std::string& to) {
      const std::size_t before = to.size();
      if (open) open = drain(fd, to, limits.bytes, out.too_much);
      any |= to.size() != before;
    };
    take(result_open, result.get(), out.result);
    take(errors_open, errors.get(), out.errors);
    if (out.too_much || (ended && !any)) break;
    if (any) continue;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      out.too_late = true;
      break;
    }
    std::array<pollfd, 2> fds{{{result_open ? result.get() : -1, POLLIN, 0},
                               {errors_open ? errors.get() : -1, POLLIN, 0}}};
    // The shell may end while somebody else holds the pipes: then nothing wakes us.
    const bool both_closed = !result_open && !errors_open;
    ::poll(fds.data(), fds.size(), static_cast<int>(std::min<long long>(left.count(), both_closed ? 1 : 100)));
  }
  ::kill(-pid, SIGKILL);
  if (!ended)
    while (::waitpid(pid, &out.status, 0) < 0 && errno == EINTR) {
    }
  return out;
}

// "ovs-conf: 2: /proc/self/fd/3: MESSAGE" (dash), "[ovs-conf: ]/proc/self/fd/3: line 2: MESSAGE" (bash, busybox):
// the line and the message, where the shell speaks of the file.
std::optional<Mistake> shells_complaint(std::string_view line) {
  const std::string prefix = std::string(shell_name) + ": ", path = std::string(script_path) + ": ";
  const bool named = line.starts_with(prefix);
  if (named) line.remove_prefix(prefix.size());
  const bool of_script = line.starts_with(path);
  if (of_script) line.remove_prefix(path.size());
  if (!named && !of_script) return std::nullopt;
  std::string_view context;  // "." in busybox's "ovs-conf: .: line 3: can't open"
  if (line.starts_with(".: ")) {
    context = line.substr(0, 3);
    line.remove_prefix(3);
  }
  if (line.starts_with("line ")) line.remove_prefix(5);
  const auto colon = line.find(": ");
  const auto number = colon == std::string_view::npos ? std::nullopt : parse_integer(line.substr(0, colon));
  if (!number) return Mistake{0, std::string(context) + std::string(line)};
  line.remove_prefix(colon + 2);
  if (line.starts_with(path)) line.remove_prefix(path.size());
  return Mistake{static_cast<int>(*number), std::string(context) + std::string(line)};
}

// What helps, for messages that have a usual reason.
std::string_view advice(std::string_view message) {
  if (message.find("not found") != std::string_view::npos)
    return " (the shell took this for a command: an assignment has no spaces around \"=\", and its name "
           "has letters, digits and \"_\" only)";
  if (message.find("nterminated quoted string") != std::string_view::npos ||
      message.find("unexpected EOF while looking for matching") != std::string_view::npos)
    return " (a quote is missing in or above this line)";
  return {};
}

// `explained`: lines about which everything is said already.
void sort_errors(const std::string& errors, const std::set<int>& explained, Evaluation& out) {
  for (std::string_view line : split(errors, '\n')) {
    if (trim(line).empty()) continue;
    if (auto mistake = shells_complaint(line)) {
      if (explained.contains(mistake->line)) continue;
      mistake->text += advice(mistake->text);
      out.mistakes.push_back(std::move(*mistake));
    } else {
      out.remarks.emplace_back(line);
    }
  }
}

// What stands in the text and cannot be meant, whatever the shell makes of it.  Returns the lines whose mistake leaves
// nothing to the shell to say.
std::set<int> look_at_text(std::string_view text, Evaluation& out) {
  std::set<int> explained;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    number++;
    if (line.ends_with('\r')) {
      out.mistakes.push_back({number,
                              "the line ends with a carriage return, as in DOS: remove it (sed -i 's/\\r$//')"});
      break;
    }
    const auto name = trim(line);
    if (!name.starts_with("ovs_")) continue;
    std::size_t end = 0;
    while (end < name.size() && is_name_character(name[end])) end++;
    // In place of the quotes around a value; within them it may be meant.
    if (name.substr(end).starts_with('=') && name.size() > end + 1 && static_cast<unsigned char>(name[end + 1]) >= 0x80)
      if (auto complaint = utilities::typographic_complaint(name.substr(0, name.find_first_of(" \t")))) {
        explained.insert(number);
        out.mistakes.push_back({number, std::move(*complaint)});
        continue;
      }
    if (name.substr(end).starts_with("=("))
      out.mistakes.push_back({number, fmt::format("{} is set as an array, which sh does not have: write {}=\"...\"",
                                                  name.substr(0, end), name.substr(0, end))});
  }
  return explained;
}

// Whether the text uses the variable.
bool refers_to(std::string_view text, std::string_view name) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string_view::npos; at += name.size()) {
    const std::string_view before = text.substr(0, at), behind = text.substr(at + name.size());
    if ((before.ends_with('$') || before.ends_with("${")) && (behind.empty() || !is_name_character(behind[0])))
      return true;
  }
  return false;
}

// A variable that is set twice, where nothing in the file can make sense of that: both assignments stand at the
// beginnings of lines, and between them there are assignments, comments and empty lines alone, none of which uses it.
void look_for_double(std::string_view text, Evaluation& out) {
  std::map<std::string_view, int> first;  // since the last line of another kind
  int number = 0;
  bool within = false;  // a value of several lines, as far as counting quotes tells
  for (std::string_view line : split(text, '\n')) {
    number++;
    if (trim(line).empty() || (!within && line.starts_with('#'))) continue;
    std::size_t end = 0;
    while (end < line.size() && is_name_character(line[end])) end++;
    const bool turns = std::ranges::count(line, '"') % 2 != 0 || std::ranges::count(line, '\'') % 2 != 0;
    within ^= turns;
    if (within || turns || end == 0 || !line.substr(end).starts_with('=') || line.ends_with('\\')) {
      first.clear();
      continue;
    }
    std::erase_if(first, [&](const auto& entry) { return refers_to(line, entry.first); });
    const std::string_view name = line.substr(0, end);
    if (!name.starts_with("ovs_")) continue;
    auto [it, inserted] = first.try_emplace(name, number);
    if (!inserted)
      out.remarks.push_back(fmt::format("{} is set in line {} and again in line {}: only the last one counts", name,
                                        it->second, number));
    it->second = number;
  }
}

}  // namespace

std::string to_text(std::vector<Mistake> mistakes, const std::string& file) {
  std::ranges::stable_sort(mistakes, {}, &Mistake::line);
  std::string out;
  for (const Mistake& m : mistakes)
    out += m.line ? fmt::format("{}:{}: {}\n", file, m.line, m.text) : fmt::format("{}: {}\n", file, m.text);
  return out;
}

Result<std::string> read_file(const std::string& path, const Limits& limits) {
  const bool standard_input = path == "-";
  Descriptor file(standard_input ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const std::string name = standard_input ? "standard input" : path;
  if (file.get() < 0) return Unexpected{system_error(name, errno)};
  const auto deadline = Clock::now() + limits.time;
  std::string out;
  char buffer[65536];
  while (true) {
    // A person may take time to type; a pipe of which nobody writes into the other end must not stop the boot.
    int wait = -1;
    if (!::isatty(file.get())) {
      wait = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count());
      if (wait <= 0) return unexpected(name + ": no end of file in time", ETIMEDOUT);
    }
    pollfd ready{file.get(), POLLIN, 0};
    if (::poll(&ready, 1, wait) <= 0) continue;
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return Unexpected{system_error(name, errno)};
    if (n == 0) return out;
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > limits.bytes) return unexpected(fmt::format("{}: larger than {} bytes", name, limits.bytes));
  }
}

std::map<std::string, int, std::less<>> assignment_lines(std::string_view text) {
  std::map<std::string, int, std::less<>> lines;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    number++;
    if (trim(line).starts_with('#')) continue;
    for (std::size_t at = 0; (at = line.find("ovs_", at)) != std::string_view::npos;) {
      std::size_t end = at;
      while (end < line.size() && is_name_character(line[end])) end++;
      const bool begins = at == 0 || !is_name_character(line[at - 1]);
      const std::string_view behind = line.substr(end);
      if (begins && (behind.starts_with('=') || behind.starts_with("+=")))
        lines.insert_or_assign(std::string(line.substr(at, end - at)), number);
      at = end;
    }
  }
  return lines;
}

Result<Evaluation> evaluate(std::string_view text, const Limits& limits) {
  // Some shells leave such bytes out, and others end there.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    Evaluation out;
    out.mistakes.push_back({static_cast<int>(std::ranges::count(text.substr(0, nul), '\n')) + 1,
                            "a byte of value 0 is here: this is no text"});
    return out;
  }
  Descriptor script(::memfd_create("ovs-conf", MFD_CLOEXEC));
  if (script.get() < 0) return Unexpected{system_error("memfd_create", errno)};
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t n = ::write(script.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Unexpected{system_error("writing the script", errno)};
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  ::lseek(script.get(), 0, SEEK_SET);
  OVS_TRY(Pipe result, Pipe::create());
  OVS_TRY(Pipe errors, Pipe::create());
  const pid_t pid = ::fork();
  if (pid < 0) return Unexpected{system_error("fork", errno)};
  if (pid == 0) become_shell(limits.shell.c_str(), script.get(), result.write.get(), errors.write.get());
  ::setpgid(pid, pid);  // whoever of us comes first
  result.write = Descriptor();
  errors.write = Descriptor();
  const Outcome outcome = collect(pid, result.read, errors.read, limits);

  Evaluation out;
  const std::set<int> explained = look_at_text(text, out);
  sort_errors(outcome.errors, explained, out);
  look_for_double(text, out);
  if (outcome.too_late) {
    out.mistakes.push_back({0, fmt::format("sh has not finished the file within {} seconds: does a command in it wait "
                                           "for something?",
                                           std::chrono::duration<double>(limits.time).count())});
    return out;
  }
  if (outcome.too_much) {
    out.mistakes.push_back({0, fmt::format("the file makes sh write more than {} bytes", limits.bytes)});
    return out;
  }
  if (outcome.result.empty()) {
    if (WIFEXITED(outcome.status) && (WEXITSTATUS(outcome.status) == 127 || WEXITSTATUS(outcome.status) == 126) &&
        outcome.errors.empty())
      return unexpected(fmt::format("{} cannot be run", limits.shell));
    if (out.mistakes.empty()) {
      const std::string how = WIFSIGNALED(outcome.status)
                                  ? fmt::format("was ended by signal {}", WTERMSIG(outcome.status))
                                  : fmt::format("ended with status {}", WEXITSTATUS(outcome.status));
      out.mistakes.push_back({0, "sh " + how + " before the end of the file: is there an \"exit\" in it?"});
    }
    return out;
  }
  std::map<std::string, std::string> variables;
  for (std::string_view entry : split(outcome.result, '\0')) {
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || !entry.starts_with("ovs_")) continue;
    if (!std::ranges::all_of(entry.substr(0, equals), is_name_character)) continue;  // an exported function of bash
    variables.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  const auto lines = assignment_lines(text);
  for (auto& [name, value] : variables) {
    const auto line = lines.find(name);
    out.variables.push_back({name, value, line == lines.end() ? 0 : line->second});
  }
  return out;
}

}  // namespace ovs::conf
