#include "conf/settings.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/text.h"
#include "setting.h"

namespace ovs::conf {

namespace {

using ovsdb::Atom;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

ovsdb::ColumnType names_type(std::uint32_t max) {
  ovsdb::ColumnType type;
  type.key.type = ovsdb::AtomType::string;
  type.min = 0;
  type.max = max;
  return type;
}

// The settings that these kinds have, for messages.
std::vector<std::string_view> setting_columns(const ovsdb::DatabaseSchema& schema,
                                              const std::vector<const Kind*>& kinds) {
  std::vector<std::string_view> out;
  for (const Kind* k : kinds)
    if (const ovsdb::TableSchema* table = schema.find(k->table))
      for (const ovsdb::ColumnSchema& column : table->columns)
        if (is_setting(*k, column) && std::ranges::find(out, column.name) == out.end()) out.push_back(column.name);
  return out;
}

// Why a column that the schema has is no setting, and what to do instead.
std::string why_no_setting(const Kind& kind, const ovsdb::ColumnSchema& column) {
  if (column.name == "ofport") return "the switch chooses \"ofport\"; write ofport_request=NUMBER";
  if (is_state(kind.table, column))
    return fmt::format("\"{}\" is what the switch reports, and cannot be set", column.name);
  if (column.name == kind.key)
    return fmt::format("\"{}\" of a {} comes from the name of the variable, and cannot be set", column.name, kind.word);
  return fmt::format("\"{}\" refers to other records, which have variables of their own: see ovs.conf.d(5)",
                     column.name);
}

std::string unknown_setting(const ovsdb::DatabaseSchema& schema, const std::vector<const Kind*>& kinds,
                            std::string_view name) {
  for (const Kind* k : kinds)
    if (const ovsdb::TableSchema* table = schema.find(k->table))
      if (const ovsdb::ColumnSchema* column = table->find(name); column && column->index >= ovsdb::first_column)
        return why_no_setting(*k, *column);
  const auto candidates = setting_columns(schema, kinds);
  std::string text = fmt::format("there is no setting \"{}\"", name);
  if (auto near = nearest(name, candidates)) return text + fmt::format("; did you mean \"{}\"?", *near);
  return text + fmt::format("; there are {}", fmt::join(candidates, ", "));
}

// What may be written in place of a wrong value.
std::string value_hint(const ovsdb::BaseType& type, std::string_view text) {
  if (!type.enumeration) return {};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < type.enumeration->size(); i++) names.push_back(type.enumeration->key(i).to_bare());
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  if (auto near = nearest(text, candidates)) return fmt::format("; did you mean \"{}\"?", *near);
  return {};
}

// The error of the database's own reader, without its tag.
Error plain(Error error) {
  constexpr std::string_view tag = "constraint violation: ";
  if (error.message.starts_with(tag)) error.message.erase(0, tag.size());
  return error;
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view text) {
  WordsRead read = read_words(text);
  if (read.mistakes.empty()) return std::move(read.words);
  return unexpected(std::move(read.mistakes.front()));
}

WordsRead read_words(std::string_view text) {
  WordsRead out;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_space(text[at])) at++;
    if (at == text.size()) return out;
    const auto wrong = [&out](std::string_view word, std::string_view why) {
      out.mistakes.push_back(fmt::format("{}: {}", word, why));
    };
    const std::size_t begin = at;
    std::string word, open;  // the brackets that are to be closed, the innermost last
    bool quoted = false;
    bool address = false;  // the outermost of them is that of an address
    for (; at < text.size(); at++) {
      const char c = text[at];
      if (c == '\\' && at + 1 < text.size()) {
        word += c;
        word += text[++at];
        continue;
      }
      const bool may_begin = word.empty() || std::string_view("=,[{: ").find(word.back()) != std::string_view::npos;
      if (c == '\'' && !quoted && may_begin) {
        const auto end = text.find('\'', at + 1);
        if (end == std::string_view::npos) {
          wrong(text.substr(begin), "a single quote has no end");
          return out;
        }
        append_json_string(word, text.substr(at + 1, end - at - 1));
        at = end;
        continue;
      }
      if (c == '"') {
        quoted = !quoted;
      } else if (!quoted) {
        if (c == '[' || c == '{') {
          if (open.empty()) address = word.ends_with(':');
          open += c == '[' ? ']' : '}';
        } else if (!open.empty() && c == open.back()) {
          open.pop_back();
        } else if (is_space(c) && open.empty()) {
          break;
        }
      }
      word += c;
    }
    if (quoted) {
      wrong(text.substr(begin), "a double quote has no end");
      return out;
    }
    if (!open.empty()) {
      if (address)
        for (at = begin; at < text.size() && !is_space(text[at]);) at++;
      wrong(text.substr(begin, at - begin), fmt::format("\"{}\" is missing", open.back()));
      continue;
    }
    out.words.push_back(std::move(word));
  }
}

Result<Setting> read_setting(const ovsdb::DatabaseSchema& schema, const std::vector<const Kind*>& kinds,
                             std::string_view word) {
  Setting setting;
  std::string_view text = word;
  OVS_TRY(const std::string name, utilities::take_word(text, word));
  if (name.empty()) return unexpected(fmt::format("{}: the name of a setting is missing: write NAME=VALUE", word));
  for (const Kind* k : kinds) {
    const ovsdb::TableSchema* table = schema.find(k->table);
    const ovsdb::ColumnSchema* column = table ? table->find(name) : nullptr;
    if (!column || !is_setting(*k, *column)) continue;
    setting.kind = k;
    setting.column = column;
    break;
  }
  if (!setting.column) return unexpected(unknown_setting(schema, kinds, name));
  const ovsdb::ColumnType& type = setting.column->type;
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    OVS_TRY(setting.key, utilities::take_word(text, word));
    if (setting.key->empty()) return unexpected(fmt::format("{}: a key is missing after \"{}:\"", word, name));
  }
  if (!text.starts_with('=')) {
    if (type.is_map() && !setting.key) return unexpected(fmt::format("{}: write {}:KEY=VALUE", word, name));
    return unexpected(fmt::format("{0}: write {1}=VALUE, without spaces", word,
                                  word.substr(0, word.size() - text.size())));
  }
  text.remove_prefix(1);
  if (setting.key && !type.is_map())
    return unexpected(fmt::format("{0}: \"{1}\" has no keys: write {1}=VALUE", word, name));
  if (!setting.key && type.is_map())
    return unexpected(fmt::format("{0}: \"{1}\" has keys: write {1}:KEY=VALUE for each", word, name));
  auto wrong = [&](Error error, const ovsdb::BaseType& base) {
    return unexpected(fmt::format("{}: {}{}", word, plain(std::move(error)).message, value_hint(base, text)));
  };
  if (names_ports(*setting.column)) {
    auto names = utilities::read_value(names_type(type.max), text);
    if (!names) return wrong(std::move(names.error()), type.key);
    for (std::size_t i = 0; i < names->size(); i++) setting.ports.emplace_back(names->key(i).string());
    return setting;
  }
  if (setting.key) {
    if (name == mark_column && *setting.key == mark_key)
      return unexpected(fmt::format("{}: this key is ovs-conf's own mark", word));
    auto key = type.key.type == ovsdb::AtomType::string ? Result<Atom, ovsdb::DbError>(Atom(*setting.key))
                                                        : Atom::from_text(type.key, *setting.key);
    if (!key) return wrong(Error{key.error().to_string()}, type.key);
    auto value = Atom::from_text(type.value, text);
    if (!value) return wrong(Error{value.error().to_string()}, type.value);
    for (auto check : {ovsdb::check_atom(*key, type.key), ovsdb::check_atom(*value, type.value)})
      if (!check) return wrong(Error{check.error().to_string()}, type.value);
    setting.value = Datum::map_of(type.key.type, type.value.type, {{std::move(*key), std::move(*value)}});
    return setting;
  }
  auto value = utilities::read_value(type, text);
  if (!value) return wrong(std::move(value.error()), type.key);
  setting.value = std::move(*value);
  return setting;
}

Result<void> add(Settings& settings, Setting setting) {
  const std::string& name = setting.column->name;
  bool added = true;
  if (names_ports(*setting.column)) {
    std::ranges::sort(setting.ports);
    auto [it, inserted] = settings.ports.emplace(name, setting.ports);
    added = inserted || it->second == setting.ports;
  } else if (setting.key) {
    auto [it, inserted] = settings.maps.emplace(name, setting.value);
    if (!inserted) {
      added = !it->second.contains(setting.value.key(0)) || it->second.includes(setting.value);
      it->second.unite(setting.value);
    }
  } else {
    auto [it, inserted] = settings.columns.emplace(name, setting.value);
    added = inserted || it->second == setting.value;
  }
  if (!added)
    return unexpected(fmt::format("\"{}\" is set twice, to different values", setting_name(name, setting.key)));
  return {};
}

std::string setting_name(std::string_view column, std::optional<std::string_view> key) {
  if (!key) return std::string(column);
  const bool plain = !key->empty() && std::ranges::all_of(*key, [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\' &&
        utilities::word_ends.find(static_cast<char>(c)) == std::string_view::npos;
  });
  std::string out = std::string(column) + ":";
  if (plain)
    out += *key;
  else
    append_json_string(out, *key);
  return out;
}

std::optional<SettingName> read_setting_name(std::string_view word) {
  std::string_view text = word;
  auto column = utilities::take_word(text, word);
  if (!column || column->empty()) return std::nullopt;
  SettingName out{*column, std::nullopt};
  if (text.empty()) return out;
  if (!text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  auto key = utilities::take_word(text, word);
  if (!key || !text.empty()) return std::nullopt;
  out.key = std::move(*key);
  return out;
}

std::string atom_text(const ovsdb::BaseType& type, ovsdb::AtomView atom) {
  if (type.type != ovsdb::AtomType::string) return atom.to_bare();
  const std::string_view s = atom.string();
  // Plain where every reader takes it as it is.
  const bool plain = !s.empty() && std::ranges::all_of(s, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./@%+:").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return std::string(s);
  std::string out;
  append_json_string(out, s);
  return out;
}

std::string value_text(const ovsdb::ColumnType& type, const Datum& value) {
  if (value.empty()) return type.is_map() ? "{}" : "[]";
  std::string out;
  for (std::size_t i = 0; i < value.size(); i++) {
    if (i) out += ',';
    out += atom_text(type.key, value.key(i));
    if (value.is_map()) out += '=' + atom_text(type.value, value.value(i));
  }
  return out;
}

std::string port_names_text(const std::vector<std::string>& names) {
  std::vector<ovsdb::Atom> atoms;
  for (const std::string& name : names) atoms.emplace_back(std::string_view(name));
  const auto type = names_type(ovsdb::ColumnType::unlimited);
  return value_text(type, Datum::set_of(ovsdb::AtomType::string, std::move(atoms)));
}

namespace {

// Whether a word is a setting's name as setting_name() writes it: other words in a mark are somebody else's.
bool is_written_by_us(std::string_view word) {
  const auto name = read_setting_name(word);
  if (!name || name->column.find_first_of("\\'") != std::string::npos) return false;
  return setting_name(name->column, name->key) == word;
}

}  // namespace

Mark Mark::parse(std::string_view text) {
  Mark mark;
  auto words = split_words(text);
  if (!words) return mark;  // somebody has written over it: then it says nothing
  for (const std::string& word : *words) {
    if (word == "made") mark.made = true;
    if (word != "made" && is_written_by_us(word)) mark.set.insert(word);
  }
  return mark;
}

std::string Mark::text() const {
  std::string out = made ? "made" : "";
  for (const std::string& name : set) out += (out.empty() ? "" : " ") + name;
  return out;
}

}  // namespace ovs::conf
