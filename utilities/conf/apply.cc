#include "conf/apply.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/paths.h"
#include "base/text.h"
#include "conf/faults.h"

namespace ovs::conf {

void complain(std::string_view message) {
  for (std::string_view line : split(message, '\n'))
    if (!line.empty())
      std::fprintf(stderr, "%s: %.*s\n", program_name().c_str(), static_cast<int>(line.size()), line.data());
}

void complain_of(std::vector<Mistake> mistakes, const std::string& file) {
  const std::string name = file_name(file);
  const std::size_t n = mistakes.size();
  std::fputs(to_text(std::move(mistakes), name).c_str(), stderr);
  complain(fmt::format("{} {} in {}; nothing is changed", n, n == 1 ? "mistake" : "mistakes", name));
}

bool types_are_good(const Declared& declared, const MoreTypes& more, const std::string& file) {
  TypesChecked types = check_types(declared.types, more);
  std::fputs(to_text(std::move(types.remarks), file_name(file)).c_str(), stderr);
  if (types.mistakes.empty()) return true;
  complain_of(std::move(types.mistakes), file);
  return false;
}

std::string file_name(const std::string& file) { return file == "-" ? "standard input" : file; }

Result<void> check_declares(const Declared& declared, const Plan& plan, std::string_view file) {
  if (declared.sets_bridges) return {};
  std::vector<std::string> bridges, others;
  for (const Membership& m : plan.memberships)
    if (m.type == Membership::Type::removed) {
      std::string label = m.name.empty() ? std::string(m.kind->word)
          : fmt::format("{} {}", m.kind->word, in_one_line(m.name));
      (m.kind->id == Id::bridge ? bridges : others).push_back(std::move(label));
    }
  if (bridges.empty() && (declared.sets_anything || plan.empty())) return {};
  std::vector<std::string>& lost = bridges.empty() ? others : bridges;
  constexpr std::size_t most = 5;
  if (lost.size() > most) {
    lost.resize(most);
    lost.push_back("...");
  }
  return unexpected(fmt::format("{} {}, but the switch has {} from an earlier file: to remove {}, write "
                                "ovs_bridges=\"\"; nothing is changed",
                                file, declared.sets_anything ? "does not set ovs_bridges" : "declares nothing",
                                lost.empty() ? "settings" : join(lost, ", "), lost.size() == 1 ? "it" : "them"));
}

Result<bool> take_back(Session& session, const Undo& undo, std::string_view why) {
  auto committed = session.commit(
      fmt::format("{}: {}", program_name(), why),
      [&](dbclient::Transaction& transaction, const Present& now) -> Result<void> {
        undo.fill(transaction, now, session.schema());
        return {};
      },
      true);
  if (!committed) return Unexpected{std::move(committed.error())};
  return committed->sent;
}

namespace {

constexpr runtime::Duration reconnect_interval{200};

// A server that is started again meanwhile is no reason to give up: the switch finds it again, and so does this.
Result<void> await_switch(std::unique_ptr<Session>& session, std::int64_t number, const ApplyOptions& options) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + options.switch_limit;
  const auto left = [&] {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()),
                    std::chrono::milliseconds{1});
  };
  while (true) {
    auto done = session->wait_for_switch(number, left());
    if (done || done.error().code == ETIMEDOUT) return done;
    while (true) {
      session->loop().run_until([] { return false; }, std::min(reconnect_interval, left()));
      auto again = Session::open(options.db, options.tls, std::min(options.limit, left()));
      if (again) {
        session = std::move(*again);
        break;
      }
      if (Clock::now() >= end) return done;
    }
  }
}

// What a fault that goes by itself may take, such as a queue that the kernel still holds.
constexpr runtime::Duration fault_limit{2000};
// What the database server may take to open what it has just been told of.
constexpr runtime::Duration server_limit{3000};

// What was said before it was known what becomes of the change.
struct Before {
  std::set<std::string> working;      // interfaces, before it was made
  std::map<std::string, Datum> keys;  // keys_reported() when it had just been made
  std::set<std::string> faults;       // of managers, at that time
};

// What does not work although it was declared; the exit status.
int say_faults(Session& session, const Declared& declared, const Plan& plan, const Before& before) {
  const auto lost = [&] {
    std::vector<std::string> names;
    const std::set<std::string> now = working_interfaces(session.present());
    for (const std::string& name : interfaces_of(declared))
      if (before.working.contains(name) && !now.contains(name)) names.push_back(name);
    return names;
  };
  const auto edits = [&](Id kind, std::string_view column) {
    return std::ranges::any_of(plan.edits, [&](const RowEdit& e) {
      return e.kind->id == kind || (e.kind->id == Id::root && e.columns.contains(column));
    });
  };
  const bool other_keys = edits(Id::ssl, "ssl"), may_come = other_keys || edits(Id::manager, "manager_options");
  const auto managers_known = [&] {
    const Present present = session.present();
    const auto state = manager_faults(present, declared);
    if (!state.unknown.empty() || !state.faults.empty()) return false;
    // What was written before other keys were named may be about the ones before.  What is written anew may be the
    // same: then nobody hears of it, and the time runs out.
    if (!other_keys) return true;
    const auto keys = keys_reported(present, declared);
    return std::ranges::none_of(before.keys, [&](const auto& old) {
      const auto now = keys.find(old.first);
      return now != keys.end() && now->second == old.second;
    });
  };
  session.loop().run_until([&] { return lost().empty(); }, fault_limit);
  if (may_come) session.loop().run_until(managers_known, server_limit);
  for (const std::string& error : session.interface_errors(declared)) complain(error);
  int status = exit_done;
  const ManagerFaults managers = manager_faults(session.present(), declared);
  for (const ManagerFault& fault : managers.faults) {
    // Of other keys nothing is known before they have been tried.
    if (other_keys && fault.of_last_try && before.faults.contains(fault.text)) continue;
    complain(fault.text);
    status = exit_faults;
  }
  std::vector<std::string> silent = managers.unknown;
  // Of a socket at which nobody is connected there is nothing to say.
  std::erase_if(silent, [](const std::string& target) { return target.starts_with("punix:"); });
  if (!silent.empty())
    complain(fmt::format("the database server says nothing about {} {}: it may have been started without "
                         "--remote=db:Open_vSwitch,Open_vSwitch,manager_options, and use no managers",
                         silent.size() == 1 ? "the manager" : "the managers", join(silent, ", ")));
  std::vector<std::string> names = lost();
  if (names.empty()) return status;
  complain(fmt::format("{} worked before this change, and {} not now",
                       join(names, ", "), names.size() == 1 ? "does" : "do"));
  return exit_faults;
}

}  // namespace

Applied apply(const Declared& declared, const ApplyOptions& options,
              const std::function<Result<void>(const Undo&)>& before_commit) {
  auto session = Session::open(options.db, options.tls, options.limit);
  if (!session) {
    complain(session.error().message);
    return {exit_database};
  }
  Session& s = **session;
  if (!types_are_good(declared, s.types(), options.file)) return {exit_mistake};
  Plan plan;
  Before before;
  std::string words;
  std::optional<Undo> undo;
  const auto same = [](const Uuid& uuid) { return uuid; };
  int refused = exit_database;
  auto committed = s.commit(
      fmt::format("{}: apply {}", program_name(), options.file),
      [&](dbclient::Transaction& transaction, const Present& now) -> Result<void> {
        before.working = working_interfaces(now);
        plan = make_plan(declared, now, s.schema(), {.adopt = options.adopt});
        if (!plan.refusals.empty()) return unexpected(join(plan.refusals, "\n"));
        if (plan.empty()) return {};
        if (auto ok = check_declares(declared, plan, file_name(options.file)); !ok) {
          refused = exit_mistake;
          return ok;
        }
        words = in_words(plan, now, s.schema());
        // Who may have to take it back after this process is gone has to know now how its rows will be called.
        undo.emplace(plan, now, s.schema(), same);
        if (before_commit) OVS_TRY_DO(before_commit(*undo));
        fill(transaction, plan, true);
        return {};
      },
      options.wait);
  if (!committed) {
    complain(committed.error().message);
    return {refused, s.unanswered()};
  }
  // Not what there was earlier: the server may have written anew meanwhile, and before it had the change.
  before.keys = keys_reported(s.present(), declared);
  for (ManagerFault& fault : manager_faults(s.present(), declared).faults) before.faults.insert(std::move(fault.text));
  for (const std::string& remark : plan.remarks) complain(remark);
  std::fputs(committed->sent ? words.c_str() : "nothing to change\n", stdout);
  std::fflush(stdout);
  if (options.wait) {
    if (auto done = await_switch(*session, committed->number, options); !done) {
      complain(done.error().message);
      if (!committed->sent) return {exit_switch};
      auto back = take_back(**session, *undo, "the switch did not carry it out");
      if (back) {
        complain("nothing is changed: the old configuration is in the database again (--no-wait does not wait)");
        return {exit_switch};
      }
      complain("the new configuration stays in the database: " + back.error().message);
      return {exit_switch, true};
    }
    return {say_faults(**session, declared, plan, before), committed->sent};
  }
  return {exit_done, committed->sent};
}

}  // namespace ovs::conf
