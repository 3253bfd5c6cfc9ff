// One record of a foreign file, flattened to paths and scalar values: {"name":{"en":"x"}} has the
// one path "name.en". Made by the readers, read by templates; a value type, owned by one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rhizome/status.hpp"

namespace rhizome::importer {

inline constexpr std::size_t kRecordMaxBytes = 1u << 20;
inline constexpr std::size_t kRecordMaxDepth = 32;
inline constexpr std::size_t kRecordMaxValues = 4096;

struct Value {
  enum class Kind { kText, kNumber, kBoolean };
  Kind kind = Kind::kText;
  std::string text;   // for every kind: the value as templates write it
  double number = 0;  // kNumber, and kBoolean as 0 or 1
};

class Record {
 public:
  // One JSON value of any kind; a scalar has the path ".". Nulls are left out, so that they count
  // as missing. kInvalid or kLimit says what is wrong and at which byte.
  static Result<Record> from_json(std::string_view json);

  void add(std::string path, Value value) {
    fields_.push_back({std::move(path), std::move(value)});
  }
  void clear() { fields_.clear(); }
  // Call once all values are there. kInvalid where a path repeats.
  Status seal();
  // Null: missing. REQUIRES: sealed.
  const Value* find(std::string_view path) const;
  // Whether anything lies at the path or below it. REQUIRES: sealed.
  bool has_below(std::string_view path) const;
  // "alpha_2, flag, name": for messages; at most `limit` names.
  std::string paths(std::size_t limit = 8) const;

 private:
  struct Field {
    std::string path;
    Value value;
  };
  std::vector<Field> fields_;  // sorted by path once sealed
};

}  // namespace rhizome::importer
