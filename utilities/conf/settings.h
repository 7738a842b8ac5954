// Settings of one record: what a file says about its columns, and the text of it.
//
// Text is a list of words, COLUMN=VALUE or COLUMN:KEY=VALUE, separated by white space outside of quotes and brackets.
// What stands in single quotes is taken as it is; double quotes are those of JSON, as for ovs-vsctl.
// Columns have their full names; a map's keys are set one by one.  A setting has a name of its own, "tag" or
// "other_config:hwaddr", under which ovs-conf remembers what it has set.
//
// Thread safety: values and pure functions.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/kind.h"
#include "ovsdb/datum.h"

namespace ovs::conf {

using ovsdb::Datum;

struct Settings {
  std::map<std::string, Datum, std::less<>> columns;                           // no maps: the whole value
  std::map<std::string, Datum, std::less<>> maps;                              // the pairs that are set
  std::map<std::string, std::vector<std::string>, std::less<>> ports;          // the names of ports that are meant

  bool empty() const { return columns.empty() && maps.empty() && ports.empty(); }
  bool operator==(const Settings&) const = default;
};

// The words of a variable's value, with double quotes for single ones, and what is wrong where a quote or a bracket
// does not end.  Behind a bracket of an address ("tcp:[::1:80"), and only there, it is known where the word was to end.
struct WordsRead {
  std::vector<std::string> words;
  std::vector<std::string> mistakes;
};
WordsRead read_words(std::string_view text);
// The same, where one mistake is enough.
Result<std::vector<std::string>> split_words(std::string_view text);

// A word, and the kind whose column it names.
struct Setting {
  const Kind* kind = nullptr;
  const ovsdb::ColumnSchema* column = nullptr;
  std::optional<std::string> key;
  Datum value;                      // of a map: the pair
  std::vector<std::string> ports;   // where the column refers to ports
};

// Reads a word.  `kinds`: where the column may be, the first that has it is meant.  The error says what was
// wrong and what may have been meant.
Result<Setting> read_setting(const ovsdb::DatabaseSchema& schema, const std::vector<const Kind*>& kinds,
                             std::string_view word);
// Adds it; an error if it is there already with another value.
Result<void> add(Settings& settings, Setting setting);

// "tag", "options:key", as text that split_words() and read_setting_name() read back.
std::string setting_name(std::string_view column, std::optional<std::string_view> key);
struct SettingName {
  std::string column;
  std::optional<std::string> key;
};
std::optional<SettingName> read_setting_name(std::string_view word);

// The value as it stands behind "COLUMN=" in a file, for every value that a database can hold.
std::string value_text(const ovsdb::ColumnType& type, const Datum& value);
std::string atom_text(const ovsdb::BaseType& type, ovsdb::AtomView atom);
std::string port_names_text(const std::vector<std::string>& names);

// The mark in external_ids:ovs-conf: whether ovs-conf has made the row, and what it has set in it.
struct Mark {
  bool made = false;
  std::set<std::string, std::less<>> set;  // names of settings

  bool operator==(const Mark&) const = default;
  static Mark parse(std::string_view text);
  std::string text() const;  // empty: no mark is needed
};

}  // namespace ovs::conf
