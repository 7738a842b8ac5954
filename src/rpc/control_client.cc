// Asking a daemon over its control socket.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/paths.h"
#include "base/text.h"
#include "rpc/connection.h"
#include "rpc/control.h"
#include "runtime/pidfile.h"

namespace ovs::rpc {

Result<std::string> control_socket_of(const std::string& target) {
  if (target.starts_with('/')) return target;
  std::string path = path_below(rundir(), target + ".pid");
  OVS_TRY(pid_t pid, runtime::read_pidfile(path));
  return path_below(rundir(), fmt::format("{}.{}.ctl", target, pid));
}

Result<ControlAnswer> control_call(const std::string& socket_path, const std::string& command,
                                   const std::vector<std::string>& arguments,
                                   std::optional<runtime::Duration> timeout, SlowNotice slow) {
  std::string params = "[";
  for (auto& argument : arguments) {
    if (params.size() > 1) params += ',';
    append_json_string(params, argument);
  }
  params += ']';

  runtime::Loop loop;
  OVS_TRY(auto stream, runtime::Stream::connect(loop, "unix:" + socket_path));
  std::optional<Result<ControlAnswer>> answer;
  std::unique_ptr<Connection> connection;
  auto failed = [&](Error error) { answer.emplace(Unexpected{std::move(error)}); };

  auto take = [&](Message&& m) {
    if (m.kind != Message::Kind::reply && m.kind != Message::Kind::error) return;
    ControlAnswer a{.ok = m.kind == Message::Kind::reply};
    // Daemons of other versions may answer with structured values: show them as JSON.
    a.text = m.result.is_string() ? std::string(*as_string(m.result)) : to_text(m.result);
    answer.emplace(std::move(a));
  };
  stream->set_handler({
      .connected =
          [&] {
            connection = std::make_unique<Connection>(
                std::move(stream), Connection::Handler{
                                       .message = take,
                                       .closed =
                                           [&](const Error& error) {
                                             failed(Error{fmt::format("transaction error on \"{}\" ({})", socket_path,
                                                                      error.code ? std::strerror(error.code)
                                                                                 : "the daemon closed the connection"),
                                                          error.code ? error.code : ECONNRESET});
                                           },
                                       .drained = nullptr,
                                   });
            connection->send(request_text(command, params, "0"));
          },
      .received = nullptr,
      .drained = nullptr,
      .closed =
          [&](const Error& error) {
            failed(Error{fmt::format("cannot connect to \"{}\" ({})", socket_path, std::strerror(error.code)),
                         error.code});
          },
  });

  runtime::Timer slow_timer(loop, [&] { slow.say(); });
  if (slow.say) slow_timer.start(slow.after);
  if (!loop.run_until([&] { return answer.has_value(); }, timeout)) {
    return unexpected(connection ? fmt::format("no answer from \"{}\" within the time limit", socket_path)
                                 : fmt::format("cannot connect to \"{}\" within the time limit", socket_path),
                      ETIMEDOUT);
  }
  return std::move(*answer);
}

}  // namespace ovs::rpc
