// Atom and Datum: the values that a database holds (RFC 7047 section 5.1), their JSON and their text.
//
// Datum is a sorted set of atoms without duplicates, or a map sorted by key; 24 bytes, with room
// for one atom inside, so that the common scalar or optional column costs no allocation.
// More atoms, and maps, share an immutable block by reference count: copying a set of a thousand
// ports copies a pointer, and only the one who changes it pays.  Strings are counted as well.
//
// A datum knows the types of its atoms, not the constraints of its column: check() holds it
// against a ColumnType.  An empty set has whatever types it was made with; comparison ignores them.
//
// Order of atoms: integers, reals and booleans by value, strings by bytes, UUIDs by bytes.
//
// Thread safety: const functions of one object may run in parallel with copies of it in other
// threads (the counts are atomic); changing an object needs it alone.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/uuid.h"
#include "ovsdb/error.h"
#include "ovsdb/type.h"

namespace ovs::ovsdb {

// The memory of one atom: which member counts is known from its owner's AtomType.
struct SharedText;  // a counted, immutable string
union Cell {
  std::int64_t integer;
  double real;
  bool boolean;
  SharedText* text;
  std::uint8_t uuid[16];
};

// An atom that belongs to somebody else: cheap to pass, valid as long as its owner is unchanged.
class AtomView {
 public:
  AtomView(AtomType type, const Cell& cell) : type_(type), cell_(&cell) {}
  AtomType type() const { return type_; }
  std::int64_t integer() const { return cell_->integer; }
  double real() const { return cell_->real; }
  bool boolean() const { return cell_->boolean; }
  std::string_view string() const;
  Uuid uuid() const;
  const Cell& cell() const { return *cell_; }

  void append_json(std::string& out) const;  // RFC 7047 <atom>
  json::value to_json() const;
  std::string to_text() const;  // ovs-vsctl's form: strings quoted where they must be
  std::string to_bare() const;  // strings never quoted
  std::size_t hash() const;

  friend std::strong_ordering operator<=>(AtomView a, AtomView b);  // of the same type
  friend bool operator==(AtomView a, AtomView b) { return (a <=> b) == 0; }

 private:
  AtomType type_;
  const Cell* cell_;
};

// What a name in ["named-uuid", NAME] stands for; nothing if it is unknown.
using NamedUuids = std::function<std::optional<Uuid>(std::string_view)>;

class Atom {
 public:
  Atom() : type_(AtomType::none), cell_{} {}
  explicit Atom(std::int64_t v);
  explicit Atom(double v);
  explicit Atom(bool v);
  explicit Atom(std::string_view v);
  explicit Atom(const char* v) : Atom(std::string_view(v)) {}
  explicit Atom(const Uuid& v);
  explicit Atom(AtomView v);
  Atom(const Atom&);
  Atom(Atom&&) noexcept;
  Atom& operator=(Atom) noexcept;
  ~Atom();

  AtomType type() const { return type_; }
  AtomView view() const { return {type_, cell_}; }
  operator AtomView() const { return view(); }

  static Atom default_of(AtomType type);
  // Without constraints; `names` may be null.
  static DbResult<Atom> from_json(AtomType type, const json::value& v, const NamedUuids& names = nullptr);
  // ovs-vsctl's form of an atom that is the whole of `text`; a UUID must be complete.
  // `names` resolves "@name" for UUIDs.
  // A string is taken as it is unless it begins with a double quote: then it is a JSON string.
  static DbResult<Atom> from_text(const BaseType& type, std::string_view text, const NamedUuids& names = nullptr);

 private:
  friend class Datum;
  static DbResult<Atom> from_json_checked(const BaseType& type, const json::value& v);
  AtomType type_;
  Cell cell_;
};

// Holds an atom against its type's enum, range and length: a "constraint violation" if outside.
DbResult<void> check_atom(AtomView atom, const BaseType& type);

class Datum {
 public:
  Datum() noexcept;  // an empty set
  explicit Datum(AtomType key, AtomType value = AtomType::none) noexcept;  // empty
  explicit Datum(Atom only);                                               // a set of one
  Datum(const Datum&) noexcept;
  Datum(Datum&&) noexcept;
  Datum& operator=(const Datum&) noexcept;
  Datum& operator=(Datum&&) noexcept;
  ~Datum();

  // From atoms in any order; duplicates of a key are dropped (the first stays).
  static Datum set_of(AtomType type, std::vector<Atom> atoms);
  static Datum map_of(AtomType key, AtomType value, std::vector<std::pair<Atom, Atom>> pairs);
  // The value that a column has in a row that does not set it (RFC 7047 section 5.2.1).
  static Datum default_of(const ColumnType& type);
  bool is_default(const ColumnType& type) const;

  AtomType key_type() const { return key_type_; }
  AtomType value_type() const { return value_type_; }
  bool is_map() const { return value_type_ != AtomType::none; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  AtomView key(std::size_t i) const { return {key_type_, keys()[i]}; }
  AtomView value(std::size_t i) const { return {value_type_, values()[i]}; }
  // Shorthands for the first key.
  std::int64_t integer() const { return keys()[0].integer; }
  bool boolean() const { return keys()[0].boolean; }
  std::string_view string() const { return key(0).string(); }
  Uuid uuid() const { return key(0).uuid(); }

  // The index of a key.
  std::optional<std::size_t> find(AtomView key) const;
  bool contains(AtomView key) const { return find(key).has_value(); }
  // Whether this has every element of `other` (for maps: every pair).
  bool includes(const Datum& other) const;
  // Whether this has no element of `other`.
  bool excludes(const Datum& other) const;

  // Changing.  Each returns whether something changed.
  bool insert(const Atom& key);                      // a set
  bool insert(const Atom& key, const Atom& value, bool replace);
  bool erase(AtomView key);
  // Adds other's elements; a key that is there keeps its value unless `replace`.
  bool unite(const Datum& other, bool replace = false);
  bool subtract(const Datum& other);                     // sets: by key; maps: pairs that are equal
  bool subtract_keys(const Datum& keys);                 // a map, a set of its keys
  // Removes the elements for which `drop` says so, as garbage collection of weak references does.
  bool erase_if(const std::function<bool(AtomView key, const AtomView* value)>& drop);

  // The difference as "update2" and the log's "_is_diff" records carry it: for sets the elements in
  // exactly one of both; for maps the pairs whose value changed or is new (with the new value) and
  // the pairs that are gone (with their old value).  A column of at most one element, map or not,
  // is not diffed: its new value stands for it.  diff(a, b) applied to a gives b.
  static Datum diff(const Datum& from, const Datum& to, const ColumnType& type);
  DbResult<Datum> apply_diff(const Datum& diff, const ColumnType& type) const;
  // The same, changing this datum: it copies nothing where nobody shares the elements.  After an
  // error the value is unspecified.
  DbResult<void> patch(const Datum& diff, const ColumnType& type);

  // Number of elements within min..max of the type, each atom within its constraints.
  DbResult<void> check(const ColumnType& type) const;

  // JSON (RFC 7047 <value>).  from_json checks constraints and, if `check_count`, the number of
  // elements (a mutation's or a condition's argument is free of it); duplicates are an error.
  static DbResult<Datum> from_json(const ColumnType& type, const json::value& v,
                                   const NamedUuids& names = nullptr, bool check_count = true);
  void append_json(std::string& out) const;
  json::value to_json() const;

  // ovs-vsctl's text: "a, b" in any brackets, "k=v, k2=v2".
  static DbResult<Datum> from_text(const ColumnType& type, std::string_view text, const NamedUuids& names = nullptr);
  std::string to_text(const ColumnType& type) const;  // [a, b]  {k=v}  scalar
  std::string to_bare(const ColumnType& type) const;  // a b     k=v

  std::size_t hash() const;
  friend bool operator==(const Datum& a, const Datum& b);
  friend std::strong_ordering operator<=>(const Datum& a, const Datum& b);

  // Heap bytes that this datum alone accounts for (shared blocks count in full): memory/show.
  std::size_t heap_bytes() const;

 private:
  struct Block;
  const Cell* keys() const;
  const Cell* values() const;
  bool owns_block() const;
  void release_storage() noexcept;
  void release_copied(Block* block);
  void make_room(std::size_t capacity);
  void shrink();
  void reserve(std::size_t n);
  void append(Cell key, Cell value);
  bool settle();
  std::size_t lower_bound(const Cell& key) const;
  bool insert_cells(const Cell& key, const Cell* value, bool replace);
  void erase_at(std::size_t i);
  template <class Drop>
  bool drop_where(Drop drop);

  std::uint32_t size_;
  AtomType key_type_;
  AtomType value_type_;
  bool inline_;
  union Storage {
    Cell one;
    Block* block;
  } storage_;
};
static_assert(sizeof(Cell) == 16);

}  // namespace ovs::ovsdb
