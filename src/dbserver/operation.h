// Operation: one element of a transaction (RFC 7047 section 5.2), its members found and their JSON
// types checked, nothing of it evaluated.
//
// Values borrow from the request.  Thread safety: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "dbserver/database.h"
#include "ovsdb/error.h"

namespace ovs::dbserver {

struct Operation {
  enum class Kind : std::uint8_t { insert, select, update, mutate, erase, wait, commit, abort, comment, assert_lock };

  Kind kind = Kind::insert;
  const json::value* whole = nullptr;
  Table* table = nullptr;
  // The members; null where they are absent.
  const json::value* row = nullptr;
  const json::value* uuid = nullptr;
  const json::value* uuid_name = nullptr;
  const json::value* where = nullptr;
  const json::value* columns = nullptr;
  const json::value* mutations = nullptr;
  const json::value* timeout = nullptr;
  const json::value* until = nullptr;
  const json::value* rows = nullptr;
  const json::value* durable = nullptr;
  const json::value* comment = nullptr;
  const json::value* lock = nullptr;

  // `number` of `total`, counted from 1, is for messages.
  static ovsdb::DbResult<Operation> parse(const Database& database, const json::value& v, std::size_t number,
                                          std::size_t total);
  bool changes() const {
    return kind == Kind::insert || kind == Kind::update || kind == Kind::mutate || kind == Kind::erase;
  }
};

std::string_view to_text(Operation::Kind kind);  // "insert", "delete", ...

}  // namespace ovs::dbserver
