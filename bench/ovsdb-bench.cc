// ovsdb-bench: a load generator for OVSDB servers.
//
// It speaks JSON-RPC over a unix socket to any ovsdb-server and only moves bytes: requests are
// built before the clock starts, replies are split into messages and looked at for errors with a
// string search.  So one core of it keeps up with a server that has the other core, and the same
// program measures different servers alike.  bench/ovsdb is the script that chooses the workloads
// and runs it; the result is one line of JSON on standard output.
//
//   ovsdb-bench load SOCKET --requests=FILE [--count=N] [--clients=N] [--depth=N]
//               [--monitors=N --monitor=JSON --marker=TEXT] [--timeout=SECONDS]
//     Sends N requests (default: as many as the file has lines).  FILE has one request template a
//     line, used in turn, in which every "%d" becomes the number of the request (0...).  The
//     requests are dealt out to the clients; each keeps at most `depth` of them outstanding (0: no
//     limit).  Before the clock starts, `monitors` further connections send the JSON request given
//     by --monitor and await its reply; the run then ends when the last reply is in and every
//     monitor has received a message with TEXT in it ("%d": the number of the last request).
//   ovsdb-bench exec --count=N -- PROGRAM ARG...
//     Runs the program N times, output to /dev/null, and prints the wall times.
//
// An error in any reply, a closed connection or the time limit ends it with exit status 1.
#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "ovsdb-bench: %s\n", message.c_str());
  std::exit(1);
}

[[noreturn]] void die_errno(const std::string& doing) { die(doing + ": " + std::strerror(errno)); }

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// User and system CPU time of this process, in seconds.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto to_seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime);
}

std::string with_number(std::string_view text, std::size_t number) {
  std::string out;
  for (std::size_t at; (at = text.find("%d")) != text.npos; text.remove_prefix(at + 2)) {
    out += text.substr(0, at);
    out += std::to_string(number);
  }
  return out += text;
}

// Finds where JSON objects end in a stream of them, byte by byte, without looking at their sense.
class Splitter {
 public:
  // Bytes of `data`, from `from`, up to and including the end of the current object, or npos.
  std::size_t find_end(std::string_view data, std::size_t from) {
    for (std::size_t i = from; i < data.size(); i++) {
      char c = data[i];
      if (in_string_) {
        if (escaped_) {
          escaped_ = false;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == '"') {
          in_string_ = false;
        }
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{') {
        depth_++;
      } else if (c == '}' && --depth_ == 0) {
        return i + 1;
      }
    }
    return std::string_view::npos;
  }

 private:
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

// One connection: a queue of bytes to send and a splitter of what arrives.
class Client {
 public:
  explicit Client(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) die(path + ": too long for a unix socket");
    std::memcpy(address.sun_path, path.data(), path.size());
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) die_errno("socket");
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die_errno(path);
    fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int fd() const { return fd_; }
  bool wants_to_write() const { return sent_ < out_.size(); }
  void queue(std::string_view bytes) { out_ += bytes; }

  void write_some() {
    while (wants_to_write()) {
      ssize_t n = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno == EAGAIN) return;
        die_errno("send");
      }
      sent_ += static_cast<std::size_t>(n);
    }
    out_.clear();
    sent_ = 0;
  }

  // Reads once and hands over each complete message.
  void read_some(const std::function<void(std::string_view)>& handle) {
    static char chunk[1 << 18];
    ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
    if (n == 0) die("the server closed the connection");
    if (n < 0) {
      if (errno == EAGAIN) return;
      die_errno("recv");
    }
    received += static_cast<std::size_t>(n);
    std::size_t scanned = in_.size();
    in_.append(chunk, static_cast<std::size_t>(n));
    std::string_view all = in_;
    std::size_t start = 0;
    for (;;) {
      std::size_t end = splitter_.find_end(all, scanned);
      if (end == all.npos) break;
      std::string_view message = all.substr(start, end - start);
      start = scanned = end;
      // A probe: the packaged server sends one on a connection that is silent for some seconds.
      if (message.find(probe) != message.npos) {
        queue(probe_answer);
      } else {
        handle(message);
      }
    }
    in_.erase(0, start);
  }

  // Reads once and looks for the marker, without splitting into messages: of a hundred monitors
  // that would be most of this program's work.  Returns whether the marker has come, and with it
  // all that the server has sent so far.
  bool read_until(std::string_view marker) {
    static char chunk[1 << 18];
    const std::size_t kept = in_.size();
    std::memcpy(chunk, in_.data(), kept);
    ssize_t n = recv(fd_, chunk + kept, sizeof chunk - kept, 0);
    if (n == 0) die("the server closed the connection");
    if (n < 0) {
      if (errno == EAGAIN) return false;
      die_errno("recv");
    }
    received += static_cast<std::size_t>(n);
    const std::string_view text(chunk, kept + static_cast<std::size_t>(n));
    if (text.find(probe) != text.npos) queue(probe_answer);
    found_ = found_ || text.find(marker) != text.npos;
    // What may be the beginning of either is looked at again, with what follows it.
    std::size_t keep = std::min(text.size(), std::max(marker.size(), probe.size()) - 1);
    if (text.substr(text.size() - keep).find(probe) != text.npos) keep = 0;
    in_ = text.substr(text.size() - keep);
    return found_ && text.ends_with('}');
  }

  std::size_t received = 0;
  std::vector<std::string> requests;  // the requests of this client that wait to be sent,
  std::size_t next_request = 0;       // from this one on
  bool done = false;                  // a monitor that has seen the marker

 private:
  static constexpr std::string_view probe = "\"method\":\"echo\"";
  static constexpr std::string_view probe_answer = R"({"id":"echo","result":[],"error":null})";

  int fd_ = -1;
  std::string out_;
  std::size_t sent_ = 0;
  std::string in_;  // received and not yet looked at in full
  bool found_ = false;
  Splitter splitter_;
};

// A reply has exactly one member "error", and that is null; a failed operation adds another.
void check_reply(std::string_view message) {
  static constexpr std::string_view key = "\"error\":";
  for (std::size_t at = 0; (at = message.find(key, at)) != message.npos;) {
    at += key.size();
    if (!message.substr(at).starts_with("null")) {
      die("the server answered " + std::string(message.substr(0, 1000)));
    }
  }
}

class Poller {
 public:
  using Handler = std::function<void(Client&, std::string_view)>;

  Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ < 0) die_errno("epoll_create1");
  }
  ~Poller() { close(fd_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(Client& client) {
    entries_.push_back({&client, false});
    control(EPOLL_CTL_ADD, entries_.back());
  }

  // Sends what is queued.
  void flush_all() {
    for (Entry& e : entries_) flush(e);
  }

  // Waits at most `timeout` milliseconds for something to happen and sends and receives once on
  // each connection that is ready.
  void step(int timeout, const Handler& handle) {
    wait(timeout, [&](Client& client) {
      client.read_some([&](std::string_view m) { handle(client, m); });
    });
  }

  // The same with another way to read.
  void wait(int timeout, const std::function<void(Client&)>& read) {
    epoll_event events[128];
    int n = epoll_wait(fd_, events, 128, timeout);
    if (n < 0 && errno != EINTR) die_errno("epoll_wait");
    for (int i = 0; i < n; i++) {
      Entry& entry = *static_cast<Entry*>(events[i].data.ptr);
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        read(*entry.client);
      }
      flush(entry);
    }
  }

 private:
  struct Entry {
    Client* client;
    bool watches_output;
  };

  void flush(Entry& entry) {
    entry.client->write_some();
    if (entry.client->wants_to_write() != entry.watches_output) {
      entry.watches_output = !entry.watches_output;
      control(EPOLL_CTL_MOD, entry);
    }
  }

  void control(int operation, Entry& entry) {
    epoll_event event{};
    event.events = EPOLLIN | (entry.watches_output ? static_cast<unsigned>(EPOLLOUT) : 0U);
    event.data.ptr = &entry;
    if (epoll_ctl(fd_, operation, entry.client->fd(), &event) != 0) die_errno("epoll_ctl");
  }

  int fd_;
  std::deque<Entry> entries_;  // a deque: the kernel holds pointers to the entries
};

struct Options {
  std::string socket, requests, monitor, marker;
  std::size_t count = 0, clients = 1, depth = 0, monitors = 0;
  double timeout = 120;
};

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) die(path + ": cannot be read");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) die(path + ": no requests");
  return lines;
}

int load(const Options& options) {
  const auto deadline =
      Clock::now() + std::chrono::milliseconds(static_cast<long>(options.timeout * 1000));
  const std::vector<std::string> templates = read_lines(options.requests);
  const std::size_t count = options.count != 0 ? options.count : templates.size();
  const std::string marker = with_number(options.marker, count - 1);

  auto check_time = [&] {
    if (Clock::now() > deadline) die("not finished within the time limit");
  };

  Poller monitor_poller, poller;
  std::vector<std::unique_ptr<Client>> monitors, clients;
  for (std::size_t i = 0; i < options.monitors; i++) {
    monitors.push_back(std::make_unique<Client>(options.socket));
    monitors.back()->queue(options.monitor);
    monitor_poller.add(*monitors.back());
  }
  monitor_poller.flush_all();
  for (std::size_t subscribed = 0; subscribed < monitors.size(); check_time()) {
    monitor_poller.step(1000, [&](Client&, std::string_view message) {
      // Rows may have a column "error", so here only the reply's own member counts.
      if (message.find("\"error\":null") == message.npos) {
        die("the server answered " + std::string(message.substr(0, 1000)));
      }
      subscribed++;
    });
  }
  std::size_t initial_bytes = 0;
  for (auto& m : monitors) initial_bytes += std::exchange(m->received, 0);

  for (std::size_t i = 0; i < options.clients; i++) {
    clients.push_back(std::make_unique<Client>(options.socket));
    poller.add(*clients.back());
  }
  for (std::size_t i = 0; i < count; i++) {
    clients[i % clients.size()]->requests.push_back(with_number(templates[i % templates.size()], i));
  }
  for (auto& client : clients) {
    std::size_t first = options.depth == 0 ? client->requests.size()
                                           : std::min(options.depth, client->requests.size());
    while (client->next_request < first) client->queue(client->requests[client->next_request++]);
  }

  const auto start = Clock::now();
  const double cpu_before = cpu_seconds();
  std::size_t replies = 0, informed = 0;
  double replied_after = 0;
  auto on_reply = [&](Client& client, std::string_view message) {
    check_reply(message);
    if (++replies == count) replied_after = seconds_since(start);
    if (client.next_request < client.requests.size()) {
      client.queue(client.requests[client.next_request++]);
    }
  };
  auto read_updates = [&](Client& client) {
    if (client.read_until(marker) && !client.done) {
      client.done = true;
      informed++;
    }
  };
  // The monitors are read once in two milliseconds only, and then all of them: if each update of
  // each of a hundred clients woke this process, its own work would be measured, and not the
  // server's.
  constexpr auto interval = std::chrono::milliseconds(2);
  auto next_round = start + interval;
  poller.flush_all();
  while (replies < count || informed < monitors.size()) {
    if (replies < count) poller.step(monitors.empty() ? 1000 : 2, on_reply);
    if (!monitors.empty() && (replies == count || Clock::now() >= next_round)) {
      const int rounds = static_cast<int>(monitors.size() / 128 + 1);
      for (int i = 0; i < rounds; i++) monitor_poller.wait(replies == count ? 2 : 0, read_updates);
      next_round = Clock::now() + interval;
    }
    check_time();
  }
  const double seconds = seconds_since(start);

  std::size_t update_bytes = 0;
  for (auto& m : monitors) update_bytes += m->received;
  std::printf("{\"requests\": %zu, \"seconds\": %.6f, \"rate\": %.1f, \"replied_after\": %.6f, "
              "\"cpu_seconds\": %.6f, \"initial_bytes\": %zu, \"update_bytes\": %zu}\n",
              count, seconds, static_cast<double>(count) / seconds, replied_after,
              cpu_seconds() - cpu_before, initial_bytes, update_bytes);
  return 0;
}

int exec(std::size_t count, char** argv) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  std::string times;
  for (std::size_t i = 0; i < count; i++) {
    const auto start = Clock::now();
    pid_t pid = 0;
    if (int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv, environ)) {
      die(std::string(argv[0]) + ": " + std::strerror(error));
    }
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) die_errno("waitpid");
    const double seconds = seconds_since(start);
    if (status != 0) die(std::string(argv[0]) + ": failed");
    if (!times.empty()) times += ", ";
    times += std::to_string(seconds);
  }
  posix_spawn_file_actions_destroy(&actions);
  std::printf("{\"seconds\": [%s]}\n", times.c_str());
  return 0;
}

std::size_t number(std::string_view text) {
  char* end = nullptr;
  std::string copy(text);
  unsigned long long n = std::strtoull(copy.c_str(), &end, 10);
  if (copy.empty() || *end != '\0') die(copy + ": not a number");
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string_view> arguments(argv + 1, argv + argc);
  Options options;
  std::vector<std::string_view> words;
  std::size_t i = 0;
  for (; i < arguments.size() && arguments[i] != "--"; i++) {
    std::string_view word = arguments[i];
    if (!word.starts_with("--")) {
      words.push_back(word);
      continue;
    }
    std::size_t equals = word.find('=');
    if (equals == word.npos) die(std::string(word) + ": needs =VALUE");
    std::string_view name = word.substr(2, equals - 2), value = word.substr(equals + 1);
    if (name == "requests") options.requests = value;
    else if (name == "monitor") options.monitor = value;
    else if (name == "marker") options.marker = value;
    else if (name == "count") options.count = number(value);
    else if (name == "clients") options.clients = std::max<std::size_t>(1, number(value));
    else if (name == "depth") options.depth = number(value);
    else if (name == "monitors") options.monitors = number(value);
    else if (name == "timeout") options.timeout = static_cast<double>(number(value));
    else die(std::string(word) + ": unknown option");
  }
  if (words.size() == 2 && words[0] == "load") {
    options.socket = words[1];
    return load(options);
  }
  if (words.size() == 1 && words[0] == "exec" && i + 1 < arguments.size()) {
    return exec(options.count, argv + i + 2);
  }
  die("usage: ovsdb-bench load SOCKET --requests=FILE ... | exec --count=N -- PROGRAM ARG...");
}
