#include "conf/session.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/paths.h"
#include "conf/faults.h"

namespace ovs::conf {

namespace {

// Each conflict means that somebody else's change went through; so many in a row are no accident.
constexpr int max_conflicts = 100;

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const std::string& remotes, const runtime::TlsSettings& tls,
                                               std::chrono::milliseconds limit) {
  std::unique_ptr<Session> s(new Session);
  OVS_TRY(s->server_, vsctl::Server::connect(remotes, false, limit, tls));
  OVS_TRY(s->schema_, s->server_->get_schema());
  s->replica_ = std::make_unique<dbclient::Replica>(s->server_->client(), std::string(vsctl::database_name),
                                                    declarations(*s->schema_), nullptr,
                                                    dbclient::Replica::Options{s->schema_});
  OVS_TRY_DO(s->server_->wait([&] { return s->replica_->ready() || !s->replica_->refusal().empty(); },
                              "the configuration from " + remotes));
  if (!s->replica_->refusal().empty()) return unexpected(s->replica_->refusal());
  return s;
}

Present Session::present() const {
  std::vector<const dbclient::ReplicaTable*> tables;
  for (std::size_t i = 0; i < replica_->tables(); i++) tables.push_back(&replica_->table(i));
  return Present(std::move(tables));
}

Result<Session::Committed> Session::commit(const std::string& comment, const Fill& fill, bool notify) {
  unanswered_ = false;
  for (int conflicts = 0; conflicts < max_conflicts; conflicts++) {
    replica_->forget_changes();
    dbclient::Transaction transaction{std::string(vsctl::database_name)};
    const Present now = present();
    OVS_TRY_DO(fill(transaction, now));
    if (transaction.empty()) return Committed{};
    transaction.comment(comment);
    Record root = now.root();
    // A row of an empty database that this transaction makes gets its number from the next one.
    if (notify && root) transaction.increment("Open_vSwitch", root.uuid(), "next_cfg");
    if (notify && !root)
      for (const auto& [uuid, change] : transaction.rows("Open_vSwitch"))
        transaction.set("Open_vSwitch", uuid, "next_cfg", Datum(ovsdb::Atom(std::int64_t{1})));
    const std::uint64_t before = replica_->seqno();
    switch (server_->commit(transaction)) {
      case dbclient::Outcome::unchanged: return Committed{};
      case dbclient::Outcome::success: {
        // The server sends the update before the reply.
        const std::int64_t number = !notify ? 0 : root ? transaction.incremented() : 1;
        auto kept = std::make_shared<dbclient::Transaction>(std::move(transaction));
        return Committed{number, true, [kept](const Uuid& uuid) { return kept->uuid_of(uuid); }};
      }
      case dbclient::Outcome::not_locked: return unexpected("the database is locked");
      case dbclient::Outcome::try_again:
        if (server_->client().failure()) {
          unanswered_ = true;
          return unexpected(server_->remotes() + ": the connection was lost before the server's answer: look with \"" +
                            program_name() + " diff\" whether the changes have been made");
        }
        (void)await_news(before);
        break;
      case dbclient::Outcome::error:
        if (server_->failed()) {
          unanswered_ = true;
          return unexpected(server_->failed()->message + ": look with \"" + program_name() +
                            " diff\" whether the changes have been made");
        }
        // Somebody may have made a row of the same name: then the next plan knows.
        if (transaction.error_tag() != "constraint violation" || !await_news(before))
          return unexpected("the database server refuses: " + transaction.error());
        break;
    }
  }
  return unexpected("gave up: the database changes each time before this change arrives");
}

// What was in the way is on its way, unless it is here already.
bool Session::await_news(std::uint64_t seqno) {
  return server_->loop().run_until([&] { return replica_->seqno() != seqno; }, runtime::Duration{200});
}

Result<void> Session::wait_for_switch(std::int64_t number, std::chrono::milliseconds limit) {
  auto value = [&](std::string_view column) -> std::int64_t {
    const Record root = present_root();
    const Datum* d = root ? root.find(column) : nullptr;
    return d && !d->empty() ? d->integer() : 0;
  };
  const std::int64_t wanted = number ? number : value("next_cfg");
  const auto usual = server_->limit();
  server_->set_limit(limit);
  auto result = server_->wait([&] { return value("cur_cfg") >= wanted; },
                              "ovs-vswitchd to carry out the change (is it running?)");
  server_->set_limit(usual);
  return result;
}

Record Session::present_root() const {
  Record out;
  const dbclient::ReplicaTable* t = replica_->table("Open_vSwitch");
  t->each([&](const dbclient::ReplicaRow& row) { out = {t, &row}; });
  return out;
}

MoreTypes Session::types() const {
  MoreTypes out;
  const Record root = present_root();
  for (auto [column, names] : {std::pair{"iface_types", &out.interfaces}, {"datapath_types", &out.datapaths}})
    if (const Datum* d = root ? root.find(column) : nullptr)
      for (std::size_t i = 0; i < d->size(); i++) names->emplace_back(d->key(i).string());
  return out;
}

std::vector<std::string> Session::interface_errors(const Declared& declared) const {
  const std::set<std::string> names = interfaces_of(declared);
  std::vector<std::string> out;
  const dbclient::ReplicaTable* t = replica_->table("Interface");
  if (!t) return out;
  t->each([&](const dbclient::ReplicaRow& row) {
    const Record r{t, &row};
    const std::string name = r.text("name"), error = r.text("error");
    if (!error.empty() && names.contains(name)) out.push_back(fmt::format("{}: {}", name, error));
  });
  std::ranges::sort(out);
  return out;
}

}  // namespace ovs::conf
