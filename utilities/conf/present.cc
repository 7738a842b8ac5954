#include "conf/present.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace ovs::conf {

const Datum* Record::find(std::string_view column) const {
  const auto& columns = table->declaration().columns;
  for (std::size_t i = 0; i < columns.size(); i++)
    if (columns[i].name == column) return &(*row)[i];
  return nullptr;
}

std::string Record::text(std::string_view column) const {
  const Datum* d = find(column);
  return d && !d->empty() && d->key_type() == ovsdb::AtomType::string ? std::string(d->string()) : std::string();
}

Mark Record::mark() const {
  const Datum* ids = find(mark_column);
  const auto at = ids ? ids->find(ovsdb::Atom(mark_key)) : std::nullopt;
  return at ? Mark::parse(ids->value(*at).string()) : Mark{};
}

Present::Present(std::vector<const dbclient::ReplicaTable*> tables) {
  for (const dbclient::ReplicaTable* t : tables) tables_.emplace(t->declaration().name, t);
  auto index = [this](std::string_view name, std::string_view column, auto&& put) {
    const dbclient::ReplicaTable* t = table(name);
    if (!t) return;
    const auto& columns = t->declaration().columns;
    const auto it = std::ranges::find(columns, column, &dbclient::ColumnDecl::name);
    if (it == columns.end()) return;
    const auto slot = static_cast<std::size_t>(it - columns.begin());
    t->each([&](const dbclient::ReplicaRow& row) { put(Record{t, &row}, row[slot]); });
  };
  auto by_name = [](auto& map) {
    return [&map](Record r, const Datum& name) {
      if (!name.empty()) map.emplace(std::string(name.string()), r);
    };
  };
  index("Port", "name", by_name(ports_));
  index("Interface", "name", by_name(interfaces_));
  auto by_child = [](auto& map) {
    return [&map](Record r, const Datum& children) {
      for (std::size_t i = 0; i < children.size(); i++)
        map[children.is_map() ? children.value(i).uuid() : children.key(i).uuid()].push_back(r);
    };
  };
  index("Bridge", "ports", by_child(port_parents_));
  index("Port", "interfaces", by_child(interface_parents_));
  index("Port", "qos", by_child(qos_parents_));
  index("QoS", "queues", by_child(queue_parents_));
}

const dbclient::ReplicaTable* Present::table(std::string_view name) const {
  auto it = tables_.find(name);
  return it == tables_.end() ? nullptr : it->second;
}

Record Present::find(std::string_view name, const Uuid& uuid) const {
  const dbclient::ReplicaTable* t = table(name);
  const dbclient::ReplicaRow* row = t ? t->find(uuid) : nullptr;
  return row ? Record{t, row} : Record{};
}

Record Present::root() const {
  Record out;
  if (const dbclient::ReplicaTable* t = table("Open_vSwitch"))
    t->each([&](const dbclient::ReplicaRow& row) { out = {t, &row}; });
  return out;
}

std::vector<Present::Child> Present::children(const Record& parent, const Kind& kind) const {
  std::vector<Child> out;
  const Datum* references = parent.find(kind.column);
  if (!references) return out;
  for (std::size_t i = 0; i < references->size(); i++) {
    const bool map = references->is_map();
    Record r = find(kind.table, map ? references->value(i).uuid() : references->key(i).uuid());
    if (!r) continue;
    out.push_back({map ? references->key(i).to_bare() : std::string(kind.key.empty() ? "" : r.text(kind.key)), r});
  }
  if (!kind.numbered)
    std::ranges::sort(out, [](const Child& a, const Child& b) {
      return a.name != b.name ? a.name < b.name : a.record.uuid() < b.record.uuid();
    });
  return out;
}

Record Present::named(Id id, std::string_view name) const {
  const auto& map = id == Id::port ? ports_ : interfaces_;
  auto it = map.find(std::string(name));
  return it == map.end() ? Record{} : it->second;
}

std::vector<Record> Present::parents(Id id, const Uuid& child) const {
  const auto& map = id == Id::port        ? port_parents_
                    : id == Id::interface ? interface_parents_
                    : id == Id::qos       ? qos_parents_
                                          : queue_parents_;
  auto it = map.find(child);
  return it == map.end() ? std::vector<Record>{} : it->second;
}

std::string Present::port_name(const Uuid& port) const {
  Record r = find("Port", port);
  return r ? r.text("name") : std::string();
}

}  // namespace ovs::conf
