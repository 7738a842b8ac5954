// lock, steal and unlock (RFC 7047 sections 4.1.8 to 4.1.10), to try a server's locks out.
#include <fmt/format.h>

#include <array>

#include "ovsdb_client/context.h"
#include "ovsdb/error.h"

namespace ovs::utilities::ovsdb_client {

namespace {

constexpr std::array<CommandInfo, 3> lock_methods{{
    {"lock", "LOCK", "ask for LOCK, or wait for it", "", Access::read_write},
    {"steal", "LOCK", "take LOCK from its holder", "", Access::read_write},
    {"unlock", "LOCK", "give LOCK up", "", Access::read_write},
}};

Result<void> run_lock(Context& context, std::string_view method) {
  Server& server = *context.server;
  Result<void> result;
  bool ended = false;
  server.on_message = [&](const rpc::Message& m) {
    if (!result || (m.method != "locked" && m.method != "stolen")) return;
    result = context.print(fmt::format("{}\n{}\n", m.method, to_text(m.params)));
    if (!result) ended = true;
  };
  // The reply is printed when it comes, so that a notification behind it does not overtake it.
  std::optional<Result<void>> begun;
  server.request(method, to_text(json::array{context.arguments[0]}), [&](Reply&& reply) {
    begun = reply.ok ? context.print_json(reply.value) : Unexpected{refused(server, method, reply.value)};
  });
  OVS_TRY_DO(server.wait_until([&] { return begun.has_value(); },
                               fmt::format("the reply to \"{}\" from {}", method, server.name())));
  OVS_TRY_DO(std::move(*begun));

  ControlTable controls;
  for (const CommandInfo& info : lock_methods) {
    controls.add(info, [&server, name = info.name](std::span<const std::string> words, ControlReply reply) {
      auto answer = std::make_shared<ControlReply>(std::move(reply));
      server.request(name, to_text(json::array{words[0]}), [answer](Reply&& r) {
        if (r.ok) return answer->ok(to_text(r.value) + "\n");
        answer->error(ovsdb::error_text(r.value));
      });
    });
  }
  OVS_TRY_DO(stay(context, controls, [&] { return ended; }));
  return result;
}

}  // namespace

Result<void> lock(Context& context) { return run_lock(context, "lock"); }
Result<void> steal(Context& context) { return run_lock(context, "steal"); }
Result<void> unlock(Context& context) { return run_lock(context, "unlock"); }

}  // namespace ovs::utilities::ovsdb_client
