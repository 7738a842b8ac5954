// A database for ovs-vsctl's unit tests: rows in memory, and a record of what was asked.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "vsctl/server.h"

namespace ovs::vsctl {

// Answers "select" operations from `tables`: {"Bridge": [{"_uuid": ..., "name": "br0"}]}.
class MemorySource : public Source {
 public:
  explicit MemorySource(std::string_view text) : tables(parse_json(text)->get_object()) {}

  Result<json::array> transact(const std::vector<std::string>& operations) override {
    requests++;
    json::array results;
    for (const std::string& text : operations) {
      asked.push_back(text);
      results.push_back(select(*parse_json(text)));
    }
    return results;
  }

  json::object tables;
  std::vector<std::string> asked;
  int requests = 0;

 private:
  json::object select(const json::value& op) {
    json::array rows;
    const json::value* table = tables.if_contains(op.at("table").get_string());
    if (!table) return {{"error", "unknown table"}, {"details", "no such table"}};
    for (const json::value& row : table->get_array()) {
      bool matches = true;
      for (const json::value& clause : op.at("where").get_array()) {
        const json::value& have = row.at(clause.at(0).get_string());
        if (clause.at(1) == "==")
          matches = matches && have == clause.at(2);
        else  // includes, of a set written in full
          matches = matches && contains(have, clause.at(2));
      }
      if (!matches) continue;
      json::object out;
      for (const json::value& column : op.at("columns").get_array()) {
        const json::value* v = row.get_object().if_contains(column.get_string());
        if (!v) return {{"error", "unknown column"}, {"details", column}};
        out[column.get_string()] = *v;
      }
      rows.push_back(out);
    }
    return {{"rows", rows}};
  }

  static bool contains(const json::value& set, const json::value& element) {
    for (const json::value& v : set.at(1).get_array())
      if (v == element) return true;
    return false;
  }
};

}  // namespace ovs::vsctl
