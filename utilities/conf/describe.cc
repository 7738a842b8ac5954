#include "conf/describe.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "conf/declared.h"

namespace ovs::conf {

namespace {

const ovsdb::ColumnSchema* find_column(const ovsdb::DatabaseSchema& schema, const Kind& k, std::string_view name) {
  const ovsdb::TableSchema* table = schema.find(k.table);
  return table ? table->find(name) : nullptr;
}

// A column by which a parent refers to its children, which memberships tell about.
bool refers_to_children(const Kind& k, std::string_view column) {
  return std::ranges::any_of(kinds(), [&](const Kind& child) {
    return child.parent == k.id && child.column == column;
  });
}

class Words {
 public:
  Words(const Plan& plan, const Present& present, const ovsdb::DatabaseSchema& schema)
      : plan_(plan), present_(present), schema_(schema) {
    for (const RowEdit& e : plan.edits) edits_.emplace(e.row, &e);
  }

  std::string text() {
    std::string out;
    auto line = [&](std::string_view text) { (out += text) += '\n'; };
    std::set<Uuid> said;
    for (const Membership& m : plan_.memberships) {
      const std::string what =
          m.name.empty() ? std::string(m.kind->word) : fmt::format("{} {}", m.kind->word, in_one_line(m.name));
      std::string where;
      if (const Kind& parent = kind(m.kind->parent); parent.id != Id::root)
        where = m.parent.empty() ? std::string(parent.word) : fmt::format("{} {}", parent.word, in_one_line(m.parent));
      switch (m.type) {
        case Membership::Type::added: {
          // An interface that has its port's name is not worth a line.
          const RowEdit* e = edits_.contains(m.row) ? edits_.at(m.row) : nullptr;
          const std::string settings = e ? settings_of(*e) : "";
          said.insert(m.row);
          if (m.kind->id == Id::port && m.name == m.parent && settings.empty()) break;
          if (m.kind->id == Id::interface && m.name == m.parent && (settings.empty() || settings == "type=internal")) {
            if (!settings.empty() && !is_local(m.name)) line(fmt::format("make interface {}: {}", m.name, settings));
            break;
          }
          line(fmt::format("add {}{}{}", what, where.empty() ? "" : " to " + where,
                           settings.empty() ? "" : ": " + settings));
          break;
        }
        case Membership::Type::removed:
          line(fmt::format("remove {}{}", what, where.empty() ? "" : " from " + where));
          break;
        case Membership::Type::moved_in: line(fmt::format("move {} to {}", what, where)); break;
        case Membership::Type::moved_out: break;  // where it goes is said
      }
    }
    for (const RowEdit& e : plan_.edits) {
      if (said.contains(e.row) || e.type != RowEdit::Type::change) continue;
      if (const std::string settings = settings_of(e); !settings.empty()) {
        const bool alone = e.where.empty() || e.where == e.name;
        const std::string where = alone ? "" : fmt::format(" of {}", in_one_line(e.where));
        line(fmt::format("change {}{}: {}", e.label(), where, settings));
      } else if (marks_only(e)) {
        line(fmt::format("mark {} as managed by ovs-conf", e.label()));
      }
    }
    return out;
  }

 private:
  bool is_local(const std::string& name) const {
    return std::ranges::any_of(plan_.edits, [&](const RowEdit& e) {
      return e.kind->id == Id::bridge && e.name == name;
    });
  }

  std::string value(const Kind& k, const std::string& name, const Datum& d) const {
    const ovsdb::ColumnSchema* column = find_column(schema_, k, name);
    if (!column) return {};
    if (!names_ports(*column)) return value_text(column->type, d);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < d.size(); i++) {
      const Uuid uuid = d.key(i).uuid();
      const auto it = edits_.find(uuid);
      names.push_back(it != edits_.end() ? it->second->name : present_.port_name(uuid));
    }
    return port_names_text(names);
  }

  static bool marks_only(const RowEdit& e) {
    return std::ranges::all_of(e.columns, [](const auto& c) { return c.first == mark_column; });
  }

  std::string settings_of(const RowEdit& e) const {
    std::vector<std::string> parts;
    for (const auto& [name, change] : e.columns) {
      if (name == e.kind->key || refers_to_children(*e.kind, name)) continue;
      const ovsdb::ColumnSchema* column = find_column(schema_, *e.kind, name);
      if (!column) continue;
      const bool existed = e.type == RowEdit::Type::change;
      auto was = [&](const std::string& before) { return existed ? fmt::format(" (was {})", before) : std::string(); };
      if (change.value) {
        parts.push_back(fmt::format("{}={}{}", name, value(*e.kind, name, *change.value),
                                    was(value(*e.kind, name, change.before))));
        continue;
      }
      auto is_mark = [&name = name](ovsdb::AtomView key) { return name == mark_column && key.string() == mark_key; };
      for (std::size_t i = 0; i < change.erased.size(); i++)
        if (!is_mark(change.erased.key(i))) parts.push_back("no " + setting_name(name, change.erased.key(i).to_bare()));
      for (std::size_t i = 0; i < change.inserted.size(); i++) {
        const auto key = change.inserted.key(i);
        if (is_mark(key)) continue;
        const auto at = change.before.find(key);
        parts.push_back(fmt::format("{}={}{}", setting_name(name, key.to_bare()),
                                    atom_text(column->type.value, change.inserted.value(i)),
                                    at ? was(atom_text(column->type.value, change.before.value(*at))) : ""));
      }
    }
    return join(parts, ", ");
  }

  const Plan& plan_;
  const Present& present_;
  const ovsdb::DatabaseSchema& schema_;
  std::map<Uuid, const RowEdit*> edits_;
};

class Commands {
 public:
  Commands(const Plan& plan, const ovsdb::DatabaseSchema& schema) : plan_(plan), schema_(schema) {
    for (const RowEdit& e : plan.edits) edits_.emplace(e.row, &e);
    for (const Membership& m : plan.memberships)
      moves_ |= m.type == Membership::Type::moved_in || m.type == Membership::Type::moved_out;
  }

  std::string text() {
    for (const RowEdit& e : plan_.edits)
      if (e.kind->id == Id::root && e.type == RowEdit::Type::insert) command({"init"});
    // What leaves makes room for what comes; but a port is never without an interface.
    leave_all([](const Kind& k) { return k.id != Id::interface; });
    for (const RowEdit& e : plan_.edits)
      if (e.type == RowEdit::Type::erase) command({"destroy", std::string(e.kind->table), e.row.to_string()});
    for (const Membership& m : plan_.memberships)
      if (m.type == Membership::Type::added || m.type == Membership::Type::moved_in) come(m);
    leave_all([](const Kind& k) { return k.id == Id::interface; });
    for (const RowEdit& e : plan_.edits)
      if (e.type == RowEdit::Type::change || !done_.contains(e.row)) change(e);
    if (commands_.empty()) return {};
    std::string out = "ovs-vsctl";
    for (std::size_t i = 0; i < commands_.size(); i++) out += fmt::format(" \\\n    -- {}", commands_[i]);
    return out + "\n";
  }

 private:
  // Whether ovs-vsctl takes a word for a name wherever one stands, and not for an option or the end of a command.
  static bool is_plain(std::string_view name) { return !name.starts_with('-'); }

  void command(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& w : words) out += (out.empty() ? "" : " ") + shell_quote(w);
    commands_.push_back(std::move(out));
  }

  // How a command calls a row that is there by the time that it runs.
  std::string record(const Kind& k, const Uuid& row, const std::string& name) {
    if (k.id == Id::root) return ".";
    if ((k.id == Id::bridge || k.id == Id::port || k.id == Id::interface) && is_plain(name)) return name;
    return names_.contains(row) ? names_.at(row) : row.to_string();
  }

  void leave_all(bool (*which)(const Kind&)) {
    for (const Membership& m : plan_.memberships)
      if ((m.type == Membership::Type::removed || m.type == Membership::Type::moved_out) && which(*m.kind)) leave(m);
  }

  void leave(const Membership& m) {
    const Kind& parent = kind(m.kind->parent);
    const bool plain = m.type == Membership::Type::removed && !moves_ && is_plain(m.name) && is_plain(m.parent);
    if (m.kind->id == Id::bridge && plain) return command({"del-br", m.name});
    if (m.kind->id == Id::port && plain) return command({"del-port", m.parent, m.name});
    std::string element = m.row.to_string();
    if (m.kind->numbered) element = m.name;
    command({"remove", std::string(parent.table), record(parent, m.parent_row, m.parent),
             std::string(m.kind->column), element});
  }

  // The words that set a new row's columns.
  std::vector<std::string> settings(const RowEdit& e, bool with_key) {
    std::vector<std::string> out;
    for (const auto& [name, change] : e.columns) {
      const ovsdb::ColumnSchema* column = find_column(schema_, *e.kind, name);
      if (!column || refers_to_children(*e.kind, name) || (name == e.kind->key && !with_key)) continue;
      if (change.value) {
        out.push_back(fmt::format("{}={}", name, value(*column, *change.value)));
        continue;
      }
      for (std::size_t i = 0; i < change.inserted.size(); i++)
        out.push_back(fmt::format("{}={}", setting_name(name, change.inserted.key(i).to_bare()),
                                  atom_text(column->type.value, change.inserted.value(i))));
    }
    return out;
  }

  // A value, with names for ports.
  std::string value(const ovsdb::ColumnSchema& column, const Datum& d) {
    if (!names_ports(column)) return value_text(column.type, d);
    std::string out;
    for (std::size_t i = 0; i < d.size(); i++) {
      const Uuid uuid = d.key(i).uuid();
      if (edits_.contains(uuid) && !names_.contains(uuid) && edits_.at(uuid)->type == RowEdit::Type::insert) {
        const std::string id = new_name("port");
        commands_.push_back(fmt::format("--id={} get Port {}", id, shell_quote(edits_.at(uuid)->name)));
        names_[uuid] = id;
      }
      out += (out.empty() ? "" : ",") + (names_.contains(uuid) ? names_.at(uuid) : uuid.to_string());
    }
    return out.empty() ? "[]" : out;
  }

  std::string new_name(std::string_view word) { return fmt::format("@{}{}", to_lower(word), ++counter_); }

  const RowEdit* made(const Uuid& row) const {
    auto it = edits_.find(row);
    return it != edits_.end() && it->second->type == RowEdit::Type::insert ? it->second : nullptr;
  }

  void come(const Membership& m) {
    const Kind& parent = kind(m.kind->parent);
    if (m.type == Membership::Type::moved_in) {
      // An interface that comes into a new port is named where the port is made.
      if (m.kind->id == Id::interface && made(m.parent_row)) return;
      return command({"add", std::string(parent.table), record(parent, m.parent_row, m.parent),
                      std::string(m.kind->column), m.row.to_string()});
    }
    const RowEdit& e = *edits_.at(m.row);
    if (done_.contains(m.row)) return;
    done_.insert(m.row);
    std::vector<std::string> words;
    auto append = [&](const std::vector<std::string>& more) { words.insert(words.end(), more.begin(), more.end()); };
    switch (m.kind->id) {
      case Id::bridge: {
        command({"add-br", m.name});
        // add-br makes the port and the interface, too.
        for (const Membership& below : plan_.memberships)
          if (below.type == Membership::Type::added && below.name == m.name && below.parent == m.name) {
            done_.insert(below.row);
            set_later_.insert(below.row);
          }
        if (auto more = settings(e, false); !more.empty()) {
          words = {"set", "Bridge", m.name};
          append(more);
          command(words);
        }
        for (const Membership& below : plan_.memberships)
          if (set_later_.contains(below.row) && below.name == m.name)
            if (auto more = settings(*edits_.at(below.row), false);
                !more.empty() && !(more.size() == 1 && more[0] == "type=internal")) {
              words = {"set", std::string(below.kind->table), m.name};
              append(more);
              command(words);
            }
        return;
      }
      case Id::port: return come_port(m, e);
      case Id::interface: {
        const std::string id = new_name("interface");
        words = {"--id=" + id, "create", "Interface"};
        append(settings(e, true));
        command(words);
        return command({"add", "Port", m.parent, "interfaces", id});
      }
      default: break;
    }
    const std::string id = new_name(m.kind->table);
    words = {"--id=" + id, "create", std::string(m.kind->table)};
    append(settings(e, true));
    command(words);
    names_[m.row] = id;
    if (m.kind->numbered)
      command({"add", std::string(parent.table), record(parent, m.parent_row, m.parent), std::string(m.kind->column),
               m.name + "=" + id});
    else if (m.kind->key.empty())
      command({"set", std::string(parent.table), record(parent, m.parent_row, m.parent),
               std::string(m.kind->column) + "=" + id});
    else
      command({"add", std::string(parent.table), record(parent, m.parent_row, m.parent), std::string(m.kind->column),
               id});
  }

  void come_port(const Membership& m, const RowEdit& e) {
    std::vector<const Membership*> interfaces;
    bool all_new = true;
    for (const Membership& below : plan_.memberships)
      if (below.parent_row == m.row && below.kind->id == Id::interface) {
        interfaces.push_back(&below);
        all_new &= below.type == Membership::Type::added;
      }
    std::vector<std::string> words;
    const auto more = settings(e, false);
    const bool plain = all_new && interfaces.size() == 1 && interfaces[0]->name == m.name;
    if (plain || (all_new && interfaces.size() > 1)) {
      words = {plain ? "add-port" : "add-bond", m.parent, m.name};
      if (!plain)
        for (const Membership* i : interfaces) words.push_back(i->name);
      words.insert(words.end(), more.begin(), more.end());
      command(words);
      for (const Membership* i : interfaces) {
        done_.insert(i->row);
        if (const auto its = settings(*edits_.at(i->row), false); !its.empty()) {
          words = {"set", "Interface", i->name};
          words.insert(words.end(), its.begin(), its.end());
          command(words);
        }
      }
      return;
    }
    std::string list;
    for (const Membership* i : interfaces) {
      std::string element = i->row.to_string();
      if (i->type == Membership::Type::added) {
        element = new_name("interface");
        words = {"--id=" + element, "create", "Interface"};
        const auto its = settings(*edits_.at(i->row), true);
        words.insert(words.end(), its.begin(), its.end());
        command(words);
        done_.insert(i->row);
      }
      list += (list.empty() ? "" : ",") + element;
    }
    const std::string id = new_name("port");
    words = {"--id=" + id, "create", "Port", "interfaces=" + list};
    const auto all = settings(e, true);
    words.insert(words.end(), all.begin(), all.end());
    command(words);
    command({"add", "Bridge", m.parent, "ports", id});
  }

  void change(const RowEdit& e) {
    if (e.type != RowEdit::Type::change) return;
    const std::string name = record(*e.kind, e.row, e.name), table(e.kind->table);
    std::vector<std::string> set{"set", table, name};
    for (const auto& [column_name, edit] : e.columns) {
      const ovsdb::ColumnSchema* column = find_column(schema_, *e.kind, column_name);
      if (!column || refers_to_children(*e.kind, column_name)) continue;
      if (edit.value && edit.value->empty()) {
        command({"clear", table, name, column_name});
        continue;
      }
      for (std::size_t i = 0; i < edit.erased.size(); i++) {
        std::string key;
        edit.erased.key(i).type() == ovsdb::AtomType::string ? append_key(key, edit.erased.key(i).string())
                                                             : void(key = edit.erased.key(i).to_bare());
        command({"remove", table, name, column_name, key});
      }
    }
    const auto more = [&] {
      RowEdit rest = e;
      std::erase_if(rest.columns, [](const auto& c) { return c.second.value && c.second.value->empty(); });
      return settings(rest, false);
    }();
    if (more.empty()) return;
    set.insert(set.end(), more.begin(), more.end());
    command(set);
  }

  static void append_key(std::string& out, std::string_view key) {
    const std::string name = setting_name("", key);
    out = name.substr(1);
    if (is_plain(out)) return;
    out.clear();
    append_json_string(out, key);
  }

  const Plan& plan_;
  const ovsdb::DatabaseSchema& schema_;
  std::map<Uuid, const RowEdit*> edits_;
  std::vector<std::string> commands_;
  std::set<Uuid> done_, set_later_;
  std::map<Uuid, std::string> names_;
  bool moves_ = false;
  int counter_ = 0;
};

}  // namespace

std::string in_words(const Plan& plan, const Present& present, const ovsdb::DatabaseSchema& schema) {
  return Words(plan, present, schema).text();
}

std::string as_commands(const Plan& plan, const ovsdb::DatabaseSchema& schema) {
  return Commands(plan, schema).text();
}

}  // namespace ovs::conf
