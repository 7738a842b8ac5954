#include "conf/plan.h"

#include <algorithm>
#include <set>

#include <boost/unordered/unordered_flat_set.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"

namespace ovs::conf {

namespace {

using ovsdb::Atom;

class Planner {
 public:
  Planner(const Declared& declared, const Present& present, const ovsdb::DatabaseSchema& schema, PlanOptions options)
      : declared_(declared), present_(present), schema_(schema), options_(options) {}

  Plan make() {
    claim(declared_.root, {});
    Record root = present_.root();
    if (root || !declared_.root.children.empty() || !declared_.root.settings.empty())
      declare(declared_.root, root, "", root ? root.uuid() : make_row(declared_.root, ""));
    erase_orphans();
    resolve_ports();
    for (std::size_t i : order_)
      if (edits_[i].type != RowEdit::Type::change || !edits_[i].columns.empty())
        plan_.edits.push_back(std::move(edits_[i]));
    return std::move(plan_);
  }

 private:
  // Which port and which interface go where.
  void claim(const Item& item, const std::string& parent) {
    if (item.kind->id == Id::port) port_claims_.emplace(item.name, parent);
    if (item.kind->id == Id::interface) interface_claims_.emplace(item.name, parent);
    for (const Item& child : item.children) claim(child, item.name);
  }

  // The edit of a row; made where there is none yet.
  RowEdit& edit(const Kind& kind, const Uuid& row, const std::string& name, const std::string& where) {
    auto [it, inserted] = by_row_.try_emplace(row, edits_.size());
    if (inserted) {
      order_.push_back(edits_.size());
      edits_.push_back({.kind = &kind, .row = row, .name = name, .where = where});
    }
    if (edits_[it->second].where.empty()) edits_[it->second].where = where;
    return edits_[it->second];
  }

  Uuid make_row(const Item& item, const std::string& where) {
    const Uuid uuid = dbclient::Transaction::placeholder();
    RowEdit& e = edit(*item.kind, uuid, item.name, where);
    e.type = RowEdit::Type::insert;
    return uuid;
  }

  const ovsdb::ColumnSchema* column(const Kind& kind, std::string_view name) const {
    const ovsdb::TableSchema* table = schema_.find(kind.table);
    return table ? table->find(name) : nullptr;
  }

  // Makes a row be as declared: `record` is null for a row that is new.
  void declare(const Item& item, const Record& record, const std::string& where, const Uuid& row) {
    Settings wanted = item.settings;
    if (!record) {
      for (const auto& [name, value] : item.initial.columns) wanted.columns.emplace(name, value);
      if (!item.kind->key.empty())
        wanted.columns.emplace(std::string(item.kind->key), Datum(Atom(std::string_view(item.name))));
    }
    apply_settings(item, wanted, record, where, row);
    for (const Kind& k : kinds())
      if (k.parent == item.kind->id && k.id != Id::root) declare_children(item, k, record, row);
  }

  void apply_settings(const Item& item, const Settings& wanted, const Record& record, const std::string& where,
                      const Uuid& row) {
    const Kind& k = *item.kind;
    const Mark before = record ? record.mark() : Mark{};
    Mark after = before;
    if (!record || options_.adopt) after.made = k.id != Id::root && !(item.implied && k.id != Id::bridge);
    std::map<std::string, ColumnEdit, std::less<>> columns;

    for (const auto& [name, value] : wanted.columns) {
      const Datum* now = record ? record.find(name) : nullptr;
      const bool differs = record ? !now || *now != value : differs_from_default(k, name, value);
      if (differs) columns.emplace(name, ColumnEdit{value, {}, {}, now ? *now : Datum{}});
      if ((differs || options_.adopt) && name != k.key && item.settings.columns.contains(name))
        after.set.insert(setting_name(name, {}));
    }
    for (const auto& [name, pairs] : wanted.maps) {
      const Datum* now = record ? record.find(name) : nullptr;
      Datum missing(pairs.key_type(), pairs.value_type());
      for (std::size_t i = 0; i < pairs.size(); i++) {
        const auto at = now ? now->find(pairs.key(i)) : std::nullopt;
        const bool differs = !at || now->value(*at) != pairs.value(i);
        if (differs) missing.insert(Atom(pairs.key(i)), Atom(pairs.value(i)), true);
        if (differs || options_.adopt) after.set.insert(setting_name(name, pairs.key(i).to_bare()));
      }
      if (!missing.empty()) columns.emplace(name, ColumnEdit{{}, missing, {}, now ? *now : Datum{}});
    }
    for (const auto& [name, ports] : wanted.ports) {
      const Datum* now = record ? record.find(name) : nullptr;
      std::vector<std::string> names;
      for (std::size_t i = 0; now && i < now->size(); i++) names.push_back(present_.port_name(now->key(i).uuid()));
      std::ranges::sort(names);
      const bool differs = names != ports;
      // A port that is made again under its name is another row.
      if (differs) {
        columns.emplace(name, ColumnEdit{Datum{}, {}, {}, now ? *now : Datum{}});
        port_columns_.push_back({row, name, ports});
      }
      if (differs || options_.adopt) after.set.insert(setting_name(name, {}));
    }
    if (record && !declared_.keep_undeclared) forget_settings(k, wanted, record, after, columns);

    if (record && columns.empty() && (!options_.adopt || after == before)) return;
    RowEdit& e = edit(k, row, item.name, where);
    for (auto& [name, change] : columns) e.columns.insert_or_assign(name, std::move(change));
    put_mark(e, record, before, after);
  }

  bool differs_from_default(const Kind& k, const std::string& name, const Datum& value) const {
    const ovsdb::ColumnSchema* c = column(k, name);
    return !c || !value.is_default(c->type);
  }

  // Settings that ovs-conf has made and the file no longer declares go back to their defaults.
  void forget_settings(const Kind& k, const Settings& wanted, const Record& record, Mark& mark,
                       std::map<std::string, ColumnEdit, std::less<>>& columns) {
    for (auto it = mark.set.begin(); it != mark.set.end();) {
      const auto name = read_setting_name(*it);
      const ovsdb::ColumnSchema* c = name ? column(k, name->column) : nullptr;
      const Datum* now = c ? record.find(name->column) : nullptr;
      if (!now) {
        it = mark.set.erase(it);
        continue;
      }
      if (name->key) {
        const auto declared = wanted.maps.find(name->column);
        const Atom key = c->type.key.type == ovsdb::AtomType::string
                             ? Atom(std::string_view(*name->key))
                             : Atom::from_text(c->type.key, *name->key).value_or(Atom::default_of(c->type.key.type));
        if (declared != wanted.maps.end() && declared->second.contains(key)) {
          ++it;
          continue;
        }
        if (now->contains(key)) {
          ColumnEdit& change = columns.try_emplace(name->column).first->second;
          change.before = *now;
          if (change.erased.empty()) change.erased = Datum(c->type.key.type);
          change.erased.insert(key);
        }
      } else {
        if (wanted.columns.contains(name->column) || wanted.ports.contains(name->column)) {
          ++it;
          continue;
        }
        if (!now->is_default(c->type))
          columns.insert_or_assign(name->column, ColumnEdit{Datum::default_of(c->type), {}, {}, *now});
      }
      it = mark.set.erase(it);
    }
  }

  void put_mark(RowEdit& e, const Record& record, const Mark& before, const Mark& after) {
    if (after == before || !column(*e.kind, mark_column)) return;
    ColumnEdit& change = e.columns.try_emplace(std::string(mark_column)).first->second;
    if (record) change.before = *record.find(mark_column);
    const std::string text = after.text();
    const Atom key{mark_key};
    if (text.empty()) {
      if (change.erased.empty()) change.erased = Datum(ovsdb::AtomType::string);
      change.erased.insert(key);
    } else {
      if (change.inserted.empty()) change.inserted = Datum(ovsdb::AtomType::string, ovsdb::AtomType::string);
      change.inserted.insert(key, Atom(std::string_view(text)), true);
    }
  }

  void declare_children(const Item& item, const Kind& k, const Record& record, const Uuid& row) {
    std::vector<Present::Child> actual;
    if (record) actual = present_.children(record, k);
    std::vector<bool> matched(actual.size());
    std::map<std::string_view, std::size_t> by_name;
    for (std::size_t i = actual.size(); i-- > 0;) by_name[actual[i].name] = i;
    bool any = false;
    for (const Item& child : item.children) {
      if (child.kind != &k) continue;
      any = true;
      const auto found = by_name.find(child.name);
      const bool usable = found != by_name.end() && !matched[found->second] &&
          shareable(child, actual[found->second].record);
      if (usable) {
        matched[found->second] = true;
        declare(child, actual[found->second].record, item.name, actual[found->second].record.uuid());
        continue;
      }
      // A bridge without its own port is somebody's wish.
      if (child.implied && record && implies_nothing(child)) continue;
      const Record elsewhere = k.id == Id::port || k.id == Id::interface ? present_.named(k.id, child.name) : Record{};
      if (elsewhere) {
        move_in(child, elsewhere, item, row);
        continue;
      }
      const Uuid made = make_row(child, item.name);
      refer(*item.kind, row, item.name, record, k, child.name, made);
      plan_.memberships.push_back({Membership::Type::added, &k, child.name, item.name, made, row});
      declare(child, {}, item.name, made);
    }
    for (std::size_t i = 0; i < actual.size(); i++) {
      if (matched[i]) continue;
      // The new record has taken the place of this one.
      if (any && k.key.empty() && !k.numbered) continue;
      undeclared_child(*item.kind, item.name, record, row, k, actual[i]);
    }
  }

  static bool implies_nothing(const Item& item) {
    return item.settings.empty() && std::ranges::all_of(item.children, implies_nothing);
  }

  // Whether a row can serve this item: rows that several parents share (QoS) must be meant alike by all of them.
  bool shareable(const Item& item, const Record& record) {
    auto [it, inserted] = served_.try_emplace(record.uuid(), &item);
    if (inserted) return true;
    const auto same = [](const Item& a, const Item& b, const auto& again) -> bool {
      return a.name == b.name && a.settings == b.settings &&
             std::ranges::equal(a.children, b.children,
                                [&](const Item& x, const Item& y) { return again(x, y, again); });
    };
    return same(*it->second, item, same);
  }

  // Makes a parent refer to a child.
  void refer(const Kind& parent, const Uuid& row, const std::string& name, const Record& record, const Kind& k,
             const std::string& child_name, const Uuid& child) {
    RowEdit& e = edit(parent, row, name, {});
    ColumnEdit& change = e.columns.try_emplace(std::string(k.column)).first->second;
    if (record) change.before = *record.find(k.column);
    if (k.numbered) {
      if (change.inserted.empty()) change.inserted = Datum(ovsdb::AtomType::integer, ovsdb::AtomType::uuid);
      change.inserted.insert(Atom(*parse_integer(child_name)), Atom(child), true);
    } else if (k.key.empty()) {
      change.value = Datum(Atom(child));
    } else {
      if (change.inserted.empty()) change.inserted = Datum(ovsdb::AtomType::uuid);
      change.inserted.insert(Atom(child));
    }
  }

  void unrefer(const Kind& parent, const Uuid& row, const std::string& name, const Record& record, const Kind& k,
               const Present::Child& child) {
    RowEdit& e = edit(parent, row, name, {});
    ColumnEdit& change = e.columns.try_emplace(std::string(k.column)).first->second;
    change.before = *record.find(k.column);
    if (k.numbered) {
      if (change.erased.empty()) change.erased = Datum(ovsdb::AtomType::integer);
      change.erased.insert(Atom(*parse_integer(child.name)));
    } else if (k.key.empty()) {
      change.value = Datum(ovsdb::AtomType::uuid);
    } else {
      if (change.erased.empty()) change.erased = Datum(ovsdb::AtomType::uuid);
      change.erased.insert(Atom(child.record.uuid()));
    }
  }

  // A row that stands somewhere else in the tree, or nowhere.
  void move_in(const Item& child, const Record& record, const Item& parent, const Uuid& parent_row) {
    const Kind& k = *child.kind;
    if (k.id == Id::interface)
      for (const Record& port : present_.parents(Id::interface, record.uuid()))
        if (auto why = cannot_leave(port, record); !why.empty()) {
          plan_.refusals.push_back(fmt::format("interface {} is to be in {}: {}", child.name, parent.name, why));
          return;
        }
    refer(*parent.kind, parent_row, parent.name, present_.find(parent.kind->table, parent_row), k, child.name,
          record.uuid());
    plan_.memberships.push_back({Membership::Type::moved_in, &k, child.name, parent.name, record.uuid(), parent_row});
    declare(child, record, parent.name, record.uuid());
  }

  // Why an interface cannot be taken out of its port: a port cannot be without one.
  std::string cannot_leave(const Record& port, const Record& interface) {
    const std::string name = port.text("name");
    if (port_claims_.contains(name)) return {};  // it is declared, and gets what it is declared to have
    for (const Present::Child& other : present_.children(port, kind(Id::interface)))
      if (other.record.uuid() != interface.uuid() && !interface_claims_.contains(other.name)) return {};
    if (port.mark().made && !declared_.keep_undeclared) return {};
    return fmt::format("it is in port {}, which ovs-conf did not make and does not remove (ovs-vsctl del-port {})",
                       name, shell_quote(name));
  }

  // A child that the file does not declare in this place.
  void undeclared_child(const Kind& parent, const std::string& parent_name, const Record& record, const Uuid& row,
                        const Kind& k, const Present::Child& child) {
    const bool moves = moves_away(k, child, parent_name);
    if (moves) {
      unrefer(parent, row, parent_name, record, k, child);
      plan_.memberships.push_back({Membership::Type::moved_out, &k, child.name, parent_name, child.record.uuid(), row});
      return;
    }
    if (declared_.keep_undeclared) return release_moved(k, child);
    if (child.record.mark().made) {
      if (const std::string guest = foreign_port(k, child.record); guest.empty()) {
        unrefer(parent, row, parent_name, record, k, child);
        plan_.memberships.push_back({Membership::Type::removed, &k, child.name, parent_name, child.record.uuid(), row});
        removed_.insert(child.record.uuid());
        // Somebody else may put a port into it before it is gone.
        if (k.id == Id::bridge)
          plan_.reliances.push_back({&k, child.record.uuid(), "ports", *child.record.find("ports")});
        collect_removed(k, child.record);
        return;
      } else {
        plan_.remarks.push_back(fmt::format("bridge {} stays, although it is not declared: "
                                            "somebody else has put port {} into it",
                                            child.name, guest));
      }
    }
    release(k, child, parent_name);
  }

  // What is declared is elsewhere: under another parent of its kind.
  bool moves_away(const Kind& k, const Present::Child& child, const std::string& parent_name) const {
    if (k.id != Id::port && k.id != Id::interface) return false;
    const auto& claims = k.id == Id::port ? port_claims_ : interface_claims_;
    const auto claimed = claims.find(child.name);
    return claimed != claims.end() && claimed->second != parent_name;
  }

  // A port in a bridge that the file does not declare, of somebody else; empty if there is none.
  std::string foreign_port(const Kind& k, const Record& record) const {
    if (k.id != Id::bridge) return {};
    const std::string name = record.text("name");
    for (const Present::Child& port : present_.children(record, kind(Id::port)))
      if (port.name != name && !port.record.mark().made && !port_claims_.contains(port.name)) return port.name;
    return {};
  }

  // A row that stays without being declared: what ovs-conf has put into it goes.
  void release(const Kind& k, const Present::Child& child, const std::string& where) {
    const Mark before = child.record.mark();
    if (!before.set.empty()) {
      Mark after = before;
      std::map<std::string, ColumnEdit, std::less<>> columns;
      forget_settings(k, {}, child.record, after, columns);
      RowEdit& e = edit(k, child.record.uuid(), child.name, where);
      for (auto& [name, change] : columns) e.columns.insert_or_assign(name, std::move(change));
      put_mark(e, child.record, before, after);
    }
    for (const Kind& below : kinds())
      if (below.parent == k.id && below.id != Id::root)
        for (const Present::Child& grandchild : present_.children(child.record, below))
          undeclared_child(k, child.name, child.record, child.record.uuid(), below, grandchild);
  }

  // With ovs_keep_undeclared="yes": only what is declared elsewhere leaves.
  void release_moved(const Kind& k, const Present::Child& child) {
    for (const Kind& below : kinds())
      if (below.parent == k.id && (below.id == Id::port || below.id == Id::interface))
        for (const Present::Child& grandchild : present_.children(child.record, below))
          undeclared_child(k, child.name, child.record, child.record.uuid(), below, grandchild);
  }

  // Everything below a removed row goes with it; records that the database keeps without their parents, too.
  void collect_removed(const Kind& k, const Record& record) {
    for (const Kind& below : kinds())
      if (below.parent == k.id && below.id != Id::root)
        for (const Present::Child& child : present_.children(record, below)) {
          if (moves_away(below, child, record.text("name"))) continue;
          removed_.insert(child.record.uuid());
          if ((below.id == Id::qos || below.id == Id::queue) && child.record.mark().made)
            orphans_.push_back({&below, child});
          collect_removed(below, child.record);
        }
    if ((k.id == Id::qos || k.id == Id::queue)) orphans_.push_back({&k, {record.text("name"), record}});
  }

  // Rows of tables whose rows stay without references are removed when the last reference of theirs is.
  void erase_orphans() {
    std::set<Uuid> erased;
    for (bool again = true; std::exchange(again, false);) {
      for (const auto& [kind, child] : orphans_) {
        const Kind* const k = kind;  // Clang 14 does not let a lambda refer to a part of a pair
        const Uuid& uuid = child.record.uuid();
        if (erased.contains(uuid) || served_.contains(uuid)) continue;
        const bool used = std::ranges::any_of(present_.parents(k->id, uuid), [&](const Record& parent) {
          if (erased.contains(parent.uuid())) return false;
          if (k->id == Id::qos && removed_.contains(parent.uuid())) return false;
          const auto at = by_row_.find(parent.uuid());
          if (at == by_row_.end()) return true;
          const auto change = edits_[at->second].columns.find(k->column);
          if (change == edits_[at->second].columns.end()) return true;
          if (k->numbered) return change->second.erased.empty();
          return false;
        });
        if (used) continue;
        erased.insert(uuid);
        again = true;
        RowEdit& e = edit(*k, uuid, child.name, {});
        e.type = RowEdit::Type::erase;
        e.columns.clear();
      }
    }
  }

  // Mirrors refer to ports, some of which are new.
  void resolve_ports() {
    std::map<std::string_view, Uuid> made;
    for (const RowEdit& e : edits_)
      if (e.kind->id == Id::port && e.type == RowEdit::Type::insert) made.emplace(e.name, e.row);
    for (const auto& [row, name, ports] : port_columns_) {
      std::vector<Atom> atoms;
      for (const std::string& port : ports) {
        if (const auto it = made.find(port); it != made.end())
          atoms.emplace_back(it->second);
        else if (const Record r = present_.named(Id::port, port))
          atoms.emplace_back(r.uuid());
      }
      RowEdit& e = edits_[by_row_.at(row)];
      e.columns[name].value = Datum::set_of(ovsdb::AtomType::uuid, std::move(atoms));
    }
  }

  struct PortColumn {
    Uuid row;
    std::string column;
    std::vector<std::string> ports;
  };

  const Declared& declared_;
  const Present& present_;
  const ovsdb::DatabaseSchema& schema_;
  PlanOptions options_;
  Plan plan_;
  std::vector<RowEdit> edits_;
  std::vector<std::size_t> order_;
  boost::unordered_flat_map<Uuid, std::size_t, UuidHash> by_row_;
  std::map<std::string, std::string, std::less<>> port_claims_, interface_claims_;  // name -> parent's name
  boost::unordered_flat_map<Uuid, const Item*, UuidHash> served_;
  boost::unordered_flat_set<Uuid, UuidHash> removed_;
  std::vector<std::pair<const Kind*, Present::Child>> orphans_;
  std::vector<PortColumn> port_columns_;
};

}  // namespace

std::string RowEdit::label() const {
  return name.empty() ? std::string(kind->word) : fmt::format("{} {}", kind->word, in_one_line(name));
}

const RowEdit* Plan::find(const Uuid& row) const {
  auto it = std::ranges::find(edits, row, &RowEdit::row);
  return it == edits.end() ? nullptr : &*it;
}

Plan make_plan(const Declared& declared, const Present& present, const ovsdb::DatabaseSchema& schema,
               PlanOptions options) {
  return Planner(declared, present, schema, options).make();
}

void fill(dbclient::Transaction& transaction, const Plan& plan, bool chosen) {
  for (const RowEdit& e : plan.edits) {
    if (e.type != RowEdit::Type::insert) continue;
    if (chosen)
      transaction.insert(e.kind->table, e.row);
    else
      transaction.insert_as(e.kind->table, e.row);
  }
  for (const RowEdit& e : plan.edits) {
    if (e.type == RowEdit::Type::erase) {
      transaction.erase(e.kind->table, e.row);
      continue;
    }
    for (const auto& [name, change] : e.columns) {
      // Blindly written, a change would take back another one of the same moment, or go to a row that is gone.
      if (e.type == RowEdit::Type::change) transaction.verify(e.kind->table, e.row, name, change.before);
      if (change.value) {
        transaction.set(e.kind->table, e.row, name, *change.value);
        continue;
      }
      if (!change.erased.empty()) transaction.erase_elements(e.kind->table, e.row, name, change.erased);
      if (!change.inserted.empty()) transaction.insert_elements(e.kind->table, e.row, name, change.inserted);
    }
  }
  for (const Reliance& r : plan.reliances) transaction.verify(r.kind->table, r.row, r.column, r.value);
}

}  // namespace ovs::conf
