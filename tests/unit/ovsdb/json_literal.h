// JSON and column types from text, for tests: a text that is wrong fails the test at once.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "base/json.h"
#include "ovsdb/schema.h"
#include "ovsdb/type.h"

namespace ovs::ovsdb::testing {

inline json::value value_of(std::string_view text) {
  auto v = parse_json(text);
  if (!v) {
    ADD_FAILURE() << text << ": " << v.error().message;
    return nullptr;
  }
  return std::move(*v);
}

inline ColumnType type_of(std::string_view text) {
  auto t = ColumnType::from_json(value_of(text));
  if (!t) {
    ADD_FAILURE() << text << ": " << t.error().to_string();
    return {};
  }
  return std::move(*t);
}

inline TableSchema table_of(std::string_view columns) {
  auto t = TableSchema::from_json("T", value_of("{\"columns\":" + std::string(columns) + "}"));
  if (!t) {
    ADD_FAILURE() << columns << ": " << t.error().to_string();
    return {};
  }
  return std::move(*t);
}

}  // namespace ovs::ovsdb::testing
