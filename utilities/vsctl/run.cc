#include "vsctl/run.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "base/log.h"
#include "base/options.h"
#include "base/paths.h"
#include "base/text.h"
#include "timeout.h"
#include "vsctl/schema.h"

namespace ovs::vsctl {

namespace {

LogModule log{"vsctl"};

// Each conflict means that somebody else's change went through; so many in a row are no accident.
constexpr int max_conflicts = 1000;

// A table is called by its rows' new names; the server names them at the commit.
void replace_uuids(std::string& text, const dbclient::Transaction& transaction, std::span<Row* const> rows) {
  for (Row* row : rows) {
    std::string before = row->uuid().to_string(), after = transaction.uuid_of(row->uuid()).to_string();
    if (before == after) continue;
    for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos; at += after.size())
      text.replace(at, before.size(), after);
  }
}

// --oneline: one line, with new lines and backslashes written out.
std::string on_one_line(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::string out;
  for (char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out + "\n";
}

class Runner {
 public:
  Runner(Server& server, const Settings& settings, std::span<const Invocation> invocations,
         const std::string& called_as)
      : server_(server), settings_(settings), invocations_(invocations), called_as_(called_as) {}

  int run() {
    OVS_CHECK(!invocations_.empty());
    if (std::ranges::any_of(invocations_, [](const Invocation& i) {
          return i.command->needs_schema && i.command->needs_schema(i);
        })) {
      if (!ask_for_schema()) return 1;
    }
    while (true) {
      if (auto status = attempt()) return *status;
    }
  }

 private:
  int fail(std::string_view message) {
    while (!message.empty()) {
      auto end = std::min(message.find('\n'), message.size());
      std::fprintf(stderr, "%s: %.*s\n", program_name().c_str(), static_cast<int>(end), message.data());
      message.remove_prefix(std::min(end + 1, message.size()));
    }
    return 1;
  }

  bool ask_for_schema() {
    auto schema = server_.get_schema();
    if (!schema) {
      fail(schema.error().message);
      return false;
    }
    schema_ = std::move(*schema);
    is_servers_schema_ = true;
    return true;
  }

  // The exit status; nothing where everything has to be done again.
  std::optional<int> attempt() {
    Attempt a(server_, schema_);
    a.view.transaction().comment(called_as_);
    if (auto error = collect_names(a)) return fail(*error);

    std::vector<Context> contexts;
    contexts.reserve(invocations_.size());
    std::vector<Query> queries{Query::all("Open_vSwitch")};
    for (const Invocation& invocation : invocations_) {
      Context& context = contexts.emplace_back(a, invocation);
      if (invocation.command->prepare) invocation.command->prepare(context);
      queries.insert(queries.end(), context.queries().begin(), context.queries().end());
    }
    a.view.prefetch(queries);
    // Every call initializes an empty database.
    if (!a.view.failed()) contexts.front().root();

    for (Context& context : contexts) {
      auto result = context.invocation().command->run(context);
      if (a.view.failed()) return view_failed(a.view);
      if (a.waits_for) {
        wait_for_change(a);
        return std::nullopt;
      }
      if (!result) return fail(result.error().message);
      if (a.exit_code) return *a.exit_code;
    }
    return finish(a, contexts);
  }

  // The names that --id gives, so that what comes before them can use them.
  std::optional<std::string> collect_names(Attempt& a) {
    for (const Invocation& invocation : invocations_) {
      auto id = invocation.value("--id");
      if (!id) continue;
      if (!id->starts_with('@')) {
        if (invocation.command->info.name == "create" && Uuid::parse(*id)) continue;
        return fmt::format("row id \"{}\" does not begin with \"@\"", *id);
      }
      if (!a.names.emplace(*id, nullptr).second)
        return fmt::format("row id \"{}\" may only be specified on one --id option", *id);
      if (invocation.command->info.name == "create") {
        Uuid placeholder = dbclient::Transaction::placeholder();
        a.view.transaction().promise(placeholder);
        a.promised.emplace(*id, placeholder);
      }
    }
    return std::nullopt;
  }

  // The server did not answer as it should.  If the reason may be that its schema is another one
  // than we think, the schema is fetched, once.
  std::optional<int> view_failed(View& view) {
    if (is_servers_schema_ || !server_.client().is_connected()) return fail(view.error().message);
    if (!ask_for_schema()) return 1;
    return std::nullopt;
  }

  std::optional<int> finish(Attempt& a, std::vector<Context>& contexts) {
    dbclient::Transaction& transaction = a.view.transaction();
    bool changes = a.view.changes_anything() && !settings_.dry_run;
    // What commands that only read may have added, the first row of an empty database, is nothing
    // that ovs-vswitchd has to carry out.
    bool asks_for_change = std::ranges::any_of(
        invocations_, [](const Invocation& i) { return i.command->info.access == Access::read_write; });
    bool wait = settings_.wait && changes && asks_for_change;
    if (wait)
      if (Row* root = contexts.front().root(); !root->deleted())
        transaction.increment("Open_vSwitch", root->uuid(), "next_cfg");

    if (changes) {
      switch (server_.commit(transaction)) {
        case dbclient::Outcome::unchanged:
        case dbclient::Outcome::success: break;
        case dbclient::Outcome::not_locked: return fail("database not locked");
        case dbclient::Outcome::try_again:
          if (server_.client().failure())
            return fail(server_.remotes() +
                        ": the connection was lost before the server's answer; the changes may or may not "
                        "have been made");
          if (++conflicts_ == max_conflicts)
            return fail(fmt::format("gave up after {} attempts: the database changes each time before this "
                                    "call's changes arrive",
                                    max_conflicts));
          return std::nullopt;
        case dbclient::Outcome::error:
          // Two calls at once may have taken the same name: then the commands' own error is the better.
          if (transaction.error_tag() == "constraint violation" && !tried_violation_) {
            tried_violation_ = true;
            return std::nullopt;
          }
          return fail("transaction error: " + transaction.error());
      }
    }

    for (const std::string& warning : a.warnings) log.warn("{}", warning);
    utilities::TablePrinter printer{settings_.style};
    auto inserted = a.view.inserted_rows();
    for (Context& context : contexts) {
      std::string text;
      if (context.table)
        text = printer.text(*context.table);
      else if (settings_.oneline)
        text = on_one_line(context.output);
      else
        text = std::move(context.output);
      if (changes) replace_uuids(text, transaction, inserted);
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    // Who reads this need not wait for what comes now.
    if (std::fflush(stdout) != 0) return fail("write failed");

    if (wait && transaction.incremented() > 0) {
      if (!wait_for_switch(transaction.incremented())) return fail_connection();
      report_errors(a, transaction);
    }
    return 0;
  }

  int fail_connection() {
    return fail(server_.remotes() +
                ": the connection was lost while waiting for ovs-vswitchd; the changes are in the database");
  }

  // Watches what wait-until asks for, until it changes (or is seen for the first time).
  void wait_for_change(Attempt& a) {
    const std::string what = fmt::format("the condition of wait-until on table {}", a.waits_for->name);
    utilities::set_waiting_for(what);
    if (!watch_ || watched_ != a.waits_for->name) {
      watched_ = a.waits_for->name;
      watch_.emplace(server_.client(), std::string(database_name), std::vector{*a.waits_for}, nullptr,
                     dbclient::Replica::Options{schema_});
      watch_->set_condition(watched_, *a.waits_for_condition);
      seen_ = 0;
    }
    if (auto r = server_.wait([&] { return watch_->seqno() != seen_ || !watch_->refusal().empty(); }, what); !r)
      std::exit(fail(r.error().message));
    if (!watch_->refusal().empty()) std::exit(fail(watch_->refusal()));
    seen_ = watch_->seqno();
    watch_->forget_changes();
    utilities::set_waiting_for(server_.remotes());
  }

  // Waits until ovs-vswitchd has carried out configuration number `wanted`.
  bool wait_for_switch(std::int64_t wanted) {
    utilities::set_waiting_for("ovs-vswitchd to carry out the change");
    auto known = known_schema();
    const ovsdb::TableSchema* table = known->find("Open_vSwitch");
    dbclient::TableDecl declaration{"Open_vSwitch", {{"cur_cfg", table->find("cur_cfg")->type}}};
    dbclient::Replica replica(server_.client(), std::string(database_name), {declaration}, nullptr,
                              dbclient::Replica::Options{known});
    auto done = [&] {
      bool reached = false, any = false;
      replica.table(0).each([&](const dbclient::ReplicaRow& row) {
        any = true;
        reached = !row[0].empty() && row[0].integer() >= wanted;
      });
      return reached || (replica.ready() && !any) || !replica.refusal().empty();
    };
    return server_
        .wait(done,
              "ovs-vswitchd to carry out the change (is it running? --no-wait does not wait, --timeout=SECS gives up)")
        .has_value();
  }

  // What ovs-vswitchd says about the interfaces that this call made.
  void report_errors(Attempt& a, const dbclient::Transaction& transaction) {
    std::vector<std::string> operations;
    for (Row* row : a.new_interfaces)
      if (!row->deleted())
        operations.push_back(dbclient::select_operation(
            "Interface", dbclient::where_uuid(transaction.uuid_of(row->uuid())), {"name", "error", "ofport", "type"}));
    if (operations.empty()) return;
    auto results = server_.transact(operations);
    if (!results) return;
    bool any = false;
    for (const json::value& result : *results) {
      const json::object* o = result.if_object();
      const json::value* rows = o ? o->if_contains("rows") : nullptr;
      if (!rows || !rows->is_array() || rows->get_array().empty() || !rows->get_array()[0].is_object()) continue;
      const json::object& row = rows->get_array()[0].get_object();
      const json::value* message = row.if_contains("error");
      const json::value* ofport = row.if_contains("ofport");
      const json::value* name = row.if_contains("name");
      auto error = message ? as_string(*message) : std::nullopt;
      bool failed = ofport && as_integer(*ofport) == -1;
      if (!error && !failed) continue;
      // A patch port waits for its other end, which may be added by the next call.
      const json::value* type = row.if_contains("type");
      if (!failed && type && as_string(*type) == "patch") continue;
      fail(fmt::format("Error detected while setting up '{}'{}{}.  See ovs-vswitchd log for details.",
                       name ? as_string(*name).value_or("") : "", error ? ": " : "", error.value_or("")));
      any = true;
    }
    if (any) fail(fmt::format("The default log directory is \"{}\".", logdir()));
  }

  Server& server_;
  const Settings& settings_;
  std::span<const Invocation> invocations_;
  const std::string& called_as_;
  std::shared_ptr<const ovsdb::DatabaseSchema> schema_ = known_schema();
  bool is_servers_schema_ = false;
  bool tried_violation_ = false;
  int conflicts_ = 0;
  std::string watched_;
  std::optional<dbclient::Replica> watch_;
  std::uint64_t seen_ = 0;
};

}  // namespace

int run(Server& server, const Settings& settings, std::span<const Invocation> invocations,
        const std::string& called_as) {
  return Runner(server, settings, invocations, called_as).run();
}

}  // namespace ovs::vsctl
