// Typed rows: the columns that a program uses, declared as C++ types.
//
//     using Bridge = Row<"Bridge", Col<"name", std::string>, Col<"ports", std::vector<Uuid>>,
//                        Col<"fail_mode", std::optional<std::string>>,
//                        Col<"other_config", std::map<std::string, std::string>>>;
//     Replica replica(client, "Open_vSwitch", declarations<Bridge, Port>(), on_change, {});
//     each<Bridge>(replica.table(0), [](Bridge b) { use(b.get<"name">()); });
//
// The declaration is the monitor request, and the only place where a column's type is written; a
// name that is not declared does not compile.  Types: std::string, int64_t, double, bool, Uuid;
// std::optional of these for columns of none or one; std::vector for sets (in the order of the
// database's atoms); std::map for maps.
//
// get() copies; datum() gives the value in place, for large sets and hot paths.
//
// Thread safety: a row is borrowed from its replica, like a ReplicaRow.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "dbclient/replica.h"

namespace ovs::dbclient {

// A string as a template argument.
template <std::size_t N>
struct Name {
  char text[N]{};
  consteval Name(const char (&s)[N]) { std::copy_n(s, N, text); }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

// How a C++ type stands for a column's type.
template <class T>
struct AtomOf;
template <>
struct AtomOf<std::string> {
  static constexpr auto type = ovsdb::AtomType::string;
  static std::string read(ovsdb::AtomView a) { return std::string(a.string()); }
  static std::string zero() { return {}; }
};
template <>
struct AtomOf<std::int64_t> {
  static constexpr auto type = ovsdb::AtomType::integer;
  static std::int64_t read(ovsdb::AtomView a) { return a.integer(); }
  static std::int64_t zero() { return 0; }
};
template <>
struct AtomOf<double> {
  static constexpr auto type = ovsdb::AtomType::real;
  static double read(ovsdb::AtomView a) { return a.real(); }
  static double zero() { return 0; }
};
template <>
struct AtomOf<bool> {
  static constexpr auto type = ovsdb::AtomType::boolean;
  static bool read(ovsdb::AtomView a) { return a.boolean(); }
  static bool zero() { return false; }
};
template <>
struct AtomOf<Uuid> {
  static constexpr auto type = ovsdb::AtomType::uuid;
  static Uuid read(ovsdb::AtomView a) { return a.uuid(); }
  static Uuid zero() { return {}; }
};

template <class T>
ovsdb::Atom atom_of(const T& v) {
  if constexpr (std::is_same_v<T, std::string>)
    return ovsdb::Atom(std::string_view(v));
  else
    return ovsdb::Atom(v);
}

template <class T>
struct ValueOf {  // exactly one
  static ovsdb::ColumnType type() {
    ovsdb::ColumnType t;
    t.key.type = AtomOf<T>::type;
    return t;
  }
  static T read(const ovsdb::Datum& d) { return d.empty() ? AtomOf<T>::zero() : AtomOf<T>::read(d.key(0)); }
  static ovsdb::Datum write(const T& v) { return ovsdb::Datum(atom_of(v)); }
};

template <class T>
struct ValueOf<std::optional<T>> {
  static ovsdb::ColumnType type() {
    auto t = ValueOf<T>::type();
    t.min = 0;
    return t;
  }
  static std::optional<T> read(const ovsdb::Datum& d) {
    if (d.empty()) return std::nullopt;
    return AtomOf<T>::read(d.key(0));
  }
  static ovsdb::Datum write(const std::optional<T>& v) {
    return v ? ovsdb::Datum(atom_of(*v)) : ovsdb::Datum(AtomOf<T>::type);
  }
};

template <class T>
struct ValueOf<std::vector<T>> {
  static ovsdb::ColumnType type() {
    auto t = ValueOf<T>::type();
    t.min = 0;
    t.max = ovsdb::ColumnType::unlimited;
    return t;
  }
  static std::vector<T> read(const ovsdb::Datum& d) {
    std::vector<T> out;
    out.reserve(d.size());
    for (std::size_t i = 0; i < d.size(); i++) out.push_back(AtomOf<T>::read(d.key(i)));
    return out;
  }
  static ovsdb::Datum write(const std::vector<T>& v) {
    std::vector<ovsdb::Atom> atoms;
    atoms.reserve(v.size());
    for (const T& e : v) atoms.push_back(atom_of<T>(e));
    return ovsdb::Datum::set_of(AtomOf<T>::type, std::move(atoms));
  }
};

template <class K, class V>
struct ValueOf<std::map<K, V>> {
  static ovsdb::ColumnType type() {
    ovsdb::ColumnType t;
    t.key.type = AtomOf<K>::type;
    t.value.type = AtomOf<V>::type;
    t.min = 0;
    t.max = ovsdb::ColumnType::unlimited;
    return t;
  }
  static std::map<K, V> read(const ovsdb::Datum& d) {
    std::map<K, V> out;
    for (std::size_t i = 0; i < d.size(); i++)
      out.emplace(AtomOf<K>::read(d.key(i)), AtomOf<V>::read(d.value(i)));
    return out;
  }
  static ovsdb::Datum write(const std::map<K, V>& v) {
    std::vector<std::pair<ovsdb::Atom, ovsdb::Atom>> pairs;
    for (const auto& [k, e] : v) pairs.emplace_back(atom_of(k), atom_of(e));
    return ovsdb::Datum::map_of(AtomOf<K>::type, AtomOf<V>::type, std::move(pairs));
  }
};

template <Name ColumnName, class T>
struct Col {
  static constexpr std::string_view name = ColumnName.view();
  using Type = T;
};

template <Name TableName, class... Cols>
class Row {
 public:
  static constexpr std::string_view table = TableName.view();

  explicit Row(const ReplicaRow& row) : row_(&row) {}

  static TableDecl declaration() {
    return {std::string(table), {ColumnDecl{std::string(Cols::name), ValueOf<typename Cols::Type>::type()}...}};
  }

  template <Name C>
  static constexpr std::size_t slot() {
    constexpr std::size_t found = [] {
      std::size_t i = 0, at = sizeof...(Cols);
      ((Cols::name == C.view() ? at = i++ : i++), ...);
      return at;
    }();
    static_assert(found < sizeof...(Cols), "a column that is not declared");
    return found;
  }

  const Uuid& uuid() const { return row_->uuid(); }
  const ReplicaRow& row() const { return *row_; }
  template <Name C>
  const ovsdb::Datum& datum() const {
    return (*row_)[slot<C>()];
  }
  template <Name C>
  auto get() const {
    return Value<C>::read(datum<C>());
  }
  template <Name C>
  bool changed() const {
    return row_->changed(slot<C>());
  }

  // Puts a column's new value into a transaction.
  template <Name C>
  static void set(Transaction& transaction, const Uuid& row, const auto& value) {
    transaction.set(table, row, C.view(), Value<C>::write(value));
  }

 private:
  template <std::size_t I, class First, class... Rest>
  struct At : At<I - 1, Rest...> {};
  template <class First, class... Rest>
  struct At<0, First, Rest...> {
    using Type = typename First::Type;
  };
  template <Name C>
  using Value = ValueOf<typename At<slot<C>(), Cols...>::Type>;

  const ReplicaRow* row_;
};

template <class... Rows>
std::vector<TableDecl> declarations() {
  return {Rows::declaration()...};
}

// Calls `visit(TypedRow)` for each row of a table that was declared by TypedRow.
template <class TypedRow, class F>
void each(const ReplicaTable& table, F&& visit) {
  OVS_CHECK(table.declaration().name == TypedRow::table, "a table's rows as another's");
  table.each([&visit](const ReplicaRow& row) { visit(TypedRow(row)); });
}

}  // namespace ovs::dbclient
