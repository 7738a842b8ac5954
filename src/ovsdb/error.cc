#include "ovsdb/error.h"

namespace ovs::ovsdb {

json::object DbError::to_json() const {
  json::object object;
  if (!details.empty()) object["details"] = details;
  object["error"] = tag.empty() ? "ovsdb error" : tag;
  if (!syntax.empty()) object["syntax"] = syntax;
  return object;
}

std::string DbError::to_string() const {
  std::string text;
  if (!syntax.empty()) text = "syntax \"" + syntax + "\": ";
  if (tag.empty()) return text + details;
  text += tag;
  if (!details.empty()) text += ": " + details;
  return text;
}

Unexpected<DbError> error_about(const json::value& v, std::string_view tag, std::string details) {
  return {DbError{std::string(tag), std::move(details), to_text(sorted(v))}};
}

Unexpected<DbError> syntax_error(const json::value& v, std::string details) {
  return error_about(v, "syntax error", std::move(details));
}

std::string error_text(const json::value& error) {
  if (const auto* object = error.if_object()) {
    const auto* tag = object->if_contains("error");
    const auto* details = object->if_contains("details");
    if (tag && tag->is_string()) {
      std::string text(tag->get_string());
      if (details && details->is_string()) text += ": " + std::string(details->get_string());
      return text;
    }
  }
  if (const auto text = as_string(error)) return std::string(*text);
  return ovs::to_text(sorted(error));
}

}  // namespace ovs::ovsdb
