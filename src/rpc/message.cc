// The forms of JSON-RPC messages (RFC 7047 section 4, JSON-RPC 1.0).
#include <cerrno>

#include <fmt/format.h>

#include "rpc/connection.h"

namespace ovs::rpc {

namespace {

bool absent(const json::value* v) { return !v || v->is_null(); }

Unexpected<Error> bad(std::string message) { return unexpected(std::move(message), EPROTO); }

}  // namespace

Result<Message> Message::from_json(json::value&& v) {
  json::object* object = v.if_object();
  if (!object) return bad("a message must be a JSON object");

  json::value *method = nullptr, *params = nullptr, *result = nullptr, *error = nullptr, *id = nullptr;
  bool has_result = false;
  for (auto& member : *object) {
    std::string_view key(member.key().data(), member.key().size());
    if (key == "method") {
      method = &member.value();
    } else if (key == "params") {
      params = &member.value();
    } else if (key == "id") {
      id = &member.value();
    } else if (key == "result") {
      result = &member.value();
      has_result = true;
    } else if (key == "error") {
      error = &member.value();
    } else {
      return bad(fmt::format("a message has no member \"{}\"", key));
    }
  }

  Message m;
  if (!absent(method)) {
    if (!method->is_string()) return bad("\"method\" must be a string");
    if (absent(params)) return bad("a request must have \"params\"");
    if (!params->is_array()) return bad("\"params\" must be an array");
    if (!absent(result)) return bad("a request must not have a \"result\"");
    if (!absent(error)) return bad("a request must not have an \"error\"");
    m.kind = absent(id) ? Kind::notification : Kind::request;
    m.method.assign(method->get_string().data(), method->get_string().size());
    m.params = std::move(*params);
    if (m.kind == Kind::request) m.id = std::move(*id);
    return m;
  }

  if (!absent(params)) return bad("a message with \"params\" must have a \"method\"");
  if (absent(id)) return bad("a reply must have an \"id\"");
  if (!absent(error)) {
    if (!absent(result)) return bad("a reply must not have both a \"result\" and an \"error\"");
    m.kind = Kind::error;
    m.result = std::move(*error);
  } else {
    if (!has_result) return bad("a reply must have a \"result\" or an \"error\"");
    m.kind = Kind::reply;
    m.result = std::move(*result);
  }
  m.id = std::move(*id);
  return m;
}

std::string request_text(std::string_view method, std::string_view params_text, std::string_view id_text) {
  std::string s;
  s.reserve(method.size() + params_text.size() + id_text.size() + 32);
  s += "{\"id\":";
  s += id_text;
  s += ",\"method\":";
  append_json_string(s, method);
  s += ",\"params\":";
  s += params_text;
  s += '}';
  return s;
}

std::string notification_text(std::string_view method, std::string_view params_text) {
  return request_text(method, params_text, "null");
}

std::string reply_text(std::string_view result_text, std::string_view id_text) {
  std::string s;
  s.reserve(result_text.size() + id_text.size() + 32);
  s += "{\"id\":";
  s += id_text;
  s += ",\"result\":";
  s += result_text;
  s += ",\"error\":null}";
  return s;
}

std::string error_text(std::string_view error_text, std::string_view id_text) {
  std::string s;
  s.reserve(error_text.size() + id_text.size() + 32);
  s += "{\"id\":";
  s += id_text;
  s += ",\"result\":null,\"error\":";
  s += error_text;
  s += '}';
  return s;
}

}  // namespace ovs::rpc
