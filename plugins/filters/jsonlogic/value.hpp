// Values of JSON-Logic: a 16-byte tagged struct over borrowed memory, and the bounded arena that
// holds what a rule makes. Used by every part of this plugin; a value is free to copy, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "rhizome/abi/delta.h"

namespace rhizome::jsonlogic {

enum class Type : std::uint8_t {
  kNull,
  kBoolean,
  kNumber,
  kString,
  kArray,
  kObject,
  // Read straight from a flat delta, so that no document tree is built:
  kDelta,     // {"id","author","timestamp","pointers"}
  kPointers,  // the array of its pointers
  kPointer,   // {"role","target"}; size: which
  kTarget,    // {"id","context"?}, {"delta","context"?} or {"mime","value"}; size: which pointer
  kIndex,     // {"index"}: the frame between an iterator's item and what surrounds it
};

struct Member;

struct Value {
  Type type = Type::kNull;
  bool boolean = false;
  std::uint32_t size = 0;  // of a string, an array, an object
  union {
    double number;
    const char* text;
    const Value* items;
    const Member* members;
    const rz_delta* delta;
  };

  Value() : number(0) {}
  static Value of(bool b) {
    Value v;
    v.type = Type::kBoolean;
    v.boolean = b;
    return v;
  }
  static Value of(double n) {
    Value v;
    v.type = Type::kNumber;
    v.number = n == 0 ? 0 : n;  // there is no -0 in JSON-Logic
    return v;
  }
  static Value of(std::string_view s) {
    Value v;
    v.type = Type::kString;
    v.size = static_cast<std::uint32_t>(s.size());
    v.text = s.data();
    return v;
  }
  static Value array(const Value* items, std::size_t size) {
    Value v;
    v.type = Type::kArray;
    v.size = static_cast<std::uint32_t>(size);
    v.items = items;
    return v;
  }
  static Value object(const Member* members, std::size_t size) {
    Value v;
    v.type = Type::kObject;
    v.size = static_cast<std::uint32_t>(size);
    v.members = members;
    return v;
  }
  static Value of_delta(Type type, const rz_delta* delta, std::uint32_t pointer = 0) {
    Value v;
    v.type = type;
    v.size = pointer;
    v.delta = delta;
    return v;
  }
  static Value index(double i) {
    Value v = of(i);
    v.type = Type::kIndex;
    return v;
  }

  bool is_null() const { return type == Type::kNull; }
  bool is_string() const { return type == Type::kString; }
  bool is_number() const { return type == Type::kNumber; }
  bool is_array() const { return type == Type::kArray || type == Type::kPointers; }
  bool is_object() const { return type >= Type::kObject && type != Type::kPointers; }
  std::string_view string() const { return {text, size}; }
};

struct Member {
  std::string_view key;
  Value value;
};

// Memory that grows to a limit and is freed at once.
class Arena {
 public:
  explicit Arena(std::uint64_t limit) : left_(limit) {}
  Arena(Arena&&) = default;

  // Uninitialised memory, 8-byte aligned; nullptr past the limit.
  void* allocate(std::size_t bytes) {
    bytes = bytes == 0 ? 8 : (bytes + 7) & ~std::size_t{7};
    if (bytes > left_) return nullptr;
    left_ -= bytes;
    if (static_cast<std::size_t>(end_ - next_) < bytes) grow(bytes);
    void* memory = next_;
    next_ += bytes;
    return memory;
  }
  template <typename T>
  T* make(std::size_t count) {
    void* memory = allocate(count * sizeof(T));
    if (memory == nullptr) return nullptr;
    T* first = static_cast<T*>(memory);
    for (std::size_t i = 0; i < count; ++i) new (first + i) T();
    return first;
  }
  // The text in this arena; its data() is nullptr past the limit.
  std::string_view copy(std::string_view text);
  // Forgets everything made; REQUIRES: nothing of it is used any more.
  void reset(std::uint64_t limit);

 private:
  void grow(std::size_t bytes);
  std::uint64_t left_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  std::size_t next_chunk_ = 2048;
  std::size_t first_size_ = 0;
  std::vector<std::unique_ptr<char[]>> chunks_;
};

// Arrays and objects whatever they are made of. REQUIRES: is_array() / is_object(), i < size.
std::uint32_t array_size(const Value& array);
Value array_at(const Value& array, std::uint32_t i);
std::uint32_t object_size(const Value& object);
// False where the arena is full (the text of an id or of bytes is made in it).
bool object_at(const Value& object, std::uint32_t i, Arena& arena, Member* member);

enum class Found : std::uint8_t { kYes, kNo, kNoMemory };
// The member `key` of an object or the element of an array at a decimal `key`.
Found get(const Value& from, std::string_view key, Arena& arena, Value* out);

bool truthy(const Value& value);
// JavaScript's Number() for what JSON-Logic coerces: null, booleans, decimal text. False: NaN.
bool to_number(const Value& value, double* number);
// Whether text is a decimal number ("" is 0).
bool parse_number(std::string_view text, double* number);
// The shortest decimal that reads back as the same number; up to 32 characters into `out`.
std::string_view number_text(double number, char (&out)[40]);

}  // namespace rhizome::jsonlogic
