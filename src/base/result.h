// Result<T>: a value, or the reason why there is none.
//
// What fails because of a peer, an operator or the kernel returns a Result; our own bugs abort
// (base/check.h).  The names are those of std::expected (C++23), so that a later standard can
// take over.  A Result must be looked at: it is [[nodiscard]].
//
//     Result<int> parse(std::string_view);
//     OVS_TRY(int n, parse(text));            // returns the error to our caller
//     if (auto r = parse(text); !r) log(r.error().message);
//
// Error messages are sentences for the operator, without a final stop: what was wrong, where, and
// where it helps what to do.  `code` is an errno value, or 0 where none applies.
//
// Thread safety: a Result is a value; no shared state.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace ovs {

struct Error {
  std::string message;
  int code = 0;

  // The same error, with "CONTEXT: " in front.
  Error in(std::string_view context) && {
    return Error{std::string(context) + ": " + std::move(message), code};
  }
};

// An Error from errno: "DOING: No such file or directory".
Error system_error(std::string_view doing, int code);

template <class E = Error>
struct Unexpected {
  E error;
};

template <class E>
Unexpected(E) -> Unexpected<E>;

inline Unexpected<Error> unexpected(std::string message, int code = 0) {
  return {Error{std::move(message), code}};
}

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Unexpected<E> u) : state_(std::in_place_index<1>, std::move(u.error)) {}
  // A value that converts to T, such as unique_ptr<Derived> for unique_ptr<Base>.
  template <class U>
    requires(std::is_convertible_v<U, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return *get(); }
  const T& value() const& { return *const_cast<Result*>(this)->get(); }
  T&& value() && { return std::move(*get()); }
  T& operator*() & { return *get(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*get()); }
  T* operator->() { return get(); }
  const T* operator->() const { return &value(); }
  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(other));
  }

  E& error() & { return *get_error(); }
  const E& error() const& { return *const_cast<Result*>(this)->get_error(); }
  E&& error() && { return std::move(*get_error()); }

 private:
  // Looking for a value that is not there is a bug of ours: stop instead of going on with garbage.
  T* get() noexcept {
    if (state_.index() != 0) std::abort();
    return std::get_if<0>(&state_);
  }
  E* get_error() noexcept {
    if (state_.index() != 1) std::abort();
    return std::get_if<1>(&state_);
  }

  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() = default;
  Result(Unexpected<E> u) : state_(std::in_place_index<1>, std::move(u.error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (!has_value()) std::abort();
  }
  E& error() & { return *get_error(); }
  const E& error() const& { return *const_cast<Result*>(this)->get_error(); }
  E&& error() && { return std::move(*get_error()); }

 private:
  E* get_error() noexcept {
    if (state_.index() != 1) std::abort();
    return std::get_if<1>(&state_);
  }

  std::variant<std::monostate, E> state_;
};

}  // namespace ovs

#define OVS_CONCAT_(a, b) a##b
#define OVS_CONCAT(a, b) OVS_CONCAT_(a, b)

// OVS_TRY(auto x, expression): x is the value, or this function returns the error.
#define OVS_TRY(declaration, ...) OVS_TRY_(OVS_CONCAT(ovs_try_, __LINE__), declaration, __VA_ARGS__)
#define OVS_TRY_(tmp, declaration, ...)                                       \
  auto tmp = (__VA_ARGS__);                                                   \
  if (!tmp) return ::ovs::Unexpected{std::move(tmp).error()};                 \
  declaration = std::move(tmp).value()

// OVS_TRY_DO(expression): for a Result<void>, or one whose value is not needed.
#define OVS_TRY_DO(...)                                                       \
  do {                                                                        \
    auto ovs_try_do_ = (__VA_ARGS__);                                         \
    if (!ovs_try_do_) return ::ovs::Unexpected{std::move(ovs_try_do_).error()}; \
  } while (0)
