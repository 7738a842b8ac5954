#include "base/log_pattern.h"

#include <unistd.h>

#include <ctime>

#include "base/text.h"

namespace ovs {

namespace {

// One message is one line: what would end the line, or act on a terminal, is shown as an escape.
void append_one_line(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
}

void append_time(std::string& out, std::string_view format, const LogMessage& message, bool utc) {
  using namespace std::chrono;
  const std::int64_t ms = duration_cast<milliseconds>(message.time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  const auto thousandths = fmt::format("{:03}", ms % 1000);
  // The digits go in before strftime() sees the format, which does not know "#".
  std::string with_fraction;
  std::size_t digit = 0;
  for (const char c : format) {
    if (c == '#') {
      with_fraction += digit < thousandths.size() ? thousandths[digit] : '0';
      digit++;
    } else {
      with_fraction += c;
    }
  }
  std::tm tm{};
  if ((utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)) == nullptr) return;
  char buffer[256];
  out.append(buffer, std::strftime(buffer, sizeof buffer, with_fraction.c_str(), &tm));
}

}  // namespace

int syslog_severity(LogLevel level) {
  switch (level) {
    case LogLevel::off:
    case LogLevel::emer:
      return 1;
    case LogLevel::err:
      return 3;
    case LogLevel::warn:
      return 4;
    case LogLevel::info:
      return 5;
    case LogLevel::dbg:
      break;
  }
  return 7;
}

void append_log_line(std::string& out, std::string_view pattern, const LogMessage& message) {
  const std::size_t length = pattern.size();
  for (std::size_t i = 0; i < length;) {
    if (pattern[i] != '%' || i + 1 == length) {
      out += pattern[i++];
      continue;
    }
    i++;
    bool left = false;
    char pad = ' ';
    if (i < length && pattern[i] == '-') left = true, i++;
    if (i < length && pattern[i] == '0') pad = '0', i++;
    std::size_t width = 0;
    for (; i < length && pattern[i] >= '0' && pattern[i] <= '9'; i++) {
      width = std::min<std::size_t>(width * 10 + static_cast<std::size_t>(pattern[i] - '0'), 1000);
    }
    if (i == length) break;
    const char letter = pattern[i++];
    std::string_view time_format = "%Y-%m-%d %H:%M:%S.###";
    if ((letter == 'd' || letter == 'D') && i < length && pattern[i] == '{') {
      const std::size_t end = pattern.find('}', i);
      time_format = pattern.substr(i + 1, end == std::string_view::npos ? end : end - i - 1);
      i = end == std::string_view::npos ? length : end + 1;
    }
    const std::size_t begin = out.size();
    switch (letter) {
      case 'A':
        out += message.application;
        break;
      case 'B':
        out += std::to_string(message.facility * 8 + syslog_severity(message.level));
        break;
      case 'c':
        out += message.module;
        break;
      case 'd':
      case 'D':
        append_time(out, time_format, message, letter == 'D');
        break;
      case 'E':
        out += message.host;
        break;
      case 'm':
        append_one_line(out, message.text);
        break;
      case 'N':
        out += std::to_string(message.serial);
        break;
      case 'n':
        out += '\n';
        break;
      case 'p':
        out += to_text(message.level);
        break;
      case 'P':
        out += std::to_string(getpid());
        break;
      case 'r':
        out += std::to_string(message.since_start_ms);
        break;
      case 't':
        out += message.subprogram.empty() ? std::string_view("main") : message.subprogram;
        break;
      case 'T':
        if (!message.subprogram.empty()) out.append("(").append(message.subprogram).append(")");
        break;
      default:
        out += letter;
        break;
    }
    if (const std::size_t size = utf8_length(std::string_view(out).substr(begin)); size < width) {
      if (left) {
        out.append(width - size, ' ');
      } else {
        out.insert(begin, width - size, pad);
      }
    }
  }
}

}  // namespace ovs
